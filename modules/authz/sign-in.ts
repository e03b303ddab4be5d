import { setTimeout as sleep } from 'node:timers/promises'
import { type Ctx, dummyHash, hashPassword, newId, newToken, parseToken, verifyPassword, withTx } from '../../core/index.ts'
import { settleAttempt } from './attempt-store.ts'
import { guesser, takeGuess } from './brake.ts'
import { refuse } from './errors.ts'
import { closeInvitations, endSessionsOf, lockInvitation } from './session-store.ts'
import { type Client, clientMac, forget, type SessionServices, type SignedIn, same, startSession } from './sessions.ts'
import { lockUser, noteSignIn, setPassword, userById, userForSignIn } from './user-store.ts'
import { checkPassword, numberBlind, openUser, type Services, usernameBlind } from './users.ts'

/** A refused sign-in takes at least this long, so that the time does not tell which part was wrong (security check A3). */
const refusalMilliseconds = 250

export interface DoorServices extends Services, SessionServices {
  /** The brake for customers that do not exist. */
  readonly strangers: (given: { customer: string; username: string; ip: string }) => void
}

export interface Credentials {
  readonly customer: string
  readonly username: string
  readonly password: string
}

/**
 * Sign-in with user name or employee number. The customer's code only selects where to verify: an unknown customer, an unknown user, a
 * disabled one and a wrong password are one answer after the same work, the same time and the same brake.
 */
export async function signIn(services: DoorServices, given: Credentials, from: Client): Promise<SignedIn> {
  const began = performance.now()
  try {
    return await enter(services, given, from)
  } catch (error) {
    await sleep(Math.max(0, refusalMilliseconds - (performance.now() - began)))
    throw error
  }
}

async function enter(services: DoorServices, given: Credentials, from: Client): Promise<SignedIn> {
  const customer = given.customer.trim().toLowerCase()
  const entry = await services.tenants.byCode(customer)
  if (entry?.state !== 'active') {
    services.strangers({ customer, username: given.username, ip: from.ip })
    await verifyPassword(given.password, await dummyHash())
    throw failed()
  }
  const ctx = await services.tenants.system(entry.id, 'sign-in')
  const guess = await takeGuess(ctx, services.journal, guesser(ctx, usernameBlind(ctx, given.username), from.ip))
  const user = await userForSignIn(ctx, usernameBlind(ctx, given.username), numberBlind(ctx, given.username))
  const stored = user?.password_phc ?? null
  const { ok, rehash } = await verifyPassword(given.password, stored ?? (await dummyHash()))
  if (!user?.active || stored === null || !ok) {
    if (user) {
      await withTx(ctx, tx => services.journal.append(tx, { act: 'session.refused', subject: 'authz.user', subjectId: user.id }))
    }
    throw failed()
  }
  const phc = rehash ? await hashPassword(given.password) : undefined
  const sessionId = newId()
  const refresh = newToken('refresh')
  await services.directory.add({ kind: 'session', lookup: refresh.lookup, tenantId: entry.id })
  const started = await withTx(ctx, async tx => {
    // The password may have been changed, or the user switched off, while the hash was being made.
    const current = await lockUser(tx, user.id)
    if (!current?.active || current.password_phc !== stored) return
    await settleAttempt(tx, guess)
    await noteSignIn(tx, user.id, phc ?? stored)
    const surplus = await startSession(tx, {
      id: sessionId,
      userId: user.id,
      lookup: refresh.lookup,
      digest: refresh.digest,
      client: clientMac(tx, from)
    })
    await services.journal.append(tx, { act: 'session.start', subject: 'authz.user', subjectId: user.id, data: { session: sessionId } })
    return { surplus, mustChangePassword: current.must_change }
  })
  if (!started) {
    await services.directory.remove('session', refresh.lookup)
    throw failed()
  }
  await forget(services.directory, started.surplus)
  const access = services.tokens.issue({ tenantId: entry.id, userId: user.id, sessionId })
  return {
    accessToken: access.token,
    expiresAt: access.expiresAt,
    refreshToken: refresh.text,
    mustChangePassword: started.mustChangePassword
  }
}

const failed = () => refuse('sign_in_failed', 'Customer, user name or password is not right.')

/** The first password, by a one-time link, or a new one for somebody who forgot theirs. The link is used up in the same transaction. */
export async function acceptInvitation(
  services: DoorServices,
  given: { token: string; password: string }
): Promise<{ customer: string; username: string }> {
  const parsed = parseToken(given.token)
  const entry = parsed?.kind === 'invite' ? await services.directory.find('invite', parsed.lookup) : undefined
  if (!parsed || !entry) throw invalidLink()
  const ctx = await services.tenants.system(entry.tenantId, 'invitation')
  checkPassword(given.password, [ctx.tenant.code])
  const phc = await hashPassword(given.password)
  const accepted = await withTx(ctx, async tx => {
    const invitation = await lockInvitation(tx, parsed.lookup)
    const fresh = invitation && invitation.used_at === null && Date.parse(invitation.expires_at) > tx.clock.now().getTime()
    if (!fresh || !same(invitation.digest, parsed.digest)) throw invalidLink()
    const user = await lockUser(tx, invitation.user_id)
    if (!user) throw invalidLink()
    const { username } = openUser(tx, user)
    checkPassword(given.password, [username, tx.tenant.code])
    await closeInvitations(tx, user.id)
    await setPassword(tx, user.id, phc)
    const sessions = await endSessionsOf(tx, user.id, 'password set by link')
    await services.journal.append(tx, { act: 'user.password_set', subject: 'authz.user', subjectId: user.id, data: { by: 'link' } })
    return { username, sessions }
  })
  await forget(services.directory, accepted.sessions)
  await services.directory.remove('invite', parsed.lookup)
  return { customer: ctx.tenant.code, username: accepted.username }
}

const invalidLink = () =>
  refuse('invitation_invalid', 'This link was used before, is too old, or is not complete. Ask an administrator for a new one.')

/** A new password by the person; other sessions of theirs end. Who has somebody's open session may not try passwords without end either. */
export async function changePassword(
  services: DoorServices,
  ctx: Ctx,
  given: { current: string; password: string },
  from: Client
): Promise<void> {
  const user = await userById(ctx, ctx.principal.id)
  if (!user?.password_phc) throw refuse('user_unknown', 'There is no such user.')
  const { username } = openUser(ctx, user)
  const guess = await takeGuess(ctx, services.journal, guesser(ctx, usernameBlind(ctx, username), from.ip))
  const { ok } = await verifyPassword(given.current, user.password_phc)
  if (!ok) throw refuse('password_wrong', 'The current password is not right.')
  checkPassword(given.password, [username, ctx.tenant.code])
  if (given.password === given.current) throw refuse('password_weak', 'The new password is the old one. Choose another one.')
  const phc = await hashPassword(given.password)
  const lookups = await withTx(ctx, async tx => {
    const current = await lockUser(tx, user.id)
    if (current?.password_phc !== user.password_phc) throw refuse('password_wrong', 'The password was changed a moment ago.')
    await settleAttempt(tx, guess)
    await setPassword(tx, user.id, phc)
    await services.journal.append(tx, { act: 'user.password_set', subject: 'authz.user', subjectId: user.id, data: { by: 'user' } })
    return endSessionsOf(tx, user.id, 'password changed', ctx.principal.sessionId ?? null)
  })
  await forget(services.directory, lookups)
}
