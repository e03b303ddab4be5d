import { createServer } from 'node:net'
import t from 'tap'
import { openTestHouse } from '../helpers/house.ts'
import { unless } from '../helpers/programs.ts'
import { haproxy } from '../helpers/proxy.ts'
import { wire } from '../helpers/wire.ts'

const host = 'Host: localhost'
/** A second request, hidden where one reader of the bytes sees a body and another sees a request. */
const hidden = `GET /api/v1/smuggled HTTP/1.1\r\n${host}\r\n\r\n`
const post = (...lines: string[]): string =>
  `POST /api/v1/sign-in HTTP/1.1\r\n${[host, 'Content-Type: application/json', ...lines].join('\r\n')}\r\n\r\n`

const ambiguous: Readonly<Record<string, string>> = {
  'a length and chunks': `${post('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n${hidden}`,
  'chunks and a length': `${post('Transfer-Encoding: chunked', 'Content-Length: 5')}0\r\n\r\n${hidden}`,
  'two lengths that differ': `${post('Content-Length: 0', `Content-Length: ${hidden.length}`)}${hidden}`,
  'two lengths that are the same': `${post('Content-Length: 2', 'Content-Length: 2')}{}${hidden}`,
  'two lengths in one line': `${post('Content-Length: 2, 2')}{}${hidden}`,
  'a length with a sign': `${post('Content-Length: +2')}{}${hidden}`,
  'a length below zero': `${post('Content-Length: -1')}${hidden}`,
  'a length in hexadecimal': `${post('Content-Length: 0x2')}{}${hidden}`,
  'a length with a space in it': `${post('Content-Length: 1 0')}${hidden}`,
  'a length that no number holds': `${post('Content-Length: 99999999999999999999999')}${hidden}`,
  'an unknown transfer encoding': `${post('Transfer-Encoding: xchunked')}0\r\n\r\n${hidden}`,
  'chunks that are not last': `${post('Transfer-Encoding: chunked, identity')}0\r\n\r\n${hidden}`,
  'a line end in the name of the encoding': `${post('Transfer-Encoding:\r\n chunked', 'Content-Length: 3')}0\r\n\r\n${hidden}`,
  'a space before the colon': `${post('Transfer-Encoding : chunked')}0\r\n\r\n${hidden}`,
  'a space before the name': `${post(' Transfer-Encoding: chunked')}0\r\n\r\n${hidden}`,
  'a vertical tab in front of the encoding': `${post('Transfer-Encoding: \x0bchunked')}0\r\n\r\n${hidden}`,
  'a NUL in a header': `${post('X-Note: a\0b', 'Content-Length: 0')}${hidden}`,
  'a bare carriage return in a header': `${post('X-Note: a\rTransfer-Encoding: chunked', 'Content-Length: 0')}${hidden}`,
  'lines that end in a line feed alone': post('Content-Length: 0').replaceAll('\r\n', '\n') + hidden,
  'a header line that ends in a line feed alone': `${post('X-Note: a\nTransfer-Encoding: chunked', 'Content-Length: 0')}${hidden}`,
  'a chunk size with a sign': `${post('Transfer-Encoding: chunked')}+2\r\n{}\r\n0\r\n\r\n${hidden}`,
  'a chunk size with 0x': `${post('Transfer-Encoding: chunked')}0x2\r\n{}\r\n0\r\n\r\n${hidden}`,
  'a chunk size that no number holds': `${post('Transfer-Encoding: chunked')}fffffffffffffffff0\r\n{}\r\n0\r\n\r\n${hidden}`,
  'a chunk that ends in a line feed alone': `${post('Transfer-Encoding: chunked')}2\r\n{}\n0\n\n${hidden}`,
  'a chunk extension with a line feed': `${post('Transfer-Encoding: chunked')}2;a\nb\r\n{}\r\n0\r\n\r\n${hidden}`,
  'chunks longer than they say': `${post('Transfer-Encoding: chunked')}2\r\n{}{}\r\n0\r\n\r\n${hidden}`,
  'no host': 'GET /health/live HTTP/1.1\r\n\r\n',
  'two hosts': `GET /health/live HTTP/1.1\r\n${host}\r\nHost: elsewhere\r\n\r\n`,
  'a version that there is not': `GET /health/live HTTP/1.9\r\n${host}\r\n\r\n`,
  'the beginning of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'a method that there is not': `SMUGGLE / HTTP/1.1\r\n${host}\r\n\r\n`,
  'a tunnel': `CONNECT localhost:5432 HTTP/1.1\r\n${host}\r\n\r\n`,
  'a space in the address': `GET /health/live x HTTP/1.1\r\n${host}\r\n\r\n`,
  'a header of a megabyte': `GET /health/live HTTP/1.1\r\n${host}\r\nX-Note: ${'a'.repeat(1_000_000)}\r\n\r\n`,
  'ten thousand headers': `GET /health/live HTTP/1.1\r\n${host}\r\n${'A: b\r\n'.repeat(10_000)}\r\n`
}

