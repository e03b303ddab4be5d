import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { demoPassword } from '../../demo/setup.ts'

/** Before the first request and after the answer: the act was committed somewhere between. */
export interface Done<T> {
  readonly body: T
  readonly sent: number
  readonly answered: number
}

export interface Reader {
  get<T>(path: string): Promise<T>
}

/** One person at a screen: what has no answer is sent again under its own key, as the console does. */
export interface Hand extends Reader {
  readonly username: string
  act<T>(path: string, body?: unknown): Promise<Done<T>>
  /** An act that may be refused for one reason; undefined when it was. */
  tryAct<T>(path: string, code: string, body?: unknown): Promise<Done<T> | undefined>
}

class Refused extends Error {
  readonly code: string

  constructor(message: string, code: string) {
    super(message)
    this.code = code
  }
}

/** Answers after which the same request is worth sending again. */
const again = new Set([401, 408, 425, 429, 500, 502, 503, 504])
const longestMs = 180_000

export function hand(baseUrl: string, customer: string, username: string): Hand {
  let token = ''
  async function once(method: string, path: string, key: string | undefined, body: unknown): Promise<Response> {
    if (token === '') {
      const answer = await fetch(`${baseUrl}/api/v1/sign-in`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ customer, username, password: demoPassword }),
        signal: AbortSignal.timeout(30_000)
      })
      if (!answer.ok) throw new Error(`${username} could not sign in: ${answer.status}`)
      token = ((await answer.json()) as { accessToken: string }).accessToken
    }
    return fetch(baseUrl + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' })
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000)
    })
  }
  async function call<T>(method: string, path: string, key?: string, body?: unknown): Promise<Done<T>> {
    const sent = Date.now()
    let last = ''
    while (Date.now() - sent < longestMs) {
      let answer: Response | undefined
      let text = ''
      try {
        answer = await once(method, path, key, body)
        text = await answer.text()
      } catch (error) {
        // Nobody there, or killed in the middle of it.
        last = String(error)
        answer = undefined
      }
      if (answer?.ok) return { body: (text === '' ? undefined : JSON.parse(text)) as T, sent, answered: Date.now() }
      if (answer !== undefined) {
        last = `${answer.status} ${text.slice(0, 300)}`
        if (answer.status === 401) token = ''
        if (!again.has(answer.status)) throw new Refused(`${username}: ${method} ${path} was refused: ${last}`, codeOf(text))
      }
      await sleep(200)
    }
    throw new Error(`${username}: ${method} ${path} had no answer for ${longestMs / 1000} s: ${last}`)
  }
  return {
    username,
    get: async <T>(path: string) => (await call<T>('GET', path)).body,
    act: <T>(path: string, body: unknown = {}) => call<T>('POST', path, randomUUID(), body),
    tryAct: <T>(path: string, code: string, body: unknown = {}) =>
      call<T>('POST', path, randomUUID(), body).catch((error: unknown) => {
        if (error instanceof Refused && error.code === code) return undefined
        throw error
      })
  }
}

function codeOf(text: string): string {
  try {
    return String((JSON.parse(text) as { code?: string }).code)
  } catch {
    return ''
  }
}

/** Every page of a list. */
export async function everything<T>(who: Reader, path: string): Promise<T[]> {
  const items: T[] = []
  for (let after: string | null | undefined; after !== null; ) {
    const page: { items: T[]; next?: string | null } = await who.get(
      `${path}${path.includes('?') ? '&' : '?'}limit=500${after ? `&after=${encodeURIComponent(after)}` : ''}`
    )
    items.push(...page.items)
    after = page.next ?? null
  }
  return items
}
