import {
  type Ctx,
  type Directory,
  type Journal,
  newId,
  newToken,
  passwordProblem,
  refuse as refuseCore,
  type TxCtx
} from '../../core/index.ts'
import { refuse } from './errors.ts'
import { mayPlace } from './groups.ts'
import { mayAssign } from './roles.ts'
import { closeInvitations, endSessionsOf, insertInvitation } from './session-store.ts'
import { linkByNumber, rolesByIds } from './store.ts'
import { administrators, insertUser, lockUser, setGroups, setRoles, type User, updateUser, userGroups, userRoles } from './user-store.ts'

export interface Services {
  readonly journal: Journal
  readonly directory: Directory
  /** Every permission of the house; known when the tenant is seeded or the app is ready. */
  readonly catalogue: () => ReadonlySet<string>
}

const invitationHours = 72
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
  /** The person must choose another password before anything else. */
  readonly mustChange: boolean
}

/** @returns the id, and the token of the one-time link where no password was given */
export async function createUser(tx: TxCtx, services: Services, wanted: NewUser): Promise<{ id: string; inviteToken: string | null }> {
  await mayAssign(tx, wanted.roleIds, services.catalogue())
  await mayPlace(tx, wanted.groupIds)
  const id = await addUser(tx, wanted)
  await services.journal.append(tx, {
    act: 'user.create',
    subject: table,
    subjectId: id,
    data: { roles: [...wanted.roleIds], groups: [...wanted.groupIds], mustChange: wanted.mustChange }
  })
  return { id, inviteToken: wanted.passwordPhc === undefined ? await invite(tx, services, id) : null }
}

/** Writes the rows of a user; who may do that was asked before. */
export async function addUser(tx: TxCtx, wanted: NewUser): Promise<string> {
  const id = newId()
  const made = await insertUser(tx, {
    id,
    username_blind: usernameBlind(tx, wanted.username),
    username_sealed: tx.tenant.keys.seal(wanted.username, { table, column: 'username_sealed', row: id }),
    name_sealed: sealName(tx, id, wanted.name ?? null),
    employee_id: wanted.employeeNumber === undefined ? null : await employeeByNumber(tx, wanted.employeeNumber),
    password_phc: wanted.passwordPhc ?? null,
    must_change: wanted.mustChange
  })
  if (!made) throw refuse('username_taken', `There is a user called "${wanted.username}" already.`)
  await setRoles(tx, id, wanted.roleIds)
  await setGroups(tx, id, wanted.groupIds)
  return id
}

/** A one-time link for a user; whoever has it becomes that user, so it is made only by somebody who holds as much. */
export async function inviteUser(tx: TxCtx, services: Services, userId: string): Promise<string> {
  if (!(await lockUser(tx, userId))) throw noUser()
  await mayHandle(tx, services, userId)
  return invite(tx, services, userId)
}

/** Makes the link; older ones of the same user stop working. */
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
  await journal.append(tx, { act: 'user.invite', subject: table, subjectId: userId })
  return token.text
}

export interface UserChange {
  readonly active?: boolean
  readonly name?: string | null
  readonly employeeNumber?: string | null
  readonly roleIds?: readonly string[]
  readonly groupIds?: readonly string[]
}

/** @returns lookups of the sessions that ended with it, for the directory */
export async function changeUser(tx: TxCtx, services: Services, id: string, change: UserChange): Promise<string[]> {
  const admins = await administrators(tx)
  if (!(await lockUser(tx, id))) throw noUser()
  await mayHandle(tx, services, id)
  if (change.roleIds) await mayAssign(tx, change.roleIds, services.catalogue())
  if (change.groupIds) await mayPlace(tx, change.groupIds)
  if (admins.length === 1 && admins[0] === id && (await endsAdministrator(tx, change))) {
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
  await services.journal.append(tx, {
    act: 'user.change',
    subject: table,
    subjectId: id,
    data: {
      fields: Object.keys(change),
      ...(change.active === undefined ? {} : { active: change.active }),
      ...(change.roleIds ? { roles: [...change.roleIds] } : {}),
      ...(change.groupIds ? { groups: [...change.groupIds] } : {})
    }
  })
  return change.active === false ? endSessionsOf(tx, id, 'user switched off') : []
}

async function endsAdministrator(tx: TxCtx, change: UserChange): Promise<boolean> {
  if (change.active === false) return true
  if (change.roleIds === undefined) return false
  return !(await rolesByIds(tx, change.roleIds)).some(role => role.built_in && role.name === 'administrator')
}

/** Who manages a user must hold what the user holds: otherwise a new link for the administrator would be a way up. */
async function mayHandle(tx: TxCtx, services: Services, userId: string): Promise<void> {
  const [roles, groups] = [await userRoles(tx, [userId]), await userGroups(tx, [userId])]
  await mayAssign(
    tx,
    roles.map(role => role.id),
    services.catalogue()
  )
  await mayPlace(
    tx,
    groups.map(group => group.id)
  )
}

const noUser = () => refuse('user_unknown', 'There is no such user.')

async function employeeByNumber(tx: TxCtx, number: string): Promise<string> {
  const link = await linkByNumber(tx, numberBlind(tx, number))
  if (!link) throw refuse('employee_number_unknown', 'No employee with this number has come in from the ERP.')
  return link.id
}

/** A name that somebody can sign in with; its length, 2 to 60, stands beside it. */
export const usernamePattern = '^[^\\s\\u0000-\\u001f\\u007f]+$'

/** What the schema of the route says, for a name that comes from the command line. */
export function checkUsername(username: string): void {
  if (username.length < 2 || username.length > 60 || !new RegExp(usernamePattern).test(username)) {
    throw refuseCore('invalid_request', `The user name "${username}" must be 2 to 60 characters without spaces.`)
  }
}

export function checkPassword(password: string, related: readonly string[]): void {
  const problem = passwordProblem(password, related)
  if (problem !== undefined) throw refuse('password_weak', problem, { errors: [{ pointer: '/password', detail: problem }] })
}
