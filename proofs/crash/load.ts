import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SimulatedErp } from '../../demo/erp.ts'
import type { DemoOrder } from '../../demo/factory.ts'
import { makeOrders } from '../../demo/factory.ts'
import { orderFile } from '../../demo/files.ts'

/** What the product has acknowledged, and must therefore have. */
export interface Acknowledged {
  readonly orders: DemoOrder[]
  /** Good pieces that were answered with 2xx, by "order/operation". */
  readonly good: Map<string, number>
}

interface Job {
  readonly id: string
  readonly number: string
  readonly orderNumber: string
}

const stamp = '2026-11-23 08:00:00'
const day = () => '2027-12-24'

/** An ERP that brings files until the signal, each as often as it takes until the server has taken it. */
export async function bring(erp: SimulatedErp, acknowledged: Acknowledged, signal: AbortSignal): Promise<void> {
  for (let n = 1; !signal.aborted; n++) {
    const orders = makeOrders(n * 10, 3, day).filter(({ fault }) => fault === undefined)
    for (;;) {
      try {
        await erp.deliver(`WO_${n}.csv`, orderFile(orders, stamp))
        acknowledged.orders.push(...orders)
        break
      } catch {
        await sleep(200)
      }
    }
    await sleep(300)
  }
}

/** The ERP fetches and acknowledges feedback; a lost connection is tried again. */
export async function collect(erp: SimulatedErp, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await erp.collect().catch(() => undefined)
    await sleep(300)
  }
}

/** A person who reports one piece after the other; an act without an answer is sent again under its own key, as the console does. */
export async function work(baseUrl: string, signIn: () => Promise<string>, acknowledged: Acknowledged, signal: AbortSignal): Promise<void> {
  let token = ''
  const call = async (
    method: string,
    path: string,
    body?: unknown,
    key?: string
  ): Promise<{ status: number; body: unknown } | undefined> => {
    try {
      if (token === '') token = await signIn()
      const answer = await fetch(baseUrl + path, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(key ? { 'idempotency-key': key } : {}),
          ...(body === undefined ? {} : { 'content-type': 'application/json' })
        },
        signal: AbortSignal.timeout(15_000),
        ...(body === undefined ? {} : { body: JSON.stringify(body) })
      })
      const text = await answer.text()
      if (answer.status === 401) token = ''
      return { status: answer.status, body: text === '' ? null : JSON.parse(text) }
    } catch {
      return undefined
    }
  }
  let turn = 0
  while (!signal.aborted) {
    const list = await call('GET', '/api/v1/jobs?limit=100')
    const items = list?.status === 200 ? (list.body as { items: readonly Job[] }).items : []
    const job = items[turn++ % Math.max(1, items.length)]
    if (!job) {
      await sleep(200)
      continue
    }
    const key = randomUUID()
    // Also after the signal: what was begun must have an answer, or nobody knows what to expect.
    for (;;) {
      const answer = await call('POST', `/api/v1/jobs/${job.id}/report`, { good: '1', reason: 'more than planned' }, key)
      if (answer !== undefined && answer.status < 300) {
        const place = `${job.orderNumber}/${job.number}`
        acknowledged.good.set(place, (acknowledged.good.get(place) ?? 0) + 1)
        break
      }
      if (answer !== undefined && answer.status >= 400 && answer.status < 500 && ![401, 408, 409, 425, 429].includes(answer.status))
        throw new Error(`a report was refused: ${JSON.stringify(answer.body)}`)
      await sleep(200)
    }
  }
}
