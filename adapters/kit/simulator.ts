import {
  AdapterError,
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  isSecret,
  type Json,
  revealed,
  TransportError
} from '../contract/index.ts'
import { type Books, openBooks } from './books.ts'
import type { Answer, Arrived, Delivery, Erp } from './erp.ts'

/** What goes wrong with one write. `slow`: the answer is given up while the ERP still works and books it 45 seconds later. */
export const writeFaults = ['ok', 'refuse', '429', 'drop-after-commit', '500-after-commit', 'slow'] as const
/** What goes wrong with one read: the connection breaks, or the ERP answers with an error. */
export type ReadFault = 'ok' | 'drop' | '503'
export type WriteFault = (typeof writeFaults)[number] | 'drop-before-commit' | 'late-visibility'

export interface TestClock {
  now(): Date
  sleep(milliseconds: number): Promise<void>
  /** Moves on; what falls due in between happens. */
  advanceTo(at: number): void
  at(time: number, act: () => void): void
  /** The next thing that falls due. */
  nextDue(): number | undefined
}

export function testClock(start = '2026-03-02T07:00:00Z'): TestClock {
  let now = Date.parse(start)
  let due: { time: number; act: () => void }[] = []
  function advanceTo(target: number): void {
    for (;;) {
      const [next] = due.filter(({ time }) => time <= target).sort((a, b) => a.time - b.time)
      if (!next) break
      due = due.filter(entry => entry !== next)
      now = Math.max(now, next.time)
      next.act()
    }
    now = Math.max(now, target)
  }
  return {
    now: () => new Date(now),
    sleep: async milliseconds => advanceTo(now + milliseconds),
    advanceTo,
    at: (time, act) => void due.push({ time, act }),
    nextDue: () => due.map(({ time }) => time).sort((a, b) => a - b)[0]
  }
}

export interface Ack {
  readonly key: string
  readonly result: 'accepted' | 'rejected'
  readonly document?: string
  readonly message?: string
}

/** An ERP in memory: books, a web service, a reader of our outbox; it can fail in named ways. */
export interface Simulator {
  readonly books: Books
  /** The next writes fail like this, one after the other; then they pass. */
  readonly faults: WriteFault[]
  /** The same for reads. */
  readonly readFaults: ReadFault[]
  /** `over`: the run was stopped, no call gets through any more. */
  readonly behaviour: { searchFails: boolean; visibleAfterSeconds: number; over: boolean }
  readonly http: HttpClient
  readonly outbox: { write(name: string, body: Uint8Array | string): Promise<'written' | 'same-already-there'> }
  /** What stands in the outbox, by name. */
  readonly files: ReadonlyMap<string, Uint8Array>
  /** Every call that was made, so that a check can see a write where none may be. */
  readonly calls: readonly HttpRequest[]
  isRead(call: HttpRequest): boolean
  /** The process dies at its nth call from now on, once: before the ERP gets it, or behind what the ERP did. */
  dieAt(call: number, when: 'before' | 'behind'): void
  /** What the process was doing, or `died` when it died meanwhile; the next one begins afresh. */
  alive<T>(doing: Promise<T>): Promise<T | typeof died>
  /** Answers that the ERP owes for what it read out of the outbox. */
  takeAcks(): Ack[]
}

export const died = Symbol('died')
const slowSeconds = 45
/** Later than a first repetition, so that a second document is not hidden by a quick answer. */
const ackSeconds = 60

