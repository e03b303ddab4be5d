import { sql } from 'kysely'
import { any, type Ctx, type TxCtx } from '../../core/index.ts'
import { own } from './tables.ts'

const roleColumns = ['id', 'name', 'built_in', 'permissions', 'version'] as const
export const listRoles = (c: Ctx | TxCtx) => own(c).selectFrom('authz.role').select(roleColumns).orderBy('name').execute()
export const rolesByIds = (c: Ctx | TxCtx, ids: readonly string[]) =>
  own(c).selectFrom('authz.role').select(roleColumns).where('id', '=', any(ids)).execute()
/** The same, kept from being removed until the end of the transaction. */
export const holdRoles = (tx: TxCtx, ids: readonly string[]) =>
  own(tx).selectFrom('authz.role').select(roleColumns).where('id', '=', any(ids)).orderBy('id').forKeyShare().execute()
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

export async function deleteRole(tx: TxCtx, id: string): Promise<void> {
  await own(tx).deleteFrom('authz.user_role').where('role_id', '=', id).execute()
  await own(tx).deleteFrom('authz.role').where('id', '=', id).execute()
}

export async function upsertBuiltInRole(tx: TxCtx, role: { id: string; name: string; permissions: string[] }): Promise<string> {
  const row = await own(tx)
    .insertInto('authz.role')
    .values({ ...role, built_in: true })
    .onConflict(c =>
      c.column('name').doUpdateSet({
        permissions: role.permissions,
        built_in: true,
        version: sql<number>`authz.role.version + 1`,
        changed_at: tx.clock.iso()
      })
    )
    .returning('id')
    .executeTakeFirstOrThrow()
  return row.id
}

// ---- what other modules tell -------------------------------------------------------------------------------------------

/** Rows are written in the order of their ids, so that two imports wait for each other instead of locking each other out. */
export async function upsertScopes(
  tx: TxCtx,
  given: readonly { jobId: string; orderNumber: string; department: string; workCentre: string | null }[]
): Promise<void> {
  if (given.length === 0) return
  const rows = [...given].sort((a, b) => (a.jobId < b.jobId ? -1 : 1))
  await sql`insert into authz.job_scope (job_id, order_number, department_code, work_centre)
    select * from unnest(${rows.map(r => r.jobId)}::uuid[], ${rows.map(r => r.orderNumber)}::text[], ${rows.map(r => r.department)}::text[],
      ${rows.map(r => r.workCentre)}::text[])
    on conflict (job_id) do update set order_number = excluded.order_number, department_code = excluded.department_code,
      work_centre = excluded.work_centre, changed_at = ${tx.clock.iso()}::timestamptz
    where (job_scope.order_number, job_scope.department_code, job_scope.work_centre)
      is distinct from (excluded.order_number, excluded.department_code, excluded.work_centre)`.execute(own(tx))
  const centres = rows.filter(row => row.workCentre !== null)
  if (centres.length === 0) return
  await sql`insert into authz.work_centre (code, department_code)
    select distinct c, d from unnest(${centres.map(r => r.workCentre)}::text[], ${centres.map(r => r.department)}::text[]) as n (c, d)
    order by 1, 2 on conflict do nothing`.execute(own(tx))
}

export async function deleteScopes(tx: TxCtx, jobIds: readonly string[]): Promise<void> {
  await own(tx).deleteFrom('authz.job_scope').where('job_id', '=', any(jobIds)).execute()
}

export const readSetting = (c: Ctx | TxCtx) =>
  own(c).selectFrom('authz.setting').select(['unknown_departments', 'version']).executeTakeFirstOrThrow()

export const unknownDepartmentsRule = async (c: Ctx | TxCtx): Promise<'create' | 'reject'> => (await readSetting(c)).unknown_departments

/** @returns false when another one has changed the setting since that version */
export async function updateSetting(tx: TxCtx, version: number, unknownDepartments: 'create' | 'reject'): Promise<boolean> {
  const row = await own(tx)
    .updateTable('authz.setting')
    .set({ unknown_departments: unknownDepartments, version: version + 1, changed_at: tx.clock.iso() })
    .where('version', '=', version)
    .returning('version')
    .executeTakeFirst()
  return row !== undefined
}

export const knownDepartments = (c: Ctx | TxCtx, codes: readonly string[]) =>
  own(c).selectFrom('authz.department').select('code').where('code', '=', any(codes)).execute()
export const listDepartments = (c: Ctx | TxCtx) => own(c).selectFrom('authz.department').select(['code', 'name']).orderBy('code').execute()
export const listWorkCentres = (c: Ctx) =>
  own(c).selectFrom('authz.work_centre').select(['code', 'department_code']).orderBy('code').orderBy('department_code').execute()

export async function insertDepartments(tx: TxCtx, codes: readonly string[]): Promise<void> {
  await sql`insert into authz.department (code) select unnest(${[...codes].sort()}::text[]) on conflict do nothing`.execute(own(tx))
}

export async function putDepartment(tx: TxCtx, row: { code: string; name: string | null }): Promise<void> {
  await own(tx)
    .insertInto('authz.department')
    .values(row)
    .onConflict(c => c.column('code').doUpdateSet({ name: row.name, changed_at: tx.clock.iso() }))
    .execute()
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
