import { type Ctx, defineModule, type TxCtx } from '../../core/index.ts'
import '../authz/index.ts'
import { dictionary } from './dictionary.ts'
import { employeeReceiver, employeeRefs } from './employees.ts'
import { timekeepingErrors } from './errors.ts'
import { closeIntervals, type OpenInterval, openInterval, running } from './intervals.ts'
import { timekeepingRoutes } from './routes.ts'
import { employeesById } from './store.ts'

/** What neighbours may ask of timekeeping. Writing functions join the caller's transaction. */
export interface Timekeeping {
  /** Starts the time of persons on a job; who is on it already goes on. Refuses unknown and inactive employees. */
  openInterval(tx: TxCtx, start: OpenInterval): Promise<void>
  /** Ends the running time on jobs and books each one's share. @returns the persons whose time ended */
  closeIntervals(
    tx: TxCtx,
    stop: { jobIds: readonly string[]; employeeIds?: readonly string[]; at: string; reason: string; flagged?: boolean }
  ): Promise<{ employeeIds: string[] }>
  running(ctx: Ctx | TxCtx, jobIds: readonly string[]): Promise<{ jobId: string; employeeId: string; since: string }[]>
  /** The employee that the signed-in user is; null when not linked. */
  employeeOfUser(ctx: Ctx | TxCtx): Promise<string | null>
  employeesExist(ctx: Ctx | TxCtx, ids: readonly string[]): Promise<Set<string>>
  /** Employee id -> the ERP's number, or the name where there are no numbers. */
  employeeRefs(ctx: Ctx | TxCtx, ids: readonly string[]): Promise<ReadonlyMap<string, string>>
}

declare module '../../core/index.ts' {
  interface Faces {
    timekeeping: Timekeeping
  }
}

export default defineModule({
  name: 'timekeeping',
  needs: ['journal', 'outbox', 'authz'],
  permissions: {
    'employees.read': 'See employees by number and name.',
    'hours.read': 'See the hours of everybody on the jobs of one’s groups, and indirect hours.',
    'hours.book': 'Start and stop time for other people (team lead).',
    'hours.correct': 'Correct booked hours by reversal, with a reason.',
    'hours.settings': 'Manage codes of indirect activities.'
  },
  personalData: [
    {
      table: 'timekeeping.employee',
      subject: 'number_blind',
      columns: ['id', 'number_sealed', 'name_sealed', 'key_blind', 'active'],
      why: 'to book hours per work order'
    },
    {
      table: 'timekeeping.interval',
      subject: 'employee_id',
      columns: ['employee_id', 'started_at', 'ended_at'],
      why: 'to book hours per work order'
    },
    {
      table: 'timekeeping.booking',
      subject: 'employee_id',
      columns: ['employee_id', 'started_at', 'seconds', 'day'],
      why: 'to book hours per work order'
    }
  ],
  retention: [
    { table: 'timekeeping.employee', after: 'end of contract', rule: 'return or destruction' },
    { table: 'timekeeping.interval', after: 'end of contract', rule: 'return or destruction' },
    { table: 'timekeeping.booking', after: 'end of contract', rule: 'return or destruction' },
    { table: 'timekeeping.activity_code', after: 'end of contract', rule: 'return or destruction' }
  ],
  dictionary,
  errors: timekeepingErrors,
  build({ journal, outbox, authz }) {
    const services = { journal, outbox, authz }
    return {
      face: {
        openInterval,
        closeIntervals: (tx, stop) => closeIntervals(tx, services, stop),
        running,
        employeeOfUser: ctx => authz.employeeOfUser(ctx),
        employeesExist: async (ctx, ids) => new Set((await employeesById(ctx, ids)).map(row => row.id)),
        employeeRefs
      },
      routes: timekeepingRoutes(services),
      receives: { employee: employeeReceiver(authz) }
    }
  }
})
