import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { basicAuth, secret } from '../../adapters/contract/index.ts'
import { httpClient } from '../../core/exchange/http-client.ts'
import { closeAgents } from '../../core/exchange/http-pool.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void
let numbered = 0

/** A far side on loopback, and a client that may call it. */
async function farSide(t: Tap, handler: Handler, given: { open?: boolean; mostBytes?: number; perMinute?: number } = {}) {
  const server = createServer(handler)
  let sockets = 0
  server.on('connection', () => sockets++)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const abort = new AbortController()
  t.teardown(async () => {
    abort.abort()
    await closeAgents()
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  const client = httpClient({
    connectionId: `test ${++numbered}`,
    hosts: new Set(['127.0.0.1']),
    allowPrivate: given.open === false ? [] : [`127.0.0.1:${port}`],
    limits: given.perMinute === undefined ? {} : { requestsPerMinute: given.perMinute },
    signal: abort.signal,
    ...(given.mostBytes === undefined ? {} : { mostBytes: given.mostBytes })
  })
  return { client, port, url: `http://127.0.0.1:${port}`, abort, sockets: () => sockets }
}
type Tap = { teardown(fn: () => Promise<void>): void }
const answer = (response: ServerResponse, status: number, body = '', headers: Record<string, string> = {}): void => {
  response.writeHead(status, headers)
  response.end(body)
}

t.test('http: an answer comes with its status, also 4xx and 5xx, and sockets are used again', async t => {
  const far = await farSide(t, (request, response) => answer(response, request.url === '/no' ? 503 : 200, '{"a":1}'))
  const yes = await far.client.request({ method: 'GET', url: `${far.url}/yes` })
  t.strictSame(await yes.json(), { a: 1 })
  t.equal((await far.client.request({ method: 'POST', url: `${far.url}/no`, json: { b: 2 } })).status, 503)
  for (let i = 0; i < 8; i++) await far.client.request({ method: 'GET', url: far.url })
  t.ok(far.sockets() <= 4, `${far.sockets()} sockets for ten requests`)
})

t.test('http: a secret in a body is revealed on the wire only, and HTTP Basic is made without showing its password', async t => {
  const seen: { body: string; authorization: string | undefined }[] = []
  const far = await farSide(t, (request, response) => {
    let body = ''
    request.on('data', part => {
      body += part
    })
    request.on('end', () => {
      seen.push({ body, authorization: request.headers.authorization })
      answer(response, 200)
    })
  })
  const password = secret('käse "7" & co')
  const json = { method: 'login', params: ['mes', { password }, null, [1, true]] }
  await far.client.request({ method: 'POST', url: far.url, headers: { authorization: basicAuth('mes', password) }, json })
  t.same(JSON.parse(seen[0]?.body ?? ''), { method: 'login', params: ['mes', { password: 'käse "7" & co' }, null, [1, true]] })
  t.equal(seen[0]?.authorization, `Basic ${Buffer.from('mes:käse "7" & co').toString('base64')}`)
  t.notMatch(JSON.stringify([json, basicAuth('mes', password)]), 'käse')
})

t.test('http: a secret header is revealed on the wire only', async t => {
  let seen: string | undefined
  const far = await farSide(t, (request, response) => {
    seen = request.headers.authorization
    answer(response, 200)
  })
  const token = secret('Bearer hidden')
  await far.client.request({ method: 'GET', url: far.url, headers: { Authorization: token } })
  t.equal(seen, 'Bearer hidden')
  await t.rejects(far.client.request({ method: 'GET', url: far.url, headers: { 'x-a': 'b\r\nx-evil: 1' } }), {
    name: 'AdapterError',
    cls: 'config'
  })
})

t.test('http: a private address that nobody opened is not called', async t => {
  let calls = 0
  const far = await farSide(t, (_request, response) => answer(response, 200, String(calls++)), { open: false })
  await t.rejects(far.client.request({ method: 'GET', url: `https://127.0.0.1:${far.port}/` }), {
    cls: 'config',
    message: /private network/
  })
  await t.rejects(far.client.request({ method: 'GET', url: far.url }), { cls: 'config', message: /https/ })
  await t.rejects(far.client.request({ method: 'GET', url: 'https://elsewhere.example/' }), { cls: 'config', message: /may not call/ })
  await t.rejects(far.client.request({ method: 'GET', url: 'https://user:pw@127.0.0.1/' }), { name: 'AdapterError', cls: 'config' })
  await t.rejects(far.client.request({ method: 'GET', url: 'file:///etc/passwd' }), { name: 'AdapterError', cls: 'config' })
  t.equal(calls, 0)
})

t.test('http: a redirect is an answer and is not followed', async t => {
  const paths: (string | undefined)[] = []
  const far = await farSide(t, (request, response) => {
    paths.push(request.url)
    answer(response, 302, '', { location: '/elsewhere' })
  })
  t.equal((await far.client.request({ method: 'GET', url: `${far.url}/here` })).status, 302)
  t.strictSame(paths, ['/here'])
})

t.test('http: a refused connection proves that nothing was sent', async t => {
  const server = createTcpServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  t.teardown(closeAgents)
  const client = httpClient({
    connectionId: 'refused',
    hosts: new Set(['127.0.0.1']),
    allowPrivate: [`127.0.0.1:${port}`],
    limits: {},
    signal: new AbortController().signal
  })
  const failed = client.request({ method: 'POST', url: `http://127.0.0.1:${port}/`, json: {} })
  await t.rejects(failed, { name: 'TransportError', effect: 'none' })
})

t.test('http: a certificate that nobody vouches for ends it before anything is sent', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'wv-tls-'))
  t.teardown(async () => rmSync(dir, { recursive: true, force: true }))
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      cert,
      ...subject
    ],
    {
      stdio: 'ignore'
    }
  )
  let calls = 0
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_request, response) =>
    response.end(String(calls++))
  )
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    await closeAgents()
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  const client = httpClient({
    connectionId: 'tls',
    hosts: new Set(['127.0.0.1']),
    allowPrivate: [`127.0.0.1:${port}`],
    limits: {},
    signal: new AbortController().signal
  })
  const failed = client.request({ method: 'POST', url: `https://127.0.0.1:${port}/`, json: {} })
  await t.rejects(failed, { name: 'TransportError', effect: 'none', message: /DEPTH_ZERO_SELF_SIGNED_CERT/ })
  t.equal(calls, 0)
})

