import { setTimeout as sleep } from 'node:timers/promises'
import type { Load, Sample } from './load.ts'

/** Times below this count as this: between five and ten milliseconds lies the machine, not the product. */
export const floorMs = 50

/** The smallest of them than which at most one in a hundred is larger. */
export function p99(samples: readonly Sample[]): number {
  const sorted = samples.map(({ ms }) => ms).sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * 0.99) - 1)] ?? Number.NaN
}

export const isGood = (status: number): boolean => status >= 200 && status < 300

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}

export interface Turns {
  readonly pairs: number
  /** With the fault, and without it. */
  readonly seconds: number
  readonly without: number
}

export interface Window {
  readonly from: number
  readonly to: number
}
export const within = (load: Load, window: Window, of: (customer: string) => boolean): Sample[] =>
  load.samples.filter(({ at, customer }) => at >= window.from && at < window.to && of(customer))

export interface Comparison {
  readonly ratio: number
  /** The same in words: each pair. */
  readonly pairs: string
  /** More requests than without the fault. */
  readonly failed: number
  /** p99 without the fault. */
  readonly usualMs: number
}

/**
 * Compares requests of others without and with a fault, in turns of a few seconds each, so that what else the machine does falls on both: each
 * turn with the fault is held against the slower of the two around it, and of these ratios the median counts.
 */
export async function compare(
  load: Load,
  others: (customer: string) => boolean,
  options: Turns & { on: () => Promise<void>; off: () => Promise<void> }
): Promise<Comparison> {
  const window = async (seconds: number): Promise<Window> => {
    // What was sent before the change has its end.
    await sleep(300)
    const from = performance.now()
    await sleep(seconds * 1_000)
    return { from, to: performance.now() }
  }
  const on: Window[] = []
  const off: Window[] = [await window(options.without)]
  for (let n = 0; n < options.pairs; n++) {
    await options.on()
    on.push(await window(options.seconds))
    await options.off()
    off.push(await window(options.without))
  }
  // The last of them has had its answer.
  await sleep(500)
  const timeOf = (one: Window | undefined): number => (one ? p99(within(load, one, others)) : Number.NaN)
  const times = on.map((one, n) => [Math.max(timeOf(off[n]), timeOf(off[n + 1])), timeOf(one)] as const)
  const failures = (windows: readonly Window[]): number =>
    windows.flatMap(one => within(load, one, others)).filter(({ status }) => !isGood(status)).length
  const ratios = times.map(([without, fault]) => Math.max(fault, floorMs) / Math.max(without, floorMs))
  return {
    ratio: median(ratios),
    pairs: times.map(([without, fault]) => `${Math.round(without)} → ${Math.round(fault)} ms`).join(', '),
    failed: Math.max(0, failures(on) - failures(off)),
    usualMs: median(times.map(([without]) => without))
  }
}
