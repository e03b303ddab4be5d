import { readFileSync } from 'node:fs'

/** Megabytes of a process that lie in memory. */
export const residentMb = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1_000

export interface Sample {
  readonly files: number
  readonly mb: number
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

/** Megabytes by which memory rose over the second half of the samples, by the straight line through them (least squares). */
export function riseOfSecondHalf(samples: readonly Sample[]): number {
  const half = samples.slice(Math.floor(samples.length / 2))
  const [x, y] = [mean(half.map(({ files }) => files)), mean(half.map(({ mb }) => mb))]
  const spread = half.reduce((sum, { files }) => sum + (files - x) ** 2, 0)
  const slope = half.reduce((sum, { files, mb }) => sum + (files - x) * (mb - y), 0) / spread
  return slope * ((half.at(-1)?.files ?? 0) - (half[0]?.files ?? 0))
}
