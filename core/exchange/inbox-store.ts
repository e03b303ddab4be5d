import { sql } from 'kysely'
import type { Ctx, TxCtx } from '../context.ts'
import { any } from '../db/tx.ts'
import { columns, type Delivery, type DeliveryState, own, read } from './deliveries-store.ts'

const open: readonly DeliveryState[] = ['arriving', 'incomplete']
const waiting: readonly DeliveryState[] = ['arriving', 'incomplete', 'stored', 'processing']

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

/**
 * The commit is not waited for by the disk: after a power cut the row may be missing, as if the file had never begun to come, and its
 * sender has heard nothing yet that would be wrong then.
 */
export function unwaited(tx: TxCtx): void {
  tx.tx.later(sql`select set_config('synchronous_commit', 'off', true)`.compile(own(tx)))
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
  end: {
    state: 'arriving' | 'incomplete'
    size: number
    sha256: string
    at: string
    closed: boolean
    reason: string | null
    modifiedAt: string | null
  }
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
      modified_at: sql<string | null>`coalesce(${end.modifiedAt}::timestamptz, modified_at)`,
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
