import type { Clock } from '../clock.ts'
import { refuse } from '../errors.ts'

/** Requests per second that one caller and one customer may make of this process. */
export interface ShareLimits {
  readonly perCaller: number
  readonly perCustomer: number
}

/** What each may still ask: two buckets that fill by themselves. See docs/operations/run.md. */
export interface Shares {
  /**
   * Takes one request of the caller and of the customer. Asked before the database is, so that a flood costs nobody else anything.
   * @throws Refusal too_many_requests with Retry-After
   */
  take(tenantId: string, caller: string): void
}

/** A bucket holds what comes in within so many seconds: a screen that opens asks for much at once. */
const burstSeconds = 2
/** Buckets that are full again say nothing; above so many they are looked for and dropped. */
const mostBuckets = 20_000

interface Bucket {
  left: number
  at: number
}

export function createShares(
  limits: ShareLimits,
  clock: Pick<Clock, 'now'>,
  told: (by: 'caller' | 'customer', tenantId: string) => void = () => {}
): Shares {
  const buckets = new Map<string, Bucket>()

  function fill(key: string, perSecond: number, now: number): Bucket {
    const most = perSecond * burstSeconds
    const known = buckets.get(key)
    if (!known) {
      if (buckets.size >= mostBuckets) dropFull(now)
      const made = { left: most, at: now }
      buckets.set(key, made)
      return made
    }
    // A clock that was set back takes nothing away.
    known.left = Math.min(most, known.left + Math.max(0, now - known.at) * perSecond)
    known.at = now
    return known
  }

  /** In two seconds every bucket is full that nobody takes from. */
  function dropFull(now: number): void {
    for (const [key, bucket] of buckets) if (now - bucket.at > burstSeconds) buckets.delete(key)
  }

  return {
    take(tenantId, caller) {
      const now = clock.now().getTime() / 1000
      const own = fill(`${tenantId} ${caller}`, limits.perCaller, now)
      if (own.left < 1) {
        told('caller', tenantId)
        throw tooMany('You ask more than one caller may.', (1 - own.left) / limits.perCaller)
      }
      const shared = fill(tenantId, limits.perCustomer, now)
      if (shared.left < 1) {
        told('customer', tenantId)
        throw tooMany('Together, the people and programs of this customer ask more than one may.', (1 - shared.left) / limits.perCustomer)
      }
      own.left--
      shared.left--
    }
  }
}

const tooMany = (why: string, seconds: number) =>
  refuse('too_many_requests', `${why} Repeat after the seconds in Retry-After; nothing was done.`, {
    retryAfterSeconds: Math.max(1, seconds)
  })
