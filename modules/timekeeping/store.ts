import { type Expression, type SqlBool, sql } from 'kysely'
import { any, type Ctx, type TxCtx } from '../../core/index.ts'
import { type BookingRow, bookingColumns, type EmployeeRow, employeeColumns, type IntervalRow, intervalColumns, own } from './tables.ts'

export type Interval = Pick<IntervalRow, Exclude<(typeof intervalColumns)[number], 'flagged'>> & { flagged: boolean }
export type Booking = Omit<Pick<BookingRow, (typeof bookingColumns)[number]>, 'seq'> & { seq: string }
export type Sealed = Pick<EmployeeRow, (typeof employeeColumns)[number]>

/** All employees, sealed; at most some thousands per tenant, so lists are read whole and sorted in memory. */
export const listEmployees = (ctx: Ctx | TxCtx): Promise<Sealed[]> =>
  own(ctx).selectFrom('timekeeping.employee').select(employeeColumns).execute()

export const employeesById = (ctx: Ctx | TxCtx, ids: readonly string[]): Promise<Sealed[]> =>
  own(ctx).selectFrom('timekeeping.employee').select(employeeColumns).where('id', '=', any(ids)).execute()

/** Locks the persons whose time changes, in one order, so that two acts on one person follow each other. */
export const lockEmployees = (tx: TxCtx, ids: readonly string[]): Promise<{ id: string; active: boolean }[]> =>
  own(tx).selectFrom('timekeeping.employee').select(['id', 'active']).where('id', '=', any(ids)).orderBy('id').forUpdate().execute()

export const openIntervals = (ctx: Ctx | TxCtx, jobIds: readonly string[]): Promise<Interval[]> =>
  own(ctx)
    .selectFrom('timekeeping.interval')
    .select(intervalColumns)
    .where('job_id', '=', any(jobIds))
    .where('ended_at', 'is', null)
    .orderBy('started_at')
    .execute()

export const runningOf = (ctx: Ctx | TxCtx, employeeIds: readonly string[]): Promise<Interval[]> =>
  own(ctx)
    .selectFrom('timekeeping.interval')
    .select(intervalColumns)
    .where('employee_id', '=', any(employeeIds))
    .where('ended_at', 'is', null)
    .orderBy('started_at')
    .execute()

/** Everything of these persons that touches the time from `since` on: what shares time with an interval that began then. */
export const touching = (ctx: Ctx | TxCtx, employeeIds: readonly string[], since: string): Promise<Interval[]> =>
  own(ctx)
    .selectFrom('timekeeping.interval')
    .select(intervalColumns)
    .where('employee_id', '=', any(employeeIds))
    .where(eb => eb.or([eb('ended_at', 'is', null), eb('ended_at', '>=', since)]))
    .orderBy('started_at')
    .execute()

/** Opens one interval per person unless the same one already runs. @returns persons for whom one was opened */
export async function insertIntervals(
  tx: TxCtx,
  rows: readonly {
    id: string
    employeeId: string
    jobId: string | null
    orderNumber: string | null
    operationNumber: string | null
    connectionId: string | null
    activity: 'setup' | 'run' | 'indirect'
    activityCode: string | null
    at: string
  }[]
): Promise<string[]> {
  const first = rows[0]
  if (!first) return []
  const result = await sql<{ employee_id: string }>`
    insert into timekeeping.interval (id, employee_id, job_id, order_number, operation_number, connection_id, activity, activity_code, started_at)
    select i, e, ${first.jobId}::uuid, ${first.orderNumber}::text, ${first.operationNumber}::text, ${first.connectionId}::uuid,
      ${first.activity}::text, ${first.activityCode}::text, ${first.at}::timestamptz
    from unnest(${rows.map(row => row.id)}::uuid[], ${rows.map(row => row.employeeId)}::uuid[]) as n (i, e)
    on conflict do nothing
    returning employee_id`.execute(own(tx))
  return result.rows.map(row => row.employee_id)
}

export async function endIntervals(tx: TxCtx, ids: readonly string[], at: string, reason: string, flagged: boolean): Promise<void> {
  await own(tx)
    .updateTable('timekeeping.interval')
    .set({ ended_at: sql`greatest(started_at, ${at}::timestamptz)`, end_reason: reason, flagged, changed_at: tx.clock.iso() })
    .where('id', '=', any(ids))
    .execute()
}

/** Books; the day is the calendar day of the start in the tenant's zone, taken by the database. */
export async function insertBookings(tx: TxCtx, rows: readonly Omit<Booking, 'seq' | 'day'>[]): Promise<void> {
  if (rows.length === 0) return
  await sql`
    insert into timekeeping.booking (id, interval_id, employee_id, job_id, order_number, operation_number, connection_id, activity,
      activity_code, started_at, seconds, day, reverses, reason, outbox_key)
    select b.id, b.interval_id, b.employee_id, b.job_id, b.order_number, b.operation_number, b.connection_id, b.activity,
      b.activity_code, b.started_at, b.seconds, (b.started_at at time zone ${tx.tenant.zone})::date, b.reverses, b.reason, b.outbox_key
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as b (id uuid, interval_id uuid, employee_id uuid, job_id uuid,
      order_number text, operation_number text, connection_id uuid, activity text, activity_code text, started_at timestamptz,
      seconds integer, reverses uuid, reason text, outbox_key text)`.execute(own(tx))
}

