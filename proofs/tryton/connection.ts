import { until } from '../../demo/api.ts'
import type { Reader } from './floor.ts'
import type { Lab } from './lab.ts'

interface Connection {
  readonly state: string
  readonly paused: { readonly reason: string } | null
  readonly kinds: { readonly in: readonly string[]; readonly out: readonly string[] }
  readonly pulls: readonly {
    readonly kind: string
    readonly lastFinishedAt: string | null
    readonly failures: number
    readonly reason: string | null
  }[]
}
type Put = (path: string, body: unknown) => Promise<unknown>

/** What others refer to comes first. */
const order = ['location', 'article', 'employee', 'workOrder', 'pickList', 'stock']

/** Makes the connection with the account that an integration has, and lets it work. @returns its id */
export async function connectTryton(admin: { post<T>(path: string, body?: unknown): Promise<T> }, lab: Lab): Promise<string> {
  const { id } = await admin.post<{ id: string }>('/api/v1/connections', {
    name: 'Tryton',
    adapter: 'werkvloer.tryton',
    config: { url: lab.url, database: lab.database, user: 'mes', password: lab.users.mes }
  })
  await admin.post(`/api/v1/connections/${id}/activate`)
  return id
}

export const look = (who: Reader, id: string): Promise<Connection> => who.get<Connection>(`/api/v1/connections/${id}`)

/**
 * Has every kind fetched now, one after another, and again every so many seconds from then on.
 * @param put as an administrator
 */
export async function pullAll(who: Reader, put: Put, id: string, everySeconds: number): Promise<readonly string[]> {
  const { kinds } = await look(who, id)
  const fetched = order.filter(kind => kinds.in.includes(kind))
  for (const kind of fetched) {
    const pull = async () => (await look(who, id)).pulls.find(one => one.kind === kind)
    const before = (await pull())?.lastFinishedAt
    await put(`/api/v1/connections/${id}/pulls/${kind}`, { everySeconds })
    await until(`${kind} is fetched`, 120, async () => {
      const now = await pull()
      if (now && now.failures > 0) throw new Error(`fetching ${kind} failed: ${now.reason}`)
      return now?.lastFinishedAt !== before || undefined
    })
  }
  return fetched
}
