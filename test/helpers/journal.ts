import { sql } from 'kysely'
import type { BareCtx } from '../../core/context.ts'
import { own } from '../../core/journal/append.ts'
import { sealJournal } from '../../core/journal/seal.ts'
import { withConnection } from './database.ts'

/**
 * Seals when nothing on the whole server holds the boundary back: other test files have transactions open beside ours, and the
 * boundary is the server's. A test that holds one open itself is not waited for.
 */
export async function seal(ctx: BareCtx): ReturnType<typeof sealJournal> {
  for (let tries = 0; tries < 60; tries++) {
    const { rows } = await sql<{ free: boolean }>`select coalesce(max(xid) < pg_snapshot_xmin(pg_current_snapshot()), true) as free
      from journal.entry where epoch = (select max(number) from journal.epoch)`.execute(own(ctx))
    if (rows[0]?.free) break
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return sealJournal(ctx)
}

/** Runs a statement as superuser with the triggers of the journal switched off. */
export async function tamper(url: string, text: string): Promise<void> {
  await withConnection(url, async client => {
    await client.query(`begin; set local session_replication_role = replica; ${text}; commit`)
  })
}
