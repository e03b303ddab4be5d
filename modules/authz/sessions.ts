import { timingSafeEqual } from 'node:crypto'
import {
  type AccessTokens,
  type Ctx,
  type Directory,
  type Journal,
  newToken,
  parseToken,
  type Tenants,
  type TxCtx,
  withTx
} from '../../core/index.ts'
import { refuse } from './errors.ts'
import { endSessions, insertSession, liveSessions, lockSession, rotateSession } from './session-store.ts'
import { userById } from './user-store.ts'

/** A session ends by itself after this, however often it is refreshed; a new day begins with a sign-in. */
const sessionHours = 14
/** A session that nobody refreshed for so long has ended, too. */
const idleHours = 8
/** So long the token before gets the same answer again, for one whose answer was lost on the way or whose two tabs refreshed at once. */
const graceSeconds = 10
/** The eleventh ends the oldest. */
export const mostSessions = 10
/** Also what bounds the search for an old token. */
const mostRotations = 2_000

export interface SignedIn {
  readonly accessToken: string
  readonly expiresAt: string
  readonly refreshToken: string
  readonly mustChangePassword: boolean
}

export interface SessionServices {
  readonly tenants: Tenants
  readonly tokens: AccessTokens
  readonly directory: Directory
  readonly journal: Journal
}

/** From where a request comes. */
export interface Client {
  readonly ip: string
  readonly userAgent: string
}

export const clientMac = (c: Ctx | TxCtx, { ip, userAgent }: Client): Buffer => c.tenant.keys.mac(`${ip}\n${userAgent}`, 'session.client')
export const same = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b)

/** Writes the session and ends the oldest ones above the limit. The user's row must be locked. @returns lookups of the ended ones */
export async function startSession(
  tx: TxCtx,
  session: { id: string; userId: string; lookup: string; digest: Buffer; client: Buffer }
): Promise<string[]> {
  const { id, userId, lookup, digest, client } = session
  const expires = new Date(tx.clock.now().getTime() + sessionHours * 3_600_000).toISOString()
  await insertSession(tx, { id, user_id: userId, lookup, digest, client, expires_at: expires })
  const surplus = (await liveSessions(tx, userId)).filter(row => row.id !== id).slice(mostSessions - 1)
  return surplus.length === 0
    ? []
    : endSessions(
        tx,
        surplus.map(row => row.id),
        'too many sessions'
      )
}

/**
 * The refresh token that follows one with this digest. It is made from it under the tenant's key, so that the same one can be given
 * twice without being stored, and an older one of the chain is recognised (security check B4).
 */
function following(c: Ctx | TxCtx, session: { id: string; lookup: string }, digest: Buffer) {
  const secret = c.tenant.keys.mac(Buffer.concat([Buffer.from(`${session.id}\n`), digest]), 'session.refresh')
  return newToken('refresh', session.lookup, secret)
}

/** How many tokens ago this one was the newest; undefined: it was never one of this session. */
function stepsBehind(
  c: Ctx | TxCtx,
  session: { id: string; lookup: string; digest: Buffer; rotations: number },
  digest: Buffer
): number | undefined {
  let at = digest
  for (let steps = 0; steps <= session.rotations; steps++) {
    if (same(at, session.digest)) return steps
    at = following(c, session, at).digest
  }
  return undefined
}

/**
 * Exchanges a refresh token for a new pair. One that was exchanged before means that somebody has a copy: the whole session ends
 * (RFC 9700 §4.14.2). Only within ten seconds and from the same client the token before gets the same answer again.
 */
export async function refreshSession(services: SessionServices, token: string | undefined, from: Client): Promise<SignedIn> {
  const parsed = token === undefined ? undefined : parseToken(token)
  const entry = parsed?.kind === 'refresh' ? await services.directory.find('session', parsed.lookup) : undefined
  if (!parsed || !entry) throw ended()
  const ctx = await services.tenants.system(entry.tenantId, 'refresh')
  const outcome = await withTx(ctx, async tx => {
    const session = await lockSession(tx, parsed.lookup)
    const now = tx.clock.now().getTime()
    if (!session || session.ended_at !== null || Date.parse(session.expires_at) <= now) return
    const steps = stepsBehind(tx, session, parsed.digest)
    if (steps === undefined) return
    const age = (now - Date.parse(session.rotated_at)) / 1000
    const client = clientMac(tx, from)
    const again = steps === 1 && age <= graceSeconds && same(session.client, client)
    const stop = async (reason: string, act: string): Promise<undefined> => {
      await endSessions(tx, [session.id], reason)
      await services.journal.append(tx, { act, subject: 'authz.user', subjectId: session.user_id, data: { session: session.id } })
    }
    if (steps > 0 && !again) return stop('a refresh token was used twice', 'session.reuse_detected')
    if (age > idleHours * 3600) return stop('idle', 'session.end')
    if (session.rotations >= mostRotations) return stop('refreshed too often', 'session.end')
    const user = await userById(tx, session.user_id)
    if (!user?.active) return
    const next = following(tx, session, parsed.digest)
    if (!again) await rotateSession(tx, session.id, { digest: next.digest, client })
    return { userId: user.id, sessionId: session.id, next: next.text, mustChangePassword: user.must_change }
  })
  if (!outcome) throw ended()
  const access = services.tokens.issue({ tenantId: entry.tenantId, userId: outcome.userId, sessionId: outcome.sessionId })
  return {
    accessToken: access.token,
    expiresAt: access.expiresAt,
    refreshToken: outcome.next,
    mustChangePassword: outcome.mustChangePassword
  }
}

const ended = () => refuse('session_ended', 'This session has ended. Sign in again.')

/** Ends one of the caller's sessions, this one or another. Nothing happens when it is not theirs or has ended. */
export async function endOwnSession(services: SessionServices, ctx: Ctx, sessionId: string, reason: string): Promise<void> {
  const lookups = await withTx(ctx, async tx => {
    const mine = (await liveSessions(tx, ctx.principal.id)).filter(row => row.id === sessionId)
    if (mine.length === 0) return []
    await services.journal.append(tx, {
      act: 'session.end',
      subject: 'authz.user',
      subjectId: ctx.principal.id,
      data: { session: sessionId }
    })
    return endSessions(tx, [sessionId], reason)
  })
  await forget(services.directory, lookups)
}

/** An ended session opens nothing; its entry in the directory is only tidied away. */
export async function forget(directory: Directory, lookups: readonly string[]): Promise<void> {
  for (const lookup of lookups) await directory.remove('session', lookup)
}
