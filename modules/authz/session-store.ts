import { sql } from 'kysely'
import { any, type Ctx, type TxCtx } from '../../core/index.ts'
import { own } from './tables.ts'

const sessionColumns = [
  'id',
  'user_id',
  'lookup',
  'digest',
  'previous_digest',
  'rotated_at',
  'last_used_at',
  'expires_at',
  'ended_at',
  'created_at'
] as const

export async function insertSession(
  tx: TxCtx,
  row: { id: string; user_id: string; lookup: string; digest: Buffer; expires_at: string }
): Promise<void> {
  await own(tx)
    .insertInto('authz.session')
    .values({ ...row, previous_digest: null, rotated_at: null, ended_at: null, ended_reason: null, last_used_at: tx.clock.iso() })
    .execute()
}

export const lockSession = (tx: TxCtx, lookup: string) =>
  own(tx).selectFrom('authz.session').select(sessionColumns).where('lookup', '=', lookup).forUpdate().executeTakeFirst()

export async function rotateSession(tx: TxCtx, id: string, digest: Buffer): Promise<void> {
  await own(tx)
    .updateTable('authz.session')
    .set({
      previous_digest: sql<Buffer>`digest`,
      digest,
      rotated_at: tx.clock.iso(),
      last_used_at: tx.clock.iso(),
      changed_at: tx.clock.iso()
    })
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
    .execute()

/** @returns lookups of the sessions that ended, for the directory */
export async function endSessions(
  tx: TxCtx,
  which: { ids?: readonly string[]; userId?: string; except?: string },
  reason: string
): Promise<string[]> {
  const rows = await own(tx)
    .updateTable('authz.session')
    .set({ ended_at: tx.clock.iso(), ended_reason: reason, changed_at: tx.clock.iso() })
    .where('ended_at', 'is', null)
    .where(eb =>
      eb.and([
        ...(which.ids ? [eb('id', '=', any(which.ids))] : []),
        ...(which.userId === undefined ? [] : [eb('user_id', '=', which.userId)]),
        ...(which.except === undefined ? [] : [eb('id', '<>', which.except)])
      ])
    )
    .returning('lookup')
    .execute()
  return rows.map(row => row.lookup)
}

/** What the brake at the door counts: failed guesses of an account and of an address in the last hour. */
export async function guesses(
  c: Ctx | TxCtx,
  account: Buffer,
  address: Buffer
): Promise<{ account: number; pair: number; address: number; last: string | null }> {
  const since = new Date(c.clock.now().getTime() - 3_600_000).toISOString()
  const { rows } = await sql<{ account: string; pair: string; address: string; last: string | null }>`
    with last_ok as (select coalesce(max(at), '-infinity') as at from authz.sign_in_attempt
      where account_blind = ${account} and address_blind = ${address} and outcome = 'ok')
    select count(*) filter (where account_blind = ${account}) as account,
      count(*) filter (where account_blind = ${account} and address_blind = ${address} and at > (select at from last_ok)) as pair,
      count(*) filter (where address_blind = ${address}) as address,
      max(at) filter (where account_blind = ${account} and address_blind = ${address}) as last
    from authz.sign_in_attempt
    where outcome = 'failed' and at > ${since}::timestamptz and (account_blind = ${account} or address_blind = ${address})`.execute(own(c))
  const row = rows[0]
  return { account: Number(row?.account ?? 0), pair: Number(row?.pair ?? 0), address: Number(row?.address ?? 0), last: row?.last ?? null }
}

export async function recordAttempt(tx: TxCtx, account: Buffer, address: Buffer, outcome: 'ok' | 'failed' | 'slowed'): Promise<void> {
  await own(tx)
    .insertInto('authz.sign_in_attempt')
    .values({ account_blind: account, address_blind: address, at: tx.clock.iso(), outcome })
    .execute()
}

export async function forgetAttempts(tx: TxCtx, before: string): Promise<number> {
  const result = await own(tx).deleteFrom('authz.sign_in_attempt').where('at', '<', before).executeTakeFirst()
  return Number(result.numDeletedRows)
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

export const listApiKeys = (ctx: Ctx) =>
  own(ctx)
    .selectFrom('authz.api_key')
    .select(['id', 'name', 'permissions', 'group_ids', 'addresses', 'expires_at', 'revoked_at', 'created_at'])
    .orderBy('created_at')
    .execute()

export async function insertApiKey(
  tx: TxCtx,
  row: {
    id: string
    name: string
    lookup: string
    digest: Buffer
    permissions: string[]
    group_ids: string[]
    addresses: string[]
    expires_at: string
  }
): Promise<void> {
  await own(tx)
    .insertInto('authz.api_key')
    .values({ ...row, revoked_at: null })
    .execute()
}

export const revokeApiKey = (tx: TxCtx, id: string) =>
  own(tx)
    .updateTable('authz.api_key')
    .set({ revoked_at: tx.clock.iso(), changed_at: tx.clock.iso() })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .returning('lookup')
    .executeTakeFirst()
