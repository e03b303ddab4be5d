import t from 'tap'
import { consolePaths } from '../../core/http/console.ts'
import { bodyFor, type Description, descriptionOf, type Operation, queryFor, type Schema } from '../helpers/api.ts'
import { openFloor } from '../helpers/floor.ts'
import { openTestHouse } from '../helpers/house.ts'
import { order } from '../helpers/orders.ts'

/** Routes that are no API: pages for people, and the description itself. */
const pages = ['GET /', 'GET /icon.svg', 'GET /api/v1/openapi.json', ...consolePaths.map(path => `GET /${path}`)]

/** Objects in bodies whose names are the sender's own. */
function openObjects(schema: Schema, schemas: Description['schemas'], at = ''): string[] {
  if (schema.$ref) return openObjects(schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}, schemas, at)
  const own = schema.type === 'object' && schema.additionalProperties === undefined ? [at === '' ? '/' : at] : []
  return [
    ...own,
    ...(schema.anyOf ?? []).flatMap(one => openObjects(one, schemas, at)),
    ...(schema.items ? openObjects(schema.items, schemas, `${at}/*`) : []),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, one]) => openObjects(one, schemas, `${at}/${name}`))
  ]
}

/** What a description lacks that somebody who builds against it needs. */
function gaps({ operations, schemas }: Description, specs: Readonly<Record<string, unknown>>): string[] {
  const ids = operations.map(({ operationId }) => operationId)
  return operations.flatMap((operation, index) => {
    const { method, path, operationId, summary, tags, refusals, body, responses } = operation
    const well = Object.entries(responses).filter(([status]) => status.startsWith('2'))
    const lacks: (string | false)[] = [
      operationId === undefined && 'has no operationId',
      ids.indexOf(operationId) !== index && 'shares its operationId',
      summary === undefined && !path.startsWith('/health/') && 'has no summary',
      tags.length === 0 && 'has no tag',
      well.length === 0 && 'says no good answer',
      well.some(([status, answer]) => status !== '204' && Object.values(answer.content ?? {}).every(({ schema }) => !schema)) &&
        'has a good answer without a schema',
      ['4XX', '5XX'].some(status => !/Problem$/.test(responses[status]?.content?.['application/problem+json']?.schema?.$ref ?? '')) &&
        'does not say how it refuses',
      method === 'GET' && body !== undefined && 'reads a body on GET'
    ]
    const unknown = refusals.filter(code => !specs[code]).map(code => `names the unknown refusal ${code}`)
    const open = Object.values(body ?? {}).flatMap(({ schema }) =>
      schema ? openObjects(schema, schemas).map(at => `takes anything at ${at}`) : []
    )
    return [...lacks.filter(one => one !== false), ...unknown, ...open].map(one => `${method} ${path} ${one}`)
  })
}

t.test('routes: each gap in the description is seen', async t => {
  const problem = { content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } }
  const whole: Operation = {
    method: 'POST',
    path: '/x',
    operationId: 'makeX',
    summary: 'Makes x',
    tags: ['x'],
    permission: 'x.make',
    refusals: ['forbidden'],
    parameters: [],
    query: [],
    body: { 'application/json': { schema: { type: 'object', properties: {}, additionalProperties: false } } },
    responses: { '201': { content: { 'application/json': { schema: { type: 'object' } } } }, '4XX': problem, '5XX': problem }
  }
  const seen = (parts: Partial<Operation>) =>
    gaps({ operations: [{ ...whole, ...parts }], schemas: {} }, { forbidden: {} }).map(line => line.replace('POST /x ', ''))
  t.same(seen({}), [])
  t.same(seen({ operationId: undefined }), ['has no operationId'])
  t.same(seen({ summary: undefined, tags: [] }), ['has no summary', 'has no tag'])
  t.same(seen({ responses: { '4XX': problem, '5XX': problem } }), ['says no good answer'])
  t.same(seen({ responses: { '200': {}, '4XX': problem, '5XX': problem } }), ['has a good answer without a schema'])
  t.same(seen({ responses: { '204': {}, '5XX': problem } }), ['does not say how it refuses'])
  const plain = { content: { 'application/json': problem.content['application/problem+json'] } }
  t.same(seen({ responses: { ...whole.responses, '4XX': plain } }), ['does not say how it refuses'], 'a problem is no plain JSON')
  t.same(seen({ refusals: ['forbidden', 'no_such'] }), ['names the unknown refusal no_such'])
  const inner = { type: 'object', additionalProperties: false, properties: { a: { type: 'array', items: { type: 'object' } } } }
  t.same(seen({ body: { 'application/json': { schema: inner } } }), ['takes anything at /a/*'])
  t.same(gaps({ operations: [whole, whole], schemas: {} }, { forbidden: {} }), ['POST /x shares its operationId'])
})

