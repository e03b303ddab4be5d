import { createHash, type Hash } from 'node:crypto'
import { sql } from 'kysely'
import type { BareCtx, BareTxCtx } from '../context.ts'
import { own } from './append.ts'

/** What the first seal names as the hash before it. */
export const firstPrevious = Buffer.alloc(32)

/** How many rows are read at once. */
const chunk = 5_000

/** Transaction numbers begin anew with each epoch, so a place in the journal is both. */
export interface Place {
  readonly epoch: number
  readonly xid: bigint
}

/** Before and behind every entry, whatever somebody put there: an epoch is an integer, xid8 is 64 bits wide. */
export const theStart: Place = { epoch: -2_147_483_648, xid: 0n }
export const theEnd: Place = { epoch: 2_147_483_647, xid: 2n ** 64n - 1n }

export const isBefore = (a: Place, b: Place): boolean => a.epoch < b.epoch || (a.epoch === b.epoch && a.xid < b.xid)

export interface Line extends Place {
  readonly text: string
}

/**
 * The entries from one place up to, not including, another in the order of sealing: epoch, transaction, seq. The text of each is made
 * by PostgreSQL from the stored columns, every part with its length before it, so that it does not depend on how a client prints it
 * and no two rows have one text. The order names the table's columns: a bare name would be the printed one, sorted as text.
 */
export async function* lines(c: BareCtx | BareTxCtx, from: Place, to: Place): AsyncGenerator<Line> {
  let after = { epoch: from.epoch, xid: from.xid.toString(), seq: '-9223372036854775808' }
  for (;;) {
    const { rows } = await sql<{ epoch: number; xid: string; seq: string; text: string }>`
      select epoch, xid::text, seq::text, (
        select string_agg(octet_length(part)::text || ':' || part, ',' order by n)
        from unnest(array[id::text, epoch::text, xid::text, seq::text, extract(epoch from at)::text, actor_kind, actor_id, act, subject,
          subject_id, request_id, data::text, extract(epoch from created_at)::text]) with ordinality as p (part, n)
      ) as text
      from journal.entry as e
      where (epoch, xid, seq) > (${after.epoch}::integer, ${after.xid}::xid8, ${after.seq}::bigint)
        and (epoch, xid) < (${to.epoch}::integer, ${to.xid.toString()}::xid8)
      order by e.epoch, e.xid, e.seq limit ${chunk}`.execute(own(c))
    for (const row of rows) yield { epoch: row.epoch, xid: BigInt(row.xid), text: row.text }
    const last = rows.at(-1)
    if (!last || rows.length < chunk) return
    after = { epoch: last.epoch, xid: last.xid, seq: last.seq }
  }
}

/** What a seal says besides its hash: the entries of its epoch with fromXid <= xid < toXid. */
export interface SealHead {
  readonly number: number
  readonly epoch: number
  readonly fromXid: bigint
  readonly toXid: bigint
  /** When it was made, as PostgreSQL prints the seconds since 1970 of the stored instant. */
  readonly at: string
}

/** Begins the hash of a seal: the one before it and what it says of itself. The text of each entry follows through `addLine`. */
export const beginSeal = (previous: Uint8Array, { number, epoch, fromXid, toXid, at }: SealHead): Hash =>
  createHash('sha256').update(previous).update(`${number} ${epoch} ${fromXid} ${toXid} ${at}\n`)

export const addLine = (hash: Hash, line: Line): void => {
  hash.update(line.text).update('\n')
}

export interface Seal extends SealHead {
  readonly entries: number
  readonly previous: Buffer
  readonly hash: Buffer
}

/** Seals after a number in their order, at most one chunk of them. */
export async function sealsAfter(c: BareCtx | BareTxCtx, number: number): Promise<readonly Seal[]> {
  const { rows } = await sql<SealRow>`
    select number::text, epoch, from_xid::text, to_xid::text, extract(epoch from at)::text as at, entries::text, previous, hash
    from journal.seal as s where s.number > ${number} order by s.number limit ${chunk}`.execute(own(c))
  return rows.map(sealOf)
}

/** The hash of one seal; undefined where there is none with this number. */
export async function sealHash(c: BareCtx | BareTxCtx, number: number): Promise<string | undefined> {
  const { rows } = await sql<{ hash: Buffer }>`select hash from journal.seal where number = ${number}`.execute(own(c))
  return rows[0]?.hash.toString('hex')
}

export async function lastSeal(c: BareCtx | BareTxCtx): Promise<Seal | undefined> {
  const { rows } = await sql<SealRow>`
    select number::text, epoch, from_xid::text, to_xid::text, extract(epoch from at)::text as at, entries::text, previous, hash
    from journal.seal as s order by s.number desc limit 1`.execute(own(c))
  return rows.map(sealOf)[0]
}

interface SealRow {
  readonly number: string
  readonly epoch: number
  readonly from_xid: string
  readonly to_xid: string
  readonly at: string
  readonly entries: string
  readonly previous: Buffer
  readonly hash: Buffer
}

const sealOf = ({ number, epoch, from_xid, to_xid, at, entries, previous, hash }: SealRow): Seal => ({
  number: Number(number),
  epoch,
  fromXid: BigInt(from_xid),
  toXid: BigInt(to_xid),
  at,
  entries: Number(entries),
  previous,
  hash
})
