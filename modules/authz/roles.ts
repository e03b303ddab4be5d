import { type Ctx, type Journal, newId, type TxCtx } from '../../core/index.ts'
import { refuse } from './errors.ts'
import { insertRole, lockRole, rolesByIds, updateRole, upsertBuiltInRoles } from './store.ts'

/** Built-in roles: what each may do; `x.*` stands for all of a module. Kept up to date with the catalogue at each start of a tenant. */
export const builtInRoles: Readonly<Record<string, readonly string[]>> = {
  operator: ['orders.read', 'jobs.read', 'jobs.work', 'jobs.report', 'jobs.complete', 'stock.consume', 'articles.read', 'picks.read'],
  team_lead: [
    'orders.read',
    'jobs.*',
    'stock.consume',
    'stock.read',
    'articles.read',
    'picks.*',
    'employees.read',
    'hours.read',
    'hours.book',
    'hours.correct'
  ],
  warehouse: ['orders.read', 'stock.*', 'articles.read', 'picks.*'],
  planner: ['orders.*', 'jobs.read', 'articles.read', 'stock.read', 'picks.read', 'hours.read', 'employees.read'],
  administrator: ['*'],
  integration_manager: ['exchange.*', 'orders.read', 'jobs.read', 'articles.read', 'stock.read', 'picks.read', 'employees.read'],
  compliance_officer: ['journal.read', 'users.read', 'roles.read', 'groups.read', 'access.explain', 'exchange.read', 'employees.read'],
  auditor: [
    'orders.read',
    'jobs.read',
    'articles.read',
    'stock.read',
    'picks.read',
    'hours.read',
    'exchange.read',
    'journal.read',
    'users.read',
    'roles.read',
    'groups.read',
    'access.explain'
  ]
}

/** Permissions that belong to no role: one's own session, and what an ERP's token may do. */
export const grantable = (permission: string): boolean => permission !== 'session.own' && !permission.startsWith('erp.')

export function expand(patterns: readonly string[], catalogue: readonly string[]): string[] {
  const fits = (pattern: string, permission: string): boolean =>
    pattern === '*' || pattern === permission || (pattern.endsWith('.*') && permission.startsWith(pattern.slice(0, -1)))
  return catalogue.filter(permission => grantable(permission) && patterns.some(pattern => fits(pattern, permission))).sort()
}

/** Makes or renews the built-in roles from the catalogue. Idempotent. */
export async function seedRoles(tx: TxCtx, catalogue: readonly string[]): Promise<void> {
  await upsertBuiltInRoles(
    tx,
    Object.entries(builtInRoles).map(([name, patterns]) => ({ id: newId(), name, permissions: expand(patterns, catalogue) }))
  )
}

/** Nobody gives what they do not hold: otherwise a role editor could make himself administrator. */
export function mayGive(c: Ctx | TxCtx, permissions: readonly string[], catalogue: ReadonlySet<string>): void {
  const unknown = permissions.find(permission => !catalogue.has(permission) || !grantable(permission))
  if (unknown !== undefined) throw refuse('permission_unknown', `"${unknown}" is no permission that a role can give.`)
  const lacking = permissions.find(permission => !c.grant.permissions.has(permission))
  if (lacking !== undefined) throw refuse('permission_not_held', `You do not hold "${lacking}" yourself, so you cannot give it.`)
}

export async function createRole(
  tx: TxCtx,
  journal: Journal,
  catalogue: ReadonlySet<string>,
  wanted: { name: string; permissions: readonly string[] }
): Promise<string> {
  mayGive(tx, wanted.permissions, catalogue)
  const id = newId()
  if (!(await insertRole(tx, { id, name: wanted.name, permissions: [...new Set(wanted.permissions)].sort() }))) {
    throw refuse('role_exists', `There is a role called "${wanted.name}" already.`)
  }
  await journal.append(tx, { act: 'role.create', subject: 'authz.role', subjectId: id, data: { permissions: [...wanted.permissions] } })
  return id
}

export async function changeRole(
  tx: TxCtx,
  journal: Journal,
  catalogue: ReadonlySet<string>,
  wanted: { id: string; permissions: readonly string[] }
): Promise<void> {
  const role = await lockRole(tx, wanted.id)
  if (!role) throw refuse('role_unknown', 'There is no such role.')
  if (role.built_in) throw refuse('role_built_in', `"${role.name}" is built in. Make an own role beside it.`)
  const before = new Set(role.permissions)
  // What is taken away counts too: who does not hold it may not decide over it.
  const touched = [...wanted.permissions.filter(p => !before.has(p)), ...role.permissions.filter(p => !wanted.permissions.includes(p))]
  mayGive(tx, touched, catalogue)
  await updateRole(tx, wanted.id, [...new Set(wanted.permissions)].sort())
  await journal.append(tx, {
    act: 'role.change',
    subject: 'authz.role',
    subjectId: wanted.id,
    data: { permissions: [...wanted.permissions], before: role.permissions }
  })
}

/** Roles that somebody is given or loses: all known, and nothing in them that the giver lacks. */
export async function mayAssign(tx: TxCtx, roleIds: readonly string[], catalogue: ReadonlySet<string>): Promise<void> {
  const roles = await rolesByIds(tx, roleIds)
  const missing = roleIds.find(id => !roles.some(role => role.id === id))
  if (missing !== undefined) throw refuse('role_unknown', 'One of the roles does not exist.')
  mayGive(
    tx,
    [...new Set(roles.flatMap(role => role.permissions))].filter(permission => catalogue.has(permission)),
    catalogue
  )
}
