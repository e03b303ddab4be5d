import { newId, quantity, refuse as refuseCore, type TxCtx } from '../../core/index.ts'
import { refuse } from './errors.ts'
import { tellOperation, tellOrder } from './feedback.ts'
import { backflush, type MaterialItem, materialItems } from './materials.ts'
import type { Needs } from './neighbours.ts'
import {
  checkAct,
  checkOverReport,
  completionOf,
  incomingOf,
  type JobAct,
  type JobState,
  type JobStatus,
  missingQuantity,
  type OrderStatus,
  orderStatusOf,
  type Shortfall
} from './operation-rules.ts'
import {
  getSetting,
  insertReport,
  isActiveReason,
  isReversed,
  type LockedJob,
  lockJob,
  type Report,
  reportById,
  type Sibling,
  saveJob,
  siblingsOf
} from './store.ts'

/** Good, scrap, rework and their reasons of one submit; amounts as decimal text. */
export interface Amounts {
  readonly good?: string | undefined
  readonly scrap?: string | undefined
  readonly rework?: string | undefined
  readonly scrapReason?: string | undefined
  readonly reason?: string | undefined
  readonly employeeId?: string | undefined
}

export interface Starting {
  readonly employeeIds?: readonly string[] | undefined
  readonly activity?: 'setup' | 'run' | undefined
}

const nothing = { good: quantity.zero, scrap: quantity.zero, rework: quantity.zero } as const

