import { setTimeout as sleep } from 'node:timers/promises'
import type { AuthContext } from 'ssh2'
import type { Clock } from '../clock.ts'
import { type Ctx, wholeScope } from '../context.ts'
import type { Directory, OpenTenant, Tenants } from '../db/tenants-face.ts'
import { withTx } from '../db/tx.ts'
import { Refusal } from '../errors.ts'
import { newId } from '../ids.ts'
import { journal } from '../journal/append.ts'
import { dummyHash, verifyPassword } from '../keys/passwords.ts'
import type { Log } from '../log.ts'
import { noteUse, proofsOf } from './access-store.ts'
import { fingerprintOf, type SignedProof, type VerifySignature, verifySignature } from './public-key.ts'
import type { FailureLog } from './sftp-limits.ts'

/** Who signed in: a connection of a tenant, by one of its accesses. */
export interface SftpLogin {
  readonly tenantId: string
  readonly connectionId: string
  readonly accessId: string
}

export type SftpCredential =
  | { readonly kind: 'password'; readonly password: string }
  /** `signed` is absent while the client only asks whether this key would do. */
  | { readonly kind: 'key'; readonly type: string; readonly blob: Buffer; readonly signed?: SignedProof }

/** `undefined` means no, without a reason; a Refusal is thrown when we cannot tell now. */
export type Authenticate = (username: string, credential: SftpCredential) => Promise<SftpLogin | undefined>

export const userNamePattern = /^[a-z][a-z0-9-]{2,31}$/

export interface SftpAuthOptions {
  readonly tenants: Tenants
  readonly directory: Directory
  readonly clock: Clock
  readonly log: Log
  /** Replaceable so that a test can show that check C2 notices when it is missing. */
  readonly verify?: VerifySignature
}

/**
 * The one place that decides who gets in over SFTP: user name -> directory -> tenant -> unrevoked accesses of that connection.
 * A public key counts when it is one of these *and* the client's signature over this session verifies with it.
 */
export function sftpAuthentication(options: SftpAuthOptions): Authenticate {
  const { tenants, directory, clock, log, verify = verifySignature } = options
  const note = refusals(clock)
  return async (username, credential) => {
    const entry = userNamePattern.test(username) ? await directory.find('sftp_user', username) : undefined
    const tenant = entry?.connectionId == null ? undefined : await openUnlessGone(tenants, entry.tenantId)
    const connectionId = entry?.connectionId ?? ''
    const ctx = tenant && connectionContext(tenant, connectionId, clock, log)
    const proofs =
      ctx === undefined ? [] : await proofsOf(ctx, connectionId, [credential.kind === 'key' ? 'sftp_key' : 'sftp_password'], username)
    if (credential.kind === 'password') {
      // An unknown user, or one without a password, costs the same hash.
      const proof = proofs[0]
      const { ok } = await verifyPassword(credential.password, proof?.password_phc ?? (await dummyHash()))
      if (ok && proof && ctx) return letIn(ctx, connectionId, proof)
      await note(ctx, connectionId, 'password')
      return undefined
    }
    const offered = `${credential.type} ${credential.blob.toString('base64')}`
    const proof = proofs.find(p => p.public_key === offered)
    if (proof?.public_key && ctx) {
      if (credential.signed === undefined) return { tenantId: ctx.tenant.id, connectionId, accessId: proof.id }
      if (verify(proof.public_key, credential.signed)) return letIn(ctx, connectionId, proof)
    }
    await note(ctx, connectionId, 'publickey')
    return undefined
  }
}

/** Whoever belongs to a customer that is gone, or suspended, is nobody: no other answer than to an unknown user. */
async function openUnlessGone(tenants: Tenants, tenantId: string): Promise<OpenTenant | undefined> {
  try {
    return await tenants.open(tenantId)
  } catch (error) {
    if (error instanceof Refusal && error.code === 'tenant_unavailable' && error.retryAfterSeconds === undefined) return undefined
    throw error
  }
}

const quietMs = 60_000
const mostNoted = 10_000

/** Enters refused sign-ins of a known user in its journal, once a minute at most, so that nobody can fill it from outside. */
function refusals(clock: Clock): (ctx: Ctx | undefined, connectionId: string, method: string) => Promise<void> {
  const noted = new Map<string, number>()
  return async (ctx, connectionId, method) => {
    if (!ctx) return
    const now = clock.now().getTime()
    const last = noted.get(connectionId)
    if (last !== undefined && Math.abs(now - last) < quietMs) return
    if (noted.size >= mostNoted) noted.clear()
    noted.set(connectionId, now)
    const unproven: Ctx = { ...ctx, principal: { kind: 'system', id: 'sftp' } }
    await withTx(unproven, tx =>
      journal.append(tx, { act: 'access.refused', subject: 'exchange.connection', subjectId: connectionId, data: { method } })
    )
  }
}