/** authz's predicate on `booking.job_id`. Indirect time lies on no job: nobody's groups are asked for it. */
export type Visible = Expression<SqlBool>
/** One's own hours are one's own, whatever one's groups are by now. */
export const ofAnyJob: Visible = sql`true`

/** Undefined also where the booking lies on a job outside the caller's groups. */
export const lockBooking = (tx: TxCtx, id: string, visible: Visible): Promise<Booking | undefined> =>
  own(tx)
    .selectFrom('timekeeping.booking')
    .select(bookingColumns)
    .where('id', '=', id)
    .where(sql<boolean>`(booking.job_id is null or ${visible})`)
    .forUpdate()
    .executeTakeFirst()

export const intervalById = (ctx: Ctx | TxCtx, id: string): Promise<Interval | undefined> =>
  own(ctx).selectFrom('timekeeping.interval').select(intervalColumns).where('id', '=', id).executeTakeFirst()

/** When the clock stopped, by interval: beside the booked share it shows what was shared. */
export async function intervalEnds(ctx: Ctx, ids: readonly string[]): Promise<ReadonlyMap<string, string | null>> {
  const rows = await own(ctx).selectFrom('timekeeping.interval').select(['id', 'ended_at']).where('id', '=', any(ids)).execute()
  return new Map(rows.map(row => [row.id, row.ended_at]))
}

export const reversalOf = (ctx: Ctx | TxCtx, id: string): Promise<{ id: string } | undefined> =>
  own(ctx).selectFrom('timekeeping.booking').select('id').where('reverses', '=', id).executeTakeFirst()

export const bookingsById = (ctx: Ctx | TxCtx, ids: readonly string[]): Promise<Booking[]> =>
  own(ctx).selectFrom('timekeeping.booking').select(bookingColumns).where('id', '=', any(ids)).orderBy('seq').execute()

/** Bookings of a day, page by page in booking order, within the caller's groups; without an employee: of everybody. */
export async function listBookings(
  ctx: Ctx,
  filter: { day: string; employeeId: string | null; after: string; limit: number },
  visible: Visible
): Promise<Booking[]> {
  const result = await sql<Booking>`
    select ${sql.join(bookingColumns.map(column => sql.ref(column)))} from timekeeping.booking
    where day = ${filter.day}::date and (${filter.employeeId}::uuid is null or employee_id = ${filter.employeeId}::uuid)
      and seq > ${filter.after}::bigint and (booking.job_id is null or ${visible})
    order by seq limit ${filter.limit}`.execute(own(ctx))
  return result.rows
}

export const listActivities = (ctx: Ctx | TxCtx) =>
  own(ctx).selectFrom('timekeeping.activity_code').select(['code', 'name', 'kind', 'active']).orderBy('code').execute()

export async function insertActivity(tx: TxCtx, row: { code: string; name: string; kind: 'indirect' | 'absence' }): Promise<boolean> {
  const made = await own(tx)
    .insertInto('timekeeping.activity_code')
    .values(row)
    .onConflict(c => c.column('code').doNothing())
    .returning('code')
    .executeTakeFirst()
  return made !== undefined
}

export interface EmployeeUpsert {
  readonly id: string
  readonly key_blind: string
  readonly number_blind: string | null
  readonly active: boolean
  readonly number_sealed: string | null
  readonly name_sealed: string | null
}

/**
 * Employees we know by the ERP's key or by number (hex of the blind index): ids must be known before sealing, they are bound in.
 * Locked in the order of their ids, as everywhere.
 */
export const knownEmployees = (tx: TxCtx, keyBlinds: readonly Buffer[], numberBlinds: readonly Buffer[]) =>
  own(tx)
    .selectFrom('timekeeping.employee')
    .select(['id', 'key_blind', 'number_blind'])
    .where(eb => eb.or([eb('key_blind', '=', any(keyBlinds)), eb('number_blind', '=', any(numberBlinds))]))
    .orderBy('id')
    .forUpdate()
    .execute()

export async function upsertEmployees(tx: TxCtx, connectionId: string, rows: readonly EmployeeUpsert[]): Promise<void> {
  await sql`
    insert into timekeeping.employee (id, connection_id, key_blind, number_blind, number_sealed, name_sealed, active)
    select e.id, ${connectionId}::uuid, decode(e.key_blind, 'hex'), decode(e.number_blind, 'hex'), decode(e.number_sealed, 'hex'),
      decode(e.name_sealed, 'hex'), e.active
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as e (id uuid, key_blind text, number_blind text, number_sealed text, name_sealed text, active boolean)
    on conflict (id) do update set connection_id = excluded.connection_id, key_blind = excluded.key_blind,
      number_blind = excluded.number_blind, number_sealed = excluded.number_sealed, name_sealed = excluded.name_sealed,
      active = excluded.active, changed_at = ${tx.clock.iso()}::timestamptz`.execute(own(tx))
}

export async function deactivate(tx: TxCtx, keyBlinds: readonly Buffer[]): Promise<{ id: string; number_blind: Buffer | null }[]> {
  return own(tx)
    .updateTable('timekeeping.employee')
    .set({ active: false, changed_at: tx.clock.iso() })
    .where('key_blind', '=', any(keyBlinds))
    .returning(['id', 'number_blind'])
    .execute()
}
