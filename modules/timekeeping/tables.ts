import type { Generated } from 'kysely'
import { view } from '../../core/index.ts'

export interface EmployeeRow {
  id: string
  connection_id: string | null
  key_blind: Buffer
  number_blind: Buffer | null
  number_sealed: Buffer | null
  name_sealed: Buffer | null
  active: boolean
  created_at: Generated<string>
  changed_at: Generated<string>
}

export interface IntervalRow {
  id: string
  seq: Generated<string>
  employee_id: string
  job_id: string | null
  order_number: string | null
  operation_number: string | null
  connection_id: string | null
  activity: 'setup' | 'run' | 'indirect'
  activity_code: string | null
  started_at: string
  ended_at: string | null
  end_reason: string | null
  flagged: Generated<boolean>
  created_at: Generated<string>
  changed_at: Generated<string>
}

export interface BookingRow {
  id: string
  seq: Generated<string>
  interval_id: string
  employee_id: string
  job_id: string | null
  order_number: string | null
  operation_number: string | null
  connection_id: string | null
  activity: 'setup' | 'run' | 'indirect'
  activity_code: string | null
  started_at: string
  seconds: number
  day: string
  reverses: string | null
  reason: string | null
  outbox_key: string | null
  created_at: Generated<string>
}

export interface ActivityCodeRow {
  code: string
  name: string
  kind: 'indirect' | 'absence'
  active: Generated<boolean>
  created_at: Generated<string>
  changed_at: Generated<string>
}

export interface TimekeepingTables {
  'timekeeping.employee': EmployeeRow
  'timekeeping.interval': IntervalRow
  'timekeeping.booking': BookingRow
  'timekeeping.activity_code': ActivityCodeRow
}

export const own = view<TimekeepingTables>()

export const employeeColumns = ['id', 'number_sealed', 'name_sealed', 'active'] as const satisfies readonly (keyof EmployeeRow)[]
export const intervalColumns = [
  'id',
  'employee_id',
  'job_id',
  'order_number',
  'operation_number',
  'connection_id',
  'activity',
  'activity_code',
  'started_at',
  'ended_at',
  'flagged'
] as const satisfies readonly (keyof IntervalRow)[]
export const bookingColumns = [
  'id',
  'seq',
  'interval_id',
  'employee_id',
  'job_id',
  'order_number',
  'operation_number',
  'connection_id',
  'activity',
  'activity_code',
  'started_at',
  'seconds',
  'day',
  'reverses',
  'reason',
  'outbox_key'
] as const satisfies readonly (keyof BookingRow)[]
