import { type Adapter, type ImportRecords, keyOf } from '../adapters/contract/index.ts'
import type { Ctx } from '../core/context.ts'
import { withTx } from '../core/db/tx.ts'
import type { Receivers } from '../core/index.ts'
import { type Api, signIn } from '../demo/api.ts'
import { demoPassword } from '../demo/setup.ts'
import { parts } from '../parts.ts'
import { serverUrl, urlFor, withConnection } from '../test/helpers/database.ts'
import { adminPassword, openTestHouse, type TestHouse } from '../test/helpers/house.ts'

/** A customer with released orders and somebody on the floor who may work on the jobs of some departments. */
export interface Shop {
  readonly at: TestHouse
  readonly ctx: Ctx
  readonly connectionId: string
  /** Jobs that the operator covers, one for each order. */
  readonly jobs: readonly string[]
  /** Access token of the operator: a role, two groups with rules of two kinds. */
  readonly operator: string
  readonly admin: Api
}

export const departments = ['ZAGEN', 'FREZEN', 'LASSEN', 'MONTAGE'] as const

type WorkOrder = ImportRecords['workOrder']

const orderOf = (n: number): WorkOrder => ({
  number: `WO-${100_000 + n}`,
  department: departments[n % 4] ?? '',
  article: `A-${1_000 + (n % 500)}`,
  description: `Frame type ${n % 50}`,
  quantity: { value: '100000', unit: 'PCE' },
  due: `2027-03-${10 + (n % 18)}`,
  priority: n % 100,
  status: 'released',
  operations: departments.map((department, index) => ({
    number: String((index + 1) * 10),
    department,
    description: `Step ${index + 1} of frame type ${n % 50}`,
    setupSeconds: 600,
    runSeconds: 60
  }))
})

export async function openShop(
  t: { teardown(fn: () => Promise<void>): void },
  orders: number,
  { adapters = [], adapter = 'werkvloer.csv' }: { adapters?: readonly Adapter[]; adapter?: string } = {}
): Promise<Shop> {
  const at = await openTestHouse(t, { parts: { adapters: [...parts.adapters, ...adapters] } })
  await at.admin()
  const admin = await signIn(at.baseUrl, at.tenant.code, 'admin', adminPassword)
  const { id: connectionId } = await admin.post<{ id: string }>('/api/v1/connections', {
    name: 'ERP',
    adapter,
    config: adapters.length === 0 ? { delimiter: ';' } : {}
  })
  await admin.post(`/api/v1/connections/${connectionId}/activate`)
  const ctx = await at.ctx()
  const receivers: Receivers = Object.assign({}, ...[...at.house.modules.values()].map(built => built.receives ?? {}))
  for (let from = 0; from < orders; from += 1_000) {
    const records = Array.from({ length: Math.min(1_000, orders - from) }, (_, n) => orderOf(from + n))
    await withTx(ctx, async tx => {
      const given = records.map(record => ({ key: keyOf.workOrder(record), record }))
      await receivers.workOrder?.(tx, { connectionId, records: given, closed: [] })
    })
  }
  await ctx.db.pool.query('analyze')
  const { rows } = await ctx.db.pool.query<{ id: string }>(
    `select j.id from workorders.job j join workorders.work_order o on o.id = j.order_id where j.department_code = 'LASSEN' order by o.number`
  )
  if (rows.length !== orders) throw new Error(`the shop has ${rows.length} jobs in one department, not ${orders}`)
  return { at, ctx, connectionId, admin, jobs: rows.map(row => row.id), operator: await operatorOf(admin, at) }
}

interface Named {
  readonly id: string
  readonly name: string
}

async function operatorOf(admin: Api, at: TestHouse): Promise<string> {
  const { items: roles } = await admin.get<{ items: readonly Named[] }>('/api/v1/roles')
  const role = roles.find(({ name }) => name === 'operator')
  if (!role) throw new Error('there is no role operator')
  const floor = await admin.post<Named>('/api/v1/groups', { name: 'Welding', rules: [{ kind: 'department', value: 'LASSEN' }] })
  const rush = await admin.post<Named>('/api/v1/groups', { name: 'Rush', rules: [{ kind: 'order_pattern', value: 'WO-1000*' }] })
  const user = {
    ...{ username: 'welder', name: 'Bench welder', password: demoPassword, mustChangePassword: false },
    ...{ roleIds: [role.id], groupIds: [floor.id, rush.id] }
  }
  await admin.post('/api/v1/users', user)
  return at.signIn(at.tenant, 'welder', demoPassword)
}

/** A table of the bench's own in the customer's database, schema `bench`, where the app may do everything. */
export async function freshTable(ctx: Ctx, text: string): Promise<void> {
  const { rows } = await ctx.db.pool.query<{ name: string; app: string }>('select current_database() as name, current_user as app')
  const { name = '', app = '' } = rows[0] ?? {}
  await withConnection(urlFor(serverUrl(), name), async client => {
    await client.query(
      `create schema if not exists bench; ${text}; grant usage on schema bench to "${app}"; grant all on all tables in schema bench to "${app}"`
    )
  })
}
