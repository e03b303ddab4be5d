import { sql } from 'kysely'
import type { ExportKind } from '../../adapters/contract/index.ts'
import type { Ctx, TxCtx } from '../context.ts'
import { any } from '../db/tx.ts'
import { messageColumns as columns, own, type Stored } from './outbox-store.ts'

/** A message that may be sent, and its place among the open ones of its ordering key, from 1. */
export type Sendable = Stored & { readonly place: number }

/**
 * Messages of a connection that may be sent now: nothing before them in their ordering key is in the way. Goes from ordering key to
 * ordering key by the index, so that what lies behind costs nothing.
 * @param after ordering key behind which to begin, so that round after round every one has its turn
 */
export async function sendable(
  c: Ctx,
  connectionId: string,
  now: string,
  { after, perKey, limit }: { readonly after: string; readonly perKey: number; readonly limit: number }
): Promise<Sendable[]> {
  const { rows } = await sql<Sendable>`
    with recursive keys (ordering_key) as (
      (select o.ordering_key from exchange.outbox o where o.connection_id = ${connectionId}::uuid and o.state not in ('accepted', 'delivered', 'dropped')
          and o.ordering_key > ${after}::text and exists (select 1 from exchange.connection c where c.id = o.connection_id and c.state = 'active')
        order by o.ordering_key limit 1)
      union all
      select (select o.ordering_key from exchange.outbox o where o.connection_id = ${connectionId}::uuid
          and o.state not in ('accepted', 'delivered', 'dropped') and o.ordering_key > keys.ordering_key order by o.ordering_key limit 1)
        from keys where keys.ordering_key is not null)
    select ${sql.join(columns.map(column => sql.ref(`h.${column}`)))}, h.place::integer from keys
    cross join lateral (
      select ${sql.join(columns.map(column => sql.ref(`o.${column}`)))}, row_number() over (order by o.ordering_seq) as place,
        bool_and(o.state in ('waiting', 'sealed') and (o.next_attempt_at is null or o.next_attempt_at <= ${now}::timestamptz))
          over (order by o.ordering_seq) as free
      from (select ${sql.join(columns.map(column => sql.ref(`i.${column}`)))} from exchange.outbox i where i.connection_id = ${connectionId}::uuid
          and i.ordering_key = keys.ordering_key and i.state not in ('accepted', 'delivered', 'dropped')
        order by i.ordering_seq limit ${perKey}) o) h
    where h.free limit ${limit}`.execute(own(c))
  return rows
}

export const messagesIn = (c: Ctx | TxCtx, connectionId: string, states: readonly string[]): Promise<Stored[]> =>
  own(c)
    .selectFrom('exchange.outbox')
    .select(columns)
    .where('connection_id', '=', connectionId)
    .where('state', '=', any(states as readonly Stored['state'][]))
    .orderBy('seq')
    .execute()

export const messagesByKey = (c: Ctx | TxCtx, keys: readonly string[]): Promise<Stored[]> =>
  own(c).selectFrom('exchange.outbox').select(columns).where('key', '=', any(keys)).orderBy('ordering_seq').execute()

export const overdue = (c: Ctx, connectionId: string, now: string): Promise<Stored[]> =>
  own(c)
    .selectFrom('exchange.outbox')
    .select(columns)
    .where('connection_id', '=', connectionId)
    .where('state', '=', 'delivered')
    .where('alarm', 'is', null)
    .where('confirm_by', '<=', now)
    .execute()

/** Whether time alone will bring something for a connection: not for what waits behind a message that waits for a person. */
export async function waitsForTime(c: Ctx, connectionId: string): Promise<boolean> {
  const { rows } = await sql<{
    waits: boolean
  }>`select exists (select 1 from exchange.outbox o where o.connection_id = ${connectionId}::uuid
    and (o.state in ('sending', 'unknown') or o.state = 'delivered' and o.alarm is null and o.confirm_by is not null
      or o.state in ('waiting', 'sealed') and not exists (select 1 from exchange.outbox b where b.connection_id = o.connection_id
        and b.ordering_key = o.ordering_key and b.ordering_seq < o.ordering_seq and b.state in ('rejected', 'parked')))) as waits`.execute(
    own(c)
  )
  return rows[0]?.waits ?? false
}

/** Active connections with messages that are not through and wait for no person. */
export async function activeConnections(c: Ctx): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`select c.id from exchange.connection c where c.state = 'active' and exists (
    select 1 from exchange.outbox o where o.connection_id = c.id and (o.state in ('waiting', 'sealed', 'sending', 'unknown')
      or o.state = 'delivered' and o.alarm is null and o.confirm_by is not null)) order by c.id`.execute(own(c))
  return rows.map(row => row.id)
}

export async function isActive(tx: TxCtx, connectionId: string): Promise<boolean> {
  const { rows } = await sql`select 1 from exchange.connection where id = ${connectionId}::uuid and state = 'active'`.execute(own(tx))
  return rows.length > 0
}

/** Held messages whose kind has an owner by now. */
export async function heldWithOwner(c: Ctx): Promise<{ kind: ExportKind; connectionId: string; adapter: string }[]> {
  const { rows } = await sql<{ kind: ExportKind; connectionId: string; adapter: string }>`
    select k.kind, k.connection_id as "connectionId", c.adapter from exchange.kind_owner k join exchange.connection c on c.id = k.connection_id
    where k.direction = 'out' and exists (
      select 1 from exchange.outbox o where o.connection_id is null and o.state = 'held' and o.kind = k.kind)`.execute(own(c))
  return rows
}
