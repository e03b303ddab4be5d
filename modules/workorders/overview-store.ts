import { sql } from 'kysely'
import type { Ctx } from '../../core/index.ts'
import type { Period } from './period.ts'
import { own, type Visible } from './store.ts'

/** Jobs of one department by state; `department` null is the line of them all. */
export interface ProgressLine {
  readonly department: string | null
  readonly waiting: number
  readonly started: number
  readonly paused: number
  readonly completed: number
  /** Not completed, of an order that was due before today. */
  readonly late: number
  /** Orders of these late jobs; an order in two departments is one order in the line of all. */
  readonly late_orders: number
}

/** Jobs of work orders that are neither closed nor cancelled, within the caller's groups, counted in one statement. */
export async function progress(ctx: Ctx, today: string, visible: Visible): Promise<readonly ProgressLine[]> {
  const { rows } = await sql<ProgressLine>`
    select j.department_code as department,
           count(*) filter (where j.status in ('planned', 'released'))::int as waiting,
           count(*) filter (where j.status = 'started')::int as started,
           count(*) filter (where j.status = 'paused')::int as paused,
           count(*) filter (where j.status in ('completed', 'closed'))::int as completed,
           count(*) filter (where o.due < ${today}::date and j.status not in ('completed', 'closed'))::int as late,
           count(distinct j.order_id) filter (where o.due < ${today}::date and j.status not in ('completed', 'closed'))::int as late_orders
      from workorders.job j
      join workorders.work_order o on o.id = j.order_id
     where o.status not in ('closed', 'cancelled') and j.status <> 'cancelled' and ${visible}
     group by grouping sets ((j.department_code), ())
     order by j.department_code nulls last`.execute(own(ctx))
  return rows
}

export interface ScrapLine {
  readonly reason: string
  readonly name: string
  readonly unit: string
  readonly quantity: string
  readonly reports: number
}

/**
 * Scrap as it stands now, on the day on which it was first reported: a report that was taken back counts nowhere, and one that was
 * corrected counts with the row that stands for it, however much later the correction came.
 */
export async function scrapByReason(
  ctx: Ctx,
  filter: Period & { readonly department: string | null },
  visible: Visible
): Promise<readonly ScrapLine[]> {
  const { zone } = ctx.tenant
  const { rows } = await sql<ScrapLine>`
    with recursive standing as (
      select r.id, r.job_id, r.scrap, r.scrap_reason
        from workorders.report r
       where r.kind = 'report'
         and r.at >= ${filter.from}::date::timestamp at time zone ${zone}
         and r.at < (${filter.to}::date + 1)::timestamp at time zone ${zone}
      union all
      select n.id, n.job_id, n.scrap, n.scrap_reason
        from standing s join workorders.report n on n.replaces = s.id)
    select s.scrap_reason as reason, c.name, o.unit, sum(s.scrap) as quantity, count(*)::int as reports
      from standing s
      join workorders.scrap_reason c on c.code = s.scrap_reason
      join workorders.job j on j.id = s.job_id
      join workorders.work_order o on o.id = j.order_id
     where s.scrap > 0
       and not exists (select 1 from workorders.report b where b.reverses = s.id)
       and (${filter.department}::text is null or j.department_code = ${filter.department})
       and ${visible}
     group by s.scrap_reason, c.name, o.unit
     order by sum(s.scrap) desc, s.scrap_reason, o.unit`.execute(own(ctx))
  return rows
}
