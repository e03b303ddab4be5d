import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { sql } from 'kysely'
import type { Ctx } from '../core/context.ts'
import { view, withTx } from '../core/db/tx.ts'
import { recordDelivery, writeRaw } from '../core/exchange/bodies.ts'
import { localBlobs } from '../core/storage/blobs.ts'
import { signIn } from '../demo/api.ts'
import { connectErp } from '../demo/setup.ts'
import { newLogin } from '../demo/sftp.ts'
import { freshDatabase, withConnection } from '../test/helpers/database.ts'
import { adminPassword, openTestHouse, type TestHouse, type TestTenant } from '../test/helpers/house.ts'
import { type Bench, median } from './figures.ts'
import { postgresProgram } from './programs.ts'

const perOrder = 10

const own = view<never>()

interface Operation {
  readonly order: string
  readonly department: string
  readonly article: string
  readonly description: string
  readonly quantity: string
  readonly due: string
  readonly priority: number
  readonly number: string
  readonly sequence: number
  readonly operationDepartment: string
  readonly operationDescription: string
  readonly setupSeconds: number
  readonly runSeconds: number
}

const departments = ['ZAGEN', 'FREZEN', 'LASSEN', 'MONTAGE']
const changed = '2026-11-24 08:00:00'

function operationOf(n: number): Operation {
  const order = Math.floor(n / perOrder)
  const index = n % perOrder
  return {
    order: `WO-${100_000 + order}`,
    department: departments[order % 4] ?? '',
    article: `A-${1_000 + (order % 500)}`,
    description: `Frame type ${order % 50}`,
    quantity: `${(order % 400) + 1}`,
    due: `2027-03-${10 + (order % 18)}`,
    priority: order % 100,
    number: String((index + 1) * 10),
    sequence: (index + 1) * 10,
    operationDepartment: departments[(order + index) % 4] ?? '',
    operationDescription: `Step ${index + 1} of frame type ${order % 50}`,
    setupSeconds: 60 * (index + 1),
    runSeconds: 30 + (order % 90)
  }
}

/** The file of the ERP: one row for each operation, with the columns of its order (adapters/csv/README.md). */
function orderFile(operations: number): Buffer {
  const head = [
    ...['Order', 'Department', 'Article', 'Description', 'Quantity', 'Unit', 'Due', 'Priority', 'Status', 'Changed', 'Type'],
    ...['Operation', 'Sequence', 'OperationDepartment', 'OperationDescription', 'SetupSeconds', 'RunSeconds']
  ]
  const rows = Array.from({ length: operations }, (_, n) => {
    const o = operationOf(n)
    return [
      ...[o.order, o.department, o.article, o.description, o.quantity, 'PCE', o.due, o.priority, 'released', changed, 'O'],
      ...[o.number, o.sequence, o.operationDepartment, o.operationDescription, o.setupSeconds, o.runSeconds]
    ].join(';')
  })
  return Buffer.from(`${[head.join(';'), ...rows].join('\r\n')}\r\n`)
}

/** The same operations as rows of a plain table with a key, in COPY's text format. */
const copyText = (operations: number): string =>
  Array.from({ length: operations }, (_, n) => {
    const o = operationOf(n)
    return `${[
      ...[o.order, o.number, o.sequence, o.department, o.article, o.description, o.quantity, 'PCE', o.due, o.priority],
      ...['released', o.operationDepartment, o.operationDescription, o.setupSeconds, o.runSeconds]
    ].join('\t')}\n`
  }).join('')

const plainTable = `create table operation (order_number text, number text, sequence int, department text, article text, description text,
  quantity numeric, unit text, due date, priority int, status text, operation_department text, operation_description text, setup_seconds int,
  run_seconds int, primary key (order_number, number))`

/** The same orders and jobs in the product's own tables, made by the server out of nothing: what they cost without anybody bringing them. */
async function bySqlAlone(ctx: Ctx, operations: number): Promise<number> {
  const began = performance.now()
  await withTx(ctx, async tx => {
    await sql`insert into workorders.work_order (id, number, article, description, department_code, quantity, unit, due, priority, erp_status, status)
      select gen_random_uuid(), 'WO-' || o, 'A-' || o % 500, 'Frame type ' || o % 50, 'ZAGEN', o % 400 + 1, 'PCE', '2027-03-10', o % 100, 'released',
        'released' from generate_series(1, ${operations / perOrder}::int) o`.execute(own(tx))
    await sql`insert into workorders.job (id, order_id, number, sequence, department_code, description, setup_seconds, run_seconds, status,
        planned_quantity, priority, due)
      select gen_random_uuid(), id, (s * 10)::text, s * 10, department_code, 'Step ' || s || ' of ' || description, 60 * s, 30, 'released', quantity,
        priority, due from workorders.work_order, generate_series(1, ${perOrder}::int) s`.execute(own(tx))
    await sql`insert into authz.job_scope (job_id, order_number, department_code)
      select j.id, o.number, j.department_code from workorders.job j join workorders.work_order o on o.id = j.order_id`.execute(own(tx))
  })
  return performance.now() - began
}

