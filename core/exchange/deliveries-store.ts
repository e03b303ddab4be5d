import type { ColumnType, Generated } from 'kysely'
import { type Kysely, sql } from 'kysely'
import type { Ctx, TxCtx } from '../context.ts'
import { any, view } from '../db/tx.ts'

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
const own = view<Tables>()

const columns = [
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

const open: readonly DeliveryState[] = ['arriving', 'incomplete']
const waiting: readonly DeliveryState[] = ['arriving', 'incomplete', 'stored', 'processing']
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

const read = (c: Ctx | TxCtx) => (own(c) as Kysely<Tables>).selectFrom('exchange.delivery').select(columns)

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

/** What the inbox shows under a name: an arriving file, or one taken over not longer ago than `takenSince`. */
export async function findInbox(c: Ctx | TxCtx, connectionId: string, name: string, takenSince: string): Promise<Delivery | undefined> {
  return (await read(c)
    .where('connection_id', '=', connectionId)
    .where('inbox_name', '=', name)
    .where(eb => eb.or([eb('state', '=', any(open)), eb('stored_at', '>=', takenSince)]))
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()) as Delivery | undefined
}

/** Files that wait in the inbox, by name. */
export async function listInbox(c: Ctx, connectionId: string, limit: number): Promise<readonly Delivery[]> {
  return (await read(c)
    .where('connection_id', '=', connectionId)
    .where('inbox_name', 'is not', null)
    .where('state', '=', any(waiting))
    .orderBy('inbox_name')
    .orderBy('seq')
    .limit(limit)
    .execute()) as Delivery[]
}

/** How much of a connection is not yet processed: number of files and bytes. */
export async function loadOf(c: Ctx, connectionId: string): Promise<{ readonly files: number; readonly bytes: number }> {
  const row = await own(c)
    .selectFrom('exchange.delivery')
    .select(eb => [eb.fn.countAll<string>().as('files'), sql<string>`coalesce(sum(size), 0)`.as('bytes')])
    .where('connection_id', '=', connectionId)
    .where('state', '=', any(waiting))
    .where('removed_at', 'is', null)
    .executeTakeFirstOrThrow()
  return { files: Number(row.files), bytes: Number(row.bytes) }
}

/**
 * Frees a name of the inbox for a new file: what was still arriving is given up, what was taken over keeps its state and is only no
 * longer shown. @returns blobs nobody needs any more
 */
export async function freeName(c: TxCtx, connectionId: string, name: string, at: string, reason: string): Promise<readonly string[]> {
  const dropped = await own(c)
    .updateTable('exchange.delivery')
    .set({
      inbox_name: null,
      removed_at: at,
      changed_at: at,
      state: 'incomplete',
      finished_at: at,
      reason_code: 'withdrawn',
      reason,
      blob_id: null
    })
    .from(eb =>
      eb
        .selectFrom('exchange.delivery')
        .select(['id as old_id', 'blob_id as old_blob'])
        .where('connection_id', '=', connectionId)
        .where('inbox_name', '=', name)
        .where('state', '=', any(open))
        .forUpdate()
        .as('old')
    )
    .whereRef('exchange.delivery.id', '=', 'old.old_id')
    .returning('old.old_blob as blob')
    .execute()
  await own(c)
    .updateTable('exchange.delivery')
    .set({ inbox_name: null, changed_at: at })
    .where('connection_id', '=', connectionId)
    .where('inbox_name', '=', name)
    .execute()
  return dropped.flatMap(row => (row.blob === null ? [] : [row.blob]))
}

/** The end of an upload. @returns false when the row was given up meanwhile (a later upload under its name) */
export async function endArrival(
  c: Ctx | TxCtx,
  id: string,
  end: { state: 'arriving' | 'incomplete'; size: number; sha256: string; at: string; closed: boolean; reason: string | null }
): Promise<boolean> {
  const row = await own(c)
    .updateTable('exchange.delivery')
    .set({
      state: end.state,
      size: end.size,
      sha256: end.sha256,
      closed_at: end.closed ? end.at : null,
      reason_code: end.reason === null ? null : 'upload_incomplete',
      reason: end.reason,
      changed_at: end.at
    })
    .where('id', '=', id)
    .where('state', '=', 'arriving')
    .where('removed_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

export async function setFileTime(c: Ctx, id: string, modifiedAt: string): Promise<void> {
  await own(c).updateTable('exchange.delivery').set({ modified_at: modifiedAt }).where('id', '=', id).execute()
}

export async function renameArrival(c: TxCtx, id: string, name: string, at: string): Promise<void> {
  await own(c).updateTable('exchange.delivery').set({ name, inbox_name: name, changed_at: at }).where('id', '=', id).execute()
}

export async function hideFromInbox(c: Ctx, id: string): Promise<void> {
  await own(c).updateTable('exchange.delivery').set({ inbox_name: null }).where('id', '=', id).execute()
}

/** Cleanly closed files that nobody has taken over yet, oldest first, with their connection's adapter. */
export async function closedArrivals(c: Ctx | TxCtx, connectionId?: string): Promise<readonly (Delivery & { readonly adapter: string })[]> {
  return (await own(c)
    .selectFrom('exchange.delivery as d')
    .innerJoin('exchange.connection as k', 'k.id', 'd.connection_id')
    .select(columns.map(column => `d.${column}` as const))
    .select('k.adapter')
    .where('d.state', '=', 'arriving')
    .where('d.closed_at', 'is not', null)
    .where('d.removed_at', 'is', null)
    .where(sql<boolean>`(${connectionId ?? null}::uuid is null or d.connection_id = ${connectionId ?? null}::uuid)`)
    .orderBy('d.seq')
    .execute()) as unknown as (Delivery & { readonly adapter: string })[]
}

/** Notes how far an upload is, now and then, so that a process that died in the middle is noticed. */
export async function noteProgress(c: Ctx, id: string, size: number, at: string): Promise<void> {
  await own(c).updateTable('exchange.delivery').set({ size, changed_at: at }).where('id', '=', id).where('state', '=', 'arriving').execute()
}

/** Uploads that nobody has been writing to since `quietSince`: their process died. @returns their unfinished blobs */
export async function abandonArrivals(c: TxCtx, quietSince: string, at: string): Promise<readonly string[]> {
  const rows = await sql<{ blob: string | null }>`
    update exchange.delivery d
    set state = 'incomplete', reason_code = 'upload_incomplete', reason = 'The upload ended before the file was closed.',
        blob_id = null, changed_at = ${at}::timestamptz
    from (
      select id, blob_id from exchange.delivery
      where state = 'arriving' and closed_at is null and changed_at < ${quietSince}::timestamptz for update
    ) old
    where d.id = old.id returning old.blob_id as blob`.execute(own(c))
  return rows.rows.flatMap(row => (row.blob === null ? [] : [row.blob]))
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

export async function takeOver(
  c: TxCtx,
  id: string,
  to: { state: 'stored' | 'duplicate' | 'done'; at: string; reasonCode: string | null; reason: string | null }
): Promise<boolean> {
  const row = await own(c)
    .updateTable('exchange.delivery')
    .set({
      state: to.state,
      stored_at: to.at,
      finished_at: to.state === 'stored' ? null : to.at,
      reason_code: to.reasonCode,
      reason: to.reason,
      changed_at: to.at
    })
    .where('id', '=', id)
    .where('state', '=', 'arriving')
    .where('removed_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

const finished: readonly DeliveryState[] = ['done', 'done_with_rejects', 'duplicate', 'held']
/** Day of a delivery in the tenant's zone. */
const dayIn = (zone: string) => sql<string>`to_char(finished_at at time zone ${zone}, 'YYYY-MM-DD')`

/** Days that archive/ shows. */
export async function archiveDays(c: Ctx, connectionId: string, since: string): Promise<readonly string[]> {
  const rows = await own(c)
    .selectFrom('exchange.delivery')
    .select(dayIn(c.tenant.zone).as('day'))
    .distinct()
    .where('connection_id', '=', connectionId)
    .where('state', '=', any(finished))
    .where('finished_at', '>=', since)
    .where('blob_id', 'is not', null)
    .where('way', '<>', 'replay')
    .orderBy('day')
    .execute()
  return rows.map(row => row.day)
}

export async function archiveFiles(c: Ctx, connectionId: string, day: string, since: string, limit: number): Promise<readonly Delivery[]> {
  return (await read(c)
    .where('connection_id', '=', connectionId)
    .where('state', '=', any(finished))
    .where('finished_at', '>=', since)
    .where(dayIn(c.tenant.zone), '=', day)
    .where('blob_id', 'is not', null)
    .where('way', '<>', 'replay')
    .orderBy('seq')
    .limit(limit)
    .execute()) as Delivery[]
}

/** Deliveries that rejected/ shows: refused whole, or with records in the error bin. */
export async function rejectedFiles(c: Ctx, connectionId: string, since: string, limit: number): Promise<readonly Delivery[]> {
  return (await read(c)
    .where('connection_id', '=', connectionId)
    .where('state', '=', any(['rejected', 'done_with_rejects', 'parked'] as const))
    .where('finished_at', '>=', since)
    .where('way', '<>', 'replay')
    .orderBy('seq')
    .limit(limit)
    .execute()) as Delivery[]
}

/** By number, for the names `<seq>-<name>`; without one the newest delivery of the name. */
export async function findFinished(
  c: Ctx,
  connectionId: string,
  wanted: { seq?: string; name: string },
  since: string
): Promise<Delivery | undefined> {
  return (await read(c)
    .where('connection_id', '=', connectionId)
    .where('name', '=', wanted.name)
    .where(sql<boolean>`(${wanted.seq ?? null}::bigint is null or seq = ${wanted.seq ?? null}::bigint)`)
    .where('finished_at', '>=', since)
    .where('way', '<>', 'replay')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()) as Delivery | undefined
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

/**
 * Lets go of the raw bytes of old deliveries: finished ones after `doneBefore`, those with open rejects after `openBefore`, uploads
 * that never became whole after `doneBefore`. The rows stay. @returns the blobs to delete
 */
export async function releaseBlobs(c: TxCtx, limits: { doneBefore: string; openBefore: string; at: string }): Promise<readonly string[]> {
  const rows = await sql<{ blob: string }>`
    update exchange.delivery d set blob_id = null, inbox_name = null, changed_at = ${limits.at}::timestamptz
    from (
      select id, blob_id from exchange.delivery o
      where o.blob_id is not null
        and coalesce(o.finished_at, o.received_at) < ${limits.doneBefore}::timestamptz
        and o.state not in ('stored', 'processing')
        and (coalesce(o.finished_at, o.received_at) < ${limits.openBefore}::timestamptz
          or not exists (select 1 from exchange.reject r where r.delivery_id = o.id and r.state = 'open')
             and o.state not in ('parked', 'held'))
      order by o.seq limit 500 for update
    ) old
    where d.id = old.id returning old.blob_id as blob`.execute(own(c))
  return rows.rows.map(row => row.blob)
}

/** Which of these blobs some delivery still names. A replay shares the blob of what it repeats. */
export async function namedBlobs(c: Ctx | TxCtx, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await own(c).selectFrom('exchange.delivery').select('blob_id').where('blob_id', '=', any(ids)).execute()
  return new Set(rows.flatMap(row => (row.blob_id === null ? [] : [row.blob_id])))
}
