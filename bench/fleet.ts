import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { sql } from 'kysely'
import { systemClock } from '../core/clock.ts'
import { tenantSeries } from '../core/db/control.ts'
import type { Migration } from '../core/db/migrate.ts'
import { migrateFleet } from '../core/db/provision.ts'
import { view } from '../core/db/tx.ts'
import { sha256 } from '../core/ids.ts'
import { serverUrl, urlFor, withConnection } from '../test/helpers/database.ts'
import { openTestHouse, type TestHouse, type TestTenant } from '../test/helpers/house.ts'
import { type Bench, type Figure, median, type Teardown } from './figures.ts'
import { postgresProgram } from './programs.ts'
import { inTurns } from './turns.ts'

const own = view<never>()
const limitDatabase = (n: number): string => `bench_bare_${process.pid}_${n}`

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

/** G9: a customer with key, roles, database, tables, rights and first administrator, against the database alone. */
async function provision(t: Teardown, at: TestHouse, rounds: number): Promise<{ figure: Figure; tenants: TestTenant[] }> {
  const tenants: TestTenant[] = []
  const turns = await withConnection(serverUrl(), async client => {
    t.teardown(() =>
      withConnection(serverUrl(), async other => {
        for (let n = 0; n < rounds; n++) await other.query(`drop database if exists ${limitDatabase(n)}`)
      })
    )
    return inTurns(rounds, {
      ours: () => timed(async () => void tenants.push(await at.newTenant())),
      limit: round => timed(() => client.query(`create database ${limitDatabase(round)}`))
    })
  })
  const values = turns.ours.map((ms, i) => ms / (turns.limit[i] ?? Number.NaN))
  const note = `${median(turns.ours).toFixed(0)} ms against ${median(turns.limit).toFixed(0)}`
  return { figure: { name: 'G9 customer made, of a bare CREATE DATABASE', unit: 'x', values, goal: 2.5, moonshot: 2, note }, tenants }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function heapBytes(): number {
  for (let n = 0; n < 5; n++) collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function backends(at: TestHouse, tenants: readonly TestTenant[]): Promise<number> {
  const { rows } = await sql<{
    n: number
  }>`select count(*)::int as n from pg_stat_activity a join control.tenant t on t.database = a.datname
    where t.id = any(${tenants.map(({ id }) => id)}::uuid[])`.execute(at.house.control.kysely)
  return rows[0]?.n ?? Number.NaN
}

/** G7: what a customer leaves behind in this process who was here and has gone. */
async function idle(at: TestHouse, tenants: readonly TestTenant[]): Promise<readonly Figure[]> {
  async function visited(by: readonly TestTenant[]): Promise<number> {
    for (const tenant of by) await sql`select 1`.execute(own(await at.ctx(tenant)))
    for (let tries = 0; tries < 300 && (await backends(at, by)) > 0; tries++) await sleep(100)
    return heapBytes()
  }
  // What the process itself learns from the first ones is no customer's.
  const [first, others] = [tenants.slice(0, 2), tenants.slice(2)]
  const before = await visited(first)
  const each = ((await visited(others)) - before) / others.length / 1_000
  return [
    { name: 'G7 idle customer in this process', unit: 'kB', values: [each], goal: 8, moonshot: 3, note: `${others.length} customers` },
    { name: 'G7 idle customers at the database', unit: 'backends', values: [await backends(at, tenants)], goal: 0 }
  ]
}

/** G8: what the first answer takes longer for a customer whom this process has not heard of, or not for a while. */
async function cold(at: TestHouse, tenants: readonly TestTenant[], rounds: number): Promise<Figure> {
  const tokens = new Map<TestTenant, string>()
  for (const tenant of tenants) tokens.set(tenant, await at.admin(tenant))
  const ask = async (token: string): Promise<number> => {
    const began = performance.now()
    const answer = await fetch(`${at.baseUrl}/api/v1/jobs`, { headers: { authorization: `Bearer ${token}` } })
    await answer.arrayBuffer()
    if (answer.status !== 200) throw new Error(`the first answer was ${answer.status}`)
    return performance.now() - began
  }
  const added: number[] = []
  for (let round = 0; round < rounds; round++) {
    for (const [tenant, token] of tokens) {
      await at.house.tenants.drop(tenant.id)
      const first = await ask(token)
      const warm = median([await ask(token), await ask(token), await ask(token)])
      added.push(first - warm)
    }
  }
  added.sort((a, b) => a - b)
  const p95 = added[Math.ceil(added.length * 0.95) - 1] ?? Number.NaN
  const note = `of ${added.length} first answers 95 in 100; the middle one ${median(added).toFixed(1)} ms`
  return { name: 'G8 first answer of a cold customer, above a warm one', unit: 'ms', values: [p95], goal: 25, moonshot: 10, note }
}

/** What a release brings: a column and its index. */
const change = (name: string): string => `alter table workorders.work_order add column ${name} text;
create index on workorders.work_order (${name});`

const nextMigration = (series: readonly Migration[], text: string): Migration[] => {
  const number = series.length + 1
  return [
    ...series,
    { number, name: `${String(number).padStart(4, '0')}_bench.sql`, text, hash: sha256(text).toString('hex'), alone: false }
  ]
}

/** G10: all customers brought to a next version, with ledger, rights and journal, against psql running the same statements one by one. */
async function migrated(t: Teardown, at: TestHouse, rounds: number): Promise<Figure> {
  const psql = postgresProgram('psql')
  const dir = mkdtempSync(join(tmpdir(), 'wv-bench-fleet-'))
  t.teardown(async () => rmSync(dir, { recursive: true, force: true }))
  const rows = await at.house.control.kysely.selectFrom('control.tenant').select(['database']).execute()
  const urls = rows.map(({ database }) => urlFor(serverUrl(), database))
  let series: readonly Migration[] = tenantSeries()
  const turns = await inTurns(rounds, {
    ours: async round => {
      series = nextMigration(series, change(`ours_${round}`))
      return timed(async () => {
        const { migrated: done, failed } = await migrateFleet(at.house.control, systemClock, series)
        if (done.length !== rows.length) throw new Error(`${done.length} of ${rows.length} were migrated: ${failed[0]?.error}`)
      })
    },
    limit: async round => {
      const file = join(dir, `${round}.sql`)
      writeFileSync(file, change(`limit_${round}`))
      return timed(async () => {
        for (const url of urls) await promisify(execFile)(psql, ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-1', '-f', file, url])
      })
    }
  })
  const values = turns.ours.map((ms, i) => ms / (turns.limit[i] ?? Number.NaN))
  const note = `${(median(turns.ours) / 1_000).toFixed(1)} s against ${(median(turns.limit) / 1_000).toFixed(1)}`
  return { name: `G10 ${rows.length} customers migrated, of psql one by one`, unit: 'x', values, goal: 0.5, moonshot: 0.3, note }
}

export const bench: Bench = {
  name: 'fleet',
  goals: ['G7', 'G8', 'G9', 'G10'],
  async run(t, say, { short }) {
    const customers = short ? 12 : 200
    const at = await openTestHouse(t, { settings: { WERKVLOER_POOL_IDLE_SECONDS: '1' } })
    const { figure: made, tenants } = await provision(t, at, short ? 3 : 15)
    const began = performance.now()
    while (tenants.length + 1 < customers) tenants.push(await at.newTenant())
    say(`${customers} customers made, ${((performance.now() - began) / 1_000).toFixed(0)} s`)
    for (const { id } of tenants) await at.house.tenants.drop(id)
    const left = await idle(at, tenants)
    const first = await cold(at, tenants.slice(0, short ? 4 : 40), short ? 2 : 5)
    for (const { id } of tenants) await at.house.tenants.drop(id)
    const brought = await migrated(t, at, short ? 1 : 3)
    return [...left, first, made, brought]
  }
}
