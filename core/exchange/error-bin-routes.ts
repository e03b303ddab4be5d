import { Type } from 'typebox'
import type { Ctx } from '../context.ts'
import { withTx } from '../db/tx.ts'
import { refuse } from '../errors.ts'
import type { App } from '../http/app.ts'
import { cursorOf, readCursor } from '../http/cursor.ts'
import { act } from '../http/idempotency.ts'
import { errorResponses, Id, Instant, named, Page, pageQuery, Text } from '../http/schemas.ts'
import type { Journal } from '../journal/append.ts'
import type { WithLease } from '../tasks/lease.ts'
import { OrNull } from './connection-views.ts'
import type { ConnectionDesk } from './connections.ts'
import { findDelivery } from './deliveries-store.ts'
import { DeliveryShape, viewOfDelivery } from './delivery-views.ts'
import { errorBin, messageOfEntry, rowsOfEntry, valueOfEntry } from './error-bin.ts'
import { type BinEntry, findEntry, listCauses, listEntries, type RejectState } from './error-bin-store.ts'
import { refuseExchange } from './errors.ts'
import type { Receivers } from './receivers.ts'

const closed = { additionalProperties: false }
const tags = ['error bin']
const One = Type.Object({ id: Id }, closed)
const Which = Type.Optional(
  Type.Union([Type.Literal('one'), Type.Literal('same_cause')], {
    default: 'one',
    description: 'This entry, or all open ones of its cause'
  })
)
const Counted = Type.Object({ count: Type.Integer({ description: 'Entries concerned' }) }, closed)
const Row = Type.Unsafe<Readonly<Record<string, unknown>>>({
  type: 'object',
  additionalProperties: true,
  description: "The ERP's row before the mapping"
})
const states = ['open', 'replaying', 'resolved', 'skipped'] as const satisfies readonly RejectState[]
const State = Type.Unsafe<RejectState>({ type: 'string', enum: [...states] })
const Direction = Type.Union([Type.Literal('in'), Type.Literal('out')])

const RejectShape = named(
  'Reject',
  Type.Object(
    {
      id: Id,
      number: Type.String(),
      connectionId: Id,
      direction: Direction,
      delivery: OrNull(Type.Object({ id: Id, number: Type.String(), name: Type.String() }, closed)),
      kind: Type.String(),
      key: OrNull(Type.String({ description: "The ERP's key; never of a person" })),
      line: OrNull(Type.Integer()),
      pointer: OrNull(Type.String()),
      code: Type.String(),
      message: Type.String({ description: 'What is wrong, in one sentence' }),
      field: OrNull(Type.String()),
      value: OrNull(Type.String({ description: 'Of people only with exchange.read_raw' })),
      codeTable: OrNull(Type.String({ description: 'A translation is missing there' })),
      cause: Type.String({ description: 'Equal for entries of one cause' }),
      state: State,
      attempts: Type.Integer(),
      hasRow: Type.Boolean({ description: 'The row is kept and can be edited' }),
      edited: Type.Boolean(),
      resolution: OrNull(Type.String()),
      resolvedAt: OrNull(Instant),
      createdAt: Instant
    },
    closed
  )
)

const viewOf = (ctx: Ctx, entry: BinEntry) => ({
  id: entry.id,
  number: entry.seq,
  connectionId: entry.connection_id,
  direction: entry.direction,
  delivery:
    entry.delivery_id === null ? null : { id: entry.delivery_id, number: entry.delivery_seq ?? '', name: entry.delivery_name ?? '' },
  kind: entry.kind,
  key: entry.record_key,
  line: entry.line,
  pointer: entry.pointer,
  code: entry.code,
  message: messageOfEntry(ctx, entry),
  field: entry.field,
  value: valueOfEntry(ctx, entry) ?? null,
  codeTable: entry.code_table,
  cause: entry.cause.toString('hex'),
  state: entry.state,
  attempts: entry.attempts,
  hasRow: entry.row_sealed !== null,
  edited: entry.edited_sealed !== null,
  resolution: entry.resolution,
  resolvedAt: entry.resolved_at,
  createdAt: entry.created_at
})

const CauseShape = named(
  'RejectCause',
  Type.Object({ cause: Type.String(), count: Type.Integer(), firstAt: Instant, lastAt: Instant, sample: RejectShape }, closed)
)

const filterQuery = {
  connection: Type.Optional(Id),
  delivery: Type.Optional(Id),
  state: Type.Optional(State),
  kind: Type.Optional(Text(40)),
  code: Type.Optional(Text(80)),
  direction: Type.Optional(Direction)
}

