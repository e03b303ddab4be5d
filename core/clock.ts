/** The one source of time. Everything else asks the clock it was given, so that a test can move it. */
export interface Clock {
  now(): Date
  /** Instant as ISO 8601 text in UTC with milliseconds, the form used on the wire. */
  iso(): string
}

export const systemClock: Clock = {
  now: () => new Date(),
  iso: () => new Date().toISOString()
}

/** A clock that stands where it was put; for tests and for dry runs of duties. */
export function fixedClock(start: string): Clock & { set(at: string): void; advance(seconds: number): void } {
  let at = Date.parse(start)
  return {
    now: () => new Date(at),
    iso: () => new Date(at).toISOString(),
    set: next => {
      at = Date.parse(next)
    },
    advance: seconds => {
      at += seconds * 1000
    }
  }
}
