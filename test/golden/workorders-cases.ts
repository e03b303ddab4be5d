import { visible } from '../../modules/authz/grant.ts'
import * as lists from '../../modules/workorders/list-store.ts'
import * as overview from '../../modules/workorders/overview-store.ts'
import * as receive from '../../modules/workorders/receive-store.ts'
import * as orders from '../../modules/workorders/store.ts'
import { type StoreCases, storeCases } from './case.ts'
import { recorder } from './recorder.ts'
import { at, day, id, ids } from './values.ts'

const covered = visible(recorder().c, 'j.id')
const jobs = { search: null, scans: null, status: null, department: null, after: null, limit: 50 }
const guard = {
  article: 'refuse',
  quantity: 'hold',
  unit: 'refuse',
  due: 'accept',
  priority: 'accept',
  description: 'accept',
  department: 'hold',
  operations: 'hold',
  materials: 'accept'
} as const
const page = { sort: 'urgent' as const, search: null, status: null, department: null, held: false, dueBefore: null, after: null, limit: 50 }

const jobRow = {
  id,
  order_id: id,
  number: '10',
  sequence: 10,
  department_code: 'TUR',
  work_centre: null,
  description: 'Turn',
  setup_seconds: null,
  run_seconds: null,
  status: 'released' as const,
  planned_quantity: '1',
  priority: 1,
  due: day
}

export const workordersCases: readonly StoreCases[] = [
  storeCases('modules/workorders/list-store.ts', lists, {
    findJob: { always: [id, covered] },
    jobsOfOrder: { always: [id, covered] },
    listJobs: {
      'first page': [jobs, covered],
      'next page': [{ ...jobs, after: [1, day, '7'] }, covered],
      scanned: [{ ...jobs, scans: [{ order: 'WO-1', operation: '10' }] }, covered]
    },
    reportsOf: { always: ['user:x', 20, covered] },
    findOrder: { 'somebody of the floor': [id, covered], 'who sees everything': { args: [id, covered], everything: true } },
    listOrders: {
      'somebody of the floor': [page, covered],
      'who sees everything': { args: [page, covered], everything: true },
      'late ones of a department': [{ ...page, department: 'TUR', dueBefore: day }, covered],
      'next page of held ones': [{ ...page, held: true, after: [1, day, '7'] }, covered],
      'next page by due date': [{ ...page, sort: 'due' as const, after: [day, '7'] }, covered],
      'next page by number': [{ ...page, sort: 'number' as const, after: ['WO-1'] }, covered],
      'next page of the newest': [{ ...page, sort: 'newest' as const, after: ['7'] }, covered]
    }
  }),
  storeCases('modules/workorders/overview-store.ts', overview, {
    progress: { always: [day, covered] },
    scrapByReason: { always: [{ from: day, to: day, department: 'TUR' }, covered] }
  }),
  storeCases('modules/workorders/receive-store.ts', receive, {
    lockOrders: { always: [['WO-1']] },
    jobsOf: { some: [ids], none: [[]] },
    saveOrders: {
      one: [
        [
          {
            id,
            number: 'WO-1',
            connection_id: id,
            article: 'A-1',
            description: null,
            department_code: 'TUR',
            quantity: '1',
            unit: 'PCE',
            due: day,
            priority: 1,
            erp_status: null,
            status: 'released'
          }
        ]
      ],
      none: [[]]
    },
    addJobs: {
      one: [[jobRow]],
      none: [[]]
    },
    saveJobs: {
      one: [[jobRow]],
      none: [[]]
    },
    saveMaterials: {
      one: [[id], [{ order_id: id, line: '10', operation_number: null, article: 'A-1', quantity: '1', unit: 'PCE', location: null }]],
      'no orders': [[], []]
    },
    saveChanges: {
      one: [[{ id, orderId: id, field: 'quantity', before: '1', after: '2', policy: 'hold', state: 'held', floorVersion: 1 }]],
      none: [[]]
    },
    withdrawChanges: { one: [[{ orderId: id, field: 'quantity' }]], none: [[]] },
    heldOf: { always: [ids] },
    knownOrders: { always: [['WO-1']] }
  }),
  storeCases(
    'modules/workorders/store.ts',
    orders,
    {
      lockJob: { always: [id, covered] },
      siblingsOf: { always: [{ order_id: id, id }] },
      saveJob: { always: [{ id, orderId: id, status: 'started', orderStatus: 'started', good: '0', scrap: '0', rework: '0', at }] },
      insertReport: {
        always: [
          {
            id,
            job_id: id,
            kind: 'report',
            good: '1',
            scrap: '0',
            rework: '0',
            scrap_reason: null,
            shortfall: 'none',
            reverses: null,
            replaces: null,
            reason: null,
            reported_by: id,
            employee_id: null,
            outbox_key: null,
            receipt_key: null,
            at
          }
        ]
      },
      reportById: { always: [id] },
      isReversed: { always: [id] },
      isNewest: { always: [{ job_id: id, seq: '1' }] },
      reportsOfJobs: { always: [ids] },
      scrapReasons: { always: [] },
      isActiveReason: { always: ['BURR'] },
      saveScrapReason: { always: [{ code: 'BURR', name: 'Burr', active: true }] },
      getSetting: { always: { args: [], rows: [[{ version: 1 }]] } },
      saveSetting: {
        always: [
          1,
          {
            over_report: 'warn',
            over_percent: '10',
            change_guard: guard,
            product_receipt: 'none',
            receipt_location: null,
            backflush: 'none'
          }
        ]
      },
      changesOfOrder: { always: [id] },
      lockChange: { always: [id, id] },
      decideChange: { always: [id, 'accepted', id] },
      materialsOf: { always: [ids] }
    },
    ['own']
  )
]
