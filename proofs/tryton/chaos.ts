import { setTimeout as sleep } from 'node:timers/promises'
import type { Installation } from '../crash/house.ts'

/** Kills the product at moments drawn by chance, and starts it again; at every third its PostgreSQL dies first. Ends with the signal. */
export async function killNow(house: Installation, most: number, signal: AbortSignal, say: (line: string) => void): Promise<number> {
  let kills = 0
  while (kills < most && !signal.aborted) {
    await sleep(1_000 + Math.random() * 5_000, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) break
    kills++
    if (kills % 3 === 0) {
      await house.killDatabase()
      await sleep(Math.random() * 500)
    }
    await house.kill()
    await house.start()
    say(`  kill ${kills}${kills % 3 === 0 ? ', with the database' : ''}`)
  }
  return kills
}
