import { get, type IncomingHttpHeaders } from 'node:http'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import t from 'tap'
import { encodingFor } from '../../core/http/encoding.ts'
import { openTestHouse } from '../helpers/house.ts'

interface Sent {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
}

/** `fetch` asks for encodings itself and takes them off again; this sees what goes over the wire. */
const raw = (url: string, headers: Record<string, string> = {}): Promise<Sent> =>
  new Promise((resolve, reject) => {
    get(url, { headers, agent: false }, answer => {
      const chunks: Buffer[] = []
      answer.on('data', chunk => chunks.push(chunk))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, bytes: Buffer.concat(chunks) }))
    }).on('error', reject)
  })

t.test('console files: the encoding a client likes best is chosen, brotli among equals', async t => {
  const cases: readonly (readonly [string | undefined, string | undefined])[] = [
    [undefined, undefined],
    ['', undefined],
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip, deflate', 'gzip'],
    ['X-GZIP', 'gzip'],
    ['br;q=0.5, gzip;q=0.8', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['br; q=0, gzip; q=0.000', undefined],
    ['*', 'br'],
    ['br;q=0, *;q=0.1', 'gzip'],
    ['*;q=0', undefined],
    ['identity, gzip;q=0.5', undefined],
    ['identity;q=0.5, gzip;q=0.5', 'gzip'],
    ['br;q=2', undefined],
    ['br;q=high', undefined],
    ['abracadabra, librotli', undefined]
  ]
  for (const [header, chosen] of cases) t.equal(encodingFor(header), chosen, header ?? 'no header')
})

t.test('console files', async t => {
  const { baseUrl } = await openTestHouse(t)
  const page = await raw(`${baseUrl}/`)
  const path = /src="(\/assets\/[^"]+\.js)"/.exec(page.bytes.toString())?.[1]
  t.ok(path, 'the page loads a script')
  const url = `${baseUrl}${path}`
  const plain = await raw(url)

  await t.test('console files: each encoding gives back the same bytes, says so, and varies by what was accepted', async t => {
    t.equal(plain.headers['content-encoding'], undefined)
    t.equal(plain.headers.vary, 'accept-encoding')
    t.match(plain.headers['cache-control'], /immutable/)
    for (const [encoding, decode] of [['br', brotliDecompressSync] as const, ['gzip', gunzipSync] as const]) {
      const sent = await raw(url, { 'accept-encoding': encoding })
      t.equal(sent.status, 200)
      t.equal(sent.headers['content-encoding'], encoding)
      t.equal(sent.headers.vary, 'accept-encoding')
      t.match(sent.headers['content-type'], /javascript/)
      t.equal(Number(sent.headers['content-length']), sent.bytes.length)
      t.ok(sent.bytes.length < plain.bytes.length / 2)
      t.ok(decode(sent.bytes).equals(plain.bytes))
    }
  })

  await t.test('console files: many at once get the same compressed bytes', async t => {
    const all = await Promise.all(Array.from({ length: 8 }, () => raw(url, { 'accept-encoding': 'br' })))
    t.ok(all.every(({ bytes }) => all[0]?.bytes.equals(bytes)))
  })

  await t.test('console files: a tag belongs to one encoding; with it, unchanged content is not sent again', async t => {
    const br = await raw(url, { 'accept-encoding': 'br' })
    const gzip = await raw(url, { 'accept-encoding': 'gzip' })
    const tags = [plain, br, gzip].map(({ headers }) => String(headers.etag))
    t.equal(new Set(tags).size, 3)
    for (const tag of tags) t.match(tag, /^"[\w-]+"$/)
    const [, ofBr = ''] = tags
    for (const named of [ofBr, `W/${ofBr}`, `"other", ${ofBr}`]) {
      const again = await raw(url, { 'accept-encoding': 'br', 'if-none-match': named })
      t.equal(again.status, 304, named)
      t.equal(again.bytes.length, 0)
      t.equal(again.headers.etag, ofBr)
      t.equal(again.headers.vary, 'accept-encoding')
    }
    t.equal((await raw(url, { 'accept-encoding': 'gzip', 'if-none-match': ofBr })).status, 200, 'the tag of another encoding')
  })

  await t.test('console files: the page itself is never kept, since each one has a nonce of its own', async t => {
    const other = await raw(`${baseUrl}/`)
    const nonce = (sent: Sent) => /'nonce-([^']+)'/.exec(String(sent.headers['content-security-policy']))?.[1]
    t.ok(nonce(page))
    t.not(nonce(page), nonce(other))
    t.match(page.headers['cache-control'], /no-store/)
  })
})
