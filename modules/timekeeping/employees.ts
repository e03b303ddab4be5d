import { type Ctx, newId, type ReceiveOutcome, type Receivers, type TxCtx } from '../../core/index.ts'
import type { Authz } from '../authz/index.ts'
import { refuse } from './errors.ts'
import {
  deactivate,
  type EmployeeUpsert,
  employeesById,
  knownEmployees,
  listEmployees,
  lockEmployees,
  type Sealed,
  upsertEmployees
} from './store.ts'

/** A person as the floor sees them: number and/or name, nothing more is ever stored. */
export interface Employee {
  readonly id: string
  readonly number: string | null
  readonly name: string | null
  readonly active: boolean
}

const table = 'timekeeping.employee'

export function openEmployee(c: Ctx | TxCtx, row: Sealed): Employee {
  const open = (sealed: Buffer | null, column: string): string | null =>
    sealed === null ? null : c.tenant.keys.openText(sealed, { table, column, row: row.id })
  return { id: row.id, number: open(row.number_sealed, 'number_sealed'), name: open(row.name_sealed, 'name_sealed'), active: row.active }
}

/** Numbers sort as people read them: 9 before 10. */
const byNumber = new Intl.Collator('en', { numeric: true })

/**
 * Employees, decrypted, sorted and searched in memory (at most some thousands); `after` is the id of the last one seen. The place is
 * looked up before the filter, so that one who stopped being active between two pages does not send the list back to its begin.
 */
export async function findEmployees(
  ctx: Ctx,
  filter: { search: string | undefined; active: boolean | undefined; after: string | undefined }
): Promise<Employee[]> {
  const needle = filter.search?.normalize('NFKC').toLowerCase()
  const all = (await listEmployees(ctx))
    .map(row => openEmployee(ctx, row))
    .sort((a, b) => byNumber.compare(a.number ?? a.name ?? '', b.number ?? b.name ?? '') || (a.id < b.id ? -1 : 1))
  const seen = filter.after === undefined ? -1 : all.findIndex(e => e.id === filter.after)
  if (filter.after !== undefined && seen === -1) return []
  return all
    .slice(seen + 1)
    .filter(e => filter.active === undefined || e.active === filter.active)
    .filter(e => needle === undefined || `${e.number ?? ''} ${e.name ?? ''}`.toLowerCase().includes(needle))
}

/** What the ERP calls them: the number, or the name where it has no numbers. */
export async function employeeRefs(ctx: Ctx | TxCtx, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await employeesById(ctx, ids)
  return new Map(rows.map(row => openEmployee(ctx, row)).map(e => [e.id, e.number ?? e.name ?? e.id]))
}

/** Locks the persons and refuses unknown and inactive ones. */
export async function lockActive(tx: TxCtx, ids: readonly string[]): Promise<void> {
  const rows = new Map((await lockEmployees(tx, ids)).map(row => [row.id, row]))
  for (const id of ids) {
    const row = rows.get(id)
    if (!row) throw refuse('employee_unknown', 'There is no such employee.')
    if (!row.active) throw refuse('employee_inactive', 'This employee is not active, so no time can be booked for them.')
  }
}

/**
 * Takes over employees from the ERP, whole arrays at once. Known ones are found by the blind index of their key or number before
 * anything is sealed, because a sealed value is bound to its row's id. authz is told, so that sign-in by number works.
 */
export function employeeReceiver(authz: Authz): NonNullable<Receivers['employee']> {
  return async (tx, batch) => {
    const { keys } = tx.tenant
    const blindKey = (key: string): Buffer => keys.blind(key, 'employee.key')
    const blindNumber = (number: string): Buffer => keys.blind(number, 'employee.number')
    const outcomes: ReceiveOutcome[] = []
    const numbers = batch.records.flatMap(({ record }) => (record.number === undefined ? [] : [blindNumber(record.number)]))
    const known = await knownEmployees(
      tx,
      batch.records.map(r => blindKey(r.key)),
      numbers
    )
    const byKey = new Map(known.map(row => [row.key_blind.toString('hex'), row.id]))
    const byNumber = new Map(known.flatMap(row => (row.number_blind === null ? [] : [[row.number_blind.toString('hex'), row.id] as const])))
    const rows: EmployeeUpsert[] = []
    const taken = new Map<string, string>()
    for (const { key, record } of batch.records) {
      const keyHex = blindKey(key).toString('hex')
      const numberHex = record.number === undefined ? null : blindNumber(record.number).toString('hex')
      const id = byKey.get(keyHex) ?? newId()
      const holder = numberHex === null ? undefined : (taken.get(numberHex) ?? byNumber.get(numberHex))
      if (holder !== undefined && holder !== id) {
        outcomes.push({
          key,
          status: 'rejected',
          code: 'employee_number_taken',
          message: 'Another employee already has this number. Give each employee one number in the ERP.',
          field: 'number'
        })
        continue
      }
      if (numberHex !== null) taken.set(numberHex, id)
      const seal = (text: string | undefined, column: string): string | null =>
        text === undefined ? null : keys.seal(text, { table, column, row: id }).toString('hex')
      rows.push({
        id,
        key_blind: keyHex,
        number_blind: numberHex,
        active: record.active,
        number_sealed: seal(record.number, 'number_sealed'),
        name_sealed: seal(record.name, 'name_sealed')
      })
      outcomes.push({ key, status: 'applied' })
    }
    await upsertEmployees(tx, batch.connectionId, rows)
    const gone = await deactivate(tx, batch.closed.map(blindKey))
    await authz.linkEmployees(tx, [
      ...rows.map(row => ({
        id: row.id,
        numberBlind: row.number_blind === null ? null : Buffer.from(row.number_blind, 'hex'),
        active: row.active
      })),
      ...gone.map(row => ({ id: row.id, numberBlind: row.number_blind, active: false }))
    ])
    return [...outcomes, ...batch.closed.map(key => ({ key, status: 'applied' as const }))]
  }
}
