import { client, isProblem, type Problem } from '../api/client'
import type { components, operations } from '../api/schema'

export type Job = components['schemas']['Job']
type Body<O extends keyof operations> = operations[O] extends { requestBody?: { content: { 'application/json': infer B } } } ? B : never

/** What a person on the floor does; the queue sends it, in order, until the server has answered. */
export type ActRequest =
  | { readonly kind: 'start'; readonly jobId: string; readonly body: Body<'startJob'> }
  | { readonly kind: 'pause'; readonly jobId: string; readonly body: Body<'pauseJob'> }
  | { readonly kind: 'report'; readonly jobId: string; readonly body: Body<'reportJob'> }
  | { readonly kind: 'complete'; readonly jobId: string; readonly body: Body<'completeJob'> }
  | { readonly kind: 'consume' | 'return'; readonly jobId: string; readonly body: Body<'consumeMaterial'> }
  | { readonly kind: 'undo'; readonly jobId: string; readonly reportId: string; readonly completed: boolean }
  | { readonly kind: 'startOther'; readonly jobId: null; readonly body: Body<'startIndirect'> }
  | { readonly kind: 'stopOther'; readonly jobId: null; readonly body: Body<'stopIndirect'> }

/** waiting: not sent, or sent without an answer. refused: the server said no. old: found at a reload, too late to send unasked. */
export type ActState = 'waiting' | 'sending' | 'refused' | 'old'

export interface Act {
  /** The Idempotency-Key: the same one until the outcome is known, so that nothing happens twice. */
  readonly key: string
  readonly request: ActRequest
  /** What a person calls it: "WO-10021 / 20", or a code of other work. */
  readonly about: string
  /** Instant of the tap. */
  readonly at: string
  readonly state: ActState
  readonly problem?: Problem
  /** It was sent and no answer came. */
  readonly unheard?: boolean
}

export interface ActResult {
  readonly job?: Job
  readonly reportId?: string
}

type Outcome =
  | { readonly is: 'done'; readonly result: ActResult }
  | { readonly is: 'refused'; readonly problem: Problem }
  /** Not reached, or not able to answer now: the outcome is unknown. */
  | { readonly is: 'later'; readonly broken?: Problem }
  | { readonly is: 'ended' }

interface Answer {
  readonly data?: unknown
  readonly error?: unknown
  readonly response: Response
}

function post(request: ActRequest, key: string): Promise<Answer> {
  const headers = { 'idempotency-key': key }
  const signal = AbortSignal.timeout(20_000)
  const given = { headers, signal }
  if (request.kind === 'startOther') return client.POST('/api/v1/hours/indirect/start', { ...given, body: request.body })
  if (request.kind === 'stopOther') return client.POST('/api/v1/hours/indirect/stop', { ...given, body: request.body })
  if (request.kind === 'undo') {
    return client.POST('/api/v1/reports/{reportId}/undo', { ...given, params: { path: { reportId: request.reportId } } })
  }
  const params = { path: { jobId: request.jobId } }
  switch (request.kind) {
    case 'start':
      return client.POST('/api/v1/jobs/{jobId}/start', { ...given, params, body: request.body })
    case 'pause':
      return client.POST('/api/v1/jobs/{jobId}/pause', { ...given, params, body: request.body })
    case 'report':
      return client.POST('/api/v1/jobs/{jobId}/report', { ...given, params, body: request.body })
    case 'complete':
      return client.POST('/api/v1/jobs/{jobId}/complete', { ...given, params, body: request.body })
    case 'consume':
      return client.POST('/api/v1/jobs/{jobId}/consume', { ...given, params, body: request.body })
    case 'return':
      return client.POST('/api/v1/jobs/{jobId}/return', { ...given, params, body: request.body })
  }
}

const later = new Set([408, 425, 429])

async function send({ request, key }: Act): Promise<Outcome> {
  let answer: Answer
  try {
    answer = await post(request, key)
  } catch {
    return { is: 'later' }
  }
  const { data, error, response } = answer
  if (response.ok) return { is: 'done', result: resultOf(request, data) }
  if (response.status === 401) return { is: 'ended' }
  if (!isProblem(error) || response.status > 500 || later.has(response.status)) return { is: 'later' }
  return response.status === 500 ? { is: 'later', broken: error } : { is: 'refused', problem: error }
}

