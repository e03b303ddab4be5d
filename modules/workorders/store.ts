import { type Expression, type SqlBool, sql } from 'kysely'
import { any, type Ctx, type TxCtx, view } from '../../core/index.ts'
import type { JobStatus, OrderStatus } from './operation-rules.ts'
import type { MaterialRow, OrderChangeRow, ReportRow, SettingRow, WorkordersTables } from './tables.ts'

export const own = view<WorkordersTables>()

/** authz's predicate on a job id column; a row it does not cover is as good as absent. */
export type Visible = Expression<SqlBool>

/** A job with what an act needs of its order, both rows locked. */
export interface LockedJob {
  readonly id: string
  readonly order_id: string
  readonly number: string
  readonly sequence: number
  readonly status: JobStatus
  readonly planned_quantity: string
  readonly good: string
  readonly scrap: string
  readonly rework: string
  readonly order_number: string
  readonly order_status: OrderStatus
  readonly connection_id: string | null
  readonly article: string | null
  readonly unit: string
}

/**
 * Locks the order and then the job, in this order everywhere, so that acts on one order wait for each other and never deadlock with
 * an import. Undefined: there is no such job within the caller's groups.
 */
export async function lockJob(tx: TxCtx, jobId: string, visible: Visible): Promise<LockedJob | undefined> {
  const { rows } = await sql<LockedJob>`
    select j.id, j.order_id, j.number, j.sequence, j.status, j.planned_quantity, j.good, j.scrap, j.rework,
           o.number as order_number, o.status as order_status, o.connection_id, o.article, o.unit
      from workorders.job j join workorders.work_order o on o.id = j.order_id
     where j.id = ${jobId} and ${visible}
       for no key update of o, j`.execute(own(tx))
  return rows[0]
}

/** Other jobs of the order, read after its lock was taken. */
export interface Sibling {
  readonly number: string
  readonly sequence: number
  readonly status: JobStatus
  readonly good: string
}

export const siblingsOf = (tx: TxCtx, job: { order_id: string; id: string }): Promise<Sibling[]> =>
  own(tx)
    .selectFrom('workorders.job')
    .select(['number', 'sequence', 'status', 'good'])
    .where('order_id', '=', job.order_id)
    .where('id', '!=', job.id)
    .execute()

/** Writes a job's new state and sums, and the order's state, in one statement. */
export function saveJob(
  tx: TxCtx,
  job: {
    readonly id: string
    readonly orderId: string
    readonly status: JobStatus
    readonly orderStatus: OrderStatus
    readonly good: string
    readonly scrap: string
    readonly rework: string
    readonly at: string
  }
): void {
  const saved = sql`
    with changed as (
      update workorders.job
         set status = ${job.status}, good = good + ${job.good}::numeric, scrap = scrap + ${job.scrap}::numeric,
             rework = rework + ${job.rework}::numeric, version = version + 1, changed_at = ${job.at}::timestamptz,
             started_at = coalesce(started_at, ${job.at}::timestamptz),
             finished_at = case when ${job.status} = 'completed' then coalesce(finished_at, ${job.at}::timestamptz) end
       where id = ${job.id})
    update workorders.work_order
       set status = ${job.orderStatus}, version = version + 1, changed_at = ${job.at}::timestamptz,
           started_at = coalesce(started_at, ${job.at}::timestamptz),
           finished_at = case when ${job.orderStatus} = 'completed' then coalesce(finished_at, ${job.at}::timestamptz) end
     where id = ${job.orderId} and status <> ${job.orderStatus}`
  tx.tx.later(saved.compile(own(tx)))
}

// ---- reports -----------------------------------------------------------------------------------------------------------------

export const reportColumns = [
  'id',
  'seq',
  'job_id',
  'kind',
  'good',
  'scrap',
  'rework',
  'scrap_reason',
  'shortfall',
  'reverses',
  'replaces',
  'reason',
  'reported_by',
  'employee_id',
  'outbox_key',
  'receipt_key',
  'at'
] as const satisfies readonly (keyof ReportRow)[]
export type Report = Pick<ReportRow, Exclude<(typeof reportColumns)[number], 'seq'>> & { readonly seq: string }

export function insertReport(tx: TxCtx, row: Omit<Report, 'seq'>): void {
  tx.tx.later(own(tx).insertInto('workorders.report').values(row).compile())
}

/** The job of a report, without locking anything yet; the job's lock comes first. */
export const reportById = (c: Ctx | TxCtx, id: string): Promise<Report | undefined> =>
  own(c).selectFrom('workorders.report').select(reportColumns).where('id', '=', id).executeTakeFirst()

export const isReversed = async (tx: TxCtx, id: string): Promise<boolean> =>
  (await own(tx).selectFrom('workorders.report').select('id').where('reverses', '=', id).executeTakeFirst()) !== undefined

