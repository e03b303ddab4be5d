import type { LookupAnswer } from '../../adapters/contract/index.ts'
import { applySteps, boundCtx, brokenOff, type ExportRun, leased, type Step, sentenceOf, untilAborted } from './export-run.ts'
import type { Stored } from './outbox-store.ts'
import { batchesById, exportBatch } from './seal.ts'
import { messagesIn } from './sending-store.ts'
import { refOf, storable } from './storable.ts'

/**
 * Asks the ERP about messages of which nobody knows whether they arrived, where their time has come; each answer is stored as it comes.
 * @returns whether there were any
 */
export async function lookUp(run: ExportRun): Promise<boolean> {
  const { ctx, runtime, lease } = run
  const now = ctx.clock.now().getTime()
  const rows = (await messagesIn(ctx, runtime.id, ['unknown'])).filter(
    row => row.next_attempt_at === null || Date.parse(row.next_attempt_at) <= now
  )
  if (rows.length === 0) return false
  const store = (steps: readonly Step[]): Promise<void> => leased(run, tx => applySteps(run, tx, steps))
  if (!runtime.adapter.lookup) {
    // Another version of the adapter had one: only a person can know.
    const reason = 'The adapter cannot look for it in the ERP.'
    await store(rows.map(row => ({ row, event: { type: 'lookup', answer: { found: 'cannot-tell', reason } }, detail: reason })))
    return true
  }
  const batches = await batchesById(ctx, [...new Set(rows.flatMap(row => row.batch_id ?? []))])
  const items = rows.flatMap(row => {
    const batch = batches.get(row.batch_id ?? '')
    return batch ? exportBatch(batch, [row]).items : []
  })
  const open = new Map(rows.map(row => [row.key, row]))
  let detail = 'The search gave no answer.'
  try {
    for await (const answer of untilAborted(runtime.adapter.lookup(items, boundCtx(run, lease.signal)), lease.signal)) {
      const row: Stored | undefined = open.get(answer.key)
      if (!row || !open.delete(answer.key)) continue
      const known = answer.found === true ? { ...answer, ref: refOf(answer.ref) } : answer
      const told = known.found === 'cannot-tell' ? { ...known, reason: storable(known.reason) } : known
      await store([{ row, event: { type: 'lookup', answer: told }, detail: found(told) }])
    }
  } catch (error) {
    lease.signal.throwIfAborted()
    detail = sentenceOf(error)
    await brokenOff(run, error)
  }
  if (open.size > 0) await store([...open.values()].map(row => ({ row, event: { type: 'lookup-failed' }, detail })))
  return true
}

const found = (answer: LookupAnswer): string =>
  answer.found === true ? `found as ${answer.ref.document}` : answer.found === false ? 'not found' : answer.reason