async function letIn(
  ctx: Ctx,
  connectionId: string,
  proof: { readonly id: string; readonly last_used_at: string | null }
): Promise<SftpLogin> {
  const now = ctx.clock.now().getTime()
  if (proof.last_used_at === null || now - Date.parse(proof.last_used_at) > 60_000) await noteUse(ctx, proof.id, ctx.clock.iso())
  return { tenantId: ctx.tenant.id, connectionId, accessId: proof.id }
}

/** What the ERP behind a connection may do: hand in, and fetch what is for it. */
export const erpPermissions: ReadonlySet<string> = new Set(['erp.deliver', 'erp.collect'])

/** The context in which an ERP acts. */
export function connectionContext(open: OpenTenant, connectionId: string, clock: Clock, log: Log): Ctx {
  return {
    tenant: open.tenant,
    db: open.db,
    principal: { kind: 'connection', id: connectionId },
    grant: { permissions: erpPermissions, scope: wholeScope },
    log: log.child({ tenant: open.tenant.code, actor: connectionId }) as Log,
    clock,
    requestId: newId()
  }
}

const offeredMethods = ['publickey', 'password'] as const
/** Tries per connection. A key that was only offered counts a third: agents hold several. */
const mostTries = 3
const offerWeight = 1 / 3
/** Every "no" takes at least this long, whatever it was that failed. */
const slowestMs = 250

export interface Authenticator {
  answer(context: AuthContext): Promise<void>
  /** The connection ended. */
  left(): void
}

/**
 * Answers the authentication requests of one SSH connection. `letIn` is told who it is just before the client is. A question whether
 * a key would do, answered with yes and not followed by its signature, counts like one that was answered with no: who collects public
 * keys must not learn at leisure where each of them fits.
 */
export function authenticator(options: {
  authenticate: Authenticate
  ip: string
  session: string
  failures: FailureLog
  log: Log
  letIn: (login: SftpLogin) => void
  close: () => void
}): Authenticator {
  let tries = 0
  let probes = 0
  let ended = false
  let unproven = false

  function unanswered(): void {
    if (!unproven) return
    unproven = false
    tries += offerWeight
    options.failures.failed(options.ip, offerWeight)
  }

  async function answer(context: AuthContext): Promise<void> {
    if (ended) return
    if (context.method !== 'password' && context.method !== 'publickey') {
      // Clients ask with `none` first to learn the methods.
      if (++probes > 4) end()
      else context.reject([...offeredMethods])
      return
    }
    if (options.failures.pauseOf(options.ip) > 0) {
      end()
      return
    }
    const credential = credentialOf(context)
    const asked = credential?.kind === 'key' && credential.signed === undefined
    if (asked || credential?.kind !== 'key') unanswered()
    unproven = false
    const slow = sleep(slowestMs)
    let login: SftpLogin | undefined
    try {
      login = credential && (await options.authenticate(context.username, credential))
    } catch (error) {
      const known = error instanceof Refusal
      options.log[known ? 'warn' : 'error']({ err: error, session: options.session }, 'sign-in over SFTP could not be checked')
      end()
      return
    }
    if (ended) return
    if (login) {
      if (asked && tooMany()) {
        end()
        return
      }
      unproven = asked
      if (!asked) {
        options.failures.succeeded(options.ip)
        options.letIn(login)
      }
      // For a key without signature the library answers "this key would do" and waits for the signature.
      context.accept()
      return
    }
    const weight = asked ? offerWeight : 1
    tries += weight
    options.failures.failed(options.ip, weight)
    options.log.warn(
      {
        op: 'sftp.refused',
        session: options.session,
        ip: options.ip,
        user: userNamePattern.test(context.username) ? context.username : 'malformed',
        method: context.method,
        ...(credential?.kind === 'key' ? { key: fingerprintOf(credential.blob) } : {})
      },
      'sign-in over SFTP refused'
    )
    await slow
    if (ended) return
    if (tooMany()) end(context)
    else context.reject([...offeredMethods])
  }

  const tooMany = (): boolean => tries >= mostTries - 0.01

  function end(context?: AuthContext): void {
    ended = true
    context?.reject([])
    options.close()
  }

  return { answer, left: unanswered }
}

function credentialOf(context: AuthContext): SftpCredential | undefined {
  if (context.method === 'password') {
    // A request to change the password carries an object here.
    return typeof context.password === 'string' && context.password.length <= 1024
      ? { kind: 'password', password: context.password }
      : undefined
  }
  if (context.method !== 'publickey') return undefined
  const { key, blob, signature, hashAlgo } = context
  // The library takes "accept" for the final yes as soon as there is a signature, so half a proof must never pass for a question.
  if ((blob === undefined) !== (signature === undefined)) return undefined
  const signed = blob && signature ? { blob, signature, hashAlgo } : undefined
  return { kind: 'key', type: key.algo, blob: key.data, ...(signed ? { signed } : {}) }
}
