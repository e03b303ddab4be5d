import { type JobState, type JobStatus, type OrderStatus, orderStatusOf } from './operation-rules.ts'
import type { LockedJob, Sibling } from './store.ts'

/** What the rules need to know of a locked job. */
export const stateOf = (job: LockedJob): JobState => ({
  number: job.number,
  orderNumber: job.order_number,
  status: job.status,
  orderStatus: job.order_status
})

/** Whether good pieces of this job are the order's finished goods; of several last ones, the one with the highest number. */
export const isLast = (job: LockedJob, siblings: readonly Sibling[]): boolean =>
  siblings.every(
    other => other.status === 'cancelled' || other.sequence < job.sequence || (other.sequence === job.sequence && other.number < job.number)
  )

/** The operations just before this one: those with the highest lower sequence. */
export function before(job: LockedJob, siblings: readonly Sibling[]): readonly Sibling[] {
  const earlier = siblings.filter(other => other.sequence < job.sequence && other.status !== 'cancelled')
  const nearest = Math.max(...earlier.map(other => other.sequence))
  return earlier.filter(other => other.sequence === nearest)
}

/** The order's state when this job gets that state. */
export function orderAfter(job: LockedJob, siblings: readonly Sibling[], status: JobStatus): OrderStatus {
  const counts: Partial<Record<JobStatus, number>> = { [status]: 1 }
  for (const other of siblings) counts[other.status] = (counts[other.status] ?? 0) + 1
  return orderStatusOf(job.order_status, counts)
}
