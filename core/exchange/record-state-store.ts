import { sql } from 'kysely'
import type { ImportKind, KnownRecord, Revision } from '../../adapters/contract/index.ts'
import type { Ctx, TxCtx } from '../context.ts'
import { view } from '../db/tx.ts'

const own = view<Record<string, never>>()

export interface KnownState extends KnownRecord {
  readonly fields: Readonly<Record<string, string>>
}

export async function statesOf(
  tx: TxCtx,
  connectionId: string,
  kind: ImportKind,
  storedKeys: readonly string[]
): Promise<ReadonlyMap<string, KnownState>> {
  if (storedKeys.length === 0) return new Map()
  const { rows } = await sql<{
    key: string
    hash: string
    fields: Record<string, string>
    revision_seq: string | null
    revision_at: string | null
    delivery_seq: string
    present: boolean
  }>`select key, encode(hash, 'hex') as hash, fields, revision_seq, revision_at, delivery_seq, present from exchange.record_state
    where connection_id = ${connectionId}::uuid and kind = ${kind} and key = any(${storedKeys}::text[])`.execute(own(tx))
  return new Map(
    rows.map(row => [
      row.key,
      {
        hash: row.hash,
        fields: row.fields,
        revision:
          row.revision_seq !== null
            ? { seq: Number(row.revision_seq) }
            : row.revision_at !== null
              ? { changedAt: row.revision_at }
              : undefined,
        arrival: Number(row.delivery_seq),
        present: row.present
      }
    ])
  )
}

export interface StateUpsert {
  readonly storedKey: string
  /** Of a person the sealed key in hex, so that a snapshot can name who is gone. */
  readonly keySealed: string | null
  readonly scope: string | null
  readonly revision: Revision | undefined
  readonly hash: string
  readonly fields: string
  readonly present: boolean
}

/** Remembers what was taken over: one statement for a whole chunk. */
export async function saveStates(
  tx: TxCtx,
  of: { connectionId: string; kind: ImportKind; arrival: number; seen: number },
  rows: readonly StateUpsert[]
): Promise<void> {
  if (rows.length === 0) return
  const at = tx.clock.iso()
  const revisionSeq = rows.map(row => (row.revision && 'seq' in row.revision ? row.revision.seq : null))
  const revisionAt = rows.map(row => (row.revision && 'changedAt' in row.revision ? row.revision.changedAt : null))
  await sql`insert into exchange.record_state (connection_id, kind, key, key_sealed, scope, revision_seq, revision_at, hash, fields, delivery_seq,
      seen_seq, present, created_at, changed_at)
    select ${of.connectionId}::uuid, ${of.kind}, key, decode(key_sealed, 'hex'), scope, revision_seq, revision_at, decode(hash, 'hex'), fields,
      ${of.arrival}::bigint, ${of.seen}::bigint, present, ${at}::timestamptz, ${at}::timestamptz
    from unnest(${rows.map(r => r.storedKey)}::text[], ${rows.map(r => r.keySealed)}::text[], ${rows.map(r => r.scope)}::text[], ${revisionSeq}::bigint[],
      ${revisionAt}::timestamptz[], ${rows.map(r => r.hash)}::text[], ${rows.map(r => r.fields)}::jsonb[], ${rows.map(r => r.present)}::boolean[])
      as r(key, key_sealed, scope, revision_seq, revision_at, hash, fields, present)
    on conflict (connection_id, kind, key) do update set key_sealed = coalesce(excluded.key_sealed, record_state.key_sealed), scope = excluded.scope,
      revision_seq = excluded.revision_seq, revision_at = excluded.revision_at, hash = excluded.hash, fields = excluded.fields,
      delivery_seq = excluded.delivery_seq, seen_seq = greatest(record_state.seen_seq, excluded.seen_seq), present = excluded.present,
      changed_at = excluded.changed_at`.execute(own(tx))
}

/** Records that a delivery named as they are: it is the newest word on them, so that a replay of what came before it changes nothing. */
export async function markUnchanged(
  tx: TxCtx,
  of: { connectionId: string; kind: ImportKind; arrival: number; seen: number },
  storedKeys: readonly string[]
): Promise<void> {
  if (storedKeys.length === 0) return
  await sql`update exchange.record_state set delivery_seq = greatest(delivery_seq, ${of.arrival}::bigint), seen_seq = greatest(seen_seq, ${of.seen}::bigint)
    where connection_id = ${of.connectionId}::uuid and kind = ${of.kind} and key = any(${storedKeys}::text[])
      and (delivery_seq < ${of.arrival}::bigint or seen_seq < ${of.seen}::bigint)`.execute(own(tx))
}

