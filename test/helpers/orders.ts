import type { ImportRecords } from '../../adapters/contract/index.ts'

type WorkOrder = ImportRecords['workOrder']

/** A released order of 100 pieces with the operations 10 (welding) and 20 (painting); a test says only what it is about. */
export const order = (number: string, parts: Partial<WorkOrder> = {}): WorkOrder => ({
  number,
  department: 'WELD',
  article: 'P-1',
  quantity: { value: '100', unit: 'pcs' },
  status: 'released',
  operations: [
    { number: '10', department: 'WELD', workCentre: 'W1', description: 'Weld the frame' },
    { number: '20', department: 'PAINT', description: 'Paint it' }
  ],
  ...parts
})
