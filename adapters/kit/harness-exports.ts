import {
  type Adapter,
  blocksOrder,
  type ExportBatch,
  type ExportItem,
  type ExportKind,
  type ExportOutcome,
  type ExportOutcomeBody,
  type ExportRecords,
  freshMessage,
  type LookupAnswer,
  type MessageEvent,
  type MessageRules,
  type MessageState,
  next,
  shortKey,
  TransportError
} from '../contract/index.ts'
import type { KitCtx } from './erp.ts'
import { type Ack, died, type Simulator, type TestClock } from './simulator.ts'

interface Message {
  readonly key: string
  readonly kind: ExportKind
  readonly record: ExportRecords[ExportKind]
  readonly orderingKey: string
  readonly seq: number
  state: MessageState
}

/** An outcome with what the ERP held at the very moment. */
export interface Seen {
  readonly key: string
  readonly outcome: ExportOutcomeBody
  readonly known: boolean
  readonly inErp: boolean
  readonly atDocument: boolean
}

export interface ExportSide {
  /** @returns the key of the message */
  enqueue<K extends ExportKind>(kind: K, record: ExportRecords[K], orderingKey: string): string
  /**
   * Sends, looks up and waits until nothing more happens by itself; a parked message is decided by what is true.
   * `crashAfter`: the process dies behind this many outcomes of its first batches, once.
   */
  run(options?: { crashAfter?: number }): Promise<void>
  stateOf(key: string): MessageState
  /** A person fixed what the ERP refused. */
  retry(key: string): void
  batchOf(keys: readonly string[], attempt?: number): ExportBatch
  readonly outcomes: readonly Seen[]
  acknowledge(key: string, outcome: ExportOutcomeBody): boolean
  answerWith(send: (acks: readonly Ack[]) => Promise<void>): void
}

/** What can be done for one order: send, or look its head up. */
interface Work {
  readonly batch: readonly Message[]
  readonly lookup: Message | undefined
}

class Died extends Error {}

/** More than any sequence of three faults can need. */
const mostSteps = 500

