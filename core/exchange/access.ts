import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { Ctx, TxCtx } from '../context.ts'
import type { Directory, DirectoryKind, OpenTenant, Tenants } from '../db/tenants-face.ts'
import { Refusal } from '../errors.ts'
import type { Identified } from '../http/identity.ts'
import { newId, newToken } from '../ids.ts'
import { journal } from '../journal/append.ts'
import { hashPassword } from '../keys/passwords.ts'
import type { Log } from '../log.ts'
import {
  type Access,
  activeAccess,
  connectionExists,
  findAccess,
  insertAccess,
  keyInUse,
  listAccess,
  lockAccessOf,
  noteUse,
  proofsOf,
  revokeRow
} from './access-store.ts'
import { refuseExchange } from './errors.ts'
import { fingerprintOfLine, readPublicKey } from './public-key.ts'
import { connectionContext, userNamePattern } from './sftp-auth.ts'

/** Of each kind and connection: enough for a change-over, few enough to keep an eye on. */
const mostKeys = 10
const mostTokens = 10
const mostPasswords = 5

export interface AccessDesk {
  list(ctx: Ctx, connectionId: string): Promise<readonly AccessView[]>
  get(ctx: Ctx, connectionId: string, id: string): Promise<AccessView>
  addSftpKey(tx: TxCtx, given: { connectionId: string; username: string; publicKey: string; label: string }): Promise<string>
  /** The password is made here and given back this once; a former one of the same user name ends. */
  addSftpPassword(tx: TxCtx, given: { connectionId: string; username: string; label: string }): Promise<{ id: string; password: string }>
  /** The token is given back this once. */
  addToken(tx: TxCtx, given: { connectionId: string; label: string }): Promise<{ id: string; token: string }>
  revoke(tx: TxCtx, connectionId: string, id: string): Promise<void>
}

/** An access as people see it. */
export interface AccessView {
  readonly id: string
  readonly kind: Access['kind']
  readonly label: string
  /** SFTP user name; null for a token. */
  readonly username: string | null
  readonly publicKey: string | null
  readonly fingerprint: string | null
  readonly createdAt: string
  readonly lastUsedAt: string | null
  readonly revokedAt: string | null
}

