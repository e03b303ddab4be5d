import { type Description, type Operation, type Schema, smallest } from '../../test/helpers/api.ts'
import { newKeyPair } from '../../test/helpers/sftp.ts'
import { adapters, freeKinds, type Ground } from './ground.ts'
import type { Known, Thing } from './known.ts'
import type { Random } from './random.ts'

/** What a maker of a body may look at. */
export interface Given {
  readonly thing: Thing
  readonly known: Known
  readonly random: Random
  readonly ground: Ground
  /** What the GET route at the same address shows. */
  readonly shown: () => Promise<Thing>
  /** A session of its own, to be ended. */
  readonly session: () => Promise<{ accessToken: string; refreshToken: string }>
  /** A number that was not given before. */
  readonly next: () => number
  readonly ask: (method: string, path: string, body?: unknown) => Promise<Thing>
}

const text = (value: unknown): string => String(value ?? '')
const field = (list: readonly Thing[], name: string): readonly string[] =>
  list.map(thing => text(thing[name])).filter(value => value !== '')
const employees = ({ known }: Given): readonly string[] =>
  field(
    known.things('/api/v1/employees').filter(({ active }) => active === true),
    'id'
  )
const amounts = ({ random }: Given) =>
  random.of([
    { good: '1' },
    { good: '0.5', rework: '1' },
    { good: '1', scrap: '1', scrapReason: 'CRACK' },
    { scrap: '0.25', scrapReason: 'CRACK' }
  ])
const persons = (given: Given) => ({ employeeIds: given.random.some(employees(given), 2) })
const items = ({ random }: Given) => ({
  items: [
    random.of<Thing>([
      { line: '1', quantity: '1' },
      { article: 'A2', quantity: '0.5', location: 'R1' }
    ])
  ]
})
const held = (_given: Given, count = 3): string[] => ['orders.read', 'jobs.read', 'stock.read', 'hours.read'].slice(0, count)
const rules = ({ random }: Given) =>
  random.some(
    [
      { kind: 'department', value: 'WELD' },
      { kind: 'order', value: 'W0-1' },
      { kind: 'pattern', value: 'W%' }
    ],
    2
  )

/** Bodies that need more than their schema says: numbers that fit together, secrets, what was read before. */
const bodies: Readonly<Record<string, (given: Given) => unknown>> = {
  createConnection: given => {
    const [adapter, config] = given.random.of(Object.entries(adapters))
    return { name: `Connection ${given.next()}`, adapter, config }
  },
  updateConnection: ({ thing, next }) => ({ version: thing.version, name: `Renamed ${next()}` }),
  setMapping: async ({ shown }) => {
    const { version, mapping, codeTables } = await shown()
    return { version, mapping, codeTables }
  },
  setKinds: ({ random, thing }) => ({ in: [], out: thing.adapter === 'kit.rest' || random.chance(4) ? [] : [random.of(freeKinds)] }),
  setPull: ({ random }) => ({ everySeconds: random.of([60, 3_600, null]) }),
  addSftpKey: ({ next }) => ({ username: `erp-${next()}`, publicKey: newKeyPair().public, label: 'ERP' }),
  addSftpPassword: ({ next }) => ({ username: `erp-${next()}`, label: 'ERP' }),
  editReject: async ({ shown }) => ({ row: { ...((await shown()).original as object), description: 'As it should be' } }),
  tryReject: async ({ random }) => random.of([{ which: 'one' }, { which: 'same_cause' }, { ours: 'PCE' }]),
  addTranslation: () => ({ ours: 'PCE' }),
  dryRun: ({ known, random }) =>
    random.of<Thing>([
      { name: 'articles', text: '{"records":[{"number":"A9","description":"Part","unit":"PCE"}]}' },
      ...known
        .things('/api/v1/deliveries')
        .slice(0, 5)
        .map(({ id }) => ({ deliveryId: id }))
    ]),
  decideFeedback: ({ random }) =>
    random.of([
      { decision: 'there', document: 'D-1', reason: 'seen in the ERP' },
      { decision: 'drop', reason: 'not needed' }
    ]),
  signIn: ({ ground }) => ({ customer: ground.customer, ...ground.guest }),
  refreshSession: async ({ session }) => ({ refreshToken: (await session()).refreshToken }),
  changePassword: ({ ground }) => ({ current: ground.guest.password, password: 'Weer-een-andere-lange-zin' }),
  acceptInvitation: async ({ ask, next }) => {
    const { inviteLink } = await ask('POST', '/api/v1/users', { username: `invited-${next()}`, roleIds: [], groupIds: [] })
    return { token: text(inviteLink).split('#')[1], password: 'Een-andere-lange-zin' }
  },
  createUser: given => ({
    username: `user-${given.next()}`,
    roleIds: field(
      given.known.things('/api/v1/roles').filter(({ name }) => name === 'operator'),
      'id'
    ),
    groupIds: [],
    ...(given.random.chance(4) ? { password: 'Een-lange-zin-voor-iemand' } : {})
  }),
  changeUser: ({ random, next }) =>
    random.of<Thing>([{ name: `Person ${next()}` }, { name: null }, { active: random.chance(2) }, { roleIds: [], groupIds: [] }]),
  createRole: given => ({ name: `Role ${given.next()}`, permissions: held(given) }),
  changeRole: given => ({ version: given.thing.version, permissions: held(given, 1 + given.random.below(4)) }),
  createGroup: given => ({ name: `Group ${given.next()}`, rules: rules(given) }),
  changeGroup: given => ({ version: given.thing.version, rules: rules(given) }),
  createApiKey: given => ({ name: `Key ${given.next()}`, permissions: held(given), groupIds: [], days: 30, addresses: ['127.0.0.1'] }),
  addActivityCode: ({ next }) => ({ code: `X${next()}`, name: 'Something else' }),
  startIndirect: given => ({ activityCode: 'CLEAN', employeeId: given.random.of(employees(given)) }),
  stopIndirect: given => ({ employeeId: given.random.of(employees(given)) }),
  transferStock: () => ({ article: 'A3', quantity: '1', from: 'R0', to: 'R1' }),
  adjustStock: ({ random }) => ({ article: 'A4', location: 'R1', quantity: random.of(['1', '0.5', '12']), reason: 'Counted' }),
  pickLine: ({ thing }) => ({ article: thing.article, location: 'R0', quantity: '1' }),
  undoPick: async ({ thing, ask }) => {
    const address = `/api/v1/pick-lists/${text(thing.listId)}/lines/${text(thing.id)}/pick`
    const picked = await ask('POST', address, { article: thing.article, location: 'R0', quantity: '0.001' })
    return { actId: picked.actId ?? '0190ffff-ffff-7fff-8fff-ffffffffffff' }
  },
  startJob: persons,
  resumeJob: persons,
  pauseJob: ({ thing }) => {
    const running = field((thing.running as readonly Thing[] | undefined) ?? [], 'employeeId').slice(0, 50)
    return running.length === 0 ? {} : { employeeIds: running }
  },
  reportJob: amounts,
  completeJob: given => ({ ...amounts(given), shortfall: given.random.of(['lost', 'lost', 'not_yet']) }),
  correctReport: given => ({ ...amounts(given), reason: 'Counted again' }),
  consumeMaterial: items,
  returnMaterial: items
}

