import { type MessageEvent, next } from '../../adapters/contract/index.ts'
import type { TxCtx } from '../context.ts'
import type { Journal } from '../journal/append.ts'
import { closeBatches, unseal } from './batch-store.ts'
import { refuseExchange } from './errors.ts'
import { setFileAside } from './outbox-files-store.ts'
import { lockMessageBySeq, machineOf, type Stored, saveStates } from './outbox-store.ts'
import { resolveRefused } from './refused-store.ts'

export type Decision =
  | { readonly decision: 'there'; readonly document: string; readonly reason: string }
  | { readonly decision: 'send' | 'drop'; readonly reason: string }

/** What only people do with a feedback message. Refuses `message_unknown` and `message_state`. */
export interface MessageDesk {
  /** Sends a refused one again, after a fix, under its own key. */
  retry(tx: TxCtx, seq: string): Promise<void>
  /** It is there, under this document; it is not there, send it; give it up. */
  decide(tx: TxCtx, seq: string, given: Decision): Promise<void>
}

export function messageDesk({ journal }: { journal: Journal }): MessageDesk {
  /** One event by a person on a locked message. */
  async function step(tx: TxCtx, seq: string, event: MessageEvent, what: string, reason: string | null): Promise<Stored> {
    const row = await lockMessageBySeq(tx, seq)
    if (!row) throw refuseExchange('message_unknown', 'There is no such feedback message.')
    // How a repeat is made harmless plays no part in what a person decides.
    const to = next(machineOf(row), event, tx.clock.now().getTime(), { idempotency: 'none', hasLookup: false })
    if (!to) throw refuseExchange('message_state', `The message is "${row.state}", which "${what}" does not fit. Read it again.`)
    await saveStates(tx, [{ row, to, event: what, detail: reason }], tx.principal.id)
    if (to.state === 'accepted' || to.state === 'dropped') await resolveRefused(tx, [seq], to.state === 'accepted' ? 'accepted' : 'skipped')
    await journal.append(tx, { act: `message.${what}`, subject: 'exchange.outbox', subjectId: seq, data: { kind: row.kind, key: row.key } })
    tx.tx.due.add('export')
    return row
  }
  /** It is sealed anew, and its document makes room: under the same name it would count as handed over already. */
  async function anew(tx: TxCtx, row: Stored): Promise<void> {
    await unseal(tx, row.seq)
    if (row.document !== null && row.connection_id !== null) await setFileAside(tx, row.connection_id, row.document)
  }
  const tidy = (tx: TxCtx, row: Stored): Promise<void> => (row.batch_id === null ? Promise.resolve() : closeBatches(tx, [row.batch_id]))

  return {
    async retry(tx, seq) {
      const row = await step(tx, seq, { type: 'retry' }, 'retry', null)
      // What the ERP calls a person may be another name now: it is sealed anew.
      await anew(tx, row)
      await tidy(tx, row)
    },
    async decide(tx, seq, given) {
      const event: MessageEvent =
        given.decision === 'there'
          ? { type: 'decide', decision: 'there', ref: { document: given.document } }
          : { type: 'decide', decision: given.decision }
      const row = await step(tx, seq, event, given.decision, given.reason)
      // The ERP took this and lost it.
      if (given.decision === 'send' && row.state === 'delivered') await anew(tx, row)
      await tidy(tx, row)
    }
  }
}
