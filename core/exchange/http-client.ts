import { request as send } from 'undici'
import {
  AdapterError,
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  type Json,
  type Manifest,
  revealed,
  TransportError
} from '../../adapters/contract/index.ts'
import { checkHost, isOpened } from './egress.ts'
import { outcome, turn } from './http-gauge.ts'
import { agentOf, NotConnected } from './http-pool.ts'

export interface HttpOptions {
  readonly connectionId: string
  readonly hosts: ReadonlySet<string>
  readonly allowPrivate: readonly string[]
  readonly limits: NonNullable<Manifest['limits']>
  readonly signal: AbortSignal
  /** Bytes of an answer; tests lower it. */
  readonly mostBytes?: number
}

const mostAnswerBytes = 32 * 2 ** 20
const defaultMs = 30_000
const defaultConcurrency = 4

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
  checkHost(url.hostname, options.hosts)
  if (url.protocol === 'http:' && !isOpened(url.hostname, port, options.allowPrivate)) {
    throw new AdapterError('config', 'The ERP must be called by https.')
  }
  const headers = headersOf(given)
  const body = given.json !== undefined ? JSON.stringify(revealed(given.json)) : given.body
  const timeoutMs = given.timeoutMs ?? defaultMs
  await turn(options.connectionId, options.limits.requestsPerMinute, options.signal)
  if (options.signal.aborted) throw new TransportError('none', 'The work was broken off before the request.')
  try {
    const answer = await send(url, {
      method: given.method,
      dispatcher: agentOf({ ...options, concurrency: options.limits.concurrency ?? defaultConcurrency }),
      headers,
      ...(body === undefined ? {} : { body }),
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      signal: AbortSignal.any([options.signal, AbortSignal.timeout(timeoutMs * 2)])
    })
    const bytes = await limited(answer.body, options.mostBytes ?? mostAnswerBytes)
    outcome(options.connectionId, answer.statusCode < 500)
    return responseOf(answer.statusCode, answer.headers, bytes)
  } catch (error) {
    const reason = error instanceof NotConnected ? error.cause : error
    if (reason instanceof AdapterError) throw reason
    if (!options.signal.aborted) outcome(options.connectionId, false)
    const code = codeOf(reason)
    if (error instanceof NotConnected) throw new TransportError('none', `${url.hostname} could not be reached (${code}).`, reason)
    throw new TransportError('possible', `${url.hostname} did not answer to the end (${code}).`, reason)
  }
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

async function limited(body: AsyncIterable<Uint8Array>, mostBytes: number): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > mostBytes) throw new AdapterError('remote', `The ERP answered with more than ${mostBytes} bytes.`)
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
  return String(e.code ?? e.cause?.code ?? 'no code')
}
