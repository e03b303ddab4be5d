import { Type } from 'typebox'
import {
  type App,
  act,
  type Ctx,
  containing,
  cursorOf,
  errorResponses,
  Id,
  pageQuery,
  readCursor,
  refuse as refuseCore,
  Text
} from '../../core/index.ts'
import { refuse } from './errors.ts'
import {
  findArticle,
  getSetting,
  type LedgerLine,
  listArticles,
  listLedger,
  listLocations,
  listStock,
  saveBackflush,
  saveSetting
} from './list-store.ts'
import * as schema from './schemas.ts'
import type { Needs } from './stock.ts'
import { adjust, transfer } from './transfers.ts'
import { articleView, ledgerView, locationView, stockView } from './views.ts'

const tags = ['inventory']
const closed = { additionalProperties: false }
const moving = ['article_unknown', 'article_blocked', 'location_unknown', 'location_blocked', 'stock_too_low'] as const

export function inventoryRoutes(needs: Needs) {
  const { outbox, journal } = needs

  /** Ledger rows with how far their messages are. */
  async function shown(ctx: Ctx, rows: readonly LedgerLine[]) {
    const keys = [...new Set(rows.flatMap(row => (row.outbox_key === null ? [] : [row.outbox_key])))]
    const states = new Map((keys.length === 0 ? [] : await outbox.states(ctx, keys)).map(state => [state.key, state]))
    return rows.map(row => ledgerView(row, states.get(row.outbox_key ?? '')))
  }

  async function showAct(ctx: Ctx, { actId }: { actId: string }) {
    const rows = await listLedger(ctx, { article: null, location: null, order: null, act: actId, before: null, limit: 500 })
    return { actId, transactions: await shown(ctx, rows) }
  }

  return (app: App): void => {
    app.get(
      '/api/v1/articles',
      {
        config: { permission: 'articles.read' },
        schema: {
          operationId: 'listArticles',
          tags,
          summary: 'Articles by number; `scan` finds a number or a barcode exactly',
          querystring: Type.Object({ search: Type.Optional(Text(80)), scan: Type.Optional(Text(40)), ...pageQuery }, closed),
          response: { 200: schema.ArticlePage, ...errorResponses }
        }
      },
      async request => {
        const { search, scan = null, limit = 100, after } = request.query
        const from = readCursor(after, ['string'])
        const rows = await listArticles(request.ctx, { search: containing(search), scan, after: from?.[0] ?? null, limit })
        const last = rows.at(-1)
        return { items: rows.map(articleView), next: last && rows.length === limit ? cursorOf([last.number]) : null }
      }
    )

    app.put(
      '/api/v1/articles/:number/backflush',
      {
        config: { permission: 'orders.manage', refuses: ['not_found'] },
        schema: {
          operationId: 'setArticleBackflush',
          tags,
          summary: 'Say for one article when it is consumed by itself; null: as the setting says',
          params: Type.Object({ number: Text(40) }, closed),
          body: schema.ArticleSettingBody,
          response: { 200: schema.ArticleView, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { number } = request.params
        return act(request, reply, {
          run: async tx => {
            const id = await saveBackflush(tx, number, request.body.backflush)
            if (id === undefined) throw refuseCore('not_found', `There is no article ${number}.`)
            await journal.append(tx, {
              act: 'article.backflush',
              subject: 'inventory.article',
              subjectId: id,
              data: { backflush: request.body.backflush }
            })
            return { number }
          },
          show: async ctx => {
            const article = await findArticle(ctx, number)
            if (!article) throw refuseCore('not_found', `There is no article ${number}.`)
            return articleView(article)
          }
        })
      }
    )

    app.get(
      '/api/v1/locations',
      {
        config: { permission: 'stock.read' },
        schema: {
          operationId: 'listLocations',
          tags,
          summary: 'Locations by code',
          querystring: Type.Object({ search: Type.Optional(Text(80)), warehouse: Type.Optional(Text(40)), ...pageQuery }, closed),
          response: { 200: schema.LocationPage, ...errorResponses }
        }
      },
      async request => {
        const { search, warehouse = null, limit = 100, after } = request.query
        const from = readCursor(after, ['string'])
        const rows = await listLocations(request.ctx, { search: containing(search), warehouse, after: from?.[0] ?? null, limit })
        const last = rows.at(-1)
        return { items: rows.map(locationView), next: last && rows.length === limit ? cursorOf([last.code]) : null }
      }
    )

    app.get(
      '/api/v1/stock',
      {
        config: { permission: 'stock.read' },
        schema: {
          operationId: 'listStock',
          tags,
          summary: 'Stock per article, location and lot, with the ERP’s figure and what it does not contain yet',
          querystring: Type.Object(
            {
              article: Type.Optional(Text(40)),
              location: Type.Optional(Text(40)),
              warehouse: Type.Optional(Text(40)),
              negative: Type.Optional(Type.Boolean({ description: 'Only levels below zero' })),
              ...pageQuery
            },
            closed
          ),
          response: { 200: schema.StockPage, ...errorResponses }
        }
      },
      async request => {
        const { article = null, location = null, warehouse = null, negative = false, limit = 100, after } = request.query
        const from = readCursor(after, ['string', 'string', 'string'])
        const rows = await listStock(request.ctx, { article, location, warehouse, negative, after: from, limit })
        const last = rows.at(-1)
        return {
          items: rows.map(stockView),
          next: last && rows.length === limit ? cursorOf([last.article, last.location, last.lot]) : null
        }
      }
    )

    app.get(
      '/api/v1/stock-transactions',
      {
        config: { permission: 'stock.read' },
        schema: {
          operationId: 'listStockTransactions',
          tags,
          summary: 'The ledger, newest first, with how far each row is on the way to the ERP',
          querystring: Type.Object(
            {
              article: Type.Optional(Text(40)),
              location: Type.Optional(Text(40)),
              order: Type.Optional(Text(40)),
              actId: Type.Optional(Id),
              ...pageQuery
            },
            closed
          ),
          response: { 200: schema.LedgerPage, ...errorResponses }
        }
      },
      async request => {
        const { article = null, location = null, order = null, actId = null, limit = 100, after } = request.query
        const from = readCursor(after, ['string'])
        const rows = await listLedger(request.ctx, { article, location, order, act: actId, before: from?.[0] ?? null, limit })
        const last = rows.at(-1)
        return { items: await shown(request.ctx, rows), next: last && rows.length === limit ? cursorOf([last.seq]) : null }
      }
    )

    app.post(
      '/api/v1/stock/transfer',
      {
        config: { permission: 'stock.transfer', refuses: ['same_location', ...moving] },
        schema: {
          operationId: 'transferStock',
          tags,
          summary: 'Move stock from one location to another',
          body: schema.TransferBody,
          response: { 201: schema.StockActView, ...errorResponses }
        }
      },
      async (request, reply) =>
        act(request, reply, { status: 201, run: async tx => ({ actId: (await transfer(tx, needs, request.body)).actId }), show: showAct })
    )

    app.post(
      '/api/v1/stock/adjust',
      {
        config: { permission: 'stock.adjust', refuses: [...moving] },
        schema: {
          operationId: 'adjustStock',
          tags,
          summary: 'Correct the stock of one place by a signed quantity, with a reason',
          body: schema.AdjustBody,
          response: { 201: schema.StockActView, ...errorResponses }
        }
      },
      async (request, reply) =>
        act(request, reply, { status: 201, run: async tx => ({ actId: (await adjust(tx, needs, request.body)).actId }), show: showAct })
    )

    app.get(
      '/api/v1/settings/inventory',
      {
        config: { permission: 'stock.read' },
        schema: {
          operationId: 'getInventorySetting',
          tags,
          summary: 'How this customer keeps stock',
          response: { 200: schema.InventorySetting, ...errorResponses }
        }
      },
      async request => settingView(await getSetting(request.ctx))
    )

    app.put(
      '/api/v1/settings/inventory',
      {
        config: { permission: 'orders.manage', refuses: ['inventory_setting_changed'] },
        schema: {
          operationId: 'setInventorySetting',
          tags,
          summary: 'Change how this customer keeps stock',
          body: schema.InventorySettingBody,
          response: { 200: schema.InventorySetting, ...errorResponses }
        }
      },
      async (request, reply) =>
        act(request, reply, {
          run: async tx => {
            const { version, negativeStock } = request.body
            if (!(await saveSetting(tx, version, negativeStock))) {
              throw refuse('inventory_setting_changed', `Version ${version} of the setting was changed meanwhile.`)
            }
            await journal.append(tx, {
              act: 'setting.inventory',
              subject: 'inventory.setting',
              subjectId: String(version + 1),
              data: { negativeStock }
            })
            return {}
          },
          show: async ctx => settingView(await getSetting(ctx))
        })
    )
  }
}

const settingView = (setting: { version: number; negative_stock: 'block' | 'warn' }) => ({
  version: setting.version,
  negativeStock: setting.negative_stock
})
