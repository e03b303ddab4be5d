import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { Log } from '../log.ts'
import { plainClient } from './client.ts'

/**
 * Whether the database server answers at all. A server that was stopped, or whose network is gone, closes nothing: without this a request
 * would wait for as long as the silence lasts. A server that refuses, or is not there, says so itself and is not silent.
 */
export interface Pulse {
  readonly silent: boolean
  /** Called when a silence begins. @returns stops listening */
  onSilent(listener: () => void): () => void
  stop(): Promise<void>
}

const everyMs = 250
const tickMs = 50
/** Together with `everyMs` well below the two seconds after which whoever waits must have an answer. */
const patienceMs = 1_250
/**
 * The same for a connection, of which a server that has just started again makes hundreds at once: taken for a silence, that would cut all
 * that are there already.
 */
const connectPatienceMs = 2_750
/** A question that has no answer after this is asked anew on another connection: the old one may be dead. */
const longestMs = 3_000

/** Asks the server again and again on a connection of its own. */
export function startPulse(options: { url: string; log: Log }): Pulse {
  const { url, log } = options
  const listeners = new Set<() => void>()
  const stopping = new AbortController()
  let client: pg.Client | undefined
  let silent = false
  /** Counted in ticks of the event loop, not by the clock: a process that was busy itself proves nothing against the server. */
  let waitedMs = 0
  let asking = false
  let connecting = false
  let givenUp = false

  function answered(): void {
    waitedMs = 0
    if (!silent) return
    silent = false
    log.info({ op: 'database' }, 'the database answers again')
  }

  const timer = setInterval(() => {
    if (!asking) return
    waitedMs += tickMs
    if (waitedMs >= (connecting ? connectPatienceMs : patienceMs) && !silent) {
      silent = true
      log.error({ op: 'database' }, 'the database does not answer: what waits for it is refused until it does')
      for (const listener of [...listeners]) listener()
    }
    if (waitedMs % longestMs === 0) {
      givenUp = true
      cut(client)
    }
  }, tickMs)
  timer.unref()

  async function ask(): Promise<void> {
    asking = true
    givenUp = false
    try {
      if (!client) {
        client = plainClient(url, 'werkvloer pulse')
        connecting = true
        await client.connect()
        connecting = false
        answered()
      }
      await client.query('select 1')
      answered()
    } catch {
      // Whatever it said, or that nobody listens there, is an answer; that we hung up is none.
      if (!givenUp) answered()
      cut(client)
      client = undefined
    }
    asking = false
    connecting = false
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await ask()
      await sleep(everyMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)
    }
  }
  const running = run()

  return {
    get silent() {
      return silent
    },
    onSilent(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async stop() {
      clearInterval(timer)
      stopping.abort()
      if (asking) cut(client)
      await running
      await client?.end().catch(() => undefined)
    }
  }
}

/** Ends a connection without a word: a good-bye would wait for a server that says nothing. */
export function cut(client: pg.ClientBase | undefined): void {
  const wire = client as unknown as { readonly connection?: { readonly stream?: { destroy(): void } } } | undefined
  wire?.connection?.stream?.destroy()
}