/** A customer of its own with one connection that may bring work orders. */
async function emptyCustomer(at: TestHouse, tenant: TestTenant): Promise<{ ctx: Ctx; connectionId: string }> {
  await at.admin(tenant)
  const admin = await signIn(at.baseUrl, tenant.code, 'admin', adminPassword)
  const connectionId = await connectErp(admin, { username: `bench-${tenant.code}`, publicLine: newLogin().publicLine })
  return { ctx: await at.ctx(tenant), connectionId }
}

export const bench: Bench = {
  name: 'import',
  goals: ['G1', 'G2'],
  async run(t, say, { short }) {
    const operations = short ? 10_000 : 200_000
    const rounds = short ? 1 : 3
    const dir = mkdtempSync(join(tmpdir(), 'wv-bench-import-'))
    t.teardown(async () => rmSync(dir, { recursive: true, force: true }))
    const psql = postgresProgram('psql')
    const text = join(dir, 'operations.tsv')
    writeFileSync(text, copyText(operations))
    const file = orderFile(operations)
    say(`${operations} operations of ${operations / perOrder} orders, ${(file.length / 1e6).toFixed(0)} MB`)
    const plain = await freshDatabase(t)
    const at = await openTestHouse(t)
    const options = { blobs: localBlobs(join(at.dataDir, 'blobs')), maxFileBytes: file.length }

    /** From the moment the file is stored to the end of its work. @returns milliseconds */
    async function bring(ctx: Ctx, connectionId: string, name: string, wanted: 'new_count' | 'unchanged_count'): Promise<number> {
      const raw = await writeRaw(ctx, options, file)
      const id = (await withTx(ctx, tx => recordDelivery(tx, { ...raw, connectionId, way: 'sftp', name }))).delivery.id
      const began = performance.now()
      await at.house.exchange.importDue(ctx, new AbortController().signal)
      const took = performance.now() - began
      const { rows } = await sql<
        Record<string, string>
      >`select state, ${sql.ref(wanted)} as n, reason from exchange.delivery where id = ${id}::uuid`.execute(own(ctx))
      if (rows[0]?.state !== 'done' || rows[0].n !== String(operations / perOrder))
        throw new Error(`${name} ended as ${JSON.stringify(rows[0])}`)
      return took
    }
    const limit = (): Promise<number> =>
      withConnection(plain.url, async client => {
        await client.query(`drop table if exists operation; ${plainTable}`)
        const began = performance.now()
        await promisify(execFile)(psql, ['-X', '-q', '-c', `\\copy operation from '${text}'`, plain.url])
        const took = performance.now() - began
        const { rows } = await client.query<{ n: string }>('select count(*) as n from operation')
        if (rows[0]?.n !== String(operations)) throw new Error(`psql brought ${rows[0]?.n} rows`)
        return took
      })

    const first: number[] = []
    const again: number[] = []
    const copied: number[] = []
    const alone: number[] = []
    for (let round = 0; round < rounds; round++) {
      const { ctx, connectionId } = await emptyCustomer(at, round === 0 ? at.tenant : await at.newTenant())
      const work = async () => void first.push(await bring(ctx, connectionId, `WO_${round}a.csv`, 'new_count'))
      const raw = async () => void copied.push(await limit())
      for (const one of round % 2 === 0 ? [work, raw] : [raw, work]) await one()
      const { rows } = await sql<{ n: string }>`select count(*) as n from workorders.job`.execute(own(ctx))
      if (rows[0]?.n !== String(operations)) throw new Error(`the customer has ${rows[0]?.n} jobs`)
      alone.push(await bySqlAlone(await at.ctx(await at.newTenant()), operations))
      again.push(await bring(ctx, connectionId, `WO_${round}b.csv`, 'unchanged_count'))
    }
    const speed = (times: readonly number[]): string => `${Math.round(operations / (median(times) / 1_000))} rows/s`
    return [
      {
        name: 'G1 first import, of psql \\copy',
        unit: 'x',
        values: first.map((ms, i) => (copied[i] ?? 0) / ms),
        goal: 0.35,
        passMark: 0.05,
        moonshot: 0.6,
        atLeast: true,
        note: `${speed(first)} against ${speed(copied)}; SQL alone comes to ${(median(copied) / median(alone)).toFixed(2)} of it, see ADR 0015`
      },
      {
        name: 'G1 first import, of the same orders made by SQL alone',
        unit: 'x',
        values: first.map((ms, i) => (alone[i] ?? 0) / ms),
        goal: 0.35,
        moonshot: 0.6,
        atLeast: true
      },
      {
        name: 'G2 nothing changed, of the first import',
        unit: 'x',
        values: first.map((ms, i) => ms / (again[i] ?? 0)),
        goal: 1.5,
        moonshot: 3,
        atLeast: true,
        note: speed(again)
      }
    ]
  }
}
