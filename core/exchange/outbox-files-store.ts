import type { Generated } from 'kysely'
import type { Ctx, TxCtx } from '../context.ts'
import { view } from '../db/tx.ts'

interface OutboxFileRow {
  /** bigint as text */
  seq: Generated<string>
  connection_id: string
  name: string
  body_sealed: Buffer
  size: string
  sha256: string
  fetched_at: string | null
  removed_at: string | null
  created_at: Generated<string>
  changed_at: Generated<string>
}
const own = view<{ 'exchange.outbox_file': OutboxFileRow }>()

const columns = ['seq', 'name', 'size', 'sha256', 'fetched_at', 'created_at'] as const satisfies readonly (keyof OutboxFileRow)[]

/** A file that waits for the ERP to fetch it; its content never changes. */
export interface OutboxFile {
  readonly seq: string
  readonly name: string
  readonly size: string
  readonly sha256: string
  readonly fetched_at: string | null
  readonly created_at: string
}

/** Files not yet taken away, in the order in which they were written, behind `after`. */
export async function listOutboxFiles(c: Ctx, connectionId: string, after: string, limit: number): Promise<readonly OutboxFile[]> {
  return own(c)
    .selectFrom('exchange.outbox_file')
    .select(columns)
    .where('connection_id', '=', connectionId)
    .where('removed_at', 'is', null)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(limit)
    .execute()
}

export async function findOutboxFile(c: Ctx, connectionId: string, name: string): Promise<OutboxFile | undefined> {
  return own(c)
    .selectFrom('exchange.outbox_file')
    .select(columns)
    .where('connection_id', '=', connectionId)
    .where('name', '=', name)
    .where('removed_at', 'is', null)
    .executeTakeFirst()
}

const bound = (connectionId: string, name: string) =>
  ({ table: 'exchange.outbox_file', column: 'body_sealed', row: `${connectionId}/${name}` }) as const

/**
 * Puts a file out of the way of one that a person wants to be sent instead: it is no longer offered and keeps its bytes under a name that
 * no adapter can write. Without such a file nothing happens.
 */
export async function setFileAside(tx: TxCtx, connectionId: string, name: string): Promise<void> {
  const row = await own(tx)
    .selectFrom('exchange.outbox_file')
    .select(['seq', 'body_sealed', 'removed_at'])
    .where('connection_id', '=', connectionId)
    .where('name', '=', name)
    .forUpdate()
    .executeTakeFirst()
  if (!row) return
  const at = tx.clock.iso()
  const aside = `${name}~${row.seq}`
  const { keys } = tx.tenant
  const body_sealed = keys.seal(keys.open(row.body_sealed, bound(connectionId, name)), bound(connectionId, aside))
  await own(tx)
    .updateTable('exchange.outbox_file')
    .set({ name: aside, body_sealed, removed_at: row.removed_at ?? at, changed_at: at })
    .where('seq', '=', row.seq)
    .execute()
}

/** The plain content; sealed under the tenant's key and bound to connection and name. */
export async function readOutboxFile(c: Ctx, connectionId: string, name: string): Promise<Buffer> {
  const row = await own(c)
    .selectFrom('exchange.outbox_file')
    .select('body_sealed')
    .where('connection_id', '=', connectionId)
    .where('name', '=', name)
    .executeTakeFirstOrThrow()
  return c.tenant.keys.open(row.body_sealed, bound(connectionId, name))
}

export async function noteFetched(c: Ctx, connectionId: string, name: string): Promise<void> {
  await own(c)
    .updateTable('exchange.outbox_file')
    .set({ fetched_at: c.clock.iso(), changed_at: c.clock.iso() })
    .where('connection_id', '=', connectionId)
    .where('name', '=', name)
    .where('fetched_at', 'is', null)
    .execute()
}

/** @returns false when it was not fetched yet or is gone */
export async function removeOutboxFile(c: Ctx, connectionId: string, name: string): Promise<boolean> {
  const row = await own(c)
    .updateTable('exchange.outbox_file')
    .set({ removed_at: c.clock.iso(), changed_at: c.clock.iso() })
    .where('connection_id', '=', connectionId)
    .where('name', '=', name)
    .where('fetched_at', 'is not', null)
    .where('removed_at', 'is', null)
    .returning('seq')
    .executeTakeFirst()
  return row !== undefined
}
