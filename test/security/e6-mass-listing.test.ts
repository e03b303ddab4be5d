import t from 'tap'
import { describeApi } from '../../core/http/openapi.ts'
import { openFloor } from '../helpers/floor.ts'
import { order } from '../helpers/orders.ts'

interface Node {
  readonly [key: string]: unknown
}
interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly schema: Node
}
interface Operation {
  readonly operationId: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Node }>> }
}

/** Every schema in it that lets somebody send as much as he likes: an array without a longest, a text without one. */
function unbounded(schema: Node, named: Readonly<Record<string, Node>>, at: string, seen: ReadonlySet<unknown> = new Set()): string[] {
  const ref = typeof schema.$ref === 'string' ? named[schema.$ref.split('/').at(-1) ?? ''] : undefined
  const one = ref ?? schema
  if (seen.has(one)) return []
  const deeper = new Set([...seen, one])
  const below = (node: unknown, where: string): string[] => unbounded(node as Node, named, where, deeper)
  const found: string[] = []
  if (one.type === 'array') {
    if (typeof one.maxItems !== 'number') found.push(`${at}: an array of any length`)
    found.push(...below(one.items ?? {}, `${at}[]`))
  }
  if (one.type === 'string' && one.enum === undefined && one.const === undefined) {
    // uuid, date and date-time have a length of their own; a pattern must end somewhere.
    const ends = typeof one.maxLength === 'number' || one.format !== undefined || /^\^.*\$$/s.test(String(one.pattern ?? ''))
    if (!ends || /(?:[^\\](?:\*|\+|\{\d+,\}))\$?$/.test(String(one.maxLength === undefined ? (one.pattern ?? '') : '')))
      found.push(`${at}: a text of any length`)
  }
  for (const [name, child] of Object.entries((one.properties as Node | undefined) ?? {})) found.push(...below(child, `${at}/${name}`))
  for (const [index, child] of [...((one.anyOf as Node[] | undefined) ?? []), ...((one.oneOf as Node[] | undefined) ?? [])].entries())
    found.push(...below(child, `${at}|${index}`))
  return found
}

t.test('E6: a schema without bounds is noticed', async t => {
  const text = { type: 'string' }
  t.same(unbounded({ type: 'array', items: { type: 'string', format: 'uuid' } }, {}, 'x'), ['x: an array of any length'])
  t.same(unbounded({ type: 'object', properties: { a: text } }, {}, 'x'), ['x/a: a text of any length'])
  t.same(unbounded({ type: 'string', pattern: '^[a-z]+$' }, {}, 'x'), ['x: a text of any length'])
  t.same(unbounded({ type: 'string', pattern: '^\\d{1,18}$' }, {}, 'x'), [])
  t.same(unbounded({ $ref: '#/components/schemas/A' }, { A: { type: 'object', properties: { a: text } } }, 'x').length, 1)
})