/** Queries that must say something certain; the others are left to chance. */
const queries: Readonly<Record<string, (given: Given) => Readonly<Record<string, string>>>> = {
  why: ({ known, random }) => ({ userId: random.of(field(known.things('/api/v1/users'), 'id')), permission: 'jobs.read' }),
  listHours: () => ({ day: new Date().toISOString().slice(0, 10) }),
  removeRole: ({ thing }) => ({ version: text(thing.version) }),
  removeGroup: ({ thing }) => ({ version: text(thing.version) }),
  getMapping: ({ random }) => (random.chance(2) ? { version: '1' } : {}),
  scrapByReason: ({ random }) => (random.chance(2) ? { from: '2026-01-01', to: '2026-03-31' } : {}),
  erpListOutbox: ({ random }) => random.of<Record<string, string>>([{}, { after: '5', limit: '20' }])
}

/** A body that is meant to be taken; undefined where the route takes none. */
export async function meantBody(operation: Operation, given: Given, schemas: Description['schemas']): Promise<unknown> {
  const own = bodies[operation.operationId ?? '']
  if (own) return own(given)
  if (operation.operationId === 'erpDeliver') return given.thing.state === 'acks' ? { acks: [] } : { records: [] }
  const schema = operation.body?.['application/json']?.schema
  if (!schema) return undefined
  // Settings and the like are written as they were read.
  if (operation.method === 'PUT' && schema.properties?.version) {
    const shown = await given.shown()
    return Object.fromEntries(Object.keys(schema.properties).map(name => [name, shown[name]]))
  }
  return smallest(schema, schemas)
}

/** The query of a request that is meant to be taken: what must be there, and now and then one of what may be. */
export function meantQuery(operation: Operation, given: Given, schemas: Description['schemas']): Readonly<Record<string, string>> {
  const own = queries[operation.operationId ?? '']?.(given)
  if (own) return own
  const { random, known } = given
  const free = operation.parameters.filter(one => one.in === 'query' && one.name !== 'after')
  if (free.length === 0 || random.chance(2)) return {}
  const { name, schema = {} } = random.of(free)
  return { [name]: oneOf(name, schema, random, known, schemas) }
}

function oneOf(name: string, schema: Schema, random: Random, known: Known, schemas: Description['schemas']): string {
  const [, list] = Object.entries(lists).find(([part]) => name.toLowerCase().startsWith(part)) ?? []
  if (list) return random.of(['W0-1', ...field(known.things(list[0]), list[1])].slice(schema.format === 'uuid' ? 1 : 0))
  if (schema.enum) return text(random.of(schema.enum))
  if (name === 'limit') return text(1 + random.below(20))
  return text(smallest(schema, schemas))
}

/** Name of a query -> the list that its values come from, and the field. */
const lists: Readonly<Record<string, readonly [path: string, field: string]>> = {
  connection: ['/api/v1/connections', 'id'],
  delivery: ['/api/v1/deliveries', 'id'],
  employee: ['/api/v1/employees', 'id'],
  article: ['/api/v1/articles', 'number'],
  location: ['/api/v1/locations', 'code'],
  order: ['/api/v1/work-orders', 'number'],
  act: ['/api/v1/stock-transactions', 'actId'],
  scan: ['/api/v1/articles', 'number'],
  search: ['/api/v1/work-orders', 'number'],
  cause: ['/api/v1/rejects', 'cause']
}