t.test('routes: the description says what somebody needs who builds against it', async t => {
  const at = await openTestHouse(t)
  const description = await descriptionOf(at.house)
  t.ok(description.operations.length > 90, 'an empty scan is no pass')
  t.same(gaps(description, at.house.specs), [])
})

t.test('routes: nothing answers that is neither described nor named here', async t => {
  const at = await openTestHouse(t)
  const { operations } = await descriptionOf(at.house)
  const described = new Set(operations.map(({ method, path }) => `${method} ${path.replace(/\{\w+\}/g, '{}')}`))
  const tree = at.house.app.printRoutes({ commonPrefix: false })
  t.ok(tree.length > 1000)
  const all = routesIn(tree)
  // Fastify prints these without what stands before them: the console's addresses and its files.
  t.equal(all.filter(route => route.endsWith('*')).length, consolePaths.length + 1)
  const answering = all.filter(route => !route.endsWith('*'))
  t.ok(answering.length > 90, 'an empty scan is no pass')
  t.same(
    answering.filter(route => !described.has(route) && !pages.includes(route)),
    []
  )
  t.same(
    [...described, ...pages].filter(route => !answering.includes(route)),
    [],
    'and nothing is described that does not answer'
  )
})

/** `METHOD /path/{}` of every line of Fastify's tree. */
function routesIn(tree: string): string[] {
  const prefixes: string[] = []
  return tree.split('\n').flatMap(line => {
    const match = /^([\s│├└─]*)(\S.*?)(?: \(([A-Z, ]+)\))?$/.exec(line)
    if (!match) return []
    const depth = (match[1] ?? '').length / 4
    const path = `${depth > 0 ? (prefixes[depth - 1] ?? '') : ''}${match[2]}`
    prefixes[depth] = path
    return (match[3] ?? '')
      .split(', ')
      .filter(method => method !== '' && method !== 'HEAD' && method !== 'OPTIONS')
      .map(method => `${method} ${path.replace(/:[^/]+/g, '{}')}`)
  })
}

interface Made {
  readonly id: string
}
interface List {
  readonly items: readonly Made[]
}

