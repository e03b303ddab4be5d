import type { Generated } from 'kysely'
import { sql } from 'kysely'
import type { Ctx, TxCtx } from '../context.ts'
import { any, view } from '../db/tx.ts'

export type RejectState = 'open' | 'replaying' | 'resolved' | 'skipped'

interface RejectRow {
  id: string
  seq: string
  connection_id: string
  direction: 'in' | 'out'
  delivery_id: string | null
  item: string | null
  outbox_seq: string | null
  kind: string
  record_key: string | null
  line: number | null
  pointer: string | null
  code: string
  message: string
  field: string | null
  value_sealed: Buffer | null
  row_sealed: Buffer | null
  edited_sealed: Buffer | null
  code_table: string | null
  cause: Buffer
  state: RejectState
  attempts: Generated<number>
  resolution: string | null
  resolved_by: string | null
  resolved_at: string | null
  created_at: Generated<string>
  changed_at: Generated<string>
}
const own = view<{
  'exchange.reject': RejectRow
  'exchange.delivery': { id: string; seq: string; name: string; replay_of: string | null }
}>()

const columns = [
  'r.id',
  'r.seq',
  'r.connection_id',
  'r.direction',
  'r.delivery_id',
  'r.item',
  'r.outbox_seq',
  'r.kind',
  'r.record_key',
  'r.line',
  'r.pointer',
  'r.code',
  'r.message',
  'r.field',
  'r.value_sealed',
  'r.row_sealed',
  'r.edited_sealed',
  'r.code_table',
  'r.cause',
  'r.state',
  'r.attempts',
  'r.resolution',
  'r.resolved_by',
  'r.resolved_at',
  'r.created_at'
] as const

/** An entry of the error bin with the delivery it came from. */
export interface BinEntry {
  readonly id: string
  readonly seq: string
  readonly connection_id: string
  readonly direction: 'in' | 'out'
  readonly delivery_id: string | null
  readonly delivery_seq: string | null
  readonly delivery_name: string | null
  /** Of a replay the delivery that it repeats, else the delivery itself. */
  readonly origin_id: string | null
  readonly item: string | null
  readonly outbox_seq: string | null
  readonly kind: string
  readonly record_key: string | null
  readonly line: number | null
  readonly pointer: string | null
  readonly code: string
  readonly message: string
  readonly field: string | null
  readonly value_sealed: Buffer | null
  readonly row_sealed: Buffer | null
  readonly edited_sealed: Buffer | null
  readonly code_table: string | null
  readonly cause: Buffer
  readonly state: RejectState
  readonly attempts: number
  readonly resolution: string | null
  readonly resolved_by: string | null
  readonly resolved_at: string | null
  readonly created_at: string
}

const entries = (c: Ctx | TxCtx) =>
  own(c)
    .selectFrom('exchange.reject as r')
    .leftJoin('exchange.delivery as d', 'd.id', 'r.delivery_id')
    .select(columns)
    .select(['d.seq as delivery_seq', 'd.name as delivery_name', sql<string | null>`coalesce(d.replay_of, d.id)`.as('origin_id')])

export async function findEntry(c: Ctx | TxCtx, id: string): Promise<BinEntry | undefined> {
  return (await entries(c).where('r.id', '=', id).executeTakeFirst()) as BinEntry | undefined
}

export async function lockEntry(tx: TxCtx, id: string): Promise<BinEntry | undefined> {
  await own(tx).selectFrom('exchange.reject').select('id').where('id', '=', id).forNoKeyUpdate().executeTakeFirst()
  return findEntry(tx, id)
}

export interface BinFilter {
  readonly connectionId: string | null
  readonly deliveryId: string | null
  readonly state: RejectState | null
  readonly kind: string | null
  readonly code: string | null
  readonly cause: string | null
  readonly direction: 'in' | 'out' | null
}

const matching = (
  filter: BinFilter
) => sql<boolean>`(${filter.connectionId}::uuid is null or r.connection_id = ${filter.connectionId}::uuid)
  and (${filter.deliveryId}::uuid is null or r.delivery_id = ${filter.deliveryId}::uuid)
  and (${filter.state}::text is null or r.state = ${filter.state}::text)
  and (${filter.kind}::text is null or r.kind = ${filter.kind}::text)
  and (${filter.code}::text is null or r.code = ${filter.code}::text)
  and (${filter.direction}::text is null or r.direction = ${filter.direction}::text)
  and (${filter.cause}::text is null or r.cause = decode(${filter.cause}::text, 'hex'))`

/** Newest first. */
export async function listEntries(c: Ctx, filter: BinFilter, page: { before: string | null; limit: number }): Promise<readonly BinEntry[]> {
  return (await entries(c)
    .where(matching(filter))
    .where(sql<boolean>`(${page.before}::bigint is null or r.seq < ${page.before}::bigint)`)
    .orderBy('r.seq', 'desc')
    .limit(page.limit)
    .execute()) as BinEntry[]
}

export interface CauseGroup {
  readonly cause: string
  readonly connection_id: string
  readonly direction: 'in' | 'out'
  readonly kind: string
  readonly code: string
  readonly field: string | null
  readonly code_table: string | null
  readonly count: number
  readonly first_at: string
  readonly last_at: string
  /** The newest entry, whose sentence stands for all. */
  readonly sample: string
}

