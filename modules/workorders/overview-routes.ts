import { Type } from 'typebox'
import { type App, errorResponses, LocalDate, quantity, Text } from '../../core/index.ts'
import type { Needs } from './neighbours.ts'
import { progress, scrapByReason } from './overview-store.ts'
import { dayIn, longestDays, periodOf } from './period.ts'
import * as schema from './schemas.ts'

const tags = ['workorders']
const closed = { additionalProperties: false }

/** How the work stands, in figures: for the person who looks at the whole hall. */
export function overviewRoutes({ authz }: Needs) {
  return (app: App): void => {
    app.get(
      '/api/v1/orders/progress',
      {
        config: { permission: 'orders.read' },
        schema: {
          operationId: 'orderProgress',
          tags,
          summary: 'Jobs by state per department, of work orders of my groups that are neither closed nor cancelled',
          response: { 200: schema.OrderProgressView, ...errorResponses }
        }
      },
      async ({ ctx }) => {
        const lines = await progress(ctx, dayIn(ctx.tenant.zone, ctx.clock.now()), authz.visible(ctx, 'j.id'))
        const names = await authz.departmentNames(ctx)
        return {
          items: lines.flatMap(({ department, late_orders: _, ...counts }) =>
            department === null ? [] : [{ department, name: names.get(department) ?? null, ...counts }]
          ),
          lateOrders: lines.find(line => line.department === null)?.late_orders ?? 0
        }
      }
    )

    app.get(
      '/api/v1/scrap',
      {
        config: { permission: 'orders.read', refuses: ['period_wrong'] },
        schema: {
          operationId: 'scrapByReason',
          tags,
          summary: 'Scrap by reason and unit on jobs of my groups, corrections taken into account; largest first',
          querystring: Type.Object(
            {
              from: Type.Optional(LocalDate),
              to: Type.Optional({
                ...LocalDate,
                description: `Last day in the customer's zone, today unless told; seven days back unless told, ${longestDays} at most`
              }),
              department: Type.Optional(Text(40))
            },
            closed
          ),
          response: { 200: schema.ScrapView, ...errorResponses }
        }
      },
      async ({ ctx, query }) => {
        const period = periodOf(query, dayIn(ctx.tenant.zone, ctx.clock.now()))
        const rows = await scrapByReason(ctx, { ...period, department: query.department ?? null }, authz.visible(ctx, 'j.id'))
        return { ...period, items: rows.map(row => ({ ...row, quantity: quantity.quantity(row.quantity) })) }
      }
    )
  }
}
