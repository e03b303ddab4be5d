import type { ImportKind, ImportRecords } from '../../adapters/contract/index.ts'
import type { TxCtx } from '../context.ts'

/** Records of one kind that are new or changed, already mapped and validated; whole arrays, to be applied set-wise. */
export interface Batch<K extends ImportKind> {
  readonly connectionId: string
  readonly records: readonly { readonly key: string; readonly record: ImportRecords[K] }[]
  /** Keys the ERP deleted or a completed snapshot no longer names: close them, never remove what has bookings. */
  readonly closed: readonly string[]
}

/** One outcome per key. `held`: stored as a proposal for a person (order-change guard). `rejected`: goes to the error bin. */
export type ReceiveOutcome =
  | { readonly key: string; readonly status: 'applied' }
  | { readonly key: string; readonly status: 'held'; readonly code: string; readonly message: string; readonly field?: string }
  | {
      readonly key: string
      readonly status: 'rejected'
      readonly code: string
      readonly message: string
      readonly field?: string
      readonly value?: string
      /** A code table whose missing entry is the cause. */
      readonly table?: { readonly name: string; readonly value: string }
    }

/** A module takes over records inside the host's transaction; throwing rolls the chunk back and the host halves it. */
export type Receivers = { readonly [K in ImportKind]?: (tx: TxCtx, batch: Batch<K>) => Promise<readonly ReceiveOutcome[]> }
