import { quantity, refuse as refuseCore, type TxCtx } from '../../core/index.ts'
import { basisOf } from './basis.ts'
import { type Amounts, amountsOf, blank, bookings, isNothing, nothing } from './booking.ts'
import { refuse } from './errors.ts'
import { tellOperation } from './feedback.ts'
import { type MaterialItem, materialItems } from './materials.ts'
import type { Needs } from './neighbours.ts'
import { checkAct, completionOf, incomingOf, type JobAct, type JobStatus, missingQuantity } from './operation-rules.ts'
import { before, orderAfter, stateOf } from './siblings.ts'
import { insertReport, isNewest, isReversed, type LockedJob, lockJob, type Report, reportById, siblingsOf } from './store.ts'

export interface Starting {
  readonly employeeIds?: readonly string[] | undefined
  readonly activity?: 'setup' | 'run' | undefined
}

/** The acts on a job. Each locks order and job first, and each is one state change, one journal entry and its feedback. */
export function jobActs(needs: Needs) {
  const { authz, timekeeping, inventory, outbox } = needs
  const { note, takeBack, book, unflush, move } = bookings(needs)

  /** The locked job, if it lies within the caller's groups and its state allows the act. */
  async function lock(tx: TxCtx, jobId: string, act: JobAct): Promise<LockedJob> {
    const job = await lockJob(tx, jobId, authz.visible(tx, 'j.id'))
    if (!job) throw noSuchJob()
    checkAct(act, stateOf(job))
    return job
  }

  /** Who is meant: those named, else the signed-in person. For others than oneself it takes the right of a team lead. */
  async function people(tx: TxCtx, given: readonly string[] | undefined): Promise<readonly string[] | undefined> {
    const mine = await timekeeping.employeeOfUser(tx)
    const meant = given ? [...new Set(given)].sort() : mine === null ? undefined : [mine]
    if (meant?.some(id => id !== mine)) authz.require(tx, 'hours.book')
    if (meant === undefined && !tx.grant.permissions.has('hours.book')) throw nobody('')
    return meant
  }

  /** Starts the clock of one or more persons on a job; who is on it already goes on undisturbed. */
  async function start(tx: TxCtx, jobId: string, starting: Starting, act: 'start' | 'resume' = 'start'): Promise<void> {
    const job = await lock(tx, jobId, act)
    const employeeIds = await people(tx, starting.employeeIds)
    if (!employeeIds) throw nobody(' You may also say in `employeeIds` for whom it is.')
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
    const named = await people(tx, given.employeeIds)
    const closed = await timekeeping.closeIntervals(tx, {
      jobIds: [job.id],
      ...(named ? { employeeIds: named } : {}),
      at,
      reason: 'paused'
    })
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
    return book(tx, job, await basisOf(tx, job), { added, amounts, status, shortfall: 'none', kind: 'report', goodBefore: job.good })
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
    const basis = await basisOf(tx, job)
    const missing = missingQuantity({
      planned: job.planned_quantity,
      good: quantity.add(job.good, added.good),
      scrap: quantity.add(job.scrap, added.scrap),
      ...incomingOf(before(job, basis.siblings))
    })
    const { status, shortfall } = completionOf(stateOf(job), missing, job.unit, amounts.shortfall)
    await timekeeping.closeIntervals(tx, { jobIds: [job.id], at: tx.clock.iso(), reason: status })
    return book(tx, job, basis, { added, amounts, status, shortfall, kind: 'report', goodBefore: job.good })
  }

  /** Takes a completed job back to paused, with a reason. */
  async function reopen(tx: TxCtx, jobId: string, reason: string): Promise<void> {
    const job = await lock(tx, jobId, 'reopen')
    await reopenLocked(tx, job, reason, tx.clock.iso())
    await note(tx, 'job.reopen', job, {})
  }

  async function reopenLocked(tx: TxCtx, job: LockedJob, reason: string, at: string): Promise<void> {
    const siblings = await siblingsOf(tx, job)
    const key = await tellOperation(tx, outbox, job, 'paused', at)
    insertReport(tx, { ...blank(tx, job, at), ...nothing, kind: 'reopening', reason, outbox_key: key })
    await move(tx, job, { status: 'paused', orderStatus: orderAfter(job, siblings, 'paused'), at, tell: false })
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
    const basis = await basisOf(tx, job)
    const reversalId = await takeBack(tx, job, original, amounts.reason, at)
    const added = amountsOf(amounts)
    const after = reduced(job, original)
    const replacementId = isNothing(added)
      ? null
      : await book(tx, after, basis, {
          added,
          amounts,
          status: job.status,
          shortfall: original.shortfall,
          kind: 'replacement',
          goodBefore: job.good,
          replaces: original.id
        })
    if (replacementId === null) await unflush(tx, after, basis)
    await note(tx, 'job.correct', job, { reportId: original.id, reversalId, replacementId })
    return { reversalId, replacementId }
  }

  /**
   * Takes back one's own report of a moment ago: no reason is asked, the ERP gets the reversal. A job that this report completed is
   * paused again; stopped clocks stay stopped. @returns the id of the reversal
   */
  async function undo(tx: TxCtx, reportId: string): Promise<string> {
    const original = await reportById(tx, reportId)
    const job = original && (await lockJob(tx, original.job_id, authz.visible(tx, 'j.id')))
    if (!job) throw noSuchReport()
    checkAct('correct', stateOf(job))
    const age = tx.clock.now().getTime() - Date.parse(original.at)
    const mine = original.reported_by === `${tx.principal.kind}:${tx.principal.id}`
    if (!mine || original.kind !== 'report' || age > undoSeconds * 1_000) {
      throw refuse('undo_over', `Only one's own report can be undone, and within ${undoSeconds} seconds. Correct it, with a reason.`)
    }
    if (await isReversed(tx, original.id)) throw refuse('report_reversed', 'This report was taken back or corrected before.')
    const at = tx.clock.iso()
    const completing = job.status === 'completed' && (await isNewest(tx, original))
    const reversalId = await takeBack(tx, job, original, 'undone', at)
    if (completing) await reopenLocked(tx, job, 'undone', at)
    await note(tx, 'job.undo', job, { reportId: original.id, reversalId })
    return reversalId
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
  return { start, pause, resume, report, complete, reopen, correct, undo, consume, giveBack }
}

/** How long a report can be undone without a reason: the screen offers it for 10 s; a slow network gets the rest. */
export const undoSeconds = 60

export type JobActs = ReturnType<typeof jobActs>

const nobody = (instead: string) =>
  refuse(
    'employee_missing',
    `Your user is not linked to an employee, so there is nobody whose clock this is: somebody who manages users can link one.${instead}`
  )
const noSuchJob = () => refuseCore('not_found', 'There is no such job within your groups.')
const noSuchReport = () => refuseCore('not_found', 'There is no such report within your groups.')

const use = (job: LockedJob) => ({ orderNumber: job.order_number, operationNumber: job.number, connectionId: job.connection_id })

const reduced = (job: LockedJob, original: Report): LockedJob => ({
  ...job,
  good: quantity.subtract(job.good, original.good),
  scrap: quantity.subtract(job.scrap, original.scrap),
  rework: quantity.subtract(job.rework, original.rework)
})
