import type { Log } from './log.ts'

export interface Shutdown {
  /** Adds a step. Steps run one after another, the last added first: what was opened last is closed first. */
  add(step: string, stop: () => Promise<void> | void): void
  /** Runs all steps once; a second call waits for the first. Resolves with the exit code. */
  stop(reason: string): Promise<number>
  /** True from the first request to stop; readiness answers 503 from then on. */
  readonly stopping: boolean
  /** Installs the signals. `exit` ends the process. */
  listen(exit: (code: number) => void): void
}

/**
 * The ordered stop: who takes work closes first, the databases last. A failing step is logged and the next one still runs.
 *
 * A second signal forces nothing: one Ctrl-C arrives twice, from the terminal and from npm. Only the deadline forces.
 */
export function createShutdown(log: Pick<Log, 'info' | 'error'>, deadlineSeconds = 20): Shutdown {
  const steps: { step: string; stop: () => Promise<void> | void }[] = []
  let running: Promise<number> | undefined
  let current = ''

  async function runAll(reason: string): Promise<number> {
    log.info({ op: 'stop', reason }, 'stopping')
    let code = 0
    for (let next = steps.pop(); next !== undefined; next = steps.pop()) {
      current = next.step
      try {
        await next.stop()
        log.info({ op: 'stop', step: next.step }, 'stopped')
      } catch (error) {
        code = 1
        log.error({ op: 'stop', step: next.step, err: error }, 'a step of the stop failed; going on')
      }
    }
    return code
  }

  async function withDeadline(reason: string): Promise<number> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<number>(resolve => {
      timer = setTimeout(() => {
        log.error(
          { op: 'stop', after_s: deadlineSeconds, step: current, left: steps.map(each => each.step) },
          'the stop took too long; ending now'
        )
        resolve(1)
      }, deadlineSeconds * 1000)
    })
    const code = await Promise.race([runAll(reason), late])
    clearTimeout(timer)
    return code
  }

  const shutdown: Shutdown = {
    add: (step, stop) => void steps.push({ step, stop }),
    stop: reason => {
      running ??= withDeadline(reason)
      return running
    },
    get stopping() {
      return running !== undefined
    },
    listen: exit => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void shutdown.stop(signal).then(exit))
    }
  }
  return shutdown
}
