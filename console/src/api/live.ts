import type { QueryClient } from '@tanstack/react-query'
import { authorization, refresh } from './client'

export type LiveState = 'connecting' | 'live' | 'lost'

/** Which addresses may answer differently after a change in which part of the product. */
const pathsOf: Readonly<Record<string, readonly string[]>> = {
  workorders: ['/api/v1/jobs', '/api/v1/work-orders', '/api/v1/groups', '/api/v1/orders', '/api/v1/scrap', '/api/v1/floor'],
  inventory: ['/api/v1/stock', '/api/v1/pick-lists', '/api/v1/articles', '/api/v1/locations', '/api/v1/jobs'],
  timekeeping: ['/api/v1/hours', '/api/v1/employees', '/api/v1/activity-codes', '/api/v1/jobs'],
  authz: [
    '/api/v1/users',
    '/api/v1/roles',
    '/api/v1/groups',
    '/api/v1/departments',
    '/api/v1/session',
    '/api/v1/api-keys',
    '/api/v1/why',
    '/api/v1/jobs',
    '/api/v1/work-orders'
  ],
  exchange: [
    '/api/v1/floor',
    '/api/v1/hours',
    '/api/v1/connections',
    '/api/v1/deliveries',
    '/api/v1/rejects',
    '/api/v1/reject-causes',
    '/api/v1/outbox',
    '/api/v1/work-orders',
    '/api/v1/feedback'
  ]
}

/** Asked again although nothing was heard: a hint that was lost, or a server that cannot be heard, must not leave old data standing. */
const askAgainMs = { heard: 120_000, unheard: 30_000 }
/** The server sends something every 15 seconds; a connection that is silent for so long is gone without having said so. */
const silenceMs = 45_000
/** A delivery of the ERP changes things many times a second. */
const pauseMs = 1_000

const wait = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })

/** Asks again what is on the screen, one round after the other, so that many changes in a row never cut off their own answers. */
function asker(queries: QueryClient, signal: AbortSignal): (topics: readonly string[] | 'all') => void {
  const wanted = new Set<string>()
  let everything = false
  let busy = false

  async function rounds(): Promise<void> {
    busy = true
    while (!signal.aborted && (everything || wanted.size > 0)) {
      const paths = everything ? undefined : [...wanted].flatMap(topic => pathsOf[topic] ?? [])
      everything = false
      wanted.clear()
      const round = queries.invalidateQueries({
        predicate: ({ queryKey: [, path] }) =>
          paths === undefined || (typeof path === 'string' && paths.some(start => path.startsWith(start)))
      })
      // A query that waits for the network ends only with it.
      await Promise.all([Promise.race([round.catch(() => undefined), wait(10_000, signal)]), wait(pauseMs, signal)])
    }
    busy = false
  }
  return topics => {
    if (topics === 'all') everything = true
    else for (const topic of topics) wanted.add(topic)
    if (!busy) void rounds()
  }
}

/**
 * Follows GET /api/v1/live for as long as the signal lives: each event names the parts of the product in which something changed, and
 * what is on the screen of those parts is asked again. EventSource cannot send a token, so the stream is read by fetch.
 *
 * Events are hints and may get lost: what is on a visible screen is asked again every two minutes while the stream is heard, and every
 * 30 seconds while it is not. Coming back to the window asks too (TanStack Query's own refetchOnWindowFocus).
 */
export async function follow(queries: QueryClient, signal: AbortSignal, say: (state: LiveState) => void): Promise<void> {
  const ask = asker(queries, signal)
  let state: LiveState = 'connecting'
  let asked = Date.now()
  const now = (next: LiveState) => {
    state = next
    say(next)
  }
  const timer = setInterval(() => {
    if (document.hidden || Date.now() - asked < (state === 'live' ? askAgainMs.heard : askAgainMs.unheard)) return
    asked = Date.now()
    ask('all')
  }, 5_000)
  signal.addEventListener('abort', () => clearInterval(timer), { once: true })

  let last = ''
  let failures = 0
  while (!signal.aborted) {
    const connection = new AbortController()
    const cut = () => connection.abort()
    signal.addEventListener('abort', cut)
    let silence = setTimeout(cut, silenceMs)
    try {
      const answer = await fetch('/api/v1/live', {
        headers: { authorization: await authorization(), accept: 'text/event-stream', ...(last === '' ? {} : { 'last-event-id': last }) },
        signal: connection.signal
      })
      // The session may have ended: the refresh finds out, and then the next look for a token says so.
      if (answer.status === 401) await refresh()
      if (!answer.ok || !answer.body) throw new Error(`live ${answer.status}`)
      now('live')
      const began = Date.now()
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
      let rest = ''
      for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
        clearTimeout(silence)
        silence = setTimeout(cut, silenceMs)
        const events = (rest + chunk.value).split('\n\n')
        rest = events.pop() ?? ''
        for (const event of events) {
          const field = (name: string) =>
            event
              .split('\n')
              .find(line => line.startsWith(`${name}: `))
              ?.slice(name.length + 2)
          const unplaced = last === '' && failures > 0
          last = field('id') ?? last
          if (field('event') === 'reset' || unplaced) ask('all')
          if (field('event') === 'changed') ask(JSON.parse(field('data') ?? '[]') as string[])
        }
        failures = 0
      }
      // The token's end; the next stream goes on from `last`. A server that ends at once is not asked without pause.
      if (Date.now() - began < 5_000) throw new Error('live ended')
    } catch {
      if (signal.aborted) break
      failures++
      now('lost')
      // Not all screens at once after a restart of the server.
      await wait(Math.min(10_000, 500 * 2 ** Math.min(failures, 5)) * (0.5 + Math.random() / 2), signal)
    } finally {
      clearTimeout(silence)
      signal.removeEventListener('abort', cut)
      connection.abort()
    }
  }
}
