import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import pg from 'pg'
import { cpuOf } from './cpu.ts'
import { type Bench, median } from './figures.ts'
import { load, request } from './load.ts'
import { openShop, type Shop } from './shop.ts'
import { inTurns, shareOf } from './turns.ts'

const clients = 32

/** The row behind the answer, without what the product asks besides: who is asking, and whether the job is theirs to see. */
const sameRow = `select j.id, j.order_id, j.number, j.sequence, j.department_code, j.work_centre, j.description, j.setup_seconds, j.run_seconds,
    j.status, j.planned_quantity, j.good, j.scrap, j.rework, j.priority, j.due, j.version, j.started_at, j.finished_at,
    o.number as order_number, o.status as order_status, o.description as order_description, o.article, o.unit
  from workorders.job j join workorders.work_order o on o.id = j.order_id where j.id = $1`

/** Nothing but Fastify and a named SELECT, on the same database with as many connections. */
async function bareServer(t: { teardown(fn: () => Promise<void>): void }, { ctx }: Shop): Promise<number> {
  const { connectionString, max } = ctx.db.pool.options
  const pool = new pg.Pool({ connectionString, max, idleTimeoutMillis: 0 })
  t.teardown(() => pool.end())
  const app = fastify()
  t.teardown(() => app.close())
  app.get<{ Params: { id: string } }>('/jobs/:id', async ({ params }) => {
    const { rows } = await pool.query({ name: 'job', text: sameRow, values: [params.id] })
    return rows[0]
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return (app.server.address() as AddressInfo).port
}

export const bench: Bench = {
  name: 'api-read',
  goals: ['G5'],
  async run(t, say, { short }) {
    const shop = await openShop(t, short ? 200 : 5_000)
    const authorization = `Bearer ${shop.operator}`
    const asked = {
      ours: {
        port: Number(new URL(shop.at.baseUrl).port),
        requests: shop.jobs.map(id => request('GET', `/api/v1/jobs/${id}`, { authorization }))
      },
      limit: { port: await bareServer(t, shop), requests: shop.jobs.map(id => request('GET', `/jobs/${id}`)) }
    }
    const cost = { ours: [] as number[], limit: [] as number[] }
    async function measure(which: 'ours' | 'limit', seconds = short ? 1 : 1.5): Promise<number> {
      const { result, node, postgres } = await cpuOf(shop.ctx.db.pool, () => load({ ...asked[which], clients, seconds, status: 200 }))
      const { perSecond, p99 } = result
      const each = (milliseconds: number): number => (milliseconds * 1_000) / (perSecond * seconds)
      cost[which].push(each(node) + each(postgres))
      const parts = `node ${each(node).toFixed(0)} us, PostgreSQL ${each(postgres).toFixed(0)} us`
      say(`${which}: ${perSecond.toFixed(0)} a second, 99 of 100 within ${p99.toFixed(0)} ms; ${parts}`)
      return perSecond
    }
    // Statements are planned and code is compiled.
    for (const which of ['ours', 'limit'] as const) await measure(which, short ? 1 : 3)
    cost.ours.length = cost.limit.length = 0
    const speeds = await inTurns(short ? 1 : 7, { ours: () => measure('ours'), limit: () => measure('limit') })
    const [mine, theirs] = [median(cost.ours), median(cost.limit)]
    return [
      {
        name: 'G5 API read of a job, of bare Fastify with a SELECT',
        unit: 'x',
        values: shareOf(speeds),
        goal: 0.65,
        passMark: 0.12,
        moonshot: 0.9,
        atLeast: true,
        note: `${median(speeds.ours).toFixed(0)} a second; ${mine.toFixed(0)} us of a processor against ${theirs.toFixed(0)}: ${(theirs / mine).toFixed(2)}, see ADR 0017`
      }
    ]
  }
}
