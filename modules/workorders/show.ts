import { type Ctx, refuse as refuseCore } from '../../core/index.ts'
import { findJob, findOrder, type JobLine, jobsOfOrder, reportsOf } from './list-store.ts'
import { consumedPerLine } from './material-rules.ts'
import type { Needs } from './neighbours.ts'
import { changesOfOrder, materialsOf, reportsOfJobs } from './store.ts'
import { changeView, jobView, materialView, orderView, ownReportView, reportView } from './views.ts'

/** What the routes show, read after the act; everything within the caller's groups. */
export function shows({ authz, timekeeping, inventory, outbox }: Needs) {
  const visible = (ctx: Ctx) => authz.visible(ctx, 'j.id')

  async function jobs(ctx: Ctx, lines: readonly JobLine[]) {
    // A clock runs on started jobs only.
    const started = lines.filter(line => line.status === 'started').map(line => line.id)
    const running = started.length === 0 ? [] : await timekeeping.running(ctx, started)
    return lines.map(line => jobView(line, running))
  }

  async function job(ctx: Ctx, jobId: string) {
    const line = await findJob(ctx, jobId, visible(ctx))
    const [view] = line ? await jobs(ctx, [line]) : []
    if (!view) throw refuseCore('not_found', 'There is no such job within your groups.')
    return view
  }

  async function order(ctx: Ctx, orderId: string) {
    const line = await findOrder(ctx, orderId, visible(ctx))
    if (!line) throw refuseCore('not_found', 'There is no such work order within your groups.')
    const views = await jobs(ctx, await jobsOfOrder(ctx, line.id, visible(ctx)))
    const articles = await inventory.articlesByNumber(ctx, line.article === null ? [] : [line.article])
    return orderView(line, views, await materials(ctx, line), articles.get(line.article ?? ''))
  }

  async function materials(ctx: Ctx, order: { readonly id: string; readonly number: string }) {
    const lines = await materialsOf(ctx, [order.id])
    if (lines.length === 0) return []
    const consumed = consumedPerLine(lines, await inventory.consumedOfOrder(ctx, order.number))
    const articles = await inventory.articlesByNumber(ctx, [...new Set(lines.map(line => line.article))])
    return lines.map(line => materialView(line, consumed.get(line.line), articles.get(line.article)))
  }

  /** Reports on the jobs that the caller covers, with how far each is on the way to the ERP, and what the ERP wanted to change. */
  async function history(ctx: Ctx, orderId: string) {
    const line = await findOrder(ctx, orderId, visible(ctx))
    if (!line) throw refuseCore('not_found', 'There is no such work order within your groups.')
    const reports = await reportsOfJobs(
      ctx,
      (await jobsOfOrder(ctx, line.id, visible(ctx))).map(one => one.id)
    )
    const keys = reports.flatMap(report => (report.outbox_key === null ? [] : [report.outbox_key]))
    const states = new Map((keys.length === 0 ? [] : await outbox.states(ctx, keys)).map(state => [state.key, state]))
    return {
      reports: reports.map(report => reportView(report, states.get(report.outbox_key ?? ''))),
      changes: (await changesOfOrder(ctx, line.id)).map(changeView)
    }
  }

  /** The newest reports of the caller, with how far each is on the way to the ERP. */
  async function mine(ctx: Ctx) {
    const rows = await reportsOf(ctx, `${ctx.principal.kind}:${ctx.principal.id}`, 20, visible(ctx))
    const keys = rows.flatMap(row => (row.outbox_key === null ? [] : [row.outbox_key]))
    const states = new Map((keys.length === 0 ? [] : await outbox.states(ctx, keys)).map(state => [state.key, state]))
    return { items: rows.map(row => ownReportView(row, states.get(row.outbox_key ?? ''))) }
  }

  return { visible, jobs, job, order, materials, history, mine }
}
export type Shows = ReturnType<typeof shows>
