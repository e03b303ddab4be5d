import { Readable } from 'node:stream'
import { Type } from 'typebox'
import { withTx } from '../db/tx.ts'
import { refuse } from '../errors.ts'
import type { App } from '../http/app.ts'
import { cursorOf, readCursor } from '../http/cursor.ts'
import { errorResponses, Id, Page, pageQuery, Text } from '../http/schemas.ts'
import { journal } from '../journal/append.ts'
import type { Blobs } from '../storage/blobs.ts'
import { type DeliveryState, findDelivery, listDeliveries } from './deliveries-store.ts'
import { DeliveryResultShape, DeliveryShape, deliveryStates, resultOf, viewOfDelivery } from './delivery-views.ts'
import { refuseExchange } from './errors.ts'
import { openRaw } from './raw.ts'

const closed = { additionalProperties: false }
const tags = ['exchange']
const One = Type.Object({ id: Id }, closed)

/** What came in, for the people of the customer. */
export function deliveryRoutes({ blobs }: { blobs: Blobs }): (app: App) => void {
  return app => {
    app.get(
      '/api/v1/deliveries',
      {
        config: { permission: 'exchange.read' },
        schema: {
          operationId: 'listDeliveries',
          tags,
          summary: 'Deliveries, newest first',
          querystring: Type.Object(
            {
              connection: Type.Optional(Id),
              state: Type.Optional(Type.Unsafe<DeliveryState>({ type: 'string', enum: [...deliveryStates] })),
              name: Type.Optional(Text(200, { description: 'Part of the name' })),
              ...pageQuery
            },
            closed
          ),
          response: { 200: Page(DeliveryShape), ...errorResponses }
        }
      },
      async request => {
        const { connection, state, name, limit = 100, after } = request.query
        const before = readCursor(after, ['string'])?.[0]
        if (before !== undefined && !/^\d{1,18}$/.test(before))
          throw refuse('invalid_request', '`after` is not the `next` of a page of this list.')
        const rows = await listDeliveries(request.ctx, {
          limit,
          ...(connection === undefined ? {} : { connectionId: connection }),
          ...(state === undefined ? {} : { state }),
          ...(name === undefined ? {} : { name }),
          ...(before === undefined ? {} : { before })
        })
        const last = rows.at(-1)
        return { items: rows.map(viewOfDelivery), next: last && rows.length === limit ? cursorOf([last.seq]) : null }
      }
    )

    app.get(
      '/api/v1/deliveries/:id',
      {
        config: { permission: 'exchange.read', refuses: ['delivery_unknown'] },
        schema: {
          operationId: 'getDelivery',
          tags,
          summary: 'One delivery with the records that did not get through',
          params: One,
          response: { 200: DeliveryResultShape, ...errorResponses }
        }
      },
      async request => {
        const delivery = await findDelivery(request.ctx, request.params.id)
        if (!delivery) throw refuseExchange('delivery_unknown', 'There is no such delivery.')
        return resultOf(request.ctx, delivery)
      }
    )

    app.get(
      '/api/v1/deliveries/:id/raw',
      {
        config: { permission: 'exchange.read_raw', refuses: ['delivery_unknown', 'delivery_raw_gone'] },
        schema: {
          operationId: 'getDeliveryRaw',
          tags,
          summary: 'The bytes of a delivery as they came',
          description: 'They may hold data of employees, so each download is entered in the journal.',
          params: One,
          response: {
            200: { description: 'The file', content: { 'application/octet-stream': { schema: Type.String() } } },
            ...errorResponses
          }
        }
      },
      async (request, reply) => {
        const { ctx } = request
        const delivery = await findDelivery(ctx, request.params.id)
        if (!delivery) throw refuseExchange('delivery_unknown', 'There is no such delivery.')
        if (delivery.blob_id === null || delivery.sha256 === null || !(await blobs.exists(ctx.tenant.id, delivery.blob_id))) {
          throw refuseExchange('delivery_raw_gone', 'The raw bytes of this delivery are no longer kept.')
        }
        await withTx(ctx, tx => journal.append(tx, { act: 'delivery.read_raw', subject: 'exchange.delivery', subjectId: delivery.id }))
        reply
          .header('content-disposition', attachment(`${delivery.seq}-${delivery.name}`))
          .header('content-length', delivery.size)
          .header('content-security-policy', "sandbox; default-src 'none'")
          .type('application/octet-stream')
        return reply.send(Readable.from(openRaw(ctx, blobs, delivery.blob_id)) as never)
      }
    )
  }
}

/** RFC 6266; the name came from outside, so only plain characters stand in the quoted form and the rest is encoded. */
export function attachment(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9._-]/g, '_')
  const encoded = encodeURIComponent(name).replace(/['()*!]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}
