import { sql } from 'kysely'
import type { Ctx } from '../context.ts'
import { own } from './append.ts'
import { firstPrevious, sealHash } from './canonical.ts'
import type { SealRow } from './seal.ts'

export interface JournalReport {
  readonly entries: number
  readonly seals: number
  readonly unsealed: number
  readonly ok: boolean
  /** Sentences; empty when everything is as it was sealed. */
  readonly problems: readonly string[]
}

/** Recomputes every seal from the stored entries: finds changed, removed and slipped-in entries and missing seals. */
export async function verifyJournal(ctx: Ctx): Promise<JournalReport> {
  const { rows: seals } = await sql<SealRow>`
    select number::int, epoch, from_xid::text, to_xid::text, entries::int, previous, hash from journal.seal order by number`.execute(
    own(ctx)
  )
  const problems: string[] = []
  let previous: Buffer = firstPrevious
  let before: SealRow | undefined
  let covered = 0
  for (const [index, seal] of seals.entries()) {
    if (seal.number !== index + 1) {
      problems.push(`seal ${index + 1} is missing`)
      break
    }
    const from = before && before.epoch === seal.epoch ? before.to_xid : '0'
    if (seal.from_xid !== from) problems.push(`seal ${seal.number} does not begin where the one before it ends`)
    if (!seal.previous.equals(previous)) problems.push(`seal ${seal.number} does not follow the one before it`)
    const { hash, entries } = await sealHash(ctx, seal.previous, { epoch: seal.epoch, from: seal.from_xid, to: seal.to_xid })
    if (entries !== seal.entries) problems.push(`seal ${seal.number} covered ${seal.entries} entries, there are ${entries} now`)
    else if (!hash.equals(seal.hash)) problems.push(`an entry under seal ${seal.number} was changed`)
    covered += entries
    previous = seal.hash
    before = seal
  }
  const { rows } = await sql<{ n: number }>`select count(*)::int as n from journal.entry`.execute(own(ctx))
  const entries = rows[0]?.n ?? 0
  return { entries, seals: seals.length, unsealed: entries - covered, ok: problems.length === 0, problems }
}
