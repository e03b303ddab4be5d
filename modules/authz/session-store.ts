import { sql } from 'kysely'
import { any, type Ctx, type TxCtx } from '../../core/index.ts'
import { own } from './tables.ts'

const sessionColumns = [
  'id',
  'user_id',
  'lookup',
  'digest',
  'rotations',
  'rotated_at',
  'client',
  'expires_at',
  'ended_at',
  'created_at'
] as const

export async function insertSession(
  tx: TxCtx,
  row: { id: string; user_id: string; lookup: string; digest: Buffer; client: Buffer; expires_at: string }
): Promise<void> {
  await own(tx)
    .insertInto('authz.session')
    .values({ ...row, rotated_at: tx.clock.iso(), ended_at: null, ended_reason: null })
    .execute()
}

export const lockSession = (tx: TxCtx, lookup: string) =>
  own(tx).selectFrom('authz.session').select(sessionColumns).where('lookup', '=', lookup).forUpdate().executeTakeFirst()

export async function rotateSession(tx: TxCtx, id: string, next: { digest: Buffer; client: Buffer }): Promise<void> {
  await own(tx)
    .updateTable('authz.session')
    .set({ ...next, rotations: sql<number>`rotations + 1`, rotated_at: tx.clock.iso(), changed_at: tx.clock.iso() })
    .where('id', '=', id)
    .execute()
}

export const liveSessions = (ctx: Ctx | TxCtx, userId: string) =>
  own(ctx)
    .selectFrom('authz.session')
    .select(sessionColumns)
    .where('user_id', '=', userId)
    .where('ended_at', 'is', null)
    .where('expires_at', '>', ctx.clock.iso())
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .execute()

/** @returns lookups of those that had not ended yet, for the directory */
export async function endSessions(tx: TxCtx, ids: readonly string[], reason: string): Promise<string[]> {
  const rows = await own(tx)
    .updateTable('authz.session')
    .set({ ended_at: tx.clock.iso(), ended_reason: reason, changed_at: tx.clock.iso() })
    .where('id', '=', any(ids))
    .where('ended_at', 'is', null)
    .returning('lookup')
    .execute()
  return rows.map(row => row.lookup)
}

/** Ends all sessions of a user but one. @returns lookups of those that had not ended yet */
export async function endSessionsOf(tx: TxCtx, userId: string, reason: string, except: string | null = null): Promise<string[]> {
  const rows = await own(tx)
    .updateTable('authz.session')
    .set({ ended_at: tx.clock.iso(), ended_reason: reason, changed_at: tx.clock.iso() })
    .where('user_id', '=', userId)
    .where('ended_at', 'is', null)
    .where(sql<boolean>`id is distinct from ${except}::uuid`)
    .returning('lookup')
    .execute()
  return rows.map(row => row.lookup)
}

export async function insertInvitation(
  tx: TxCtx,
  row: { id: string; user_id: string; lookup: string; digest: Buffer; expires_at: string }
): Promise<void> {
  await own(tx)
    .insertInto('authz.invitation')
    .values({ ...row, used_at: null })
    .execute()
}

export const lockInvitation = (tx: TxCtx, lookup: string) =>
  own(tx)
    .selectFrom('authz.invitation')
    .select(['id', 'user_id', 'digest', 'expires_at', 'used_at'])
    .where('lookup', '=', lookup)
    .forUpdate()
    .executeTakeFirst()

/** Marks one as used and every other open one of the user too: a new link makes the older ones worthless. */
export async function closeInvitations(tx: TxCtx, userId: string): Promise<void> {
  await own(tx)
    .updateTable('authz.invitation')
    .set({ used_at: tx.clock.iso(), changed_at: tx.clock.iso() })
    .where('user_id', '=', userId)
    .where('used_at', 'is', null)
    .execute()
}

/** Takes away what ended before. @returns lookups, for the directory */
export async function forgetEnded(tx: TxCtx, before: string): Promise<{ sessions: string[]; invitations: string[] }> {
  const sessions = await own(tx)
    .deleteFrom('authz.session')
    .where(eb => eb.or([eb('ended_at', '<', before), eb('expires_at', '<', before)]))
    .returning('lookup')
    .execute()
  const invitations = await own(tx)
    .deleteFrom('authz.invitation')
    .where(eb => eb.or([eb('used_at', '<', before), eb('expires_at', '<', before)]))
    .returning('lookup')
    .execute()
  return { sessions: sessions.map(row => row.lookup), invitations: invitations.map(row => row.lookup) }
}