/** Entries of one cause together, most frequent first. */
export async function listCauses(c: Ctx, filter: BinFilter, limit: number): Promise<readonly CauseGroup[]> {
  const { rows } = await sql<Omit<CauseGroup, 'count'> & { count: string }>`
    select encode(r.cause, 'hex') as cause, r.connection_id, r.direction, r.kind, min(r.code) as code, min(r.field) as field, min(r.code_table) as code_table,
      count(*) as count, min(r.created_at) as first_at, max(r.created_at) as last_at, (array_agg(r.id order by r.seq desc))[1] as sample
    from exchange.reject r where ${matching(filter)}
    group by r.cause, r.connection_id, r.direction, r.kind
    order by count(*) desc, max(r.seq) desc limit ${limit}`.execute(own(c))
  return rows.map(row => ({ ...row, count: Number(row.count) }))
}

/** Ids of open incoming entries of a cause, with or without a row of their own. */
export async function openOfCause(c: Ctx | TxCtx, connectionId: string, cause: Buffer): Promise<readonly BinEntry[]> {
  return (await entries(c)
    .where('r.connection_id', '=', connectionId)
    .where('r.direction', '=', 'in')
    .where('r.state', '=', 'open')
    .where('r.cause', '=', cause)
    .orderBy('r.seq')
    .limit(100_000)
    .execute()) as BinEntry[]
}

export async function setReplaying(tx: TxCtx, ids: readonly string[]): Promise<void> {
  await own(tx)
    .updateTable('exchange.reject')
    .set({ state: 'replaying', changed_at: tx.clock.iso() })
    .where('id', '=', any(ids))
    .where('state', '=', 'open')
    .execute()
}

export async function saveEdit(tx: TxCtx, id: string, edited: Buffer): Promise<void> {
  await own(tx).updateTable('exchange.reject').set({ edited_sealed: edited, changed_at: tx.clock.iso() }).where('id', '=', id).execute()
}

export async function closeEntries(
  tx: TxCtx,
  ids: readonly string[],
  state: 'resolved' | 'skipped',
  by: string,
  why: string
): Promise<void> {
  if (ids.length === 0) return
  const at = tx.clock.iso()
  await own(tx)
    .updateTable('exchange.reject')
    .set({ state, resolution: why.slice(0, 500), resolved_by: by, resolved_at: at, changed_at: at })
    .where('id', '=', any(ids))
    .execute()
}

/** Those of a replay that are neither through nor back in the bin: a later entry of the same key stood for them. */
export async function closeReplaying(tx: TxCtx, ids: readonly string[]): Promise<void> {
  const at = tx.clock.iso()
  await own(tx)
    .updateTable('exchange.reject')
    .set({
      state: 'resolved',
      resolution: 'a later entry of the same record was replayed',
      resolved_by: 'host',
      resolved_at: at,
      changed_at: at
    })
    .where('id', '=', any(ids))
    .where('state', '=', 'replaying')
    .execute()
}

/** A record that failed again: back into the bin with today's cause, in the place it had. */
export async function reopen(
  tx: TxCtx,
  rows: readonly {
    id: string
    code: string
    message: string
    field: string | null
    value: Buffer | null
    codeTable: string | null
    cause: Buffer
  }[]
): Promise<void> {
  if (rows.length === 0) return
  await sql`update exchange.reject t set state = 'open', attempts = attempts + 1, code = r.code, message = r.message, field = r.field,
      value_sealed = decode(r.value, 'hex'), code_table = r.code_table, cause = decode(r.cause, 'hex'), changed_at = ${tx.clock.iso()}::timestamptz
    from unnest(${rows.map(r => r.id)}::uuid[], ${rows.map(r => r.code)}::text[], ${rows.map(r => r.message)}::text[], ${rows.map(r => r.field)}::text[],
      ${rows.map(r => r.value?.toString('hex') ?? null)}::text[], ${rows.map(r => r.codeTable)}::text[], ${rows.map(r => r.cause.toString('hex'))}::text[])
      as r(id, code, message, field, value, code_table, cause)
    where t.id = r.id`.execute(own(tx))
}

/** What a replay needs of an entry. */
export interface KeptRow {
  readonly id: string
  readonly kind: string
  readonly line: number | null
  readonly pointer: string | null
  readonly row: Buffer | null
  readonly edited: Buffer | null
  /** Orders records that carry no revision. */
  readonly arrival: string
}

const keptRow = sql`select r.id, r.kind, r.line, r.pointer, r.row_sealed as row, r.edited_sealed as edited, coalesce(o.seq, d.seq, 0) as arrival
    from exchange.reject r left join exchange.delivery d on d.id = r.delivery_id left join exchange.delivery o on o.id = d.replay_of`

/** Entries whose replay somebody asked for, oldest first. */
export async function waitingReplays(c: Ctx, connectionId: string, limit: number): Promise<readonly KeptRow[]> {
  const { rows } = await sql<KeptRow>`${keptRow}
    where r.connection_id = ${connectionId}::uuid and r.direction = 'in' and r.state = 'replaying' order by r.seq limit ${limit}`.execute(
    own(c)
  )
  return rows
}

/** Rows of entries that are to be tried. */
export async function keptRows(c: Ctx, ids: readonly string[]): Promise<readonly KeptRow[]> {
  const { rows } = await sql<KeptRow>`${keptRow} where r.id = any(${ids}::uuid[]) order by r.seq`.execute(own(c))
  return rows
}
