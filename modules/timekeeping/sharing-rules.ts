/** One interval of one person, in whole seconds since the epoch; `end` null while it runs. */
export interface Span {
  readonly id: string
  readonly start: number
  readonly end: number | null
}

/**
 * How many seconds of a person's time belong to each interval when several run at once: in every stretch between two starts or
 * stops the running ones share equally, and what does not divide goes round, one second each. The sum over all intervals is
 * exactly the time in which at least one ran, so it never exceeds presence.
 *
 * A stretch's shares depend only on what ran in it. So the share of an ended interval is final: nothing that starts later changes it.
 *
 * @param spans all intervals of one person that overlap each other
 * @param now whole seconds; running intervals are counted up to it
 */
export function shareEqually(spans: readonly Span[], now: number): ReadonlyMap<string, number> {
  const shares = new Map(spans.map(span => [span.id, 0]))
  const borders = [...new Set(spans.flatMap(span => [span.start, span.end ?? now]))].sort((a, b) => a - b)
  for (let i = 0; i + 1 < borders.length; i++) {
    const from = borders[i] ?? 0
    const to = borders[i + 1] ?? 0
    const running = spans.filter(span => span.start <= from && (span.end ?? now) >= to).sort(byStartThenId)
    if (running.length === 0) continue
    const length = to - from
    const each = Math.floor(length / running.length)
    const rest = length % running.length
    // Beginning at another one each time keeps the odd seconds from always falling to the first.
    const first = from % running.length
    for (const [index, span] of running.entries()) {
      const turn = (index - first + running.length) % running.length
      shares.set(span.id, (shares.get(span.id) ?? 0) + each + (turn < rest ? 1 : 0))
    }
  }
  return shares
}

const byStartThenId = (a: Span, b: Span): number => a.start - b.start || (a.id < b.id ? -1 : 1)

/** Whole seconds since the epoch of an instant, cut: two cut borders give the exact number of whole seconds between them. */
export const wholeSeconds = (instant: string): number => Math.floor(Date.parse(instant) / 1000)
