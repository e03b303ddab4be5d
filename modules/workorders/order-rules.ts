import type { ImportRecords } from '../../adapters/contract/index.ts'
import { newId, quantity } from '../../core/index.ts'
import type { OrderFacts } from './change-rules.ts'
import { type JobStatus, type OrderStatus, orderStatusOf } from './operation-rules.ts'
import type { JobSave, MaterialSave, OrderSave, StoredJob, StoredOrder } from './receive-store.ts'

type WorkOrderRecord = ImportRecords['workOrder']
export type ErpStatus = WorkOrderRecord['status']

/** The record of the ERP in our shape. An operation without a sequence takes its number, or its place in the list. */
export function factsOfRecord(record: WorkOrderRecord): OrderFacts {
  return {
    article: record.article ?? null,
    quantity: quantity.quantity(record.quantity.value),
    unit: record.quantity.unit,
    department: record.department,
    due: record.due ?? null,
    priority: record.priority ?? 0,
    description: record.description ?? null,
    operations: record.operations.map((op, index) => ({
      number: op.number,
      sequence: op.sequence ?? (/^\d{1,6}$/.test(op.number) ? Number(op.number) : (index + 1) * 10),
      department: op.department,
      workCentre: op.workCentre ?? null,
      description: op.description,
      setupSeconds: op.setupSeconds ?? null,
      runSeconds: op.runSeconds ?? null
    })),
    materials: (record.materials ?? []).map(m => ({
      line: m.line,
      operation: m.operation ?? null,
      article: m.article,
      quantity: quantity.quantity(m.quantity.value),
      unit: m.quantity.unit,
      location: m.location ?? null
    }))
  }
}

/** The order as the floor has it; an operation that the ERP took away is no longer part of it. */
export function factsOfStored(order: StoredOrder, jobs: readonly StoredJob[], materials: readonly MaterialSave[]): OrderFacts {
  return {
    article: order.article,
    quantity: quantity.quantity(order.quantity),
    unit: order.unit,
    department: order.department_code,
    due: order.due,
    priority: order.priority,
    description: order.description,
    operations: jobs
      .filter(job => job.status !== 'cancelled')
      .map(job => ({
        number: job.number,
        sequence: job.sequence,
        department: job.department_code,
        workCentre: job.work_centre,
        description: job.description,
        setupSeconds: job.setup_seconds,
        runSeconds: job.run_seconds
      })),
    materials: materials.map(m => ({
      line: m.line,
      operation: m.operation_number,
      article: m.article,
      quantity: quantity.quantity(m.quantity),
      unit: m.unit,
      location: m.location
    }))
  }
}

/** Whether the floor has begun: from then on the change guard looks at what the ERP wants. */
export const isTouched = (status: OrderStatus): boolean => status === 'started' || status === 'paused' || status === 'completed'
const isEnded = (status: OrderStatus): status is 'closed' | 'cancelled' => status === 'closed' || status === 'cancelled'

export interface OrderPlan {
  readonly order: OrderSave
  readonly jobs: readonly JobSave[]
  /** ids of those that are new */
  readonly added: ReadonlySet<string>
  readonly materials: readonly MaterialSave[]
  /** jobs on which people work and that end with this change */
  readonly stopped: readonly string[]
}

export interface Wish {
  readonly number: string
  readonly connectionId: string | null
  readonly facts: OrderFacts
  readonly erp: ErpStatus
  readonly erpStatus: string | null
}

/**
 * What an order and its jobs become. The ERP decides planned, released, closed and cancelled; what the floor made of a released order
 * stays. An operation that is no longer named is cancelled, never removed; one that comes back is open again.
 */
