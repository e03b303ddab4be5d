import { quantity } from '../../core/index.ts'

/** Fields of an order that the ERP may want to change after the floor has started it. */
export const guardedFields = [
  'article',
  'quantity',
  'unit',
  'department',
  'due',
  'priority',
  'description',
  'operations',
  'materials'
] as const
export type GuardedField = (typeof guardedFields)[number]
export type ChangePolicy = 'accept' | 'hold' | 'refuse'
export type Guard = Readonly<Record<GuardedField, ChangePolicy>>

/** An order as both sides know it: what the floor works with, or what the ERP sends. */
export interface OrderFacts {
  readonly article: string | null
  readonly quantity: string
  readonly unit: string
  readonly department: string
  readonly due: string | null
  readonly priority: number
  readonly description: string | null
  readonly operations: readonly OperationFacts[]
  readonly materials: readonly MaterialFacts[]
}

export interface OperationFacts {
  readonly number: string
  readonly sequence: number
  readonly department: string
  readonly workCentre: string | null
  readonly description: string
  readonly setupSeconds: number | null
  readonly runSeconds: number | null
}

export interface MaterialFacts {
  readonly line: string
  readonly operation: string | null
  readonly article: string
  readonly quantity: string
  readonly unit: string
  readonly location: string | null
}

export interface FieldChange {
  readonly field: GuardedField
  readonly before: unknown
  readonly after: unknown
  readonly policy: ChangePolicy
}

/** Compares field by field; quantities by value, lists by their keys, so that another order of rows is no change. */
export function changesOf(floor: OrderFacts, erp: OrderFacts, guard: Guard): readonly FieldChange[] {
  const changes: FieldChange[] = []
  for (const field of guardedFields) {
    const before = comparable(floor, field)
    const after = comparable(erp, field)
    if (JSON.stringify(before) !== JSON.stringify(after)) changes.push({ field, before, after, policy: guard[field] })
  }
  return changes
}

function comparable(order: OrderFacts, field: GuardedField): unknown {
  switch (field) {
    case 'quantity':
      return quantity.quantity(order.quantity)
    case 'operations':
      return byKey(order.operations, op => op.number).map(op => ({
        number: op.number,
        sequence: op.sequence,
        department: op.department,
        workCentre: op.workCentre,
        description: op.description,
        setupSeconds: op.setupSeconds,
        runSeconds: op.runSeconds
      }))
    case 'materials':
      return byKey(order.materials, m => m.line).map(m => ({
        line: m.line,
        operation: m.operation,
        article: m.article,
        quantity: quantity.quantity(m.quantity),
        unit: m.unit,
        location: m.location
      }))
    default:
      return order[field]
  }
}

const byKey = <T>(rows: readonly T[], key: (row: T) => string): T[] =>
  [...rows].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))

/** The order with some fields as the ERP wants them. */
export const withFields = (floor: OrderFacts, erp: OrderFacts, take: ReadonlySet<GuardedField>): OrderFacts => ({
  article: take.has('article') ? erp.article : floor.article,
  quantity: take.has('quantity') ? erp.quantity : floor.quantity,
  unit: take.has('unit') ? erp.unit : floor.unit,
  department: take.has('department') ? erp.department : floor.department,
  due: take.has('due') ? erp.due : floor.due,
  priority: take.has('priority') ? erp.priority : floor.priority,
  description: take.has('description') ? erp.description : floor.description,
  operations: take.has('operations') ? erp.operations : floor.operations,
  materials: take.has('materials') ? erp.materials : floor.materials
})

export interface GuardDecision {
  /** `refused`: nothing of the record is taken over. */
  readonly outcome: 'applied' | 'held' | 'refused'
  readonly take: ReadonlySet<GuardedField>
  readonly changes: readonly FieldChange[]
}

/** One refused field refuses the whole record, so that a half-taken order cannot exist; held fields wait while the others are taken. */
export function decideChanges(changes: readonly FieldChange[]): GuardDecision {
  if (changes.some(change => change.policy === 'refuse')) {
    return { outcome: 'refused', take: new Set(), changes: changes.filter(change => change.policy === 'refuse') }
  }
  return {
    outcome: changes.some(change => change.policy === 'hold') ? 'held' : 'applied',
    take: new Set(changes.filter(change => change.policy === 'accept').map(change => change.field)),
    changes
  }
}
