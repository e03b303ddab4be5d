import { type Ctx, type Directory, type Journal, newId, newToken, passwordProblem, type TxCtx } from '../../core/index.ts'
import { refuse } from './errors.ts'
import { mayAssign } from './roles.ts'
import { closeInvitations, endSessions, insertInvitation } from './session-store.ts'
import {
  administrators,
  groupsByIds,
  insertUser,
  linkByNumber,
  lockUser,
  rolesByIds,
  setGroups,
  setRoles,
  type User,
  updateUser,
  userRoles
} from './store.ts'

export interface Services {
  readonly journal: Journal
  readonly directory: Directory
  /** Every permission of the house; known when the tenant is seeded or the app is ready. */
  readonly catalogue: () => ReadonlySet<string>
}

export const invitationHours = 72
const table = 'authz.user'

export const usernameBlind = (c: Ctx | TxCtx, username: string): Buffer => c.tenant.keys.blind(username, 'user.username')
/** The same purpose as timekeeping's, so that a number typed at sign-in finds the employee. */
export const numberBlind = (c: Ctx | TxCtx, number: string): Buffer => c.tenant.keys.blind(number, 'employee.number')

export function openUser(c: Ctx | TxCtx, row: User): { id: string; username: string; name: string | null } {
  const open = (sealed: Buffer, column: string): string => c.tenant.keys.openText(sealed, { table, column, row: row.id })
  return {
    id: row.id,
    username: open(row.username_sealed, 'username_sealed'),
    name: row.name_sealed === null ? null : open(row.name_sealed, 'name_sealed')
  }
}

const sealName = (tx: TxCtx, id: string, name: string | null): Buffer | null =>
  name === null ? null : tx.tenant.keys.seal(name, { table, column: 'name_sealed', row: id })

export interface NewUser {
  readonly username: string
  readonly name?: string
  readonly employeeNumber?: string
  readonly roleIds: readonly string[]
  readonly groupIds: readonly string[]
  /** PHC string, hashed outside the transaction; absent: an invitation is made instead. */
  readonly passwordPhc?: string
}

/** @returns the id, and the token of the one-time link where no password was given */
export async function createUser(tx: TxCtx, services: Services, wanted: NewUser): Promise<{ id: string; inviteToken: string | null }> {
  await mayAssign(tx, wanted.roleIds, services.catalogue())
  await groupsKnown(tx, wanted.groupIds)
  const id = newId()
  const employeeId = wanted.employeeNumber === undefined ? null : await employeeByNumber(tx, wanted.employeeNumber)
  const made = await insertUser(tx, {
    id,
    username_blind: usernameBlind(tx, wanted.username),
    username_sealed: tx.tenant.keys.seal(wanted.username, { table, column: 'username_sealed', row: id }),
    name_sealed: sealName(tx, id, wanted.name ?? null),
    employee_id: employeeId,
    password_phc: wanted.passwordPhc ?? null
  })
  if (!made) throw refuse('username_taken', `There is a user called "${wanted.username}" already.`)
  await setRoles(tx, id, wanted.roleIds)
  await setGroups(tx, id, wanted.groupIds)
  await services.journal.append(tx, {
    act: 'user.create',
    subject: 'authz.user',
    subjectId: id,
    data: { roles: [...wanted.roleIds], groups: [...wanted.groupIds], employee: employeeId }
  })
  return { id, inviteToken: wanted.passwordPhc === undefined ? await invite(tx, services, id) : null }
}

/** Makes a one-time link; older ones of the same user stop working. */
export async function invite(tx: TxCtx, { directory, journal }: Services, userId: string): Promise<string> {
  await closeInvitations(tx, userId)
  const token = newToken('invite')
  await directory.add({ kind: 'invite', lookup: token.lookup, tenantId: tx.tenant.id })
  await insertInvitation(tx, {
    id: newId(),
    user_id: userId,
    lookup: token.lookup,
    digest: token.digest,
    expires_at: new Date(tx.clock.now().getTime() + invitationHours * 3_600_000).toISOString()
  })
  await journal.append(tx, { act: 'user.invite', subject: 'authz.user', subjectId: userId })
  return token.text
}

export interface UserChange {
  readonly active?: boolean
  readonly name?: string | null
  readonly employeeNumber?: string | null
  readonly roleIds?: readonly string[]
  readonly groupIds?: readonly string[]
}

export async function changeUser(tx: TxCtx, services: Services, id: string, change: UserChange): Promise<void> {
  const admins = await administrators(tx)
  const user = await lockUser(tx, id)
  if (!user) throw refuse('user_unknown', 'There is no such user.')
  if (change.roleIds) {
    const held = new Set((await userRoles(tx, [id])).map(role => role.id))
    // What is taken away counts too: nobody takes from somebody what he does not hold himself.
    const touched = [...change.roleIds.filter(role => !held.has(role)), ...[...held].filter(role => !change.roleIds?.includes(role))]
    await mayAssign(tx, touched, services.catalogue())
  }
  if (change.groupIds) await groupsKnown(tx, change.groupIds)
  const adminRole = change.roleIds && (await rolesByIds(tx, change.roleIds)).some(role => role.built_in && role.name === 'administrator')
  const stops = change.active === false || (change.roleIds !== undefined && !adminRole)
  if (stops && admins.length === 1 && admins[0] === id) {
    throw refuse('last_administrator', 'This is the last active administrator. Make somebody else administrator first.')
  }
  await updateUser(tx, id, {
    ...(change.active === undefined ? {} : { active: change.active }),
    ...(change.name === undefined ? {} : { name_sealed: sealName(tx, id, change.name) }),
    ...(change.employeeNumber === undefined
      ? {}
      : { employee_id: change.employeeNumber === null ? null : await employeeByNumber(tx, change.employeeNumber) })
  })
  if (change.roleIds) await setRoles(tx, id, change.roleIds)
  if (change.groupIds) await setGroups(tx, id, change.groupIds)
  if (change.active === false) await endSessions(tx, { userId: id }, 'user disabled')
  await services.journal.append(tx, {
    act: 'user.change',
    subject: 'authz.user',
    subjectId: id,
    data: {
      ...(change.active === undefined ? {} : { active: change.active }),
      ...(change.roleIds ? { roles: [...change.roleIds] } : {}),
      ...(change.groupIds ? { groups: [...change.groupIds] } : {}),
      fields: Object.keys(change)
    }
  })
}

async function employeeByNumber(tx: TxCtx, number: string): Promise<string> {
  const link = await linkByNumber(tx, numberBlind(tx, number))
  if (!link) throw refuse('employee_number_unknown', 'No employee with this number has come in from the ERP.')
  return link.id
}

async function groupsKnown(tx: TxCtx, ids: readonly string[]): Promise<void> {
  const known = new Set((await groupsByIds(tx, ids)).map(group => group.id))
  if (ids.some(id => !known.has(id))) throw refuse('group_unknown', 'One of the operational groups does not exist.')
}

export function checkPassword(password: string, related: readonly string[]): void {
  const problem = passwordProblem(password, related)
  if (problem !== undefined) throw refuse('password_weak', problem, { errors: [{ pointer: '/password', detail: problem }] })
}
