import { type Static, Type } from 'typebox'
import type { Ctx } from '../context.ts'
import { Id, Instant, named } from '../http/schemas.ts'
import type { Delivery, DeliveryState } from './deliveries-store.ts'
import { type DeliveryReject, rejectsOf } from './delivery-errors.ts'

const closed = { additionalProperties: false }
const OrNull = <T extends Parameters<typeof Type.Union>[0][number]>(shape: T) => Type.Union([shape, Type.Null()])
const Count = Type.Integer({ minimum: 0 })

export const deliveryStates = [
  'arriving',
  'incomplete',
  'stored',
  'processing',
  'done',
  'done_with_rejects',
  'rejected',
  'parked',
  'duplicate',
  'held'
] as const satisfies readonly DeliveryState[]
const settledStates: ReadonlySet<string> = new Set(['done', 'done_with_rejects', 'rejected', 'parked', 'duplicate', 'held', 'incomplete'])
export const isSettled = (delivery: Delivery): boolean => settledStates.has(delivery.state)

const State = Type.Unsafe<DeliveryState>({
  type: 'string',
  enum: [...deliveryStates],
  description: 'arriving and incomplete: not whole; stored and processing: on its way; the others are final'
})

export const DeliveryShape = named(
  'Delivery',
  Type.Object(
    {
      id: Id,
      number: Type.String({ description: 'Running number over all connections; also in the names under archive/ and rejected/' }),
      connectionId: Id,
      way: Type.Union([Type.Literal('sftp'), Type.Literal('http'), Type.Literal('pull'), Type.Literal('replay')]),
      name: Type.String({ description: 'File name, route, or kind of a pull' }),
      size: Type.Integer(),
      sha256: OrNull(Type.String()),
      state: State,
      reason: OrNull(Type.Object({ code: Type.String(), detail: Type.String() }, closed)),
      counts: Type.Object(
        {
          ...{ read: Count, new: Count, changed: Count, unchanged: Count, stale: Count, closed: Count, rejected: Count, held: Count },
          ...{ duplicate: Count, acks: Count }
        },
        { ...closed, description: 'Records read, and what became of each; closed also counts what a full list did not name' }
      ),
      replayOf: OrNull(Id),
      rawKept: Type.Boolean({ description: 'Whether the bytes as they came can still be downloaded' }),
      receivedAt: Instant,
      storedAt: OrNull(Instant),
      finishedAt: OrNull(Instant)
    },
    closed
  )
)

export function viewOfDelivery(d: Delivery): Static<typeof DeliveryShape> {
  return {
    id: d.id,
    number: d.seq,
    connectionId: d.connection_id,
    way: d.way,
    name: d.name,
    size: Number(d.size),
    sha256: d.sha256,
    state: d.state,
    reason: d.reason_code === null ? null : { code: d.reason_code, detail: d.reason ?? '' },
    counts: {
      read: Number(d.read_count),
      new: Number(d.new_count),
      changed: Number(d.changed_count),
      unchanged: Number(d.unchanged_count),
      stale: Number(d.stale_count),
      closed: Number(d.closed_count),
      rejected: Number(d.rejected_count),
      held: Number(d.held_count),
      duplicate: Number(d.duplicate_count),
      acks: Number(d.ack_count)
    },
    replayOf: d.replay_of,
    rawKept: d.blob_id !== null && d.sha256 !== null,
    receivedAt: d.received_at,
    storedAt: d.stored_at,
    finishedAt: d.finished_at
  }
}

export const DeliveryResultShape = named(
  'DeliveryResult',
  Type.Object(
    {
      delivery: DeliveryShape,
      rejects: Type.Array(
        Type.Object(
          {
            item: OrNull(Type.String({ description: 'Ordinal of the record in the delivery' })),
            line: OrNull(Type.Integer()),
            pointer: OrNull(Type.String()),
            kind: Type.String(),
            key: OrNull(Type.String()),
            field: OrNull(Type.String()),
            code: Type.String(),
            message: Type.String(),
            state: Type.Union([Type.Literal('open'), Type.Literal('replaying'), Type.Literal('resolved'), Type.Literal('skipped')])
          },
          closed
        )
      ),
      moreRejects: Type.Boolean({ description: 'The list was cut; the error bin has all of them' })
    },
    closed
  )
)

const mostRejects = 1_000

/** A delivery with the records that did not get through. */
export async function resultOf(ctx: Ctx, delivery: Delivery): Promise<Static<typeof DeliveryResultShape>> {
  const rejects = Number(delivery.rejected_count) === 0 && !isSettled(delivery) ? [] : await rejectsOf(ctx, delivery.id, mostRejects + 1)
  return {
    delivery: viewOfDelivery(delivery),
    rejects: rejects.slice(0, mostRejects).map(viewOfReject),
    moreRejects: rejects.length > mostRejects
  }
}

const viewOfReject = (r: DeliveryReject) => ({
  item: r.item,
  line: r.line,
  pointer: r.pointer,
  kind: r.kind,
  key: r.record_key,
  field: r.field,
  code: r.code,
  message: r.message,
  state: r.state
})
