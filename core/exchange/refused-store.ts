import { sql } from 'kysely'
import type { MessageState } from '../../adapters/contract/index.ts'
import type { TxCtx } from '../context.ts'
import { newId } from '../ids.ts'
import { own, type Stored } from './outbox-store.ts'

/** Puts a message that the ERP refused into the error bin; one open row per message. */
export async function noteRefused(tx: TxCtx, connectionId: string, row: Stored, to: MessageState): Promise<void> {
  const { keys } = tx.tenant
  const id = newId()
  const reject = to.reject ?? { code: 'erp_rejected', message: 'The ERP gave no reason.' }
  const sealed = keys.seal(JSON.stringify(row.record), { table: 'exchange.reject', column: 'row_sealed', row: id })
  const cause = keys.mac(JSON.stringify([reject.code, reject.message]), 'exchange.cause')
  const repeated = await sql`
    update exchange.reject set code = ${reject.code}, message = ${reject.message.slice(0, 1_000)}, field = ${reject.field ?? null}::text, attempts = attempts + 1,
      cause = ${cause}, state = 'open', changed_at = ${tx.clock.iso()}::timestamptz
    where outbox_seq = ${row.seq}::bigint and state in ('open', 'replaying')`.execute(own(tx))
  if (Number(repeated.numAffectedRows ?? 0) > 0) return
  await sql`
    insert into exchange.reject (id, connection_id, direction, outbox_seq, kind, record_key, code, message, field, row_sealed, cause)
    values (${id}::uuid, ${connectionId}::uuid, 'out', ${row.seq}::bigint, ${row.kind}, ${row.ordering_key}, ${reject.code},
      ${reject.message.slice(0, 1_000)}, ${reject.field ?? null}::text, ${sealed}, ${cause})`.execute(own(tx))
}

/** A message got through, or was given up: its row in the error bin is done with. */
export async function resolveRefused(tx: TxCtx, seqs: readonly string[], resolution = 'accepted'): Promise<void> {
  await sql`update exchange.reject set state = ${resolution === 'accepted' ? 'resolved' : 'skipped'}, resolution = ${resolution},
      resolved_by = ${tx.principal.id}, resolved_at = ${tx.clock.iso()}::timestamptz, changed_at = ${tx.clock.iso()}::timestamptz
    where outbox_seq = any(${seqs}::bigint[]) and state in ('open', 'replaying')`.execute(own(tx))
}
