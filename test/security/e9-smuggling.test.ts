import t from 'tap'
import { openTestHouse } from '../helpers/house.ts'
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
