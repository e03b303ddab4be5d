import { Type } from 'typebox'
import {
  type App,
  act,
  type Ctx,
  cursorOf,
  errorResponses,
  Id,
  pageQuery,
  readCursor,
  refuse as refuseCore,
  Text
} from '../../core/index.ts'
import { linesOfLists, listPickLists, pickListById } from './pick-store.ts'
import { markShort, pick, undoPick } from './picks.ts'
import * as schema from './schemas.ts'
import type { Needs } from './stock.ts'
import { articlesByNumber } from './store.ts'
import { pickListSummary, pickListView } from './views.ts'

const tags = ['inventory']
const closed = { additionalProperties: false }
const ListParams = Type.Object({ listId: Id }, closed)
const LineParams = Type.Object({ listId: Id, lineId: Id }, closed)

async function show(ctx: Ctx, listId: string) {
  const list = await pickListById(ctx, listId)
  if (!list) throw refuseCore('not_found', 'There is no such pick list.')
  const lines = await linesOfLists(ctx, [list.id])
  return pickListView(list, lines, await articlesByNumber(ctx, [...new Set(lines.map(line => line.article))]))
}

export function pickRoutes(needs: Needs) {
  return (app: App): void => {
    app.get(
      '/api/v1/pick-lists',
      {
        config: { permission: 'picks.read' },
        schema: {
          operationId: 'listPickLists',
          tags,
          summary: 'Pick lists, oldest first',
          querystring: Type.Object(
            { status: Type.Optional(schema.PickListStatusWord), order: Type.Optional(Text(40)), ...pageQuery },
            closed
          ),
          response: { 200: schema.PickListPage, ...errorResponses }
        }
      },
      async request => {
        const { status = null, order = null, limit = 100, after } = request.query
        const from = readCursor(after, ['string'])
        const rows = await listPickLists(request.ctx, { status, order, after: from?.[0] ?? '0', limit })
        const last = rows.at(-1)
        return { items: rows.map(pickListSummary), next: last && rows.length === limit ? cursorOf([last.seq]) : null }
      }
    )

    app.get(
      '/api/v1/pick-lists/:listId',
      {
        config: { permission: 'picks.read', refuses: ['not_found'] },
        schema: {
          operationId: 'getPickList',
          tags,
          summary: 'One pick list',
          params: ListParams,
          response: { 200: schema.PickListView, ...errorResponses }
        }
      },
      async request => show(request.ctx, request.params.listId)
    )

    app.post(
      '/api/v1/pick-lists/:listId/lines/:lineId/pick',
      {
        config: {
          permission: 'stock.consume',
          refuses: [
            'not_found',
            'wrong_article',
            'wrong_location',
            'pick_exceeds_request',
            'article_unit_differs',
            'pick_list_closed',
            'location_unknown',
            'location_blocked',
            'stock_too_low'
          ]
        },
        schema: {
          operationId: 'pickLine',
          tags,
          summary: 'Pick for one line what was scanned; a wrong article and a wrong place are told apart',
          params: LineParams,
          body: schema.PickBody,
          response: { 201: schema.PickView, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { listId, lineId } = request.params
        return act(request, reply, {
          status: 201,
          run: async tx => ({ actId: await pick(tx, needs, listId, lineId, request.body) }),
          show: async (ctx, { actId }) => ({ actId, pickList: await show(ctx, listId) })
        })
      }
    )

    app.post(
      '/api/v1/pick-lists/:listId/lines/:lineId/undo',
      {
        config: { permission: 'stock.consume', refuses: ['not_found', 'act_reversed', 'pick_list_closed'] },
        schema: {
          operationId: 'undoPick',
          tags,
          summary: 'Undo one pick: stock and line are as before, and the ERP is told',
          params: LineParams,
          body: schema.UndoPickBody,
          response: { 201: schema.PickView, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { listId, lineId } = request.params
        return act(request, reply, {
          status: 201,
          run: async tx => ({ actId: await undoPick(tx, needs, listId, lineId, request.body.actId) }),
          show: async (ctx, { actId }) => ({ actId, pickList: await show(ctx, listId) })
        })
      }
    )

    app.post(
      '/api/v1/pick-lists/:listId/lines/:lineId/short',
      {
        config: { permission: 'stock.consume', refuses: ['not_found', 'pick_line_full', 'pick_list_closed'] },
        schema: {
          operationId: 'shortPickLine',
          tags,
          summary: 'Say why a line stays short',
          params: LineParams,
          body: schema.ReasonBody,
          response: { 200: schema.PickListView, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { listId, lineId } = request.params
        return act(request, reply, {
          run: async tx => {
            await markShort(tx, needs, listId, lineId, request.body.reason)
            return {}
          },
          show: ctx => show(ctx, listId)
        })
      }
    )
  }
}
