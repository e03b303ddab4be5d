import type { ImportRecords } from '../../adapters/contract/index.ts'
import { type Batch, newId, type ReceiveOutcome, type TxCtx } from '../../core/index.ts'
import { changesOf, decideChanges, type OrderFacts, withFields } from './change-rules.ts'
import type { Needs } from './neighbours.ts'
import { factsOfRecord, factsOfStored, isTouched, type OrderPlan, planOrder, problemOf } from './order-rules.ts'
import {
  addJobs,
  type ChangeSave,
  heldOf,
  jobsOf,
  knownOrders,
  lockOrders,
  type StoredJob,
  type StoredOrder,
  saveChanges,
  saveJobs,
  saveMaterials,
  saveOrders,
  withdrawChanges
} from './receive-store.ts'
import { getSetting, type Material, materialsOf } from './store.ts'

type WorkOrderRecord = ImportRecords['workOrder']

/** What is stored of the orders that a batch names, all locked. */
export interface Stored {
  readonly orders: ReadonlyMap<string, StoredOrder>
  readonly jobs: ReadonlyMap<string, readonly StoredJob[]>
  readonly materials: ReadonlyMap<string, readonly Material[]>
}

export async function lockStored(tx: TxCtx, numbers: readonly string[]): Promise<Stored> {
  const orders = await lockOrders(tx, numbers)
  const ids = orders.map(order => order.id)
  return {
    orders: new Map(orders.map(order => [order.number, order])),
    jobs: groupBy(await jobsOf(tx, ids), job => job.order_id),
    materials: groupBy(ids.length === 0 ? [] : await materialsOf(tx, ids), line => line.order_id)
  }
}

/** Writes plans set-wise, notes by what their jobs are found, and ends the time of people whose job ended. */
export async function savePlans(
  tx: TxCtx,
  { authz, timekeeping }: Pick<Needs, 'authz' | 'timekeeping'>,
  plans: readonly OrderPlan[]
): Promise<void> {
  if (plans.length === 0) return
  await saveOrders(
    tx,
    plans.map(plan => plan.order)
  )
  await saveJobs(
    tx,
    plans.flatMap(plan => plan.jobs.filter(job => !plan.added.has(job.id)))
  )
  await addJobs(
    tx,
    plans.flatMap(plan => plan.jobs.filter(job => plan.added.has(job.id)))
  )
  await saveMaterials(
    tx,
    plans.map(plan => plan.order.id),
    plans.flatMap(plan => plan.materials)
  )
  await authz.scopeJobs(
    tx,
    plans.flatMap(plan =>
      plan.jobs.map(job => ({
        jobId: job.id,
        orderNumber: plan.order.number,
        department: job.department_code,
        workCentre: job.work_centre
      }))
    )
  )
  const stopped = plans.flatMap(plan => plan.stopped)
  if (stopped.length > 0)
    await timekeeping.closeIntervals(tx, { jobIds: stopped, at: tx.clock.iso(), reason: 'ended_by_erp', flagged: true })
}

/**
 * Work orders of the ERP, whole arrays at a time. A started order is not silently changed: the setting says per field whether a
 * change is taken, waits for a person, or is refused; what the ERP wanted is kept with the version that the floor saw.
 */
