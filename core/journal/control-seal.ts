import type { BareCtx } from '../context.ts'
import type { Log } from '../log.ts'
import { sealJournal } from './seal.ts'

const everyMs = 5_000

/**
 * Seals control's journal at once and every five seconds: its acts are rare, and there is no board on which they would announce
 * themselves. Several workers do it side by side; whoever comes second finds nothing left.
 */
export function startControlSealer(ctx: BareCtx, log: Log): { stop(): Promise<void> } {
  let running: Promise<void> | undefined
  const round = (): void => {
    running ??= sealJournal(ctx)
      .then(() => {})
      .catch(error => log.warn({ err: error }, "sealing control's journal failed, will be tried again"))
      .finally(() => {
        running = undefined
      })
  }
  round()
  const timer = setInterval(round, everyMs)
  return {
    async stop() {
      clearInterval(timer)
      await running
    }
  }
}
