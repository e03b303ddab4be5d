import type { Log } from '../log.ts'
import { plainClient } from './client.ts'

/**
 * Hears what is notified on a channel until the signal ends it. Reconnects by itself; `gap` is called after each time that something may
 * have been missed. @returns when it has ended
 */
export async function listenTo(options: {
  readonly url: string
  readonly channel: string
  readonly heard: (payload: readonly string[]) => void
  readonly gap?: () => void
  readonly log: Log
  readonly signal: AbortSignal
}): Promise<void> {
  const { url, channel, heard, gap, log, signal } = options
  for (let first = true; !signal.aborted; first = false) {
    const client = plainClient(url, 'werkvloer listen', { keepAlive: true })
    try {
      await client.connect()
      client.on('notification', message => heard(JSON.parse(message.payload ?? '[]') as string[]))
      await client.query(`listen ${channel}`)
      if (!first) gap?.()
      await new Promise<void>(resolve => {
        // The signal may have ended while the question was under way, and then it says so to nobody any more.
        if (signal.aborted) return resolve()
        client.once('end', resolve)
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    } catch (error) {
      log.debug({ err: error, channel }, 'listening')
    }
    await client.end().catch(() => {})
    if (!signal.aborted) await new Promise(resolve => setTimeout(resolve, 1_000))
  }
}
