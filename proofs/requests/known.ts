import type { Description, Operation } from '../../test/helpers/api.ts'

export type Thing = Readonly<Record<string, unknown>>

/** A thing that a route can be asked about: what stands in the address, and what is known of it. */
export interface Candidate {
  readonly params: Readonly<Record<string, string>>
  readonly thing: Thing
}

/** What the lists of the house show, read again when it may have changed. */
export interface Known {
  /** Reads every list anew. */
  learn(): Promise<void>
  /** Items of the list at this path of the description, or what a route without a list shows, as the only one. */
  things(path: string): readonly Thing[]
  /** Every real id, of whatever kind. */
  readonly ids: readonly string[]
  /** What the addresses of this route can stand for; throws for a route whose address nobody here knows to fill in. */
  candidates(operation: Operation): readonly Candidate[]
  /** The thing as it is now, where a route shows it alone. */
  fresh(operation: Operation, candidate: Candidate): Promise<Thing>
}

export type Read = (
  operation: Operation,
  params: Candidate['params'],
  query: Readonly<Record<string, string>>
) => Promise<Thing | undefined>

const text = (value: unknown): string => String(value ?? '')
const listIn = (thing: Thing | undefined, name = 'items'): readonly Thing[] => (thing?.[name] as readonly Thing[] | undefined) ?? []

