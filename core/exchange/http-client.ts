import { isIP } from 'node:net'
import { Agent, request as send } from 'undici'
import {
  AdapterError,
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  type Json,
  type Manifest,
  TransportError
} from '../../adapters/contract/index.ts'
import { resolveTarget } from './egress.ts'

export interface HttpOptions {
  readonly connectionId: string
  readonly hosts: ReadonlySet<string>
  readonly allowPrivate: readonly string[]
  readonly limits: NonNullable<Manifest['limits']>
  readonly signal: AbortSignal
}

const mostBytes = 32 * 2 ** 20
const connectMs = 10_000
const defaultMs = 30_000
const breakerFailures = 5
const breakerMs = 30_000

/** Per connection, over all runs of this process: the bucket of requests and the breaker. */
interface Gauge {
  tokens: number
  refilledAt: number
  failures: number
  closedUntil: number
}
const gauges = new Map<string, Gauge>()

/** What proves that no byte of a request left: names, connecting and TLS come before it. */
const beforeRequest = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'EPROTO'
])

/**
 * HTTP bound to the hosts of one connection: the name is resolved and checked by us, redirects are not followed, TLS is verified, time
 * and size are limited. GET and HEAD are repeated once by themselves; a write only when the adapter says that it is harmless.
 */
export function httpClient(options: HttpOptions): HttpClient {
  return {
    async request(given) {
      const repeats = given.method === 'GET' || given.method === 'HEAD' || given.repeatable === true ? 2 : 1
      for (let attempt = 1; ; attempt++) {
        try {
          return await once(options, given)
        } catch (error) {
          if (attempt >= repeats || !(error instanceof TransportError) || options.signal.aborted) throw error
        }
      }
    }
  }
}

async function once(options: HttpOptions, given: HttpRequest): Promise<HttpResponse> {
  if (!URL.canParse(given.url)) throw new AdapterError('config', 'The address of the ERP is no URL.')
  const url = new URL(given.url)
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new AdapterError('config', `The ERP cannot be called by ${url.protocol.slice(0, -1)}.`)
  if (url.username !== '' || url.password !== '')
    throw new AdapterError('config', 'The address of the ERP may hold no user name or password.')
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  const gauge = take(options)
  const target = await resolveTarget(url.hostname, port, options.hosts, options.allowPrivate)
  if (url.protocol === 'http:' && !options.allowPrivate.includes(`${url.hostname.toLowerCase()}:${port}`)) {
    throw new AdapterError('config', 'The ERP must be called by https.')
  }
  const agent = new Agent({
    connect: {
      timeout: connectMs,
      // The checked address, whatever the name says now; SNI and certificate go by the name.
      lookup: (_host, { all }, callback) =>
        all
          ? callback(null, [target])
          : (callback as unknown as (e: null, a: string, f: number) => void)(null, target.address, target.family),
      ...(isIP(url.hostname) ? {} : { servername: url.hostname })
    },
    maxRedirections: 0,
    connections: 1
  } as ConstructorParameters<typeof Agent>[0])
  try {
    const body = given.json !== undefined ? JSON.stringify(given.json) : given.body
    const answer = await send(url, {
      method: given.method,
      dispatcher: agent,
      headers: headersOf(given),
      ...(body === undefined ? {} : { body }),
      headersTimeout: given.timeoutMs ?? defaultMs,
      bodyTimeout: given.timeoutMs ?? defaultMs,
      signal: AbortSignal.any([options.signal, AbortSignal.timeout((given.timeoutMs ?? defaultMs) * 2)])
    })
    const bytes = await limited(answer.body)
    gauge.failures = answer.statusCode >= 500 ? gauge.failures + 1 : 0
    return responseOf(answer.statusCode, answer.headers, bytes)
  } catch (error) {
    if (error instanceof AdapterError) throw error
    gauge.failures++
    const code = codeOf(error)
    const effect = beforeRequest.has(code) ? 'none' : 'possible'
    throw new TransportError(
      effect,
      `${url.hostname} ${effect === 'none' ? 'could not be reached' : 'did not answer to the end'} (${code || 'no code'}).`,
      error
    )
  } finally {
    if (gauge.failures >= breakerFailures) {
      gauge.closedUntil = performance.now() + breakerMs
      gauge.failures = 0
    }
    await agent.destroy().catch(() => {})
  }
}

/** Takes a token of the connection's bucket; refuses before anything leaves when it is empty or the breaker is open. */
function take({ connectionId, limits }: HttpOptions): Gauge {
  const now = performance.now()
  const perMinute = limits.requestsPerMinute ?? 600
  const gauge = gauges.get(connectionId) ?? { tokens: perMinute, refilledAt: now, failures: 0, closedUntil: 0 }
  gauges.set(connectionId, gauge)
  gauge.tokens = Math.min(perMinute, gauge.tokens + ((now - gauge.refilledAt) / 60_000) * perMinute)
  gauge.refilledAt = now
  if (gauge.closedUntil > now)
    throw new TransportError('none', 'The ERP failed several times in a row and is left alone for half a minute.')
  if (gauge.tokens < 1) throw new TransportError('none', 'The limit of requests per minute is reached.')
  gauge.tokens--
  return gauge
}

function headersOf(given: HttpRequest): Record<string, string> {
  const headers: Record<string, string> = { 'accept-encoding': 'identity' }
  if (given.json !== undefined) headers['content-type'] = 'application/json'
  for (const [name, value] of Object.entries(given.headers ?? {})) {
    const text = typeof value === 'string' ? value : value.reveal()
    if (/[\r\n\0]/.test(text)) throw new AdapterError('config', `The header ${name} holds a line break.`)
    headers[name.toLowerCase()] = text
  }
  return headers
}

async function limited(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > mostBytes) throw new AdapterError('remote', `The ERP answered with more than ${mostBytes / 2 ** 20} MiB.`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function responseOf(status: number, headers: Record<string, string | string[] | undefined>, bytes: Buffer): HttpResponse {
  const text = (): string => bytes.toString('utf8')
  return {
    status,
    headers: Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]]
      )
    ),
    async json() {
      try {
        return JSON.parse(text()) as Json
      } catch (cause) {
        throw new AdapterError('remote', 'The ERP answered with something that is no JSON.', { cause })
      }
    },
    text: async () => text(),
    async *lines() {
      yield* text().split(/\r?\n/)
    }
  }
}

const codeOf = (error: unknown): string => {
  const e = error as { code?: unknown; cause?: { code?: unknown } }
  return String(e.code ?? e.cause?.code ?? '')
}
