import createFetchClient, { type Middleware } from 'openapi-fetch'
import createQueryClient from 'openapi-react-query'
import type { paths } from './schema'

/** What the server says when it refuses (RFC 9457); `code` is stable, `detail` says what, where and what to do. */
export interface Problem {
  readonly status: number
  readonly code: string
  readonly title: string
  readonly detail: string
  /** The number of the request, to name when asking for help. */
  readonly instance?: string
  readonly [extra: string]: unknown
}

export const isProblem = (value: unknown): value is Problem =>
  typeof value === 'object' && value !== null && 'code' in value && 'status' in value && 'detail' in value

interface Access {
  readonly token: string
  /** Instant in milliseconds. */
  readonly expiresAt: number
}

let access: Access | undefined
let ended: () => void = () => {}

/** The access token lives in memory only; the refresh token is a cookie that no script can read. */
export function keepAccess(given: { accessToken: string; expiresAt: string } | undefined): void {
  access = given && { token: given.accessToken, expiresAt: Date.parse(given.expiresAt) }
}

/** Called when the server no longer knows the session. */
export const onEnded = (listener: () => void): void => {
  ended = listener
}

let refreshing: Promise<boolean> | undefined

/**
 * Asks for a new access token with the cookie. One at a time, also across tabs: the refresh token is good for one use, and a second
 * use would end the session.
 * @returns false when there is no session any more; throws when the server is not reached
 */
export function refresh(): Promise<boolean> {
  refreshing ??= renew().finally(() => {
    refreshing = undefined
  })
  return refreshing
}

async function renew(): Promise<boolean> {
  return navigator.locks.request('werkvloer-refresh', async () => {
    const answer = await fetch('/api/v1/session/refresh', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}'
    })
    if (answer.ok) {
      keepAccess(await answer.json())
      return true
    }
    if (answer.status >= 500 || answer.status === 429) throw new Error(`refresh ${answer.status}`)
    keepAccess(undefined)
    return false
  })
}

/** The header for a request of one's own making (live data); refreshes first when the token is about to end. */
export async function authorization(): Promise<string> {
  if (!access || access.expiresAt - Date.now() < 30_000) {
    if (!(await refresh())) ended()
  }
  return `Bearer ${access?.token ?? ''}`
}

const open = new Set(['/api/v1/sign-in', '/api/v1/session/refresh', '/api/v1/invitations/accept'])

const session: Middleware = {
  async onRequest({ request, schemaPath }) {
    if (!open.has(schemaPath)) request.headers.set('authorization', await authorization())
    return request
  },
  async onResponse({ response, schemaPath }) {
    if (response.status === 401 && !open.has(schemaPath)) ended()
    return response
  }
}

export const client = createFetchClient<paths>({ baseUrl: location.origin })
client.use(session)

/** `api.useQuery('get', '/api/v1/jobs', { params: { query: { … } } })`; keys begin with method and path, which live data uses. */
export const api = createQueryClient(client)