function resultOf(request: ActRequest, data: unknown): ActResult {
  if (request.kind === 'start' || request.kind === 'pause') return { job: data as Job }
  if (request.kind === 'report' || request.kind === 'complete' || request.kind === 'undo') return data as ActResult
  return {}
}

/** How long after the tap an act that a reload found is still sent unasked. */
const freshMs = 15 * 60_000
/** How often a server that breaks on an act is asked before the person is told. */
const patience = 5

export interface Acts {
  subscribe(listener: () => void): () => void
  snapshot(): readonly Act[]
  add(request: ActRequest, about: string): void
  /** Takes away a refused or old one. */
  dismiss(key: string): void
  /** Sends a refused or old one again, as the same act. */
  again(key: string): void
  /** The network is back: no reason to wait longer. */
  nudge(): void
  start(): () => void
}

/**
 * One queue per person: first in, first out, one at a time. It stands in the tab's session storage under the person's id, so that a
 * reload loses nothing and nobody else sends it.
 */
export function createActs(
  personId: string,
  hear: { done: (act: Act, result: ActResult) => void; refused: (act: Act, problem: Problem) => void }
): Acts {
  const place = `werkvloer-acts:${personId}`
  let acts = kept(place)
  const listeners = new Set<() => void>()
  let wake: () => void = () => {}
  let turning = false
  let stopped = true
  let failures = 0

  const set = (next: readonly Act[]) => {
    acts = next
    if (acts.length === 0) sessionStorage.removeItem(place)
    else sessionStorage.setItem(place, JSON.stringify(acts))
    for (const listener of listeners) listener()
  }
  const change = (key: string, to: Partial<Act>) => set(acts.map(act => (act.key === key ? { ...act, ...to } : act)))
  const drop = (key: string) => set(acts.filter(act => act.key !== key))

  async function turn(): Promise<void> {
    if (turning || stopped) return
    turning = true
    for (let act = next(); act && !stopped; act = next()) {
      change(act.key, { state: 'sending' })
      const outcome = await send(act)
      if (outcome.is === 'done') {
        failures = 0
        drop(act.key)
        hear.done(act, outcome.result)
      } else if (outcome.is === 'refused') {
        failures = 0
        change(act.key, { state: 'refused', problem: outcome.problem })
        hear.refused(act, outcome.problem)
      } else if (outcome.is === 'ended') {
        // Nobody is signed in any more; it waits for the same person.
        change(act.key, { state: 'waiting' })
        break
      } else if (outcome.broken && ++failures >= patience) {
        failures = 0
        change(act.key, { state: 'refused', problem: outcome.broken })
      } else {
        if (!outcome.broken) failures++
        change(act.key, { state: 'waiting', unheard: true })
        await pause(Math.min(20_000, 500 * 2 ** Math.min(failures, 6)))
      }
    }
    turning = false
  }

  const next = () => acts.find(act => act.state === 'waiting' || act.state === 'sending')
  const pause = (ms: number) =>
    new Promise<void>(resolve => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  return {
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    snapshot: () => acts,
    add(request, about) {
      set([...acts, { key: crypto.randomUUID(), request, about, at: new Date().toISOString(), state: 'waiting' }])
      void turn()
    },
    dismiss: drop,
    again(key) {
      change(key, { state: 'waiting' })
      void turn()
    },
    nudge() {
      failures = 0
      wake()
      void turn()
    },
    start() {
      stopped = false
      void turn()
      return () => {
        stopped = true
        wake()
      }
    }
  }
}

function kept(place: string): readonly Act[] {
  try {
    const found = JSON.parse(sessionStorage.getItem(place) ?? '[]') as readonly Act[]
    return found.map(act => {
      if (act.state === 'refused') return act
      return { ...act, state: Date.now() - Date.parse(act.at) > freshMs ? 'old' : 'waiting' }
    })
  } catch {
    return []
  }
}

/** Whether the server has yet to hear of it. */
export const isWaiting = (act: Act): boolean => act.state === 'waiting' || act.state === 'sending'
