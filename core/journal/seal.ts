import { sql } from 'kysely'
import type { Ctx, TxCtx } from '../context.ts'
import { withTx } from '../db/tx.ts'
import { own } from './append.ts'
import { firstPrevious, sealHash } from './canonical.ts'

/**
 * Seals what is committed for good: entries whose transaction is older than every one still open on the server (pg_snapshot_xmin), in
 * the order (transaction, seq). An entry that commits late with a low seq has a transaction number of its own and falls into a later
 * range, never behind a seal. Two sealers at once: the second waits and finds nothing left.
 * @returns how many were sealed, and the age in seconds of the oldest entry that had to wait
 */
export async function sealTenant(ctx: Ctx): Promise<{ sealed: number; lagSeconds: number }> {
  return withTx(ctx, async tx => {
    // The app role may not lock the table: it has no right to change rows in it.
    await sql`select pg_advisory_xact_lock(7341002)`.execute(own(tx))
    const last = await lastSeal(tx)
    const bounds = await sql<{ epoch: number; to: string; waiting: boolean }>`
      select e.number as epoch, pg_snapshot_xmin(pg_current_snapshot())::text as "to", exists (
        select 1 from journal.entry where epoch = e.number and xid < pg_snapshot_xmin(pg_current_snapshot())
          and xid >= ${last?.to_xid ?? '0'}::xid8 or epoch = e.number and ${last?.epoch ?? 0} < e.number
            and xid < pg_snapshot_xmin(pg_current_snapshot())) as waiting
      from journal.epoch e order by e.number desc limit 1`.execute(own(tx))
    const bound = bounds.rows[0]
    let sealed = 0
    if (bound?.waiting) {
      const from = last && last.epoch === bound.epoch ? last.to_xid : '0'
      const previous = last?.hash ?? firstPrevious
      const { hash, entries } = await sealHash(tx, previous, { epoch: bound.epoch, from, to: bound.to })
      await sql`insert into journal.seal (number, epoch, from_xid, to_xid, entries, previous, hash, at)
        values (${(last?.number ?? 0) + 1}, ${bound.epoch}, ${from}::xid8, ${bound.to}::xid8, ${entries}, ${previous}, ${hash},
          ${tx.clock.iso()}::timestamptz)`.execute(own(tx))
      sealed = entries
    }
    const lag = await sql<{ lag: number | null }>`
      select extract(epoch from (${tx.clock.iso()}::timestamptz - min(at)))::float8 as lag from journal.entry
      where epoch = ${bound?.epoch ?? 1} and xid >= ${bound?.to ?? '0'}::xid8`.execute(own(tx))
    return { sealed, lagSeconds: Math.max(0, lag.rows[0]?.lag ?? 0) }
  })
}

export interface SealRow {
  readonly number: number
  readonly epoch: number
  readonly from_xid: string
  readonly to_xid: string
  readonly entries: number
  readonly previous: Buffer
  readonly hash: Buffer
}

async function lastSeal(tx: TxCtx): Promise<SealRow | undefined> {
  const { rows } = await sql<SealRow>`
    select number::int, epoch, from_xid::text, to_xid::text, entries::int, previous, hash from journal.seal order by number desc limit 1`.execute(
    own(tx)
  )
  return rows[0]
}
