import { type Ctx, type Journal, newId, type Outbox, type TxCtx } from '../../core/index.ts'
import { lockActive } from './employees.ts'
import { refuse } from './errors.ts'
import { shareEqually, wholeSeconds } from './sharing-rules.ts'
import {
  type Booking,
  endIntervals,
  type Interval,
  insertBookings,
  insertIntervals,
  lockEmployees,
  openIntervals,
  runningOf,
  touching
} from './store.ts'

export interface Services {
  readonly journal: Journal
  readonly outbox: Outbox
}

export interface OpenInterval {
  readonly employeeIds: readonly string[]
  readonly jobId: string
  readonly orderNumber: string
  readonly operationNumber: string
  readonly activity: 'setup' | 'run'
  readonly connectionId: string | null
  readonly at: string
}

/** Starts time of persons on a job. Who is on it already goes on undisturbed: a double tap is harmless. */
export async function openInterval(tx: TxCtx, start: OpenInterval): Promise<void> {
  await lockActive(tx, start.employeeIds)
  await insertIntervals(
    tx,
    start.employeeIds.map(employeeId => ({
      id: newId(),
      employeeId,
      jobId: start.jobId,
      orderNumber: start.orderNumber,
      operationNumber: start.operationNumber,
      connectionId: start.connectionId,
      activity: start.activity,
      activityCode: null,
      at: start.at
    }))
  )
}

/** Starts an indirect activity of one person, such as cleaning; one at a time. */
export async function startIndirect(
  tx: TxCtx,
  { journal }: Services,
  start: { employeeId: string; activityCode: string }
): Promise<string> {
  await lockActive(tx, [start.employeeId])
  const id = newId()
  const opened = await insertIntervals(tx, [
    {
      id,
      employeeId: start.employeeId,
      jobId: null,
      orderNumber: null,
      operationNumber: null,
      connectionId: null,
      activity: 'indirect',
      activityCode: start.activityCode,
      at: tx.clock.iso()
    }
  ])
  if (opened.length === 0) throw refuse('indirect_running', 'This employee has an indirect activity running. Stop it first.')
  await journal.append(tx, {
    act: 'hours.indirect.start',
    subject: 'timekeeping.interval',
    subjectId: id,
    data: { activityCode: start.activityCode }
  })
  return id
}

export async function stopIndirect(tx: TxCtx, services: Services, employeeId: string): Promise<string[]> {
  await lockEmployees(tx, [employeeId])
  const running = (await runningOf(tx, [employeeId])).filter(interval => interval.job_id === null)
  if (running.length === 0) throw refuse('indirect_not_running', 'No indirect activity of this employee is running.')
  return finish(tx, services, running, { at: tx.clock.iso(), reason: 'stopped', flagged: false })
}

/**
 * Ends the running time on jobs, of everybody or of those named, and books each one's share. Several jobs that end together are
 * named together: the persons of all of them are locked at once, in one order.
 */
export async function closeIntervals(
  tx: TxCtx,
  services: Services,
  stop: { jobIds: readonly string[]; employeeIds?: readonly string[]; at: string; reason: string; flagged?: boolean }
): Promise<{ employeeIds: string[] }> {
  const here = await openIntervals(tx, stop.jobIds)
  const wanted = stop.employeeIds ? new Set(stop.employeeIds) : undefined
  const persons = [...new Set(here.map(interval => interval.employee_id))].filter(id => !wanted || wanted.has(id)).sort()
  await lockEmployees(tx, persons)
  // Read again behind the locks: another act on the same person may have ended one meanwhile.
  const still = (await openIntervals(tx, stop.jobIds)).filter(interval => persons.includes(interval.employee_id))
  await finish(tx, services, still, { at: stop.at, reason: stop.reason, flagged: stop.flagged ?? false })
  return { employeeIds: [...new Set(still.map(interval => interval.employee_id))] }
}

