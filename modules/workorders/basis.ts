import type { TxCtx } from '../../core/index.ts'
import { getSetting, type Material, materialsOf, type Setting, type Sibling, siblingsOf } from './store.ts'

/** What a booking is judged and followed up by. */
export interface Basis {
  readonly siblings: readonly Sibling[]
  readonly setting: Setting
  readonly materials: readonly Material[]
}

/** Read after the lock was taken, in one go: none of the three waits for another. */
export async function basisOf(tx: TxCtx, job: { readonly order_id: string; readonly id: string }): Promise<Basis> {
  const [siblings, setting, materials] = await Promise.all([siblingsOf(tx, job), getSetting(tx), materialsOf(tx, [job.order_id])])
  return { siblings, setting, materials }
}
