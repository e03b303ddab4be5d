import { Type } from 'typebox'
import type { Ctx } from '../context.ts'
import type { App } from '../http/app.ts'
import { cursorOf, readCursor } from '../http/cursor.ts'
import { act } from '../http/idempotency.ts'
import { errorResponses, Id, Instant, named, Page, pageQuery, Text } from '../http/schemas.ts'
import type { Journal } from '../journal/append.ts'
import { refuseExchange } from './errors.ts'
import { messageDesk } from './message-desk.ts'
import { eventsOf, listMessages, messageBySeq, type Stored } from './outbox-store.ts'

const closed = { additionalProperties: false }
const tags = ['exchange']
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()])
const Number_ = Type.String({ pattern: '^\\d{1,18}$', description: 'Running number of the message' })

const MessageShape = named(
  'FeedbackMessage',
  Type.Object(
    {
      number: Number_,
      key: Type.String({ description: 'Stable for ever; the ERP sees it too' }),
      connectionId: orNull(Id),
      kind: Type.String(),
      orderingKey: Type.String({ description: 'Messages of one key reach the ERP in order' }),
      state: Type.String({ description: 'waiting, held, sealed, sending, accepted, delivered, rejected, unknown, parked, dropped' }),
      attempts: Type.Integer(),
      nextAttemptAt: orNull(Instant),
      confirmBy: orNull(Instant),
      document: orNull(Type.String({ description: "The ERP's document" })),
      reject: orNull(Type.Object({ code: Type.String(), message: Type.String() }, closed)),
      alarm: orNull(Type.String()),
      reverses: orNull(Type.String()),
      createdAt: Instant,
      sentAt: orNull(Instant),
      settledAt: orNull(Instant)
    },
    closed
  )
)
const EventShape = Type.Object(
  { at: Instant, event: Type.String(), state: Type.String(), detail: orNull(Type.String()), actor: Type.String() },
  closed
)
const DetailShape = named('FeedbackDetail', Type.Object({ message: MessageShape, events: Type.Array(EventShape) }, closed))

const view = (row: Stored) => ({
  number: row.seq,
  key: row.key,
  connectionId: row.connection_id,
  kind: row.kind,
  orderingKey: row.ordering_key,
  state: row.state,
  attempts: row.attempts,
  nextAttemptAt: row.next_attempt_at,
  confirmBy: row.confirm_by,
  document: row.document,
  reject: row.reject_code === null ? null : { code: row.reject_code, message: row.reject_message ?? '' },
  alarm: row.alarm,
  reverses: row.reverses,
  createdAt: row.created_at,
  sentAt: row.sent_at,
  settledAt: row.settled_at
})

/** The way out, for people: what was told to the ERP, how far it is, and the decisions that only a person can take. */
export function outboxRoutes({ journal }: { journal: Journal }) {
  const desk = messageDesk({ journal })

  async function one(ctx: Ctx, seq: string) {
    const row = await messageBySeq(ctx, seq)
    if (!row) throw refuseExchange('message_unknown', 'There is no such feedback message.')
    const events = (await eventsOf(ctx, seq)).map(({ at, event, state, detail, actor }) => ({ at, event, state, detail, actor }))
    return { message: view(row), events }
  }

  return (app: App): void => {
    app.get(
      '/api/v1/outbox',
      {
        config: { permission: 'exchange.read' },
        schema: {
          operationId: 'listFeedback',
          tags,
          summary: 'Feedback messages in the order they were made',
          querystring: Type.Object(
            {
              connectionId: Type.Optional(Id),
              state: Type.Optional(Text(20, { description: 'A state, or "open": everything that is not through' })),
              order: Type.Optional(Text(60, { description: 'Work order number' })),
              ...pageQuery
            },
            closed
          ),
          response: { 200: Page(MessageShape), ...errorResponses }
        }
      },
      async request => {
        const { connectionId = null, state = null, order = null, limit = 100 } = request.query
        const [given] = readCursor(request.query.after, ['string']) ?? ['0']
        // Made by hand, it is the end of no page; a number that is none would break the query.
        const after = /^\d{1,18}$/.test(given) ? given : '0'
        const rows = await listMessages(request.ctx, { connectionId, state, orderingKey: order, after, limit: limit + 1 })
        const items = rows.slice(0, limit)
        const last = items.at(-1)
        return { items: items.map(view), next: last && rows.length > limit ? cursorOf([last.seq]) : null }
      }
    )

    const params = Type.Object({ number: Number_ }, closed)
    app.get(
      '/api/v1/outbox/:number',
      {
        config: { permission: 'exchange.read', refuses: ['message_unknown'] },
        schema: {
          operationId: 'getFeedback',
          tags,
          summary: 'One message with all that happened to it',
          params,
          response: { 200: DetailShape, ...errorResponses }
        }
      },
      async request => one(request.ctx, request.params.number)
    )

    app.post(
      '/api/v1/outbox/:number/retry',
      {
        config: { permission: 'exchange.operate', refuses: ['message_unknown', 'message_state'] },
        schema: {
          operationId: 'retryFeedback',
          tags,
          summary: 'Send a refused message again after a fix, under the same key',
          params,
          response: { 200: DetailShape, ...errorResponses }
        }
      },
      async (request, reply) =>
        act(request, reply, {
          run: async tx => {
            await desk.retry(tx, request.params.number)
            return { seq: request.params.number }
          },
          show: (ctx, { seq }) => one(ctx, seq)
        })
    )

    app.post(
      '/api/v1/outbox/:number/decide',
      {
        config: { permission: 'exchange.decide', refuses: ['message_unknown', 'message_state'] },
        schema: {
          operationId: 'decideFeedback',
          tags,
          summary: 'Decide what nobody can look up: it is there, send it, or drop it',
          params,
          body: Type.Union([
            Type.Object({ decision: Type.Literal('there'), document: Text(100), reason: Text(200) }, closed),
            Type.Object({ decision: Type.Literal('send'), reason: Text(200) }, closed),
            Type.Object({ decision: Type.Literal('drop'), reason: Text(200) }, closed)
          ]),
          response: { 200: DetailShape, ...errorResponses }
        }
      },
      async (request, reply) => {
        return act(request, reply, {
          run: async tx => {
            await desk.decide(tx, request.params.number, request.body)
            return { seq: request.params.number }
          },
          show: (ctx, { seq }) => one(ctx, seq)
        })
      }
    )
  }
}
