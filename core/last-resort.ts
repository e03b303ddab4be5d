import type { Log } from './log.ts'

/** Faults within so many seconds that may be a bad day; one more, and something is broken that only a new start mends. */
const most = 20
const withinSeconds = 60

/**
 * What is thrown where nobody catches it (a callback, a promise that nobody waits for) is told and the process goes on: one fault may
 * not take the service away from all customers. Work is safe either way, since it counts only when its transaction is committed. Too
 * many in a row give up: the process stops in order with an error, and who supervises it starts it clean (ASVS 5.0, V16.5.4).
 * @returns what takes it away again
 */
export function lastResort(log: Pick<Log, 'error'>, giveUp: () => void): () => void {
  let times: number[] = []
  const onFault = (thrown: unknown, origin: string): void => {
    const now = performance.now()
    times = [...times.filter(time => now - time < withinSeconds * 1000), now]
    const err = thrown instanceof Error ? thrown : new Error(`something that is no error was thrown (${typeof thrown})`)
    const tooMany = times.length > most
    log.error(
      { err, origin, outcome: 'error', faults: times.length },
      tooMany ? 'too many faults; giving up' : 'a fault that nobody caught'
    )
    if (tooMany) giveUp()
  }
  process.on('uncaughtException', onFault)
  return () => void process.off('uncaughtException', onFault)
}
