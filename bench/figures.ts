/** One thing that was measured, with what it should be. Smaller is better unless `atLeast`. */
export interface Figure {
  readonly name: string
  readonly unit: string
  /** Every measurement; the median counts, the spread is shown. One entry for what does not vary. */
  readonly values: readonly number[]
  readonly goal: number
  /** The goal is a lower bound: throughput, not time. */
  readonly atLeast?: boolean
  /** Beyond this, by more than the tolerance, the run fails; the goal itself when left out. */
  readonly passMark?: number
  /** What would be excellent, counted the same way as the goal. Said and counted apart; missing it fails nothing. */
  readonly moonshot?: number
  /** Printed and nothing else: an explanation of the figure above it. */
  readonly note?: string
}

export interface Bench {
  readonly name: string
  /** Numbers of the goals it measures, by which it can be asked for too. */
  readonly goals?: readonly string[]
  /** Has no short form: it takes its time whatever the size, and what it shows is tested elsewhere. */
  readonly longOnly?: boolean
  /** @param t where things to be closed are handed in; closed when this bench ends */
  run(t: Teardown, say: (line: string) => void, form: { readonly short: boolean }): Promise<readonly Figure[]>
}

export interface Teardown {
  teardown(fn: () => Promise<void>): void
}

/** Two shared cores jitter: a figure fails the run only when it is worse than its pass mark by more than this. */
export const tolerance = 0.15
/** The short form measures once and little: only a figure that lost half of what it should be says anything. */
export const shortTolerance = 1

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

export interface Verdict {
  readonly ours: number
  /** How much of the goal is used: 1.00 is exactly the goal, below it is better, whichever way the figure counts. */
  readonly ratio: number
  readonly reached: boolean
  readonly failed: boolean
  /** Undefined where there is no moonshot. */
  readonly moonshotReached: boolean | undefined
}

/** No measurement at all is never a success. */
export function verdictOf({ values, goal, passMark = goal, moonshot, atLeast = false }: Figure, allowed: number = tolerance): Verdict {
  const ours = median(values)
  const use = (limit: number) => (atLeast ? limit / ours : limit === 0 ? (ours === 0 ? 0 : Number.POSITIVE_INFINITY) : ours / limit)
  const ratio = use(goal)
  return {
    ours,
    ratio,
    reached: ratio <= 1,
    failed: !(use(passMark) <= 1 + allowed),
    moonshotReached: moonshot === undefined ? undefined : use(moonshot) <= 1
  }
}

const shown = (value: number): string => (Number.isInteger(value) || Math.abs(value) >= 100 ? String(Math.round(value)) : value.toFixed(3))

/** `name  ours/limit  ratio  goal  reached|missed`, in columns; below it the spread where there is one. */
export function lines(figures: readonly Figure[], allowed: number = tolerance): string[] {
  const rows = figures.map(figure => {
    const { ours, ratio, reached, failed, moonshotReached } = verdictOf(figure, allowed)
    const { values, goal, unit, moonshot, atLeast, note } = figure
    const spread = values.length > 1 ? `${values.length} times, ${shown(Math.min(...values))} to ${shown(Math.max(...values))}` : ''
    const beyond = moonshot === undefined ? '' : `moonshot ${shown(moonshot)} ${moonshotReached ? 'reached' : 'not reached'}`
    return [
      figure.name,
      `${shown(ours)}/${shown(goal)} ${unit}`,
      ratio.toFixed(2),
      `${atLeast ? '>=' : '<='} ${shown(goal)}`,
      `${reached ? 'reached' : 'missed'}${failed ? ' FAILED' : ''}`,
      [spread, beyond, note].filter(text => text).join('; ')
    ]
  })
  const widths = [0, 1, 2, 3, 4].map(column => Math.max(0, ...rows.map(row => row[column]?.length ?? 0)))
  return rows.map(row =>
    row
      .map((cell, column) => (column === 2 ? cell.padStart(widths[2] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  )
}
