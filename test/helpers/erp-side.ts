import type { Ctx } from '../../core/context.ts'
import { openTestHouse, type TestHouse, type TestTenant } from './house.ts'
import { connect, newKeyPair, openSftpClient, type Sftp } from './sftp.ts'

type Teardown = Parameters<typeof openTestHouse>[0]

export interface Reject {
  readonly item: string | null
  readonly line: number | null
  readonly pointer: string | null
  readonly kind: string
  readonly key: string | null
  readonly field: string | null
  readonly code: string
  readonly message: string
  readonly state: string
}

/** What became of a delivery, as people and ERPs are told. */
export interface Result {
  readonly delivery: {
    readonly id: string
    readonly number: string
    readonly name: string
    readonly state: string
    readonly reason: { readonly code: string; readonly detail: string } | null
    readonly counts: Readonly<Record<'read' | 'new' | 'changed' | 'unchanged' | 'stale' | 'closed' | 'rejected' | 'held', number>>
    readonly rawKept: boolean
  }
  readonly rejects: readonly Reject[]
}

interface Side {
  readonly tenant: TestTenant
  readonly ctx: Ctx
  readonly connectionId: string
  readonly adminToken: string
  work(): Promise<void>
  result(deliveryId: string): Promise<Result>
  /** The API as the administrator sees it; throws for anything but 2xx. */
  api<T>(method: string, path: string, body?: unknown): Promise<T>
  query<T extends object = Record<string, unknown>>(text: string, values?: unknown[]): Promise<T[]>
}

/** An ERP that brings CSV files over SFTP. */
export interface FileErp extends Side {
  readonly sftp: Sftp
  /** Uploads under a temporary name, renames, and lets it be worked on. */
  file(name: string, body: string | Uint8Array): Promise<Result>
}

/** An ERP that calls the web service with JSON. */
export interface CallingErp extends Side {
  readonly erpToken: string
  /** Hands a body in at a route, and lets it be worked on. */
  post(route: string, body: unknown, headers?: Record<string, string>): Promise<Result>
}

/** The real house with SFTP and without a worker: each delivery is worked on when the test says so. */
export const sftpHouse = (t: Teardown, options: Parameters<typeof openTestHouse>[1] = {}): Promise<TestHouse> =>
  openTestHouse(t, { ...options, sftp: true })

async function sideOf(at: TestHouse, tenant: TestTenant, adapter: string, config: object): Promise<Side> {
  const adminToken = await at.admin(tenant)
  const ctx = await at.ctx(tenant)
  async function api<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await at.call<T>(method, `/api/v1${path}`, { token: adminToken, ...(body === undefined ? {} : { body }) })
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const { id } = await api<{ id: string }>('POST', '/connections', { name: 'ERP', adapter, config })
  return {
    tenant,
    ctx,
    connectionId: id,
    adminToken,
    api,
    async work() {
      for (let rounds = 0; rounds < 20; rounds++) {
        if (!(await at.house.exchange.importDue(ctx, new AbortController().signal)).more) return
      }
    },
    result: delivery => api<Result>('GET', `/deliveries/${delivery}`),
    query: async <T extends object>(text: string, values: unknown[] = []) => (await ctx.db.pool.query<T>(text, values)).rows
  }
}

export async function fileErp(
  t: Teardown,
  at: TestHouse,
  { tenant = at.tenant, config = {} }: { tenant?: TestTenant; config?: Readonly<Record<string, string>> } = {}
): Promise<FileErp> {
  const side = await sideOf(at, tenant, 'werkvloer.csv', { delimiter: ';', ...config })
  const { api, connectionId, work, result } = side
  const key = newKeyPair()
  const username = `${tenant.code}-erp`
  await api('POST', `/connections/${connectionId}/access/sftp-keys`, { username, publicKey: key.public.trim(), label: 'test' })
  await api('POST', `/connections/${connectionId}/activate`, {})
  const client = await connect(at.sftp?.port ?? 0, { username, privateKey: key.private })
  t.teardown(async () => void client.end())
  const sftp = await openSftpClient(client)
  return {
    ...side,
    sftp,
    async file(name, body) {
      await sftp.put(`inbox/${name}.tmp`, Buffer.from(body as string))
      await sftp.call('rename', `inbox/${name}.tmp`, `inbox/${name}`)
      await work()
      const { items } = await api<{ items: { id: string; name: string }[] }>('GET', `/deliveries?connection=${connectionId}&limit=5`)
      const newest = items.find(item => item.name === name)
      if (!newest) throw new Error(`${name} did not arrive`)
      return result(newest.id)
    }
  }
}

export async function callingErp(at: TestHouse, { tenant = at.tenant }: { tenant?: TestTenant } = {}): Promise<CallingErp> {
  const side = await sideOf(at, tenant, 'werkvloer.neutral-rest', {})
  const { api, connectionId, work, result } = side
  const erpToken = (await api<{ token: string }>('POST', `/connections/${connectionId}/access/tokens`, { label: 'test' })).token
  await api('POST', `/connections/${connectionId}/activate`, {})
  return {
    ...side,
    erpToken,
    async post(route, body, headers = {}) {
      const raw = typeof body === 'string' || body instanceof Uint8Array
      const answer = await at.call<{ delivery: string }>('POST', `/erp/v1/${connectionId}/${route}`, {
        token: erpToken,
        headers: { 'content-type': 'application/json', ...headers },
        ...(raw ? { raw: body } : { body })
      })
      if (answer.status !== 202 && answer.status !== 200) throw new Error(`${route}: ${answer.status} ${JSON.stringify(answer.body)}`)
      await work()
      return result(answer.body.delivery)
    }
  }
}
