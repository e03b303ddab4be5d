import {
  AdapterError,
  type ConfigSchema,
  defineAdapter,
  eachInOrder,
  type HttpResponse,
  type Json,
  type LookupAnswer
} from '../../adapters/contract/index.ts'
import type { Erp } from '../../adapters/kit/erp.ts'

const config = {
  type: 'object',
  additionalProperties: false,
  required: ['baseUrl', 'token'],
  properties: {
    baseUrl: { type: 'string', title: 'Address', format: 'uri' },
    token: { type: 'string', title: 'API token', secret: true }
  }
} as const satisfies ConfigSchema

interface Page {
  readonly value: readonly { readonly id: string; readonly changedAt: string; readonly fields: { readonly [key: string]: Json } }[]
}

/** An adapter that calls its ERP: fetches by time and id, writes one document per message, looks up by our key. */
export const restAdapter = defineAdapter({
  manifest: {
    api: 1,
    id: 'kit.rest',
    version: '1.0.0',
    displayName: 'REST ERP of the kit',
    vendor: { name: 'Kit', support: 'support@kit.example' },
    erp: { product: 'Simulator', versions: '*' },
    config,
    configVersion: 1,
    egress: ['/baseUrl'],
    imports: { workOrder: { via: ['pull'], mode: ['delta'], schedule: { defaultSeconds: 300, minSeconds: 60 } } },
    exports: { labour: { idempotency: 'lookup', confirms: 'sync', orderedBy: 'workOrder' } }
  },
  import: {
    async *pull({ kind, checkpoint }, ctx) {
      let at = checkpoint as { since: string; id: string } | null
      for (;;) {
        const query = at ? `?since=${encodeURIComponent(at.since)}&after=${encodeURIComponent(at.id)}` : ''
        const page = (await read(await ctx.http.request({ method: 'GET', url: `${ctx.config.baseUrl}/orders${query}` }))) as unknown as Page
        for (const row of page.value) yield ctx.map.row(kind, row.fields, { pointer: `/${row.id}` })
        const last = page.value.at(-1)
        if (!last) return
        // Time and id: rows that share a time are not lost.
        at = { since: last.changedAt, id: last.id }
        yield { type: 'checkpoint', state: at }
      }
    }
  },
  export: (batch, ctx) =>
    eachInOrder(batch, async item => {
      const url = `${ctx.config.baseUrl}/documents`
      const headers = { authorization: ctx.config.token }
      const response = await ctx.http.request({ method: 'POST', url, headers, json: { reference: item.shortKey(20), key: item.key } })
      const body = (await response.json()) as { document?: string; error?: string } | null
      if (response.status === 201) return { status: 'accepted', ref: { document: body?.document ?? '' } }
      if (response.status === 422) return { status: 'rejected', reject: { code: 'erp_rejected', message: body?.error ?? '' } }
      if (response.status === 429) return { status: 'not-sent', reason: 'busy', retryAfterSeconds: Number(response.headers['retry-after']) }
      return { status: 'unknown', reason: `HTTP ${response.status}` }
    }),
  async *lookup(items, ctx): AsyncIterable<LookupAnswer> {
    for (const { key } of items) {
      const response = await ctx.http.request({ method: 'GET', url: `${ctx.config.baseUrl}/documents?key=${encodeURIComponent(key)}` })
      if (response.status !== 200) {
        yield { key, found: 'cannot-tell', reason: `HTTP ${response.status}` }
        continue
      }
      const { document } = (await response.json()) as { document: string | null }
      yield document === null ? { key, found: false } : { key, found: true, ref: { document } }
    }
  }
})

async function read(response: HttpResponse): Promise<Json> {
  if (response.status === 200) return response.json()
  throw new AdapterError(response.status >= 500 ? 'transient' : 'remote', `HTTP ${response.status}`)
}

const pageSize = 4

/** The web service that `restAdapter` talks to. */
export const restErp: Erp = {
  serve({ method, url, json }, books) {
    const { pathname, searchParams } = new URL(url)
    if (method === 'POST' && pathname === '/documents') {
      const { key } = json as { key: string }
      const answer = books.post(key, json ?? null)
      return 'refused' in answer ? { status: 422, json: { error: answer.refused } } : { status: 201, json: { document: answer.document } }
    }
    if (pathname === '/documents') {
      return { status: 200, json: { document: books.find(searchParams.get('key') ?? '')?.document ?? null } }
    }
    const since = searchParams.get('since') ?? ''
    const after = searchParams.get('after') ?? ''
    const rows = books.offered.get('workOrder') ?? []
    const left = rows.filter(row => row.changedAt > since || (row.changedAt === since && row.id > after))
    return { status: 200, json: { value: left.slice(0, pageSize).map(({ id, changedAt, fields }) => ({ id, changedAt, fields })) } }
  }
}

export const restConfig = { baseUrl: 'https://erp.kit.example', token: 'kit-canary-token' }
