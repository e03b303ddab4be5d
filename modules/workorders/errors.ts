import { type RefusalSpecs, refuser } from '../../core/index.ts'

/** Refusal codes of the work orders. */
export const errors = {
  order_cancelled: {
    kind: 'conflict',
    title: 'The work order or operation is cancelled',
    remedy: 'Book on another one; what was booked stays.'
  },
  order_closed: {
    kind: 'conflict',
    title: 'The work order or operation is closed',
    remedy: 'Ask the planner to open it again in the ERP.'
  },
  order_not_released: {
    kind: 'conflict',
    title: 'The work order is not released yet',
    remedy: 'Ask the planner to release it in the ERP.'
  },
  job_already_running: {
    kind: 'conflict',
    title: 'Already running',
    remedy: 'Nothing to do: the clock runs since the time named in the detail.'
  },
  job_completed: { kind: 'conflict', title: 'The operation is completed', remedy: 'Reopen it first, with a reason.' },
  job_not_completed: { kind: 'conflict', title: 'The operation is not completed', remedy: 'Only a completed operation is reopened.' },
  job_not_running: { kind: 'conflict', title: 'The operation is not running', remedy: 'Start it, or refresh the list.' },
  job_not_paused: { kind: 'conflict', title: 'The operation is not paused', remedy: 'Start it, or refresh the list.' },
  not_on_job: { kind: 'conflict', title: 'Others work on this operation', remedy: 'Name in `employeeIds` whose clock stops.' },
  employee_missing: {
    kind: 'invalid',
    title: 'Nobody was named',
    remedy: 'Give `employeeIds`, or link your user account to an employee.'
  },
  employee_unknown: { kind: 'invalid', title: 'Unknown employee', remedy: 'Choose from the list of employees.' },
  nothing_reported: { kind: 'invalid', title: 'Nothing was reported', remedy: 'Give a good, scrap or rework quantity above zero.' },
  scrap_reason_missing: {
    kind: 'invalid',
    title: 'Scrap without a reason',
    remedy: 'Give `scrapReason`; the list is at /api/v1/scrap-reasons.'
  },
  scrap_reason_unknown: { kind: 'invalid', title: 'Unknown scrap reason', remedy: 'Choose from /api/v1/scrap-reasons.' },
  report_exceeds_plan: { kind: 'conflict', title: 'More than planned', remedy: 'Correct the quantity, or ask for another setting.' },
  over_report_reason_missing: {
    kind: 'conflict',
    title: 'More than planned, without a reason',
    remedy: 'Repeat with `reason`, or correct the quantity.'
  },
  shortfall_undecided: { kind: 'conflict', title: 'Less than planned', remedy: 'Repeat with `shortfall`: not_yet or lost.' },
  report_reversed: { kind: 'conflict', title: 'This report was corrected already', remedy: 'Correct the row that stands for it now.' },
  undo_over: {
    kind: 'conflict',
    title: 'It can no longer be undone',
    remedy: 'Correct the report with a reason, or ask who may correct.'
  },
  reversal_not_correctable: {
    kind: 'conflict',
    title: 'A reversal cannot be corrected',
    remedy: 'Correct the row that replaced the reversed one.'
  },
  material_line_unknown: { kind: 'invalid', title: 'Unknown material line', remedy: 'Leave `line` out, or take one of the order.' },
  change_decided: { kind: 'conflict', title: 'This change is decided already', remedy: 'Read the order again.' },
  period_wrong: { kind: 'invalid', title: 'Not a period', remedy: 'Give `from` and `to` as days, in this order, 92 days at most.' },
  setting_changed: {
    kind: 'precondition',
    title: 'The setting was changed meanwhile',
    remedy: 'Read it again and repeat with the new version.'
  }
} as const satisfies RefusalSpecs

export const refuse = refuser(errors)
