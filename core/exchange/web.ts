import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Ctx } from '../context.ts'
import { Refusal, refuse } from '../errors.ts'
import type { App } from '../http/app.ts'
import { act } from '../http/idempotency.ts'
import { errorResponses, Id, Instant } from '../http/schemas.ts'
import type { ArrivalOptions } from './arrivals.ts'
import { recordDelivery, writeRaw } from './bodies.ts'
import { adapterOf, findByConnection } from './deliveries-store.ts'
import { DeliveryResultShape, isSettled, resultOf } from './delivery-views.ts'
import { refuseExchange } from './errors.ts'
import { inboxRoom } from './inbox-room.ts'
import { listOutboxFiles, noteFetched, readOutboxFile } from './outbox-files-store.ts'
import { removeRaw } from './raw.ts'
import type { AdapterRegistry } from './registry.ts'

const closed = { additionalProperties: false }
const contentTypes = ['application/json', 'text/csv', 'application/xml', 'text/xml']
/** Bodies of one connection that may be on their way at once. */
const mostBodies = 8
const longestWaitSeconds = 25
/** Together, of one answer of the outbox; at least one document is given. */
const mostAnswerBytes = 8 * 1024 * 1024

const Connection = Type.Object({ connection: Id }, closed)
/** Not looked into before it is stored. */
const Records = Type.Unknown({ description: 'Records as the adapter of the connection takes them' })
const Answer = Type.Object(
  {
    delivery: Id,
    href: Type.String({ description: 'Where to ask what became of it' }),
    duplicate: Type.Boolean({ description: 'Equal to the newest delivery of this route, which is the one named; not processed again' }),
    result: Type.Union([DeliveryResultShape, Type.Null()], { description: 'With Prefer: wait, when it was ready in time' })
  },
  closed
)

/**
 * The web service for ERPs under /erp/v1. What comes in is stored as it is before anything looks into it, so no content can make a
 * call fail; what it meant is told by the delivery.
 */
