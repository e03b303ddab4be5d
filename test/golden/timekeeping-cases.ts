import { visible } from '../../modules/authz/grant.ts'
import * as time from '../../modules/timekeeping/store.ts'
import { type StoreCases, storeCases } from './case.ts'
import { recorder } from './recorder.ts'
import { at, blind, day, id, ids } from './values.ts'

const covered = visible(recorder().c, 'booking.job_id')

const booking = {
  id,
  interval_id: id,
  employee_id: id,
  job_id: id,
  order_number: 'WO-1',
  operation_number: '10',
  connection_id: id,
  activity: 'run',
  activity_code: null,
  started_at: at,
  seconds: 60,
  reverses: null,
  reason: null,
  outbox_key: null
} as const

export const timekeepingCases: readonly StoreCases[] = [
  storeCases('modules/timekeeping/store.ts', time, {
    listEmployees: { always: [] },
    employeesById: { always: [ids] },
    lockEmployees: { always: [ids] },
    openIntervals: { always: [ids] },
    runningOf: { always: [ids] },
    touching: { always: [ids, at] },
    insertIntervals: {
      'two persons': [
        ids.map(employeeId => ({
          id: employeeId,
          employeeId,
          jobId: id,
          orderNumber: 'WO-1',
          operationNumber: '10',
          connectionId: id,
          activity: 'run' as const,
          activityCode: null,
          at
        }))
      ],
      nobody: [[]]
    },
    endIntervals: { always: [ids, at, 'paused', false] },
    insertBookings: { one: [[booking]], none: [[]] },
    lockBooking: { always: [id, covered] },
    intervalById: { always: [id] },
    reversalOf: { always: [id] },
    bookingsById: { always: [ids] },
    intervalEnds: { some: [ids] },
    listBookings: {
      'of everybody': [{ day, employeeId: null, after: '0', limit: 50 }, covered],
      'of one person': [{ day, employeeId: id, after: '0', limit: 50 }, covered],
      'own hours': [{ day, employeeId: id, after: '0', limit: 50 }, time.ofAnyJob]
    },
    listActivities: { always: [] },
    insertActivity: { always: [{ code: 'CLEAN', name: 'Cleaning', kind: 'indirect' }] },
    knownEmployees: { always: [[blind], [blind]] },
    upsertEmployees: {
      always: [id, [{ id, key_blind: '01', number_blind: null, active: true, number_sealed: null, name_sealed: null }]]
    },
    deactivate: { always: [[blind]] }
  })
]
