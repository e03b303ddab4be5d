import { Type } from 'typebox'
import { type App, act, containing, cursorOf, errorResponses, Id, pageQuery, readCursor, Text } from '../../core/index.ts'
import { listOrders } from './list-store.ts'
import type { Needs } from './neighbours.ts'
import { orderPlace, orderPlaceKinds } from './order-sorts.ts'
import { changeSetting, decide, setScrapReason } from './orders.ts'
import { dayIn } from './period.ts'
import * as schema from './schemas.ts'
import { shows } from './show.ts'
import { getSetting, scrapReasons } from './store.ts'
import { orderSummary, settingView } from './views.ts'

const tags = ['workorders']
const closed = { additionalProperties: false }
const OrderParams = Type.Object({ orderId: Id }, closed)

/** Work orders, what the ERP wanted to change on them, scrap reasons and the setting. */
export function orderRoutes(needs: Needs) {
  const show = shows(needs)

  return (app: App): void => {
    app.get(
      '/api/v1/work-orders',
      {
        config: { permission: 'orders.read' },
        schema: {
          operationId: 'listWorkOrders',
          tags,
          summary: 'Work orders of my groups, most urgent first unless told',
          querystring: Type.Object(
            {
              sort: Type.Optional(schema.OrderSortWord),
              search: Type.Optional(Text(80)),
              status: Type.Optional(schema.StatusWord),
              department: Type.Optional({ ...Text(40), description: 'Orders of this department or with an operation there' }),
              held: Type.Optional(Type.Boolean({ description: 'Only orders with changes of the ERP that wait for a person' })),
              late: Type.Optional(Type.Boolean({ description: 'Only orders that were due before today and are not done' })),
              ...pageQuery
            },
            closed
          ),
          response: { 200: schema.WorkOrderPage, ...errorResponses }
        }
      },
      async request => {
        const { search, status = null, department = null, held = false, late = false, sort = 'urgent', limit = 100, after } = request.query
        const { ctx } = request
        const from = readCursor(after, orderPlaceKinds[sort])
        const rows = await listOrders(
          ctx,
          {
            sort,
            search: containing(search),
            status,
            department,
            held,
            dueBefore: late ? dayIn(ctx.tenant.zone, ctx.clock.now()) : null,
            after: from,
            limit
          },
          show.visible(ctx)
        )
        const last = rows.at(-1)
        return {
          items: rows.map(orderSummary),
          next: last && rows.length === limit ? cursorOf(orderPlace(sort, last)) : null
        }
      }
    )

    app.get(
      '/api/v1/work-orders/:orderId',
      {
        config: { permission: 'orders.read', refuses: ['not_found'] },
        schema: {
          operationId: 'getWorkOrder',
          tags,
          summary: 'One work order with progress, operations and materials',
          params: OrderParams,
          response: { 200: schema.WorkOrderView, ...errorResponses }
        }
      },
      async request => show.order(request.ctx, request.params.orderId)
    )

    app.get(
      '/api/v1/work-orders/:orderId/history',
      {
        config: { permission: 'orders.read', refuses: ['not_found'] },
        schema: {
          operationId: 'getWorkOrderHistory',
          tags,
          summary: 'What was reported and corrected, and what the ERP wanted to change; newest first',
          params: OrderParams,
          response: { 200: schema.HistoryView, ...errorResponses }
        }
      },
      async request => show.history(request.ctx, request.params.orderId)
    )

    for (const [verb, decision, summary] of [
      ['accept', 'accepted', 'Take over a change of the ERP that was held'],
      ['refuse', 'refused', 'Leave the order as the floor has it']
    ] as const) {
      app.post(
        `/api/v1/work-orders/:orderId/changes/:changeId/${verb}`,
        {
          config: { permission: 'orders.manage', refuses: ['not_found', 'change_decided'] },
          schema: {
            operationId: `${verb}OrderChange`,
            tags,
            summary,
            params: Type.Object({ orderId: Id, changeId: Id }, closed),
            response: { 200: schema.WorkOrderView, ...errorResponses }
          }
        },
        async (request, reply) => {
          const { orderId, changeId } = request.params
          return act(request, reply, {
            run: async tx => {
              await decide(tx, needs, orderId, changeId, decision)
              return {}
            },
            show: ctx => show.order(ctx, orderId)
          })
        }
      )
    }

    app.get(
      '/api/v1/scrap-reasons',
      {
        config: { permission: 'jobs.read' },
        schema: {
          operationId: 'listScrapReasons',
          tags,
          summary: 'Scrap reasons',
          response: { 200: Type.Object({ items: Type.Array(schema.ScrapReasonView) }, closed), ...errorResponses }
        }
      },
      async request => ({ items: await scrapReasons(request.ctx) })
    )

    app.put(
      '/api/v1/scrap-reasons/:code',
      {
        config: { permission: 'orders.manage' },
        schema: {
          operationId: 'setScrapReason',
          tags,
          summary: 'Add or change a scrap reason',
          params: Type.Object({ code: Text(40) }, closed),
          body: schema.ScrapReasonBody,
          response: { 200: schema.ScrapReasonView, ...errorResponses }
        }
      },
      async (request, reply) => {
        const reason = { code: request.params.code, name: request.body.name, active: request.body.active ?? true }
        return act(request, reply, {
          run: async tx => {
            await setScrapReason(tx, needs, reason)
            return {}
          },
          show: () => reason
        })
      }
    )

    app.get(
      '/api/v1/settings/workorders',
      {
        config: { permission: 'orders.read' },
        schema: {
          operationId: 'getWorkordersSetting',
          tags,
          summary: 'How this customer works',
          response: { 200: schema.SettingView, ...errorResponses }
        }
      },
      async request => settingView(await getSetting(request.ctx))
    )

    app.put(
      '/api/v1/settings/workorders',
      {
        config: { permission: 'orders.manage', refuses: ['setting_changed'] },
        schema: {
          operationId: 'setWorkordersSetting',
          tags,
          summary: 'Change how this customer works',
          body: schema.SettingBody,
          response: { 200: schema.SettingView, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { body } = request
        return act(request, reply, {
          run: async tx => {
            await changeSetting(tx, needs, body.version, {
              over_report: body.overReport,
              over_percent: body.overPercent,
              change_guard: body.changeGuard,
              product_receipt: body.productReceipt,
              receipt_location: body.receiptLocation,
              backflush: body.backflush
            })
            return {}
          },
          show: async ctx => settingView(await getSetting(ctx))
        })
      }
    )
  }
}
