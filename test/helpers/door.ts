import { randomBytes } from 'node:crypto'
import type { InjectOptions } from 'fastify'
import { type Clock, fixedClock } from '../../core/clock.ts'
import { loadConfig } from '../../core/config.ts'
import { directoryOf, signingKeysOf } from '../../core/db/control.ts'
import { boot } from '../../core/host.ts'
import type { App } from '../../core/http/app.ts'
import { coreSpecs } from '../../core/http/problem.ts'
import { createServer } from '../../core/http/server.ts'
import { registerSession } from '../../core/http/session.ts'
import { type Ctx, newId, type TxCtx, withTx } from '../../core/index.ts'
import { journal } from '../../core/journal/append.ts'
import { silentLog } from '../../core/log.ts'
import authz, { type Authz } from '../../modules/authz/index.ts'
import { type Ground, ground } from './tenant.ts'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

// biome-ignore lint/suspicious/noExplicitAny: answers are read by the tests that know them
type Body = any

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Body
}

export interface DoorTenant {
  readonly ctx: Ctx
  readonly code: string
  readonly inviteToken: string
}

export interface Call {
  readonly token?: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
  readonly ip?: string
}

export interface Door {
  readonly app: App
  readonly at: Ground
  readonly face: Authz
  readonly clock: Clock & { advance(seconds: number): void }
  readonly permissions: Readonly<Record<string, string>>
  readonly tenant: DoorTenant
  newTenant(code: string): Promise<DoorTenant>
  call(method: string, path: string, options?: Call): Promise<Reply>
  signIn(username: string, password: string, options?: { customer?: string; ip?: string; agent?: string }): Promise<Reply>
  /** The administrator's access token; accepts the link the first time. */
  admin(): Promise<string>
  /** A user with a password of their own, signed in. */
  person(username: string, roles: readonly string[], groupIds?: readonly string[]): Promise<{ id: string; token: string }>
  roleId(name: string): Promise<string>
  rows<T extends object = Record<string, Body>>(text: string, values?: unknown[], ctx?: Ctx): Promise<T[]>
  write<R>(fn: (tx: TxCtx) => Promise<R>, ctx?: Ctx): Promise<R>
  runDuties(ctx?: Ctx): Promise<void>
}

export const goodPassword = 'Een-lange-zin-voor-de-test'

/** Permissions as the other modules declare them, so that roles have something to give without their modules. */
const neighbours: Readonly<Record<string, string>> = Object.fromEntries(
  ['orders.read', 'jobs.read', 'jobs.work', 'jobs.report', 'stock.read', 'erp.write', 'journal.read'].map(p => [p, `May ${p}.`])
)

/** authz behind real HTTP handling, on real databases, without its neighbours; the clock starts now and is moved by the test. */
export async function openDoor(
  t: Teardown,
  // A mutant of the session, for checks that must notice it.
  options: { settings?: Record<string, string>; session?: typeof registerSession } = {}
): Promise<Door> {
  const clock = fixedClock(new Date().toISOString())
  const at = await ground(t, { clock })
  const config = loadConfig({
    WERKVLOER_DATA: '/tmp/unused',
    WERKVLOER_DATABASE_URL: at.url,
    WERKVLOER_ROOT_KEY: randomBytes(32).toString('base64'),
    ...options.settings
  })
  const directory = directoryOf(at.control)
  const permissions: Record<string, string> = { 'session.own': 'Own session.', ...neighbours, ...authz.permissions }
  const app = await createServer({
    log: silentLog,
    specs: { ...coreSpecs, ...authz.errors },
    permissions: new Set(Object.keys(permissions)),
    bodyLimit: 1_000_000,
    trustProxy: ['127.0.0.1'],
    version: '0',
    publicUrl: config.http.publicUrl
  })
  const tokens = await (options.session ?? registerSession)(app as never, {
    keys: await signingKeysOf(at.control),
    clock,
    tenants: at.tenants,
    directory,
    identity: () => built.identity ?? fail('authz provides no identity'),
    erpToken: async () => undefined
  })
  const platform = { config, clock, log: silentLog, tenants: at.tenants, directory, tokens, journal, catalogue: () => permissions }
  const built = boot(platform as never, [authz as never]).get('authz') ?? fail('authz was not built')
  const face = built.face as Authz
  app.get('/test/jobs', { config: { permission: 'jobs.read' } }, async request => ({ scope: request.ctx.grant.scope }) as never)
  built.routes?.(app)
  await app.ready()
  t.teardown(async () => void (await app.close()))

  const call: Door['call'] = async (method, path, { token, body, headers = {}, ip } = {}) => {
    const answer = await app.inject({
      method: method as NonNullable<InjectOptions['method']>,
      url: path,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(ip === undefined ? {} : { 'x-forwarded-for': ip }),
        ...headers
      },
      ...(body === undefined ? {} : { payload: body as object })
    })
    const json = `${answer.headers['content-type'] ?? ''}`.includes('json')
    return {
      status: answer.statusCode,
      headers: answer.headers as Reply['headers'],
      body: json && answer.body !== '' ? answer.json() : answer.body
    }
  }

  async function newTenant(code: string): Promise<DoorTenant> {
    const ctx = await at.tenant(code)
    const made = await withTx(ctx, async tx => {
      await face.seed(tx, Object.keys(permissions))
      return face.createFirstAdministrator(tx, { username: 'admin' })
    })
    if (!made) throw new Error('there is an administrator already')
    return { ctx, code, inviteToken: made.inviteToken }
  }
  const tenant = await newTenant('acme')

  const signIn: Door['signIn'] = (username, password, { customer = 'acme', ip, agent } = {}) =>
    call('POST', '/api/v1/sign-in', {
      body: { customer, username, password },
      headers: { 'x-refresh-in-body': 'yes', ...(agent === undefined ? {} : { 'user-agent': agent }) },
      ...(ip === undefined ? {} : { ip })
    })

  let accepted = false
  const admin = async (): Promise<string> => {
    if (!accepted) {
      accepted = true
      const answer = await call('POST', '/api/v1/invitations/accept', { body: { token: tenant.inviteToken, password: goodPassword } })
      // 410: the test used the link itself, with the same password.
      if (answer.status !== 200 && answer.status !== 410) throw new Error(JSON.stringify(answer.body))
    }
    return (await signIn('admin', goodPassword)).body.accessToken
  }
  const rows: Door['rows'] = async (text, values = [], ctx = tenant.ctx) => (await ctx.db.pool.query(text, values)).rows
  const roleId: Door['roleId'] = async name =>
    (await rows<{ id: string }>('select id from authz.role where name = $1', [name]))[0]?.id ?? fail(name)
  return {
    app,
    at,
    face,
    clock,
    permissions,
    tenant,
    newTenant,
    call,
    signIn,
    admin,
    async person(username, roles, groupIds = []) {
      const answer = await call('POST', '/api/v1/users', {
        token: await admin(),
        body: {
          username,
          roleIds: await Promise.all(roles.map(roleId)),
          groupIds,
          password: goodPassword,
          mustChangePassword: false
        }
      })
      if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
      return { id: answer.body.user.id, token: (await signIn(username, goodPassword)).body.accessToken }
    },
    roleId,
    rows,
    write: (fn, ctx = tenant.ctx) => withTx(ctx, fn),
    async runDuties(ctx = tenant.ctx) {
      for (const duty of built.duties ?? []) await duty.run(ctx)
    }
  }
}

function fail(what: string): never {
  throw new Error(what)
}

export { newId }
