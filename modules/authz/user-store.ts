import { type SqlBool, sql } from 'kysely'
import { any, type Ctx, type TxCtx } from '../../core/index.ts'
import { own } from './tables.ts'

const userColumns = [
  'id',
  'username_sealed',
  'name_sealed',
  'employee_id',
  'active',
  'password_phc',
  'must_change',
  'version',
  'last_sign_in_at'
] as const
export type User = {
  id: string
  username_sealed: Buffer
  name_sealed: Buffer | null
  employee_id: string | null
  active: boolean
  password_phc: string | null
  must_change: boolean
  version: number
  last_sign_in_at: string | null
}

/** All users, sealed; read whole and sorted in memory (at most some thousands). */
export const listUsers = (c: Ctx | TxCtx): Promise<User[]> => own(c).selectFrom('authz.user').select(userColumns).execute()

export const userById = (c: Ctx | TxCtx, id: string): Promise<User | undefined> =>
  own(c).selectFrom('authz.user').select(userColumns).where('id', '=', id).executeTakeFirst()

export const lockUser = (tx: TxCtx, id: string): Promise<User | undefined> =>
  own(tx).selectFrom('authz.user').select(userColumns).where('id', '=', id).forUpdate().executeTakeFirst()

/** Who signs in with this name, or with the number of the employee linked to them. */
export const userForSignIn = (c: Ctx | TxCtx, usernameBlind: Buffer, numberBlind: Buffer): Promise<User | undefined> =>
  own(c)
    .selectFrom('authz.user as u')
    .select(userColumns.map(column => `u.${column}` as const))
    .leftJoin('authz.employee_link as e', 'e.id', 'u.employee_id')
    .where(eb =>
      eb.or([eb('u.username_blind', '=', usernameBlind), eb.and([eb('e.number_blind', '=', numberBlind), eb('e.active', '=', true)])])
    )
    .orderBy(sql<SqlBool>`u.username_blind = ${usernameBlind}`, 'desc')
    .limit(1)
    .executeTakeFirst()

export async function insertUser(
  tx: TxCtx,
  row: {
    id: string
    username_blind: Buffer
    username_sealed: Buffer
    name_sealed: Buffer | null
    employee_id: string | null
    password_phc: string | null
    must_change: boolean
  }
): Promise<boolean> {
  const made = await own(tx)
    .insertInto('authz.user')
    .values({ ...row, last_sign_in_at: null })
    .onConflict(c => c.column('username_blind').doNothing())
    .returning('id')
    .executeTakeFirst()
  return made !== undefined
}

export async function updateUser(
  tx: TxCtx,
  id: string,
  change: {
    active?: boolean
    name_sealed?: Buffer | null
    employee_id?: string | null
  }
): Promise<void> {
  await own(tx)
    .updateTable('authz.user')
    .set({ ...change, version: sql<number>`version + 1`, changed_at: tx.clock.iso() })
    .where('id', '=', id)
    .execute()
}

/** A password that the person chose. */
export async function setPassword(tx: TxCtx, id: string, phc: string): Promise<void> {
  await own(tx)
    .updateTable('authz.user')
    .set({ password_phc: phc, must_change: false, changed_at: tx.clock.iso() })
    .where('id', '=', id)
    .execute()
}

/** @param phc the same password, hashed anew where the cost has risen since */
export async function noteSignIn(tx: TxCtx, id: string, phc: string): Promise<void> {
  await own(tx).updateTable('authz.user').set({ password_phc: phc, last_sign_in_at: tx.clock.iso() }).where('id', '=', id).execute()
}

export const userRoles = (c: Ctx | TxCtx, userIds: readonly string[]) =>
  own(c)
    .selectFrom('authz.user_role as ur')
    .innerJoin('authz.role as r', 'r.id', 'ur.role_id')
    .select(['ur.user_id', 'r.id', 'r.name'])
    .where('ur.user_id', '=', any(userIds))
    .orderBy('r.name')
    .execute()

export const userGroups = (c: Ctx | TxCtx, userIds: readonly string[]) =>
  own(c)
    .selectFrom('authz.group_member as m')
    .innerJoin('authz.operational_group as g', 'g.id', 'm.group_id')
    .select(['m.user_id', 'g.id', 'g.name'])
    .where('m.user_id', '=', any(userIds))
    .orderBy('g.name')
    .execute()

export async function setRoles(tx: TxCtx, userId: string, roleIds: readonly string[]): Promise<void> {
  await own(tx).deleteFrom('authz.user_role').where('user_id', '=', userId).execute()
  await sql`insert into authz.user_role (user_id, role_id) select ${userId}::uuid, unnest(${[...new Set(roleIds)]}::uuid[])`.execute(
    own(tx)
  )
}

export async function setGroups(tx: TxCtx, userId: string, groupIds: readonly string[]): Promise<void> {
  await own(tx).deleteFrom('authz.group_member').where('user_id', '=', userId).execute()
  await sql`insert into authz.group_member (user_id, group_id) select ${userId}::uuid, unnest(${[...new Set(groupIds)]}::uuid[])`.execute(
    own(tx)
  )
}

/**
 * Active users who hold the built-in role administrator and have a password. The role is locked first and the users are read after
 * that, in a statement of their own: otherwise two administrators who remove each other would both still see the other.
 */
export async function administrators(tx: TxCtx): Promise<string[]> {
  const role = await own(tx)
    .selectFrom('authz.role')
    .select('id')
    .where('name', '=', 'administrator')
    .where('built_in', '=', true)
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (!role) return []
  const rows = await own(tx)
    .selectFrom('authz.user as u')
    .innerJoin('authz.user_role as ur', 'ur.user_id', 'u.id')
    .select('u.id')
    .where('ur.role_id', '=', role.id)
    .where('u.active', '=', true)
    .where('u.password_phc', 'is not', null)
    .orderBy('u.id')
    .execute()
  return rows.map(row => row.id)
}
