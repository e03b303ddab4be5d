import { newId, quantity, type TxCtx } from '../../core/index.ts'
import type { Basis } from './basis.ts'
import { refuse } from './errors.ts'
import { tellOperation, tellOrder } from './feedback.ts'
import { backflush } from './materials.ts'
import type { Needs } from './neighbours.ts'
import { checkOverReport, type JobStatus, type OrderStatus, type Shortfall } from './operation-rules.ts'
import { isLast, orderAfter, stateOf } from './siblings.ts'
import { insertReport, isActiveReason, type LockedJob, type Report, saveJob } from './store.ts'

/** Good, scrap, rework and their reasons of one submit; amounts as decimal text. */
export interface Amounts {
  readonly good?: string | undefined
  readonly scrap?: string | undefined
  readonly rework?: string | undefined
  readonly scrapReason?: string | undefined
  readonly reason?: string | undefined
  readonly employeeId?: string | undefined
}

export interface Sums {
  readonly good: string
  readonly scrap: string
  readonly rework: string
}

export const nothing: Sums = { good: quantity.zero, scrap: quantity.zero, rework: quantity.zero }
export const amountsOf = (amounts: Amounts): Sums => ({
  good: amounts.good ?? quantity.zero,
  scrap: amounts.scrap ?? quantity.zero,
  rework: amounts.rework ?? quantity.zero
})
export const isNothing = (added: Sums): boolean =>
  quantity.isZero(added.good) && quantity.isZero(added.scrap) && quantity.isZero(added.rework)

export interface Booking {
  readonly added: Sums
  readonly amounts: Amounts
  readonly status: JobStatus
  readonly shortfall: Shortfall
  readonly kind: 'report' | 'replacement'
  readonly replaces?: string
  /** good pieces before the act; of a correction, before the old row was taken back */
  readonly goodBefore: string
}

/** The columns that every report row has in common. */
export const blank = (tx: TxCtx, job: LockedJob, at: string) => ({
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

/** What every act that changes quantities or states of a job is made of. */
export function bookings({ authz, timekeeping, inventory, outbox, journal }: Needs) {
  const note = (tx: TxCtx, act: string, job: LockedJob, data: Record<string, string | readonly string[] | null>): Promise<void> =>
    journal.append(tx, { act, subject: 'workorders.job', subjectId: job.id, data: { orderId: job.order_id, ...data } })

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
    insertReport(tx, row)
    saveJob(tx, { id: job.id, orderId: job.order_id, status: job.status, orderStatus: job.order_status, ...negated, at })
    return row.id
  }

  /** One report row with everything that follows from it. */
  async function book(tx: TxCtx, job: LockedJob, basis: Basis, booking: Booking): Promise<string> {
    const { added, amounts, status, shortfall, kind } = booking
    const { siblings, setting } = basis
    const at = tx.clock.iso()
    checkOverReport(
      stateOf(job),
      { overReport: setting.over_report, overPercent: setting.over_percent },
      {
        planned: job.planned_quantity,
        goodBefore: booking.goodBefore,
        goodAfter: quantity.add(job.good, added.good),
        unit: job.unit,
        reason: amounts.reason
      }
    )
    await checkEmployee(tx, amounts.employeeId)
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
    insertReport(tx, row)
    await move(tx, job, { status, orderStatus: orderAfter(job, siblings, status), at, tell: false, added })
    const done = { good: quantity.add(job.good, added.good), scrap: quantity.add(job.scrap, added.scrap) }
    const completed = status === 'completed'
    await backflush(tx, inventory, { job, last, ...basis, completed, corrects: kind === 'replacement', ...done })
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
      readonly added?: Sums
    }
  ): Promise<void> {
    saveJob(tx, {
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

  /** Oneself, or somebody else with the right of a team lead. */
  async function checkEmployee(tx: TxCtx, id: string | undefined): Promise<void> {
    if (id === undefined) return
    if (id !== (await timekeeping.employeeOfUser(tx))) authz.require(tx, 'hours.book')
    if ((await timekeeping.employeesExist(tx, [id])).has(id)) return
    throw refuse('employee_unknown', 'There is no such employee.', { errors: [{ pointer: '/employeeId', detail: 'is not known' }] })
  }

  async function reasonOf(tx: TxCtx, scrap: string, given: string | undefined): Promise<string | null> {
    if (quantity.isZero(scrap)) return null
    if (given === undefined)
      throw refuse('scrap_reason_missing', 'Scrap needs a reason: send `scrapReason` with one of the codes in the list.')
    if (!(await isActiveReason(tx, given))) throw refuse('scrap_reason_unknown', `"${given}" is no scrap reason in use.`)
    return given
  }

  /** Brings back what was consumed by itself for a report that was taken back and has none in its place. */
  async function unflush(tx: TxCtx, job: LockedJob, basis: Basis): Promise<void> {
    const { good, scrap } = job
    const completed = job.status === 'completed'
    await backflush(tx, inventory, { job, last: isLast(job, basis.siblings), ...basis, completed, corrects: true, good, scrap })
  }

  return { note, takeBack, book, unflush, move }
}