t.test('E9: bytes that two readers could take for different requests are refused and the connection is closed', async t => {
  const at = await openTestHouse(t)
  for (const [what, bytes] of Object.entries(ambiguous)) {
    const heard = await wire(at.baseUrl, bytes)
    t.ok(heard.statuses.length <= 1 && heard.statuses.every(status => status === 400), `${what}: ${heard.statuses.join(', ') || 'nothing'}`)
    t.ok(heard.closed, `${what}: the connection is closed`)
    t.notMatch(heard.text, /smuggled/, what)
  }
  t.notMatch(at.logged.join(''), /smuggled/, 'no hidden request was ever one')
})

t.test('E9: requests that follow each other on one connection are each answered, and once', async t => {
  const at = await openTestHouse(t)
  const live = `GET /health/live HTTP/1.1\r\n${host}\r\n\r\n`
  const inChunks = `${post('Transfer-Encoding: chunked')}2\r\n{}\r\n0\r\n\r\n`
  const last = `GET /health/live HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`
  t.same(
    (await wire(at.baseUrl, `${live}${inChunks}${post('Content-Length: 2')}{}${last}`, { forMs: 10_000 })).statuses,
    [200, 400, 400, 200]
  )
  const upgrade = `GET /health/live HTTP/1.1\r\n${host}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n`
  t.notMatch((await wire(at.baseUrl, upgrade)).text, /HTTP\/1\.1 101/, 'nobody gets behind a proxy by changing the protocol')
})

/** What one reader passes on as one request, and a careless one behind it could take for two, or for the beginning of somebody else's. */
const prefixes: Readonly<Record<string, string>> = {
  'a body that is a request': `${post(`Content-Length: ${hidden.length}`)}${hidden}`,
  'a body that is the beginning of a request': `${post('Content-Length: 42')}GET /api/v1/smuggled HTTP/1.1\r\nX-Note: abc`,
  'a chunk that is a request': `${post('Transfer-Encoding: chunked')}${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`,
  'a request behind the last chunk': `${post('Transfer-Encoding: chunked')}2\r\n{}\r\n0\r\nX-Note: a\r\n\r\n`,
  'a GET with a body that is a request': `GET /health/live HTTP/1.1\r\n${host}\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
  'a body that waits to be asked for': `${post('Expect: 100-continue', `Content-Length: ${hidden.length}`)}${hidden}`,
  'a body that waits for something else': `${post('Expect: 200-ok', `Content-Length: ${hidden.length}`)}${hidden}`,
  'a body that is refused before it is read': `POST /api/v1/nothing HTTP/1.1\r\n${host}\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
  'an upgrade with a request behind it': `GET /health/live HTTP/1.1\r\n${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${hidden}`
}

/** Others at the same time: each must hear what was asked, and nobody else's answer. @returns what they heard that was not theirs */
async function others(socket: string, count: number): Promise<string[]> {
  const asked = Array.from({ length: count }, (_, n) => `/api/v1/other-${n}`)
  const heard = await Promise.all(
    asked.map(path => wire(socket, `GET ${path} HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`, { forMs: 30_000 }))
  )
  return heard.flatMap(({ text, statuses }, n) => {
    const own = new RegExp(`/other-${n}\\b`).test(text) && statuses.length === 1 && !/smuggled/.test(text)
    return own ? [] : [`${asked[n]}: ${text.slice(0, 300)}`]
  })
}

async function throughProxy(socket: string): Promise<string[]> {
  const wrong: string[] = []
  const all = Object.values({ ...ambiguous, ...prefixes })
  for (let at = 0; at < all.length; at += 12) {
    const attacks = all.slice(at, at + 12).map(bytes => wire(socket, bytes, { forMs: 1_000 }))
    wrong.push(...(await others(socket, 12)))
    await Promise.all(attacks)
    wrong.push(...(await others(socket, 6)))
  }
  return wrong
}

t.test('E9: behind haproxy nobody hears an answer to what another one hid', unless('haproxy'), async t => {
  await t.test('E9: a server that reads bodies as requests is found', async t => {
    // Answers whatever looks like a head, also in a body.
    const careless = createServer(socket => {
      let text = ''
      socket.on('error', () => {})
      socket.on('data', piece => {
        text += piece.toString('latin1')
        for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
          const [, path = ''] = text.slice(0, end).split(' ')
          text = text.slice(end + 4)
          socket.write(`HTTP/1.1 404 Not Found\r\nContent-Length: ${path.length}\r\n\r\n${path}`)
        }
      })
    })
    await new Promise<void>(resolve => careless.listen(0, '127.0.0.1', resolve))
    t.teardown(async () => void careless.close())
    const address = careless.address()
    const socket = await haproxy(t, typeof address === 'object' && address !== null ? address.port : 0)
    t.ok((await throughProxy(socket)).length > 0)
  })

  await t.test('E9: ours answers each request to who sent it', async t => {
    const at = await openTestHouse(t)
    const socket = await haproxy(t, Number(new URL(at.baseUrl).port))
    t.same(await throughProxy(socket), [])
    t.notMatch(at.logged.join(''), /smuggled/, 'no hidden request was ever one')
    t.ok(at.logged.filter(line => line.includes('"msg":"request"')).length > 70, 'and the others reached it')
  })
})
