import {
  AdapterError,
  type ExportOutcome,
  type ExportOutcomeBody,
  type MessageEvent,
  TransportError
} from '../../adapters/contract/index.ts'
import type { Started } from './attempts.ts'
import { boundCtx, brokenOff, type ExportRun, sentenceOf, untilAborted } from './export-run.ts'
import type { OutcomeQueue } from './outcome-queue.ts'
import { exportBatch } from './seal.ts'
import { storableOutcome } from './storable.ts'

/** An adapter that gives nothing for so long hangs; every request of it has a time limit far below. */
const longestSilenceMs = 600_000

/**
 * Hands one batch to the adapter, outside any transaction, and queues each outcome as it comes. What gets no outcome may or may not have
 * arrived.
 * @returns `none` when nothing of it left the house, `broken` when going on with the connection makes no sense now
 */
export async function send(run: ExportRun, { batch, rows, items }: Started, outcomes: OutcomeQueue): Promise<'went' | 'none' | 'broken'> {
  const { runtime, lease } = run
  const open = new Map(rows.map(row => [row.key, row]))
  const silent = new AbortController()
  const signal = AbortSignal.any([lease.signal, silent.signal])
  const silence = setTimeout(
    () => silent.abort(new AdapterError('remote', 'The adapter gave no answer for ten minutes and was broken off.')),
    longestSilenceMs
  )
  let thrown: unknown
  let went = false
  try {
    if (!runtime.adapter.export) throw new AdapterError('bug', 'The adapter sends nothing.')
    const source = runtime.adapter.export(exportBatch(batch, items), boundCtx(run, signal))
    for await (const { key, ...given } of untilAborted<ExportOutcome>(source, signal)) {
      silence.refresh()
      const row = open.get(key)
      if (!row || !open.delete(key)) continue
      const outcome = storableOutcome(given)
      if (outcome.status !== 'not-sent') went = true
      outcomes.push({ row, event: { type: 'outcome', outcome }, detail: detailOf(outcome) })
      if (outcomes.failed) return 'broken'
    }
  } catch (error) {
    thrown = error
  } finally {
    clearTimeout(silence)
  }
  const broken = lease.signal.aborted
  const reason = thrown === undefined ? 'The adapter gave no outcome.' : broken ? 'It was broken off.' : sentenceOf(thrown)
  const proven = thrown instanceof TransportError && thrown.effect === 'none'
  const event: MessageEvent = proven ? { type: 'outcome', outcome: { status: 'not-sent', reason } } : { type: 'no-outcome', reason }
  for (const row of open.values()) outcomes.push({ row, event, detail: reason })
  if (thrown === undefined) return went ? 'went' : 'none'
  if (!broken) await brokenOff(run, thrown)
  return 'broken'
}

const detailOf = (outcome: ExportOutcomeBody): string => {
  if (outcome.status === 'rejected') return outcome.reject.message
  return 'ref' in outcome ? outcome.ref.document : outcome.reason
}
