import { type Static, Type } from 'typebox'
import type { Ctx } from '../context.ts'
import { Id, Instant, named, Text } from '../http/schemas.ts'
import { OrNull } from './connection-views.ts'
import { messageOfEntry, valueOfEntry } from './error-bin.ts'
import type { BinEntry, RejectState } from './error-bin-store.ts'
import type { TrialResult } from './error-bin-trial.ts'
import { shownMessage, withoutValues } from './rejects-store.ts'

const closed = { additionalProperties: false }
const states = ['open', 'replaying', 'resolved', 'skipped'] as const satisfies readonly RejectState[]
const State = Type.Unsafe<RejectState>({ type: 'string', enum: [...states] })
const Direction = Type.Union([Type.Literal('in'), Type.Literal('out')])

export const RejectShape = named(
  'Reject',
  Type.Object(
    {
      id: Id,
      number: Type.String(),
      connectionId: Id,
      direction: Direction,
      delivery: OrNull(Type.Object({ id: Id, number: Type.String(), name: Type.String() }, closed)),
      feedback: OrNull(Type.String({ description: 'Number of the message that the ERP refused' })),
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

/** An entry as this reader may see it. */
export const viewOfEntry = (ctx: Ctx, entry: BinEntry): Static<typeof RejectShape> => ({
  id: entry.id,
  number: entry.seq,
  connectionId: entry.connection_id,
  direction: entry.direction,
  delivery:
    entry.delivery_id === null ? null : { id: entry.delivery_id, number: entry.delivery_seq ?? '', name: entry.delivery_name ?? '' },
  feedback: entry.outbox_seq,
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

const Count = Type.Integer({ minimum: 0 })
export const TrialShape = named(
  'RejectTrial',
  Type.Object(
    {
      count: Type.Integer({ description: 'Entries concerned' }),
      tried: Type.Integer({ description: 'Those of them whose row is kept, at most 1000' }),
      counts: Type.Object({ new: Count, changed: Count, unchanged: Count, stale: Count, held: Count, rejected: Count }, closed),
      fields: Type.Array(Type.String(), { description: 'Fields of ours that would change' }),
      reject: OrNull(
        Type.Object(
          {
            code: Type.String(),
            message: Type.String(),
            field: OrNull(Type.String()),
            value: OrNull(Type.String()),
            codeTable: OrNull(Type.String())
          },
          { ...closed, description: 'The first that would be refused again' }
        )
      )
    },
    closed
  )
)

export function viewOfTrial(ctx: Ctx, kind: string, { count, tried, counts, fields, reject }: TrialResult): Static<typeof TrialShape> {
  const hidden = kind === 'employee' && !ctx.grant.permissions.has('exchange.read_raw')
  const { new: added, changed, unchanged, stale, held, rejected } = counts
  return {
    count,
    tried,
    counts: { new: added, changed, unchanged, stale, held, rejected },
    fields: [...fields],
    reject: reject && {
      code: reject.code,
      message: hidden ? shownMessage(withoutValues(reject), undefined) : reject.message,
      field: reject.field ?? null,
      value: hidden ? null : (reject.table?.value ?? reject.value ?? null),
      codeTable: reject.table?.name ?? null
    }
  }
}

export const CauseShape = named(
  'RejectCause',
  Type.Object({ cause: Type.String(), count: Type.Integer(), firstAt: Instant, lastAt: Instant, sample: RejectShape }, closed)
)

export const filterQuery = {
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
export const filterOf = (query: FilterQuery) => ({
  connectionId: query.connection ?? null,
  deliveryId: query.delivery ?? null,
  state: query.state ?? null,
  kind: query.kind ?? null,
  code: query.code ?? null,
  cause: query.cause ?? null,
  direction: query.direction ?? null
})