t.test('http: a write whose answer breaks off may have had an effect and is not repeated, unless that is harmless', async t => {
  const calls: (string | undefined)[] = []
  const far = await farSide(t, request => {
    calls.push(request.method)
    request.socket.destroy()
  })
  const broken = (method: 'GET' | 'POST', repeatable = false) => far.client.request({ method, url: far.url, repeatable })
  await t.rejects(broken('POST'), { name: 'TransportError', effect: 'possible' })
  t.strictSame(calls.splice(0), ['POST'])
  await t.rejects(broken('POST', true), { name: 'TransportError', effect: 'possible' })
  t.strictSame(calls.splice(0), ['POST', 'POST'])
  await t.rejects(broken('GET'), { name: 'TransportError', effect: 'possible' })
  t.strictSame(calls, ['GET', 'GET'], 'a read repeats once by itself')
  // Five in a row: the ERP is left alone.
  await t.rejects(broken('GET'), { effect: 'none', message: /left alone/ })
})

t.test('http: an answer that is too slow or too large is broken off', async t => {
  const slow = await farSide(t, () => {})
  await t.rejects(slow.client.request({ method: 'POST', url: slow.url, timeoutMs: 200 }), { name: 'TransportError', effect: 'possible' })
  const large = await farSide(t, (_request, response) => answer(response, 200, 'x'.repeat(5_000)), { mostBytes: 1_000 })
  await t.rejects(large.client.request({ method: 'GET', url: large.url }), { cls: 'remote', message: /more than 1000 bytes/ })
})

t.test('http: a request whose turn is too far away has not been sent', async t => {
  let calls = 0
  const far = await farSide(t, (_request, response) => answer(response, 200, String(calls++)), { perMinute: 1 })
  await far.client.request({ method: 'POST', url: far.url })
  await t.rejects(far.client.request({ method: 'POST', url: far.url }), { effect: 'none', message: /limit of requests/ })
  t.equal(calls, 1)
})