export const orderReceiver =
  (needs: Needs) =>
  async (tx: TxCtx, batch: Batch<'workOrder'>): Promise<readonly ReceiveOutcome[]> => {
    const outcomes = new Map<string, ReceiveOutcome>()
    const sound = await checked(tx, needs, batch, outcomes)
    const stored = await lockStored(tx, [...sound.keys(), ...batch.closed])
    const { change_guard: guard } = await getSetting(tx)
    const held = groupBy(
      await heldOf(
        tx,
        [...stored.orders.values()].map(order => order.id)
      ),
      one => one.orderId
    )
    const plans: OrderPlan[] = []
    const changes: ChangeSave[] = []
    const withdrawn: { orderId: string; field: string }[] = []

    for (const { key, record } of sound.values()) {
      const order = stored.orders.get(record.number)
      const jobs = order ? (stored.jobs.get(order.id) ?? []) : []
      const wish = { number: record.number, connectionId: batch.connectionId, erp: record.status, erpStatus: record.erpStatus ?? null }
      const erp = factsOfRecord(record)
      outcomes.set(key, { key, status: 'applied' })
      if (!order || !isTouched(order.status)) {
        plans.push(planOrder({ ...wish, facts: erp }, order, jobs))
        continue
      }
      const floor = factsOfStored(order, jobs, stored.materials.get(order.id) ?? [])
      if (record.status === 'closed' || record.status === 'cancelled') {
        plans.push(planOrder({ ...wish, facts: floor }, order, jobs))
        changes.push(statusChange(order, record.status))
        continue
      }
      const decision = decideChanges(changesOf(floor, erp, guard))
      const wanted = new Set(decision.changes.map(change => change.field as string))
      if (decision.outcome !== 'refused') {
        plans.push(planOrder({ ...wish, facts: withFields(floor, erp, decision.take) }, order, jobs))
        withdrawn.push(...(held.get(order.id) ?? []).filter(one => !wanted.has(one.field)))
      }
      for (const { field, before, after, policy } of decision.changes) {
        const state = decision.outcome === 'refused' ? 'refused' : policy === 'hold' ? 'held' : 'accepted'
        changes.push({ id: newId(), orderId: order.id, field, before, after, policy, state, floorVersion: order.version })
      }
      const first = decision.changes.find(change => change.policy === (decision.outcome === 'refused' ? 'refuse' : 'hold'))
      if (first && decision.outcome !== 'applied') outcomes.set(key, guarded(key, record, decision.outcome, first))
    }

    for (const number of batch.closed) {
      const order = stored.orders.get(number)
      outcomes.set(number, { key: number, status: 'applied' })
      if (!order || order.status === 'closed' || order.status === 'cancelled') continue
      const jobs = stored.jobs.get(order.id) ?? []
      const facts: OrderFacts = factsOfStored(order, jobs, stored.materials.get(order.id) ?? [])
      plans.push(planOrder({ number, connectionId: order.connection_id, facts, erp: 'closed', erpStatus: order.erp_status }, order, jobs))
      if (isTouched(order.status)) changes.push(statusChange(order, 'closed'))
    }

    await savePlans(tx, needs, plans)
    await withdrawChanges(tx, withdrawn)
    await saveChanges(tx, changes)
    for (const change of changes) {
      await needs.journal.append(tx, {
        act: `order.change.${change.state}`,
        subject: 'workorders.work_order',
        subjectId: change.orderId,
        data: { changeId: change.id, field: change.field, floorVersion: change.floorVersion }
      })
    }
    return [...outcomes.values()]
  }

/** The records that can be taken over, the last one per number; the others get their reason. */
async function checked(
  tx: TxCtx,
  { authz }: Needs,
  batch: Batch<'workOrder'>,
  outcomes: Map<string, ReceiveOutcome>
): Promise<ReadonlyMap<string, { key: string; record: WorkOrderRecord }>> {
  const codes = new Set(batch.records.flatMap(({ record }) => [record.department, ...record.operations.map(op => op.department)]))
  const refused = await authz.noteDepartments(tx, [...codes].sort())
  const sound = new Map<string, { key: string; record: WorkOrderRecord }>()
  for (const { key, record } of batch.records) {
    const problem = problemOf(record)
    const department = [record.department, ...record.operations.map(op => op.department)].find(code => refused.has(code))
    if (problem) outcomes.set(key, { key, status: 'rejected', ...problem })
    else if (department !== undefined) {
      outcomes.set(key, {
        key,
        status: 'rejected',
        code: 'department_unknown',
        message: `Department ${department} of work order ${record.number} is not known. Add it, or translate it in the mapping.`,
        field: 'department',
        value: department,
        table: { name: 'departments', value: department }
      })
    } else {
      outcomes.set(key, { key, status: 'applied' })
      sound.set(record.number, { key, record })
    }
  }
  return sound
}

