import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { type Adapter, AdapterError, defineAdapter, type ImportItem } from '../../adapters/contract/index.ts'
import { fixedClock } from '../../core/clock.ts'
import { parts } from '../../parts.ts'
import { openTestHouse } from '../helpers/house.ts'

interface Article {
  readonly number: string
  readonly description: string
  readonly changed: number
}

type Fault = 'none' | 'busy' | 'cut at the front' | 'cut at the end' | 'fault'

/** An ERP behind a real socket: articles in the order of their change, some per page; each answer can go wrong once. */
function simulatedErp() {
  const articles: Article[] = []
  const faults: Fault[] = []
  const asked: string[] = []
  const server = createServer((request, response: ServerResponse) => {
    const url = new URL(request.url ?? '', 'http://erp')
    asked.push(url.search)
    const after = Number(url.searchParams.get('after'))
    const rows = articles.filter(({ changed }) => changed > after).slice(0, 7)
    const body = JSON.stringify({ rows, more: rows.length === 7 })
    const fault = faults.shift()
    if (fault === 'busy') response.writeHead(429, { 'retry-after': '120' }).end()
    else if (fault === 'fault') response.writeHead(500).end('<html>fault</html>')
    else if (fault?.startsWith('cut')) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
      response.write(body.slice(0, fault === 'cut at the front' ? 3 : body.length - 1), () => response.destroy())
    } else response.writeHead(200, { 'content-type': 'application/json' }).end(body)
  })
  let clock = 0
  return {
    server,
    faults,
    asked,
    put(number: string, description: string) {
      const known = articles.findIndex(article => article.number === number)
      if (known >= 0) articles.splice(known, 1)
      articles.push({ number, description, changed: ++clock })
    },
    articles
  }
}

/** Fetches articles page by page; goes on one change before the last one it has seen, so that the far side may hand one over twice. */
const fetching: Adapter = defineAdapter({
  manifest: {
    api: 1,
    id: 'test.fetching',
    version: '1.0.0',
    displayName: 'Fetching',
    vendor: { name: 'Test', support: 'support@example.test' },
    erp: { product: 'Test', versions: '*' },
    configVersion: 1,
    egress: ['/baseUrl'],
    config: {
      type: 'object',
      additionalProperties: false,
      required: ['baseUrl'],
      properties: { baseUrl: { type: 'string', title: 'Address', format: 'uri' } }
    },
    imports: { article: { via: ['pull'], mode: ['delta'], schedule: { defaultSeconds: 60, minSeconds: 30 } } },
    exports: {}
  },
  async *check(ctx) {
    yield { step: 'address', ok: true, detail: ctx.config.baseUrl }
  },
  import: {
    async *pull({ checkpoint }, ctx): AsyncIterable<ImportItem> {
      let after = Math.max(0, ((checkpoint as { changed: number } | null)?.changed ?? 0) - 1)
      for (let more = true; more; ) {
        const answer = await ctx.http.request({ method: 'GET', url: `${ctx.config.baseUrl}/articles?after=${after}` })
        if (answer.status === 429) {
          const seconds = Number(answer.headers['retry-after'])
          throw new AdapterError('transient', 'The ERP is busy.', { retryAfterSeconds: seconds })
        }
        if (answer.status !== 200) throw new AdapterError('remote', `The ERP answers ${answer.status}.`)
        const page = (await answer.json()) as unknown as { rows: readonly Article[]; more: boolean }
        for (const { number, description, changed } of page.rows) {
          yield {
            type: 'record',
            kind: 'article',
            key: number,
            record: { number, description, unit: 'PCE' },
            revision: { seq: changed }
          } as ImportItem
          after = changed
        }
        yield { type: 'checkpoint', state: { changed: after } }
        more = page.more
      }
    }
  }
})