/** The acts on a job. Each locks order and job first, and each is one state change, one journal entry and its feedback. */
export function jobActs(needs: Needs) {
  const { authz, timekeeping, inventory, outbox, journal } = needs

  /** The locked job, if it lies within the caller's groups and its state allows the act. */
  async function lock(tx: TxCtx, jobId: string, act: JobAct): Promise<LockedJob> {
    const job = await lockJob(tx, jobId, authz.visible(tx, 'j.id'))
    if (!job) throw noSuchJob()
    checkAct(act, stateOf(job))
    return job
  }

  const note = (tx: TxCtx, act: string, job: LockedJob, data: Record<string, string | readonly string[] | null>): Promise<void> =>
    journal.append(tx, { act, subject: 'workorders.job', subjectId: job.id, data: { orderId: job.order_id, ...data } })

  async function employees(tx: TxCtx, given: readonly string[] | undefined): Promise<readonly string[]> {
    if (given && given.length > 0) return [...new Set(given)].sort()
    const mine = await timekeeping.employeeOfUser(tx)
    if (mine === null) {
      throw refuse('employee_missing', 'Your user account is not linked to an employee: say in `employeeIds` for whom the clock starts.')
    }
    return [mine]
  }

  /** Starts the clock of one or more persons on a job; who is on it already goes on undisturbed. */
  async function start(tx: TxCtx, jobId: string, starting: Starting, act: 'start' | 'resume' = 'start'): Promise<void> {
    const job = await lock(tx, jobId, act)
    const employeeIds = await employees(tx, starting.employeeIds)
    const at = tx.clock.iso()
    if (job.status === 'started') {
      const running = new Map((await timekeeping.running(tx, [job.id])).map(one => [one.employeeId, one.since]))
      if (employeeIds.every(id => running.has(id))) {
        const since = employeeIds.map(id => running.get(id) ?? at).sort()[0]
        throw refuse(
          'job_already_running',
          `Operation ${job.number} of work order ${job.order_number} runs already for this person, since ${since}.`
        )
      }
    }
    await timekeeping.openInterval(tx, {
      employeeIds,
      jobId: job.id,
      orderNumber: job.order_number,
      operationNumber: job.number,
      activity: starting.activity ?? 'run',
      connectionId: job.connection_id,
      at
    })
    if (job.status !== 'started') await move(tx, job, { status: 'started', orderStatus: 'started', at, tell: true })
    await note(tx, `job.${act}`, job, { employeeIds })
  }

  /** Stops the clock of those named, else of the signed-in person, else of everybody; the job is paused when nobody works on it any more. */
  async function pause(tx: TxCtx, jobId: string, given: { readonly employeeIds?: readonly string[] | undefined }): Promise<void> {
    const job = await lock(tx, jobId, 'pause')
    const at = tx.clock.iso()
    const mine = given.employeeIds === undefined ? await timekeeping.employeeOfUser(tx) : null
    const named = given.employeeIds ?? (mine === null ? undefined : [mine])
    const closed = await timekeeping.closeIntervals(tx, { jobId: job.id, ...(named ? { employeeIds: named } : {}), at, reason: 'paused' })
    const others = named ? await timekeeping.running(tx, [job.id]) : []
    if (others.length > 0 && closed.employeeIds.length === 0) {
      throw refuse(
        'not_on_job',
        `Operation ${job.number} of work order ${job.order_number} is run by others; say in \`employeeIds\` whose clock stops.`
      )
    }
    if (others.length === 0) {
      const siblings = await siblingsOf(tx, job)
      await move(tx, job, { status: 'paused', orderStatus: orderAfter(job, siblings, 'paused'), at, tell: true })
    }
    await note(tx, 'job.pause', job, { employeeIds: closed.employeeIds })
  }

  /** Books quantities on a job that goes on: good, scrap with its reason, and rework in one submit. @returns the report's id */
  async function report(tx: TxCtx, jobId: string, amounts: Amounts): Promise<string> {
    const job = await lock(tx, jobId, 'report')
    const added = amountsOf(amounts)
    if (isNothing(added)) throw refuse('nothing_reported', 'Report a good, scrap or rework quantity above zero.')
    const status: JobStatus = job.status === 'released' ? 'started' : job.status
    const siblings = await siblingsOf(tx, job)
    return book(tx, job, siblings, { added, amounts, status, shortfall: 'none', kind: 'report' })
  }

  /**
   * Ends a job, with a last report where quantities are given. Missing pieces must be decided: `lost` completes, `not_yet` books what
   * there is and pauses. Everybody's clock stops. @returns the id of the report, or null where nothing was left to report
   */
  async function complete(
    tx: TxCtx,
    jobId: string,
    amounts: Amounts & { readonly shortfall?: 'not_yet' | 'lost' | undefined }
  ): Promise<string> {
    const job = await lock(tx, jobId, 'complete')
    const added = amountsOf(amounts)
    const siblings = await siblingsOf(tx, job)
    const missing = missingQuantity({
      planned: job.planned_quantity,
      good: quantity.add(job.good, added.good),
      scrap: quantity.add(job.scrap, added.scrap),
      ...incomingOf(before(job, siblings))
    })
    const { status, shortfall } = completionOf(stateOf(job), missing, job.unit, amounts.shortfall)
    await timekeeping.closeIntervals(tx, { jobId: job.id, at: tx.clock.iso(), reason: status })
    return book(tx, job, siblings, { added, amounts, status, shortfall, kind: 'report' })
  }

  /** Takes a completed job back to paused, with a reason. */
  async function reopen(tx: TxCtx, jobId: string, reason: string): Promise<void> {
    const job = await lock(tx, jobId, 'reopen')
    const at = tx.clock.iso()
    const siblings = await siblingsOf(tx, job)
    const key = await tellOperation(tx, outbox, job, 'paused', at)
    await insertReport(tx, { ...blank(tx, job, at), ...nothing, kind: 'reopening', reason, outbox_key: key })
    await move(tx, job, { status: 'paused', orderStatus: orderAfter(job, siblings, 'paused'), at, tell: false })
    await note(tx, 'job.reopen', job, {})
  }

  /**
   * Corrects a report: a row that takes it back and a row that stands for it, linked, with the reason; both reach the ERP. All zero
   * takes it back only. @returns the ids of both rows
   */
  async function correct(
    tx: TxCtx,
    reportId: string,
    amounts: Amounts & { readonly reason: string }
  ): Promise<{ reversalId: string; replacementId: string | null }> {
    const original = await reportById(tx, reportId)
    if (!original) throw noSuchReport()
    const job = await lockJob(tx, original.job_id, authz.visible(tx, 'j.id'))
    if (!job) throw noSuchReport()
    checkAct('correct', stateOf(job))
    if (original.kind === 'reversal' || original.kind === 'reopening') {
      throw refuse('reversal_not_correctable', 'This row takes something back or reopens; correct the row with the quantities.')
    }
    if (await isReversed(tx, original.id))
      throw refuse('report_reversed', 'This report was corrected before; correct the row that stands for it now.')
    const at = tx.clock.iso()
    const siblings = await siblingsOf(tx, job)
    const reversalId = await takeBack(tx, job, original, amounts.reason, at)
    const added = amountsOf(amounts)
    const after = reduced(job, original)
    const replacementId = isNothing(added)
      ? null
      : await book(tx, after, siblings, {
          added,
          amounts,
          status: job.status,
          shortfall: original.shortfall,
          kind: 'replacement',
          replaces: original.id
        })
    await note(tx, 'job.correct', job, { reportId: original.id, reversalId, replacementId })
    return { reversalId, replacementId }
  }

  async function takeBack(tx: TxCtx, job: LockedJob, original: Report, reason: string, at: string): Promise<string> {
    const negated = {
      good: quantity.negate(original.good),
      scrap: quantity.negate(original.scrap),
      rework: quantity.negate(original.rework)
    }
    const key = await tellOperation(
      tx,
      outbox,
      job,
      job.status,
      at,
      { ...negated, scrapReason: original.scrap_reason },
      original.outbox_key ?? undefined
    )
    const receiptKey =
      original.receipt_key === null
        ? null
        : await receipt(tx, job, { quantity: negated.good, location: null, reverses: original.receipt_key })
    const row = {
      ...blank(tx, job, at),
      ...negated,
      kind: 'reversal' as const,
      scrap_reason: original.scrap_reason,
      reverses: original.id,
      reason,
      outbox_key: key,
      receipt_key: receiptKey
    }
    await insertReport(tx, row)
    await saveJob(tx, { id: job.id, orderId: job.order_id, status: job.status, orderStatus: job.order_status, ...negated, at })
    return row.id
  }

  interface Booking {
    readonly added: { readonly good: string; readonly scrap: string; readonly rework: string }
    readonly amounts: Amounts
    readonly status: JobStatus
    readonly shortfall: Shortfall
    readonly kind: 'report' | 'replacement'
    readonly replaces?: string
  }

  /** One report row with everything that follows from it. */
  async function book(tx: TxCtx, job: LockedJob, siblings: readonly Sibling[], booking: Booking): Promise<string> {
    const { added, amounts, status, shortfall, kind } = booking
    const at = tx.clock.iso()
    const setting = await getSetting(tx)
    checkOverReport(
      stateOf(job),
      { overReport: setting.over_report, overPercent: setting.over_percent },
      {
        planned: job.planned_quantity,
        goodAfter: quantity.add(job.good, added.good),
        unit: job.unit,
        reason: amounts.reason
      }
    )
    const scrapReason = await reasonOf(tx, added.scrap, amounts.scrapReason)
    const key = await tellOperation(tx, outbox, job, status, at, { ...added, scrapReason })
    const last = isLast(job, siblings)
    const receiptKey =
      last && setting.product_receipt === 'last_operation' && job.article !== null && !quantity.isZero(added.good)
        ? await receipt(tx, job, { quantity: added.good, location: setting.receipt_location })
        : null
    const row = {
      ...blank(tx, job, at),
      ...added,
      kind,
      scrap_reason: scrapReason,
      shortfall,
      replaces: booking.replaces ?? null,
      reason: amounts.reason ?? null,
      employee_id: amounts.employeeId ?? null,
      outbox_key: key,
      receipt_key: receiptKey
    }
    await insertReport(tx, row)
    await move(tx, job, { status, orderStatus: orderAfter(job, siblings, status), at, tell: false, added })
    const done = { good: quantity.add(job.good, added.good), scrap: quantity.add(job.scrap, added.scrap) }
    await backflush(tx, inventory, { job, last, setting: setting.backflush, completed: status === 'completed', ...done })
    if (kind === 'report') await note(tx, status === 'completed' ? 'job.complete' : 'job.report', job, { reportId: row.id })
    return row.id
  }

  /** Stores the new state and sums, and tells the ERP what changed. */
  async function move(
    tx: TxCtx,
    job: LockedJob,
    to: {
      readonly status: JobStatus
      readonly orderStatus: OrderStatus
      readonly at: string
      /** whether the operation's state is a message of its own, or went out with the quantities */
      readonly tell: boolean
      readonly added?: { readonly good: string; readonly scrap: string; readonly rework: string }
    }
  ): Promise<void> {
    await saveJob(tx, {
      id: job.id,
      orderId: job.order_id,
      status: to.status,
      orderStatus: to.orderStatus,
      ...(to.added ?? nothing),
      at: to.at
    })
    if (to.tell) await tellOperation(tx, outbox, job, to.status, to.at)
    await tellOrder(tx, outbox, job, to.orderStatus, to.at)
  }

  const receipt = (tx: TxCtx, job: LockedJob, what: { quantity: string; location: string | null; reverses?: string }): Promise<string> =>
    inventory.receive(tx, {
      orderNumber: job.order_number,
      operationNumber: job.number,
      connectionId: job.connection_id,
      article: job.article ?? '',
      unit: job.unit,
      lot: null,
      ...what
    })

  async function reasonOf(tx: TxCtx, scrap: string, given: string | undefined): Promise<string | null> {
    if (quantity.isZero(scrap)) return null
    if (given === undefined)
      throw refuse('scrap_reason_missing', 'Scrap needs a reason: send `scrapReason` with one of the codes in the list.')
    if (!(await isActiveReason(tx, given))) throw refuse('scrap_reason_unknown', `"${given}" is no scrap reason in use.`)
    return given
  }

  /** Takes material for a job out of stock. @returns the id of the act in the ledger */
  async function consume(tx: TxCtx, jobId: string, items: readonly MaterialItem[]): Promise<string> {
    const job = await lock(tx, jobId, 'consume')
    const { actId } = await inventory.consume(tx, { ...use(job), items: await materialItems(tx, job, items) })
    await note(tx, 'job.consume', job, { actId })
    return actId
  }

  /** Brings unused material of a job back to stock. */
  async function giveBack(tx: TxCtx, jobId: string, items: readonly MaterialItem[]): Promise<string> {
    const job = await lock(tx, jobId, 'consume')
    const { actId } = await inventory.giveBack(tx, { ...use(job), items: await materialItems(tx, job, items) })
    await note(tx, 'job.return', job, { actId })
    return actId
  }

  const resume = (tx: TxCtx, jobId: string, starting: Starting): Promise<void> => start(tx, jobId, starting, 'resume')
  return { start, pause, resume, report, complete, reopen, correct, consume, giveBack }
}

