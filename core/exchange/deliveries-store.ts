import type { ColumnType, Generated } from 'kysely'
import { type Kysely, sql } from 'kysely'
import type { Ctx, TxCtx } from '../context.ts'
import { view } from '../db/tx.ts'

export type DeliveryWay = 'sftp' | 'http' | 'pull' | 'replay'
export type DeliveryState =
  | 'arriving'
  | 'incomplete'
  | 'stored'
  | 'processing'
  | 'done'
  | 'done_with_rejects'
  | 'rejected'
  | 'parked'
  | 'duplicate'
  | 'held'

/** The columns of exchange.delivery that arriving and showing need; counts are text (bigint). */
export interface DeliveryRow {
  id: string
  seq: Generated<string>
  connection_id: string
  way: DeliveryWay
  name: string
  size: ColumnType<string, number | string, number | string>
  sha256: string | null
  blob_id: string | null
  state: DeliveryState
  read_count: Generated<string>
  new_count: Generated<string>
  changed_count: Generated<string>
  unchanged_count: Generated<string>
  stale_count: Generated<string>
  closed_count: Generated<string>
  rejected_count: Generated<string>
  held_count: Generated<string>
  duplicate_count: Generated<string>
  ack_count: Generated<string>
  replay_of: string | null
  reason_code: string | null
  reason: string | null
  inbox_name: string | null
  removed_at: string | null
  closed_at: string | null
  modified_at: string | null
  received_at: string
  stored_at: string | null
  finished_at: string | null
  created_at: Generated<string>
  changed_at: Generated<string>
}

interface Tables {
  'exchange.delivery': DeliveryRow
  'exchange.connection': { id: string; adapter: string; state: string; last_in_at: string | null }
}
export const own = view<Tables>()

export const columns = [
  'id',
  'seq',
  'connection_id',
  'way',
  'name',
  'size',
  'sha256',
  'blob_id',
  'state',
  'read_count',
  'new_count',
  'changed_count',
  'unchanged_count',
  'stale_count',
  'closed_count',
  'rejected_count',
  'held_count',
  'duplicate_count',
  'ack_count',
  'replay_of',
  'reason_code',
  'reason',
  'inbox_name',
  'removed_at',
  'closed_at',
  'modified_at',
  'received_at',
  'stored_at',
  'finished_at'
] as const satisfies readonly (keyof DeliveryRow)[]

/** A delivery as read. */
export type Delivery = {
  readonly [K in (typeof columns)[number]]: DeliveryRow[K] extends ColumnType<infer S, infer _I, infer _U> ? S : DeliveryRow[K]
}

/** States in which a delivery of equal content still stands for what the ERP sent last. */
const inForce: readonly DeliveryState[] = ['stored', 'processing', 'done', 'done_with_rejects', 'held', 'duplicate']

export async function insertDelivery(
  c: TxCtx,
  row: Pick<Delivery, 'id' | 'connection_id' | 'way' | 'name' | 'state' | 'received_at'> &
    Partial<Pick<Delivery, 'sha256' | 'blob_id' | 'inbox_name' | 'stored_at' | 'finished_at' | 'closed_at'>> & { size?: number }
): Promise<Delivery> {
  return own(c)
    .insertInto('exchange.delivery')
    .values({ size: 0, created_at: row.received_at, changed_at: row.received_at, ...row } as never)
    .returning(columns)
    .executeTakeFirstOrThrow() as Promise<Delivery>
}

export const read = (c: Ctx | TxCtx) => (own(c) as Kysely<Tables>).selectFrom('exchange.delivery').select(columns)

/** Takes the connection's row, so that arrivals of one connection are stored one after another. @returns its adapter's id */
export async function lockConnection(c: TxCtx, connectionId: string): Promise<string | undefined> {
  const row = await own(c)
    .selectFrom('exchange.connection')
    .select('adapter')
    .where('id', '=', connectionId)
    .forNoKeyUpdate()
    .executeTakeFirst()
  return row?.adapter
}

export async function adapterOf(c: Ctx | TxCtx, connectionId: string): Promise<string | undefined> {
  const row = await own(c).selectFrom('exchange.connection').select('adapter').where('id', '=', connectionId).executeTakeFirst()
  return row?.adapter
}

export async function noteArrival(c: TxCtx, connectionId: string, at: string): Promise<void> {
  await own(c).updateTable('exchange.connection').set({ last_in_at: at }).where('id', '=', connectionId).execute()
}

export async function findDelivery(c: Ctx | TxCtx, id: string): Promise<Delivery | undefined> {
  return (await read(c).where('id', '=', id).executeTakeFirst()) as Delivery | undefined
}

export async function findByConnection(c: Ctx | TxCtx, connectionId: string, id: string): Promise<Delivery | undefined> {
  return (await read(c).where('id', '=', id).where('connection_id', '=', connectionId).executeTakeFirst()) as Delivery | undefined
}

/** The newest delivery of a name that stands for what the ERP sent last. */
export async function latestOf(c: TxCtx, connectionId: string, way: DeliveryWay, name: string): Promise<Delivery | undefined> {
  const latest = (await read(c)
    .where('connection_id', '=', connectionId)
    .where('way', '=', way)
    .where('name', '=', name)
    .where('state', '<>', 'arriving')
    .where('state', '<>', 'incomplete')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()) as Delivery | undefined
  return latest && inForce.includes(latest.state) ? latest : undefined
}

export interface DeliveryFilter {
  readonly connectionId?: string
  readonly state?: string
  readonly name?: string
  /** Sequence before which the page begins. */
  readonly before?: string
  readonly limit: number
}

/** Newest first. */
export async function listDeliveries(c: Ctx, filter: DeliveryFilter): Promise<readonly Delivery[]> {
  const { connectionId = null, state = null, name = null, before = null } = filter
  return (await read(c)
    .where(sql<boolean>`(${connectionId}::uuid is null or connection_id = ${connectionId}::uuid)`)
    .where(sql<boolean>`(${state}::text is null or state = ${state}::text)`)
    .where(sql<boolean>`(${name}::text is null or strpos(lower(name), lower(${name}::text)) > 0)`)
    .where(sql<boolean>`(${before}::bigint is null or seq < ${before}::bigint)`)
    .orderBy('seq', 'desc')
    .limit(filter.limit)
    .execute()) as Delivery[]
}