t.test('E6: nobody lists more than a page, and the thousandth page costs no more than the first', async t => {
  const floor = await openFloor(t)
  const token = await floor.house.admin()
  const call: typeof floor.house.call = (method, path, options = {}) => floor.house.call(method, path, { token, ...options })
  const document = JSON.parse(await describeApi(floor.house.house.app)) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
    readonly components: { readonly schemas: Readonly<Record<string, Node>> }
  }
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, ...operation }))
  )

  await t.test('E6: every list, text and number of a request has a largest', async t => {
    const found = operations.flatMap(({ operationId, parameters = [], requestBody }) => [
      ...parameters.flatMap(({ name, schema }) => unbounded(schema, document.components.schemas, `${operationId} ?${name}`)),
      ...Object.values(requestBody?.content ?? {}).flatMap(({ schema }) =>
        schema ? unbounded(schema, document.components.schemas, `${operationId} body`) : []
      )
    ])
    t.same(found, [])
    t.ok(operations.length > 80, 'an empty scan is not a pass')
  })

  const lists = operations.filter(
    ({ method, path, parameters = [] }) => method === 'GET' && !path.startsWith('/erp/') && parameters.some(({ name }) => name === 'limit')
  )
  const asked = (path: string, query: string, parameters: readonly Parameter[] = []): string => {
    const there = path.replaceAll(/\{\w+\}/g, '0190ffff-ffff-7fff-8fff-ffffffffffff')
    const needed = parameters.filter(p => p.in === 'query' && p.required && p.name !== 'limit').map(p => `${p.name}=x`)
    return `${there}?${[query, ...needed].join('&')}`
  }

  await t.test('E6: a limit of a thousand million is refused by every list', async t => {
    t.ok(lists.length >= 8, 'an empty scan is not a pass')
    for (const { path, parameters } of lists)
      for (const limit of ['1000000000', '501', '0', '-1', '1e9', '18446744073709551617', 'NaN'])
        t.match(
          await call('GET', asked(path, `limit=${limit}`, parameters)),
          { status: 400, body: { code: 'invalid_request' } },
          `${path} ${limit}`
        )
  })

  await t.test('E6: ten thousand ids in a filter, or a page that nobody gave, are refused', async t => {
    const ids = Array.from({ length: 10_000 }, (_, i) => `id-${i}`).join(',')
    for (const { path, parameters = [] } of lists) {
      for (const { name, schema } of parameters.filter(({ in: place }) => place === 'query')) {
        if (schema.type !== 'string' && !schema.anyOf) continue
        const long = await call('GET', asked(path, `${name}=${ids.slice(0, 12_000)}`, parameters))
        t.equal(long.status, 400, `${path} ${name} long`)
      }
      const repeated = await call('GET', asked(path, `limit=1&${'limit=1&'.repeat(900)}`, parameters))
      t.equal(repeated.status, 400, `${path} repeated`)
      t.equal((await call('GET', asked(path, 'offset=1000000000', parameters))).status, 400, `${path} offset`)
      t.equal((await call('GET', asked(path, 'expand=operations.materials.operations', parameters))).status, 400, `${path} expand`)
    }
    const header = await floor.house
      .call('GET', `/api/v1/jobs?limit=1`, { token, headers: { 'x-ids': ids } })
      .catch(() => ({ status: 431 }))
    t.ok(header.status >= 400, 'a header of 80 kB')
  })

  await t.test('E6: a period from the first day of the calendar to the last is refused', async t => {
    const periods = operations.filter(({ method, parameters = [] }) => method === 'GET' && parameters.some(({ name }) => name === 'from'))
    t.ok(periods.length >= 1, 'an empty scan is not a pass')
    for (const { path } of periods) {
      t.equal((await call('GET', `${path}?from=0001-01-01&to=9999-12-31`)).status, 400, path)
      t.equal((await call('GET', `${path}?from=0001-01-01`)).status, 400, `${path}, open end`)
    }
  })

  await t.test('E6: thousands of orders are listed page by page, the last page as fast as the first', async t => {
    for (let from = 0; from < 4_000; from += 1_000)
      await floor.receive(
        'workOrder',
        Array.from({ length: 1_000 }, (_, i) => order(`E6-${String(from + i).padStart(5, '0')}`))
      )
    await floor.rows('analyze')
    const times: number[] = []
    const seen = new Set<string>()
    let after: string | null = ''
    while (after !== null) {
      const began = performance.now()
      const page: { status: number; body: { items: readonly { number: string }[]; next: string | null } } = await call(
        'GET',
        `/api/v1/work-orders?sort=number&limit=100${after && `&after=${encodeURIComponent(after)}`}`
      )
      times.push(performance.now() - began)
      t.equal(page.status, 200)
      for (const { number } of page.body.items) seen.add(number)
      after = page.body.next
    }
    t.equal(seen.size, 4_000, 'each once')
    const middle = (some: readonly number[]): number => [...some].sort((a, b) => a - b)[some.length >> 1] ?? 0
    const [first, last] = [middle(times.slice(1, 11)), middle(times.slice(-11, -1))]
    t.ok(last <= Math.max(first, 20) * 2.5, `${first.toFixed(1)} ms at the beginning, ${last.toFixed(1)} ms at the end`)
  })

  await t.test('E6: a statement of a customer ends after fifteen seconds, a wait for a lock after five', async t => {
    const ctx = floor.ctx()
    const { rows } = await ctx.db.pool.query(
      `select name, setting::int as ms from pg_settings where name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout') order by name`
    )
    t.same(rows, [
      { name: 'idle_in_transaction_session_timeout', ms: 30_000 },
      { name: 'lock_timeout', ms: 5_000 },
      { name: 'statement_timeout', ms: 15_000 }
    ])
    const client = await ctx.db.pool.connect()
    await client.query('set statement_timeout = 200')
    await t.rejects(client.query('select pg_sleep(20)'), { code: '57014' })
    client.release(true)
  })
})