/** Who may come in for which connection. User names, keys and tokens are entered in the directory over all tenants first. */
export function accessDesk({ directory, log }: { directory: Directory; log: Log }): AccessDesk {
  /**
   * Control is another database, so its entry is made before ours commits. One that a rollback leaves behind points to this
   * connection and opens nothing; the next try finds it and goes on.
   */
  async function reserve(tx: TxCtx, kind: DirectoryKind, lookup: string, connectionId: string): Promise<'mine' | 'same tenant' | 'taken'> {
    if (await directory.add({ kind, lookup, tenantId: tx.tenant.id, connectionId })) return 'mine'
    const entry = await directory.find(kind, lookup)
    if (entry?.tenantId !== tx.tenant.id) return 'taken'
    return entry.connectionId === connectionId ? 'mine' : 'same tenant'
  }

  async function reserveUser(tx: TxCtx, username: string, connectionId: string): Promise<void> {
    if (!userNamePattern.test(username)) {
      throw refuseExchange(
        'sftp_user_invalid',
        'An SFTP user name has 3 to 32 lower-case letters, digits and hyphens and begins with a letter.'
      )
    }
    if ((await reserve(tx, 'sftp_user', username, connectionId)) !== 'mine')
      throw refuseExchange('sftp_user_taken', `The SFTP user name "${username}" is taken.`)
  }

  async function room(tx: TxCtx, connectionId: string, kind: Access['kind'], most: number): Promise<readonly Access[]> {
    if (!(await lockAccessOf(tx, connectionId))) throw refuseExchange('connection_unknown', 'There is no such connection.')
    const active = await activeAccess(tx, connectionId, kind)
    if (active.length >= most)
      throw refuseExchange('access_limit', `A connection has at most ${most} accesses of this kind. Revoke one first.`)
    return active
  }

  const noted = (tx: TxCtx, act: string, id: string, connectionId: string, kind: string): Promise<void> =>
    journal.append(tx, { act, subject: 'exchange.access', subjectId: id, data: { connection: connectionId, kind } })

  function forgetAfterCommit(tx: TxCtx, kind: DirectoryKind, lookup: string): void {
    tx.tx.afterCommit.push(() => {
      directory
        .remove(kind, lookup)
        .catch(error => log.warn({ err: error, kind }, 'an ended access stays in the directory; it opens nothing'))
    })
  }

  async function end(tx: TxCtx, access: Access): Promise<void> {
    if (!(await revokeRow(tx, access.id, tx.clock.iso()))) return
    await noted(tx, 'access.revoke', access.id, access.connection_id, access.kind)
    // User names stay reserved: an ERP that still knocks under an old name must not end up with another customer.
    if (access.kind === 'token') forgetAfterCommit(tx, 'erp_token', access.lookup)
    if (access.public_key !== null && !(await keyInUse(tx, access.public_key)))
      forgetAfterCommit(tx, 'sftp_key', fingerprintOfLine(access.public_key))
  }

  return {
    async list(ctx, connectionId) {
      if (!(await connectionExists(ctx, connectionId))) throw refuseExchange('connection_unknown', 'There is no such connection.')
      return (await listAccess(ctx, connectionId)).map(viewOf)
    },
    async get(ctx, connectionId, id) {
      const access = await findAccess(ctx, connectionId, id)
      if (!access) throw refuseExchange('access_unknown', 'This connection has no such access.')
      return viewOf(access)
    },
    async addSftpKey(tx, { connectionId, username, publicKey, label }) {
      const key = readPublicKey(publicKey)
      if ('problem' in key)
        throw refuseExchange('public_key_invalid', `The key is not accepted: ${key.problem}.`, {
          errors: [{ pointer: '/publicKey', detail: key.problem }]
        })
      const active = await room(tx, connectionId, 'sftp_key', mostKeys)
      if (active.some(access => access.public_key === key.line && access.lookup === username)) {
        throw refuseExchange('public_key_known', 'This user name has this key already.')
      }
      await reserveUser(tx, username, connectionId)
      if ((await reserve(tx, 'sftp_key', key.fingerprint, connectionId)) === 'taken') {
        throw refuseExchange('public_key_known', 'This key is in use elsewhere. A key belongs to one customer; make a new pair.')
      }
      const id = newId()
      await insertAccess(tx, {
        id,
        connection_id: connectionId,
        kind: 'sftp_key',
        label,
        lookup: username,
        public_key: key.line,
        at: tx.clock.iso()
      })
      await noted(tx, 'access.add', id, connectionId, 'sftp_key')
      return id
    },
    async addSftpPassword(tx, { connectionId, username, label }) {
      const password = randomBytes(24).toString('base64url')
      const phc = await hashPassword(password)
      const active = await room(tx, connectionId, 'sftp_password', mostPasswords)
      await reserveUser(tx, username, connectionId)
      for (const former of active) if (former.lookup === username) await end(tx, former)
      const id = newId()
      await insertAccess(tx, {
        id,
        connection_id: connectionId,
        kind: 'sftp_password',
        label,
        lookup: username,
        password_phc: phc,
        at: tx.clock.iso()
      })
      await noted(tx, 'access.add', id, connectionId, 'sftp_password')
      return { id, password }
    },
    async addToken(tx, { connectionId, label }) {
      await room(tx, connectionId, 'token', mostTokens)
      const token = newToken('erp')
      if ((await reserve(tx, 'erp_token', token.lookup, connectionId)) !== 'mine')
        throw new Error('a random token is in the directory already')
      const id = newId()
      await insertAccess(tx, {
        id,
        connection_id: connectionId,
        kind: 'token',
        label,
        lookup: token.lookup,
        digest: token.digest,
        at: tx.clock.iso()
      })
      await noted(tx, 'access.add', id, connectionId, 'token')
      return { id, token: token.text }
    },
    async revoke(tx, connectionId, id) {
      const access = await findAccess(tx, connectionId, id)
      if (!access) throw refuseExchange('access_unknown', 'This connection has no such access.')
      await end(tx, access)
    }
  }
}

function viewOf(access: Access): AccessView {
  return {
    id: access.id,
    kind: access.kind,
    label: access.label,
    username: access.kind === 'token' ? null : access.lookup,
    publicKey: access.public_key,
    fingerprint: access.public_key === null ? null : fingerprintOfLine(access.public_key),
    createdAt: access.created_at,
    lastUsedAt: access.last_used_at,
    revokedAt: access.revoked_at
  }
}

/** Who an ERP token belongs to: tenant, connection and what an ERP may do; undefined means no, without a reason. */
export async function identifyErpToken(
  options: { tenants: Tenants; directory: Directory; clock: Clock; log: Log },
  token: { lookup: string; digest: Uint8Array },
  at: Date
): Promise<(OpenTenant & { identified: Identified }) | undefined> {
  const entry = await options.directory.find('erp_token', token.lookup)
  if (!entry || entry.connectionId === null) return undefined
  let open: OpenTenant
  try {
    open = await options.tenants.open(entry.tenantId)
  } catch (error) {
    // A tenant that is gone for good is no different from a token that is.
    if (error instanceof Refusal && error.code === 'tenant_unavailable' && error.retryAfterSeconds === undefined) return undefined
    throw error
  }
  const ctx = connectionContext(open, entry.connectionId, options.clock, options.log)
  const [proof] = await proofsOf(ctx, entry.connectionId, ['token'], token.lookup)
  if (!proof?.digest || proof.digest.length !== token.digest.length || !timingSafeEqual(proof.digest, token.digest)) return undefined
  if (proof.last_used_at === null || at.getTime() - Date.parse(proof.last_used_at) > 60_000) await noteUse(ctx, proof.id, at.toISOString())
  return { ...open, identified: { principal: ctx.principal, grant: ctx.grant } }
}
