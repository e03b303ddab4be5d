import type { QueryClient } from '@tanstack/react-query'
import { authorization } from './client'

export type LiveState = 'connecting' | 'live' | 'lost'

/** Which addresses may answer differently after a change in which part of the product. */
const pathsOf: Readonly<Record<string, readonly string[]>> = {
  workorders: ['/api/v1/jobs', '/api/v1/work-orders', '/api/v1/groups', '/api/v1/scrap-reasons', '/api/v1/floor'],
  inventory: ['/api/v1/stock', '/api/v1/pick-lists', '/api/v1/articles', '/api/v1/locations', '/api/v1/jobs'],
  timekeeping: ['/api/v1/hours', '/api/v1/employees', '/api/v1/activity-codes', '/api/v1/jobs'],
  authz: ['/api/v1/users', '/api/v1/roles', '/api/v1/groups', '/api/v1/departments', '/api/v1/session', '/api/v1/api-keys', '/api/v1/why'],
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

function refetch(queries: QueryClient, topics: readonly string[] | undefined): void {
  const paths = topics?.flatMap(topic => pathsOf[topic] ?? [])
  void queries.invalidateQueries({
    predicate: query => {
      const path = query.queryKey[1]
      return paths === undefined || (typeof path === 'string' && paths.some(start => path.startsWith(start)))
    }
  })
}

/**
 * Follows GET /api/v1/live for as long as the signal lives: each event names the parts of the product in which something changed, and
 * what is on the screen of those parts is asked again. EventSource cannot send a token, so the stream is read by fetch.
 */
export async function follow(queries: QueryClient, signal: AbortSignal, say: (state: LiveState) => void): Promise<void> {
  let last = ''
  let failures = 0
  while (!signal.aborted) {
    try {
      const answer = await fetch('/api/v1/live', {
        headers: { authorization: await authorization(), accept: 'text/event-stream', ...(last === '' ? {} : { 'last-event-id': last }) },
        signal
      })
      if (!answer.ok || !answer.body) throw new Error(`live ${answer.status}`)
      say('live')
      // What changed while nobody listened is not known: everything on the screen is asked once.
      if (failures > 0) refetch(queries, undefined)
      failures = 0
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
      let rest = ''
      for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
        const events = (rest + chunk.value).split('\n\n')
        rest = events.pop() ?? ''
        for (const event of events) {
          const field = (name: string) =>
            event
              .split('\n')
              .find(line => line.startsWith(`${name}: `))
              ?.slice(name.length + 2)
          last = field('id') ?? last
          if (field('event') === 'reset') refetch(queries, undefined)
          if (field('event') === 'changed') refetch(queries, JSON.parse(field('data') ?? '[]') as string[])
        }
      }
    } catch {
      if (signal.aborted) return
      failures++
      say('lost')
      await new Promise(resolve => setTimeout(resolve, Math.min(10_000, 500 * 2 ** Math.min(failures, 5))))
    }
  }
}