const statusChange = (order: StoredOrder, status: 'closed' | 'cancelled'): ChangeSave => ({
  id: newId(),
  orderId: order.id,
  field: 'status',
  before: order.status,
  after: status,
  policy: 'accept',
  state: 'accepted',
  floorVersion: order.version
})

function guarded(
  key: string,
  record: WorkOrderRecord,
  outcome: 'held' | 'refused',
  change: { field: string; before: unknown; after: unknown }
): ReceiveOutcome {
  const plain = (value: unknown): string => (value === null || typeof value !== 'object' ? String(value ?? 'nothing') : 'another list')
  const wanted = `${change.field} ${plain(change.before)} would become ${plain(change.after)}`
  return outcome === 'held'
    ? {
        key,
        status: 'held',
        code: 'order_change_held',
        message: `Work order ${record.number} has been started: ${wanted}; a person decides.`,
        field: change.field
      }
    : {
        key,
        status: 'rejected',
        code: 'order_change_refused',
        message: `Work order ${record.number} has been started: ${wanted}, which the setting refuses.`,
        field: change.field
      }
}

/** Pick lists of orders that are known; the others wait in the error bin for their order. */
export const pickListReceiver =
  ({ inventory }: Needs) =>
  async (tx: TxCtx, batch: Batch<'pickList'>): Promise<readonly ReceiveOutcome[]> => {
    const known = await knownOrders(tx, [...new Set(batch.records.map(({ record }) => record.workOrder))])
    const outcomes = batch.records.map(({ key, record }): ReceiveOutcome => {
      if (!known.has(record.workOrder)) {
        return {
          key,
          status: 'rejected',
          code: 'pick_list_order_unknown',
          message: `Pick list ${record.number} is for work order ${record.workOrder}, which is not known. Send the work order first.`,
          field: 'workOrder',
          value: record.workOrder
        }
      }
      return pickListProblem(key, record) ?? { key, status: 'applied' }
    })
    const sound = batch.records.filter((_, index) => outcomes[index]?.status === 'applied')
    await inventory.upsertPickLists(tx, {
      lists: sound.map(({ record }) => ({
        number: record.number,
        connectionId: batch.connectionId,
        orderNumber: record.workOrder,
        lines: record.lines.map(line => ({
          line: line.line,
          article: line.article,
          quantity: line.quantity.value,
          unit: line.quantity.unit,
          location: line.location ?? null
        }))
      })),
      closed: batch.closed
    })
    return [...outcomes, ...batch.closed.map((key): ReceiveOutcome => ({ key, status: 'applied' }))]
  }

function pickListProblem(key: string, record: ImportRecords['pickList']): ReceiveOutcome | undefined {
  const lines = record.lines.map(line => line.line)
  const twice = lines.find((line, index) => lines.indexOf(line) !== index)
  if (twice !== undefined) {
    return {
      key,
      status: 'rejected',
      code: 'pick_list_line_twice',
      message: `Pick list ${record.number} has line ${twice} twice; each line must be unique.`,
      field: 'lines',
      value: twice
    }
  }
  const negative = record.lines.find(line => line.quantity.value.startsWith('-'))
  return negative
    ? {
        key,
        status: 'rejected',
        code: 'pick_list_quantity_negative',
        message: `Line ${negative.line} of pick list ${record.number} asks for ${negative.quantity.value}; send zero or more.`,
        field: 'lines',
        value: negative.line
      }
    : undefined
}

const groupBy = <T>(rows: readonly T[], key: (row: T) => string): ReadonlyMap<string, T[]> => {
  const groups = new Map<string, T[]>()
  for (const row of rows) {
    const group = groups.get(key(row))
    if (group) group.push(row)
    else groups.set(key(row), [row])
  }
  return groups
}
