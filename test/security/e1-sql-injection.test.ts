import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { Type } from 'typebox'
import type { AnyModule } from '../../core/host.ts'
import { parts } from '../../parts.ts'
import { descriptionOf } from '../helpers/api.ts'
import { serverUrl, urlFor, withConnection } from '../helpers/database.ts'
import { openTestHouse, type TestHouse } from '../helpers/house.ts'
import { breakers, headerPlaces, injectionsOf, type Place, placesOf } from '../helpers/injections.ts'
import { order } from '../helpers/orders.ts'

const plantedAt = '/api/v1/planted/'
/** Routes that put a statement together from text, as nobody may: what the check must find. */
const planted: AnyModule = {
  name: 'planted',
  needs: [],
  permissions: {},
  personalData: [],
  retention: [],
  dictionary: {},
  errors: {},
  build: () => ({
    face: {},
    routes: given => {
      const app = given as unknown as FastifyInstance
      const config = { permission: 'session.own' }
      const text = Type.Object({ text: Type.String() }, { additionalProperties: false })
      const ask = async (
        request: { ctx: { db: { pool: { query(statement: string): Promise<{ rows: unknown[] }> } } } },
        statement: string
      ) => ({
        items: (await request.ctx.db.pool.query(statement)).rows
      })
      app.get(`${plantedAt}search`, { config, schema: { operationId: 'plantedSearch', querystring: text } }, request =>
        ask(request as never, `select name from authz.role where name like '%${(request.query as { text: string }).text}%'`)
      )
      app.get(`${plantedAt}sort`, { config, schema: { operationId: 'plantedSort', querystring: text } }, request =>
        ask(request as never, `select name from authz.role order by ${(request.query as { text: string }).text}`)
      )
      app.post(`${plantedAt}body`, { config, schema: { operationId: 'plantedBody', body: text } }, request =>
        ask(request as never, `update authz.role set name = name where name = '${(request.body as { text: string }).text}'`)
      )
    }
  })
}

/** Ends what the requests live by, or follows without end. */
const skip = new Set(['signOut', 'endMySession', 'followChanges', 'changePassword', 'erpDeliver', 'erpGetDelivery', 'erpListOutbox'])

/** An expression that counts up outside of every transaction: what is evaluated leaves a mark, whatever is rolled back afterwards. */
const mark = `select nextval('planted.mark')`
const sleepSeconds = 6

interface Attack {
  readonly at: TestHouse
  readonly token: string
  readonly marks: () => Promise<number>
  /** How many of the texts each place gets; each text comes to many places. */
  readonly most: number
  /** Looks for marks after each place instead of once at the end. */
  readonly each?: boolean
}

/** Everything that shows that a text became part of a statement, by kind. */
async function attack(places: readonly Place[], { at, token, marks, most, each }: Attack): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = { evaluated: [], broken: [], slept: [], told: [] }
  const add = (kind: string, { operation, name }: Place, what: string): void =>
    void found[kind]?.push(`${operation.operationId}, ${name}: ${what.slice(0, 80)}`)
  const ask = async ({ operation, request }: Place, text: string) => {
    const { path, headers, body } = request(text)
    const began = performance.now()
    const sent = { token, ...(headers ? { headers } : {}), ...(body === undefined ? {} : { body }) }
    const { status, body: answer } = await at.call<{ items?: unknown[] }>(operation.method, path, sent)
    return { status, items: answer.items?.length, seconds: (performance.now() - began) / 1000 }
  }
  const texts = [injectionsOf(mark), breakers] as const
  let marked = await marks()
  for (const [n, place] of places.entries()) {
    for (const list of texts) {
      const step = Math.max(1, Math.floor(list.length / most))
      for (const text of list.filter((_, i) => (i + n) % step === 0).slice(0, most)) {
        const { status } = await ask(place, text)
        if (status >= 500) add('broken', place, `${status} to ${text}`)
      }
    }
    if (place.name.startsWith('query ')) {
      const answers = [await ask(place, `zzz' or '1'='1`), await ask(place, `zzz' and '1'='2`), await ask(place, `zzz%' or '%'='`)]
      const told = answers.map(({ status, items }) => `${status} ${items ?? ''}`)
      if (new Set(told).size > 1) add('told', place, told.join(' | '))
    }
    if (n % 8 === 0 || each) {
      const sleep = (seconds: number): Promise<{ seconds: number }> => ask(place, `zzz'||(select pg_sleep(${seconds}))||'`)
      if ((await sleep(sleepSeconds)).seconds > sleepSeconds && (await sleep(0)).seconds < sleepSeconds / 2) add('slept', place, 'it slept')
    }
    if (each && (await marks()) > marked) add('evaluated', place, 'it was evaluated')
    if (each) marked = await marks()
  }
  const last = places.at(-1)
  if (last && (await marks()) > marked) add('evaluated', last, 'or at one before it')
  return found
}

