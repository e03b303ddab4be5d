import type { BareCtx } from '../context.ts'
import {
  addLine,
  beginSeal,
  firstPrevious,
  isBefore,
  type Line,
  lastSeal,
  lines,
  type Seal,
  sealsAfter,
  theEnd,
  theStart
} from './canonical.ts'
import type { Checkpoint } from './seal.ts'

export interface JournalReport {
  readonly entries: number
  readonly seals: number
  readonly unsealed: number
  readonly ok: boolean
  /** Sentences; empty when everything is as it was sealed. */
  readonly problems: readonly string[]
}

/**
 * Recomputes every seal from the stored entries in one pass over both: finds changed, removed and slipped-in entries, and changed and
 * missing seals. That the newest seals were removed, or everything written anew, shows only against a checkpoint kept elsewhere.
 * @param checkpoint number and hash of a seal as they were once
 */
export async function verifyJournal(ctx: BareCtx, checkpoint?: Checkpoint): Promise<JournalReport> {
  const problems: string[] = []
  // Fixed before an entry is read: what a sealer adds meanwhile may hold entries that were not there yet when we passed their place.
  const head = (await lastSeal(ctx))?.number ?? 0
  const reader = readerOf(lines(ctx, theStart, theEnd))
  let before: Seal | undefined
  let seals = 0
  let broken = false
  let sealed = 0
  let strays = 0
  while (!broken && seals < head) {
    const page = (await sealsAfter(ctx, before?.number ?? 0)).filter(seal => seal.number <= head)
    if (page.length === 0) break
    for (const seal of page) {
      if (seal.number !== (before?.number ?? 0) + 1) {
        problems.push(`seal ${(before?.number ?? 0) + 1} is missing`)
        broken = true
        break
      }
      if (seal.fromXid !== (before?.epoch === seal.epoch ? before.toXid : 0n))
        problems.push(`seal ${seal.number} does not begin where the one before it ends`)
      if (!seal.previous.equals(before?.hash ?? firstPrevious)) problems.push(`seal ${seal.number} does not follow the one before it`)
      strays += await reader.take({ epoch: seal.epoch, xid: seal.fromXid }, () => {})
      const hash = beginSeal(seal.previous, seal)
      const entries = await reader.take({ epoch: seal.epoch, xid: seal.toXid }, line => addLine(hash, line))
      if (entries !== seal.entries) problems.push(`seal ${seal.number} covered ${seal.entries} entries, there are ${entries} now`)
      else if (!hash.digest().equals(seal.hash)) problems.push(`seal ${seal.number} or an entry under seal ${seal.number} was changed`)
      if (checkpoint?.number === seal.number && checkpoint.hash !== seal.hash.toString('hex'))
        problems.push(`seal ${seal.number} is another one than the checkpoint says: the journal was written anew`)
      sealed += entries
      before = seal
      seals++
    }
  }
  if (strays > 0) problems.push(`${strays} entries stand where no seal covers them`)
  if (checkpoint && checkpoint.number > head) problems.push(`the newest seal is ${head}, the checkpoint knows seal ${checkpoint.number}`)
  const unsealed = await reader.take(theEnd, () => {})
  return { entries: sealed + strays + unsealed, seals, unsealed, ok: problems.length === 0, problems }
}

/** Reads the lines once, up to a given place at a time. */
function readerOf(source: AsyncGenerator<Line>) {
  let next: IteratorResult<Line, void> | undefined
  return {
    async take(to: { epoch: number; xid: bigint }, use: (line: Line) => void): Promise<number> {
      let count = 0
      next ??= await source.next()
      while (!next.done && isBefore(next.value, to)) {
        use(next.value)
        count++
        next = await source.next()
      }
      return count
    }
  }
}
