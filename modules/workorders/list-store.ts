import { type RawBuilder, sql } from 'kysely'
import type { Ctx, TxCtx } from '../../core/index.ts'
import type { JobStatus, OrderStatus } from './operation-rules.ts'
import type { OrderPlace, OrderSort } from './order-sorts.ts'
import { own, type Visible } from './store.ts'

/** A job as the floor's list and the job's own page show it. */
export interface JobLine {
  readonly id: string
  readonly seq: string
  readonly order_id: string
  readonly number: string
  readonly sequence: number
  readonly department_code: string
  readonly work_centre: string | null
  readonly description: string
  readonly setup_seconds: number | null
  readonly run_seconds: number | null
  readonly status: JobStatus
  readonly planned_quantity: string
  readonly good: string
  readonly scrap: string
  readonly rework: string
  readonly priority: number
  readonly due: string | null
  readonly version: number
  readonly started_at: string | null
  readonly finished_at: string | null
  readonly order_number: string
  readonly order_status: OrderStatus
  readonly order_description: string | null
  readonly article: string | null
  readonly unit: string
  /** Smallest good quantity and states of the operations just before this one. */
  readonly before_good: string | null
  readonly before_statuses: readonly JobStatus[] | null
}

const jobSelect = sql`
  select j.id, j.seq, j.order_id, j.number, j.sequence, j.department_code, j.work_centre, j.description, j.setup_seconds, j.run_seconds,
         j.status, j.planned_quantity, j.good, j.scrap, j.rework, j.priority, j.due, j.version, j.started_at, j.finished_at,
         o.number as order_number, o.status as order_status, o.description as order_description, o.article, o.unit,
         b.good as before_good, b.statuses as before_statuses
    from workorders.job j
    join workorders.work_order o on o.id = j.order_id
    left join lateral (
      select min(p.good) as good, array_agg(p.status) as statuses
        from workorders.job p
       where p.order_id = j.order_id and p.status <> 'cancelled'
         and p.sequence = (select max(q.sequence) from workorders.job q
                            where q.order_id = j.order_id and q.sequence < j.sequence and q.status <> 'cancelled')) b on true`

export async function findJob(ctx: Ctx, jobId: string, visible: Visible): Promise<JobLine | undefined> {
  const { rows } = await sql<JobLine>`${jobSelect} where j.id = ${jobId} and ${visible}`.execute(own(ctx))
  return rows[0]
}

export async function jobsOfOrder(ctx: Ctx, orderId: string, visible: Visible): Promise<readonly JobLine[]> {
  const { rows } = await sql<JobLine>`${jobSelect} where j.order_id = ${orderId} and ${visible} order by j.sequence, j.seq`.execute(
    own(ctx)
  )
  return rows
}

/** Where a page ended: the sort columns of its last row, as text. */
export type After = readonly [priority: number, due: string, seq: string]

export interface JobFilter {
  readonly search: string | null
  /** Order number, or order and operation number as they stand on a label. */
  readonly scans: readonly { readonly order: string; readonly operation: string | null }[] | null
  readonly status: JobStatus | null
  readonly department: string | null
  readonly after: After | null
  readonly limit: number
}

// A statement of its own: with the scan as an optional filter the plan would walk the whole list instead of the index on numbers.
const scanned = (scans: JobFilter['scans']) =>
  scans === null
    ? sql`true`
    : sql`o.number = any(${scans.map(scan => scan.order)}::text[]) and exists (
        select 1 from unnest(${scans.map(scan => scan.order)}::text[], ${scans.map(scan => scan.operation)}::text[]) as s(number, operation)
         where s.number = o.number and (s.operation is null or s.operation = j.number))`

/** Open jobs within the caller's groups, most urgent first: one walk along the index job_floor. */
export async function listJobs(ctx: Ctx, filter: JobFilter, visible: Visible): Promise<readonly JobLine[]> {
  const { search, scans, status, department, after } = filter
  const { rows } = await sql<JobLine>`${jobSelect}
    where j.status in ('released', 'started', 'paused')
      and ${visible}
      and (${status}::text is null or j.status = ${status})
      and (${department}::text is null or j.department_code = ${department})
      and (${search}::text is null or o.number ilike ${search} or o.article ilike ${search} or j.description ilike ${search})
      and ${scanned(scans)}
      and (${after === null} or (-j.priority, coalesce(j.due, 'infinity'::date), j.seq)
            > (${after ? -after[0] : 0}::int, ${after?.[1] ?? 'infinity'}::date, ${after?.[2] ?? '0'}::bigint))
    order by -j.priority, coalesce(j.due, 'infinity'::date), j.seq
    limit ${filter.limit}`.execute(own(ctx))
  return rows
}

/** A report with what it was about, for the person who made it. */
export interface OwnReport {
  readonly id: string
  readonly job_id: string
  readonly order_number: string
  readonly operation_number: string
  readonly kind: 'report' | 'reversal' | 'replacement' | 'reopening'
  readonly good: string
  readonly scrap: string
  readonly unit: string
  readonly at: string
  readonly outbox_key: string | null
}

