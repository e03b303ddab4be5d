import jwt from '@fastify/jwt'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock } from '../clock.ts'
import type { Ctx, Tenant } from '../context.ts'
import type { SigningKey } from '../db/control.ts'
import type { AccessTokens, Directory, OpenTenant, Tenants } from '../db/tenants-face.ts'
import type { Db } from '../db/tx.ts'
import { Refusal, refuse } from '../errors.ts'
import { newId, parseToken, sha256 } from '../ids.ts'
import type { Identified, Identity } from './identity.ts'
import type { Shares } from './shares.ts'

/** Lifetime of an access token; security check B2 refuses longer ones also at verification. */
export const accessSeconds = 15 * 60
/** By so much the clock of another node may be ahead of ours. */
const skewSeconds = 60
const issuer = 'werkvloer'
const audience = 'werkvloer-tenant'

interface Claims {
  readonly sub: string
  readonly tid: string
  readonly sid: string
  readonly use: string
  readonly iat: number
  readonly exp: number
}

export interface SessionOptions {
  readonly keys: readonly SigningKey[]
  readonly clock: Clock
  readonly tenants: Tenants
  readonly directory: Directory
  /** Absent: nobody asks too much. */
  readonly shares?: Shares
  /** Asked at the first request: the module that answers is built after the tokens it needs. */
  readonly identity: () => Identity
  readonly erpToken: (
    token: { lookup: string; digest: Uint8Array },
    at: Date
  ) => Promise<{ tenant: Tenant; db: Db; identified: Identified } | undefined>
}

export interface Session extends AccessTokens {
  /** Whether the credential of an earlier request would still be let in; throws when that cannot be found out now. */
  alive(request: FastifyRequest): Promise<boolean>
}

/**
 * Registers @fastify/jwt pinned to what we issue (its defaults take HS512, no `exp`, any audience: measured) and the hook that
 * turns a credential into `request.ctx`. Tokens carry identity only; what somebody may do is read fresh on each request.
 */
