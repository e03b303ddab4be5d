import { sql } from 'kysely'
import { any, type Ctx, type TxCtx } from '../../core/index.ts'
import { visible } from './grant.ts'
import { type GroupRuleRow, own, type RuleKind } from './tables.ts'

export const listGroups = (c: Ctx | TxCtx) =>
  own(c).selectFrom('authz.operational_group').select(['id', 'name', 'version']).orderBy('name').execute()
export const groupById = (c: Ctx | TxCtx, id: string) =>
  own(c).selectFrom('authz.operational_group').select(['id', 'name', 'version']).where('id', '=', id).executeTakeFirst()
/** Kept from being removed until the end of the transaction. */
export const holdGroups = (tx: TxCtx, ids: readonly string[]) =>
  own(tx).selectFrom('authz.operational_group').select(['id', 'name']).where('id', '=', any(ids)).orderBy('id').forKeyShare().execute()
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

export const lockGroup = (tx: TxCtx, id: string) =>
  own(tx).selectFrom('authz.operational_group').select(['id', 'name', 'version']).where('id', '=', id).forUpdate().executeTakeFirst()

export async function deleteGroup(tx: TxCtx, id: string): Promise<void> {
  await own(tx).deleteFrom('authz.operational_group').where('id', '=', id).execute()
}

/** Whether rule `r` selects the scope row `s`; the same as `visible` says it for a person. */
const selects = sql<boolean>`(r.kind = 'all' or r.kind = 'department' and r.value = s.department_code
  or r.kind = 'work_centre' and r.value = s.work_centre or r.kind = 'order' and r.value = s.order_number
  or r.kind = 'order_pattern' and s.order_number like r.value)`

export interface ScopeRow {
  readonly job_id: string
  readonly order_number: string
  readonly department_code: string
  readonly work_centre: string | null
}

/** Jobs that a group's rules select now and that the caller may see, and how many there are. */
export async function jobsOfGroup(ctx: Ctx, groupId: string, limit: number): Promise<(ScopeRow & { total: string })[]> {
  const { rows } = await sql<ScopeRow & { total: string }>`
    select s.job_id, s.order_number, s.department_code, s.work_centre, count(*) over () as total from authz.job_scope s
    where exists (select 1 from authz.group_rule r where r.group_id = ${groupId}::uuid and ${selects}) and ${visible(ctx, 's.job_id')}
    order by s.order_number, s.job_id limit ${limit}`.execute(own(ctx))
  return rows
}

/** By what a job is selected; undefined also where the caller may not see the job. */
export async function scopeOfJob(ctx: Ctx, jobId: string): Promise<ScopeRow | undefined> {
  const { rows } = await sql<ScopeRow>`
    select s.job_id, s.order_number, s.department_code, s.work_centre from authz.job_scope s
    where s.job_id = ${jobId}::uuid and ${visible(ctx, 's.job_id')}`.execute(own(ctx))
  return rows[0]
}

/** Of these groups, those that have a rule which selects the job. */
export async function groupsCovering(ctx: Ctx, jobId: string, groupIds: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ group_id: string }>`
    select distinct r.group_id from authz.group_rule r join authz.job_scope s on ${selects}
    where s.job_id = ${jobId}::uuid and r.group_id = any(${groupIds}::uuid[])`.execute(own(ctx))
  return new Set(rows.map(row => row.group_id))
}
