import { randomUUID } from 'node:crypto'

/** A refusal of the API, with the sentence it gave. */
export class ApiRefusal extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, detail: string) {
    super(`${status} ${code}: ${detail}`)
    this.status = status
    this.code = code
  }
}

/** The API as any client sees it: HTTP and JSON, nothing of the inside. */
export interface Api {
  get<T>(path: string): Promise<T>
  /** Writes carry an Idempotency-Key, and are repeated with it when the server is busy. */
  post<T>(path: string, body?: unknown): Promise<T>
  patch<T>(path: string, body: unknown): Promise<T>
  put<T>(path: string, body: unknown): Promise<T>
}

export function api(baseUrl: string, token?: string): Api {
  async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const key = randomUUID()
    for (let attempt = 1; ; attempt++) {
      const answer = await fetch(baseUrl + path, {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(method === 'GET' ? {} : { 'idempotency-key': key }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' })
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) })
      })
      const text = await answer.text()
      if (answer.ok) return (text === '' ? undefined : JSON.parse(text)) as T
      if ((answer.status === 503 || answer.status === 429) && attempt < 10) {
        await new Promise(resolve => setTimeout(resolve, Math.min(5_000, 1_000 * Number(answer.headers.get('retry-after') ?? 1))))
        continue
      }
      const problem = parse(text)
      throw new ApiRefusal(answer.status, problem.code ?? 'unknown', problem.detail ?? text.slice(0, 200))
    }
  }
  return {
    get: path => call('GET', path),
    post: (path, body) => call('POST', path, body ?? {}),
    patch: (path, body) => call('PATCH', path, body),
    put: (path, body) => call('PUT', path, body)
  }
}

function parse(text: string): { code?: string; detail?: string } {
  try {
    return JSON.parse(text) as { code?: string; detail?: string }
  } catch {
    return {}
  }
}

export async function signIn(baseUrl: string, customer: string, username: string, password: string): Promise<Api> {
  const { accessToken } = await api(baseUrl).post<{ accessToken: string }>('/api/v1/sign-in', { customer, username, password })
  return api(baseUrl, accessToken)
}

/** Asks again until the answer is there; gives up with the sentence after the seconds. */
export async function until<T>(what: string, seconds: number, ask: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + seconds * 1_000
  // A few times in any case: one slow answer is no reason to give up.
  for (let tries = 0; tries < 3 || performance.now() < end; tries++) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  throw new Error(`after ${seconds} s still not: ${what}`)
}
