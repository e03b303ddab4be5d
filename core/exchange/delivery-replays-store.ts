import { sql } from 'kysely'
import { type ImportKind, importKinds } from '../../adapters/contract/index.ts'
import type { Ctx, TxCtx } from '../context.ts'
import { view } from '../db/tx.ts'
import { newId } from '../ids.ts'
import type { WorkDelivery } from './apply-store.ts'

const own = view<Record<string, never>>()

const family = (originId: string) =>
  sql`r.delivery_id in (select id from exchange.delivery where id = ${originId}::uuid or replay_of = ${originId}::uuid)`

/**
 * What a replay of the rejects of a delivery takes up: items that are in the bin, or left it since the replay was asked for (so that
 * one which a crash interrupted goes on with the same ones), and kinds that were refused as a whole.
 */
export async function itemsToReplay(
  c: Ctx,
  originId: string,
  since: string
): Promise<{ items: ReadonlySet<number>; kinds: ReadonlySet<ImportKind> }> {
  const { rows } = await sql<{ item: string | null; kind: string; code: string }>`
    select r.item, r.kind, r.code from exchange.reject r where ${family(originId)} and r.direction = 'in'
      and (r.state in ('open', 'replaying') or (r.state = 'resolved' and r.resolved_at >= ${since}::timestamptz))`.execute(own(c))
  return {
    items: new Set(rows.flatMap(row => (row.item === null ? [] : [Number(row.item)]))),
    kinds: new Set(importKinds.filter(kind => rows.some(row => row.kind === kind && row.code === 'kind_not_owned')))
  }
}

/** After a replay its own entries stand for what still fails; the earlier ones of the same delivery are done. */
export async function resolveReplayed(tx: TxCtx, originId: string, replay: Pick<WorkDelivery, 'id' | 'seq'>): Promise<void> {
  const at = tx.clock.iso()
  await sql`update exchange.reject r set state = 'resolved', resolution = ${`replayed by delivery ${replay.seq}`}, resolved_by = 'host',
      resolved_at = ${at}::timestamptz, changed_at = ${at}::timestamptz
    where ${family(originId)} and r.delivery_id <> ${replay.id}::uuid and r.state = 'open' and r.direction = 'in'`.execute(own(tx))
}

/** A replay as a delivery of its own, which shares the bytes of what it repeats. @returns its id */
export async function insertReplay(tx: TxCtx, origin: WorkDelivery, rejectsOnly: boolean): Promise<string> {
  const id = newId()
  const at = tx.clock.iso()
  await sql`insert into exchange.delivery (id, connection_id, way, name, size, sha256, blob_id, state, replay_of, replay_rejects_only, received_at, stored_at, created_at, changed_at)
    values (${id}::uuid, ${origin.connectionId}::uuid, 'replay', ${origin.name}, ${origin.size}::bigint, ${origin.sha256}, ${origin.blobId}::uuid, 'stored',
      ${origin.id}::uuid, ${rejectsOnly}, ${at}::timestamptz, ${at}::timestamptz, ${at}::timestamptz, ${at}::timestamptz)`.execute(own(tx))
  return id
}

/** A replay of the same delivery that has not come to its end. */
export async function replayUnderway(tx: TxCtx, originId: string): Promise<string | undefined> {
  const { rows } = await sql<{ id: string }>`select id from exchange.delivery
    where replay_of = ${originId}::uuid and state in ('stored', 'processing') order by seq limit 1`.execute(own(tx))
  return rows[0]?.id
}