/** The newest reports of one account on jobs within its groups: one walk along the index report_mine. */
export async function reportsOf(ctx: Ctx, account: string, limit: number, visible: Visible): Promise<readonly OwnReport[]> {
  const { rows } = await sql<OwnReport>`
    select r.id, r.job_id, o.number as order_number, j.number as operation_number, r.kind, r.good, r.scrap, o.unit, r.at, r.outbox_key
      from workorders.report r
      join workorders.job j on j.id = r.job_id
      join workorders.work_order o on o.id = j.order_id
     where r.reported_by = ${account} and ${visible}
     order by r.seq desc
     limit ${limit}`.execute(own(ctx))
  return rows
}

export interface OrderLine {
  readonly id: string
  readonly seq: string
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
  readonly started_at: string | null
  readonly finished_at: string | null
  readonly held_changes: number
}

const orderSelect = sql`
  select o.id, o.seq, o.number, o.connection_id, o.article, o.description, o.department_code, o.quantity, o.unit, o.due, o.priority,
         o.erp_status, o.status, o.version, o.started_at, o.finished_at,
         (select count(*)::int from workorders.order_change c where c.order_id = o.id and c.state = 'held') as held_changes
    from workorders.work_order o`

/** An order counts as covered when one of its jobs is; one without jobs is seen by those who see everything. */
const covered = (ctx: Ctx | TxCtx, visibleJob: Visible) =>
  ctx.grant.scope.all ? sql`true` : sql`exists (select 1 from workorders.job j where j.order_id = o.id and ${visibleJob})`

export async function findOrder(ctx: Ctx | TxCtx, orderId: string, visibleJob: Visible): Promise<OrderLine | undefined> {
  const { rows } = await sql<OrderLine>`${orderSelect} where o.id = ${orderId} and ${covered(ctx, visibleJob)}`.execute(own(ctx))
  return rows[0]
}

/** Each way to sort has an index of its own, so that a page costs the same wherever it stands. */
const orderSorts: Readonly<Record<OrderSort, { columns: RawBuilder<unknown>; behind: (place: OrderPlace) => RawBuilder<unknown> }>> = {
  urgent: {
    // What is done presses no longer, whatever its priority was.
    columns: sql`(o.status in ('completed', 'closed', 'cancelled')), -o.priority, coalesce(o.due, 'infinity'::date), o.seq`,
    behind: ([done = 0, priority = 0, due = 'infinity', seq = '0']) =>
      sql`(${done}::int::boolean, -(${priority}::int), ${due}::date, ${seq}::bigint)`
  },
  due: {
    columns: sql`coalesce(o.due, 'infinity'::date), o.seq`,
    behind: ([due = 'infinity', seq = '0']) => sql`(${due}::date, ${seq}::bigint)`
  },
  number: { columns: sql`o.number`, behind: ([number = '']) => sql`(${number}::text)` },
  newest: { columns: sql`-o.seq`, behind: ([seq = '0']) => sql`(-(${seq}::bigint))` }
}

export interface OrderFilter {
  readonly sort: OrderSort
  readonly search: string | null
  readonly status: OrderStatus | null
  readonly department: string | null
  readonly held: boolean
  /** Only orders that were due before this day and have a job to be done within the caller's groups. */
  readonly dueBefore: string | null
  readonly after: OrderPlace | null
  readonly limit: number
}

/** The same as `progress` counts. */
const late = (today: string | null, visibleJob: Visible) =>
  today === null
    ? sql`true`
    : sql`o.due < ${today}::date and o.status not in ('closed', 'cancelled') and exists (
        select 1 from workorders.job j
         where j.order_id = o.id and j.status in ('planned', 'released', 'started', 'paused') and ${visibleJob})`

export async function listOrders(ctx: Ctx, filter: OrderFilter, visibleJob: Visible): Promise<readonly OrderLine[]> {
  const { search, status, department, after } = filter
  const { columns, behind } = orderSorts[filter.sort]
  const { rows } = await sql<OrderLine>`${orderSelect}
    where ${covered(ctx, visibleJob)}
      and (${status}::text is null or o.status = ${status})
      and (${department}::text is null or o.department_code = ${department}
        or exists (select 1 from workorders.job j where j.order_id = o.id and j.department_code = ${department} and ${visibleJob}))
      and ${late(filter.dueBefore, visibleJob)}
      and (${search}::text is null or o.number ilike ${search} or o.article ilike ${search} or o.description ilike ${search})
      and (not ${filter.held} or exists (select 1 from workorders.order_change c where c.order_id = o.id and c.state = 'held'))
      and (${after === null} or (${columns}) > ${behind(after ?? [])})
    order by ${columns}
    limit ${filter.limit}`.execute(own(ctx))
  return rows
}