interface FilterQuery {
  readonly connection?: string
  readonly delivery?: string
  readonly state?: RejectState
  readonly kind?: string
  readonly code?: string
  readonly direction?: 'in' | 'out'
  readonly cause?: string
}
const filterOf = (query: FilterQuery) => ({
  connectionId: query.connection ?? null,
  deliveryId: query.delivery ?? null,
  state: query.state ?? null,
  kind: query.kind ?? null,
  code: query.code ?? null,
  cause: query.cause ?? null,
  direction: query.direction ?? null
})

export interface ErrorBinRoutesOptions {
  readonly journal: Journal
  readonly desk: Pick<ConnectionDesk, 'setMapping'>
  readonly withLease: WithLease
  /** Known after the modules are built. */
  readonly receivers: () => Receivers
}

/** Records that did not get through, and what people do about them. */
export function errorBinRoutes({ journal, desk, withLease, receivers }: ErrorBinRoutesOptions): (app: App) => void {
  const bin = errorBin({ journal, desk })

  async function one(ctx: Ctx, id: string) {
    const entry = await findEntry(ctx, id)
    if (!entry) throw refuseExchange('reject_unknown', 'There is no such entry in the error bin.')
    return viewOf(ctx, entry)
  }

  async function delivery(ctx: Ctx, id: string) {
    const row = await findDelivery(ctx, id)
    if (!row) throw refuseExchange('delivery_unknown', 'There is no such delivery.')
    return viewOfDelivery(row)
  }

  return app => {
    app.get(
      '/api/v1/rejects',
      {
        config: { permission: 'exchange.read' },
        schema: {
          operationId: 'listRejects',
          tags,
          summary: 'Entries of the error bin, newest first',
          querystring: Type.Object(
            { ...filterQuery, cause: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })), ...pageQuery },
            closed
          ),
          response: { 200: Page(RejectShape), ...errorResponses }
        }
      },
      async ({ ctx, query }) => {
        const { limit = 100, after } = query
        const before = readCursor(after, ['string'])?.[0] ?? null
        if (before !== null && !/^\d{1,18}$/.test(before))
          throw refuse('invalid_request', '`after` is not the `next` of a page of this list.')
        const rows = await listEntries(ctx, filterOf(query), { before, limit: limit + 1 })
        const items = rows.slice(0, limit)
        const last = items.at(-1)
        return { items: items.map(entry => viewOf(ctx, entry)), next: last && rows.length > limit ? cursorOf([last.seq]) : null }
      }
    )

    app.get(
      '/api/v1/reject-causes',
      {
        config: { permission: 'exchange.read' },
        schema: {
          operationId: 'listRejectCauses',
          tags,
          summary: 'Entries grouped by cause, most frequent first',
          querystring: Type.Object(
            { ...filterQuery, limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })) },
            closed
          ),
          response: { 200: Type.Object({ items: Type.Array(CauseShape) }, closed), ...errorResponses }
        }
      },
      async ({ ctx, query }) => {
        const groups = await listCauses(ctx, filterOf({ state: 'open', ...query }), query.limit ?? 50)
        const items = []
        for (const { cause, count, first_at, last_at, sample } of groups) {
          items.push({ cause, count, firstAt: first_at, lastAt: last_at, sample: await one(ctx, sample) })
        }
        return { items }
      }
    )

    app.get(
      '/api/v1/rejects/:id',
      {
        config: { permission: 'exchange.read', refuses: ['reject_unknown'] },
        schema: { operationId: 'getReject', tags, summary: 'One entry', params: One, response: { 200: RejectShape, ...errorResponses } }
      },
      ({ ctx, params }) => one(ctx, params.id)
    )

    app.get(
      '/api/v1/rejects/:id/row',
      {
        config: { permission: 'exchange.read_raw', refuses: ['reject_unknown'] },
        schema: {
          operationId: 'getRejectRow',
          tags,
          summary: 'The row as the ERP sent it, and what a person put in its place',
          description: 'It may hold data of employees, so each look is entered in the journal.',
          params: One,
          response: {
            200: Type.Object(
              { original: OrNull(Row), edited: OrNull(Row), mapped: Type.Boolean({ description: 'Goes through the mapping' }) },
              closed
            ),
            ...errorResponses
          }
        }
      },
      async ({ ctx, params }) => {
        const rows = await rowsOfEntry(ctx, params.id)
        await withTx(ctx, tx => journal.append(tx, { act: 'reject.read_raw', subject: 'exchange.reject', subjectId: params.id }))
        return rows
      }
    )

    app.put(
      '/api/v1/rejects/:id/row',
      {
        config: { permission: 'exchange.read_raw', refuses: ['forbidden', 'reject_unknown', 'reject_state', 'reject_without_row'] },
        schema: {
          operationId: 'editReject',
          tags,
          summary: 'Edits the row and replays it; the original is kept',
          description: 'Needs exchange.operate as well.',
          params: One,
          body: Type.Object({ row: Row }, closed),
          response: { 202: RejectShape, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { id } = request.params
        if (!request.ctx.grant.permissions.has('exchange.operate'))
          throw refuse('forbidden', 'Editing a row needs the permission exchange.operate as well.')
        return act(request, reply, {
          status: 202,
          run: async tx => {
            await bin.edit(tx, id, request.body.row)
            return { id }
          },
          show: ctx => one(ctx, id)
        })
      }
    )

    app.post(
      '/api/v1/rejects/:id/replay',
      {
        config: { permission: 'exchange.operate', refuses: ['reject_unknown', 'reject_state', 'delivery_not_replayable'] },
        schema: {
          operationId: 'replayReject',
          tags,
          summary: "Replays an entry with today's mapping, or all of its cause",
          params: One,
          body: Type.Object({ which: Which }, closed),
          response: { 202: Counted, ...errorResponses }
        }
      },
      async (request, reply) =>
        act(request, reply, {
          status: 202,
          run: async tx => ({ count: await bin.replay(tx, request.params.id, request.body.which ?? 'one') }),
          show: (_, made) => made
        })
    )

    app.post(
      '/api/v1/rejects/:id/skip',
      {
        config: { permission: 'exchange.operate', refuses: ['reject_unknown', 'reject_state'] },
        schema: {
          operationId: 'skipReject',
          tags,
          summary: 'Leaves an entry, or all of its cause, aside for a reason',
          params: One,
          body: Type.Object({ reason: Text(300), which: Which }, closed),
          response: { 200: Counted, ...errorResponses }
        }
      },
      async (request, reply) =>
        act(request, reply, {
          run: async tx => ({ count: await bin.skip(tx, request.params.id, request.body.which ?? 'one', request.body.reason) }),
          show: (_, made) => made
        })
    )

    app.post(
      '/api/v1/rejects/:id/translation',
      {
        config: {
          permission: 'exchange.configure',
          refuses: [
            'reject_unknown',
            'reject_state',
            'reject_without_table',
            'code_entry_exists',
            'mapping_invalid',
            'delivery_not_replayable'
          ]
        },
        schema: {
          operationId: 'addTranslation',
          tags,
          summary: 'Adds the missing translation and replays everything that it held up',
          params: One,
          body: Type.Object({ ours: Text(120, { description: "Our code for the ERP's value" }) }, closed),
          response: { 202: Counted, ...errorResponses }
        }
      },
      async (request, reply) =>
        act(request, reply, {
          status: 202,
          run: async tx => ({ count: await bin.translate(tx, request.params.id, request.body.ours) }),
          show: (_, made) => made
        })
    )

    app.post(
      '/api/v1/deliveries/:id/replays',
      {
        config: { permission: 'exchange.operate', refuses: ['delivery_unknown', 'delivery_not_replayable'] },
        schema: {
          operationId: 'replayDelivery',
          tags,
          summary: "Runs a stored delivery again with today's mapping",
          description: 'Records that came later stay as they are: the delivery keeps the place of its arrival.',
          params: One,
          body: Type.Object(
            { only: Type.Optional(Type.Union([Type.Literal('all'), Type.Literal('rejects')], { default: 'all' })) },
            closed
          ),
          response: { 202: DeliveryShape, ...errorResponses }
        }
      },
      async (request, reply) =>
        act(request, reply, {
          status: 202,
          run: async tx => ({ id: await bin.replayDelivery(tx, request.params.id, request.body.only ?? 'all') }),
          show: (ctx, made) => delivery(ctx, made.id)
        })
    )

    app.post(
      '/api/v1/deliveries/:id/closing',
      {
        config: { permission: 'exchange.operate', refuses: ['delivery_unknown', 'delivery_not_held', 'unavailable'] },
        schema: {
          operationId: 'decideClosing',
          tags,
          summary: 'Lets a held snapshot close what it did not name, or keeps it',
          params: One,
          body: Type.Object({ decision: Type.Union([Type.Literal('close'), Type.Literal('keep')]) }, closed),
          response: { 200: DeliveryShape, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { id } = request.params
        const held = await delivery(request.ctx, id)
        // Not beside a running import of the same connection, which may be about to name what would be closed.
        const done = await withLease(request.ctx, `import:${held.connectionId}`, lease =>
          act(request, reply, {
            run: async tx => {
              await lease.check(tx)
              await bin.decideClosing(tx, receivers(), id, request.body.decision)
              return { id }
            },
            show: ctx => delivery(ctx, id)
          })
        )
        if (!done) throw refuse('unavailable', 'An import of this connection is running. Repeat in a moment.', { retryAfterSeconds: 5 })
        return done
      }
    )
  }
}