t.test('pull over a socket', async t => {
  const erp = simulatedErp()
  await new Promise<void>(resolve => erp.server.listen(0, '127.0.0.1', resolve))
  const { port } = erp.server.address() as AddressInfo
  t.teardown(async () => {
    erp.server.closeAllConnections()
    await new Promise(resolve => erp.server.close(resolve))
  })
  const clock = fixedClock('2026-03-02T08:00:00.000Z')
  const at = await openTestHouse(t, {
    clock,
    parts: { adapters: [...parts.adapters, fetching] },
    settings: { WERKVLOER_ALLOW_PRIVATE_EGRESS: `127.0.0.1:${port}` }
  })
  let token = await at.admin()
  const ok = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const answer = await at.call<T>(method, path, { token, ...(body === undefined ? {} : { body }) })
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const { id } = await ok<{ id: string }>('POST', '/api/v1/connections', {
    name: 'Fetching',
    adapter: 'test.fetching',
    config: { baseUrl: `http://127.0.0.1:${port}` }
  })
  await ok('PUT', `/api/v1/connections/${id}/pulls/article`, { everySeconds: 60 })
  await ok('POST', `/api/v1/connections/${id}/activate`, {})

  const fetchAll = async (): Promise<void> => {
    await at.house.exchange.importDue(await at.house.tenants.system(at.tenant.id, 'test'), new AbortController().signal)
  }
  const later = async (seconds: number): Promise<void> => {
    clock.advance(seconds)
    token = await at.admin()
    await fetchAll()
  }
  const held = async (): Promise<readonly string[]> => {
    const { items } = await ok<{ items: readonly { number: string; description: string }[] }>('GET', '/api/v1/articles?limit=200')
    return items.map(({ number, description }) => `${number} ${description}`).sort()
  }
  const theirs = (): readonly string[] => erp.articles.map(({ number, description }) => `${number} ${description}`).sort()

  await t.test('pull: all pages come in once, and the next fetch goes on where this one ended', async t => {
    for (let n = 1; n <= 20; n++) erp.put(`P-${String(n).padStart(2, '0')}`, 'first')
    await fetchAll()
    t.strictSame(await held(), theirs())
    t.strictSame(erp.asked, ['?after=0', '?after=7', '?after=14'])
    erp.put('P-03', 'second')
    erp.put('P-21', 'first')
    await later(60)
    t.strictSame(await held(), theirs())
    t.equal(erp.asked.at(-1), '?after=19', 'one change before the last one: it comes twice and counts once')
  })

  await t.test('pull: an ERP that is busy is asked again when it said, not before', async t => {
    erp.put('P-22', 'first')
    erp.faults.push('busy')
    const before = erp.asked.length
    await later(60)
    t.equal(erp.asked.length, before + 1)
    await later(60)
    t.equal(erp.asked.length, before + 1, 'two minutes are not over yet')
    t.notSame(await held(), theirs())
    await later(61)
    t.strictSame(await held(), theirs())
  })

  for (const fault of ['cut at the front', 'cut at the end', 'fault'] as const) {
    await t.test(`pull: broken off on the second page (${fault}), what came stays, and the rest comes with the next try`, async t => {
      for (let n = 30; n < 50; n++) erp.put(`P-${n}`, `before ${fault}`)
      const now = await held()
      const before = erp.asked.length
      // The first page of three is good; a broken read is tried again by the client itself, so that it must fail each time.
      erp.faults.push('none', fault, fault, fault, fault, fault, fault)
      await later(60)
      const half = await held()
      t.notSame(half, now, 'the first page is in')
      t.notSame(half, theirs(), 'the second one is not')
      t.ok(erp.asked.length <= before + 5, `asked ${erp.asked.length - before} times`)
      erp.faults.length = 0
      await later(3600)
      t.strictSame(await held(), theirs())
      const { items } = await ok<{ items: readonly { state: string; counts: { rejected: number } }[] }>(
        'GET',
        '/api/v1/deliveries?limit=200'
      )
      t.same(
        items.filter(({ state, counts }) => state !== 'done' || counts.rejected > 0),
        []
      )
    })
  }
})
