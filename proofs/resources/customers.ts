import { randomUUID } from 'node:crypto'
import type { Api } from '../../demo/api.ts'
import { type SimulatedErp, simulatedErp } from '../../demo/erp.ts'
import { makeOrders } from '../../demo/factory.ts'
import { orderFile } from '../../demo/files.ts'
import { connectErp, demoPassword, firstAdministrator, masterData, processed } from '../../demo/setup.ts'
import { newLogin, type SftpAddress } from '../../demo/sftp.ts'
import type { Installation } from './house.ts'

const stamp = '2026-11-23 08:00:00'
const day = () => '2027-12-24'
const jobsPerCustomer = 30
const isCalled = ({ orderNumber }: { readonly orderNumber: string }): boolean => orderNumber.startsWith('WO-5')

export interface Customer {
  readonly code: string
  readonly admin: Api
  /** Access token of the person who reports. */
  token(): string
  /** Makes it anew, once however many find that it has ended. */
  renew(): void
  readonly jobs: readonly string[]
  /** The ERP that hands in and takes files. */
  readonly erp: SimulatedErp
  readonly filesId: string
  /** The one that is called, with its door for files of orders; absent for customers without. */
  readonly calls: { readonly id: string; readonly erp: SimulatedErp } | undefined
  /** Good pieces that were acknowledged, by job. */
  readonly acknowledged: Map<string, number>
  /** Hands in a file of one new order. */
  deliver(name: string, first: number): Promise<void>
  close(): void
}

/** A customer with orders, one person who reports and an ERP by files; with `port` a second ERP, whose orders are reported by calls to it. */
export async function customer(house: Installation, code: string, inviteToken: string, port?: number): Promise<Customer> {
  const admin = await firstAdministrator(house.baseUrl, code, inviteToken)
  const login = newLogin()
  const filesId = await connectErp(admin, { username: `${code}-erp`, publicLine: login.publicLine })
  const addressOf = (username: string, privateKey: string): SftpAddress => ({
    host: '127.0.0.1',
    port: house.sftpPort,
    hostKeyLine: house.hostKeyLine,
    username,
    privateKey
  })
  const erp = await simulatedErp(addressOf(`${code}-erp`, login.privateKey))
  await masterData(admin, erp, stamp)
  await takeOrders(admin, erp, 'WO_1.csv', 1)
  let calls: Customer['calls']
  if (port !== undefined) {
    const second = newLogin()
    const id = await callingConnection(admin, { files: filesId, port, username: `${code}-calls`, publicKey: second.publicLine })
    calls = { id, erp: await simulatedErp(addressOf(`${code}-calls`, second.privateKey)) }
    await takeOrders(admin, calls.erp, 'WO_2.csv', 501)
  }
  const roles = (await admin.get<{ items: readonly { id: string; name: string }[] }>('/api/v1/roles')).items
  const groups = (await admin.get<{ items: readonly { id: string; name: string }[] }>('/api/v1/groups')).items
  await admin.post('/api/v1/users', {
    username: 'lead',
    name: 'Lead',
    employeeNumber: '1001',
    roleIds: roles.filter(({ name }) => name === 'team_lead').map(({ id }) => id),
    groupIds: groups.filter(({ name }) => name === 'Everything').map(({ id }) => id),
    password: demoPassword,
    mustChangePassword: false
  })
  const { items } = await admin.get<{ items: readonly { id: string; orderNumber: string }[] }>(`/api/v1/jobs?limit=500`)
  // Those of both ERPs in turn.
  const [called, filed] = [items.filter(isCalled), items.filter(job => !isCalled(job))]
  const jobs = filed.slice(0, jobsPerCustomer).flatMap((job, i) => [called[i]?.id ?? [], job.id].flat())
  async function signIn(): Promise<string> {
    const answer = await fetch(`${house.baseUrl}/api/v1/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ customer: code, username: 'lead', password: demoPassword }),
      signal: AbortSignal.timeout(30_000)
    })
    if (!answer.ok) throw new Error(`sign-in: ${answer.status}`)
    return ((await answer.json()) as { accessToken: string }).accessToken
  }
  let token = await signIn()
  let renewing = false
  return {
    code,
    admin,
    jobs,
    erp,
    filesId,
    calls,
    acknowledged: new Map(),
    token: () => token,
    renew() {
      if (renewing) return
      renewing = true
      void signIn()
        .then(
          made => {
            token = made
          },
          () => undefined
        )
        .finally(() => {
          renewing = false
        })
    },
    deliver: (name, first) => (calls?.erp ?? erp).deliver(name, orderFile(makeOrders(first, 1, day), stamp)),
    close() {
      erp.close()
      calls?.erp.close()
    }
  }
}

async function takeOrders(admin: Api, erp: SimulatedErp, name: string, first: number): Promise<void> {
  await erp.deliver(name, orderFile(makeOrders(first, 30, day), stamp))
  const { state } = await processed(admin, name)
  if (state !== 'done') throw new Error(`${name} ended as ${state}`)
}

/** New orders are those of this one, so their feedback is too; it is also asked for orders every half minute. */
async function callingConnection(admin: Api, given: { files: string; port: number; username: string; publicKey: string }): Promise<string> {
  const { kinds } = await admin.get<{ kinds: { in: readonly string[]; out: readonly string[] } }>(`/api/v1/connections/${given.files}`)
  await admin.put(`/api/v1/connections/${given.files}/kinds`, { in: kinds.in.filter(kind => kind !== 'workOrder'), out: kinds.out })
  const { id } = await admin.post<{ id: string }>('/api/v1/connections', {
    name: 'Calling ERP',
    adapter: 'proof.rest',
    config: { delimiter: ';', baseUrl: `http://127.0.0.1:${given.port}`, token: randomUUID() }
  })
  await admin.put(`/api/v1/connections/${id}/kinds`, { in: ['workOrder'], out: [] })
  await admin.post(`/api/v1/connections/${id}/access/sftp-keys`, { username: given.username, publicKey: given.publicKey, label: 'proof' })
  await admin.put(`/api/v1/connections/${id}/pulls/workOrder`, { everySeconds: 30 })
  await admin.post(`/api/v1/connections/${id}/activate`)
  return id
}

interface Message {
  readonly createdAt: string
}

/** Seconds that the oldest message of a connection waits which nobody has begun to send. */
export async function oldestWaiting(of: Customer, connectionId: string): Promise<number> {
  const { items } = await of.admin.get<{ items: readonly Message[] }>(`/api/v1/outbox?connectionId=${connectionId}&state=waiting&limit=1`)
  return items[0] ? (Date.now() - Date.parse(items[0].createdAt)) / 1_000 : 0
}
