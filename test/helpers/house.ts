import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DestinationStream } from 'pino'
import type { Clock } from '../../core/clock.ts'
import { systemClock } from '../../core/clock.ts'
import { createTenant } from '../../core/commands/tenant.ts'
import { loadConfig } from '../../core/config.ts'
import type { Ctx } from '../../core/context.ts'
import { withTx } from '../../core/db/tx.ts'
import { type House, openHouse } from '../../core/house.ts'
import type { Patience } from '../../core/http/server.ts'
import { loadRootKey, type RootKey } from '../../core/keys/root-key.ts'
import { createLog } from '../../core/log.ts'
import type { Parts } from '../../core/parts.ts'
import { createShutdown, type Shutdown } from '../../core/shutdown.ts'
import { prepare } from '../../core/start.ts'
import type { Worker } from '../../core/tasks/worker.ts'
import { parts } from '../../parts.ts'
import { freshDatabase, provisionerUrl, serverUrl, urlFor, withConnection } from './database.ts'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

export interface Answer<T = Record<string, unknown>> {
  readonly status: number
  readonly headers: Headers
  readonly body: T
}

export interface TestTenant {
  readonly id: string
  readonly code: string
  /** The one-time token of the first administrator's link. */
  readonly inviteToken: string
}

export interface TestHouse {
  readonly house: House
  readonly baseUrl: string
  readonly dataDir: string
  readonly controlUrl: string
  readonly root: RootKey
  /** What a further process of the same installation is started with. */
  readonly settings: Readonly<Record<string, string>>
  readonly sftp: { readonly port: number } | undefined
  readonly worker: Worker | undefined
  readonly logged: readonly string[]
  readonly shutdown: Shutdown
  /** A further tenant; the first one is `tenant`. */
  newTenant(): Promise<TestTenant>
  readonly tenant: TestTenant
  /** One call as a client makes it; `token` may be an access token, an API key or an ERP token. */
  call<T = Record<string, unknown>>(
    method: string,
    path: string,
    options?: { token?: string; body?: unknown; headers?: Record<string, string>; raw?: string | Uint8Array }
  ): Promise<Answer<T>>
  /** Accepts the invitation with a password and signs in. @returns the access token */
  admin(tenant?: TestTenant): Promise<string>
  signIn(tenant: TestTenant, username: string, password: string): Promise<string>
  /** A context of the tenant with whole scope and the permissions named, for tests of stores and faces. */
  ctx(tenant?: TestTenant, permissions?: readonly string[]): Promise<Ctx>
  /** The same installation opened once more, as a second process would. */
  again(options?: { clock?: Clock }): Promise<{ house: House; shutdown: Shutdown }>
}

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as { version: string }

export const adminPassword = 'Een-lange-zin-voor-de-test'

/**
 * The real house on a control database of its own: provisioned as an installation is, HTTP on a free port, one tenant. SFTP and the
 * worker only when asked, since most tests drive the work themselves. Everything is closed and dropped when the test ends.
 */
