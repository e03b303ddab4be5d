import type { Ctx } from '../../core/index.ts'
import { refuse } from './errors.ts'
import { groupsCovering, scopeOfJob } from './group-store.ts'
import { listRoles } from './store.ts'
import { userById, userGroups, userRoles } from './user-store.ts'

export interface Why {
  readonly answer: boolean
  readonly role: { readonly ok: boolean; readonly roles: string[]; readonly sentence: string }
  readonly group: { readonly ok: boolean; readonly groups: string[]; readonly sentence: string } | null
}

/**
 * Explains a yes or a no: which role gives the permission, and which group's rule selects the job, or what is lacking. Of a job that
 * the asker may not see himself it says no more than that there is none.
 */
export async function why(ctx: Ctx, question: { userId: string; permission: string; jobId: string | undefined }): Promise<Why> {
  const user = await userById(ctx, question.userId)
  if (!user) throw refuse('user_unknown', 'There is no such user.')
  const held = new Set((await userRoles(ctx, [user.id])).map(role => role.id))
  const giving = (await listRoles(ctx))
    .filter(role => held.has(role.id) && role.permissions.includes(question.permission))
    .map(role => role.name)
  const role = {
    ok: user.active && !user.must_change && giving.length > 0,
    roles: giving,
    sentence: !user.active
      ? 'The user is switched off.'
      : user.must_change
        ? 'The user must choose a password first.'
        : giving.length > 0
          ? `The role ${giving.join(', ')} gives "${question.permission}".`
          : `None of the user's roles gives "${question.permission}".`
  }
  if (question.jobId === undefined) return { answer: role.ok, role, group: null }
  const job = await scopeOfJob(ctx, question.jobId)
  const groups = await userGroups(ctx, [user.id])
  const covering = job
    ? await groupsCovering(
        ctx,
        job.job_id,
        groups.map(group => group.id)
      )
    : new Set()
  const names = groups.filter(group => covering.has(group.id)).map(group => group.name)
  const place =
    job &&
    `order ${job.order_number}, department ${job.department_code}${job.work_centre === null ? '' : `, work centre ${job.work_centre}`}`
  const group = {
    ok: names.length > 0,
    groups: names,
    sentence: !job
      ? 'There is no such job.'
      : names.length > 0
        ? `The group ${names.join(', ')} covers the job (${place}).`
        : groups.length === 1
          ? `The user's one group does not cover the job (${place}).`
          : `None of the user's ${groups.length} groups covers the job (${place}).`
  }
  return { answer: role.ok && group.ok, role, group }
}