export function newKnown({ operations }: Description, read: Read, erp: { connection: string }): Known {
  const lists = new Map<string, readonly Thing[]>()
  const ids = new Set<string>()
  const byPath = new Map(operations.filter(({ method }) => method === 'GET').map(operation => [operation.path, operation]))
  const things = (path: string): readonly Thing[] => lists.get(path) ?? []
  const get = async (
    path: string,
    params: Candidate['params'] = {},
    query: Readonly<Record<string, string>> = {}
  ): Promise<Thing | undefined> => {
    const operation = byPath.get(path)
    if (!operation) throw new Error(`the description has no GET ${path}`)
    return read(operation, params, query)
  }
  const each = (path: string, param: string, field = 'id'): readonly Candidate[] =>
    things(path).map(thing => ({ params: { [param]: text(thing[field]) }, thing }))

  /** What stands in an address up to and including its last parameter. */
  const sources: Readonly<Record<string, () => readonly Candidate[]>> = {
    '/api/v1/connections/{id}': () => each('/api/v1/connections', 'id'),
    '/api/v1/connections/{id}/pulls/{kind}': () =>
      each('/api/v1/connections', 'id').flatMap(({ params, thing }) =>
        ['workOrder', 'article'].slice(0, thing.adapter === 'kit.rest' ? 1 : 2).map(kind => ({ params: { ...params, kind }, thing }))
      ),
    '/api/v1/connections/{connection}': () => each('/api/v1/connections', 'connection'),
    '/api/v1/connections/{connection}/access/{id}': () =>
      things('access').map(thing => ({ params: { connection: text(thing.connection), id: text(thing.id) }, thing })),
    '/api/v1/deliveries/{id}': () => each('/api/v1/deliveries', 'id'),
    '/api/v1/rejects/{id}': () => each('/api/v1/rejects', 'id'),
    '/api/v1/outbox/{number}': () => each('/api/v1/outbox', 'number', 'number'),
    // Whose sessions they are, who asks decides.
    '/api/v1/session/list/{id}': () => [{ params: { id: '0190ffff-ffff-7fff-8fff-ffffffffffff' }, thing: {} }],
    '/api/v1/users/{id}': () => each('/api/v1/users', 'id'),
    '/api/v1/roles/{id}': () => each('/api/v1/roles', 'id'),
    '/api/v1/groups/{id}': () => each('/api/v1/groups', 'id'),
    '/api/v1/departments/{code}': () => each('/api/v1/departments', 'code', 'code'),
    '/api/v1/api-keys/{id}': () => each('/api/v1/api-keys', 'id'),
    '/api/v1/hours/bookings/{id}': () => each('/api/v1/hours', 'id'),
    '/api/v1/articles/{number}': () => each('/api/v1/articles', 'number', 'number'),
    '/api/v1/pick-lists/{listId}': () => each('/api/v1/pick-lists', 'listId'),
    '/api/v1/pick-lists/{listId}/lines/{lineId}': () =>
      things('lines').map(thing => ({ params: { listId: text(thing.listId), lineId: text(thing.id) }, thing })),
    '/api/v1/work-orders/{orderId}': () => each('/api/v1/work-orders', 'orderId'),
    '/api/v1/work-orders/{orderId}/changes/{changeId}': () =>
      things('changes').map(thing => ({ params: { orderId: text(thing.orderId), changeId: text(thing.id) }, thing })),
    '/api/v1/scrap-reasons/{code}': () => each('/api/v1/scrap-reasons', 'code', 'code'),
    '/api/v1/jobs/{jobId}': () => each('jobs', 'jobId'),
    '/api/v1/reports/{reportId}': () => each('reports', 'reportId'),
    '/erp/v1/{connection}': () => [{ params: erp, thing: {} }],
    '/erp/v1/{connection}/{route}': () =>
      ['articles', 'locations', 'employees', 'acks'].map(route => ({ params: { ...erp, route }, thing: { state: route } })),
    '/erp/v1/{connection}/deliveries/{id}': () =>
      things('/api/v1/deliveries')
        .filter(({ connectionId }) => connectionId === erp.connection)
        .map(thing => ({ params: { ...erp, id: text(thing.id) }, thing }))
  }

  /** Things that stand inside others. */
  async function learnInner(): Promise<void> {
    const access: Thing[] = []
    for (const { id } of things('/api/v1/connections').slice(-6)) {
      const held = await get('/api/v1/connections/{connection}/access', { connection: text(id) })
      access.push(...listIn(held).map(thing => ({ ...thing, connection: id, state: thing.revokedAt === null ? 'open' : 'revoked' })))
    }
    lists.set('access', access)
    const lines: Thing[] = []
    for (const { id } of things('/api/v1/pick-lists').slice(-4)) {
      const list = await get('/api/v1/pick-lists/{listId}', { listId: text(id) })
      lines.push(...listIn(list, 'lines').map(line => ({ ...line, listId: id, status: list?.status })))
    }
    lists.set('lines', lines)
    const jobs: Thing[] = []
    const reports: Thing[] = []
    const changes: Thing[] = []
    for (const { id } of things('/api/v1/work-orders').slice(0, 12)) {
      const order = await get('/api/v1/work-orders/{orderId}', { orderId: text(id) })
      jobs.push(...listIn(order, 'operations'))
      const history = await get('/api/v1/work-orders/{orderId}/history', { orderId: text(id) })
      reports.push(...listIn(history, 'reports').map(thing => ({ ...thing, state: thing.kind })))
      changes.push(...listIn(history, 'changes').map(thing => ({ ...thing, orderId: id })))
    }
    lists.set('jobs', jobs).set('reports', reports).set('changes', changes)
  }

  return {
    things,
    get ids() {
      return [...ids]
    },
    async learn() {
      const day = new Date().toISOString().slice(0, 10)
      for (const [path, operation] of byPath) {
        if (path.includes('{') || path === '/api/v1/live' || path === '/api/v1/why' || path.startsWith('/health/')) continue
        const names = new Set(operation.parameters.map(({ name }) => name))
        const query = {
          ...(names.has('limit') ? { limit: '200' } : {}),
          ...(names.has('day') ? { day } : {}),
          ...(path === '/api/v1/work-orders' ? { sort: 'newest' } : {})
        }
        const found = await get(path, {}, query)
        if (found) lists.set(path, Array.isArray(found.items) ? listIn(found) : [found])
      }
      await learnInner()
      for (const list of lists.values()) for (const { id } of list) if (typeof id === 'string' && id.length === 36) ids.add(id)
    },
    candidates(operation) {
      const prefix = /^(.*\{\w+\})[^{]*$/.exec(operation.path)?.[1]
      if (prefix === undefined) return [{ params: {}, thing: {} }]
      const source = sources[prefix]
      if (!source) throw new Error(`${operation.method} ${operation.path}: nobody here knows what to put into ${prefix}; say it in sources`)
      return source()
    },
    async fresh(operation, { params, thing }) {
      const own = byPath.get(/^(.*\{\w+\})/.exec(operation.path)?.[1] ?? '')
      if (!own || operation.method === 'GET' || operation.path.startsWith('/erp/')) return thing
      const shown = await read(own, params, {})
      // Some answer with the thing inside.
      const inner = (shown?.message ?? shown?.delivery ?? shown?.user ?? shown) as Thing | undefined
      return own.path.split('{').length === operation.path.split('{').length ? { ...thing, ...inner } : thing
    }
  }
}

/** In which state a thing is, for the count of what was reached. */
export const stateOf = ({ orderStatus, status, state, active }: Thing): string => {
  if (orderStatus === 'closed' || orderStatus === 'cancelled') return orderStatus
  return text(status ?? state ?? (active === false ? 'off' : ''))
}
