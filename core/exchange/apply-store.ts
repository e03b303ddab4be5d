import { sql } from 'kysely'
import type { ImportKind } from '../../adapters/contract/index.ts'
import type { Ctx, TxCtx } from '../context.ts'
import { causeOf, view } from '../db/tx.ts'
import type { DeliveryState, DeliveryWay } from './deliveries-store.ts'

const own = view<Record<string, never>>()

/** What a run needs to know of a delivery. */
export interface WorkDelivery {
  readonly id: string
  readonly seq: string
  readonly connectionId: string
  readonly way: DeliveryWay
  readonly name: string
  readonly size: string
  readonly sha256: string | null
  readonly blobId: string | null
  readonly state: DeliveryState
  readonly position: number
  readonly chunkDone: number
  readonly replayOf: string | null
  readonly rejectsOnly: boolean
  readonly attempts: number
  readonly reasonCode: string | null
  readonly nextAttemptAt: string | null
  readonly receivedAt: string
  readonly unknownColumns: Readonly<Record<string, number>>
  readonly pendingClose: readonly PendingClose[] | null
}

/** What a snapshot would close, waiting for a person. */
export interface PendingClose {
  readonly kind: ImportKind
  readonly scope: string | null
  readonly count: number
  readonly of: number
}

interface WorkRow {
  id: string
  seq: string
  connection_id: string
  way: DeliveryWay
  name: string
  size: string
  sha256: string | null
  blob_id: string | null
  state: DeliveryState
  position: string
  chunk_done: number
  replay_of: string | null
  replay_rejects_only: boolean
  attempts: number
  reason_code: string | null
  next_attempt_at: string | null
  received_at: string
  unknown_columns: Record<string, number> | null
  pending_close: PendingClose[] | null
}
const workView = view<{ 'exchange.delivery': WorkRow }>()
const workColumns = [
  'id',
  'seq',
  'connection_id',
  'way',
  'name',
  'size',
  'sha256',
  'blob_id',
  'state',
  'position',
  'chunk_done',
  'replay_of',
  'replay_rejects_only',
  'attempts',
  'reason_code',
  'next_attempt_at',
  'received_at',
  'unknown_columns',
  'pending_close'
] as const satisfies readonly (keyof WorkRow)[]

const workOf = (row: WorkRow): WorkDelivery => ({
  id: row.id,
  seq: row.seq,
  connectionId: row.connection_id,
  way: row.way,
  name: row.name,
  size: row.size,
  sha256: row.sha256,
  blobId: row.blob_id,
  state: row.state,
  position: Number(row.position),
  chunkDone: row.chunk_done,
  replayOf: row.replay_of,
  rejectsOnly: row.replay_rejects_only,
  attempts: row.attempts,
  reasonCode: row.reason_code,
  nextAttemptAt: row.next_attempt_at,
  receivedAt: row.received_at,
  unknownColumns: row.unknown_columns ?? {},
  pendingClose: row.pending_close
})

export async function findWork(c: Ctx | TxCtx, id: string): Promise<WorkDelivery | undefined> {
  const row = await workView(c).selectFrom('exchange.delivery').select(workColumns).where('id', '=', id).executeTakeFirst()
  return row && workOf(row)
}

export async function lockWork(tx: TxCtx, id: string): Promise<WorkDelivery | undefined> {
  const row = await workView(tx)
    .selectFrom('exchange.delivery')
    .select(workColumns)
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst()
  return row && workOf(row)
}

/** The oldest delivery of a connection that is not finished; later ones wait for it. Pulls run on their own. */
export async function nextWork(c: Ctx, connectionId: string): Promise<WorkDelivery | undefined> {
  const { rows } = await sql<WorkRow>`
    select ${sql.join(workColumns.map(column => sql.ref(column)))} from exchange.delivery
    where connection_id = ${connectionId}::uuid and state in ('stored', 'processing') and way <> 'pull' order by seq limit 1`.execute(
    own(c)
  )
  return rows[0] && workOf(rows[0])
}

