import type { Ctx, TxCtx } from '../../core/context.ts'
import type { Answers } from './recorder.ts'

/** Arguments behind the context, or these with what the statements answer. */
export type Case<A> = A | (Answers & { readonly args: A })

type Run = (c: Ctx & TxCtx) => unknown
/** Every case of a file: function -> name of the case -> how it is run. */
export interface StoreCases {
  readonly file: string
  /** All that the file exports, for the comparison. */
  readonly exported: Readonly<Record<string, unknown>>
  /** Exports that say nothing to a database. */
  readonly silent: readonly string[]
  readonly cases: Readonly<Record<string, Readonly<Record<string, Answers & { readonly run: Run }>>>>
}

// biome-ignore lint/suspicious/noExplicitAny: the widest function there is; only used to tell functions from values
type AnyFunction = (...args: any[]) => unknown
type FunctionNames<S> = { [K in keyof S]: S[K] extends AnyFunction ? K : never }[keyof S]
type Rest<F> = F extends (first: never, ...rest: infer R) => unknown ? R : never
type CasesFor<S, Silent> = { readonly [K in Exclude<FunctionNames<S>, Silent>]: Readonly<Record<string, Case<Rest<S[K]>>>> }

/**
 * The cases of one store. The compiler checks the arguments and that no function is forgotten; the test says the same for whoever runs
 * it without the compiler.
 */
export function storeCases<S extends object, const Silent extends keyof S = never>(
  file: string,
  store: S,
  cases: CasesFor<S, Silent>,
  silent: readonly Silent[] = []
): StoreCases {
  const named = Object.entries(cases as Readonly<Record<string, Readonly<Record<string, Case<readonly unknown[]>>>>>)
  return {
    file,
    exported: store as Readonly<Record<string, unknown>>,
    silent: silent.map(String),
    cases: Object.fromEntries(
      named.map(([name, each]) => [
        name,
        Object.fromEntries(
          Object.entries(each).map(([title, given]) => {
            const { args, ...answers } = 'args' in given ? given : { args: given }
            const run: Run = c => (store as Readonly<Record<string, AnyFunction>>)[name]?.(c, ...args)
            return [title, { ...answers, run }]
          })
        )
      ])
    )
  }
}
