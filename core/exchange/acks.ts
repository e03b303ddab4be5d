import { type ExportOutcomeBody, next } from '../../adapters/contract/index.ts'
import type { TxCtx } from '../context.ts'
import { closeBatches } from './batch-store.ts'
import { lockMessage, machineOf, saveStates } from './outbox-store.ts'
import { noteRefused, resolveRefused } from './refused-store.ts'
import { storableOutcome } from './storable.ts'

/** The ERP's late answer to a message, within the import that brought it. A contradicting one raises an alarm on the message. */
export async function applyAck(
  tx: TxCtx,
  connectionId: string,
  exportKey: string,
  given: ExportOutcomeBody
): Promise<'applied' | 'unchanged' | 'unknown_key' | 'contradiction'> {
  const row = await lockMessage(tx, connectionId, exportKey)
  if (!row || row.attempts === 0) return 'unknown_key'
  const before = machineOf(row)
  const outcome = storableOutcome(given)
  // How a repeat is made harmless plays no part in an answer.
  const after = next(before, { type: 'ack', outcome }, tx.clock.now().getTime(), { idempotency: 'none', hasLookup: false })
  if (!after) return 'unchanged'
  await saveStates(tx, [{ row, to: after, event: `ack ${outcome.status}`, detail: after.alarm ?? after.ref?.document ?? null }], 'erp')
  if (after.state === 'rejected' && before.state !== 'rejected') await noteRefused(tx, connectionId, row, after)
  if (after.state === 'accepted') await resolveRefused(tx, [row.seq])
  if (row.batch_id !== null) await closeBatches(tx, [row.batch_id])
  tx.tx.due.add('export')
  return after.alarm !== null && after.alarm !== before.alarm ? 'contradiction' : 'applied'
}