export function openSimulator(erp: Erp, clock: TestClock): Simulator {
  const behaviour = { searchFails: false, visibleAfterSeconds: 0, over: false }
  const books = openBooks(() => clock.now().getTime(), behaviour)
  const faults: WriteFault[] = []
  const readFaults: ReadFault[] = []
  const files = new Map<string, Uint8Array>()
  const calls: HttpRequest[] = []
  let acks: Ack[] = []

  /** The ERP fetches a file at once. It knows the names it booked, as the adapter's README asks of it. */
  const known = new Set<string>()
  function fetch(name: string, body: Uint8Array): void {
    const key = erp.read?.(name, body)
    if (key === undefined || known.has(name)) return
    const answer = books.post(key, Buffer.from(body).toString('utf8'))
    if (!('refused' in answer)) known.add(name)
    const ack: Ack =
      'refused' in answer ? { key, result: 'rejected', message: answer.refused } : { key, result: 'accepted', document: answer.document }
    clock.at(clock.now().getTime() + ackSeconds * 1000, () => void acks.push(ack))
  }

  async function write(name: string, content: Uint8Array | string): Promise<'written' | 'same-already-there'> {
    const fault = faults.shift() ?? 'ok'
    const body = typeof content === 'string' ? Buffer.from(content, 'utf8') : Buffer.from(content)
    if (fault === 'refuse') throw new TransportError('none', 'The outbox cannot be reached.')
    if (fault === '429') throw new AdapterError('rate-limit', 'Too many at once.', { retryAfterSeconds: 7 })
    if (fault === 'drop-before-commit') throw new Error('lost on the way')
    if (fault === 'slow') await clock.sleep(slowSeconds * 1000)
    const before = files.get(name)
    files.set(name, body)
    fetch(name, body)
    if (fault === 'ok' || fault === 'slow') return before && Buffer.compare(before, body) === 0 ? 'same-already-there' : 'written'
    throw new Error('lost on the way back')
  }

  let death: { left: number; readonly when: 'before' | 'behind' } | undefined
  let dying = Promise.withResolvers<typeof died>()
  const never = new Promise<never>(() => {})

  async function request(call: HttpRequest): Promise<HttpResponse> {
    calls.push(call)
    if (behaviour.over) throw new TransportError('none', 'The run is over.')
    const arrived = arrivedOf(call)
    const serve = (): Answer => erp.serve?.(arrived, books) ?? { status: 404 }
    if (death && --death.left === 0) {
      if (death.when === 'behind') guarded(serve)
      death = undefined
      dying.resolve(died)
      return never
    }
    if (isRead(call)) {
      const fault = readFaults.shift() ?? 'ok'
      if (fault === 'drop') throw new TransportError('possible', 'The connection broke.')
      return respond(fault === '503' ? { status: 503 } : behaviour.searchFails && erp.isRead ? { status: 500 } : guarded(serve))
    }
    const fault = faults.shift() ?? 'ok'
    switch (fault) {
      case 'refuse':
        throw new TransportError('none', 'The connection was refused.')
      case '429':
        return respond({ status: 429, headers: { 'retry-after': '7' } })
      case 'drop-before-commit':
        throw new TransportError('possible', 'The connection broke.')
      case 'slow':
        clock.at(clock.now().getTime() + slowSeconds * 1000, () => void serve())
        throw new TransportError('possible', 'No answer within the time.')
      case 'drop-after-commit':
        serve()
        throw new TransportError('possible', 'The connection broke.')
      case '500-after-commit':
        serve()
        return respond({ status: 500 })
      case 'late-visibility':
        behaviour.visibleAfterSeconds = 60
        serve()
        behaviour.visibleAfterSeconds = 0
        throw new TransportError('possible', 'The connection broke.')
      default:
        return respond(guarded(serve))
    }
  }

  const isRead = (call: HttpRequest): boolean => erp.isRead?.(arrivedOf(call)) ?? (call.method === 'GET' || call.method === 'HEAD')

  return {
    isRead,
    dieAt(call, when) {
      death = { left: call, when }
    },
    async alive(doing) {
      const ended = await Promise.race([doing, dying.promise])
      if (ended === died) dying = Promise.withResolvers()
      return ended
    },
    books,
    faults,
    readFaults,
    behaviour,
    files,
    calls,
    http: { request },
    outbox: { write },
    takeAcks() {
      const given = acks
      acks = []
      return given
    }
  }
}

/** A call with its secrets opened, as the ERP sees it. */
function arrivedOf({ json, headers = {}, ...call }: HttpRequest): Arrived {
  const opened = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, isSecret(value) ? value.reveal() : value]))
  return { ...call, headers: opened, ...(json === undefined ? {} : { json: revealed(json) }) }
}

/** What goes wrong inside the ERP is its 500. */
function guarded(serve: () => Answer): Answer {
  try {
    return serve()
  } catch {
    return { status: 500 }
  }
}

function respond({ status, headers = {}, json = null }: Answer): HttpResponse {
  const text = JSON.stringify(json)
  return {
    status,
    headers,
    json: async () => JSON.parse(text) as Json,
    text: async () => text,
    async *lines() {
      yield* text.split('\n')
    }
  }
}

/** Faults of deliveries. `partial-file`: only the first share of its bytes; `reorder`: backwards; `duplicate-delivery`: the last one twice. */
export const partialFile = (delivery: Delivery, share: number): Delivery =>
  delivery.way === 'file'
    ? { ...delivery, body: delivery.body.subarray(0, Math.floor(delivery.body.length * share)) }
    : { ...delivery, body: delivery.body.slice(0, Math.floor(delivery.body.length * share)) }
export const reorder = (deliveries: readonly Delivery[]): Delivery[] => [...deliveries].reverse()
export const duplicateDelivery = (deliveries: readonly Delivery[]): Delivery[] => [...deliveries, ...deliveries.slice(-1)]
