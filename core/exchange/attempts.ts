import { type ExportOutcomeBody, next } from '../../adapters/contract/index.ts'
import type { TxCtx } from '../context.ts'
import { applySteps, type ExportRun, leased, rulesOf } from './export-run.ts'
import { type Changed, lockMessages, machineOf, type Stored, saveStates } from './outbox-store.ts'
import { type SealedBatch, sealBatches } from './seal.ts'
import { isActive, messagesByKey } from './sending-store.ts'

/** What may go next of one ordering key: a batch that was sealed before, or messages for a new one. */
export interface Unit {
  readonly rows: readonly Stored[]
  readonly batch: SealedBatch | undefined
}

/** A batch of which an attempt begins. */
export interface Started {
  readonly batch: SealedBatch
  /** The messages that wait for an outcome, as they were before this attempt. */
  readonly rows: readonly Stored[]
  /** What the adapter gets: these, or the whole batch where its bytes must be the same again. */
  readonly items: readonly Stored[]
}

/**
 * Marks the attempts of several batches right before them, under the lock of their messages, and seals what is new. What changed since it
 * was picked stays behind. Nothing begins on a connection that was paused meanwhile.
 */
export const begin = (
  run: ExportRun,
  units: readonly Unit[],
  refs: ReadonlyMap<string, string>
): Promise<{ readonly started: readonly Started[]; readonly refused: boolean }> =>
  leased(run, async tx => {
    if (!(await isActive(tx, run.runtime.id))) return { started: [], refused: false }
    const groups = await unchanged(
      tx,
      units.map(unit => unit.rows)
    )
    const again: { batch: SealedBatch; rows: readonly Stored[] }[] = []
    const fresh: { orderingKey: string; rows: readonly Stored[] }[] = []
    let refused = false
    for (const [i, { batch }] of units.entries()) {
      const rows = groups[i] ?? []
      const [head] = rows
      if (!head) continue
      const named = batch ? rows : withNames(rows, refs)
      if (batch) again.push({ batch, rows })
      else if (named.length > 0) fresh.push({ orderingKey: head.ordering_key, rows: named })
      else {
        await refuseNameless(run, tx, head)
        refused = true
      }
    }
    const ready = [...again, ...(await sealBatches(tx, run.runtime.id, fresh, refs))]
    const started = await withItems(run, tx, ready)
    await saveStates(
      tx,
      ready.flatMap(({ batch, rows }) => rows.flatMap(row => attempt(run, row, batch.id) ?? [])),
      'host'
    )
    return { started, refused }
  })

/** Locks the messages of each group and gives them as far as nobody changed one since they were picked: behind such a one all wait. */
async function unchanged(tx: TxCtx, groups: readonly (readonly Stored[])[]): Promise<Stored[][]> {
  const locked = new Map(
    (
      await lockMessages(
        tx,
        groups.flat().map(row => row.seq)
      )
    ).map(row => [row.seq, row])
  )
  return groups.map(group => {
    const now = group.flatMap(row => locked.get(row.seq) ?? [])
    const changed = now.findIndex((row, i) => row.state !== group[i]?.state || row.batch_id !== group[i]?.batch_id)
    return changed < 0 ? now : now.slice(0, changed)
  })
}

function attempt(run: ExportRun, row: Stored, batchId: string): Changed | undefined {
  const now = run.ctx.clock.now().getTime()
  const rules = rulesOf(run.runtime, row)
  const sealed = row.state === 'waiting' ? next(machineOf(row), { type: 'sealed' }, now, rules) : machineOf(row)
  const to = sealed && next(sealed, { type: 'attempt' }, now, rules)
  return to && { row, to, event: 'attempt', detail: null, batchId }
}

/**
 * A deterministic file is repeated whole, with the items that are settled: its bytes may not change. What was refused instead,
 * and then given up, settled by hand or sealed anew, is no part of it.
 */
async function withItems(run: ExportRun, tx: TxCtx, ready: readonly Pick<Started, 'batch' | 'rows'>[]): Promise<Started[]> {
  const inPart = ({ batch, rows }: Pick<Started, 'batch' | 'rows'>): boolean =>
    rows.length < batch.records.size && rows.some(row => rulesOf(run.runtime, row).idempotency === 'deterministic-file')
  const keys = ready.filter(inPart).flatMap(({ batch }) => [...batch.records.keys()])
  const others = new Map(keys.length === 0 ? [] : (await messagesByKey(tx, keys)).map(row => [row.key, row]))
  const belongs = (row: Stored, batchId: string): boolean =>
    row.reject_code === null && (row.document !== null || (row.batch_id === batchId && row.state !== 'dropped'))
  return ready.map(one => ({
    ...one,
    items: inPart(one)
      ? [...one.batch.records.keys()].flatMap(key => others.get(key) ?? []).filter(row => belongs(row, one.batch.id))
      : one.rows
  }))
}

/** The employee of a message, by our id. */
export const personOf = (row: Stored): string | undefined =>
  row.kind === 'labour' ? (row.record as { employee: string }).employee : undefined

/** Messages up to the first whose person has no number or name that the ERP would know. */
function withNames(rows: readonly Stored[], refs: ReadonlyMap<string, string>): readonly Stored[] {
  const nameless = rows.findIndex(row => {
    const person = personOf(row)
    return person !== undefined && (refs.get(person) ?? person) === person
  })
  return nameless < 0 ? rows : rows.slice(0, nameless)
}

/** Our own id of a person says nothing to the ERP, so the message is refused here, where a person can mend it. */
async function refuseNameless(run: ExportRun, tx: TxCtx, row: Stored): Promise<void> {
  const message = 'The ERP has no number or name for this person. Add one to the person and send the message again.'
  const outcome: ExportOutcomeBody = { status: 'rejected', reject: { code: 'employee_unmapped', message, field: 'employee' } }
  for (const event of [{ type: 'sealed' }, { type: 'attempt' }, { type: 'outcome', outcome }] as const) {
    await applySteps(run, tx, [{ row, event, detail: event.type === 'outcome' ? message : null }])
  }
}