/** Whether nothing was reported on the job after this row. */
export const isNewest = async (tx: TxCtx, report: Pick<Report, 'job_id' | 'seq'>): Promise<boolean> =>
  (await own(tx)
    .selectFrom('workorders.report')
    .select('id')
    .where('job_id', '=', report.job_id)
    .where('seq', '>', report.seq)
    .limit(1)
    .executeTakeFirst()) === undefined

export const reportsOfJobs = (ctx: Ctx, jobIds: readonly string[]): Promise<Report[]> =>
  own(ctx)
    .selectFrom('workorders.report')
    .select(reportColumns)
    .where('job_id', '=', any(jobIds))
    .orderBy('seq', 'desc')
    .limit(500)
    .execute()

// ---- scrap reasons, settings -------------------------------------------------------------------------------------------------

export interface ScrapReason {
  readonly code: string
  readonly name: string
  readonly active: boolean
}

export const scrapReasons = (c: Ctx | TxCtx): Promise<ScrapReason[]> =>
  own(c).selectFrom('workorders.scrap_reason').select(['code', 'name', 'active']).orderBy('code').limit(500).execute()

export const isActiveReason = async (c: Ctx | TxCtx, code: string): Promise<boolean> =>
  (await own(c)
    .selectFrom('workorders.scrap_reason')
    .select('code')
    .where('code', '=', code)
    .where('active', '=', true)
    .executeTakeFirst()) !== undefined

export async function saveScrapReason(tx: TxCtx, reason: { code: string; name: string; active: boolean }): Promise<void> {
  await own(tx)
    .insertInto('workorders.scrap_reason')
    .values(reason)
    .onConflict(c => c.column('code').doUpdateSet({ name: reason.name, active: reason.active, changed_at: tx.clock.iso() }))
    .execute()
}

export const settingColumns = [
  'version',
  'over_report',
  'over_percent',
  'change_guard',
  'product_receipt',
  'receipt_location',
  'backflush'
] as const satisfies readonly (keyof SettingRow)[]
export type Setting = Pick<SettingRow, Exclude<(typeof settingColumns)[number], 'version'>> & { readonly version: number }

export const getSetting = (c: Ctx | TxCtx): Promise<Setting> =>
  own(c).selectFrom('workorders.setting').select(settingColumns).executeTakeFirstOrThrow()

/** @returns whether the row still had that version */
export async function saveSetting(tx: TxCtx, version: number, next: Omit<Setting, 'version'>): Promise<boolean> {
  const result = await own(tx)
    .updateTable('workorders.setting')
    .set({ ...next, change_guard: sql`${JSON.stringify(next.change_guard)}::jsonb`, version: version + 1, changed_at: tx.clock.iso() })
    .where('version', '=', version)
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

// ---- order changes -----------------------------------------------------------------------------------------------------------

export const changeColumns = [
  'id',
  'seq',
  'order_id',
  'field',
  'before',
  'after',
  'policy',
  'state',
  'floor_version',
  'decided_by',
  'decided_at',
  'at'
] as const satisfies readonly (keyof OrderChangeRow)[]
export type OrderChange = Pick<OrderChangeRow, Exclude<(typeof changeColumns)[number], 'seq'>> & { readonly seq: string }

export const changesOfOrder = (ctx: Ctx, orderId: string): Promise<OrderChange[]> =>
  own(ctx)
    .selectFrom('workorders.order_change')
    .select(changeColumns)
    .where('order_id', '=', orderId)
    .orderBy('seq', 'desc')
    .limit(200)
    .execute()

export const lockChange = (tx: TxCtx, orderId: string, id: string): Promise<OrderChange | undefined> =>
  own(tx)
    .selectFrom('workorders.order_change')
    .select(changeColumns)
    .where('id', '=', id)
    .where('order_id', '=', orderId)
    .forUpdate()
    .executeTakeFirst()

export async function decideChange(tx: TxCtx, id: string, state: 'accepted' | 'refused', by: string): Promise<void> {
  const at = tx.clock.iso()
  await own(tx)
    .updateTable('workorders.order_change')
    .set({ state, decided_by: by, decided_at: at, changed_at: at })
    .where('id', '=', id)
    .execute()
}

export const materialColumns = [
  'order_id',
  'line',
  'operation_number',
  'article',
  'quantity',
  'unit',
  'location'
] as const satisfies readonly (keyof MaterialRow)[]
export type Material = Pick<MaterialRow, (typeof materialColumns)[number]>

export const materialsOf = (c: Ctx | TxCtx, orderIds: readonly string[]): Promise<Material[]> =>
  own(c).selectFrom('workorders.material').select(materialColumns).where('order_id', '=', any(orderIds)).orderBy('line').execute()