export type JobActs = ReturnType<typeof jobActs>

const noSuchJob = () => refuseCore('not_found', 'There is no such job within your groups.')
const noSuchReport = () => refuseCore('not_found', 'There is no such report within your groups.')

const use = (job: LockedJob) => ({ orderNumber: job.order_number, operationNumber: job.number, connectionId: job.connection_id })

const stateOf = (job: LockedJob): JobState => ({
  number: job.number,
  orderNumber: job.order_number,
  status: job.status,
  orderStatus: job.order_status
})

const amountsOf = (amounts: Amounts) => ({
  good: amounts.good ?? quantity.zero,
  scrap: amounts.scrap ?? quantity.zero,
  rework: amounts.rework ?? quantity.zero
})
const isNothing = (added: { good: string; scrap: string; rework: string }): boolean =>
  quantity.isZero(added.good) && quantity.isZero(added.scrap) && quantity.isZero(added.rework)

const isLast = (job: LockedJob, siblings: readonly Sibling[]): boolean =>
  siblings.every(
    other => other.status === 'cancelled' || other.sequence < job.sequence || (other.sequence === job.sequence && other.number < job.number)
  )

/** The operations just before this one: those with the highest lower sequence. */
function before(job: LockedJob, siblings: readonly Sibling[]): readonly Sibling[] {
  const earlier = siblings.filter(other => other.sequence < job.sequence && other.status !== 'cancelled')
  const nearest = Math.max(...earlier.map(other => other.sequence))
  return earlier.filter(other => other.sequence === nearest)
}

function orderAfter(job: LockedJob, siblings: readonly Sibling[], status: JobStatus): OrderStatus {
  const counts: Partial<Record<JobStatus, number>> = { [status]: 1 }
  for (const other of siblings) counts[other.status] = (counts[other.status] ?? 0) + 1
  return orderStatusOf(job.order_status, counts)
}

const reduced = (job: LockedJob, original: Report): LockedJob => ({
  ...job,
  good: quantity.subtract(job.good, original.good),
  scrap: quantity.subtract(job.scrap, original.scrap),
  rework: quantity.subtract(job.rework, original.rework)
})

/** The columns that every report row has in common. */
const blank = (tx: TxCtx, job: LockedJob, at: string) => ({
  id: newId(),
  job_id: job.id,
  scrap_reason: null,
  shortfall: 'none' as Shortfall,
  reverses: null,
  replaces: null,
  reason: null,
  reported_by: `${tx.principal.kind}:${tx.principal.id}`,
  employee_id: null,
  receipt_key: null,
  at
})