async function finish(
  tx: TxCtx,
  { journal, outbox }: Services,
  ended: readonly Interval[],
  stop: { at: string; reason: string; flagged: boolean }
): Promise<string[]> {
  const first = ended[0]
  if (!first) return []
  const since = ended.reduce((min, interval) => (interval.started_at < min ? interval.started_at : min), first.started_at)
  const all = await touching(tx, [...new Set(ended.map(interval => interval.employee_id))], since)
  const ids = new Set(ended.map(interval => interval.id))
  await endIntervals(tx, [...ids], stop.at, stop.reason, stop.flagged)
  const bookings: Omit<Booking, 'seq' | 'day'>[] = []
  for (const interval of ended) {
    const mine = all.filter(other => other.employee_id === interval.employee_id)
    const end = Math.max(wholeSeconds(stop.at), wholeSeconds(interval.started_at))
    const spans = mine.map(other => ({
      id: other.id,
      start: wholeSeconds(other.started_at),
      end: ids.has(other.id) ? end : other.ended_at === null ? null : wholeSeconds(other.ended_at)
    }))
    bookings.push(await book(tx, outbox, interval, shareEqually(spans, end).get(interval.id) ?? 0, null, null))
  }
  await insertBookings(tx, bookings)
  await journal.append(tx, {
    act: 'hours.book',
    subject: 'timekeeping.interval',
    subjectId: first.id,
    data: { intervals: [...ids], seconds: bookings.map(booking => booking.seconds), reason: stop.reason }
  })
  return bookings.map(booking => booking.id)
}

/**
 * One booking row with its feedback message. Nothing is told of zero seconds. A reversal tells the same figures with the opposite
 * sign and names the message it takes back.
 */
export async function book(
  tx: TxCtx,
  outbox: Outbox,
  interval: Interval,
  seconds: number,
  reversed: { id: string; outboxKey: string | null } | null,
  reason: string | null
): Promise<Omit<Booking, 'seq' | 'day'>> {
  const tell = seconds !== 0 && (reversed === null || reversed.outboxKey !== null)
  const outboxKey = tell
    ? await outbox.enqueue(tx, {
        kind: 'labour',
        record: {
          ...(interval.order_number === null ? {} : { workOrder: interval.order_number }),
          ...(interval.operation_number === null ? {} : { operation: interval.operation_number }),
          ...(interval.activity_code === null ? {} : { activityCode: interval.activity_code }),
          ...(reversed?.outboxKey ? { reverses: reversed.outboxKey } : {}),
          employee: interval.employee_id,
          startedAt: instant(interval.started_at),
          seconds,
          activity: interval.activity
        },
        orderingKey: interval.order_number ?? `employee:${interval.employee_id}`,
        ...(interval.connection_id === null ? {} : { connectionId: interval.connection_id }),
        ...(reversed?.outboxKey ? { reverses: reversed.outboxKey } : {})
      })
    : null
  return {
    id: newId(),
    interval_id: interval.id,
    employee_id: interval.employee_id,
    job_id: interval.job_id,
    order_number: interval.order_number,
    operation_number: interval.operation_number,
    connection_id: interval.connection_id,
    activity: interval.activity,
    activity_code: interval.activity_code,
    started_at: interval.started_at,
    seconds,
    reverses: reversed?.id ?? null,
    reason,
    outbox_key: outboxKey
  }
}

const instant = (text: string): string => new Date(text).toISOString()

/** What runs on these jobs now, and since when. */
export async function running(
  ctx: Ctx | TxCtx,
  jobIds: readonly string[]
): Promise<{ jobId: string; employeeId: string; since: string }[]> {
  return (await openIntervals(ctx, jobIds)).flatMap(interval =>
    interval.job_id === null ? [] : [{ jobId: interval.job_id, employeeId: interval.employee_id, since: interval.started_at }]
  )
}

/** Time of one person that runs now, with the seconds as they would be booked this moment. */
export async function runningShares(ctx: Ctx, employeeId: string): Promise<{ interval: Interval; seconds: number }[]> {
  const open = await runningOf(ctx, [employeeId])
  const first = open[0]
  if (!first) return []
  const now = wholeSeconds(ctx.clock.iso())
  const spans = (await touching(ctx, [employeeId], first.started_at)).map(other => ({
    id: other.id,
    start: wholeSeconds(other.started_at),
    end: other.ended_at === null ? null : wholeSeconds(other.ended_at)
  }))
  const shares = shareEqually(spans, now)
  return open.map(interval => ({ interval, seconds: shares.get(interval.id) ?? 0 }))
}
