import { exportKinds, identityMapping, type MappingSet, type RecordRule } from '../contract/index.ts'

const units = (value: string, unit: string): RecordRule => ({ value: { from: value, decimal: '.' }, unit: { from: unit, code: 'units' } })
const yes = ['1', 'J', 'Y', 'true', 'yes', 'ja', 'TRUE']
const revision: RecordRule = { changedAt: { from: 'Changed', instant: 'yyyy-MM-dd HH:mm:ss' } }

/** The mapping of a new connection: the columns of README.md. Each customer's copy may name other columns and formats. */
export const mapping: MappingSet = {
  imports: {
    workOrder: {
      number: 'Order',
      department: { from: 'Department', code: 'departments' },
      article: 'Article',
      description: 'Description',
      quantity: units('Quantity', 'Unit'),
      due: { from: 'Due', date: 'yyyy-MM-dd' },
      priority: { from: 'Priority', integer: true },
      erpStatus: 'Status',
      status: { from: 'Status', code: 'orderStatus' },
      operations: {
        each: 'operations',
        item: {
          number: 'Operation',
          sequence: { from: 'Sequence', integer: true },
          department: { from: 'OperationDepartment', code: 'departments' },
          workCentre: 'WorkCentre',
          description: 'OperationDescription',
          setupSeconds: { from: 'SetupSeconds', integer: true },
          runSeconds: { from: 'RunSeconds', integer: true }
        }
      },
      materials: {
        each: 'materials',
        item: {
          line: 'Line',
          operation: 'Operation',
          article: 'Material',
          quantity: units('MaterialQuantity', 'MaterialUnit'),
          location: 'MaterialLocation'
        }
      },
      revision
    },
    article: {
      number: 'Article',
      description: 'Description',
      unit: { from: 'Unit', code: 'units' },
      barcode: 'Barcode',
      blocked: { from: 'Blocked', boolean: yes },
      revision
    },
    location: { code: 'Location', warehouse: 'Warehouse', description: 'Description', blocked: { from: 'Blocked', boolean: yes } },
    employee: { number: 'Number', name: 'Name', active: { from: 'Active', default: 'J', boolean: yes } },
    stock: {
      article: 'Article',
      location: 'Location',
      quantity: units('Quantity', 'Unit'),
      lot: 'Lot',
      asOf: { from: 'AsOf', instant: 'yyyy-MM-dd HH:mm:ss' }
    },
    pickList: {
      number: 'PickList',
      workOrder: 'Order',
      lines: {
        each: 'lines',
        item: { line: 'Line', article: 'Article', quantity: units('Quantity', 'Unit'), location: 'Location' }
      },
      revision
    }
  },
  exports: identityMapping([], exportKinds).exports ?? {}
}