export async function registerSession(app: FastifyInstance, options: SessionOptions): Promise<Session> {
  const { keys, clock } = options
  const signing = keys[0]
  if (!signing) throw new Error('no signing key in the control database: run "migrate"')
  const publicOf = new Map(keys.map(key => [key.kid, key.publicPem]))
  await app.register(jwt, {
    secret: {
      private: signing.privatePem,
      // app.jwt.verify hands the decoded token over as the first argument; request.jwtVerify would as the second.
      public: async (token: { header?: { kid?: unknown } }) => {
        const pem = typeof token.header?.kid === 'string' ? publicOf.get(token.header.kid) : undefined
        if (pem === undefined) throw refuse('unauthenticated', 'The access token is not valid. Sign in again.')
        return pem
      }
    } as never,
    decode: { complete: true },
    // The plugin takes times in seconds and hands milliseconds on.
    sign: { algorithm: 'EdDSA', iss: issuer, aud: audience, expiresIn: accessSeconds, kid: signing.kid } as never,
    verify: {
      algorithms: ['EdDSA'],
      allowedIss: issuer,
      allowedAud: audience,
      // Issuer and audience too: the library compares them only where they are there.
      requiredClaims: ['iss', 'aud', 'exp', 'iat', 'jti', 'sub', 'tid', 'sid', 'use'],
      maxAge: accessSeconds,
      clockTolerance: 0,
      // The library's cache has answered with another token's claims before (CVE-2026-35039): ours below keeps only "verified".
      cache: false
    } as never
  })

  // Looks at the times by the same clock as everything else; its verifier is made anew, once per token.
  const verify = app.jwt.verify as unknown as (token: string, options: { clockTimestamp: number }) => Promise<unknown>
  const verified = new Map<string, Claims>()
  const mostVerified = 5_000

  async function claimsOf(token: string): Promise<Claims> {
    const now = clock.now().getTime() / 1000
    const hash = sha256(token).toString('base64')
    const known = verified.get(hash)
    if (known && known.exp > now) return known
    let claims: Claims
    try {
      claims = fit(await verify(token, { clockTimestamp: now * 1000 }), now)
    } catch (error) {
      throw refuse('unauthenticated', 'The access token is not valid or has expired. Refresh it, or sign in again.', {
        context: { reason: (error as { code?: string }).code ?? 'claims' }
      })
    }
    if (verified.size >= mostVerified) for (const old of [...verified.keys()].slice(0, mostVerified / 10)) verified.delete(old)
    verified.set(hash, claims)
    return claims
  }

  app.decorateRequest('ctx', {
    getter(): Ctx {
      const ctx = contexts.get(this as FastifyRequest)
      if (!ctx) throw new Error('this route is public and has no context')
      return ctx
    }
  })

  app.addHook('onRequest', async request => {
    const { permission, public: open } = request.routeOptions.config
    if (open || request.is404) return
    const header = request.headers.authorization
    const token = header?.startsWith('Bearer ') ? header.slice(7) : undefined
    if (token === undefined) throw refuse('unauthenticated', 'Send an access token or an API key as "Authorization: Bearer …".')
    const { tenant, db, identified } = await identify(token, request, options.shares)
    contexts.set(request, {
      tenant,
      db,
      ...identified,
      log: request.log.child({ tenant: tenant.code, actor: identified.principal.id }) as Ctx['log'],
      clock,
      requestId: request.id
    })
    if (permission !== 'session.own' && !identified.grant.permissions.has(permission ?? '')) {
      throw refuse('forbidden', `This needs the permission "${permission}", which none of your roles gives.`)
    }
    if (permission === 'session.own' && identified.principal.kind !== 'user') {
      throw refuse('forbidden', 'Only a signed-in person can do this, not an API key.')
    }
  })

  /** Keys and tokens that were let in before -> their customer, so that a flood of one is known before the database is asked. */
  const letIn = new Map<string, string>()

  async function identify(
    token: string,
    request: FastifyRequest,
    shares: Shares | undefined
  ): Promise<OpenTenant & { identified: Identified }> {
    const opaque = parseToken(token)
    if (!opaque) return identifyPerson(token, shares)
    const digest = Buffer.from(opaque.digest).toString('base64')
    const known = letIn.get(digest)
    if (known !== undefined) shares?.take(known, digest)
    const found = await identifyProgram(opaque, request)
    if (known !== undefined) return found
    if (letIn.size >= mostVerified) for (const old of [...letIn.keys()].slice(0, mostVerified / 10)) letIn.delete(old)
    letIn.set(digest, found.tenant.id)
    shares?.take(found.tenant.id, digest)
    return found
  }

  async function identifyPerson(token: string, shares: Shares | undefined): Promise<OpenTenant & { identified: Identified }> {
    const claims = await claimsOf(token)
    shares?.take(claims.tid, claims.sub)
    const { tenant, db } = await options.tenants.open(claims.tid)
    const identified = await options.identity().ofSession(db, tenant, { userId: claims.sub, sessionId: claims.sid }, clock.now())
    if (identified) return { tenant, db, identified }
    throw ended()
  }

  async function identifyProgram(
    opaque: NonNullable<ReturnType<typeof parseToken>>,
    request: FastifyRequest
  ): Promise<OpenTenant & { identified: Identified }> {
    const at = clock.now()
    if (opaque.kind === 'erp') {
      const found = await options.erpToken(opaque, at)
      if (found) return found
    } else if (opaque.kind === 'api') {
      const entry = await options.directory.find('api_key', opaque.lookup)
      if (entry) {
        const { tenant, db } = await options.tenants.open(entry.tenantId)
        const identified = await options
          .identity()
          .ofApiKey(db, tenant, { lookup: opaque.lookup, digest: opaque.digest, ip: request.ip }, at)
        if (identified) return { tenant, db, identified }
      }
    }
    throw ended()
  }

  const ended = () => refuse('unauthenticated', 'This session or key has ended. Sign in again.')

  return {
    async alive(request) {
      try {
        const header = request.headers.authorization
        // Our own question, not the caller's: a floor full of screens must not use up what its people may ask.
        return header !== undefined && (await identify(header.slice(7), request, undefined)) !== undefined
      } catch (error) {
        if (error instanceof Refusal && (error.kind === 'unauthenticated' || error.code === 'tenant_unavailable')) return false
        throw error
      }
    },
    issue({ tenantId, userId, sessionId }) {
      const iat = Math.floor(clock.now().getTime() / 1000)
      const token = app.jwt.sign({ sub: userId, tid: tenantId, sid: sessionId, use: 'access', jti: newId(), iat } as never)
      return { token, expiresAt: new Date((iat + accessSeconds) * 1000).toISOString() }
    }
  }
}

const contexts = new WeakMap<FastifyRequest, Ctx>()
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** The types behind the claims: the library checks that they are there, not what they are. */
function fit(decoded: unknown, now: number): Claims {
  const payload = ((decoded as { payload?: unknown }).payload ?? decoded) as Record<string, unknown>
  const { sub, tid, sid, use, iat, exp } = payload
  const texts = [sub, tid, sid].every(v => typeof v === 'string' && uuid.test(v))
  const whole = (v: unknown): v is number => Number.isSafeInteger(v)
  // The library looks at the past of a token only; a future `iat` would stretch its fifteen minutes.
  const times = whole(iat) && whole(exp) && exp > iat && exp - iat <= accessSeconds && iat <= now + skewSeconds
  if (!texts || !times || use !== 'access') throw new Error('claims')
  return payload as unknown as Claims
}
