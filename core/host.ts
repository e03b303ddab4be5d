import { asFunction, asValue, createContainer, InjectionMode } from 'awilix'
import type { RefusalSpecs } from './errors.ts'
import type { Receivers } from './exchange/receivers.ts'
import type { App } from './http/app.ts'
import type { Identity } from './http/identity.ts'
import type { Faces, Platform } from './index.ts'

/** Everything a module may ask for: the platform's values and its neighbours' faces. */
export type Registry = Platform & Faces

/** A table that holds data about a person, and why: feeds the processing register and the search for a data subject. */
export interface PersonalData {
  readonly table: string
  /** The column by which a person is found. */
  readonly subject: string
  readonly columns: readonly string[]
  readonly why: string
}

/** How long rows are kept and by which rule. */
export interface Retention {
  readonly table: string
  readonly after: string
  readonly rule: string
}

export type Category = 'business' | 'personal' | 'technical' | 'secret'

/** One sentence per column in both languages; `schema.table.column` is the key. A test fails on a missing or a surplus one. */
export type Dictionary = Readonly<Record<string, { readonly en: string; readonly nl: string; readonly category: Category }>>

/** What `build` gives back: the face for the neighbours, and what core calls. */
export interface Built<Face> {
  readonly face: Face
  readonly routes?: (app: App) => void
  readonly receives?: Receivers
  readonly identity?: Identity
  /** Work of one tenant that a duty asks for now and then (shift end, clean-up); idempotent. */
  readonly duties?: readonly Duty[]
}

export interface Duty {
  readonly name: string
  /** Seconds between two runs for one tenant. */
  readonly everySeconds: number
  readonly run: (ctx: import('./context.ts').Ctx) => Promise<void>
}

export interface ModuleSpec<Name extends keyof Faces, N extends keyof Registry> {
  readonly name: Name
  readonly needs: readonly N[]
  /** Permission -> what it allows, in one English sentence. */
  readonly permissions: Readonly<Record<string, string>>
  readonly personalData: readonly PersonalData[]
  readonly retention: readonly Retention[]
  readonly dictionary: Dictionary
  readonly errors: RefusalSpecs
  readonly build: (needs: Pick<Registry, N>) => Built<Faces[Name]>
}

/** Destructure the needs in `build({ clock, journal })`: then an undeclared need stops the boot instead of a request. */
export const defineModule = <Name extends keyof Faces, const N extends keyof Registry>(spec: ModuleSpec<Name, N>): ModuleSpec<Name, N> =>
  spec

/** A module with its types forgotten, as the host holds it. */
export interface AnyModule {
  readonly name: string
  readonly needs: readonly string[]
  readonly permissions: Readonly<Record<string, string>>
  readonly personalData: readonly PersonalData[]
  readonly retention: readonly Retention[]
  readonly dictionary: Dictionary
  readonly errors: RefusalSpecs
  readonly build: (needs: never) => Built<unknown>
}

/**
 * Builds every module inside a container that holds exactly its declared needs, so an undeclared neighbour stops the boot by name.
 * @returns the built modules in the order given
 */
export function boot(platform: Platform, specs: readonly AnyModule[]): ReadonlyMap<string, Built<unknown>> {
  const root = createContainer<Record<string, unknown>>({ injectionMode: InjectionMode.PROXY, strict: true })
  for (const [name, value] of Object.entries(platform)) root.register(name, asValue(value))
  const built = new Map<string, Built<unknown>>()
  for (const spec of specs) {
    root.register(
      spec.name,
      asFunction((cradle: Record<string, unknown>) => {
        const own = createContainer<Record<string, unknown>>({ injectionMode: InjectionMode.PROXY, strict: true })
        for (const need of spec.needs) own.register(need, asValue(cradle[need]))
        const made = spec.build(own.cradle as never)
        built.set(spec.name, made)
        return made.face
      }).singleton()
    )
  }
  for (const spec of specs) root.resolve(spec.name)
  return new Map(specs.map(spec => [spec.name, built.get(spec.name)] as [string, Built<unknown>]))
}
