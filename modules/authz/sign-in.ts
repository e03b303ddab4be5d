import { timingSafeEqual } from 'node:crypto'
import {
  type AccessTokens,
  type Ctx,
  dummyHash,
  hashPassword,
  newId,
  newToken,
  parseToken,
  refuse as refuseCore,
  type Tenants,
  verifyPassword,
  withTx
} from '../../core/index.ts'
import { refuse } from './errors.ts'
import {
  closeInvitations,
  endSessions,
  guesses,
  insertSession,
  lockInvitation,
  lockSession,
  recordAttempt,
  rotateSession
} from './session-store.ts'
import { lockUser, updateUser, userById, userForSignIn } from './store.ts'
import { checkPassword, numberBlind, openUser, type Services, usernameBlind } from './users.ts'

/** A session ends by itself after this, however often it is refreshed; a new day begins with a sign-in. */
const sessionHours = 14
/** Two requests of one browser may refresh at the same moment; the later one is told so and does not end the session. */
const graceSeconds = 10

export interface SignedIn {
  readonly accessToken: string
  readonly expiresAt: string
  readonly refreshToken: string
}

export interface DoorServices extends Services {
  readonly tenants: Tenants
  readonly tokens: AccessTokens
}

/**
 * Sign-in with user name or employee number. The customer's code only selects where to verify: an unknown customer, an unknown user, a
 * disabled one and a wrong password are one answer after the same work (security checks A3, A4).
 */
export async function signIn(
  services: DoorServices,
  given: { customer: string; username: string; password: string; address: string }
): Promise<SignedIn> {
  const entry = await services.tenants.byCode(given.customer.toLowerCase())
  if (entry?.state !== 'active') {
    await verifyPassword(given.password, await dummyHash())
    throw failed()
  }
  const ctx = await services.tenants.system(entry.id, 'sign-in')
  const account = usernameBlind(ctx, given.username)
  const address = ctx.tenant.keys.blind(given.address, 'sign-in.address')
  await brake(ctx, account, address)
  const user = await userForSignIn(ctx, account, numberBlind(ctx, given.username))
  const { ok, rehash } = await verifyPassword(given.password, user?.password_phc ?? (await dummyHash()))
  if (!user?.active || !user.password_phc || !ok) {
    await withTx(ctx, async tx => {
      await recordAttempt(tx, account, address, 'failed')
      if (user) await services.journal.append(tx, { act: 'session.refused', subject: 'authz.user', subjectId: user.id })
    })
    throw failed()
  }
  const phc = rehash ? await hashPassword(given.password) : undefined
  const sessionId = newId()
  const refresh = newToken('refresh')
  await services.directory.add({ kind: 'session', lookup: refresh.lookup, tenantId: entry.id })
  await withTx(ctx, async tx => {
    await recordAttempt(tx, account, address, 'ok')
    await updateUser(tx, user.id, { last_sign_in_at: tx.clock.iso(), ...(phc === undefined ? {} : { password_phc: phc }) })
    await insertSession(tx, {
      id: sessionId,
      user_id: user.id,
      lookup: refresh.lookup,
      digest: refresh.digest,
      expires_at: new Date(tx.clock.now().getTime() + sessionHours * 3_600_000).toISOString()
    })
    await services.journal.append(tx, { act: 'session.start', subject: 'authz.user', subjectId: user.id, data: { session: sessionId } })
  })
  const access = services.tokens.issue({ tenantId: entry.id, userId: user.id, sessionId })
  return { accessToken: access.token, expiresAt: access.expiresAt, refreshToken: refresh.text }
}

const failed = () => refuse('sign_in_failed', 'Customer, user name or password is not right.')

/**
 * Slows guessing down without locking anybody out for good: from the fourth wrong try on, account and address together wait 2, 4, 8 …
 * 300 seconds; an account takes 20 wrong tries an hour from all addresses together, an address 100. Someone who signed in from an
 * address before is counted anew there.
 */
async function brake(ctx: Ctx, account: Buffer, address: Buffer): Promise<void> {
  const seen = await guesses(ctx, account, address)
  const now = ctx.clock.now().getTime()
  const since = seen.last === null ? Number.POSITIVE_INFINITY : (now - Date.parse(seen.last)) / 1000
  const wait = seen.pair < 3 ? 0 : Math.min(300, 2 ** (seen.pair - 2)) - since
  const tooMany = (seen.account >= 20 && seen.pair > 0) || seen.account >= 40 || seen.address >= 100
  if (wait <= 0 && !tooMany) return
  await withTx(ctx, tx => recordAttempt(tx, account, address, 'slowed'))
  throw refuseCore('too_many_requests', 'Too many wrong tries. Wait as long as Retry-After says, then try again.', {
    retryAfterSeconds: Math.max(1, Math.ceil(tooMany ? 900 : wait))
  })
}