export function planOrder(wish: Wish, stored: StoredOrder | undefined, jobs: readonly StoredJob[]): OrderPlan {
  const { facts, erp } = wish
  const id = stored?.id ?? newId()
  const open: JobStatus = erp === 'planned' && !(stored && isTouched(stored.status)) ? 'planned' : 'released'
  const known = new Map(jobs.map(job => [job.number, job]))
  const named = new Set(facts.operations.map(op => op.number))
  const common = { order_id: id, planned_quantity: facts.quantity, priority: facts.priority, due: facts.due }
  const kept = facts.operations.map((op): JobSave => {
    const job = known.get(op.number)
    return {
      ...common,
      id: job?.id ?? newId(),
      number: op.number,
      sequence: op.sequence,
      department_code: op.department,
      work_centre: op.workCentre,
      description: op.description,
      setup_seconds: op.setupSeconds,
      run_seconds: op.runSeconds,
      status: nextStatus(job, erp, open)
    }
  })
  const dropped = jobs
    .filter(job => !named.has(job.number))
    .map(({ started_at: _, ...job }): JobSave => ({ ...job, ...common, status: job.status === 'completed' ? 'completed' : 'cancelled' }))
  const all = [...kept, ...dropped]
  const counts: Partial<Record<JobStatus, number>> = {}
  for (const job of all) counts[job.status] = (counts[job.status] ?? 0) + 1
  const base: OrderStatus = isEnded(erp) ? erp : stored && isTouched(stored.status) ? stored.status : open
  const after = new Map(all.map(job => [job.id, job.status]))
  return {
    order: {
      id,
      number: wish.number,
      connection_id: wish.connectionId,
      article: facts.article,
      description: facts.description,
      department_code: facts.department,
      quantity: facts.quantity,
      unit: facts.unit,
      due: facts.due,
      priority: facts.priority,
      erp_status: wish.erpStatus,
      status: orderStatusOf(base, counts)
    },
    jobs: all,
    added: new Set(kept.filter(job => !known.has(job.number)).map(job => job.id)),
    materials: facts.materials.map(m => ({
      order_id: id,
      line: m.line,
      operation_number: m.operation,
      article: m.article,
      quantity: m.quantity,
      unit: m.unit,
      location: m.location
    })),
    stopped: jobs.filter(job => job.status === 'started' && after.get(job.id) !== 'started').map(job => job.id)
  }
}

function nextStatus(job: StoredJob | undefined, erp: ErpStatus, open: JobStatus): JobStatus {
  if (job?.status === 'completed') return 'completed'
  if (isEnded(erp)) return job && isEnded(job.status) ? job.status : erp
  if (!job) return open
  if (isEnded(job.status)) return job.started_at === null ? open : 'paused'
  return job.status === 'planned' || job.status === 'released' ? open : job.status
}

export interface RecordProblem {
  readonly code: string
  readonly message: string
  readonly field: string
  readonly value?: string
}

/** What makes a record impossible to take over, whatever else is known. */
export function problemOf(record: WorkOrderRecord): RecordProblem | undefined {
  if (quantity.isNegative(record.quantity.value)) {
    return {
      code: 'order_quantity_negative',
      message: `Work order ${record.number} has the quantity ${record.quantity.value}; send zero or more.`,
      field: 'quantity'
    }
  }
  const operation = twice(record.operations.map(op => op.number))
  if (operation !== undefined) {
    return {
      code: 'order_operation_twice',
      message: `Work order ${record.number} has operation ${operation} twice; each number must be unique.`,
      field: 'operations',
      value: operation
    }
  }
  const materials = record.materials ?? []
  const line = twice(materials.map(m => m.line))
  if (line !== undefined) {
    return {
      code: 'order_line_twice',
      message: `Work order ${record.number} has material line ${line} twice; each line must be unique.`,
      field: 'materials',
      value: line
    }
  }
  const negative = materials.find(m => quantity.isNegative(m.quantity.value))
  if (negative) {
    return {
      code: 'order_material_negative',
      message: `Material line ${negative.line} of work order ${record.number} has the quantity ${negative.quantity.value}; send zero or more.`,
      field: 'materials',
      value: negative.line
    }
  }
  return undefined
}

const twice = (names: readonly string[]): string | undefined => names.find((name, index) => names.indexOf(name) !== index)
