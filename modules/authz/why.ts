import type { Ctx } from '../../core/index.ts'
import { refuse } from './errors.ts'
import { listRoles, rulesOf, scopeOfJob, userById, userGroups, userRoles } from './store.ts'
import type { RuleKind } from './tables.ts'

export interface Why {
  readonly answer: boolean
  readonly role: { readonly ok: boolean; readonly roles: readonly string[]; readonly sentence: string }
  readonly group: { readonly ok: boolean; readonly groups: readonly string[]; readonly sentence: string } | null
}

/** Explains a yes or a no: which role gives the permission, and which group's rule selects the job, or what is lacking. */
export async function why(ctx: Ctx, question: { userId: string; permission: string; jobId: string | undefined }): Promise<Why> {
  const user = await userById(ctx, question.userId)
  if (!user) throw refuse('user_unknown', 'There is no such user.')
  const held = new Set((await userRoles(ctx, [user.id])).map(role => role.id))
  const giving = (await listRoles(ctx))
    .filter(role => held.has(role.id) && role.permissions.includes(question.permission))
    .map(role => role.name)
  const role = {
    ok: user.active && giving.length > 0,
    roles: giving,
    sentence: !user.active
      ? 'The user is not active.'
      : giving.length > 0
        ? `The role ${giving.join(', ')} gives "${question.permission}".`
        : `None of the user's roles gives "${question.permission}".`
  }
  if (question.jobId === undefined) return { answer: role.ok, role, group: null }
  const job = await scopeOfJob(ctx, question.jobId)
  const groups = await userGroups(ctx, [user.id])
  const rules = await rulesOf(
    ctx,
    groups.map(group => group.id)
  )
  const fits = job ? rules.filter(rule => selects(rule, job)) : []
  const names = groups.filter(group => fits.some(rule => rule.group_id === group.id)).map(group => group.name)
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
        : `None of the user's ${groups.length} groups covers the job (${place}).`
  }
  return { answer: role.ok && group.ok, role, group }
}

function selects(
  rule: { kind: RuleKind; value: string },
  job: { order_number: string; department_code: string; work_centre: string | null }
): boolean {
  switch (rule.kind) {
    case 'all':
      return true
    case 'department':
      return rule.value === job.department_code
    case 'work_centre':
      return rule.value === job.work_centre
    case 'order':
      return rule.value === job.order_number
    case 'order_pattern':
      return like(rule.value).test(job.order_number)
  }
}

/** LIKE as PostgreSQL reads it: % any text, _ one character, backslash takes the next literally. */
function like(pattern: string): RegExp {
  const source = pattern.replace(/\\?[\s\S]/g, part =>
    part === '%'
      ? '.*'
      : part === '_'
        ? '.'
        : (part.startsWith('\\') && part.length > 1 ? part.slice(1) : part).replace(/[^A-Za-z0-9]/g, '\\$&')
  )
  return new RegExp(`^${source}$`, 's')
}