export function erpRoutes(options: ArrivalOptions): (app: App) => void {
  const { blobs, adapters } = options
  const room = inboxRoom(options)
  const underway = new Map<string, number>()

  /** The token's own connection; any other one does not exist for it. */
  function own(request: FastifyRequest, connection: string): Ctx {
    const { ctx } = request
    if (ctx.principal.kind !== 'connection' || ctx.principal.id !== connection) {
      throw refuseExchange('connection_unknown', 'This token belongs to no such connection.')
    }
    return ctx
  }

  /** The body as a stream to an encrypted blob, at most `mostBodies` of a connection at once. */
  async function take(ctx: Ctx, connection: string, request: FastifyRequest, reply: FastifyReply) {
    const encoding = request.headers['content-encoding']
    if (encoding !== undefined && !['', 'identity'].includes(encoding.trim().toLowerCase())) {
      reply.header('accept-encoding', 'identity').header('connection', 'close')
      throw refuseExchange('delivery_encoding', 'Nothing is unpacked here: send the body as it is, without Content-Encoding.')
    }
    const length = Number(request.headers['content-length'] ?? 0)
    const body = request.body as IncomingMessage | undefined
    if (!body)
      throw refuseExchange(
        'delivery_media_type',
        'Name the type of the body in Content-Type: application/json, text/csv or application/xml.'
      )
    const count = underway.get(connection) ?? 0
    if (count >= mostBodies)
      throw refuse('too_many_requests', `More than ${mostBodies} deliveries of this connection are on their way.`, { retryAfterSeconds: 2 })
    if (length > options.maxFileBytes) throw refuseExchange('delivery_too_large', `The body is larger than ${options.maxFileBytes} bytes.`)
    underway.set(connection, count + 1)
    try {
      return await writeRaw(ctx, options, body)
    } catch (error) {
      // What is left of the body is not read.
      reply.header('connection', 'close')
      if (error instanceof Refusal || !body.destroyed) throw error
      throw refuseExchange('delivery_cut_off', 'The connection ended before the body was complete; nothing was stored.', { cause: error })
    } finally {
      const left = (underway.get(connection) ?? 1) - 1
      if (left > 0) underway.set(connection, left)
      else underway.delete(connection)
    }
  }

  async function waited(ctx: Ctx, connection: string, id: string, seconds: number) {
    const until = performance.now() + seconds * 1000
    for (let pause = 50; ; pause = Math.min(pause * 1.5, 500)) {
      const delivery = await findByConnection(ctx, connection, id)
      if (delivery && isSettled(delivery)) return resultOf(ctx, delivery)
      const left = until - performance.now()
      if (left <= 0) return null
      await sleep(Math.min(pause, left))
    }
  }

  return app => {
    app.register(async inner => {
      const scope = inner as unknown as App
      scope.removeAllContentTypeParsers()
      // Not parsed here: the stream itself is handed on.
      scope.addContentTypeParser(contentTypes, (_request, payload, done) => done(null, payload))

      scope.post(
        '/erp/v1/:connection/:route',
        {
          config: {
            permission: 'erp.deliver',
            refuses: [
              'connection_unknown',
              'erp_route_unknown',
              'delivery_too_large',
              'delivery_media_type',
              'delivery_encoding',
              'delivery_cut_off',
              'inbox_full'
            ]
          },
          schema: {
            operationId: 'erpDeliver',
            tags: ['erp'],
            summary: 'Hand in records; stored first, processed after the answer',
            description:
              'Answers 202 with the delivery. With `Prefer: wait=10` (at most 25) it waits for the result and answers 200 when it is ready in time. Without an Idempotency-Key a body equal to the newest one of the route is a duplicate (200).',
            params: Type.Object({ connection: Id, route: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$' }) }, closed),
            body: { content: Object.fromEntries(contentTypes.map(type => [type, { schema: Records }])) },
            response: { 200: Answer, 202: Answer, ...errorResponses }
          }
        },
        async (request, reply) => {
          const { connection, route } = request.params
          const ctx = own(request, connection)
          const adapter = await adapterOf(ctx, connection)
          if (adapter === undefined) throw refuseExchange('connection_unknown', 'There is no such connection.')
          if (!routesOf(adapters, adapter).has(route)) {
            throw refuseExchange('erp_route_unknown', `The adapter of this connection has no route "${route}".`)
          }
          await room.check(ctx, connection)
          const keyed = request.headers['idempotency-key'] !== undefined
          const raw = await take(ctx, connection, request, reply)
          // From here on the request stands for its content, so that an Idempotency-Key is compared by it.
          request.body = { size: raw.size, sha256: raw.sha256 }
          const prefer = waitOf(request)
          try {
            return await act(request, reply, {
              status: 202,
              run: async tx => {
                const { delivery, sameAs } = await recordDelivery(tx, { ...raw, connectionId: connection, way: 'http', name: route, keyed })
                return { delivery: sameAs?.id ?? delivery.id, duplicate: sameAs !== undefined }
              },
              show: async (_, { delivery, duplicate }) => {
                const result = prefer === undefined ? null : await waited(ctx, connection, delivery, prefer)
                if (prefer !== undefined) reply.header('preference-applied', `wait=${prefer}`)
                if (duplicate || result !== null) reply.code(200)
                return { delivery, href: `/erp/v1/${connection}/deliveries/${delivery}`, duplicate, result }
              }
            })
          } finally {
            // A repeat by Idempotency-Key, or a refusal, leaves bytes that no row names.
            await removeRaw(ctx, blobs, [raw.blobId])
          }
        }
      )

      scope.get(
        '/erp/v1/:connection/deliveries/:id',
        {
          config: { permission: 'erp.deliver', refuses: ['connection_unknown', 'delivery_unknown'] },
          schema: {
            operationId: 'erpGetDelivery',
            tags: ['erp'],
            summary: 'What became of a delivery: counts, and each record that was refused with the reason',
            params: Type.Object({ connection: Id, id: Id }, closed),
            response: { 200: DeliveryResultShape, ...errorResponses }
          }
        },
        async request => {
          const ctx = own(request, request.params.connection)
          const delivery = await findByConnection(ctx, request.params.connection, request.params.id)
          if (!delivery) throw refuseExchange('delivery_unknown', 'This connection has no such delivery.')
          return resultOf(ctx, delivery)
        }
      )

      scope.get(
        '/erp/v1/:connection/outbox',
        {
          config: { permission: 'erp.collect', refuses: ['connection_unknown'] },
          schema: {
            operationId: 'erpListOutbox',
            tags: ['erp'],
            summary: 'Documents for the ERP in the order in which they were written',
            description: 'Keep `next` and pass it as `after` the next time. Content never changes, so reading twice is harmless.',
            params: Connection,
            querystring: Type.Object(
              {
                after: Type.Optional(Type.String({ pattern: '^\\d{1,18}$', default: '0' })),
                limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 }))
              },
              closed
            ),
            response: {
              200: Type.Object(
                {
                  items: Type.Array(
                    Type.Object(
                      {
                        seq: Type.String(),
                        name: Type.String(),
                        sha256: Type.String(),
                        createdAt: Instant,
                        form: Type.Union([Type.Literal('json'), Type.Literal('text'), Type.Literal('base64')], {
                          description: 'What `body` is'
                        }),
                        body: Type.Unknown()
                      },
                      closed
                    )
                  ),
                  next: Type.String({ description: 'Pass as `after`; equal to the given one when nothing new is there' })
                },
                closed
              ),
              ...errorResponses
            }
          }
        },
        async request => {
          const { connection } = request.params
          const { after = '0', limit = 50 } = request.query
          const ctx = own(request, connection)
          const items = []
          let bytes = 0
          for (const file of await listOutboxFiles(ctx, connection, after, limit)) {
            bytes += Number(file.size)
            if (items.length > 0 && bytes > mostAnswerBytes) break
            const content = await readOutboxFile(ctx, connection, file.name)
            items.push({ seq: file.seq, name: file.name, sha256: file.sha256, createdAt: file.created_at, ...bodyOf(file.name, content) })
            await noteFetched(ctx, connection, file.name)
          }
          return { items, next: items.at(-1)?.seq ?? after }
        }
      )
    })
  }
}

/** Routes that the adapter takes records or acknowledgements by. */
function routesOf(adapters: AdapterRegistry, id: string): ReadonlySet<string> {
  const manifest = adapters.get(id)?.manifest
  return new Set([
    ...Object.values(manifest?.imports ?? {}).flatMap(capability => capability?.routes ?? []),
    ...(manifest?.acks?.routes ?? [])
  ])
}

/** Seconds of `Prefer: wait=N` (RFC 7240), at most 25: a proxy in between gives up at 30. */
function waitOf(request: FastifyRequest): number | undefined {
  const header = request.headers.prefer
  const match = /(?:^|,)\s*wait\s*=\s*"?(\d{1,4})"?\s*(?:[,;]|$)/i.exec(Array.isArray(header) ? header.join(',') : (header ?? ''))
  return match ? Math.min(Number(match[1]), longestWaitSeconds) : undefined
}

function bodyOf(name: string, content: Buffer): { form: 'json' | 'text' | 'base64'; body: unknown } {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content)
  } catch {
    return { form: 'base64', body: content.toString('base64') }
  }
  if (name.toLowerCase().endsWith('.json')) {
    try {
      return { form: 'json', body: JSON.parse(text) }
    } catch {
      return { form: 'text', body: text }
    }
  }
  return { form: 'text', body: text }
}
