import { setTimeout as sleep } from 'node:timers/promises'
import type { Installation } from '../crash/house.ts'
import type { Break, Line } from './line.ts'

/** In turn: while a call is on its way to the ERP, when the ERP has carried it out and we have not heard of it, and at any moment. */
const moments = ['answer', 'any', 'request'] as const
const longestWaitMs = 15_000

/**
 * Kills the product at moments drawn by chance, many of them in the middle of a call, and starts it again; at every third its PostgreSQL
 * dies first. In between calls get lost on a line that breaks. Ends with the signal. @returns how often it killed
 */
export async function killNow(
  house: Installation,
  line: Line,
  most: number,
  signal: AbortSignal,
  say: (line: string) => void
): Promise<number> {
  let kills = 0
  while (kills < most && !signal.aborted) {
    void line.breakNext(Math.random() < 0.5 ? 'answer' : 'request')
    await sleep(1_000 + Math.random() * 4_000, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) break
    const moment = moments[kills % moments.length] ?? 'any'
    kills++
    const kill = async (): Promise<void> => {
      if (kills % 3 === 0) await house.killDatabase()
      await house.kill()
    }
    if (moment === 'any') await kill()
    else await killInCall(line, moment, kill)
    await house.start()
    say(`  kill ${kills}, ${words[moment]}${kills % 3 === 0 ? ', the database first' : ''}`)
  }
  return kills
}

const words = { any: 'at any moment', request: 'a call on its way to the ERP', answer: 'an answer of the ERP on its way' } as const

/** Kills in the middle of the next call that changes something; at once where none comes. */
async function killInCall(line: Line, moment: Break, kill: () => Promise<void>): Promise<void> {
  let killed: Promise<void> | undefined
  const once = (): Promise<void> => {
    killed ??= kill()
    return killed
  }
  await Promise.race([line.breakNext(moment, once), sleep(longestWaitMs)])
  await once()
}
