import {
  AdapterError,
  type ExportOutcome,
  type ExportOutcomeBody,
  type MessageEvent,
  TransportError
} from '../../adapters/contract/index.ts'
import type { TxCtx } from '../context.ts'
import { applySteps, applyToAll, brokenOff, type ExportRun, leased, rulesOf, type Step, sentenceOf, untilAborted } from './export-run.ts'
import { lockMessages, type Stored } from './outbox-store.ts'
import { exportBatch, type SealedBatch } from './seal.ts'
import { isActive, messagesByKey } from './sending-store.ts'

/** Locks the messages of each group and gives them as far as nobody changed one since they were picked: behind such a one all wait. */
export async function unchanged(tx: TxCtx, groups: readonly (readonly Stored[])[]): Promise<Stored[][]> {
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

/** Marks the attempt, under the lock of the messages, right before it. @returns none when the connection was paused meanwhile */
const begin = (run: ExportRun, rows: readonly Stored[]): Promise<Stored[]> =>
  leased(run, async tx => {
    if (!(await isActive(tx, run.runtime.id))) return []
    const [ready = []] = await unchanged(tx, [rows])
    await applySteps(
      run,
      tx,
      ready.map(row => ({ row, event: { type: 'attempt' }, detail: null }))
    )
    return ready
  })

/** The items of an attempt. A deterministic file is repeated whole, with the items that are settled: its bytes may not change. */
async function itemsOf(run: ExportRun, batch: SealedBatch, rows: readonly Stored[]): Promise<readonly Stored[]> {
  const whole = rows.some(row => rulesOf(run.runtime, row).idempotency === 'deterministic-file')
  return whole && rows.length < batch.records.size ? messagesByKey(run.ctx, [...batch.records.keys()]) : rows
}

/**
 * Hands one batch to the adapter, outside any transaction, and stores each outcome as it comes; while one is being stored further ones
 * gather and are stored together. What gets no outcome may or may not have arrived.
 * @returns `nothing` when nothing of it was to be sent any more, `broken` when going on with the connection makes no sense now
 */
export async function send(run: ExportRun, batch: SealedBatch, rows: readonly Stored[]): Promise<'went' | 'nothing' | 'broken'> {
  const { ctx, runtime, deps, lease } = run
  const all = await itemsOf(run, batch, rows)
  const started = await begin(run, rows)
  if (started.length === 0) return 'nothing'
  const keys = new Set(started.map(row => row.key))
  const items = all.length > rows.length ? all : all.filter(row => keys.has(row.key))
  const open = new Map(started.map(row => [row.key, row]))
  let pending: Step[] = []
  let storing: Promise<void> = Promise.resolve()
  let failure: unknown
  let thrown: unknown
  let sent = 0
  const store = async (): Promise<void> => {
    const steps = pending
    pending = []
    if (steps.length > 0 && failure === undefined) await leased(run, tx => applySteps(run, tx, steps))
  }
  try {
    if (!runtime.adapter.export) throw new AdapterError('bug', 'The adapter sends nothing.')
    const source = runtime.adapter.export(exportBatch(batch, items), deps.adapterCtx(ctx, runtime, lease.signal))
    for await (const { key, ...outcome } of untilAborted<ExportOutcome>(source, lease.signal)) {
      const row = open.get(key)
      if (!row || !open.delete(key)) continue
      if (outcome.status !== 'not-sent') sent++
      pending.push({ row, event: { type: 'outcome', outcome }, detail: detailOf(outcome) })
      storing = storing.then(store).catch(error => {
        failure ??= error
      })
      if (failure !== undefined) break
    }
  } catch (error) {
    thrown = error
  }
  await storing
  if (failure !== undefined) throw failure
  if (open.size > 0) {
    const reason = thrown === undefined ? 'The adapter gave no outcome.' : broken(run) ? 'It was broken off.' : sentenceOf(thrown)
    const proven = thrown instanceof TransportError && thrown.effect === 'none'
    const event: MessageEvent = proven ? { type: 'outcome', outcome: { status: 'not-sent', reason } } : { type: 'no-outcome', reason }
    await applyToAll(run, [...open.values()], event, reason)
  }
  if (thrown !== undefined && !broken(run)) await brokenOff(run, thrown)
  return thrown === undefined && sent > 0 ? 'went' : 'broken'
}

const broken = (run: ExportRun): boolean => run.lease.signal.aborted

const detailOf = (outcome: ExportOutcomeBody): string => {
  if (outcome.status === 'rejected') return outcome.reject.message
  return 'ref' in outcome ? outcome.ref.document : outcome.reason
}
