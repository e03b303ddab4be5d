import { sql } from 'kysely'
import type { Ctx, TxCtx } from '../context.ts'
import { any } from '../db/tx.ts'
import { own } from './deliveries-store.ts'

/**
 * Lets go of the raw bytes of old deliveries: finished ones after `doneBefore`, those with open rejects after `openBefore`, uploads
 * that never became whole after `doneBefore`. The rows stay. @returns the blobs to delete
 */
export async function releaseBlobs(c: TxCtx, limits: { doneBefore: string; openBefore: string; at: string }): Promise<readonly string[]> {
  const rows = await sql<{ blob: string }>`
    update exchange.delivery d set blob_id = null, inbox_name = null, changed_at = ${limits.at}::timestamptz
    from (
      select id, blob_id from exchange.delivery o
      where o.blob_id is not null
        and coalesce(o.finished_at, o.received_at) < ${limits.doneBefore}::timestamptz
        and o.state not in ('stored', 'processing')
        and (coalesce(o.finished_at, o.received_at) < ${limits.openBefore}::timestamptz
          or not exists (select 1 from exchange.reject r where r.delivery_id = o.id and r.state = 'open')
             and o.state not in ('parked', 'held'))
      order by o.seq limit 500 for update
    ) old
    where d.id = old.id returning old.blob_id as blob`.execute(own(c))
  return rows.rows.map(row => row.blob)
}

/** Which of these blobs some delivery still names. A replay shares the blob of what it repeats. */
export async function namedBlobs(c: Ctx | TxCtx, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await own(c).selectFrom('exchange.delivery').select('blob_id').where('blob_id', '=', any(ids)).execute()
  return new Set(rows.flatMap(row => (row.blob_id === null ? [] : [row.blob_id])))
}