/** One of everything that the routes ask about, so that what they are told reaches the statements. */
async function furnish(at: TestHouse, token: string) {
  const api = async <T>(method: string, path: string, body?: unknown, as = token): Promise<T> => {
    const answer = await at.call<T>(method, path, { token: as, ...(body === undefined ? {} : { body }) })
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const first = async (path: string): Promise<string> => (await api<{ items: { id: string }[] }>('GET', path)).items[0]?.id ?? ''
  const { id: connection } = await api<{ id: string }>('POST', '/api/v1/connections', {
    name: 'ERP',
    adapter: 'werkvloer.neutral-rest',
    config: {}
  })
  await api('POST', `/api/v1/connections/${connection}/activate`, {})
  const { token: erp } = await api<{ token: string }>('POST', `/api/v1/connections/${connection}/access/tokens`, { label: 'ERP' })
  const deliver = async (records: Readonly<Record<string, readonly unknown[]>>): Promise<void> => {
    for (const [route, list] of Object.entries(records)) await api('POST', `/erp/v1/${connection}/${route}`, { records: list }, erp)
    await at.house.exchange.importDue(await at.ctx(), new AbortController().signal)
  }
  await deliver({
    locations: [{ code: 'R1', warehouse: 'HALL' }],
    articles: [{ number: 'P-1', description: 'Frame', unit: 'pcs' }, { number: 5 }],
    employees: [{ key: 'E1', number: '100', name: 'Ann', active: true }],
    'work-orders': [order('W-1')],
    'pick-lists': [
      { number: 'PL', workOrder: 'W-1', lines: [{ line: '1', article: 'P-1', quantity: { value: '5', unit: 'pcs' }, location: 'R1' }] }
    ]
  })
  const job = await first('/api/v1/jobs')
  await api('POST', `/api/v1/jobs/${job}/start`, { employeeIds: [await first('/api/v1/employees')] })
  const { reportId } = await api<{ reportId: string }>('POST', `/api/v1/jobs/${job}/report`, { good: '1' })
  const listId = await first('/api/v1/pick-lists')
  const { lines } = await api<{ lines: { id: string }[] }>('GET', `/api/v1/pick-lists/${listId}`)
  await api('POST', '/api/v1/roles', { name: 'own', permissions: ['jobs.read'] })
  const { items: roles } = await api<{ items: { id: string; name: string }[] }>('GET', '/api/v1/roles')
  const { user } = await api<{ user: { id: string } }>('POST', '/api/v1/users', { username: 'somebody', roleIds: [], groupIds: [] })
  const ids: Readonly<Record<string, string | undefined>> = {
    jobId: job,
    reportId,
    orderId: await first('/api/v1/work-orders'),
    listId,
    lineId: lines[0]?.id,
    connection,
    'connections/id': connection,
    'deliveries/id': await first('/api/v1/deliveries'),
    'rejects/id': await first('/api/v1/rejects'),
    'users/id': user.id,
    'groups/id': await first('/api/v1/groups'),
    'roles/id': roles.find(role => role.name === 'own')?.id,
    'articles/number': 'P-1',
    'departments/code': 'WELD',
    'scrap-reasons/code': 'CRACK'
  }
  const idOf = (path: string, name: string): string | undefined =>
    ids[`${path.split(`/{${name}}`)[0]?.split('/').at(-1)}/${name}`] ?? ids[name]
  return { idOf, deliver }
}

t.test('E1: nothing that comes from outside becomes part of a statement', async t => {
  const at = await openTestHouse(t, { parts: { modules: [...parts.modules, planted] } })
  const token = await at.admin()
  const { idOf, deliver } = await furnish(at, token)
  const { database, app_role } = await at.house.control.kysely
    .selectFrom('control.tenant')
    .select(['database', 'app_role'])
    .where('id', '=', at.tenant.id)
    .executeTakeFirstOrThrow()
  const inTenant = <T extends object>(statement: string): Promise<T[]> =>
    withConnection(urlFor(serverUrl(), database), async client => (await client.query<T>(statement)).rows)
  await inTenant(
    `create schema planted; create sequence planted.mark; grant usage on schema planted to ${app_role}; grant usage on sequence planted.mark to ${app_role}`
  )
  const marks = async (): Promise<number> => {
    const [row] = await inTenant<{ used: boolean; last: string }>('select is_called as used, last_value as last from planted.mark')
    return row?.used ? Number(row.last) : 0
  }
  const description = await descriptionOf(at.house)
  const isPlanted = ({ operation }: Place): boolean => operation.path.startsWith(plantedAt)
  const places = [
    ...placesOf(description, skip, idOf),
    ...headerPlaces(description, ['me', 'listJobs', 'signIn', 'refreshSession', 'createRole'])
  ]

  await t.test('E1: routes that put statements together from text are found, by each of four signs', async t => {
    const plants = places.filter(isPlanted)
    t.equal(plants.filter(({ name }) => !name.startsWith('header ')).length, 3)
    const found = await attack(plants, { at, token, marks, most: 50, each: true })
    for (const [kind, operations] of Object.entries({
      evaluated: ['plantedSearch', 'plantedSort', 'plantedBody'],
      broken: ['plantedSearch', 'plantedSort', 'plantedBody'],
      slept: ['plantedSearch', 'plantedBody'],
      told: ['plantedSearch']
    }))
      for (const operation of operations)
        t.ok(
          found[kind]?.some(line => line.startsWith(operation)),
          `${operation} is ${kind}`
        )
  })

  await t.test('E1: every part of every address, every query, field, header and cookie', async t => {
    const all = places.filter(place => !isPlanted(place))
    t.ok(all.length > 350, `an empty scan is no pass (${all.length})`)
    t.ok(new Set(all.map(({ operation }) => operation)).size > 85, 'of nearly all routes')
    t.same(await attack(all, { at, token, marks, most: 2 }), { evaluated: [], broken: [], slept: [], told: [] })
  })

  await t.test('E1: records of an ERP, in every field that is text', async t => {
    const before = await marks()
    const errors = at.logged.filter(line => line.includes('"level":"error"')).length
    const texts = [...injectionsOf(mark), ...breakers]
    const codes = texts.map(text => text.slice(0, 40))
    t.ok(codes.filter(code => code.includes(`(${mark})`)).length >= 3, 'some fit into a code as they are')
    await deliver({
      locations: codes.map(code => ({ code, warehouse: code, description: code })),
      articles: codes.map((number, n) => ({ number, description: texts[n], unit: 'pcs', barcode: number })),
      employees: codes.map(key => ({ key, number: key, name: key, active: true })),
      stock: codes.map(article => ({
        article,
        location: article,
        lot: article,
        quantity: { value: '1', unit: 'pcs' },
        asOf: '2026-01-01T00:00:00Z'
      })),
      'work-orders': codes.map((number, n) =>
        order(number, {
          department: number,
          article: number,
          description: texts[n] ?? '',
          operations: [{ number, department: number, workCentre: number, description: texts[n] ?? '' }],
          materials: [{ line: number, operation: number, article: number, quantity: { value: '1', unit: 'pcs' }, location: number }]
        })
      ),
      'pick-lists': codes.map(number => ({
        number,
        workOrder: number,
        lines: [{ line: number, article: number, quantity: { value: '1', unit: 'pcs' }, location: number }]
      }))
    })
    const { items } = (
      await at.call<{ items: { state: string; counts: { new: number } }[] }>('GET', '/api/v1/deliveries?limit=6', { token })
    ).body
    for (const { state, counts } of items) {
      t.match(state, /^done/)
      t.ok(counts.new >= texts.length - 8, `${counts.new} of ${texts.length} are stored as what they are`)
    }
    t.equal(await marks(), before, 'none was evaluated')
    t.equal(at.logged.filter(line => line.includes('"level":"error"')).length, errors, 'and none broke anything')
  })
})
