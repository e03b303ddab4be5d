import { quantity } from '../../core/index.ts'

/** A material line as the ERP planned it. */
export interface PlannedLine {
  readonly line: string
  readonly article: string
  readonly quantity: string
}

/** What was consumed of one article, for a line or for none. */
export interface Used {
  readonly line: string | null
  readonly article: string
  readonly quantity: string
}

/**
 * Per material line what was consumed. What was picked, or taken by article number, names no line: it counts for the lines of its
 * article in their order, each up to what it plans, and what is left for the last of them.
 */
export function consumedPerLine(lines: readonly PlannedLine[], used: readonly Used[]): ReadonlyMap<string, string> {
  const sum = (rows: readonly Used[]): string => quantity.sum(rows.map(row => row.quantity))
  const consumed = new Map(lines.map(line => [line.line, sum(used.filter(row => row.line === line.line))]))
  for (const article of new Set(lines.map(line => line.article))) {
    let free = sum(used.filter(row => row.article === article && row.line === null))
    const same = lines.filter(line => line.article === article)
    for (const [index, line] of same.entries()) {
      const before = consumed.get(line.line) ?? quantity.zero
      const part = index === same.length - 1 ? free : least(free, atLeastZero(quantity.subtract(line.quantity, before)))
      consumed.set(line.line, quantity.add(before, part))
      free = quantity.subtract(free, part)
    }
  }
  return consumed
}

const least = (a: string, b: string): string => (quantity.compare(a, b) < 0 ? a : b)
const atLeastZero = (value: string): string => (quantity.isNegative(value) ? quantity.zero : value)

/**
 * What is to be taken of a material line by itself for this much output: positive to take, negative to bring back. No more is brought
 * back than was taken by itself: what people took is theirs to return.
 */
export function backflushQuantity(
  line: { readonly quantity: string; readonly consumed: string; readonly automatic: string },
  job: { readonly planned: string; readonly good: string; readonly scrap: string }
): string {
  if (quantity.isZero(job.planned)) return quantity.zero
  const made = quantity.add(job.good, job.scrap)
  const due = quantity.ratio(line.quantity, quantity.toScaled(made), quantity.toScaled(job.planned))
  const open = quantity.subtract(due, line.consumed)
  return quantity.isNegative(open) ? quantity.negate(least(quantity.negate(open), atLeastZero(line.automatic))) : open
}
