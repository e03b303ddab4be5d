import type pg from 'pg'
import { defineAdapter, eachInOrder } from '../adapters/contract/index.ts'
import { withTx } from '../core/db/tx.ts'
import { type Bench, median } from './figures.ts'
import { freshTable, openShop } from './shop.ts'
import { inTurns, shareOf } from './turns.ts'

/** As many messages as an order's jobs give in a day. */
const perOrder = 10
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

const tables = `create table bench.task (id bigint generated always as identity primary key, queue text not null, payload jsonb not null,
  run_at timestamptz not null default now(), attempts integer not null default 0, state text not null default 'ready');
  create index on bench.task (queue, run_at, id) where state = 'ready';
  create table bench.message (like exchange.outbox including all);
  create index on bench.message (seq) where state = 'waiting';
  create table bench.event (like exchange.outbox_event including all, foreign key (outbox_seq) references bench.message)`

type Loop = (client: pg.ClientBase) => Promise<number>

/** Takes, does nothing, takes away: no order, no retry, no memory of it. */
const taken: Loop = async client => {
  await client.query('begin')
  const { rows } = await client.query<{ id: string }>({
    name: 'take',
    text: `select id, payload from bench.task where queue = 'q' and state = 'ready' and run_at <= now() order by run_at, id
      for update skip locked limit ${perTransaction}`
  })
  await client.query({ name: 'done', text: 'delete from bench.task where id = any($1)', values: [rows.map(({ id }) => id)] })
  await client.query('commit')
  return rows.length
}

/** The same with what a message must leave behind: that it is under way before it goes, what became of it, and both as events. */
const recorded: Loop = async client => {
  const { rows } = await client.query<{ seq: string }>({
    name: 'begin',
    text: `with due as (select seq from bench.message where state = 'waiting' order by seq for update skip locked limit ${perTransaction}),
        begun as (update bench.message m set state = 'sending', attempts = attempts + 1, sent_at = now() from due where m.seq = due.seq returning m.seq, m.record)
      insert into bench.event (outbox_seq, at, event, state, actor) select seq, now(), 'attempt', 'sending', 'host' from begun returning outbox_seq as seq`
  })
  await client.query({
    name: 'end',
    text: `with ended as (update bench.message set state = 'accepted', document = key, settled_at = now() where seq = any($1) returning seq, document)
      insert into bench.event (outbox_seq, at, event, state, detail, actor) select seq, now(), 'accepted', 'accepted', document, 'host' from ended`,
    values: [rows.map(({ seq }) => seq)]
  })
  return rows.length
}

/** Both as many loops at once as there are connections. @returns messages a second */
async function looped(pool: pg.Pool, messages: number, loop: Loop): Promise<number> {
  const began = performance.now()
  const one = async (): Promise<number> => {
    const client = await pool.connect()
    try {
      for (let done = 0; ; ) {
        const more = await loop(client)
        if (more === 0) return done
        done += more
      }
    } finally {
      client.release()
    }
  }
  const done = await Promise.all(Array.from({ length: pool.options.max }, one))
  const took = performance.now() - began
  if (done.reduce((sum, n) => sum + n, 0) !== messages) throw new Error(`the loops took ${done} of ${messages}`)
  return messages / (took / 1_000)
}

export const bench: Bench = {
  name: 'outbox',
  goals: ['G11'],
  async run(t, _say, { short }) {
    const orders = short ? 50 : 500
    const messages = orders * perOrder
    const { at, ctx, connectionId } = await openShop(t, 1, { adapters: [quickErp], adapter: quickErp.manifest.id })
    await freshTable(ctx, tables)
    const { pool } = ctx.db
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

    async function bare(): Promise<number> {
      await pool.query(
        `insert into bench.task (queue, payload) select 'q', jsonb_build_object('order', n, 'tenant', 't1') from generate_series(1, $1::int) n`,
        [messages]
      )
      await pool.query('analyze bench.task')
      return looped(pool, messages, taken)
    }
    async function byHand(round: number): Promise<number> {
      await pool.query(
        `insert into bench.message (key, connection_id, kind, record, ordering_key, ordering_seq, state)
         select $2 || n, $3, 'operationStatus', $4, 'WO-' || n / 10, n, 'waiting' from generate_series(1, $1::int) n`,
        [messages, `${round}-`, connectionId, JSON.stringify(record('WO-1', 1))]
      )
      await pool.query('analyze bench.message')
      const speed = await looped(pool, messages, recorded)
      await pool.query('truncate bench.message, bench.event')
      return speed
    }

    await ours(-1)
    await bare()
    await byHand(-1)
    const hand: number[] = []
    const speeds = await inTurns(short ? 1 : 5, {
      ours,
      limit: async round => {
        hand.push(await byHand(round))
        return bare()
      }
    })
    const mine = `${median(speeds.ours).toFixed(0)} messages a second`
    return [
      {
        name: 'G11 outbox drained, of a bare SKIP LOCKED loop',
        unit: 'x',
        values: shareOf(speeds),
        goal: 0.5,
        passMark: 0.1,
        moonshot: 0.8,
        atLeast: true,
        note: `${mine} against ${median(speeds.limit).toFixed(0)}, see ADR 0018`
      },
      {
        name: 'G11 outbox drained, of a loop that keeps the same record',
        unit: 'x',
        values: shareOf({ ours: speeds.ours, limit: hand }),
        goal: 0.5,
        moonshot: 0.8,
        atLeast: true,
        note: `${mine} against ${median(hand).toFixed(0)}`
      }
    ]
  }
}
