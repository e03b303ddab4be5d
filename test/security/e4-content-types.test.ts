import { gzipSync } from 'node:zlib'
import t from 'tap'
import { bodyFor, descriptionOf } from '../helpers/api.ts'
import { openTestHouse } from '../helpers/house.ts'
import { wire } from '../helpers/wire.ts'

const someId = '0190ffff-ffff-7fff-8fff-ffffffffffff'

/** No JSON by name: never read, whatever the bytes are. */
const refused: readonly string[] = [
  'text/plain',
  'text/plain; charset=utf-8',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'multipart/form-data',
  'application/jsonp',
  'application/json5',
  'application/ld+json',
  'application/problem+json',
  'application/merge-patch+json',
  'text/json',
  'text/html;application/json',
  'text/plain, application/json',
  'application/json, text/plain',
  'application/\tjson',
  'application/json\ttext/plain',
  'application /json',
  'application/json/x',
  'json',
  '*/*',
  ';application/json',
  'application/json; charset=utf-7',
  'application/json; charset=utf-16',
  'application/json; charset=utf-16le',
  'application/json; charset="iso-8859-1"',
  'application/json;charset=ebcdic-cp-us',
  'application/json; x=y; charset=utf-7'
]

/** JSON by another way of writing its name: taken, and held against the schema like any other. */
const taken: readonly string[] = [
  'application/json;',
  'application/json ;',
  'Application/JSON',
  'APPLICATION/JSON; CHARSET=UTF-8',
  'application/json; charset=utf-8',
  'application/json; charset="utf-8"',
  'application/json;charset=utf8',
  'application/json; boundary=x'
]

t.test('E4', async t => {
  const at = await openTestHouse(t)
  const token = await at.admin()
  const { operations, schemas } = await descriptionOf(at.house)
  const writing = operations.filter(({ body, path }) => body?.['application/json'] && !path.startsWith('/erp/'))
  t.ok(writing.length > 45, 'an empty scan is no pass')
  const send = (method: string, path: string, raw: string | Uint8Array, headers: Record<string, string>) =>
    at.call<{ code?: string }>(method, path.replace(/\{number\}/g, '1').replace(/\{[^}]+\}/g, someId), { token, raw, headers })

  await t.test('E4: a body that is no JSON by its name is refused by every route, even when the bytes would do', async t => {
    for (const operation of writing) {
      const body = JSON.stringify(bodyFor(operation, schemas))
      // Each route with some of them, each of them with many routes.
      const offset = writing.indexOf(operation)
      for (const type of refused.filter((_, n) => (n + offset) % 4 === 0)) {
        const answer = await send(operation.method, operation.path, body, { 'content-type': type })
        t.match(answer, { status: 415, body: { code: 'unsupported_media_type' } }, `${operation.operationId}: ${JSON.stringify(type)}`)
      }
    }
  })

  await t.test('E4: however the name of JSON is written, the schema is applied', async t => {
    for (const operation of writing) {
      const offset = writing.indexOf(operation)
      for (const type of taken.filter((_, n) => (n + offset) % 3 === 0)) {
        const answer = await send(operation.method, operation.path, '{"no_such_field":1}', { 'content-type': type })
        t.match(answer, { status: 400, body: { code: 'invalid_request' } }, `${operation.operationId}: ${JSON.stringify(type)}`)
      }
    }
    for (const [n, type] of taken.entries()) {
      const answer = await send('POST', '/api/v1/activity-codes', `{"code":"C${n}","name":"Clean"}`, { 'content-type': type })
      t.equal(answer.status, 201, type)
    }
  })

  await t.test('E4: without a name, with two names, or packed, nothing gets past the schema', async t => {
    const right = '{"code":"X1","name":"Clean"}'
    const { hostname, port } = new URL(at.baseUrl)
    const lines = (...headers: string[]): string =>
      `POST /api/v1/activity-codes HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n${headers.map(one => `${one}\r\n`).join('')}Content-Length: ${right.length}\r\n\r\n${right}`
    for (const [what, bytes, statuses] of [
      ['no name', lines(), [415]],
      ['an empty name', lines('Content-Type:'), [415]],
      ['two names, JSON last', lines('Content-Type: text/plain', 'Content-Type: application/json'), [415]],
      ['a name over two lines', lines('Content-Type: text/plain;\r\n application/json'), [400, 415]]
    ] as const) {
      const heard = await wire(at.baseUrl, bytes, { forMs: 10_000 })
      t.ok(
        heard.statuses.length === 1 && (statuses as readonly number[]).includes(heard.statuses[0] ?? 0),
        `${what}: ${heard.statuses.join(', ')}`
      )
    }
    const packed = await send('POST', '/api/v1/activity-codes', gzipSync(right), {
      'content-type': 'application/json',
      'content-encoding': 'gzip'
    })
    t.match(packed, { status: 400, body: { code: 'malformed_body' } }, 'nothing is unpacked')
    const { items } = (await at.call<{ items: { code: string }[] }>('GET', '/api/v1/activity-codes', { token })).body
    t.notOk(
      items.some(({ code }) => code === 'X1'),
      'and nothing was stored'
    )
  })

  await t.test('E4: what an ERP delivers is named as one of the types that are taken, or refused', async t => {
    const connection = (
      await at.call<{ id: string }>('POST', '/api/v1/connections', {
        token,
        body: { name: 'ERP', adapter: 'werkvloer.neutral-rest', config: {} }
      })
    ).body.id
    const erp = (
      await at.call<{ token: string }>('POST', `/api/v1/connections/${connection}/access/tokens`, { token, body: { label: 'ERP' } })
    ).body.token
    for (const type of [
      'text/plain',
      'multipart/form-data; boundary=x',
      'text/html',
      'application/octet-stream',
      'application/\tjson',
      'x'
    ]) {
      const answer = await at.call('POST', `/erp/v1/${connection}/articles`, {
        token: erp,
        raw: '{"records":[]}',
        headers: { 'content-type': type }
      })
      t.equal(answer.status, 415, type)
    }
  })
})
