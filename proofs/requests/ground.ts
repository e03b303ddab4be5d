import { until } from '../../demo/api.ts'
import { restConfig } from '../../test/adapters/rest-adapter.ts'
import type { TestHouse } from '../../test/helpers/house.ts'
import type { Random } from './random.ts'

/** Everything with which somebody or something of this house signs in, and what must stay so that it can go on. */
export interface Ground {
  readonly customer: string
  /** The token lasts a quarter of an hour: each round begins with a new one. */
  readonly administrator: { readonly token: string }
  /** Somebody whose sessions may end at any time. */
  readonly guest: { readonly username: string; readonly password: string }
  /** A key of a program that may do everything a key can. */
  readonly apiKey: string
  readonly erp: { readonly connection: string; readonly token: string }
  /** Ids without which the requests after this one would say nothing: our own user, session, connection, token and group. */
  readonly spared: ReadonlySet<string>
  /** What an ERP brings now and then: orders, changes of orders that run, records that are wrong, a list that would close much, answers. */
  bring(round: number): Promise<void>
}

/** Kinds of feedback that the ERP of this house does not fetch: whoever comes first has one, and another one is left. */
export const freeKinds: readonly string[] = ['stockTransaction', 'productReceipt']

/** Adapter -> settings that it takes. */
export const adapters: Readonly<Record<string, object>> = {
  'werkvloer.csv': { delimiter: ',' },
  'werkvloer.neutral-rest': { ackWithinMinutes: 5 },
  'kit.rest': restConfig
}

const password = 'Een-lange-zin-voor-elke-vraag'
const employees = Array.from({ length: 8 }, (_, n) => ({ key: `E${n}`, number: String(100 + n), name: `Person ${n}`, active: n < 7 }))
const locations = Array.from({ length: 14 }, (_, n) => ({ code: `R${n}`, warehouse: n < 10 ? 'HALL' : 'YARD', description: `Rack ${n}` }))
const articles = Array.from({ length: 6 }, (_, n) => ({ number: `A${n}`, description: `Part ${n}`, unit: 'PCE', barcode: `B${n}` }))
const stock = (asOf: string) =>
  articles.flatMap(({ number }) =>
    ['R0', 'R1'].map(location => ({ article: number, location, quantity: { value: '100000', unit: 'PCE' }, asOf }))
  )

function orderOf(number: string, status: string, parts: Readonly<Record<string, unknown>> = {}) {
  return {
    number,
    department: 'WELD',
    article: 'A0',
    description: 'Frame',
    quantity: { value: '50', unit: 'PCE' },
    due: '2027-01-01',
    priority: 1,
    status,
    operations: [
      { number: '10', sequence: 10, department: 'WELD', workCentre: 'W1', description: 'Weld', setupSeconds: 60, runSeconds: 600 },
      { number: '20', sequence: 20, department: 'PAINT', description: 'Paint', runSeconds: 300 }
    ],
    materials: [{ line: '1', operation: '10', article: 'A1', quantity: { value: '100', unit: 'PCE' }, location: 'R0' }],
    ...parts
  }
}

