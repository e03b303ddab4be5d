import type { Told } from './feeds.ts'
import { marksOn } from './marks.ts'
import type { Tryton } from './tryton.ts'
import { at, dayOf, idAt, quantityOf, type Row, textAt } from './wire.ts'

/** Tryton's states of a production and ours. A request is a proposal of the ERP and no order yet. */
const statusOf: Readonly<Record<string, string>> = {
  draft: 'planned',
  waiting: 'planned',
  assigned: 'released',
  running: 'released',
  done: 'closed',
  cancelled: 'cancelled'
}

/** Code of an article or place; one without is known by the number of its record. */
export const codeOf = (row: Row | undefined, path: string): string | undefined => {
  const before = path === '' ? '' : `${path}.`
  const id = idAt(row, `${before}id`)
  return textAt(row, `${before}code`) ?? (id === undefined ? undefined : `#${id}`)
}

export const workFields = [
  'id',
  'production',
  'sequence',
  'state',
  'operation.name',
  'work_center.name',
  'work_center.parent.name',
  'work_center_category.name',
  'write_date',
  'create_date'
]

/**
 * Numbers of the operations of one order: the sequence; an operation without one takes its place, a second one of the same sequence gets
 * the number of its record behind it, so that the first keeps its number.
 */
export function operationNumbers(works: readonly Row[]): Map<number, string> {
  const taken = new Set<string>()
  const numbers = new Map<number, string>()
  const byId = [...works].sort((a, b) => (idAt(a, 'id') ?? 0) - (idAt(b, 'id') ?? 0))
  for (const work of byId) {
    const id = idAt(work, 'id') ?? 0
    const sequence = idAt(work, 'sequence')
    const plain = sequence === undefined ? `#${id}` : String(sequence)
    const number = taken.has(plain) ? `${plain}-${id}` : plain
    taken.add(number)
    numbers.set(id, number)
  }
  return numbers
}

/** Reads orders with their operations and inputs, as rows for the mapping. */
export async function orderRows(erp: Tryton, ids: readonly number[], department: string, told: Told): Promise<Row[]> {
  const { unit } = erp.names
  const has = erp.has('production.work')
  const orders = await erp.search(
    'production',
    [
      ['id', 'in', [...ids]],
      ['state', '!=', 'request']
    ],
    [
      'id',
      'number',
      'reference',
      'state',
      'quantity',
      'planned_date',
      'planned_start_date',
      'product.code',
      'product.name',
      `${unit}.symbol`,
      `${unit}.digits`,
      'warehouse.code',
      'warehouse.name',
      ...(has ? ['work_center.name', 'work_center.parent.name'] : [])
    ]
  )
  // Sequence first, as Tryton lists them; the record's number where two share it.
  const works = has
    ? await erp.search('production.work', [['production', 'in', [...ids]]], workFields, {
        order: [
          ['sequence', 'ASC'],
          ['id', 'ASC']
        ]
      })
    : []
  const inputs = await erp.search(
    'stock.move',
    [
      ['production_input', 'in', [...ids]],
      ['state', '!=', 'cancelled']
    ],
    [
      'id',
      'production_input',
      'quantity',
      'product.code',
      'product.name',
      `${unit}.symbol`,
      `${unit}.digits`,
      'from_location.code',
      'write_date',
      'create_date',
      ...(erp.has('stock.lot') ? ['lot.number'] : [])
    ]
  )
  told.note('production.work', works)
  told.note('stock.move', inputs)
  // What we booked ourselves is no plan.
  const ours = await marksOn(
    erp,
    inputs.map(input => `stock.move,${idAt(input, 'id')}`)
  )
  const planned = inputs.filter(input => !ours.has(`stock.move,${idAt(input, 'id')}`))
  return orders.flatMap(order => {
    const id = idAt(order, 'id')
    // Since 7.2 a draft has no number yet; it comes when it gets one.
    if (id === undefined || textAt(order, 'number') === undefined) return []
    const mine = works.filter(work => idAt(work, 'production') === id)
    return [
      orderRow(
        erp,
        order,
        mine,
        planned.filter(input => idAt(input, 'production_input') === id),
        department
      )
    ]
  })
}

function orderRow(erp: Tryton, order: Row, works: readonly Row[], inputs: readonly Row[], department: string): Row {
  const { unit } = erp.names
  const numbers = operationNumbers(works)
  const operations = works.map(work => ({
    number: numbers.get(idAt(work, 'id') ?? 0) ?? null,
    sequence: idAt(work, 'sequence') ?? null,
    operation: textAt(work, 'operation.name') ?? null,
    department: departmentOf(work) ?? departmentOf(order) ?? department,
    workCenter: textAt(work, 'work_center.name') ?? null,
    category: textAt(work, 'work_center_category.name') ?? null
  }))
  const state = textAt(order, 'state') ?? ''
  return {
    id: idAt(order, 'id') ?? null,
    number: textAt(order, 'number') ?? null,
    reference: textAt(order, 'reference') ?? null,
    state,
    status: statusOf[state] ?? state,
    article: at(order, 'product.id') === undefined ? null : (codeOf(order, 'product') ?? null),
    articleName: textAt(order, 'product.name') ?? null,
    quantity: quantityOf(order.quantity, at(order, `${unit}.digits`)) ?? null,
    unit: textAt(order, `${unit}.symbol`) ?? null,
    plannedDate: dayOf(order.planned_date) ?? null,
    plannedStartDate: dayOf(order.planned_start_date) ?? null,
    warehouse: textAt(order, 'warehouse.code') ?? textAt(order, 'warehouse.name') ?? null,
    workCenter: textAt(order, 'work_center.name') ?? null,
    department: operations[0]?.department ?? departmentOf(order) ?? department,
    operations,
    inputs: inputs.map(input => ({
      line: String(idAt(input, 'id') ?? ''),
      article: codeOf(input, 'product') ?? null,
      articleName: textAt(input, 'product.name') ?? null,
      quantity: quantityOf(input.quantity, at(input, `${unit}.digits`)) ?? null,
      unit: textAt(input, `${unit}.symbol`) ?? null,
      location: codeOf(input, 'from_location') ?? null,
      lot: textAt(input, 'lot.number') ?? null
    }))
  }
}

/** The department is the parent of the work center; a work center that has none is one itself. */
const departmentOf = (row: Row): string | undefined => textAt(row, 'work_center.parent.name') ?? textAt(row, 'work_center.name')
