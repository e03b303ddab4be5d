import t, { type Test } from 'tap'
import { serverUrl, urlFor, withConnection } from '../helpers/database.ts'
import { type Answer, openTestHouse } from '../helpers/house.ts'
import { wire } from '../helpers/wire.ts'

/** What only somebody on the inside knows: frames, files, statements, tables, products and their versions, a text of ours. */
const inside =
  /\bat .+:\d+|node_modules|\.[mc]?[jt]s\b|\/(?:tmp|root|home|usr|var)\/|\b(?:select|insert|update|delete|alter)\b.*\b(?:from|into|set|table|where)\b|pg_|postgres|sqlstate|relation|constraint|column|authz\.|schema "|kysely|fastify|ajv|node\.?js|TypeError|\bv?\d+\.\d+\.\d+\b|planted/i
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/
const fields = ['type', 'title', 'status', 'detail', 'instance', 'code', 'errors']

function isPlain(t: Test, what: string, answer: Answer, status: number, code: string): void {
  t.equal(answer.status, status, what)
  t.match(answer.headers.get('content-type'), /^application\/problem\+json/, what)
  t.match(answer.body, { type: `/problems/${code}`, status, code, instance: uuid }, what)
  t.same(
    Object.keys(answer.body).filter(name => !fields.includes(name)),
    [],
    `${what}: nothing but what a problem has`
  )
  t.equal(answer.body.instance, answer.headers.get('x-request-id'), `${what}: the number that the log has`)
  t.notMatch(JSON.stringify(answer.body), inside, what)
  for (const name of ['server', 'x-powered-by', 'via', 'x-runtime']) t.notOk(answer.headers.has(name), `${what}: no ${name}`)
}

