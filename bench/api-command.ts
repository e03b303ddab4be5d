import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { freshDatabase } from '../test/helpers/database.ts'
import { cpuOf } from './cpu.ts'
import { type Bench, median } from './figures.ts'
import { load, request } from './load.ts'
import { postgresProgram } from './programs.ts'
import { openShop } from './shop.ts'
import { inTurns, shareOf } from './turns.ts'

const clients = 8

export const bench: Bench = {
  name: 'api-command',
  goals: ['G6'],
  async run(t, say, { short }) {
    const pgbench = postgresProgram('pgbench')
    const run = promisify(execFile)
    const plain = await freshDatabase(t)
    await run(pgbench, ['-i', '-q', '-s', short ? '1' : '10', plain.url])
    const shop = await openShop(t, short ? 200 : 5_000)
    const authorization = `Bearer ${shop.operator}`
    const port = Number(new URL(shop.at.baseUrl).port)
    // As the floor's screen sends it: the key makes a repeat harmless.
    const requests = shop.jobs.map(id =>
      request('POST', `/api/v1/jobs/${id}/report`, { authorization, 'idempotency-key': '{uuid}' }, { good: '1' })
    )
    const seconds = short ? 1 : 2
    async function ours(time = seconds): Promise<number> {
      const work = () => load({ port, clients, seconds: time, requests, status: 201 })
      const { result, node, postgres } = await cpuOf(shop.ctx.db.pool, work)
      const each = (milliseconds: number): string => ((milliseconds * 1_000) / (result.perSecond * time)).toFixed(0)
      say(
        `ours: ${result.perSecond.toFixed(0)} a second, 99 of 100 within ${result.p99.toFixed(0)} ms; node ${each(node)} us, PostgreSQL ${each(postgres)} us`
      )
      return result.perSecond
    }
    async function limit(time = seconds): Promise<number> {
      const args = ['-N', '-n', '-M', 'prepared', '-c', String(clients), '-j', '1', '-T', String(time), plain.url]
      const perSecond = Number(/tps = ([\d.]+)/.exec((await run(pgbench, args)).stdout)?.[1])
      say(`limit: ${perSecond.toFixed(0)} a second`)
      return perSecond
    }
    await ours(short ? 1 : 4)
    await limit(1)
    const speeds = await inTurns(short ? 1 : 7, { ours: () => ours(), limit: () => limit() })
    const { rows } = await shop.ctx.db.pool.query<{ reports: string; messages: string; notes: string }>(
      `select (select count(*) from workorders.report) as reports, (select count(*) from exchange.outbox where kind = 'operationStatus') as messages,
         (select count(*) from journal.entry where act = 'job.report') as notes`
    )
    const { reports, messages, notes } = rows[0] ?? {}
    if (reports === '0' || messages !== reports || notes !== reports) throw new Error(`something was booked half: ${JSON.stringify(rows)}`)
    return [
      {
        name: 'G6 API command: report a quantity, of pgbench -N prepared',
        unit: 'x',
        values: shareOf(speeds),
        goal: 0.35,
        passMark: 0.04,
        moonshot: 0.6,
        atLeast: true,
        note: `${median(speeds.ours).toFixed(0)} a second against ${median(speeds.limit).toFixed(0)} transactions, see ADR 0017`
      }
    ]
  }
}
