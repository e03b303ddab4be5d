import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { migrate, readSeries } from '../../core/db/migrate.ts'
import { openPool } from '../../core/db/pool.ts'
import { type Ctx, fixedClock, newId, type Scope, type TxCtx, wholeScope, withTx } from '../../core/index.ts'
import { journal } from '../../core/journal/append.ts'
import { visible } from '../../modules/authz/grant.ts'
import { insertDepartments, knownDepartments, unknownDepartmentsRule, upsertScopes } from '../../modules/authz/store.ts'
import inventoryModule from '../../modules/inventory/index.ts'
import { closeIntervals, openInterval, running } from '../../modules/timekeeping/intervals.ts'
import { jobActs } from '../../modules/workorders/jobs.ts'
import { orderReceiver, pickListReceiver } from '../../modules/workorders/receivers.ts'
import { freshDatabase } from './database.ts'

export async function openFloor(t: any) {
  const clock = fixedClock('2026-03-02T08:00:00.000Z')
  const fresh = await freshDatabase(t)
  const client = new pg.Client({ connectionString: fresh.url })
  await client.connect()
  await migrate(client, readSeries(new URL('../../migrations/tenant', import.meta.url).pathname))
  await client.end()
  const log = {
    info() {},
    warn(...a: any[]) {
      console.error(a)
    },
    error() {},
    child() {
      return log
    }
  } as any
  const db = openPool({ connectionString: fresh.url, max: 25, idleSeconds: 5, name: 'test', log })
  t.teardown(() => db.end())
  const connectionId = newId()
  await db.pool.query(
    `insert into exchange.connection (id,name,adapter,adapter_version,config,config_version,time_zone,locale,state) values ($1,'erp','csv','1','{}',1,'Europe/Amsterdam','nl','active')`,
    [connectionId]
  )
  const ctx = (scope: Partial<Scope> = wholeScope): Ctx => ({
    tenant: { id: newId(), code: 'test', zone: 'Europe/Amsterdam', keys: {} as any },
    principal: { kind: 'system', id: 'test' },
    grant: {
      permissions: new Set<string>(),
      scope: { all: false, departments: [], workCentres: [], orders: [], orderPatterns: [], ...scope }
    },
    log,
    clock,
    requestId: newId(),
    db
  })
  const outbox: any = {
    async enqueue(tx: TxCtx, m: any) {
      const key = newId()
      const c = m.connectionId ?? connectionId
      const { rows } = await tx.tx.client.query(
        `insert into exchange.ordering (connection_id, ordering_key, last_seq) values ($1,$2,1) on conflict (connection_id, ordering_key) do update set last_seq = exchange.ordering.last_seq+1 returning last_seq`,
        [c, m.orderingKey]
      )
      await tx.tx.client.query(
        `insert into exchange.outbox (key, connection_id, kind, record, ordering_key, ordering_seq, reverses, state) values ($1,$2,$3,$4,$5,$6,$7,'waiting')`,
        [key, c, m.kind, JSON.stringify(m.record), m.orderingKey, rows[0].last_seq, m.reverses ?? null]
      )
      return key
    },
    async states(c: any, keys: string[]) {
      const q = 'tx' in c ? c.tx.client : c.db.pool
      const { rows } = await q.query(
        `select key, kind, state, document, reject_message as "rejectMessage", created_at as "createdAt", settled_at as "settledAt" from exchange.outbox where key = any($1)`,
        [keys]
      )
      return rows
    }
  }
  const inv = inventoryModule.build({ outbox, journal })
  const authz: any = {
    visible,
    scopeJobs: upsertScopes,
    async noteDepartments(tx: TxCtx, codes: string[]) {
      if ((await unknownDepartmentsRule(tx)) === 'create') {
        await insertDepartments(tx, codes)
        return new Set()
      }
      const known = new Set((await knownDepartments(tx, codes)).map((d: any) => d.code))
      return new Set(codes.filter(c => !known.has(c)))
    }
  }
  const timekeeping: any = {
    openInterval,
    closeIntervals: (tx: any, stop: any) => closeIntervals(tx, { journal, outbox } as any, stop),
    running,
    employeeOfUser: async () => null
  }
  const needs = { authz, timekeeping, inventory: inv.face, outbox, journal, clock }
  const receivers: any = { ...inv.receives, workOrder: orderReceiver(needs), pickList: pickListReceiver(needs) }
  const acts = jobActs(needs)
  return {
    clock,
    connectionId,
    ctx,
    acts,
    inventory: inv.face,
    needs,
    write: <R>(fn: (tx: TxCtx) => Promise<R>, scope?: Partial<Scope>) => withTx(ctx(scope), fn),
    receive: (kind: string, records: any[], closed: string[] = []) =>
      withTx(ctx(), tx =>
        receivers[kind](tx, {
          connectionId,
          records: records.map(record => ({
            key: record.number ?? record.code ?? [record.article, record.location, record.lot ?? ''].join('|'),
            record
          })),
          closed
        })
      ),
    rows: async <T = any>(text: string, values: unknown[] = []): Promise<T[]> => (await db.pool.query(text, values)).rows,
    async employees(n: number) {
      const ids = Array.from({ length: n }, newId).sort()
      for (const id of ids)
        await db.pool.query(`insert into timekeeping.employee (id, key_blind, number_sealed, active) values ($1,$2,$3,true)`, [
          id,
          randomBytes(8),
          randomBytes(8)
        ])
      return ids
    },
    async job(order: string, op: string): Promise<string> {
      return (
        await db.pool.query(
          `select j.id from workorders.job j join workorders.work_order o on o.id=j.order_id where o.number=$1 and j.number=$2`,
          [order, op]
        )
      ).rows[0]?.id
    },
    async sent(orderingKey: string): Promise<any[]> {
      return (
        await db.pool.query(`select key, kind, record, reverses, state from exchange.outbox where ordering_key=$1 order by seq`, [
          orderingKey
        ])
      ).rows
    }
  }
}
