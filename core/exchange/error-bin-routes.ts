import { Type } from 'typebox'
import type { Ctx } from '../context.ts'
import { withTx } from '../db/tx.ts'
import { refuse } from '../errors.ts'
import type { App } from '../http/app.ts'
import { cursorOf, readCursor } from '../http/cursor.ts'
import { act } from '../http/idempotency.ts'
import { errorResponses, Id, Page, pageQuery, Text } from '../http/schemas.ts'
import type { Journal } from '../journal/append.ts'
import { OrNull } from './connection-views.ts'
import { type ErrorBin, rowsOfEntry } from './error-bin.ts'
import { findEntry, listCauses, listEntries } from './error-bin-store.ts'
import { tryEntries } from './error-bin-trial.ts'
import { CauseShape, filterOf, filterQuery, RejectShape, TrialShape, viewOfEntry, viewOfTrial } from './error-bin-views.ts'
import { refuseExchange } from './errors.ts'
import type { ImportDeps } from './import.ts'

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

/** Records that did not get through, and what people do about them. */
export function errorBinRoutes({
  journal,
  bin,
  deps
}: {
  journal: Journal
  bin: ErrorBin
  /** Wired anew for each trial, since the modules are connected later. */
  deps: () => ImportDeps
}): (app: App) => void {
  async function one(ctx: Ctx, id: string) {
    const entry = await findEntry(ctx, id)
    if (!entry) throw refuseExchange('reject_unknown', 'There is no such entry in the error bin.')
    return viewOfEntry(ctx, entry)
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
        return { items: items.map(entry => viewOfEntry(ctx, entry)), next: last && rows.length > limit ? cursorOf([last.seq]) : null }
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
      '/api/v1/rejects/:id/dry-runs',
      {
        config: {
          permission: 'exchange.operate',
          refuses: ['reject_unknown', 'reject_state', 'reject_without_row', 'reject_without_table', 'mapping_invalid']
        },
        schema: {
          operationId: 'tryReject',
          tags,
          summary: 'What a replay would do now, with another row or a new translation if given; nothing is written',
          params: One,
          body: Type.Object(
            {
              which: Which,
              row: Type.Optional(Row),
              ours: Type.Optional(Text(120, { description: "Our code for the ERP's value" }))
            },
            closed
          ),
          response: { 200: TrialShape, ...errorResponses }
        }
      },
      async ({ ctx, params, body }) => {
        const { kind } = await one(ctx, params.id)
        const { which = 'one', row, ours } = body
        return viewOfTrial(ctx, kind, await tryEntries(deps(), ctx, params.id, { which, row, ours }))
      }
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
  }
}
