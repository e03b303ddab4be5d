import type { Generated } from 'kysely'
import type { Ctx, TxCtx } from '../context.ts'
import { any, view } from '../db/tx.ts'

export type AccessKind = 'sftp_key' | 'sftp_password' | 'token'

interface AccessRow {
  id: string
  connection_id: string
  kind: AccessKind
  label: string
  lookup: string
  digest: Buffer | null
  password_phc: string | null
  public_key: string | null
  revoked_at: string | null
  last_used_at: string | null
  created_at: Generated<string>
  changed_at: Generated<string>
}

interface Tables {
  'exchange.access': AccessRow
  'exchange.connection': { id: string }
}
const own = view<Tables>()

const shown = [
  'id',
  'connection_id',
  'kind',
  'label',
  'lookup',
  'public_key',
  'revoked_at',
  'last_used_at',
  'created_at'
] as const satisfies readonly (keyof AccessRow)[]
/** An access as people may see it: nothing that proves anything. */
export type Access = { readonly [K in (typeof shown)[number]]: AccessRow[K] extends Generated<infer V> ? V : AccessRow[K] }

/** What signing in is checked against. */
export interface Proof {
  readonly id: string
  readonly kind: AccessKind
  readonly digest: Buffer | null
  readonly password_phc: string | null
  readonly public_key: string | null
  readonly last_used_at: string | null
}

export async function connectionExists(c: Ctx | TxCtx, id: string): Promise<boolean> {
  return (await own(c).selectFrom('exchange.connection').select('id').where('id', '=', id).executeTakeFirst()) !== undefined
}

/** Locks the connection, so that two people adding at once cannot both pass a limit. */
export async function lockAccessOf(c: TxCtx, connectionId: string): Promise<boolean> {
  return (
    (await own(c).selectFrom('exchange.connection').select('id').where('id', '=', connectionId).forNoKeyUpdate().executeTakeFirst()) !==
    undefined
  )
}

export async function insertAccess(
  c: TxCtx,
  row: Pick<AccessRow, 'id' | 'connection_id' | 'kind' | 'label' | 'lookup'> &
    Partial<Pick<AccessRow, 'digest' | 'password_phc' | 'public_key'>> & { at: string }
): Promise<void> {
  const { at, ...values } = row
  await own(c)
    .insertInto('exchange.access')
    .values({
      digest: null,
      password_phc: null,
      public_key: null,
      revoked_at: null,
      last_used_at: null,
      ...values,
      created_at: at,
      changed_at: at
    })
    .execute()
}

export async function listAccess(c: Ctx | TxCtx, connectionId: string): Promise<readonly Access[]> {
  return own(c)
    .selectFrom('exchange.access')
    .select(shown)
    .where('connection_id', '=', connectionId)
    .orderBy('created_at')
    .orderBy('id')
    .limit(200)
    .execute()
}

export async function findAccess(c: Ctx | TxCtx, connectionId: string, id: string): Promise<Access | undefined> {
  return own(c)
    .selectFrom('exchange.access')
    .select(shown)
    .where('connection_id', '=', connectionId)
    .where('id', '=', id)
    .executeTakeFirst()
}

export async function activeAccess(c: TxCtx, connectionId: string, kind: AccessKind): Promise<readonly Access[]> {
  return own(c)
    .selectFrom('exchange.access')
    .select(shown)
    .where('connection_id', '=', connectionId)
    .where('kind', '=', kind)
    .where('revoked_at', 'is', null)
    .execute()
}

/** Whether this public key is still good for some connection of the tenant. */
export async function keyInUse(c: TxCtx, publicKey: string): Promise<boolean> {
  const row = await own(c)
    .selectFrom('exchange.access')
    .select('id')
    .where('kind', '=', 'sftp_key')
    .where('public_key', '=', publicKey)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return row !== undefined
}

export async function revokeRow(c: TxCtx, id: string, at: string): Promise<boolean> {
  const row = await own(c)
    .updateTable('exchange.access')
    .set({ revoked_at: at, changed_at: at })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

const proofColumns = ['id', 'kind', 'digest', 'password_phc', 'public_key', 'last_used_at'] as const satisfies readonly (keyof AccessRow)[]

/** Unrevoked proofs behind a lookup (SFTP user name or token) of one connection. */
export async function proofsOf(c: Ctx, connectionId: string, kinds: readonly AccessKind[], lookup: string): Promise<readonly Proof[]> {
  return own(c)
    .selectFrom('exchange.access')
    .select(proofColumns)
    .where('connection_id', '=', connectionId)
    .where('kind', '=', any(kinds))
    .where('lookup', '=', lookup)
    .where('revoked_at', 'is', null)
    .orderBy('created_at')
    .execute()
}

export async function isActive(c: Ctx, id: string): Promise<boolean> {
  const row = await own(c)
    .selectFrom('exchange.access')
    .select('id')
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return row !== undefined
}

export async function noteUse(c: Ctx, id: string, at: string): Promise<void> {
  await own(c).updateTable('exchange.access').set({ last_used_at: at }).where('id', '=', id).execute()
}
