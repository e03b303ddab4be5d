import { sql } from 'kysely'
import type { Ctx } from '../context.ts'
import type { Control } from '../db/control.ts'
import { sealHash } from './canonical.ts'
import type { Checkpoint } from './seal.ts'
import { type JournalReport, verifyJournal } from './verify.ts'

/** The newest seal of a tenant's journal that control knows; undefined before the first. */
export async function checkpointOf(control: Control, tenantId: string): Promise<Checkpoint | undefined> {
  const row = await control.kysely
    .selectFrom('control.journal_checkpoint')
    .select(['number', 'hash'])
    .where('tenant_id', '=', tenantId)
    .executeTakeFirst()
  return row && { number: Number(row.number), hash: row.hash }
}

/**
 * Keeps the newest seal of a tenant's journal in control. It moves only forward, and only while the journal still holds the seal that
 * was kept before: a journal written anew would otherwise vouch for itself as soon as it is longer than the old one.
 * @returns false when the journal no longer holds what was kept; then nothing changes, and `verify-journal` goes on saying so
 */
export async function keepCheckpoint(control: Control, ctx: Ctx, newest: Checkpoint): Promise<boolean> {
  const kept = await checkpointOf(control, ctx.tenant.id)
  if (kept?.number === newest.number && kept.hash === newest.hash) return true
  if (kept && (await sealHash(ctx, kept.number)) !== kept.hash) return false
  await sql`insert into control.journal_checkpoint as c (tenant_id, number, hash, at)
    values (${ctx.tenant.id}, ${newest.number}, ${newest.hash}, ${ctx.clock.iso()}::timestamptz)
    on conflict (tenant_id) do update set number = excluded.number, hash = excluded.hash, at = excluded.at
    where c.number < excluded.number`.execute(control.kysely)
  return true
}

/** Verifies a tenant's journal, also against what control kept of it. */
export async function verifyTenant(control: Control, ctx: Ctx): Promise<JournalReport> {
  // Read before the journal: a seal that is made meanwhile is newer than what was kept, never the other way round.
  const kept = await checkpointOf(control, ctx.tenant.id)
  return verifyJournal(ctx, kept)
}
