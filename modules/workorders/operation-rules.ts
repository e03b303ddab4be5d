import { quantity } from '../../core/index.ts'
import { refuse } from './errors.ts'

/** What a job (an operation on the floor) and a work order can be in. A planned order's jobs are planned: not to be started yet. */
export const jobStatuses = ['planned', 'released', 'started', 'paused', 'completed', 'closed', 'cancelled'] as const
export type JobStatus = (typeof jobStatuses)[number]
export const orderStatuses = jobStatuses
export type OrderStatus = JobStatus
export type Shortfall = 'none' | 'not_yet' | 'lost'
export type OverReport = 'block' | 'warn' | 'allow'
export type Backflush = 'none' | 'on_report' | 'on_completion'
export type ProductReceipt = 'last_operation' | 'none'

/** What the rules need to know of a job. */
export interface JobState {
  readonly number: string
  readonly orderNumber: string
  readonly status: JobStatus
  readonly orderStatus: OrderStatus
}

export type JobAct = 'start' | 'pause' | 'resume' | 'report' | 'complete' | 'reopen' | 'correct' | 'consume'

const nameOf = (job: JobState): string => `Operation ${job.number} of work order ${job.orderNumber}`

/** Throws the refusal that says why this act is not possible in this state; says nothing when it is. */
export function checkAct(act: JobAct, job: JobState): void {
  const status = job.orderStatus === 'closed' || job.orderStatus === 'cancelled' ? job.orderStatus : job.status
  if (status === 'cancelled') throw refuse('order_cancelled', `${nameOf(job)} is cancelled; nothing can be booked on it any more.`)
  if (status === 'closed') throw refuse('order_closed', `${nameOf(job)} is closed; ask the planner to open it again in the ERP.`)
  if (status === 'planned')
    throw refuse('order_not_released', `${nameOf(job)} is planned, not released yet; ask the planner to release it.`)
  if (act === 'correct') return
  if (act === 'reopen') {
    if (status !== 'completed') throw refuse('job_not_completed', `${nameOf(job)} is ${status}, so there is nothing to reopen.`)
    return
  }
  if (status === 'completed' && act !== 'consume') {
    throw refuse('job_completed', `${nameOf(job)} is completed; reopen it before you book on it again.`)
  }
  if (act === 'pause' && status !== 'started') throw refuse('job_not_running', `${nameOf(job)} is ${status}, so there is nothing to pause.`)
  if (act === 'resume' && status !== 'paused') throw refuse('job_not_paused', `${nameOf(job)} is ${status}, not paused; start it instead.`)
}

/** How many jobs of an order are in which state. */
export type JobCounts = Readonly<Partial<Record<JobStatus, number>>>

/**
 * The state of a work order that follows from its jobs: started while one runs, paused when none runs and one is paused, completed
 * when all are done, and between two operations whatever it was.
 */
export function orderStatusOf(current: OrderStatus, jobs: JobCounts): OrderStatus {
  if (current === 'closed' || current === 'cancelled' || current === 'planned') return current
  const count = (status: JobStatus): number => jobs[status] ?? 0
  if (count('started') > 0) return 'started'
  if (count('paused') > 0) return 'paused'
  const open = count('released') + count('planned')
  if (open === 0 && count('completed') > 0) return 'completed'
  if (count('completed') > 0) return 'started'
  return current === 'completed' ? 'started' : current
}

export interface Progress {
  readonly planned: string
  readonly good: string
  readonly scrap: string
  /** What came out of the operations before this one; null for the first and while nobody touched those. */
  readonly incoming: string | null
  /** Whether the operations before this one are done, so that nothing more comes. */
  readonly incomingFinal: boolean
}

const atLeastZero = (value: string): string => (quantity.isNegative(value) ? quantity.zero : value)

/** What the screen proposes to report: what came in (or was planned) less what is reported already, never below zero. */
export const proposedQuantity = (job: Progress): string =>
  atLeastZero(quantity.subtract(quantity.subtract(job.incoming ?? job.planned, job.good), job.scrap))

/** Pieces that nobody accounted for when this operation ends: of what came in where that is final, else of what was planned. */
export const missingQuantity = (job: Progress): string => {
  const expected = job.incoming !== null && job.incomingFinal ? job.incoming : job.planned
  return atLeastZero(quantity.subtract(quantity.subtract(expected, job.good), job.scrap))
}

/** What came out of the operations just before: the smallest good quantity where several share a sequence. */
export function incomingOf(before: readonly { good: string; status: JobStatus }[]): { incoming: string | null; incomingFinal: boolean } {
  const touched = before.filter(job => job.status !== 'cancelled')
  const [first, ...rest] = touched
  if (!first || touched.some(job => job.status === 'released' || job.status === 'planned')) return { incoming: null, incomingFinal: false }
  const incoming = rest.reduce((least, job) => (quantity.compare(job.good, least) < 0 ? job.good : least), first.good)
  return { incoming, incomingFinal: touched.every(job => job.status === 'completed' || job.status === 'closed') }
}

export interface OverReportSetting {
  readonly overReport: OverReport
  /** per cent, decimal text with at most two decimals */
  readonly overPercent: string
}

/**
 * Checks the good quantity that a job would have against its plan; `reason` is what `warn` asks for. What does not raise it passes:
 * the ERP may have lowered the plan below what is made already, and such a job can still be corrected and completed.
 */
export function checkOverReport(
  job: JobState,
  setting: OverReportSetting,
  amounts: { planned: string; goodBefore: string; goodAfter: string; unit: string; reason: string | undefined }
): void {
  const { goodAfter, unit } = amounts
  const planned = quantity.quantity(amounts.planned)
  if (quantity.compare(goodAfter, planned) <= 0 || quantity.compare(goodAfter, amounts.goodBefore) <= 0) return
  const fact = `${nameOf(job)} would have ${goodAfter} ${unit} good, planned are ${planned}`
  if (setting.overReport === 'block') throw refuse('report_exceeds_plan', `${fact}. Report at most what was planned.`)
  if (setting.overReport === 'warn') {
    if (amounts.reason === undefined)
      throw refuse('over_report_reason_missing', `${fact}. Send it again with a reason, or correct the quantity.`)
    return
  }
  const most = quantity.ratio(planned, 10_000n + quantity.toScaled(setting.overPercent) / 10_000n, 10_000n)
  if (quantity.compare(goodAfter, most) > 0) {
    throw refuse('report_exceeds_plan', `${fact}; at most ${most} (${setting.overPercent} % more) is allowed.`)
  }
}

/** Decides what completion means: `lost` or nothing missing completes, `not_yet` pauses, silence about missing pieces is refused. */
export function completionOf(
  job: JobState,
  missing: string,
  unit: string,
  shortfall: Shortfall | undefined
): { status: 'completed' | 'paused'; shortfall: Shortfall } {
  if (quantity.isZero(missing)) return { status: 'completed', shortfall: 'none' }
  if (shortfall === 'lost') return { status: 'completed', shortfall }
  if (shortfall === 'not_yet') return { status: 'paused', shortfall }
  throw refuse(
    'shortfall_undecided',
    `${nameOf(job)} misses ${missing} ${unit}. Say what happens to them: "not_yet" (they still come, the operation is paused) or "lost".`
  )
}
