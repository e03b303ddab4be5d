import type { ImportKind, ImportRecords } from '../../adapters/contract/index.ts'
import { keyOf } from '../../adapters/contract/index.ts'
import { type Ctx, fixedClock, newId, type ReceiveOutcome, type Receivers, type Scope, type TxCtx, withTx } from '../../core/index.ts'
import { journal } from '../../core/journal/append.ts'
import type { Inventory } from '../../modules/inventory/index.ts'
import type { Workorders } from '../../modules/workorders/index.ts'
import type { Needs } from '../../modules/workorders/neighbours.ts'
import { openTestHouse, type TestHouse } from './house.ts'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

type Row = Record<string, unknown>

export interface SentMessage {
  readonly key: string
  readonly kind: string
  readonly record: Record<string, unknown>
  readonly reverses: string | null
}

/** A tenant with one connection to an ERP, as the modules of the floor see it: what comes in, what people do, what goes out. */
export interface Floor {
  readonly house: TestHouse
  readonly clock: ReturnType<typeof fixedClock>
  readonly connectionId: string
  readonly acts: Workorders
  readonly inventory: Inventory
  /** What the use cases of the work orders work with; holds what those of the inventory need. */
  readonly needs: Needs
  /** A context with the whole scope, or with the scope given and nothing else. */
  ctx(scope?: Partial<Scope>): Ctx
  write<R>(fn: (tx: TxCtx) => Promise<R>, scope?: Partial<Scope>): Promise<R>
  /** Hands records to the module that receives them, as the host does. */
  receive<K extends ImportKind>(
    kind: K,
    records: readonly ImportRecords[K][],
    closed?: readonly string[]
  ): Promise<readonly ReceiveOutcome[]>
  /** An employee who may be booked on; the ERP's key is made up. */
  employee(): Promise<string>
  /** Id of a job by the numbers of its order and operation. */
  job(order: string, operation: string): Promise<string>
  /** Messages in the outbox of one ordering key, in their order. */
  sent(orderingKey: string): Promise<SentMessage[]>
  /** Says what became of these messages, as the delivery does. */
  settle(orderingKey: string, state: 'accepted' | 'rejected' | 'dropped', at: string): Promise<void>
  rows<T extends Row = Row>(text: string, values?: readonly unknown[]): Promise<T[]>
}

/** The real house with one connection. The clock stands until a test moves it. */
export async function openFloor(t: Teardown, options: { readonly liveBeatMs?: number } = {}): Promise<Floor> {
  const clock = fixedClock('2026-03-02T08:00:00.000Z')
  const house = await openTestHouse(t, { clock, ...options })
  const { authz, timekeeping, inventory, workorders } = house.house.faces
  const whole = await house.ctx()
  const rows = async <T extends Row = Row>(text: string, values: readonly unknown[] = []): Promise<T[]> =>
    (await whole.db.pool.query<T>(text, [...values])).rows
  const connectionId = newId()
  await rows(
    `insert into exchange.connection (id, name, adapter, adapter_version, config, config_version, time_zone, locale, state)
     values ($1, 'ERP', 'werkvloer.csv', '1.0.0', '{}', 1, 'Europe/Amsterdam', 'nl', 'active')`,
    [connectionId]
  )
  const receivers: Receivers = Object.assign({}, ...[...house.house.modules.values()].map(built => built.receives ?? {}))
  const ctx = (scope?: Partial<Scope>): Ctx =>
    scope === undefined
      ? whole
      : {
          ...whole,
          grant: { ...whole.grant, scope: { all: false, departments: [], workCentres: [], orders: [], orderPatterns: [], ...scope } }
        }

  async function receive<K extends ImportKind>(kind: K, records: readonly ImportRecords[K][], closed: readonly string[] = []) {
    const receiver = receivers[kind]
    if (!receiver) throw new Error(`no module receives ${kind}`)
    return withTx(whole, tx =>
      receiver(tx, { connectionId, records: records.map(record => ({ key: keyOf[kind](record), record })), closed })
    )
  }

  return {
    house,
    clock,
    connectionId,
    acts: workorders,
    inventory,
    needs: { authz, timekeeping, inventory, outbox: house.house.exchange.outbox, journal },
    ctx,
    write: (fn, scope) => withTx(ctx(scope), fn),
    receive,
    async employee() {
      const key = newId().slice(-12)
      const before = new Set((await rows('select id from timekeeping.employee')).map(row => row.id))
      await receive('employee', [{ key, number: key, active: true }])
      const made = (await rows<{ id: string }>('select id from timekeeping.employee')).find(row => !before.has(row.id))
      if (!made) throw new Error('the employee was not stored')
      return made.id
    },
    async job(order, operation) {
      const [row] = await rows<{ id: string }>(
        'select j.id from workorders.job j join workorders.work_order o on o.id = j.order_id where o.number = $1 and j.number = $2',
        [order, operation]
      )
      if (!row) throw new Error(`there is no operation ${operation} of ${order}`)
      return row.id
    },
    sent: orderingKey =>
      rows<SentMessage & Row>('select key, kind, record, reverses from exchange.outbox where ordering_key = $1 order by ordering_seq', [
        orderingKey
      ]),
    async settle(orderingKey, state, at) {
      await rows('update exchange.outbox set state = $2, settled_at = $3 where ordering_key = $1', [orderingKey, state, at])
    },
    rows
  }
}
