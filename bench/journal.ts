import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { TxCtx } from '../core/context.ts'
import { view, withTx } from '../core/db/tx.ts'
import { newId } from '../core/ids.ts'
import { journal } from '../core/journal/append.ts'
import { type Bench, median } from './figures.ts'
import { freshTable, openShop } from './shop.ts'
import { inTurns, shareOf } from './turns.ts'

const writers = 8
const own = view<never>()
const given = { subject: 'workorders.job', data: { quantity: '3', operation: '10' } }

const change = (tx: TxCtx, id: string) =>
  sql`update workorders.job set version = version + 1, changed_at = ${tx.clock.iso()}::timestamptz where id = ${id}`.execute(own(tx))

/** The same columns in a table that nobody protects: no triggers, no order of commits, no seal, nothing told to control. */
const plain = (tx: TxCtx, id: string) =>
  sql`insert into bench.entry (id, epoch, at, actor_kind, actor_id, act, subject, subject_id, request_id, data)
    values (${newId()}, 1, ${tx.clock.iso()}::timestamptz, ${tx.principal.kind}, ${tx.principal.id}, 'job.bench', ${given.subject}, ${id}, ${tx.requestId},
      ${JSON.stringify(given.data)}::jsonb)`.execute(own(tx))
const plainTable = `create table bench.entry (seq bigint generated always as identity primary key, id uuid not null unique,
  epoch integer not null, at timestamptz not null, actor_kind text not null, actor_id text not null, act text not null, subject text not null,
  subject_id text not null, request_id text not null, data jsonb not null, created_at timestamptz not null default now());
  create index on bench.entry (subject, subject_id, seq)`

export const bench: Bench = {
  name: 'journal',
  goals: ['G16'],
  async run(t, _say, { short }) {
    const shop = await openShop(t, short ? 200 : 2_000)
    const { at, ctx } = shop
    await freshTable(ctx, plainTable)
    const seconds = short ? 1 : 2
    async function drive(one: (tx: TxCtx, id: string) => Promise<unknown>, time = seconds): Promise<number> {
      const until = performance.now() + time * 1_000
      let turn = 0
      const began = performance.now()
      const writer = async (): Promise<void> => {
        while (performance.now() < until) {
          const id = shop.jobs[turn++ % shop.jobs.length] ?? ''
          await withTx(ctx, async tx => {
            await change(tx, id)
            await one(tx, id)
          })
        }
      }
      await Promise.all(Array.from({ length: writers }, writer))
      return turn / ((performance.now() - began) / 1_000)
    }
    const noted = (tx: TxCtx, id: string) => journal.append(tx, { act: 'job.bench', subjectId: id, ...given })
    await at.house.startWork()

    const unsealed = async (): Promise<number> => {
      const { rows } = await sql<{ open: string }>`select count(*) as open from journal.entry where xid >=
        coalesce((select to_xid from journal.seal order by number desc limit 1), '0'::xid8)`.execute(own(ctx))
      return Number(rows[0]?.open)
    }
    /** Nothing of ours is left to do while the limit is measured. */
    async function sealed(): Promise<void> {
      for (let tries = 0; tries < 300; tries++) {
        if ((await unsealed()) === 0) return
        await sleep(100)
      }
      throw new Error('the journal was not sealed within 30 seconds')
    }
    const measure = {
      ours: () => drive(noted),
      limit: async () => {
        await sealed()
        return drive(plain)
      }
    }
    await measure.ours()
    await measure.limit()
    const speeds = await inTurns(short ? 1 : 7, measure)
    await sealed()
    return [
      {
        name: 'G16 journalled and sealed transaction, of one with an unprotected table',
        unit: 'x',
        values: shareOf(speeds),
        goal: 0.85,
        moonshot: 0.95,
        atLeast: true,
        note: `${median(speeds.ours).toFixed(0)} a second against ${median(speeds.limit).toFixed(0)}`
      }
    ]
  }
}
