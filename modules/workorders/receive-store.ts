import { sql } from 'kysely'
import type { TxCtx } from '../../core/index.ts'
import type { JobStatus, OrderStatus } from './operation-rules.ts'
import { own } from './store.ts'

export interface StoredOrder {
  readonly id: string
  readonly number: string
  readonly connection_id: string | null
  readonly article: string | null
  readonly description: string | null
  readonly department_code: string
  readonly quantity: string
  readonly unit: string
  readonly due: string | null
  readonly priority: number
  readonly erp_status: string | null
  readonly status: OrderStatus
  readonly version: number
}

export interface StoredJob {
  readonly id: string
  readonly order_id: string
  readonly number: string
  readonly sequence: number
  readonly department_code: string
  readonly work_centre: string | null
  readonly description: string
  readonly setup_seconds: number | null
  readonly run_seconds: number | null
  readonly status: JobStatus
  readonly started_at: string | null
}

/** Locks orders by number, in the order of their ids; with them their jobs stand still, since every act locks the order first. */
export async function lockOrders(tx: TxCtx, numbers: readonly string[]): Promise<readonly StoredOrder[]> {
  const { rows } = await sql<StoredOrder>`
    select id, number, connection_id, article, description, department_code, quantity, unit, due, priority, erp_status, status, version
      from workorders.work_order where number = any(${numbers}::text[]) order by id for no key update`.execute(own(tx))
  return rows
}

export async function jobsOf(tx: TxCtx, orderIds: readonly string[]): Promise<readonly StoredJob[]> {
  if (orderIds.length === 0) return []
  const { rows } = await sql<StoredJob>`
    select id, order_id, number, sequence, department_code, work_centre, description, setup_seconds, run_seconds, status, started_at
      from workorders.job where order_id = any(${orderIds}::uuid[]) order by order_id, sequence, seq`.execute(own(tx))
  return rows
}

export type OrderSave = Omit<StoredOrder, 'version'>

/** Set-wise upsert of orders; rows that are as they were keep their version. */
export async function saveOrders(tx: TxCtx, rows: readonly OrderSave[]): Promise<void> {
  if (rows.length === 0) return
  const col = <T>(of: (row: OrderSave) => T): T[] => rows.map(of)
  await sql`
    insert into workorders.work_order as o
           (id, number, connection_id, article, description, department_code, quantity, unit, due, priority, erp_status, status)
    select * from unnest(${col(r => r.id)}::uuid[], ${col(r => r.number)}::text[], ${col(r => r.connection_id)}::uuid[], ${col(r => r.article)}::text[],
                         ${col(r => r.description)}::text[], ${col(r => r.department_code)}::text[], ${col(r => r.quantity)}::numeric[],
                         ${col(r => r.unit)}::text[], ${col(r => r.due)}::date[], ${col(r => r.priority)}::int[], ${col(r => r.erp_status)}::text[],
                         ${col(r => r.status)}::text[])
        on conflict (number) do update
           set connection_id = excluded.connection_id, article = excluded.article, description = excluded.description,
               department_code = excluded.department_code, quantity = excluded.quantity, unit = excluded.unit, due = excluded.due,
               priority = excluded.priority, erp_status = excluded.erp_status, status = excluded.status, version = o.version + 1,
               finished_at = case when excluded.status in ('completed', 'closed', 'cancelled') then coalesce(o.finished_at, ${tx.clock.iso()}::timestamptz) end,
               changed_at = now()
         where (o.connection_id, o.article, o.description, o.department_code, o.quantity, o.unit, o.due, o.priority, o.erp_status, o.status)
               is distinct from (excluded.connection_id, excluded.article, excluded.description, excluded.department_code, excluded.quantity,
                                 excluded.unit, excluded.due, excluded.priority, excluded.erp_status, excluded.status)`.execute(own(tx))
}

export type JobSave = Omit<StoredJob, 'started_at'> & {
  readonly planned_quantity: string
  readonly priority: number
  readonly due: string | null
}

function jobRows(rows: readonly JobSave[]) {
  const col = <T>(of: (row: JobSave) => T): T[] => rows.map(of)
  return sql`
    select * from unnest(${col(r => r.id)}::uuid[], ${col(r => r.order_id)}::uuid[], ${col(r => r.number)}::text[], ${col(r => r.sequence)}::int[],
                         ${col(r => r.department_code)}::text[], ${col(r => r.work_centre)}::text[], ${col(r => r.description)}::text[],
                         ${col(r => r.setup_seconds)}::int[], ${col(r => r.run_seconds)}::int[], ${col(r => r.status)}::text[],
                         ${col(r => r.planned_quantity)}::numeric[], ${col(r => r.priority)}::int[], ${col(r => r.due)}::date[])
      as w(id, order_id, number, sequence, department_code, work_centre, description, setup_seconds, run_seconds, status, planned_quantity, priority, due)`
}

/** Jobs that the order did not have; its lock keeps others from adding the same. Without a check for conflicts, which costs a fifth. */
export async function addJobs(tx: TxCtx, rows: readonly JobSave[]): Promise<void> {
  if (rows.length === 0) return
  await sql`
    insert into workorders.job
           (id, order_id, number, sequence, department_code, work_centre, description, setup_seconds, run_seconds, status, planned_quantity, priority, due)
    ${jobRows(rows)}`.execute(own(tx))
}

