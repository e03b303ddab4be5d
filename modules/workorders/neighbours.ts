import type { Expression, SqlBool } from 'kysely'
import type { Ctx, Journal, Outbox, TxCtx } from '../../core/index.ts'
import type { Inventory } from '../inventory/index.ts'

/** What the work orders ask of authz: which jobs a caller covers, and where to note by what a job is found. */
export interface AuthzNeed {
  visible(c: Ctx | TxCtx, jobIdColumn: string): Expression<SqlBool>
  /** Refuses `forbidden` when none of the caller's roles gives the permission. */
  require(c: Ctx | TxCtx, permission: string): void
  scopeJobs(
    tx: TxCtx,
    rows: readonly {
      readonly jobId: string
      readonly orderNumber: string
      readonly department: string
      readonly workCentre: string | null
    }[]
  ): Promise<void>
  /** Names of the departments that have one, by code. */
  departmentNames(c: Ctx | TxCtx): Promise<ReadonlyMap<string, string>>
  noteDepartments(tx: TxCtx, codes: readonly string[]): Promise<ReadonlySet<string>>
}

/** What the work orders ask of timekeeping: the clock of persons on a job. */
export interface TimekeepingNeed {
  openInterval(
    tx: TxCtx,
    start: {
      readonly employeeIds: readonly string[]
      readonly jobId: string
      readonly orderNumber: string
      readonly operationNumber: string
      readonly activity: 'setup' | 'run'
      readonly connectionId: string | null
      readonly at: string
    }
  ): Promise<void>
  closeIntervals(
    tx: TxCtx,
    stop: {
      readonly jobIds: readonly string[]
      readonly employeeIds?: readonly string[]
      readonly at: string
      readonly reason: string
      readonly flagged?: boolean
    }
  ): Promise<{ readonly employeeIds: readonly string[] }>
  running(
    c: Ctx | TxCtx,
    jobIds: readonly string[]
  ): Promise<readonly { readonly jobId: string; readonly employeeId: string; readonly since: string }[]>
  employeeOfUser(c: Ctx | TxCtx): Promise<string | null>
  employeesExist(c: Ctx | TxCtx, ids: readonly string[]): Promise<ReadonlySet<string>>
}

/** Everything the use cases of this module work with. */
export interface Needs {
  readonly authz: AuthzNeed
  readonly timekeeping: TimekeepingNeed
  readonly inventory: Inventory
  readonly outbox: Outbox
  readonly journal: Journal
}
