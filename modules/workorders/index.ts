import { defineModule } from '../../core/index.ts'
import '../authz/index.ts'
import '../inventory/index.ts'
import '../timekeeping/index.ts'
import { dictionary } from './dictionary.ts'
import { errors } from './errors.ts'
import { jobRoutes } from './job-routes.ts'
import { type JobActs, jobActs } from './jobs.ts'
import { overviewRoutes } from './overview-routes.ts'
import { orderReceiver, pickListReceiver } from './receivers.ts'
import { orderRoutes } from './routes.ts'

/** What the work orders do for others: the acts on a job, for tests and for commands. */
export type Workorders = JobActs

declare module '../../core/index.ts' {
  interface Faces {
    workorders: Workorders
  }
}

export default defineModule({
  name: 'workorders',
  needs: ['authz', 'timekeeping', 'inventory', 'outbox', 'journal'],
  permissions: {
    'orders.read': 'See work orders with their operations, materials and history.',
    'orders.manage': 'Decide changes of the ERP, and manage scrap reasons and settings.',
    'jobs.read': 'See the list of jobs on the floor.',
    'jobs.work': 'Start, pause and resume jobs.',
    'jobs.report': 'Report quantities.',
    'jobs.complete': 'Complete and reopen jobs.',
    'jobs.correct': 'Correct reports by reversal, with a reason.'
  },
  personalData: [
    { table: 'workorders.report', subject: 'employee_id', columns: ['employee_id', 'reported_by'], why: 'to know who reported quantities' },
    { table: 'workorders.order_change', subject: 'decided_by', columns: ['decided_by'], why: 'to know who decided a change of the ERP' }
  ],
  retention: ['work_order', 'job', 'material', 'scrap_reason', 'report', 'order_change', 'setting'].map(table => ({
    table: `workorders.${table}`,
    after: 'end of contract',
    rule: 'return or destruction'
  })),
  dictionary,
  errors,
  build({ authz, timekeeping, inventory, outbox, journal }) {
    const needs = { authz, timekeeping, inventory, outbox, journal }
    return {
      face: jobActs(needs),
      routes: app => {
        orderRoutes(needs)(app)
        jobRoutes(needs)(app)
        overviewRoutes(needs)(app)
      },
      receives: { workOrder: orderReceiver(needs), pickList: pickListReceiver(needs) }
    }
  }
})
