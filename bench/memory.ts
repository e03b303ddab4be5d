import { readFileSync } from 'node:fs'

/**
 * The most memory that this process has had resident, in megabytes. Not `process.resourceUsage().maxRSS`: Linux counts into that what
 * the process was before it became this program, a copy of the one that started it.
 */
export function peakMegabytes(): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  if (kilobytes === undefined) throw new Error('this bench reads /proc/self/status, which only Linux has')
  return Number(kilobytes) / 1_000
}
