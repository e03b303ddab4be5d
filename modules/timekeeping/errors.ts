import { type RefusalSpecs, refuser } from '../../core/index.ts'

export const timekeepingErrors = {
  employee_unknown: {
    kind: 'invalid',
    title: 'Unknown employee',
    remedy: 'Choose an employee from the list; new ones come from the ERP.'
  },
  employee_inactive: {
    kind: 'conflict',
    title: 'The employee is not active',
    remedy: 'Activate the employee in the ERP, or choose another one.'
  },
  employee_missing: {
    kind: 'invalid',
    title: 'For whom is not said',
    remedy: 'Name an employee, or let an administrator link your user to your employee number.'
  },
  activity_unknown: { kind: 'invalid', title: 'Unknown activity code', remedy: 'Choose a code from the list of indirect activities.' },
  indirect_running: { kind: 'conflict', title: 'An indirect activity already runs', remedy: 'Stop it first.' },
  indirect_not_running: {
    kind: 'conflict',
    title: 'No indirect activity runs',
    remedy: 'Nothing to stop; look at today in the list of hours.'
  },
  booking_unknown: { kind: 'not_found', title: 'Unknown booking', remedy: 'Read the list of hours again.' },
  booking_corrected: { kind: 'conflict', title: 'The booking was corrected already', remedy: 'Correct the newest booking instead.' },
  booking_too_long: {
    kind: 'invalid',
    title: 'More time than the interval lasted',
    remedy: 'Give at most the seconds between start and stop.'
  },
  activity_exists: { kind: 'conflict', title: 'The activity code exists', remedy: 'Choose another code.' }
} as const satisfies RefusalSpecs

export const refuse = refuser(timekeepingErrors)
