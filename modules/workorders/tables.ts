import type { Generated } from 'kysely'
import type { Guard } from './change-rules.ts'
import type { Backflush, JobStatus, OrderStatus, OverReport, ProductReceipt, Shortfall } from './operation-rules.ts'

/** Rows of the schema `workorders`. Instants and days are ISO text, numerics decimal text, identities text. */
export interface WorkordersTables {
  'workorders.work_order': WorkOrderRow
  'workorders.job': JobRow
  'workorders.material': MaterialRow
  'workorders.scrap_reason': ScrapReasonRow
  'workorders.report': ReportRow
  'workorders.order_change': OrderChangeRow
  'workorders.setting': SettingRow
}

interface Dated {
  created_at: Generated<string>
  changed_at: Generated<string>
}

export interface WorkOrderRow extends Dated {
  id: string
  seq: Generated<string>
  number: string
  connection_id: string | null
  article: string | null
  description: string | null
  department_code: string
  quantity: string
  unit: string
  due: string | null
  priority: number
  erp_status: string | null
  status: OrderStatus
  version: Generated<number>
  started_at: string | null
  finished_at: string | null
}

export interface JobRow extends Dated {
  id: string
  seq: Generated<string>
  order_id: string
  number: string
  sequence: number
  department_code: string
  work_centre: string | null
  description: string
  setup_seconds: number | null
  run_seconds: number | null
  status: JobStatus
  planned_quantity: string
  good: Generated<string>
  scrap: Generated<string>
  rework: Generated<string>
  priority: number
  due: string | null
  version: Generated<number>
  started_at: string | null
  finished_at: string | null
}

export interface MaterialRow extends Dated {
  order_id: string
  line: string
  operation_number: string | null
  article: string
  quantity: string
  unit: string
  location: string | null
}

export interface ScrapReasonRow extends Dated {
  code: string
  name: string
  active: Generated<boolean>
}

export interface ReportRow {
  id: string
  seq: Generated<string>
  job_id: string
  kind: 'report' | 'reversal' | 'replacement' | 'reopening'
  good: string
  scrap: string
  rework: string
  scrap_reason: string | null
  shortfall: Shortfall
  reverses: string | null
  replaces: string | null
  reason: string | null
  reported_by: string
  employee_id: string | null
  outbox_key: string | null
  receipt_key: string | null
  at: string
  created_at: Generated<string>
}

export interface OrderChangeRow extends Dated {
  id: string
  seq: Generated<string>
  order_id: string
  field: string
  before: unknown
  after: unknown
  policy: 'accept' | 'hold' | 'refuse'
  state: 'accepted' | 'held' | 'refused' | 'withdrawn'
  floor_version: number
  decided_by: string | null
  decided_at: string | null
  at: string
}

export interface SettingRow extends Dated {
  singleton: Generated<boolean>
  version: Generated<number>
  over_report: OverReport
  over_percent: string
  change_guard: Guard
  product_receipt: ProductReceipt
  receipt_location: string | null
  backflush: Backflush
}
