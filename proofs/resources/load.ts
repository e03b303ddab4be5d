import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Customer } from './customers.ts'

/** One request as the client saw it. */
export interface Sample {
  readonly customer: string
  /** Milliseconds of `performance.now()` at which it was sent. */
  readonly at: number
  readonly ms: number
  /** 0: there was no answer within twenty seconds, or the connection broke. */
  readonly status: number
  /** Of a 503 or 429: problem+json with a code and Retry-After. */
  readonly clear: boolean
}

export interface Load {
  readonly samples: readonly Sample[]
  /** Ends it; each report under way is repeated under its key until it is acknowledged. */
  stop(): Promise<void>
}

const patienceMs = 20_000
/** So many of one customer may be under way: a light load stays light where the machine has other things to do. */
const mostUnderWay = 6

/** Every customer reads the list of jobs and reports a piece in turn, so many times a second, a few of them at once. */
export function light(baseUrl: string, customers: readonly { of: Customer; perSecond: number }[]): Load {
  const samples: Sample[] = []
  const stopping = new AbortController()
  const underWay = new Set<Promise<unknown>>()

  async function call(customer: Customer, method: string, path: string, key?: string): Promise<number> {
    const at = performance.now()
    let status = 0
    let clear = false
    try {
      const answer = await fetch(baseUrl + path, {
        method,
        headers: {
          authorization: `Bearer ${customer.token()}`,
          ...(key ? { 'idempotency-key': key, 'content-type': 'application/json' } : {})
        },
        ...(key ? { body: JSON.stringify({ good: '1', reason: 'more than planned' }) } : {}),
        signal: AbortSignal.timeout(patienceMs)
      })
      status = answer.status
      const text = await answer.text()
      clear =
        (answer.headers.get('content-type') ?? '').startsWith('application/problem+json') &&
        Number(answer.headers.get('retry-after')) > 0 &&
        typeof (JSON.parse(text) as { code?: unknown }).code === 'string'
      if (status === 401) customer.renew()
    } catch {
      clear = false
    }
    samples.push({ customer: customer.code, at, ms: performance.now() - at, status, clear })
    return status
  }

  /** Until it is acknowledged, also after the end: what was begun must have an answer, or nobody knows what to expect. */
  async function report(customer: Customer, job: string): Promise<void> {
    const key = randomUUID()
    for (;;) {
      const status = await call(customer, 'POST', `/api/v1/jobs/${job}/report`, key)
      if (status >= 200 && status < 300) {
        customer.acknowledged.set(job, (customer.acknowledged.get(job) ?? 0) + 1)
        return
      }
      if (status >= 400 && status < 500 && ![401, 429].includes(status)) throw new Error(`a report was refused with ${status}`)
      await sleep(1_000)
    }
  }

  async function drive({ of: customer, perSecond }: { of: Customer; perSecond: number }): Promise<void> {
    const mine = new Set<Promise<unknown>>()
    for (let turn = 0; !stopping.signal.aborted; turn++) {
      if (mine.size >= mostUnderWay) await Promise.race(mine).catch(() => undefined)
      const job = customer.jobs[(turn >> 1) % customer.jobs.length] ?? ''
      const one = turn % 2 === 0 ? call(customer, 'GET', '/api/v1/jobs?limit=50') : report(customer, job)
      const kept: Promise<unknown> = one.finally(() => {
        mine.delete(kept)
        underWay.delete(kept)
      })
      mine.add(kept)
      underWay.add(kept)
      kept.catch(() => undefined)
      await sleep(1_000 / perSecond, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }

  const drives = customers.map(drive)
  return {
    samples,
    async stop() {
      stopping.abort()
      await Promise.all(drives)
      await Promise.all(underWay)
    }
  }
}
