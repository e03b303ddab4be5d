import { sql } from 'kysely'
import { type Concealed, canonical, fromStored, type Json, toStored } from '../../adapters/contract/index.ts'
import type { Ctx, TxCtx } from '../context.ts'
import { view } from '../db/tx.ts'

const own = view<Record<never, never>>()

/** @returns false when the connection has a file of this name already, fetched or not */
export async function insertOutboxFile(
  tx: TxCtx,
  file: { connectionId: string; name: string; sealed: Buffer; size: number; sha256: string }
): Promise<boolean> {
  const { rows } = await sql`insert into exchange.outbox_file (connection_id, name, body_sealed, size, sha256)
    values (${file.connectionId}::uuid, ${file.name}, ${file.sealed}, ${file.size}, ${file.sha256})
    on conflict (connection_id, name) do nothing returning seq`.execute(own(tx))
  return rows.length > 0
}

export async function outboxFileHash(tx: TxCtx, connectionId: string, name: string): Promise<string | undefined> {
  const { rows } = await sql<{ sha256: string }>`
    select sha256 from exchange.outbox_file where connection_id = ${connectionId}::uuid and name = ${name}`.execute(own(tx))
  return rows[0]?.sha256
}

const bound = (connectionId: string) => ({ table: 'exchange.adapter_state', column: 'state_sealed', row: connectionId }) as const

export async function adapterState(c: Ctx | TxCtx, connectionId: string): Promise<Concealed> {
  const { rows } = await sql<{ state_sealed: Buffer }>`
    select state_sealed from exchange.adapter_state where connection_id = ${connectionId}::uuid`.execute(own(c))
  const row = rows[0]
  return row ? fromStored(JSON.parse(c.tenant.keys.openText(row.state_sealed, bound(connectionId)))) : null
}

/** Compare and set under the row's lock. @returns false when somebody else was first */
export async function casAdapterState(tx: TxCtx, connectionId: string, expected: Concealed, next: Concealed): Promise<boolean> {
  const seal = (value: Json): Buffer => tx.tenant.keys.seal(JSON.stringify(value), bound(connectionId))
  await sql`insert into exchange.adapter_state (connection_id, state_sealed, version) values (${connectionId}::uuid, ${seal(null)}, 1)
    on conflict (connection_id) do nothing`.execute(own(tx))
  const { rows } = await sql<{ state_sealed: Buffer }>`
    select state_sealed from exchange.adapter_state where connection_id = ${connectionId}::uuid for update`.execute(own(tx))
  const row = rows[0]
  const current = row ? (JSON.parse(tx.tenant.keys.openText(row.state_sealed, bound(connectionId))) as Json) : null
  if (canonical(current) !== canonical(toStored(expected))) return false
  await sql`update exchange.adapter_state set state_sealed = ${seal(toStored(next))}, version = version + 1, changed_at = ${tx.clock.iso()}::timestamptz
    where connection_id = ${connectionId}::uuid`.execute(own(tx))
  return true
}
