import { sql } from 'kysely'
import type { BareTxCtx } from '../context.ts'
import { view } from '../db/tx.ts'
import { newId } from '../ids.ts'

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

export interface JournalEntry {
  /** What was done, as `noun.verb`: `job.start`. */
  readonly act: string
  /** Table of the thing, and its id. Ids only: no name, number or payload of a person belongs into `data`. */
  readonly subject: string
  readonly subjectId: string
  readonly data?: { readonly [key: string]: Json | undefined }
}

export interface Journal {
  /** Writes into the journal of the transaction's database, a tenant's or control's, in the same transaction as the act. */
  append(tx: BareTxCtx, entry: JournalEntry): Promise<void>
}

export interface JournalTables {
  'journal.entry': {
    id: string
    epoch: unknown
    at: string
    actor_kind: string
    actor_id: string
    act: string
    subject: string
    subject_id: string
    request_id: string
    data: unknown
  }
}
export const own = view<JournalTables>()

export const journal: Journal = {
  async append(tx, { act, subject, subjectId, data = {} }) {
    const entry = own(tx)
      .insertInto('journal.entry')
      .values({
        id: newId(),
        epoch: sql`(select max(number) from journal.epoch)`,
        at: tx.clock.iso(),
        actor_kind: tx.principal.kind,
        actor_id: tx.principal.id,
        act,
        subject,
        subject_id: subjectId,
        request_id: tx.requestId,
        data: sql`${JSON.stringify(data)}::jsonb`
      })
    tx.tx.later(entry.compile())
    tx.tx.due.add('seal')
  }
}