/** Records that a delivery named and that were not taken over from it: still there, as far as a snapshot is concerned. */
export async function markSeen(
  tx: TxCtx,
  connectionId: string,
  kind: ImportKind,
  storedKeys: readonly string[],
  seen: number
): Promise<void> {
  if (storedKeys.length === 0) return
  await sql`update exchange.record_state set seen_seq = ${seen}::bigint
    where connection_id = ${connectionId}::uuid and kind = ${kind} and key = any(${storedKeys}::text[]) and seen_seq < ${seen}::bigint`.execute(
    own(tx)
  )
}

/** An equal body under a newer revision: only the revision moves. */
export async function moveRevisions(
  tx: TxCtx,
  connectionId: string,
  kind: ImportKind,
  rows: readonly { storedKey: string; revision: Revision }[]
): Promise<void> {
  if (rows.length === 0) return
  await sql`update exchange.record_state s set revision_seq = r.revision_seq, revision_at = r.revision_at
    from unnest(${rows.map(r => r.storedKey)}::text[], ${rows.map(r => ('seq' in r.revision ? r.revision.seq : null))}::bigint[],
      ${rows.map(r => ('changedAt' in r.revision ? r.revision.changedAt : null))}::timestamptz[]) as r(key, revision_seq, revision_at)
    where s.connection_id = ${connectionId}::uuid and s.kind = ${kind} and s.key = r.key`.execute(own(tx))
}

interface SnapshotPart {
  readonly connectionId: string
  readonly kind: ImportKind
  /** null: the whole kind. */
  readonly scope: string | null
  /** Number of the run that named what is there. */
  readonly seen: number
  /** Arrival of the snapshot: what came later than it is none of its business. */
  readonly arrival: number
}

export async function countUnseen(c: Ctx | TxCtx, of: SnapshotPart): Promise<{ present: number; unseen: number }> {
  const { rows } = await sql<{ present: string; unseen: string }>`
    select count(*) as present, count(*) filter (where seen_seq < ${of.seen}::bigint and delivery_seq <= ${of.arrival}::bigint) as unseen
    from exchange.record_state where connection_id = ${of.connectionId}::uuid and kind = ${of.kind} and present
      and (${of.scope}::text is null or scope = ${of.scope}::text)`.execute(own(c))
  return { present: Number(rows[0]?.present ?? 0), unseen: Number(rows[0]?.unseen ?? 0) }
}

export async function unseenKeys(
  tx: TxCtx,
  of: SnapshotPart,
  limit: number
): Promise<readonly { storedKey: string; keySealed: Buffer | null }[]> {
  const { rows } = await sql<{ key: string; key_sealed: Buffer | null }>`
    select key, key_sealed from exchange.record_state where connection_id = ${of.connectionId}::uuid and kind = ${of.kind} and present
      and seen_seq < ${of.seen}::bigint and delivery_seq <= ${of.arrival}::bigint and (${of.scope}::text is null or scope = ${of.scope}::text)
    order by key limit ${limit}`.execute(own(tx))
  return rows.map(row => ({ storedKey: row.key, keySealed: row.key_sealed }))
}

export async function markClosed(
  tx: TxCtx,
  connectionId: string,
  kind: ImportKind,
  storedKeys: readonly string[],
  arrival: number
): Promise<void> {
  if (storedKeys.length === 0) return
  await sql`update exchange.record_state set present = false, delivery_seq = greatest(delivery_seq, ${arrival}::bigint), changed_at = ${tx.clock.iso()}::timestamptz
    where connection_id = ${connectionId}::uuid and kind = ${kind} and key = any(${storedKeys}::text[])`.execute(own(tx))
} /**
 * One at a time writes records of a kind: a fetch and a delivery of one connection may run side by side, and each must see what the other
 * has committed before it decides which of two records is the newer one. Held until the end of the transaction.
 */
export async function lockKind(tx: TxCtx, connectionId: string, kind: ImportKind): Promise<void> {
  await sql`select pg_advisory_xact_lock(7341003, hashtext(${`${connectionId} ${kind}`}))`.execute(own(tx))
}