export function openExports(adapter: Adapter, ctx: KitCtx, clock: TestClock, simulator: Simulator): ExportSide {
  const messages = new Map<string, Message>()
  const outcomes: Seen[] = []
  let send: (acks: readonly Ack[]) => Promise<void> = async () => {}
  const now = (): number => clock.now().getTime()

  function rulesOf(kind: ExportKind): MessageRules {
    return { idempotency: adapter.manifest.exports[kind]?.idempotency ?? 'none', hasLookup: adapter.lookup !== undefined }
  }

  /** @returns whether the event changed anything */
  function apply(message: Message, event: MessageEvent): boolean {
    const state = next(message.state, event, now(), rulesOf(message.kind))
    if (state) message.state = state
    return state !== undefined
  }

  function itemOf({ key, kind, record, orderingKey, seq, state }: Message, attempt = state.attempts): ExportItem {
    const item = { key, kind, record: structuredClone(record), orderingKey, seq, attempt, previous: state.previous }
    return { ...item, shortKey: (length: number) => shortKey(key, length) } as ExportItem
  }

  const batchFor = (items: readonly ExportItem[]): ExportBatch => {
    const key = `batch-${items[0]?.key ?? ''}`
    return { key, shortKey: length => shortKey(key, length), items }
  }

  /** The head of each order and what may go with it. */
  function due(): Work[] {
    const orders = new Map<string, Message[]>()
    for (const message of messages.values()) orders.set(message.orderingKey, [...(orders.get(message.orderingKey) ?? []), message])
    return [...orders.values()].flatMap((list): Work[] => {
      const open = list.filter(message => blocksOrder(message.state.state))
      const [head] = open
      if (!head || (head.state.nextAttemptAt ?? 0) > now()) return []
      if (head.state.state === 'unknown') return [{ batch: [], lookup: head }]
      const stop = open.findIndex(({ state }) => !(state.state === 'waiting' || state.state === 'sealed'))
      const batch = open.slice(0, stop < 0 ? undefined : stop).slice(0, adapter.manifest.limits?.maxBatch ?? 100)
      return batch.length > 0 ? [{ batch, lookup: undefined }] : []
    })
  }

  function note(outcome: ExportOutcome): void {
    const known = messages.has(outcome.key)
    const document = 'ref' in outcome ? outcome.ref.document : ''
    outcomes.push({
      key: outcome.key,
      outcome,
      known,
      inErp: simulator.books.has(outcome.key),
      atDocument: simulator.files.has(document) || simulator.books.booked.some(entry => entry.document === document)
    })
  }

  /** Items until the process dies; what it was doing then is never heard of. */
  async function* whileAlive<T>(source: AsyncIterable<T> | Iterable<T>): AsyncIterable<T> {
    const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
    let ended = false
    try {
      for (;;) {
        const step = await simulator.alive(Promise.resolve(iterator.next()))
        ended = step === died || step.done === true
        if (step === died) throw new Died()
        if (step.done) return
        yield step.value
      }
    } finally {
      if (!ended) await iterator.return?.()
    }
  }

  async function sendBatch(batch: readonly Message[], crashAfter: number | undefined): Promise<number> {
    for (const message of batch) apply(message, { type: 'sealed' })
    for (const message of batch) apply(message, { type: 'attempt' })
    let heard = 0
    let failure: unknown
    try {
      const answers = adapter.export?.(batchFor(batch.map(message => itemOf(message))), ctx) ?? []
      if (crashAfter !== 0) {
        for await (const outcome of whileAlive(answers)) {
          note(outcome)
          heard++
          const message = messages.get(outcome.key)
          if (message) apply(message, { type: 'outcome', outcome })
          if (heard === crashAfter) break
        }
      }
    } catch (error) {
      failure = error
    }
    const reason = failure instanceof Error ? failure.message : 'no outcome'
    const harmless = failure instanceof TransportError && failure.effect === 'none'
    for (const message of batch.filter(({ state }) => state.state === 'sending')) {
      apply(message, harmless ? { type: 'outcome', outcome: { status: 'not-sent', reason } } : { type: 'no-outcome', reason })
    }
    return heard
  }

  async function lookUp(message: Message): Promise<void> {
    let found: LookupAnswer | undefined
    try {
      for await (const answer of whileAlive(adapter.lookup?.([itemOf(message)], ctx) ?? [])) if (answer.key === message.key) found = answer
    } catch {
      apply(message, { type: 'lookup-failed' })
      return
    }
    apply(message, { type: 'lookup', answer: found ?? { found: 'cannot-tell', reason: 'no answer' } })
  }

  /** Plays the person who knows what is true. */
  function decide(): boolean {
    let decided = false
    for (const message of messages.values()) {
      if (message.state.state !== 'parked') continue
      const entry = simulator.books.booked.find(({ key }) => key === message.key)
      const event: MessageEvent = entry
        ? { type: 'decide', decision: 'there', ref: { document: entry.document } }
        : { type: 'decide', decision: 'send' }
      decided = apply(message, event) || decided
    }
    return decided
  }

  async function run({ crashAfter }: { crashAfter?: number } = {}): Promise<void> {
    let left = crashAfter
    for (let step = 0; step < mostSteps; step++) {
      const acks = simulator.takeAcks()
      if (acks.length > 0) await send(acks)
      const work = due()
      for (const { batch, lookup } of work) {
        if (lookup) await lookUp(lookup)
        else {
          const heard = await sendBatch(batch, left)
          // Having died once, it lives on.
          if (left !== undefined) left = left > heard ? left - heard : undefined
        }
      }
      if (work.length > 0) continue
      const times = [...messages.values()].flatMap(({ state }) => (state.nextAttemptAt === null ? [] : [state.nextAttemptAt]))
      const wake = [...times, clock.nextDue() ?? Number.POSITIVE_INFINITY].filter(time => time > now()).sort((a, b) => a - b)[0]
      if (wake !== undefined && Number.isFinite(wake)) clock.advanceTo(wake)
      else if (!decide() && acks.length === 0) return
    }
    throw new Error(`still busy after ${mostSteps} steps`)
  }

  return {
    outcomes,
    run,
    enqueue(kind, record, orderingKey) {
      const seq = [...messages.values()].filter(message => message.orderingKey === orderingKey).length + 1
      const key = `kit-${kind}-${orderingKey}-${seq}`
      messages.set(key, { key, kind, record, orderingKey, seq, state: freshMessage })
      return key
    },
    stateOf: key => messages.get(key)?.state ?? freshMessage,
    retry(key) {
      const message = messages.get(key)
      if (message) apply(message, { type: 'retry' })
    },
    batchOf: (keys, attempt) => batchFor(keys.flatMap(key => messages.get(key) ?? []).map(message => itemOf(message, attempt))),
    acknowledge(key, outcome) {
      const message = messages.get(key)
      if (message) apply(message, { type: 'ack', outcome })
      return message !== undefined
    },
    answerWith(given) {
      send = given
    }
  }
}
