import { sql } from 'kysely'
import type { ImportKind } from '../../adapters/contract/index.ts'
import type { TxCtx } from '../context.ts'
import { view } from '../db/tx.ts'
import { newId } from '../ids.ts'
import { type Delivery, insertDelivery } from './deliveries-store.ts'

const own = view<Record<string, never>>()

/** The delivery of a fetch that brings something; its bytes follow when it is read to the end. */
export async function insertPull(tx: TxCtx, connectionId: string, kind: ImportKind, mappingVersion: number): Promise<Delivery> {
  const at = tx.clock.iso()
  const delivery = await insertDelivery(tx, {
    id: newId(),
    connection_id: connectionId,
    way: 'pull',
    name: kind,
    state: 'processing',
    received_at: at,
    stored_at: at
  })
  await sql`update exchange.delivery set mapping_version = ${mappingVersion}::int where id = ${delivery.id}::uuid`.execute(own(tx))
  return delivery
}

export async function setRaw(tx: TxCtx, id: string, raw: { blobId: string; size: number; sha256: string }): Promise<void> {
  await sql`update exchange.delivery set blob_id = ${raw.blobId}::uuid, size = ${raw.size}::bigint, sha256 = ${raw.sha256} where id = ${id}::uuid`.execute(
    own(tx)
  )
}

/** A fetch that a crash interrupted: its records and its checkpoint are committed, its bytes are gone. */
export async function interruptPulls(tx: TxCtx, connectionId: string, kind: ImportKind): Promise<void> {
  const at = tx.clock.iso()
  await sql`update exchange.delivery set state = case when rejected_count + held_count > 0 then 'done_with_rejects' else 'done' end,
      reason_code = 'pull_interrupted', reason = 'The fetch was interrupted; the next one went on behind what was committed.',
      finished_at = ${at}::timestamptz, changed_at = ${at}::timestamptz
    where connection_id = ${connectionId}::uuid and way = 'pull' and name = ${kind} and state = 'processing'`.execute(own(tx))
}
