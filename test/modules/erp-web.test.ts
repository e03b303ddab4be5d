import { mkdtempSync, rmSync } from 'node:fs'
import { request as rawRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import t from 'tap'
import { systemClock } from '../../core/clock.ts'
import type { Ctx } from '../../core/context.ts'
import { directoryOf, signingKeysOf } from '../../core/db/control.ts'
import { withTx } from '../../core/db/tx.ts'
import { accessDesk, identifyErpToken } from '../../core/exchange/access.ts'
import { accessRoutes } from '../../core/exchange/access-routes.ts'
import type { ArrivalOptions } from '../../core/exchange/arrivals.ts'
import { deliveryRoutes } from '../../core/exchange/delivery-routes.ts'
import { exchangeErrors } from '../../core/exchange/errors.ts'
import { erpRoutes } from '../../core/exchange/web.ts'
import { coreSpecs } from '../../core/http/problem.ts'
import { createServer } from '../../core/http/server.ts'
import { registerSession } from '../../core/http/session.ts'
import { newId } from '../../core/ids.ts'
import { silentLog } from '../../core/log.ts'
import { localBlobs } from '../../core/storage/blobs.ts'
import { free } from '../helpers/sftp.ts'
import { ground } from '../helpers/tenant.ts'

const permissions = ['erp.deliver', 'erp.collect', 'exchange.read', 'exchange.read_raw', 'exchange.configure']

t.test('web service for ERPs', async t => {
  const at = await ground(t)
  const ctx = await at.tenant('web-one')
  const other = await at.tenant('web-two')
  const directory = directoryOf(at.control)
  const blobDir = mkdtempSync(join(tmpdir(), 'wv-web-'))
  const adapters = new Map([
    ['neutral', { manifest: { imports: { workOrder: { routes: ['orders'] } }, acks: { routes: ['acks'] } } } as never]
  ])
  const arrivals: ArrivalOptions = {
    blobs: localBlobs(blobDir),
    adapters,
    stabilitySeconds: 10,
    maxFileBytes: 300_000,
    maxWaitingFiles: 200,
    maxWaitingBytes: 10_000_000
  }
  const app = await createServer({
    log: silentLog,
    specs: { ...coreSpecs, ...exchangeErrors },
    permissions: new Set(permissions),
    bodyLimit: 100_000,
    trustProxy: [],
    version: 'test',
    publicUrl: 'http://localhost'
  })
  let granted: readonly string[] = permissions.slice(2)
  const userId = newId()
  // Stands where the module that knows people would: it lets the one user of this test in.
  const identified = () => ({
    principal: { kind: 'user' as const, id: userId },
    grant: { permissions: new Set(granted), scope: ctx.grant.scope }
  })
  const tokens = await registerSession(app, {
    keys: await signingKeysOf(at.control),
    clock: systemClock,
    tenants: at.tenants,
    directory,
    identity: () => ({ ofSession: async () => identified(), ofApiKey: async () => undefined }),
    erpToken: (token, now) => identifyErpToken({ tenants: at.tenants, directory, clock: systemClock, log: silentLog }, token, now)
  })
  const desk = accessDesk({ directory, log: silentLog })
  erpRoutes(arrivals)(app)
  deliveryRoutes({ blobs: arrivals.blobs })(app)
  accessRoutes(desk, async () => ({ host: 'localhost', port: 2222, hostKey: null }))(app)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(async () => {
    await app.close()
    rmSync(blobDir, { recursive: true, force: true })
  })
  const connectionOf = async (of: Ctx): Promise<string> => {
    const id = newId()
    await sql`insert into exchange.connection (id, name, adapter, adapter_version, config, config_version, time_zone, locale, state)
      values (${id}, ${id}, 'neutral', '1.0.0', '{}', 1, 'Europe/Amsterdam', 'nl-NL', 'active')`.execute(free(of))
    return id
  }
  const connection = await connectionOf(ctx)
  const { token, id: tokenId } = await withTx(ctx, tx => desk.addToken(tx, { connectionId: connection, label: 'erp' }))
  const person = tokens.issue({ tenantId: ctx.tenant.id, userId, sessionId: newId() }).token

  interface Answer {
    readonly status: number
    readonly headers: Headers
    // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes, looked into by the assertions
    readonly body: any
  }
  async function call(
    method: string,
    path: string,
    given: { token?: string; body?: string | Buffer; type?: string; headers?: Record<string, string> } = {}
  ): Promise<Answer> {
    const answer = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${given.token ?? token}`,
        ...(given.body === undefined ? {} : { 'content-type': given.type ?? 'application/json' }),
        ...given.headers
      },
      ...(given.body === undefined ? {} : { body: given.body as string })
    })
    const text = await answer.text()
    return {
      status: answer.status,
      headers: answer.headers,
      body: (answer.headers.get('content-type') ?? '').includes('json') ? JSON.parse(text) : text
    }
  }
  const post = (body: string | Buffer, more: Parameters<typeof call>[2] = {}, route = 'orders') =>
    call('POST', `/erp/v1/${connection}/${route}`, { body, ...more })
  const rows = async () => (await sql<Record<string, unknown>>`select * from exchange.delivery order by seq`.execute(free(ctx))).rows

  await t.test('deliver: a body is stored as it came and answered with 202 and where to ask', async t => {
    const answer = await post('{"orders":[]}')
    t.equal(answer.status, 202)
    t.match(answer.body, { delivery: String, duplicate: false, result: null })
    t.equal(answer.body.href, `/erp/v1/${connection}/deliveries/${answer.body.delivery}`)
    t.match(await rows(), [{ state: 'stored', way: 'http', name: 'orders', size: '13' }])
    const seen = await call('GET', answer.body.href)
    t.equal(seen.status, 200)
    t.match(seen.body, { delivery: { id: answer.body.delivery, state: 'stored', counts: { read: 0 } }, rejects: [], moreRejects: false })
  })

  await t.test('deliver: what the body holds cannot make the call fail', async t => {
    const deep = '['.repeat(100_000)
    for (const [body, type] of [
      ['{"broken"', 'application/json'],
      [deep, 'application/json'],
      ['', 'application/json'],
      ['{"__proto__":{"x":1}}', 'application/json; charset=utf-8'],
      [Buffer.from([0, 255, 254, 0]), 'text/csv'],
      ['<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>', 'application/xml'],
      ['\u0000', 'text/csv; charset=windows-1252']
    ] as const) {
      const answer = await post(body as string, { type })
      t.equal(answer.status, 202, `${type} ${answer.body?.detail ?? ''}`)
    }
  })

  await t.test('deliver: the same body again is the earlier delivery, unless something else came between', async t => {
    const first = await post('{"same":1}')
    const again = await post('{"same":1}')
    t.equal(again.status, 200)
    t.match(again.body, { delivery: first.body.delivery, duplicate: true })
    await post('{"same":2}')
    const third = await post('{"same":1}')
    t.equal(third.status, 202)
    t.not(third.body.delivery, first.body.delivery)
  })

  await t.test('deliver: an Idempotency-Key repeats the answer and refuses another body', async t => {
    const headers = { 'idempotency-key': 'order-batch-0001' }
    const count = (await rows()).length
    const first = await post('{"k":1}', { headers })
    const again = await post('{"k":1}', { headers })
    t.strictSame([first.status, again.status], [202, 202])
    t.equal(again.headers.get('idempotency-replayed'), 'true')
    t.equal(again.body.delivery, first.body.delivery)
    const otherBody = await post('{"k":2}', { headers })
    t.match([otherBody.status, otherBody.body.code], [409, 'idempotency_key_reused'])
    t.equal((await rows()).length, count + 1)
    const blobs = (await rows()).map(row => row.blob_id)
    t.equal(new Set(blobs).size, blobs.length)
  })

  await t.test('deliver: the same body under a new Idempotency-Key is meant as a delivery of its own', async t => {
    const body = '{"orders":["as before"]}'
    const first = await post(body, { headers: { 'idempotency-key': 'order-batch-0002' } })
    const second = await post(body, { headers: { 'idempotency-key': 'order-batch-0003' } })
    t.strictSame([first.status, second.status], [202, 202])
    t.match(second.body, { duplicate: false })
    t.not(second.body.delivery, first.body.delivery)
  })

  await t.test('deliver: with Prefer: wait the result comes with the answer', async t => {
    const done = (async () => {
      for (let i = 0; i < 200; i++) {
        const made = (await rows()).find(row => row.name === 'acks' && row.state === 'stored')
        if (made) {
          await sql`insert into exchange.reject (id, connection_id, direction, delivery_id, item, kind, record_key, pointer, code, message, cause)
            values (gen_random_uuid(), ${connection}, 'in', ${made.id}, 2, 'workOrder', 'A-1', '/orders/1', 'field.missing', 'Department is missing', '\\x00')`.execute(
            free(ctx)
          )
          await sql`update exchange.delivery set state = 'done_with_rejects', read_count = 2, new_count = 1, rejected_count = 1, finished_at = now() where id = ${made.id}`.execute(
            free(ctx)
          )
          return
        }
        await new Promise(resolve => setTimeout(resolve, 10))
      }
    })()
    const answer = await post('{"acks":[]}', { headers: { prefer: 'respond-async, wait=10' } }, 'acks')
    await done
    t.equal(answer.status, 200)
    t.equal(answer.headers.get('preference-applied'), 'wait=10')
    t.match(answer.body.result, {
      delivery: { state: 'done_with_rejects', counts: { read: 2, new: 1, rejected: 1 } },
      rejects: [{ code: 'field.missing', key: 'A-1', pointer: '/orders/1', state: 'open' }]
    })
    const late = await post('{"acks":[1]}', { headers: { prefer: 'wait=0' } }, 'acks')
    t.match([late.status, late.body.result], [202, null])
  })

  await t.test('deliver: sizes, types, routes and connections that do not fit are refused', async t => {
    t.match(await post('x'.repeat(300_001)), { status: 413, body: { code: 'delivery_too_large' } })
    t.match(await post('x', { type: 'application/x-msdownload' }), { status: 415 })
    t.match(await call('POST', `/erp/v1/${connection}/orders`), { status: 415 })
    t.match(await post('{}', {}, 'nothing'), { status: 404, body: { code: 'erp_route_unknown' } })
    t.match(await post('{}', {}, '..%2forders'), { status: 400 })
    t.match(await call('POST', `/erp/v1/${newId()}/orders`, { body: '{}' }), { status: 404, body: { code: 'connection_unknown' } })
    t.match(await call('GET', `/erp/v1/${connection}/deliveries/${newId()}`), { status: 404 })
  })

  await t.test('deliver: a body without a declared length is cut at the limit, and an aborted one leaves nothing', async t => {
    const before = (await rows()).length
    const send = (chunks: number, abort: boolean): Promise<number> =>
      new Promise(resolve => {
        const request = rawRequest(`${url}/erp/v1/${connection}/orders`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': 'text/csv',
            ...(abort ? { 'content-length': '200000' } : { 'transfer-encoding': 'chunked' })
          }
        })
        request.on('response', answer => {
          answer.resume()
          resolve(answer.statusCode ?? 0)
        })
        request.on('error', () => resolve(-1))
        for (let i = 0; i < chunks; i++) request.write('y'.repeat(50_000))
        if (abort) setTimeout(() => request.destroy(), 100)
        else request.end()
      })
    t.equal(await send(8, false), 413)
    t.equal(await send(1, true), -1)
    t.equal((await rows()).length, before)
  })

  await t.test('F1: the token of one customer opens nothing of another', async t => {
    const theirs = await connectionOf(other)
    const foreign = await withTx(other, tx => desk.addToken(tx, { connectionId: theirs, label: 'x' }))
    t.match(await call('POST', `/erp/v1/${connection}/orders`, { token: foreign.token, body: '{}' }), { status: 404 })
    const mine = (await rows())[0]
    t.match(await call('GET', `/erp/v1/${theirs}/deliveries/${mine?.id}`, { token: foreign.token }), { status: 404 })
    t.match(await call('GET', `/erp/v1/${connection}/outbox`, { token: foreign.token }), { status: 404 })
    const sibling = await connectionOf(ctx)
    const second = await withTx(ctx, tx => desk.addToken(tx, { connectionId: sibling, label: 'x' }))
    t.match(
      await call('GET', `/erp/v1/${sibling}/deliveries/${mine?.id}`, { token: second.token }),
      { status: 404 },
      'nor of another connection'
    )
  })

  await t.test('F1: a token that is wrong, altered or for something else is refused', async t => {
    const altered = `${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`
    for (const bad of [altered, token.replace('wv_erp_', 'wv_api_'), token.slice(0, 40), 'x', ''])
      t.equal((await call('GET', `/erp/v1/${connection}/outbox`, { token: bad })).status, 401)
    t.equal((await call('GET', `/erp/v1/${connection}/outbox`, { token: person })).status, 403)
    t.equal((await call('GET', '/api/v1/deliveries')).status, 403, 'and an ERP token is nobody at the desk')
  })

  await t.test('outbox: documents come in the order of writing, behind the mark, and are noted as fetched', async t => {
    const write = async (name: string, body: Buffer) =>
      sql`insert into exchange.outbox_file (connection_id, name, body_sealed, size, sha256) values (${connection}, ${name},
        ${ctx.tenant.keys.seal(body, { table: 'exchange.outbox_file', column: 'body_sealed', row: `${connection}/${name}` })}, ${body.length}, 'x')`.execute(
        free(ctx)
      )
    await write('b.json', Buffer.from('{"n":1.50}'))
    await write('a.csv', Buffer.from('x;y\n'))
    await write('c.bin', Buffer.from([255, 0]))
    await write('d.json', Buffer.from('{broken'))
    const page = await call('GET', `/erp/v1/${connection}/outbox?limit=3`)
    t.match(page.body.items, [
      { name: 'b.json', form: 'json', body: { n: 1.5 } },
      { name: 'a.csv', form: 'text', body: 'x;y\n' },
      { name: 'c.bin', form: 'base64', body: '/wA=' }
    ])
    const rest = await call('GET', `/erp/v1/${connection}/outbox?after=${page.body.next}`)
    t.match(rest.body.items, [{ name: 'd.json', form: 'text' }])
    const none = await call('GET', `/erp/v1/${connection}/outbox?after=${rest.body.next}`)
    t.strictSame(none.body, { items: [], next: rest.body.next })
    const fetched = await sql<{ n: string }>`select count(*) as n from exchange.outbox_file where fetched_at is not null`.execute(free(ctx))
    t.equal(fetched.rows[0]?.n, '4')
    t.equal((await call('GET', `/erp/v1/${connection}/outbox?after=x`)).status, 400)
  })

  await t.test('deliveries: people see them page by page, with their records that failed', async t => {
    const all = (await rows()).length
    const seen: string[] = []
    let after = ''
    do {
      const page = await call('GET', `/api/v1/deliveries?limit=5${after}`, { token: person })
      t.equal(page.status, 200)
      seen.push(...page.body.items.map((item: { number: string }) => item.number))
      after = page.body.next === null ? '' : `&after=${page.body.next}`
    } while (after !== '')
    t.equal(seen.length, all)
    t.strictSame(
      seen,
      [...seen].sort((a, b) => Number(b) - Number(a)),
      'newest first, none twice'
    )
    t.match((await call('GET', '/api/v1/deliveries?name=ACK', { token: person })).body.items, [{ name: 'acks' }, { name: 'acks' }])
    t.match((await call('GET', '/api/v1/deliveries?state=done_with_rejects', { token: person })).body.items, [{ counts: { rejected: 1 } }])
    t.equal((await call('GET', '/api/v1/deliveries?state=nonsense', { token: person })).status, 400)
    t.equal(
      (await call('GET', `/api/v1/deliveries?after=${Buffer.from('["1;drop"]').toString('base64url')}`, { token: person })).status,
      400
    )
  })

  await t.test('deliveries: the raw bytes need a right of their own, are journalled and come as a download', async t => {
    const first = (await rows())[0]
    granted = ['exchange.read']
    t.equal((await call('GET', `/api/v1/deliveries/${first?.id}/raw`, { token: person })).status, 403)
    granted = permissions.slice(2)
    const raw = await call('GET', `/api/v1/deliveries/${first?.id}/raw`, { token: person })
    t.strictSame([raw.status, raw.body], [200, '{"orders":[]}'])
    t.equal(raw.headers.get('content-disposition'), `attachment; filename="${first?.seq}-orders"; filename*=UTF-8''${first?.seq}-orders`)
    t.equal(raw.headers.get('content-type'), 'application/octet-stream')
    const noted = await sql`select 1 from journal.entry where act = 'delivery.read_raw' and actor_id = ${userId}`.execute(free(ctx))
    t.equal(noted.rows.length, 1)
    await arrivals.blobs.remove(ctx.tenant.id, String(first?.blob_id))
    t.match(await call('GET', `/api/v1/deliveries/${first?.id}/raw`, { token: person }), {
      status: 410,
      body: { code: 'delivery_raw_gone' }
    })
  })

  await t.test('access: secrets are shown once, lists show none, and a revoked token ends at once', async t => {
    const base = `/api/v1/connections/${connection}/access`
    const headers = { 'idempotency-key': 'make-one-token' }
    const made = await call('POST', `${base}/tokens`, { token: person, body: '{"label":"second"}', headers })
    t.equal(made.status, 201)
    t.match(made.body, { token: /^wv_erp_/, access: { kind: 'token', username: null } })
    const again = await call('POST', `${base}/tokens`, { token: person, body: '{"label":"second"}', headers })
    t.match(again.body, { token: null, access: { id: made.body.access.id } })
    const password = await call('POST', `${base}/sftp-passwords`, { token: person, body: '{"username":"web-erp","label":"p"}' })
    t.equal(password.status, 201)
    const bad = await call('POST', `${base}/sftp-keys`, {
      token: person,
      body: '{"username":"web-erp","label":"p","publicKey":"ssh-dss AAAA"}'
    })
    t.match([bad.status, bad.body.code], [400, 'public_key_invalid'])
    const list = await call('GET', base, { token: person })
    t.equal(list.body.items.length, 3)
    const text = JSON.stringify(list.body)
    t.notOk(text.includes(made.body.token.slice(30)) || text.includes(password.body.password) || text.includes('argon2'))
    t.equal((await call('GET', `/erp/v1/${connection}/outbox`, { token: made.body.token })).status, 200)
    const revoked = await call('POST', `${base}/${made.body.access.id}/revoke`, { token: person })
    t.match([revoked.status, revoked.body.revokedAt], [200, String])
    t.equal((await call('GET', `/erp/v1/${connection}/outbox`, { token: made.body.token })).status, 401)
    t.equal((await call('GET', `/erp/v1/${connection}/outbox`)).status, 200, 'the other one lives')
    t.match(await call('GET', `/api/v1/connections/${newId()}/access`, { token: person }), { status: 404 })
    const acts = await sql<{ act: string }>`select act from journal.entry where subject = 'exchange.access' order by at`.execute(free(ctx))
    t.match(
      acts.rows.map(row => row.act),
      ['access.add', 'access.add', 'access.add', 'access.add', 'access.revoke']
    )
    const used = await sql<{
      n: string
    }>`select count(*) as n from exchange.access where id = ${tokenId} and last_used_at is not null`.execute(free(ctx))
    t.equal(used.rows[0]?.n, '1')
  })
})