t.test('routes: an id of another customer is not found, on every route that takes one', async t => {
  const floor = await openFloor(t)
  const { house } = floor
  const mine = await house.admin()
  const api = async <T>(method: string, path: string, body?: unknown, status = [200, 201, 202, 204]): Promise<T> => {
    const answer = await house.call<T>(method, path, { token: mine, ...(body === undefined ? {} : { body }) })
    if (!status.includes(answer.status)) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  // One of everything that has an id.
  const employee = await floor.employee()
  await floor.receive('location', [{ code: 'H1', warehouse: 'HALL' }])
  await floor.receive('article', [{ number: 'P-1', description: 'Frame', unit: 'pcs' }])
  await floor.receive('workOrder', [order('W-1')])
  const lines = [{ line: '1', article: 'P-1', quantity: { value: '5', unit: 'pcs' }, location: 'H1' }]
  await floor.receive('pickList', [{ number: 'PL-1', workOrder: 'W-1', lines }])
  const jobId = await floor.job('W-1', '10')
  await api('POST', `/api/v1/jobs/${jobId}/start`, { employeeIds: [employee] })
  floor.clock.advance(60)
  await api('POST', `/api/v1/jobs/${jobId}/pause`, { employeeIds: [employee] })
  await api('POST', `/api/v1/jobs/${jobId}/report`, { good: '1' })
  await floor.receive('workOrder', [order('W-1', { quantity: { value: '150', unit: 'pcs' } })])
  const connection = (await api<Made>('POST', '/api/v1/connections', { name: 'REST', adapter: 'werkvloer.neutral-rest', config: {} })).id
  const erp = (await api<{ token: string }>('POST', `/api/v1/connections/${connection}/access/tokens`, { label: 'test' })).token
  await api('POST', `/api/v1/connections/${connection}/activate`, {})
  const sent = await house.call('POST', `/erp/v1/${connection}/articles`, { token: erp, body: { records: [{ number: 'A', unit: 1 }] } })
  t.equal(sent.status, 202, JSON.stringify(sent.body))
  await house.house.exchange.importDue(await house.ctx(), new AbortController().signal)
  await api('POST', '/api/v1/roles', { name: 'own', permissions: ['jobs.read'] })
  const keyOf = { name: 'x', permissions: ['jobs.read'], groupIds: [], addresses: [], days: 30 }
  await api('POST', '/api/v1/api-keys', keyOf)

  const first = async (statement: string): Promise<string> => {
    const [row] = await floor.rows<{ id: string }>(statement)
    if (!row) throw new Error(`nothing there: ${statement}`)
    return row.id
  }
  const theirs: Readonly<Record<string, string>> = {
    jobId,
    orderId: await first('select id from workorders.work_order'),
    changeId: await first(`select id from workorders.order_change where state = 'held'`),
    reportId: await first('select id from workorders.report'),
    listId: await first('select id from inventory.pick_list'),
    lineId: await first('select id from inventory.pick_line'),
    connection,
    kind: 'article',
    'connections/id': connection,
    'access/id': await first('select id from exchange.access'),
    'deliveries/id': await first('select id from exchange.delivery'),
    'rejects/id': await first('select id from exchange.reject'),
    'outbox/number': await first('select seq as id from exchange.outbox'),
    'bookings/id': await first('select id from timekeeping.booking'),
    'users/id': (await api<List>('GET', '/api/v1/users')).items[0]?.id ?? '',
    'groups/id': (await api<List>('GET', '/api/v1/groups')).items[0]?.id ?? '',
    'roles/id': await first('select id from authz.role where not built_in'),
    'api-keys/id': await first('select id from authz.api_key'),
    'list/id': await first('select id from authz.session')
  }
  /** Codes that a customer gives, which are no ids: the same code may stand at another customer. */
  const codes = ['putDepartment', 'setScrapReason', 'setArticleBackflush']
  const { operations, schemas } = await descriptionOf(house.house)
  const withIds = operations.filter(({ path, operationId }) => path.includes('{') && !codes.includes(operationId ?? ''))
  const at = (path: string): string =>
    path.replace(/([\w-]+)\/\{(\w+)\}/g, (_all, before: string, name: string) => {
      const id = theirs[`${before}/${name}`] ?? theirs[name]
      if (id === undefined || id === '') throw new Error(`${path}: this test knows no ${before}/${name}; make one above`)
      return `${before}/${id}`
    })
  const bodies: Readonly<Record<string, unknown>> = {
    dryRun: { name: 'articles', text: '{}' },
    consumeMaterial: { items: [{ article: 'P-1', quantity: '1' }] },
    returnMaterial: { items: [{ article: 'P-1', quantity: '1' }] },
    addSftpKey: { username: 'some-erp', publicKey: `ssh-ed25519 ${ed25519}`, label: 'x' }
  }
  const body = (operation: Operation): unknown => bodies[operation.operationId ?? ''] ?? bodyFor(operation, schemas)
  const ask = (operation: Operation, token: string) => {
    const sends = body(operation)
    return house.call<{ code?: string }>(operation.method, at(operation.path) + queryFor(operation, schemas), {
      token,
      ...(sends === undefined ? {} : { body: sends })
    })
  }
  const api1 = withIds.filter(({ path }) => path.startsWith('/api/v1/'))
  t.ok(api1.length > 45, 'an empty scan is no pass')

  await t.test('routes: the ids are real, who owns them reads them', async t => {
    for (const operation of api1.filter(({ method }) => method === 'GET')) {
      t.equal((await ask(operation, mine)).status, 200, `GET ${operation.path}`)
    }
  })

  await t.test('routes: another customer finds none of them', async t => {
    const other = await house.newTenant()
    const foreign = await house.admin(other)
    for (const operation of api1) {
      const answer = await ask(operation, foreign)
      if (operation.operationId === 'endMySession') {
        t.equal(answer.status, 204, 'to end what is not there is done at once')
        t.equal((await house.call('GET', '/api/v1/session', { token: mine })).status, 200, 'and ends nobody else')
        continue
      }
      t.equal(answer.status, 404, `${operation.method} ${operation.path}: ${answer.status} ${answer.body.code}`)
      t.match(answer.headers.get('content-type'), /^application\/problem\+json/)
      t.ok(
        operation.refusals.includes(answer.body.code ?? ''),
        `${operation.method} ${operation.path} says that it answers ${answer.body.code}`
      )
    }
  })

  await t.test("routes: an ERP's token opens its own connection only", async t => {
    const other = await house.newTenant()
    const foreign = await house.admin(other)
    const made = await house.call<Made>('POST', '/api/v1/connections', {
      token: foreign,
      body: { name: 'REST', adapter: 'werkvloer.neutral-rest', config: {} }
    })
    const second = await api<Made>('POST', '/api/v1/connections', { name: 'Two', adapter: 'werkvloer.neutral-rest', config: {} })
    for (const id of [made.body.id, second.id]) {
      for (const [method, path] of [
        ['POST', `/erp/v1/${id}/articles`],
        ['GET', `/erp/v1/${id}/outbox`],
        ['GET', `/erp/v1/${id}/deliveries/${theirs['deliveries/id']}`]
      ] as const) {
        const answer = await house.call(method, path, { token: erp, ...(method === 'POST' ? { body: { records: [] } } : {}) })
        t.equal(answer.status, 404, `${method} ${path}: ${answer.status}`)
      }
    }
    t.equal((await house.call('GET', '/api/v1/connections', { token: erp })).status, 403, 'and no route for people')
    t.equal((await house.call('GET', `/erp/v1/${connection}/outbox`, { token: mine })).status, 403, 'nor a person those of the ERP')
  })

  await t.test('routes: what is not there is not found, in the words of the others', async t => {
    for (const [method, path] of [
      ['GET', '/nothing'],
      ['GET', '/api/v1/nothing'],
      ['GET', '/api/v2/jobs'],
      ['DELETE', '/api/v1/jobs'],
      ['PUT', `/api/v1/jobs/${jobId}`],
      ['POST', '/health/live'],
      ['OPTIONS', '/api/v1/jobs'],
      ['GET', '/api/v1/openapi.json/'],
      ['GET', '/.env'],
      ['GET', '/..%2f..%2fpackage.json']
    ] as const) {
      for (const token of [undefined, mine]) {
        const answer = await house.call(method, path, token === undefined ? {} : { token })
        t.equal(answer.status, 404, `${method} ${path}`)
        t.match(answer.headers.get('content-type'), /^application\/problem\+json/)
      }
    }
    const head = await house.call('HEAD', '/api/v1/jobs', { token: mine })
    t.equal(head.status, 404, 'HEAD is no way around a permission')
  })
})

const ed25519 = Buffer.concat([
  Buffer.from([0, 0, 0, 11]),
  Buffer.from('ssh-ed25519'),
  Buffer.from([0, 0, 0, 32]),
  Buffer.alloc(32, 9)
]).toString('base64')