/**
 * Exchanges a refresh token for a new pair. An old one that is used again after the grace time means that somebody has a copy: the whole
 * session ends (RFC 9700 §4.14.2).
 */
export async function refreshSession(services: DoorServices, token: string | undefined): Promise<SignedIn> {
  const parsed = token === undefined ? undefined : parseToken(token)
  const entry = parsed?.kind === 'refresh' ? await services.directory.find('session', parsed.lookup) : undefined
  if (!parsed || !entry) throw ended()
  const ctx = await services.tenants.system(entry.tenantId, 'refresh')
  const next = newToken('refresh', parsed.lookup)
  const outcome = await withTx(ctx, async tx => {
    const session = await lockSession(tx, parsed.lookup)
    if (!session || session.ended_at !== null || Date.parse(session.expires_at) <= tx.clock.now().getTime())
      return { kind: 'ended' as const }
    if (!same(session.digest, parsed.digest)) {
      if (!session.previous_digest || !same(session.previous_digest, parsed.digest)) return { kind: 'ended' as const }
      const age = (tx.clock.now().getTime() - Date.parse(session.rotated_at ?? session.created_at)) / 1000
      if (age <= graceSeconds) return { kind: 'superseded' as const }
      await endSessions(tx, { ids: [session.id] }, 'refresh token used twice')
      await services.journal.append(tx, {
        act: 'session.reuse_detected',
        subject: 'authz.user',
        subjectId: session.user_id,
        data: { session: session.id }
      })
      return { kind: 'ended' as const }
    }
    const user = await userById(tx, session.user_id)
    if (!user?.active) return { kind: 'ended' as const }
    await rotateSession(tx, session.id, next.digest)
    return { kind: 'ok' as const, userId: user.id, sessionId: session.id }
  })
  if (outcome.kind === 'superseded')
    throw refuse('refresh_superseded', 'Another request has refreshed this session a moment ago; use its answer.')
  if (outcome.kind === 'ended') throw ended()
  const access = services.tokens.issue({ tenantId: entry.tenantId, userId: outcome.userId, sessionId: outcome.sessionId })
  return { accessToken: access.token, expiresAt: access.expiresAt, refreshToken: next.text }
}

const ended = () => refuse('session_ended', 'This session has ended. Sign in again.')
const same = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b)

/** The first password, by a one-time link. The link is used up in the same transaction. */
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
  return withTx(ctx, async tx => {
    const invitation = await lockInvitation(tx, parsed.lookup)
    const fresh = invitation && invitation.used_at === null && Date.parse(invitation.expires_at) > tx.clock.now().getTime()
    if (!fresh || !same(invitation.digest, parsed.digest)) throw invalidLink()
    const user = await lockUser(tx, invitation.user_id)
    if (!user) throw invalidLink()
    const { username } = openUser(tx, user)
    checkPassword(given.password, [username, tx.tenant.code])
    await closeInvitations(tx, user.id)
    await updateUser(tx, user.id, { password_phc: phc })
    await endSessions(tx, { userId: user.id }, 'password set by link')
    await services.journal.append(tx, { act: 'user.password_set', subject: 'authz.user', subjectId: user.id, data: { by: 'link' } })
    return { customer: tx.tenant.code, username }
  })
}

const invalidLink = () =>
  refuse('invitation_invalid', 'This link was used before, is too old, or is not complete. Ask an administrator for a new one.')

/** A new password by the person; other sessions of theirs end. */
export async function changePassword(services: DoorServices, ctx: Ctx, given: { current: string; password: string }): Promise<void> {
  const user = await userById(ctx, ctx.principal.id)
  if (!user?.password_phc) throw refuse('user_unknown', 'There is no such user.')
  const { ok } = await verifyPassword(given.current, user.password_phc)
  if (!ok) throw refuse('password_wrong', 'The current password is not right.')
  checkPassword(given.password, [openUser(ctx, user).username, ctx.tenant.code])
  const phc = await hashPassword(given.password)
  await withTx(ctx, async tx => {
    await updateUser(tx, user.id, { password_phc: phc })
    await endSessions(
      tx,
      { userId: user.id, ...(ctx.principal.sessionId === undefined ? {} : { except: ctx.principal.sessionId }) },
      'password changed'
    )
    await services.journal.append(tx, { act: 'user.password_set', subject: 'authz.user', subjectId: user.id, data: { by: 'user' } })
  })
}

/** Ends the session of a refresh token, or the caller's own. */
export async function signOut(services: DoorServices, ctx: Ctx): Promise<void> {
  const { sessionId } = ctx.principal
  if (sessionId === undefined) return
  const lookups = await withTx(ctx, async tx => {
    const gone = await endSessions(tx, { ids: [sessionId] }, 'signed out')
    await services.journal.append(tx, {
      act: 'session.end',
      subject: 'authz.user',
      subjectId: ctx.principal.id,
      data: { session: sessionId }
    })
    return gone
  })
  for (const lookup of lookups) await services.directory.remove('session', lookup)
}
