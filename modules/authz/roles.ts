import { type Ctx, type Journal, newId, type TxCtx } from '../../core/index.ts'
import { refuse } from './errors.ts'
import { deleteRole, holdRoles, insertRole, listRoles, lockRole, updateRole, upsertBuiltInRole } from './store.ts'

/** Built-in roles: what each may do; `x.*` stands for all of a module. `seedRoles` writes them out against the catalogue. */
export const builtInRoles: Readonly<Record<string, readonly string[]>> = {
  operator: [
    'orders.read',
    'jobs.read',
    'jobs.work',
    'jobs.report',
    'jobs.complete',
    'stock.consume',
    'stock.read',
    'articles.read',
    'picks.read'
  ],
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

/** Makes the built-in roles, or renews those whose permissions changed with the product. Idempotent. @returns their names */
export async function seedRoles(tx: TxCtx, journal: Journal, catalogue: readonly string[]): Promise<string[]> {
  const before = new Map((await listRoles(tx)).filter(role => role.built_in).map(role => [role.name, role.permissions.join(' ')]))
  const changed = Object.entries(builtInRoles)
    .map(([name, patterns]) => ({ id: newId(), name, permissions: expand(patterns, catalogue) }))
    .filter(role => before.get(role.name) !== role.permissions.join(' '))
  for (const role of changed) {
    const id = await upsertBuiltInRole(tx, role)
    await journal.append(tx, { act: 'role.renew', subject: 'authz.role', subjectId: id, data: { permissions: role.permissions } })
  }
  return changed.map(role => role.name)
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
  wanted: { id: string; version: number; permissions: readonly string[] }
): Promise<void> {
  const role = await ownRole(tx, wanted.id, wanted.version)
  const before = new Set(role.permissions)
  // What is taken away counts too: who does not hold it may not decide over it.
  const touched = [
    ...wanted.permissions.filter(p => !before.has(p)),
    ...known(role.permissions, catalogue).filter(p => !wanted.permissions.includes(p))
  ]
  mayGive(tx, touched, catalogue)
  await updateRole(tx, wanted.id, [...new Set(wanted.permissions)].sort())
  await journal.append(tx, {
    act: 'role.change',
    subject: 'authz.role',
    subjectId: wanted.id,
    data: { permissions: [...wanted.permissions], before: role.permissions }
  })
}

/** Whoever has the role loses what no other role gives them. */
export async function removeRole(
  tx: TxCtx,
  journal: Journal,
  catalogue: ReadonlySet<string>,
  wanted: { id: string; version: number }
): Promise<void> {
  const role = await ownRole(tx, wanted.id, wanted.version)
  mayGive(tx, known(role.permissions, catalogue), catalogue)
  await deleteRole(tx, wanted.id)
  await journal.append(tx, { act: 'role.remove', subject: 'authz.role', subjectId: wanted.id, data: { before: role.permissions } })
}

async function ownRole(tx: TxCtx, id: string, version: number) {
  const role = await lockRole(tx, id)
  if (!role) throw refuse('role_missing', 'There is no such role.')
  if (role.built_in) throw refuse('role_built_in', `"${role.name}" is built in. Make an own role beside it.`)
  if (role.version !== version) throw refuse('role_changed', `The role has version ${role.version} now, not ${version}.`)
  return role
}

/** What a module that is gone once declared is nobody's to hold. */
const known = (permissions: readonly string[], catalogue: ReadonlySet<string>): string[] => permissions.filter(p => catalogue.has(p))

/** Roles that somebody is given or loses: all known, and nothing in them that the giver lacks. */
export async function mayAssign(tx: TxCtx, roleIds: readonly string[], catalogue: ReadonlySet<string>): Promise<void> {
  const roles = await holdRoles(tx, roleIds)
  const missing = roleIds.find(id => !roles.some(role => role.id === id))
  if (missing !== undefined) throw refuse('role_unknown', 'One of the roles does not exist.')
  mayGive(tx, known([...new Set(roles.flatMap(role => role.permissions))], catalogue), catalogue)
}
