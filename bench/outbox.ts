import { defineAdapter, eachInOrder } from '../adapters/contract/index.ts'
import { withTx } from '../core/db/tx.ts'
import { type Bench, median } from './figures.ts'
import { freshTable, openShop } from './shop.ts'
import { inTurns, shareOf } from './turns.ts'

/** As many messages as an order's jobs give in a day. */
const perOrder = 10
const loops = 8
const perTransaction = 20

/** An ERP that has booked everything by the time it is asked, so that only our side is measured. */
const quickErp = defineAdapter({
  manifest: {
    api: 1,
    id: 'bench.quick',
    version: '1.0.0',
    displayName: 'Quick ERP',
    vendor: { name: 'Bench', support: 'bench@werkvloer.example' },
    erp: { product: 'Bench', versions: '*' },
    config: { type: 'object', properties: {}, additionalProperties: false },
    configVersion: 1,
    egress: [],
    imports: {},
    exports: { operationStatus: { idempotency: 'native', confirms: 'sync', orderedBy: 'workOrder' } }
  },
  export: batch => eachInOrder(batch, async item => ({ status: 'accepted', ref: { document: item.key } }))
})

const table = `create table bench.task (id bigint generated always as identity primary key, queue text not null, payload jsonb not null,
  run_at timestamptz not null default now(), attempts integer not null default 0, state text not null default 'ready');
  create index on bench.task (queue, run_at, id) where state = 'ready'`
const take = `select id, payload from bench.task where queue = 'q' and state = 'ready' and run_at <= now() order by run_at, id
  for update skip locked limit ${perTransaction}`

export const bench: Bench = {
  name: 'outbox',
  goals: ['G11'],
  async run(t, _say, { short }) {
    const orders = short ? 50 : 500
    const messages = orders * perOrder
    const { at, ctx, connectionId } = await openShop(t, 1, { adapters: [quickErp], adapter: quickErp.manifest.id })
    await freshTable(ctx, table)
    const { exchange } = at.house
    const record = (order: string, n: number) =>
      ({ workOrder: order, operation: String(n * 10), status: 'started', good: { value: '1', unit: 'PCE' }, at: ctx.clock.iso() }) as const

    /** Every message in an order of its own key, all of them through: retries, states, events and batches are kept for each. */
    async function ours(round: number): Promise<number> {
      for (let o = 0; o < orders; o++) {
        const order = `WO-${round}-${o}`
        await withTx(ctx, async tx => {
          for (let n = 1; n <= perOrder; n++)
            await exchange.outbox.enqueue(tx, { kind: 'operationStatus', record: record(order, n), orderingKey: order, connectionId })
        })
      }
      await ctx.db.pool.query('analyze exchange.outbox')
      const began = performance.now()
      await exchange.exportDue(ctx, new AbortController().signal)
      const took = performance.now() - began
      const { rows } = await ctx.db.pool.query<{ n: string }>(
        `select count(*) as n from exchange.outbox where ordering_key like $1 and state = 'accepted'`,
        [`WO-${round}-%`]
      )
      if (rows[0]?.n !== String(messages)) throw new Error(`${rows[0]?.n} of ${messages} messages went through`)
      return messages / (took / 1_000)
    }

    /** Takes, does nothing, takes away: no order, no retry, no memory of it. */
    async function limit(): Promise<number> {
      const { pool } = ctx.db
      await pool.query(
        `insert into bench.task (queue, payload) select 'q', jsonb_build_object('order', n, 'tenant', 't1') from generate_series(1, $1::int) n`,
        [messages]
      )
      await pool.query('analyze bench.task')
      const began = performance.now()
      const loop = async (): Promise<number> => {
        const client = await pool.connect()
        try {
          for (let done = 0; ; ) {
            await client.query('begin')
            const { rows } = await client.query<{ id: string }>({ name: 'take', text: take })
            await client.query({ name: 'done', text: 'delete from bench.task where id = any($1)', values: [rows.map(({ id }) => id)] })
            await client.query('commit')
            if (rows.length === 0) return done
            done += rows.length
          }
        } finally {
          client.release()
        }
      }
      const done = await Promise.all(Array.from({ length: Math.min(loops, pool.options.max) }, loop))
      const took = performance.now() - began
      if (done.reduce((sum, n) => sum + n, 0) !== messages) throw new Error(`the loops took ${done} of ${messages}`)
      return messages / (took / 1_000)
    }

    await ours(-1)
    await limit()
    const speeds = await inTurns(short ? 1 : 5, { ours, limit })
    return [
      {
        name: 'G11 outbox drained, of a SKIP LOCKED loop',
        unit: 'x',
        values: shareOf(speeds),
        goal: 0.5,
        moonshot: 0.8,
        atLeast: true,
        note: `${median(speeds.ours).toFixed(0)} messages a second against ${median(speeds.limit).toFixed(0)}`
      }
    ]
  }
}