t.test('E10', async t => {
  const at = await openTestHouse(t)
  const token = await at.admin()
  const row = await at.house.control.kysely
    .selectFrom('control.tenant')
    .select(['database', 'app_role'])
    .where('id', '=', at.tenant.id)
    .executeTakeFirstOrThrow()
  const inTenant = (statement: string) => withConnection(urlFor(serverUrl(), row.database), client => client.query(statement))
  const onServer = (statement: string) => withConnection(serverUrl(), client => client.query(statement))
  const logged = (id: unknown) =>
    at.logged
      .filter(line => line.includes(String(id)))
      .map(line => JSON.parse(line) as { level: string; msg: string; err?: { code?: string } })

  await t.test('E10: what nobody foresaw in the database is a number for the user and everything for the log', async t => {
    for (const [what, plant, undo, code] of [
      ['a table is gone', 'alter table authz.role rename to planted', 'alter table authz.planted rename to role', '42P01'],
      ['a column is gone', 'alter table authz.role rename name to planted', 'alter table authz.role rename planted to name', '42703'],
      ['a right is gone', `revoke select on authz.role from ${row.app_role}`, `grant select on authz.role to ${row.app_role}`, '42501']
    ] as const) {
      await inTenant(plant)
      const answer = await at.call('GET', '/api/v1/roles', { token })
      await inTenant(undo)
      isPlain(t, what, answer, 500, 'internal')
      t.match(
        logged(answer.body.instance).find(line => line.level === 'error'),
        { msg: 'request failed', err: { code } },
        `${what}: the log says what it was, under the same number`
      )
      t.equal((await at.call('GET', '/api/v1/roles', { token })).status, 200, 'and afterwards it goes on')
    }
    await inTenant(`alter table authz.role add constraint planted check (name <> 'planted')`)
    isPlain(
      t,
      'a rule that nobody has words for',
      await at.call('POST', '/api/v1/roles', { token, body: { name: 'planted', permissions: [] } }),
      500,
      'internal'
    )
    await inTenant('alter table authz.role drop constraint planted')
  })

  await t.test('E10: a database that does not answer is "not now", with the seconds to wait', async t => {
    const waits = (what: string, answer: Answer): void => {
      isPlain(t, what, answer, 503, 'unavailable')
      t.match(answer.headers.get('retry-after'), /^\d+$/, what)
    }
    await withConnection(urlFor(serverUrl(), row.database), async client => {
      await client.query('begin; lock table authz.role in access exclusive mode')
      waits('a lock that is not let go', await at.call('GET', '/api/v1/roles', { token }))
      await client.query('rollback')
    })
    await onServer(`alter database "${row.database}" with connection limit 0`)
    await onServer(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${row.database}'`)
    waits('no connection to be had', await at.call('GET', '/api/v1/roles', { token }))
    await onServer(`alter database "${row.database}" with connection limit -1`)
    t.equal((await at.call('GET', '/api/v1/roles', { token })).status, 200, 'and afterwards it goes on')
  })

  await t.test('E10: requests that are wrong in every way get a problem that says no more than what was sent', async t => {
    const json = { 'content-type': 'application/json' }
    const asked: readonly (readonly [string, string, string, Parameters<typeof at.call>[2], number, string])[] = [
      ['an unknown address', 'GET', '/api/v1/no-such', { token }, 404, 'not_found'],
      ['an unknown method', 'PATCH', '/api/v1/roles', { token, body: {} }, 404, 'not_found'],
      ['a file of ours', 'GET', '/package.json', {}, 404, 'not_found'],
      ['a path that goes up', 'GET', '/assets/..%2f..%2fmain.ts', {}, 404, 'not_found'],
      ['a wrong encoding', 'GET', '/api/v1/users/%E0%A4%A', { token }, 400, 'malformed_address'],
      ['a part that is too long', 'GET', `/api/v1/users/${'x'.repeat(3_000)}`, { token }, 400, 'malformed_address'],
      ['no JSON', 'POST', '/api/v1/roles', { token, raw: '{"name":', headers: json }, 400, 'malformed_body'],
      ['no body', 'POST', '/api/v1/roles', { token, headers: json }, 400, 'malformed_body'],
      ['a prototype', 'POST', '/api/v1/roles', { token, raw: '{"__proto__":{}}', headers: json }, 400, 'malformed_body'],
      ['a value that does not fit', 'POST', '/api/v1/roles', { token, body: { name: 5, permissions: 'all' } }, 400, 'invalid_request'],
      ['no sign-in', 'GET', '/api/v1/roles', {}, 401, 'unauthenticated'],
      ['a wrong token', 'GET', '/api/v1/roles', { token: 'a.b.c' }, 401, 'unauthenticated'],
      [
        'another type',
        'POST',
        '/api/v1/roles',
        { token, raw: 'name=x', headers: { 'content-type': 'text/plain' } },
        415,
        'unsupported_media_type'
      ]
    ]
    for (const [what, method, path, options, status, code] of asked) isPlain(t, what, await at.call(method, path, options), status, code)
  })

  await t.test('E10: a body of any size costs one refusal, however its length is told', async t => {
    const { host } = new URL(at.baseUrl)
    const head = `POST /api/v1/roles HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`
    const piece = `100000\r\n${' '.repeat(0x100000)}\r\n`
    const memory = process.memoryUsage().rss
    for (const [what, bytes] of [
      ['ten gigabytes that are announced', `${head}Content-Length: 10737418240\r\n\r\n{`],
      ['eight megabytes in pieces', `${head}Transfer-Encoding: chunked\r\n\r\n${piece.repeat(8)}0\r\n\r\n`]
    ] as const) {
      const heard = await wire(at.baseUrl, bytes, { forMs: 15_000 })
      t.same(heard.statuses, [413], what)
      t.match(heard.text, /"code":"body_too_large"/, what)
      t.notMatch(heard.text.split('\r\n\r\n')[1] ?? '', inside, what)
      t.ok(heard.closed, `${what}: what is left is not read`)
    }
    t.ok(process.memoryUsage().rss - memory < 200_000_000, 'and nobody keeps it')
    t.equal((await at.call('GET', '/health/ready')).status, 200)
  })
})
