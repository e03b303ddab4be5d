import type { ExportKind, ExportRecords } from '../../adapters/contract/index.ts'
import type { TxCtx } from '../context.ts'

/** One feedback message, enqueued in the transaction of the booking it reports. */
export interface Message<K extends ExportKind> {
  readonly kind: K
  /** For `labour`, `employee` holds our employee id; it becomes the ERP's number when the batch is sealed. */
  readonly record: ExportRecords[K]
  /** What keeps its messages in order: the work order number, or for stock the article. */
  readonly orderingKey: string
  /** The connection the order came from; absent: the owner of this kind of feedback. */
  readonly connectionId?: string
  /** Key of an earlier message that this one takes back. */
  readonly reverses?: string
}

export interface MessageState {
  readonly key: string
  readonly kind: string
  readonly state: string
  readonly document: string | null
  readonly rejectMessage: string | null
  readonly createdAt: string
  readonly settledAt: string | null
}

/** The way out of the house, as modules see it. */
export interface Outbox {
  /** @returns the message's key, stable for ever */
  enqueue<K extends ExportKind>(tx: TxCtx, message: Message<K>): Promise<string>
  /** States of messages by key, for "accepted by ERP 10:42". */
  states(ctx: import('../context.ts').Ctx | TxCtx, keys: readonly string[]): Promise<readonly MessageState[]>
}
