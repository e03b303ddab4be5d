import { identityMapping, type MappingSet, type RecordRule } from '../contract/index.ts'

const quantity: RecordRule = { value: { from: 'quantity', decimal: '.' }, unit: { from: 'unit', code: 'units' } }
const sent = identityMapping(
  [],
  ['materialConsumption', 'productReceipt', 'operationStatus', 'orderStatus', 'labour', 'stockTransaction']
).exports

/** The mapping of a new connection: the columns of README.md, which the adapter makes of Tryton's records. */
export const mapping: MappingSet = {
  imports: {
    workOrder: {
      number: 'number',
      department: { from: 'department', code: 'departments' },
      article: 'article',
      description: 'articleName',
      quantity,
      due: { from: 'plannedDate', date: 'yyyy-MM-dd' },
      erpStatus: 'state',
      status: { from: 'status', code: 'orderStatus' },
      operations: {
        each: 'operations',
        item: {
          number: 'number',
          sequence: { from: 'sequence', integer: true },
          department: { from: 'department', code: 'departments' },
          workCentre: 'workCenter',
          description: 'operation'
        }
      },
      materials: {
        each: 'inputs',
        item: { line: 'line', article: 'article', quantity, location: 'location' }
      }
    },
    article: {
      number: 'code',
      description: 'name',
      unit: { from: 'unit', code: 'units' },
      barcode: 'barcode',
      blocked: { from: 'active', boolean: ['false'] }
    },
    location: { code: 'code', warehouse: 'warehouse', description: 'name', blocked: { from: 'active', boolean: ['false'] } },
    employee: { number: 'number', name: 'name', active: { from: 'active', boolean: ['true'] } },
    stock: {
      article: 'article',
      location: 'location',
      quantity,
      lot: 'lot',
      asOf: { from: 'asOf', instant: 'iso' }
    }
  },
  exports: { ...sent, labour: { ...sent?.labour, activityCode: { from: 'activityCode', code: 'activities' } } }
}
