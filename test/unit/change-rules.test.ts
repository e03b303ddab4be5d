import t from 'tap'
import { changesOf, decideChanges, type Guard, type OrderFacts, withFields } from '../../modules/workorders/change-rules.ts'

const floor: OrderFacts = {
  article: 'A-1',
  quantity: '100',
  unit: 'pcs',
  department: 'WELD',
  due: '2026-12-01',
  priority: 0,
  description: null,
  operations: [
    { number: '10', sequence: 10, department: 'WELD', workCentre: null, description: 'Weld', setupSeconds: 60, runSeconds: 600 },
    { number: '20', sequence: 20, department: 'PAINT', workCentre: null, description: 'Paint', setupSeconds: null, runSeconds: null }
  ],
  materials: [{ line: '1', operation: null, article: 'B-1', quantity: '200', unit: 'pcs', location: null }]
}
const guard: Guard = {
  article: 'refuse',
  quantity: 'hold',
  unit: 'refuse',
  department: 'hold',
  due: 'accept',
  priority: 'accept',
  description: 'accept',
  operations: 'hold',
  materials: 'accept'
}

t.test('change guard: the same order in another order of rows and with other zeros is no change', async t => {
  const same: OrderFacts = {
    ...floor,
    quantity: '100.000',
    operations: [...floor.operations].reverse(),
    materials: floor.materials.map(m => ({ ...m, quantity: '200.0' }))
  }
  t.same(changesOf(floor, same, guard), [])
})

t.test('change guard: accepted fields are taken while held ones wait', async t => {
  const erp = { ...floor, due: '2026-11-01', quantity: '90' }
  const decision = decideChanges(changesOf(floor, erp, guard))
  t.equal(decision.outcome, 'held')
  t.same([...decision.take], ['due'])
  const next = withFields(floor, erp, decision.take)
  t.equal(next.due, '2026-11-01')
  t.equal(next.quantity, '100')
  t.match(
    decision.changes.find(change => change.field === 'quantity'),
    { before: '100', after: '90', policy: 'hold' }
  )
})

t.test('change guard: one refused field refuses the whole record', async t => {
  const decision = decideChanges(changesOf(floor, { ...floor, due: '2026-11-01', article: 'A-2' }, guard))
  t.equal(decision.outcome, 'refused')
  t.equal(decision.take.size, 0)
  t.same(
    decision.changes.map(change => change.field),
    ['article']
  )
})

t.test('change guard: a changed time of one operation is a change of the operations', async t => {
  const erp = { ...floor, operations: floor.operations.map(op => (op.number === '10' ? { ...op, runSeconds: 700 } : op)) }
  t.same(
    changesOf(floor, erp, guard).map(change => change.field),
    ['operations']
  )
})
