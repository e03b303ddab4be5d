import { createHash, type Hash } from 'node:crypto'
import { sql } from 'kysely'
import type { Ctx, TxCtx } from '../context.ts'
import { own } from './append.ts'

const zeroHash = Buffer.alloc(32)
export const firstPrevious = zeroHash

/** How many entries are read at once. */
const chunk = 5_000

/**
 * Feeds the entries of a range in sealing order into a hash. The text of each is made by PostgreSQL from the stored columns, every
 * part with its length before it, so that it does not depend on how a client prints it and no two rows have one text.
 * @returns how many
 */
async function feed(c: Ctx | TxCtx, hash: Hash, range: { epoch: number; from: string; to: string }): Promise<number> {
  let count = 0
  let after = { xid: range.from, seq: '0' }
  for (;;) {
    const { rows } = await sql<{ xid: string; seq: string; line: string }>`
      select xid::text, seq::text, (
        select string_agg(octet_length(part)::text || ':' || part, ',' order by n)
        from unnest(array[id::text, epoch::text, xid::text, seq::text, extract(epoch from at)::text, actor_kind, actor_id, act, subject,
          subject_id, request_id, data::text]) with ordinality as p (part, n)
      ) as line
      from journal.entry
      where epoch = ${range.epoch} and xid >= ${range.from}::xid8 and xid < ${range.to}::xid8
        and (xid, seq) > (${after.xid}::xid8, ${after.seq}::bigint)
      order by xid, seq limit ${chunk}`.execute(own(c))
    for (const row of rows) hash.update(row.line).update('\n')
    count += rows.length
    const last = rows.at(-1)
    if (!last || rows.length < chunk) return count
    after = { xid: last.xid, seq: last.seq }
  }
}

/** Hash of a seal: the one before, its range, and all entries in it. */
export async function sealHash(
  c: Ctx | TxCtx,
  previous: Uint8Array,
  range: { epoch: number; from: string; to: string }
): Promise<{ hash: Buffer; entries: number }> {
  const hash = createHash('sha256').update(previous).update(`${range.epoch} ${range.from} ${range.to}\n`)
  const entries = await feed(c, hash, range)
  return { hash: hash.digest(), entries }
}
