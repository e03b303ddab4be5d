import type { ServerResponse } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { refuse } from '../errors.ts'
import { newId } from '../ids.ts'
import type { Changes } from '../tasks/changes.ts'
import type { App } from './app.ts'
import { errorResponses } from './schemas.ts'

/** Shorter than any proxy's patience and than the server's own time-out for quiet sockets. */
const beatMs = 15_000
const mostPerUser = 20
const mostPerTenant = 500
const mostFeeds = 2_000
/** A screen that reads so little of so small a stream is gone. */
const mostUnread = 64 * 1024
/** How long an end may wait for a screen that does not read. */
const endMs = 1_000

interface Feed {
  /** Begins every event's id. Another one after a gap: places in the feed of before are not known any more. */
  id: string
  /** Number of the newest event. */
  number: number
  /** Part -> number of its newest event. */
  readonly parts: Map<string, number>
  readonly streams: Set<Stream>
}

interface Stream {
  readonly feed: Feed
  readonly userId: string
  readonly response: ServerResponse
  readonly request: FastifyRequest
}

export interface LiveOptions {
  readonly changes: Pick<Changes, 'onChange'>
  /** Whether the credential of the request would still be let in. */
  readonly alive: (request: FastifyRequest) => Promise<boolean>
  /** How many streams are open in this process. */
  readonly gauge?: (open: number) => void
  readonly beatMs?: number | undefined
}

/**
 * GET /api/v1/live: server-sent events (WHATWG HTML 9.2) that name the parts of the product in which something changed for this
 * customer. `changed` carries their names, `reset` says that anything may have; `Last-Event-ID` goes on where a stream ended. A
 * comment every 15 seconds shows that the server is there. The stream ends with the token, with the session, and with the server.
 */
export function liveRoute(app: App, options: LiveOptions): void {
  const feeds = new Map<string, Feed>()
  const all = new Set<Stream>()

  const off = options.changes.onChange((tenantId, parts) => {
    if (tenantId === undefined) {
      // What was missed is not known: every place in every feed is too old now.
      for (const feed of feeds.values()) {
        feed.id = newId()
        for (const stream of feed.streams) send(stream, event(feed, 'reset', []))
      }
      return
    }
    const feed = feeds.get(tenantId)
    if (!feed) return
    feed.number++
    for (const part of parts) feed.parts.set(part, feed.number)
    for (const stream of feed.streams) send(stream, event(feed, 'changed', parts))
  })

  const event = (feed: Feed, name: string, parts: readonly string[]): string =>
    `id: ${feed.id}-${feed.number}\nevent: ${name}\ndata: ${JSON.stringify(parts)}\n\n`

  function send(stream: Stream, text: string): void {
    if (stream.response.writableLength > mostUnread) stream.response.destroy()
    else stream.response.write(text)
  }

  function leave(stream: Stream): void {
    if (!all.delete(stream)) return
    stream.feed.streams.delete(stream)
    options.gauge?.(all.size)
  }

  function finish(stream: Stream): void {
    leave(stream)
    stream.response.end()
    setTimeout(() => stream.response.destroy(), endMs).unref()
  }

  let looking = false
  /** One after the other: a slow database is not asked by all screens at once. */
  async function look(): Promise<void> {
    if (looking) return
    looking = true
    for (const stream of all) {
      // The database does not answer: that is no reason to end what only hints.
      const alive = await options.alive(stream.request).catch(() => true)
      if (!alive) finish(stream)
    }
    looking = false
  }
  const timer = setInterval(() => {
    for (const stream of all) send(stream, ':\n\n')
    void look()
  }, options.beatMs ?? beatMs)
  timer.unref()
  let closing = false
  app.addHook('preClose', async () => {
    closing = true
    clearInterval(timer)
    off()
    for (const stream of all) finish(stream)
  })

  function feedOf(tenantId: string): Feed {
    const known = feeds.get(tenantId)
    if (known) return known
    if (feeds.size >= mostFeeds) for (const [id, feed] of feeds) if (feed.streams.size === 0) feeds.delete(id)
    const made: Feed = { id: newId(), number: 0, parts: new Map(), streams: new Set() }
    feeds.set(tenantId, made)
    return made
  }

  /** @returns undefined for a place of another feed, of another process, or of nobody */
  function placeIn(feed: Feed, last: string | string[] | undefined): number | undefined {
    if (typeof last !== 'string' || !last.startsWith(`${feed.id}-`)) return undefined
    const number = last.slice(feed.id.length + 1)
    return /^\d{1,15}$/.test(number) && Number(number) <= feed.number ? Number(number) : undefined
  }

  app.get(
    '/api/v1/live',
    {
      config: { permission: 'session.own', endless: true, refuses: ['too_many_requests'] },
      schema: {
        operationId: 'followChanges',
        tags: ['live'],
        summary: 'Which parts of the product change, as they change',
        description:
          'Server-sent events. `changed` names parts (workorders, inventory, timekeeping, authz, exchange) whose data may answer differently now; `reset` means all. Send `Last-Event-ID` to go on after a break.',
        headers: Type.Object({ 'last-event-id': Type.Optional(Type.String({ maxLength: 80 })) }),
        response: { 200: { content: { 'text/event-stream': { schema: Type.String() } } }, ...errorResponses }
      }
    },
    (request, reply) => {
      if (closing) throw refuse('unavailable', 'The server stops. Follow again in a moment.', { retryAfterSeconds: 1 })
      const { tenant, principal } = request.ctx
      const feed = feedOf(tenant.id)
      const mine = [...feed.streams].filter(({ userId }) => userId === principal.id).length
      if (mine >= mostPerUser || feed.streams.size >= mostPerTenant) {
        throw refuse('too_many_requests', 'Too many windows follow the changes. Close some, then this one follows again.', {
          retryAfterSeconds: 60
        })
      }
      const response = reply.raw
      const stream: Stream = { feed, userId: principal.id, response, request }
      response.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        'content-type': 'text/event-stream; charset=utf-8',
        'x-accel-buffering': 'no',
        connection: 'close'
      })
      const last = request.headers['last-event-id']
      const place = placeIn(feed, last)
      const missed = place === undefined ? [] : [...feed.parts].filter(([, number]) => number > place).map(([part]) => part)
      const first = last === undefined ? 'open' : place === undefined ? 'reset' : missed.length > 0 ? 'changed' : 'open'
      response.write(event(feed, first, missed))
      feed.streams.add(stream)
      all.add(stream)
      options.gauge?.(all.size)
      response.once('close', () => leave(stream))
      reply.hijack()
    }
  )
}
