import { sql } from 'kysely'
import type { Ctx, TxCtx } from '../context.ts'
import { own } from './outbox-store.ts'

/** A batch as it stands in the database: its records sealed. */
export interface BatchRow {
  readonly id: string
  readonly key: string
  readonly ordering_key: string
  readonly items_sealed: Buffer
}

/** Closes the open batches of these ordering keys: at most one of a key is open. */
export async function closeOpenBatches(tx: TxCtx, connectionId: string, orderingKeys: readonly string[]): Promise<void> {
  await sql`update exchange.batch set state = 'closed', changed_at = ${tx.clock.iso()}::timestamptz
    where connection_id = ${connectionId}::uuid and state = 'open' and ordering_key = any(${orderingKeys}::text[])`.execute(own(tx))
}

export async function insertBatches(
  tx: TxCtx,
  connectionId: string,
  made: readonly { readonly id: string; readonly orderingKey: string; readonly key: string; readonly sealed: Buffer }[]
): Promise<void> {
  await sql`
    insert into exchange.batch (id, connection_id, ordering_key, key, items_sealed, state)
    select b.id, ${connectionId}::uuid, b.ordering_key, b.key, decode(b.sealed, 'hex'), 'open'
    from unnest(${made.map(b => b.id)}::uuid[], ${made.map(b => b.orderingKey)}::text[], ${made.map(b => b.key)}::text[], ${made.map(b => b.sealed.toString('hex'))}::text[])
      as b (id, ordering_key, key, sealed)`.execute(own(tx))
}

export async function batchRows(c: Ctx, ids: readonly string[]): Promise<readonly BatchRow[]> {
  const { rows } = await sql<BatchRow>`
    select id, key, ordering_key, items_sealed from exchange.batch where id = any(${ids}::uuid[])`.execute(own(c))
  return rows
}

/** Closes batches of which nothing is under way any more, so that the next of their ordering key may be made. */
export async function closeBatches(tx: TxCtx, ids: readonly string[]): Promise<void> {
  await sql`update exchange.batch b set state = 'closed', changed_at = ${tx.clock.iso()}::timestamptz
    where b.id = any(${ids}::uuid[]) and b.state = 'open' and not exists (select 1 from exchange.outbox o
      where o.batch_id = b.id and o.state in ('sealed', 'sending', 'unknown', 'parked'))`.execute(own(tx))
}

/** Takes a message out of its batch, so that it is sealed anew: after a fix its bytes differ. */
export async function unseal(tx: TxCtx, seq: string): Promise<void> {
  await sql`update exchange.outbox set batch_id = null, state = 'waiting', changed_at = ${tx.clock.iso()}::timestamptz where seq = ${seq}::bigint`.execute(
    own(tx)
  )
}
