/** A person ended the program while it was still starting. */
export class StartBroken extends Error {
  readonly signal: string

  constructor(signal: string) {
    super(`the start was broken off by ${signal}`)
    this.name = 'StartBroken'
    this.signal = signal
  }
}

export interface StartSignals {
  /** Throws StartBroken when a signal came. Between two steps of the start: a step under way is never cut in the middle. */
  goOn(): void
  /** Waits for work that may be left alone when a signal comes. Rejects with StartBroken then, or as the work does. */
  unlessBroken<T>(work: Promise<T>): Promise<T>
  /** From here on somebody else listens. */
  end(): void
}

/**
 * Hears the signals that end a program while it starts. Without it Ctrl-C would kill the process between two steps and leave the
 * database running, which is in a session of its own.
 */
export function startSignals(): StartSignals {
  const broken = new AbortController()
  const hear = (signal: NodeJS.Signals): void => broken.abort(new StartBroken(signal))
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, hear)
  return {
    goOn: () => broken.signal.throwIfAborted(),
    async unlessBroken(work) {
      const { promise, reject } = Promise.withResolvers<never>()
      const stop = (): void => reject(broken.signal.reason)
      broken.signal.addEventListener('abort', stop, { once: true })
      if (broken.signal.aborted) stop()
      try {
        return await Promise.race([work, promise])
      } finally {
        broken.signal.removeEventListener('abort', stop)
      }
    },
    end() {
      for (const signal of signals) process.off(signal, hear)
    }
  }
}
