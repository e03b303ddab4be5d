import type { Ctx, TxCtx } from '../context.ts'
import { translate } from '../db/sqlstate.ts'
import { withTx } from '../db/tx.ts'
import { withinSavepoint } from './apply-store.ts'
import type { PartRunner } from './run.ts'

/** Carries the result out of a transaction that must not commit. */
class RolledBack extends Error {
  readonly result: unknown
  constructor(result: unknown) {
    super('a dry run is rolled back')
    this.name = 'RolledBack'
    this.result = result
  }
}

/**
 * Runs `fn` in a transaction that is rolled back, whatever it wrote; a part of it that fails takes only itself back, as in a real run.
 * @returns what `fn` found out
 */
export async function rolledBack<R>(ctx: Ctx, fn: (tx: TxCtx, inTx: PartRunner) => Promise<R>): Promise<R> {
  try {
    return await withTx(ctx, async tx => {
      const inTx: PartRunner = part =>
        withinSavepoint(tx, () => part(tx)).catch(error => {
          throw translate(error)
        })
      throw new RolledBack(await fn(tx, inTx))
    })
  } catch (error) {
    if (error instanceof RolledBack) return error.result as R
    throw error
  }
}
