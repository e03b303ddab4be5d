import { sql } from 'kysely'
import type { BareCtx, BareTxCtx } from '../context.ts'
import { withTx } from '../db/tx.ts'
import { own } from './append.ts'
import { addLine, beginSeal, firstPrevious, lastSeal, lines, type Seal, theEnd } from './canonical.ts'

/** Number and hash of a seal. Kept outside the journal's database, it shows when the journal behind it was written anew. */
export interface Checkpoint {
  readonly number: number
  /** SHA-256 in hex. */
  readonly hash: string
}

/**
 * Seals what is committed for good: entries whose transaction is older than every one still open on the server (pg_snapshot_xmin), in
 * the order (transaction, seq). An entry that commits late with a low seq has a transaction number of its own and falls into a later
 * range, never behind a seal. Two sealers at once: the second waits and finds nothing left.
 * @returns how many were sealed, the age in seconds of the oldest entry that had to wait, and the newest seal
 */
export async function sealJournal(ctx: BareCtx): Promise<{ sealed: number; lagSeconds: number; checkpoint: Checkpoint | undefined }> {
  return withTx(ctx, async tx => {
    // The app role may not lock the table: it has no right to change rows in it.
    await sql`select pg_advisory_xact_lock(7341002)`.execute(own(tx))
    let last = await lastSeal(tx)
    let sealed = 0
    let open = { epoch: 1, toXid: 0n }
    for (const bound of await bounds(tx, last?.epoch ?? 0, tx.clock.iso())) {
      const seal = await sealRange(tx, last, bound)
      sealed += seal?.entries ?? 0
      last = seal ?? last
      open = bound
    }
    const { rows } = await sql<{ lag: number | null }>`
      select extract(epoch from (${tx.clock.iso()}::timestamptz - min(at)))::float8 as lag from journal.entry
      where epoch = ${open.epoch} and xid >= ${open.toXid.toString()}::xid8`.execute(own(tx))
    const checkpoint = last && { number: last.number, hash: last.hash.toString('hex') }
    return { sealed, lagSeconds: Math.max(0, rows[0]?.lag ?? 0), checkpoint }
  })
}

interface SealBound {
  readonly epoch: number
  readonly toXid: bigint
  /** The instant of sealing, and how PostgreSQL prints it in seconds. */
  readonly iso: string
  readonly at: string
}

/**
 * How far each epoch can be sealed: the newest up to the oldest open transaction, an earlier one whole, since its server has stopped
 * writing into it.
 */
async function bounds(tx: BareTxCtx, fromEpoch: number, iso: string): Promise<readonly SealBound[]> {
  const { rows } = await sql<{ epoch: number; xmin: string; at: string }>`
    select number as epoch, pg_snapshot_xmin(pg_current_snapshot())::text as xmin,
      extract(epoch from ${iso}::timestamptz)::text as at
    from journal.epoch where number >= ${fromEpoch} order by number`.execute(own(tx))
  return rows.map(({ epoch, xmin, at }, index) => ({ epoch, iso, at, toXid: index === rows.length - 1 ? BigInt(xmin) : theEnd.xid }))
}

async function sealRange(tx: BareTxCtx, last: Seal | undefined, { epoch, toXid, iso, at }: SealBound): Promise<Seal | undefined> {
  const fromXid = last?.epoch === epoch ? last.toXid : 0n
  const head = { number: (last?.number ?? 0) + 1, epoch, fromXid, toXid, at }
  const previous = last?.hash ?? firstPrevious
  const hashing = beginSeal(previous, head)
  let entries = 0
  for await (const line of lines(tx, { epoch, xid: fromXid }, { epoch, xid: toXid })) {
    addLine(hashing, line)
    entries++
  }
  if (entries === 0) return undefined
  const hash = hashing.digest()
  await sql`insert into journal.seal (number, epoch, from_xid, to_xid, entries, previous, hash, at)
    values (${head.number}, ${epoch}, ${fromXid.toString()}::xid8, ${toXid.toString()}::xid8, ${entries}, ${previous}, ${hash},
      ${iso}::timestamptz)`.execute(own(tx))
  return { ...head, entries, previous, hash }
}
