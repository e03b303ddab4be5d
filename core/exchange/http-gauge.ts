import { TransportError } from '../../adapters/contract/index.ts'

/** Requests and failures of one connection over all runs of this process: a bucket of tokens and a breaker. */
interface Gauge {
  tokens: number
  refilledAt: number
  failures: number
  restsUntil: number
}

const gauges = new Map<string, Gauge>()
const defaultPerMinute = 600
const mostFailures = 5
const restMs = 30_000
/** A request waits at most this long for its turn; what would wait longer has not been sent. */
const longestWaitMs = 30_000

/**
 * Waits for a turn within the requests per minute.
 * @throws TransportError `none` while the ERP is left alone after failures in a row, or when the turn is too far away
 */
export async function turn(connectionId: string, perMinute = defaultPerMinute, signal?: AbortSignal): Promise<void> {
  const now = performance.now()
  const gauge = gauges.get(connectionId) ?? { tokens: perMinute, refilledAt: now, failures: 0, restsUntil: 0 }
  gauges.set(connectionId, gauge)
  if (gauge.restsUntil > now) {
    throw new TransportError('none', 'The ERP failed several times in a row and is left alone for half a minute.')
  }
  gauge.tokens = Math.min(perMinute, gauge.tokens + ((now - gauge.refilledAt) / 60_000) * perMinute)
  gauge.refilledAt = now
  const waitMs = gauge.tokens >= 1 ? 0 : ((1 - gauge.tokens) / perMinute) * 60_000
  if (waitMs > longestWaitMs) throw new TransportError('none', 'The limit of requests per minute is reached.')
  // Taken at once, below zero too: those who come later wait behind.
  gauge.tokens--
  if (waitMs > 0) await pause(waitMs, signal)
}

/** Five failures in a row and the ERP is left alone for a while. */
export function outcome(connectionId: string, ok: boolean): void {
  const gauge = gauges.get(connectionId)
  if (!gauge) return
  gauge.failures = ok ? 0 : gauge.failures + 1
  if (gauge.failures < mostFailures) return
  gauge.failures = 0
  gauge.restsUntil = performance.now() + restMs
}

const pause = (milliseconds: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    const leave = (): void => {
      clearTimeout(timer)
      reject(new TransportError('none', 'The work was broken off before its turn came.'))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', leave)
      resolve()
    }, milliseconds)
    if (signal?.aborted) leave()
    else signal?.addEventListener('abort', leave, { once: true })
  })
