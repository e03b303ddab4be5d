import { AdapterError, type Concealed, formatInZone, type Json } from '../contract/index.ts'
import { knownSession, post, rowsOf, type Session, SessionEnded, signIn, type TrytonCtx } from './session.ts'
import type { Row } from './wire.ts'

export type Domain = Json[]

export interface SearchOptions {
  readonly order?: readonly (readonly [field: string, direction: 'ASC' | 'DESC'])[]
  readonly limit?: number
  readonly context?: { readonly [name: string]: Json }
}

/** What is called otherwise in other series. */
export interface Names {
  /** Unit of a move or production: `uom` up to 6.8, `unit` from 7.0 on. */
  readonly unit: 'uom' | 'unit'
  /** The transition that ends a production: `done` up to 7.0, `do` from 7.2 on. */
  readonly finish: 'done' | 'do'
}

/** A Tryton server that somebody signed in to. */
export interface Tryton {
  readonly session: Session
  readonly names: Names
  has(model: string): boolean
  /** The time by the server's clock where it says so, by ours where that is earlier. */
  now(): Date
  /** The day in the connection's zone. */
  today(): string
  /** A method of a model; the context is added as last parameter. */
  call(method: string, params: readonly Concealed[], context?: { readonly [name: string]: Json }): Promise<Json>
  search(model: string, domain: Domain, fields: readonly string[], options?: SearchOptions): Promise<Row[]>
}

export function namesOf(version: string): Names {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const since = (wanted: number, from: number): boolean => major > wanted || (major === wanted && minor >= from)
  return { unit: since(7, 0) ? 'unit' : 'uom', finish: since(7, 2) ? 'do' : 'done' }
}

/** Signs in once for many runs: the session is kept, and made anew when Tryton has ended it. */
export async function openTryton(ctx: TrytonCtx): Promise<Tryton> {
  const clock: { time?: number } = {}
  let session = (await knownSession(ctx)) ?? (await signIn(ctx))
  let renewed = false
  const now = (): Date => {
    const [ours, theirs] = [ctx.clock.now().getTime(), clock.time ?? Number.POSITIVE_INFINITY]
    return new Date(Math.min(ours, theirs))
  }
  const names = namesOf(session.version)

  async function raw(method: string, params: readonly Concealed[]): Promise<Json> {
    try {
      return await post(ctx, session.path, session.authorization, method, params, clock)
    } catch (error) {
      if (!(error instanceof SessionEnded)) throw error
      if (renewed) throw new AdapterError('auth', 'Tryton ends the session of this user as soon as it begins.', { field: '/user' })
      renewed = true
      session = await signIn(ctx)
      // What was answered with 401 was not carried out.
      return raw(method, params)
    }
  }

  const call: Tryton['call'] = (method, params, context = {}) =>
    raw(`model.${method}`, [...params, { company: session.company, language: session.language, ...context }])
  return {
    get session() {
      return session
    },
    names,
    has: model => session.models.includes(model),
    now,
    today: () => formatInZone(now().toISOString(), ctx.connection.timeZone, 'yyyy-MM-dd'),
    call,
    search: async (model, domain, fields, { order, limit, context } = {}) =>
      rowsOf(
        await call(
          `${model}.search_read`,
          [domain, 0, limit ?? null, (order ?? [['id', 'ASC']]).map(([field, way]) => [field, way]), [...fields]],
          context
        )
      )
  }
}