/** Active connections with deliveries or replays to work on, whether their time has come or not. */
export async function connectionsWithWork(c: Ctx): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from exchange.connection k where state = 'active' and (
      exists (select 1 from exchange.delivery d where d.connection_id = k.id and d.state in ('stored', 'processing') and d.way <> 'pull')
      or exists (select 1 from exchange.reject r where r.connection_id = k.id and r.state = 'replaying' and r.direction = 'in'))
    order by id`.execute(own(c))
  return rows.map(row => row.id)
}

/**
 * Begins, or goes on. Places inside a halved chunk are counted in records as the mapping made them: under another mapping the chunk
 * begins again, and what it had committed comes out unchanged.
 * @returns how many records of the chunk behind `position` are done
 */
export async function beginWork(tx: TxCtx, id: string, mappingVersion: number): Promise<number> {
  const { rows } = await sql<{
    chunk_done: number
  }>`update exchange.delivery set state = 'processing', mapping_version = ${mappingVersion}::int,
    chunk_done = case when mapping_version = ${mappingVersion}::int then chunk_done else 0 end, next_attempt_at = null,
    changed_at = ${tx.clock.iso()}::timestamptz where id = ${id}::uuid returning chunk_done`.execute(own(tx))
  return rows[0]?.chunk_done ?? 0
}

export interface Counts {
  readonly read: number
  readonly new: number
  readonly changed: number
  readonly unchanged: number
  readonly stale: number
  readonly closed: number
  readonly rejected: number
  readonly held: number
  readonly duplicate: number
  readonly acks: number
}
export const noCounts: Counts = {
  read: 0,
  new: 0,
  changed: 0,
  unchanged: 0,
  stale: 0,
  closed: 0,
  rejected: 0,
  held: 0,
  duplicate: 0,
  acks: 0
}
export const addCounts = (a: Counts, b: Partial<Counts>): Counts =>
  Object.fromEntries(Object.entries(a).map(([name, n]) => [name, n + (b[name as keyof Counts] ?? 0)])) as unknown as Counts

/** Commits how far a run has come, with its records. Without a row the run is stopped: somebody finished the delivery meanwhile. */
export async function saveProgress(
  tx: TxCtx,
  id: string,
  progress: { position: number | null; chunkDone: number; counts: Counts; unknown: Readonly<Record<string, number>> | null }
): Promise<void> {
  const { counts } = progress
  const result =
    await sql`update exchange.delivery set position = coalesce(${progress.position}::bigint, position), chunk_done = ${progress.chunkDone}::int,
      read_count = read_count + ${counts.read}::bigint, new_count = new_count + ${counts.new}::bigint, changed_count = changed_count + ${counts.changed}::bigint,
      unchanged_count = unchanged_count + ${counts.unchanged}::bigint, stale_count = stale_count + ${counts.stale}::bigint,
      closed_count = closed_count + ${counts.closed}::bigint, rejected_count = rejected_count + ${counts.rejected}::bigint,
      held_count = held_count + ${counts.held}::bigint, duplicate_count = duplicate_count + ${counts.duplicate}::bigint,
      ack_count = ack_count + ${counts.acks}::bigint,
      unknown_columns = coalesce(${progress.unknown === null ? null : JSON.stringify(progress.unknown)}::jsonb, unknown_columns),
      changed_at = ${tx.clock.iso()}::timestamptz
    where id = ${id}::uuid and state in ('processing', 'held')`.execute(own(tx))
  if ((result.numAffectedRows ?? 0n) !== 1n) throw new WorkGone(id)
}

/** The delivery was finished or taken away while a run worked on it. */
export class WorkGone extends Error {
  constructor(id: string) {
    super(`delivery ${id} is not being processed any more`)
    this.name = 'WorkGone'
  }
}

/** The last word on a delivery, or a pause until the next attempt. */
export async function settleWork(
  tx: TxCtx,
  id: string,
  to: {
    state: DeliveryState
    finished: boolean
    reasonCode: string | null
    reason: string | null
    attempts?: number
    nextAttemptAt?: string
    pendingClose?: readonly PendingClose[] | null
  }
): Promise<void> {
  const at = tx.clock.iso()
  await sql`update exchange.delivery set state = ${to.state}, finished_at = ${to.finished ? at : null}::timestamptz, reason_code = ${to.reasonCode},
      reason = ${to.reason === null ? null : to.reason.slice(0, 1000)}, attempts = coalesce(${to.attempts ?? null}::int, attempts),
      next_attempt_at = ${to.nextAttemptAt ?? null}::timestamptz,
      pending_close = ${to.pendingClose === undefined || to.pendingClose === null ? null : JSON.stringify(to.pendingClose)}::jsonb,
      changed_at = ${at}::timestamptz
    where id = ${id}::uuid`.execute(own(tx))
}

/** Whether records of a delivery are in the bin, or were put there and are being replayed. */
export async function countRejected(c: Ctx | TxCtx, id: string): Promise<number> {
  const { rows } = await sql<{ n: string }>`select rejected_count + held_count as n from exchange.delivery where id = ${id}::uuid`.execute(
    own(c)
  )
  return Number(rows[0]?.n ?? 0)
}

/** Part of a transaction that may be taken back alone; for dry runs, which live in one transaction. */
export async function withinSavepoint<R>(tx: TxCtx, fn: () => Promise<R>): Promise<R> {
  await tx.tx.client.query('savepoint part')
  try {
    const result = await fn()
    await tx.tx.client.query('release savepoint part')
    return result
  } catch (error) {
    await tx.tx.client.query('rollback to savepoint part')
    throw await causeOf(tx.tx, error)
  }
}
