import type { Static } from 'typebox'
import { type MessageState, quantity } from '../../core/index.ts'
import type { Article } from '../inventory/index.ts'
import type { JobLine, OrderLine, OwnReport } from './list-store.ts'
import { incomingOf, missingQuantity, proposedQuantity } from './operation-rules.ts'
import type { ChangeView, JobView, MaterialView, ReportView, SettingView, WorkOrderSummary, WorkOrderView } from './schemas.ts'
import type { Material, OrderChange, Report, Setting } from './store.ts'

const text = (value: string): string => quantity.quantity(value)

export interface Running {
  readonly jobId: string
  readonly employeeId: string
  readonly since: string
}

export function jobView(job: JobLine, running: readonly Running[]): Static<typeof JobView> {
  const good = job.before_good
  const before = good === null ? [] : (job.before_statuses ?? []).map(status => ({ good, status }))
  const progress = { planned: text(job.planned_quantity), good: job.good, scrap: job.scrap, ...incomingOf(before) }
  return {
    id: job.id,
    orderId: job.order_id,
    orderNumber: job.order_number,
    orderStatus: job.order_status,
    orderDescription: job.order_description,
    number: job.number,
    sequence: job.sequence,
    description: job.description,
    department: job.department_code,
    workCentre: job.work_centre,
    article: job.article,
    unit: job.unit,
    status: job.status,
    plannedQuantity: text(job.planned_quantity),
    proposedQuantity: proposedQuantity(progress),
    missingQuantity: missingQuantity(progress),
    good: text(job.good),
    scrap: text(job.scrap),
    rework: text(job.rework),
    due: job.due,
    priority: job.priority,
    setupSeconds: job.setup_seconds,
    runSeconds: job.run_seconds,
    running: running.filter(one => one.jobId === job.id).map(({ employeeId, since }) => ({ employeeId, since })),
    startedAt: job.started_at,
    finishedAt: job.finished_at,
    version: job.version
  }
}

export const orderSummary = (order: OrderLine): Static<typeof WorkOrderSummary> => ({
  id: order.id,
  number: order.number,
  article: order.article,
  description: order.description,
  department: order.department_code,
  quantity: text(order.quantity),
  unit: order.unit,
  due: order.due,
  priority: order.priority,
  status: order.status,
  erpStatus: order.erp_status,
  heldChanges: order.held_changes,
  startedAt: order.started_at,
  finishedAt: order.finished_at,
  version: order.version
})

export function orderView(
  order: OrderLine,
  jobs: readonly Static<typeof JobView>[],
  materials: readonly Static<typeof MaterialView>[],
  article: Article | undefined
): Static<typeof WorkOrderView> {
  const real = jobs.filter(job => job.status !== 'cancelled')
  return {
    ...orderSummary(order),
    articleDescription: article?.known ? article.description : null,
    progress: {
      good: real.at(-1)?.good ?? '0',
      scrap: quantity.sum(real.map(job => job.scrap)),
      operations: real.length,
      completed: real.filter(job => job.status === 'completed').length
    },
    operations: [...jobs],
    materials: [...materials]
  }
}

export const materialView = (line: Material, consumed: string | undefined, article: Article | undefined): Static<typeof MaterialView> => ({
  line: line.line,
  operation: line.operation_number,
  article: line.article,
  articleDescription: article?.known ? article.description : null,
  quantity: text(line.quantity),
  consumed: text(consumed ?? '0'),
  unit: line.unit,
  location: line.location
})

export const reportView = (row: Report, message: MessageState | undefined): Static<typeof ReportView> => ({
  id: row.id,
  jobId: row.job_id,
  kind: row.kind,
  good: text(row.good),
  scrap: text(row.scrap),
  rework: text(row.rework),
  scrapReason: row.scrap_reason,
  shortfall: row.shortfall,
  reverses: row.reverses,
  replaces: row.replaces,
  reason: row.reason,
  reportedBy: row.reported_by,
  employeeId: row.employee_id,
  at: row.at,
  feedback: feedbackView(message)
})

const feedbackView = (message: MessageState | undefined) =>
  message ? { state: message.state, document: message.document, settledAt: message.settledAt, reason: message.rejectMessage } : null

export const ownReportView = (row: OwnReport, message: MessageState | undefined) => ({
  reportId: row.id,
  jobId: row.job_id,
  orderNumber: row.order_number,
  operationNumber: row.operation_number,
  kind: row.kind,
  good: text(row.good),
  scrap: text(row.scrap),
  unit: row.unit,
  at: row.at,
  feedback: feedbackView(message)
})

export const changeView = (row: OrderChange): Static<typeof ChangeView> => ({
  id: row.id,
  field: row.field,
  before: row.before,
  after: row.after,
  policy: row.policy,
  state: row.state,
  floorVersion: row.floor_version,
  at: row.at,
  decidedAt: row.decided_at
})

export const settingView = (row: Setting): Static<typeof SettingView> => ({
  version: row.version,
  overReport: row.over_report,
  overPercent: text(row.over_percent),
  changeGuard: row.change_guard,
  productReceipt: row.product_receipt,
  receiptLocation: row.receipt_location,
  backflush: row.backflush
})