/** Set-wise change of jobs; what was reported on them is not touched, and those that are as they were keep their version. */
export async function saveJobs(tx: TxCtx, rows: readonly JobSave[]): Promise<void> {
  if (rows.length === 0) return
  await sql`
    update workorders.job j
       set sequence = w.sequence, department_code = w.department_code, work_centre = w.work_centre, description = w.description,
           setup_seconds = w.setup_seconds, run_seconds = w.run_seconds, status = w.status, planned_quantity = w.planned_quantity,
           priority = w.priority, due = w.due, version = j.version + 1, changed_at = now()
      from (${jobRows(rows)}) w
     where j.id = w.id
       and (j.sequence, j.department_code, j.work_centre, j.description, j.setup_seconds, j.run_seconds, j.status, j.planned_quantity, j.priority, j.due)
           is distinct from (w.sequence, w.department_code, w.work_centre, w.description, w.setup_seconds, w.run_seconds, w.status, w.planned_quantity,
                             w.priority, w.due)`.execute(own(tx))
}

export interface MaterialSave {
  readonly order_id: string
  readonly line: string
  readonly operation_number: string | null
  readonly article: string
  readonly quantity: string
  readonly unit: string
  readonly location: string | null
}

/** Makes the material lines of these orders exactly the ones given: they are what the ERP planned, what was used is in the ledger. */
export async function saveMaterials(tx: TxCtx, orderIds: readonly string[], rows: readonly MaterialSave[]): Promise<void> {
  if (orderIds.length === 0) return
  const col = <T>(of: (row: MaterialSave) => T): T[] => rows.map(of)
  await sql`
    with wanted as (
      select * from unnest(${col(r => r.order_id)}::uuid[], ${col(r => r.line)}::text[], ${col(r => r.operation_number)}::text[], ${col(r => r.article)}::text[],
                           ${col(r => r.quantity)}::numeric[], ${col(r => r.unit)}::text[], ${col(r => r.location)}::text[])
             as w(order_id, line, operation_number, article, quantity, unit, location)),
    gone as (
      delete from workorders.material m
       where m.order_id = any(${orderIds}::uuid[]) and not exists (select 1 from wanted w where w.order_id = m.order_id and w.line = m.line))
    insert into workorders.material as m (order_id, line, operation_number, article, quantity, unit, location)
    select order_id, line, operation_number, article, quantity, unit, location from wanted
        on conflict (order_id, line) do update
           set operation_number = excluded.operation_number, article = excluded.article, quantity = excluded.quantity, unit = excluded.unit,
               location = excluded.location, changed_at = now()
         where (m.operation_number, m.article, m.quantity, m.unit, m.location)
               is distinct from (excluded.operation_number, excluded.article, excluded.quantity, excluded.unit, excluded.location)`.execute(
    own(tx)
  )
}

export interface ChangeSave {
  readonly id: string
  readonly orderId: string
  readonly field: string
  readonly before: unknown
  readonly after: unknown
  readonly policy: 'accept' | 'hold' | 'refuse'
  readonly state: 'accepted' | 'held' | 'refused'
  readonly floorVersion: number
}

/** Keeps what the ERP wanted; a held wish that is repeated or renewed stays one question. */
export async function saveChanges(tx: TxCtx, rows: readonly ChangeSave[]): Promise<void> {
  if (rows.length === 0) return
  const col = <T>(of: (row: ChangeSave) => T): T[] => rows.map(of)
  await sql`
    insert into workorders.order_change as c (id, order_id, field, before, after, policy, state, floor_version, at)
    select r.*, ${tx.clock.iso()}::timestamptz
      from unnest(${col(r => r.id)}::uuid[], ${col(r => r.orderId)}::uuid[], ${col(r => r.field)}::text[], ${col(r => JSON.stringify(r.before))}::jsonb[],
                  ${col(r => JSON.stringify(r.after))}::jsonb[], ${col(r => r.policy)}::text[], ${col(r => r.state)}::text[],
                  ${col(r => r.floorVersion)}::int[]) as r(id, order_id, field, before, after, policy, state, floor_version)
     where r.state <> 'refused' or not exists (
             select 1 from workorders.order_change k
              where k.order_id = r.order_id and k.field = r.field and k.state = 'refused' and k.after = r.after)
        on conflict (order_id, field) where state = 'held' do update
           set before = excluded.before, after = excluded.after, floor_version = excluded.floor_version, at = excluded.at, changed_at = now()`.execute(
    own(tx)
  )
}

/** The ERP no longer wants what was held: those questions are closed. */
export async function withdrawChanges(tx: TxCtx, open: readonly { readonly orderId: string; readonly field: string }[]): Promise<void> {
  if (open.length === 0) return
  await sql`
    update workorders.order_change c set state = 'withdrawn', decided_at = ${tx.clock.iso()}::timestamptz, changed_at = now()
      from unnest(${open.map(o => o.orderId)}::uuid[], ${open.map(o => o.field)}::text[]) as w(order_id, field)
     where c.order_id = w.order_id and c.field = w.field and c.state = 'held'`.execute(own(tx))
}

export async function heldOf(tx: TxCtx, orderIds: readonly string[]): Promise<readonly { orderId: string; field: string }[]> {
  const { rows } = await sql<{ orderId: string; field: string }>`
    select order_id as "orderId", field from workorders.order_change where state = 'held' and order_id = any(${orderIds}::uuid[])`.execute(
    own(tx)
  )
  return rows
}

/** Numbers of the given orders that exist. */
export async function knownOrders(tx: TxCtx, numbers: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ number: string }>`
    select number from workorders.work_order where number = any(${numbers}::text[])`.execute(own(tx))
  return new Set(rows.map(row => row.number))
}