/** One customer with one connection of the web service, furnished through the doors that everybody uses. */
export async function furnish(at: TestHouse, random: Random): Promise<Ground> {
  await at.call('POST', '/api/v1/invitations/accept', { body: { token: at.tenant.inviteToken, password } })
  let token = await at.signIn(at.tenant, 'admin', password)
  const api = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const answer = await at.call<T>(method, `/api/v1${path}`, { token, ...(body === undefined ? {} : { body }) })
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  interface Named {
    readonly id: string
    readonly username?: string
    readonly name?: string
  }
  const listed = async (path: string): Promise<readonly Named[]> => (await api<{ items: readonly Named[] }>('GET', path)).items

  const { id: connection } = await api<Named>('POST', '/connections', { name: 'ERP', adapter: 'werkvloer.neutral-rest', config: {} })
  // Some are left for the connections that are made later; and a table that does not know every unit.
  const kinds = (await api<{ kinds: { in: string[]; out: string[] } }>('GET', `/connections/${connection}`)).kinds
  await api('PUT', `/connections/${connection}/kinds`, { ...kinds, out: kinds.out.filter(kind => !freeKinds.includes(kind)) })
  const { version, mapping, codeTables } = await api<{ version: number; mapping: object; codeTables: object }>(
    'GET',
    `/connections/${connection}/mapping`
  )
  await api('PUT', `/connections/${connection}/mapping`, { version, mapping, codeTables: { ...codeTables, units: { PCE: 'PCE' } } })
  const erp = (await api<{ token: string }>('POST', `/connections/${connection}/access/tokens`, { label: 'ERP' })).token
  await api('POST', `/connections/${connection}/activate`, {})
  for (const [adapter, config] of Object.entries(adapters))
    await api('POST', '/connections', { name: `Draft of ${adapter}`, adapter, config })
  const access = await listed(`/connections/${connection}/access`)

  const deliver = async (route: string, body: unknown): Promise<string> => {
    const answer = await at.call<{ delivery: string; result: { state: string } | null }>('POST', `/erp/v1/${connection}/${route}`, {
      token: erp,
      body,
      headers: { prefer: 'wait=25' }
    })
    if (answer.status >= 300) throw new Error(`${route}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body.result?.state ?? 'not yet'
  }
  const master = async (): Promise<void> => {
    await deliver('locations', { records: locations })
    await deliver('articles', { records: articles })
    await deliver('employees', { records: employees })
    await deliver('stock', { records: stock(new Date().toISOString()) })
  }
  await master()
  const [admin] = (await listed('/users')).filter(user => user.username === 'admin')
  const employee = await until('the employees are in', 30, async () => (await listed('/employees'))[0])
  if (!admin || !employee) throw new Error('there is no administrator')
  await api('PATCH', `/users/${admin.id}`, { employeeNumber: '100' })
  await api('PUT', '/scrap-reasons/CRACK', { name: 'Cracked' })
  await api('POST', '/activity-codes', { code: 'CLEAN', name: 'Cleaning' })
  const groups = (await listed('/groups')).filter(group => group.name === 'Everything')
  const permissions = (await api<{ items: { permission: string }[] }>('GET', '/permissions')).items.map(one => one.permission)
  const key = await api<{ id: string; key: string }>('POST', '/api-keys', {
    name: 'Program',
    permissions: permissions.filter(one => one !== 'session.own' && !one.startsWith('erp.')),
    groupIds: groups.map(({ id }) => id),
    days: 30
  })
  const guest = { username: 'guest', roleIds: [], groupIds: [], password, mustChangePassword: false }
  const { user } = await api<{ user: Named }>('POST', '/users', guest)
  const keys = await listed('/api-keys')
  const sessions = await listed('/session/list')

  async function answerFeedback(): Promise<void> {
    const open = (await api<{ items: { key: string; state: string }[] }>('GET', '/outbox?limit=200')).items.filter(
      message => message.state === 'delivered'
    )
    const acks = open.map(({ key }, n) => {
      if (n % 3 === 0) return { key, result: 'accepted', document: `D-${n}` }
      return { key, result: 'rejected', code: 'period_closed', message: 'The period is closed.' }
    })
    // A third stays without an answer, so that there are messages in every state.
    if (acks.length > 0) await deliver('acks', { acks: acks.filter((_, n) => n % 3 !== 2) })
  }

  return {
    customer: at.tenant.code,
    administrator: {
      get token() {
        return token
      }
    },
    guest: { username: 'guest', password },
    apiKey: key.key,
    erp: { connection, token: erp },
    spared: new Set([admin.id, user.id, connection, ...[...access, ...groups, ...keys, ...sessions].map(({ id }) => id)]),
    async bring(round) {
      if (round > 0) {
        token = await at.signIn(at.tenant, 'admin', password)
        await master()
      }
      const numbers = Array.from({ length: 6 }, (_, n) => `W${round}-${n}`)
      const states = ['released', 'released', 'released', 'released', 'released', 'planned']
      const last = random.below(2) === 0 ? 'cancelled' : 'closed'
      await deliver('work-orders', { records: numbers.map((number, n) => orderOf(number, states[n] ?? 'released')) })
      const running = (await api<{ items: { number: string }[] }>('GET', '/work-orders?status=started&limit=50')).items
      await deliver('work-orders', {
        records: [
          ...running
            .slice(0, 8)
            .map(({ number }, n) => orderOf(number, 'released', { quantity: { value: String(60 + round + n), unit: 'PCE' } })),
          orderOf(`W${round}-9`, 'released'),
          orderOf(`W${round}-x`, 'released', { quantity: { value: 'many', unit: 'PCE' } }),
          orderOf(`W${round}-y`, 'strange'),
          ...Array.from({ length: 4 }, (_, n) =>
            orderOf(`W${round}-u${n}`, 'released', { quantity: { value: '5', unit: `U${round}-${n}` } })
          )
        ]
      })
      await deliver('work-orders', { records: [orderOf(`W${round}-9`, last)] })
      await deliver('pick-lists', {
        records: [0, 1, 2].map(n => ({
          number: `P${round}-${n}`,
          workOrder: `W${round}-${n}`,
          lines: ['A1', 'A2', 'A3'].map((article, line) => ({
            line: String(line + 1),
            article,
            quantity: { value: '5', unit: 'PCE' },
            location: 'R0'
          }))
        }))
      })
      // The list names few of them: that waits for a person.
      for (const n of [0, 1]) await deliver('locations', { snapshot: true, records: locations.slice(0, 3 + n) })
      await answerFeedback()
    }
  }
}
