import { type SqlBool, sql } from 'kysely'
import { any, type Ctx, type TxCtx } from '../../core/index.ts'
import { type GroupRuleRow, own, type RuleKind } from './tables.ts'

// ---- users -------------------------------------------------------------------------------------------------------------

const userColumns = ['id', 'username_sealed', 'name_sealed', 'employee_id', 'active', 'password_phc', 'version', 'last_sign_in_at'] as const
export type User = {
  id: string
  username_sealed: Buffer
  name_sealed: Buffer | null
  employee_id: string | null
  active: boolean
  password_phc: string | null
  version: number
  last_sign_in_at: string | null
}

/** All users, sealed; read whole and sorted in memory (at most some thousands). */
export const listUsers = (ctx: Ctx): Promise<User[]> => own(ctx).selectFrom('authz.user').select(userColumns).execute()

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
    password_phc?: string | null
    last_sign_in_at?: string
  }
): Promise<void> {
  await own(tx)
    .updateTable('authz.user')
    .set({ ...change, version: sql<number>`version + 1`, changed_at: tx.clock.iso() })
    .where('id', '=', id)
    .execute()
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

/** Active users who hold the built-in role administrator and can sign in; locked, so that two removals do not pass each other. */
export async function administrators(tx: TxCtx): Promise<string[]> {
  const rows = await own(tx)
    .selectFrom('authz.user as u')
    .innerJoin('authz.user_role as ur', 'ur.user_id', 'u.id')
    .innerJoin('authz.role as r', 'r.id', 'ur.role_id')
    .select('u.id')
    .where('u.active', '=', true)
    .where('r.name', '=', 'administrator')
    .where('r.built_in', '=', true)
    .orderBy('u.id')
    .forUpdate('u')
    .execute()
  return rows.map(row => row.id)
}

// ---- roles -------------------------------------------------------------------------------------------------------------

const roleColumns = ['id', 'name', 'built_in', 'permissions', 'version'] as const
export const listRoles = (c: Ctx | TxCtx) => own(c).selectFrom('authz.role').select(roleColumns).orderBy('name').execute()
export const rolesByIds = (c: Ctx | TxCtx, ids: readonly string[]) =>
  own(c).selectFrom('authz.role').select(roleColumns).where('id', '=', any(ids)).execute()
export const lockRole = (tx: TxCtx, id: string) =>
  own(tx).selectFrom('authz.role').select(roleColumns).where('id', '=', id).forUpdate().executeTakeFirst()
export const roleByName = (c: Ctx | TxCtx, name: string) =>
  own(c).selectFrom('authz.role').select(roleColumns).where('name', '=', name).executeTakeFirst()

export async function insertRole(tx: TxCtx, row: { id: string; name: string; permissions: string[] }): Promise<boolean> {
  const made = await own(tx)
    .insertInto('authz.role')
    .values(row)
    .onConflict(c => c.column('name').doNothing())
    .returning('id')
    .executeTakeFirst()
  return made !== undefined
}

export async function updateRole(tx: TxCtx, id: string, permissions: string[]): Promise<void> {
  await own(tx)
    .updateTable('authz.role')
    .set({ permissions, version: sql<number>`version + 1`, changed_at: tx.clock.iso() })
    .where('id', '=', id)
    .execute()
}

export async function upsertBuiltInRoles(
  tx: TxCtx,
  rows: readonly { id: string; name: string; permissions: readonly string[] }[]
): Promise<void> {
  for (const row of rows) {
    await own(tx)
      .insertInto('authz.role')
      .values({ id: row.id, name: row.name, built_in: true, permissions: [...row.permissions] })
      .onConflict(c => c.column('name').doUpdateSet({ permissions: [...row.permissions], built_in: true, changed_at: tx.clock.iso() }))
      .execute()
  }
}

// ---- operational groups ------------------------------------------------------------------------------------------------

export const listGroups = (c: Ctx | TxCtx) =>
  own(c).selectFrom('authz.operational_group').select(['id', 'name', 'version']).orderBy('name').execute()
export const groupById = (c: Ctx | TxCtx, id: string) =>
  own(c).selectFrom('authz.operational_group').select(['id', 'name', 'version']).where('id', '=', id).executeTakeFirst()
export const groupsByIds = (c: Ctx | TxCtx, ids: readonly string[]) =>
  own(c).selectFrom('authz.operational_group').select(['id', 'name']).where('id', '=', any(ids)).execute()
export const rulesOf = (c: Ctx | TxCtx, groupIds: readonly string[]): Promise<Pick<GroupRuleRow, 'group_id' | 'kind' | 'value'>[]> =>
  own(c)
    .selectFrom('authz.group_rule')
    .select(['group_id', 'kind', 'value'])
    .where('group_id', '=', any(groupIds))
    .orderBy('kind')
    .orderBy('value')
    .execute()

export async function insertGroup(tx: TxCtx, row: { id: string; name: string }): Promise<boolean> {
  const made = await own(tx)
    .insertInto('authz.operational_group')
    .values(row)
    .onConflict(c => c.column('name').doNothing())
    .returning('id')
    .executeTakeFirst()
  return made !== undefined
}

export async function setRules(tx: TxCtx, groupId: string, rules: readonly { kind: RuleKind; value: string }[]): Promise<void> {
  await own(tx).deleteFrom('authz.group_rule').where('group_id', '=', groupId).execute()
  await sql`insert into authz.group_rule (group_id, kind, value)
    select distinct ${groupId}::uuid, k, v from unnest(${rules.map(r => r.kind)}::text[], ${rules.map(r => r.value)}::text[]) as n (k, v)`.execute(
    own(tx)
  )
  await own(tx)
    .updateTable('authz.operational_group')
    .set({ version: sql<number>`version + 1`, changed_at: tx.clock.iso() })
    .where('id', '=', groupId)
    .execute()
}

/** Jobs that a group's rules select now, page by page, and how many. */
export async function jobsOfGroup(ctx: Ctx, groupId: string, limit: number) {
  const { rows } = await sql<{ job_id: string; order_number: string; department_code: string; work_centre: string | null; total: string }>`
    select s.job_id, s.order_number, s.department_code, s.work_centre, count(*) over () as total from authz.job_scope s
    where exists (select 1 from authz.group_rule r where r.group_id = ${groupId}::uuid and (r.kind = 'all'
      or r.kind = 'department' and r.value = s.department_code or r.kind = 'work_centre' and r.value = s.work_centre
      or r.kind = 'order' and r.value = s.order_number or r.kind = 'order_pattern' and s.order_number like r.value))
    order by s.order_number, s.job_id limit ${limit}`.execute(own(ctx))
  return rows
}

export const scopeOfJob = (c: Ctx | TxCtx, jobId: string) =>
  own(c)
    .selectFrom('authz.job_scope')
    .select(['job_id', 'order_number', 'department_code', 'work_centre'])
    .where('job_id', '=', jobId)
    .executeTakeFirst()

// ---- what other modules tell -------------------------------------------------------------------------------------------

export async function upsertScopes(
  tx: TxCtx,
  rows: readonly { jobId: string; orderNumber: string; department: string; workCentre: string | null }[]
): Promise<void> {
  await sql`insert into authz.job_scope (job_id, order_number, department_code, work_centre)
    select * from unnest(${rows.map(r => r.jobId)}::uuid[], ${rows.map(r => r.orderNumber)}::text[], ${rows.map(r => r.department)}::text[],
      ${rows.map(r => r.workCentre)}::text[])
    on conflict (job_id) do update set order_number = excluded.order_number, department_code = excluded.department_code,
      work_centre = excluded.work_centre, changed_at = ${tx.clock.iso()}::timestamptz
    where (job_scope.order_number, job_scope.department_code, job_scope.work_centre)
      is distinct from (excluded.order_number, excluded.department_code, excluded.work_centre)`.execute(own(tx))
}

export async function deleteScopes(tx: TxCtx, jobIds: readonly string[]): Promise<void> {
  await own(tx).deleteFrom('authz.job_scope').where('job_id', '=', any(jobIds)).execute()
}

export async function unknownDepartmentsRule(c: Ctx | TxCtx): Promise<'create' | 'reject'> {
  const row = await own(c).selectFrom('authz.setting').select('unknown_departments').executeTakeFirst()
  return row?.unknown_departments ?? 'create'
}

export const knownDepartments = (c: Ctx | TxCtx, codes: readonly string[]) =>
  own(c).selectFrom('authz.department').select('code').where('code', '=', any(codes)).execute()
export const listDepartments = (c: Ctx) => own(c).selectFrom('authz.department').select(['code', 'name']).orderBy('code').execute()

export async function insertDepartments(tx: TxCtx, codes: readonly string[]): Promise<void> {
  await sql`insert into authz.department (code) select unnest(${[...codes].sort()}::text[]) on conflict do nothing`.execute(own(tx))
}

/** Set-wise; a number that moved to another employee is taken from the first one before it is given to the second. */
export async function upsertLinks(tx: TxCtx, rows: readonly { id: string; numberBlind: Buffer | null; active: boolean }[]): Promise<void> {
  const json = JSON.stringify(rows.map(row => ({ id: row.id, number: row.numberBlind?.toString('hex') ?? null, active: row.active })))
  await sql`update authz.employee_link l set number_blind = null, changed_at = ${tx.clock.iso()}::timestamptz
    from jsonb_to_recordset(${json}::jsonb) as n (id uuid, number text)
    where l.number_blind = decode(n.number, 'hex') and l.id <> n.id`.execute(own(tx))
  await sql`insert into authz.employee_link (id, number_blind, active)
    select n.id, decode(n.number, 'hex'), n.active from jsonb_to_recordset(${json}::jsonb) as n (id uuid, number text, active boolean)
    on conflict (id) do update set number_blind = excluded.number_blind, active = excluded.active, changed_at = ${tx.clock.iso()}::timestamptz`.execute(
    own(tx)
  )
}

export const linkByNumber = (c: Ctx | TxCtx, numberBlind: Buffer) =>
  own(c).selectFrom('authz.employee_link').select(['id', 'active']).where('number_blind', '=', numberBlind).executeTakeFirst()