export async function openTestHouse(
  t: Teardown,
  options: {
    clock?: Clock
    /** The first tenant's code. */
    customer?: string
    sftp?: boolean
    worker?: boolean
    settings?: Record<string, string>
    parts?: Partial<Parts>
    liveBeatMs?: number
    patience?: Partial<Patience>
  } = {}
): Promise<TestHouse> {
  const control = await freshDatabase(t, { owner: 'werkvloer' })
  const dataDir = mkdtempSync(join(tmpdir(), 'wv-house-'))
  t.teardown(async () => rmSync(dataDir, { recursive: true, force: true }))
  const controlUrl = urlFor(provisionerUrl(), control.name)
  const rootText = randomBytes(32).toString('base64')
  const root = loadRootKey({ text: rootText })
  const settings = {
    WERKVLOER_DATA: dataDir,
    WERKVLOER_HTTP_PORT: '0',
    WERKVLOER_SFTP_PORT: '0',
    WERKVLOER_DATABASE_URL: controlUrl,
    WERKVLOER_ROOT_KEY: rootText,
    WERKVLOER_LOG_LEVEL: 'info',
    // A test asks more than any person; those of the limits set them.
    WERKVLOER_REQUESTS_PER_CALLER: '1000000',
    WERKVLOER_REQUESTS_PER_CUSTOMER: '1000000',
    ...options.settings
  }
  const config = loadConfig(settings)
  const clock = options.clock ?? systemClock
  const logged: string[] = []
  const sink: DestinationStream = { write: line => void logged.push(line) }
  const log = createLog(config, sink)
  await prepare({ controlUrl, root, embedded: false }, clock)
  const allParts: Parts = { ...parts, ...options.parts }

  async function open(at: Clock): Promise<{ house: House; shutdown: Shutdown }> {
    const shutdown = createShutdown(log)
    const house = await openHouse({
      config,
      controlUrl,
      root,
      clock: at,
      log,
      parts: allParts,
      shutdown,
      version,
      liveBeatMs: options.liveBeatMs,
      patience: options.patience
    })
    // Registered before the database is dropped by an earlier teardown: tap runs them in the opposite order.
    t.teardown(async () => {
      await shutdown.stop('test ends')
    })
    return { house, shutdown }
  }

  const { house, shutdown } = await open(clock)
  const tenants: TestTenant[] = []
  async function newTenant(code = `test-${tenants.length + 1}`): Promise<TestTenant> {
    const made = await createTenant(house, { parts: allParts }, { code, name: `Test ${tenants.length + 1}`, zone: 'Europe/Amsterdam' })
    const tenant = { id: made.id, code, inviteToken: made.inviteToken }
    tenants.push(tenant)
    t.teardown(() => dropTenant(house, tenant.id))
    return tenant
  }
  const tenant = await newTenant(options.customer)
  const { port } = await house.listenHttp()
  const baseUrl = `http://127.0.0.1:${port}`
  const sftp = options.sftp ? await house.listenSftp() : undefined
  const worker = options.worker ? await house.startWork() : undefined

  const call: TestHouse['call'] = async (method, path, { token, body, headers = {}, raw } = {}) => {
    const answer = await fetch(baseUrl + path, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers
      },
      ...(body === undefined ? (raw === undefined ? {} : { body: raw as string }) : { body: JSON.stringify(body) })
    })
    // A stream that follows changes does not end by itself.
    if (answer.headers.get('content-type')?.startsWith('text/event-stream')) {
      await answer.body?.cancel()
      return { status: answer.status, headers: answer.headers, body: {} as never }
    }
    const text = await answer.text()
    const json = (answer.headers.get('content-type') ?? '').includes('json')
    return { status: answer.status, headers: answer.headers, body: (json && text !== '' ? JSON.parse(text) : { text }) as never }
  }

  async function signIn(of: TestTenant, username: string, password: string): Promise<string> {
    const answer = await call<{ accessToken: string }>('POST', '/api/v1/sign-in', { body: { customer: of.code, username, password } })
    if (answer.status !== 200) throw new Error(`sign-in of ${username}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body.accessToken
  }

  const accepted = new Set<string>()
  return {
    house,
    baseUrl,
    dataDir,
    controlUrl,
    root,
    settings,
    sftp,
    worker,
    logged,
    shutdown,
    newTenant: () => newTenant(),
    tenant,
    call,
    signIn,
    async admin(of = tenant) {
      if (!accepted.has(of.id)) {
        accepted.add(of.id)
        const answer = await call('POST', '/api/v1/invitations/accept', { body: { token: of.inviteToken, password: adminPassword } })
        if (answer.status >= 300) throw new Error(`accepting the invitation: ${answer.status} ${JSON.stringify(answer.body)}`)
      }
      return signIn(of, 'admin', adminPassword)
    },
    async ctx(of = tenant, permissions = Object.keys(house.permissions)) {
      const ctx = await house.tenants.system(of.id, 'test')
      return { ...ctx, grant: { ...ctx.grant, permissions: new Set(permissions) } }
    },
    again: ({ clock: at = clock } = {}) => open(at)
  }
}

async function dropTenant(house: House, id: string): Promise<void> {
  await house.tenants.drop(id)
  const row = await house.control.kysely
    .selectFrom('control.tenant')
    .select(['database', 'owner_role', 'app_role'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) return
  const { pool } = house.control.db
  // As superuser: an autovacuum worker that happens to be in it may not be ended by anybody else.
  await withConnection(serverUrl(), client => client.query(`drop database if exists "${row.database}" with (force)`))
  await pool.query(`drop role if exists "${row.app_role}"`)
  await pool.query(`drop role if exists "${row.owner_role}"`)
}

export { withTx }
