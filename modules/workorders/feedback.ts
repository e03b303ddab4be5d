import { type Outbox, quantity, type TxCtx } from '../../core/index.ts'
import type { JobStatus, OrderStatus } from './operation-rules.ts'
import type { LockedJob } from './store.ts'

/** What the ERP is told of an operation or order: its words are fewer than ours. */
const told: Partial<Record<JobStatus, 'started' | 'paused' | 'finished'>> = { started: 'started', paused: 'paused', completed: 'finished' }

export interface ReportedAmounts {
  readonly good: string
  readonly scrap: string
  readonly rework: string
  readonly scrapReason: string | null
}

/**
 * Enqueues the state of an operation with what this act added to its quantities (never the running total, so that a late or repeated
 * message cannot overwrite a newer one). A correction sends the negated amounts with `reverses`.
 * @returns the message's key
 */
export function tellOperation(
  tx: TxCtx,
  outbox: Outbox,
  job: LockedJob,
  status: JobStatus,
  at: string,
  amounts?: ReportedAmounts,
  reverses?: string
): Promise<string> {
  const amount = (value: string) => ({ value: quantity.quantity(value), unit: job.unit })
  return outbox.enqueue(tx, {
    kind: 'operationStatus',
    record: {
      workOrder: job.order_number,
      operation: job.number,
      status: told[status] ?? 'started',
      ...(amounts && !quantity.isZero(amounts.good) ? { good: amount(amounts.good) } : {}),
      ...(amounts && !quantity.isZero(amounts.scrap) ? { scrap: amount(amounts.scrap) } : {}),
      ...(amounts && !quantity.isZero(amounts.rework) ? { rework: amount(amounts.rework) } : {}),
      ...(amounts && amounts.scrapReason !== null && !quantity.isZero(amounts.scrap) ? { scrapReason: amounts.scrapReason } : {}),
      at
    },
    orderingKey: job.order_number,
    ...(job.connection_id === null ? {} : { connectionId: job.connection_id }),
    ...(reverses === undefined ? {} : { reverses })
  })
}

/** Enqueues the order's state where it changed into one that the ERP has a word for. */
export async function tellOrder(tx: TxCtx, outbox: Outbox, job: LockedJob, status: OrderStatus, at: string): Promise<void> {
  const word = told[status]
  if (status === job.order_status || word === undefined) return
  await outbox.enqueue(tx, {
    kind: 'orderStatus',
    record: { workOrder: job.order_number, status: word, at },
    orderingKey: job.order_number,
    ...(job.connection_id === null ? {} : { connectionId: job.connection_id })
  })
}
