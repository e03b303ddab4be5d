import { EventEmitter } from 'node:events'
import { sql } from 'kysely'
import type { Control } from '../db/control.ts'
import { listenTo } from '../db/listen.ts'
import { newId } from '../ids.ts'
import type { Log } from '../log.ts'

/**
 * Which parts of a tenant's data changed, told between processes so that screens ask again. Hints, never data: whoever hears one asks
 * with a token of its own, and one that is lost is made up for by the next look. Parts are the names of the database's schemas.
 */
export interface Changes {
  /** After a commit. Told at once in this process, and at most every `pauseMs` per tenant to the others. */
  tell(tenantId: string, parts: ReadonlySet<string>): void
  /** `parts` is undefined after a time in which something may have been missed. */
  onChange(listener: (tenantId: string | undefined, parts: readonly string[]) => void): () => void
  /** Hears what other processes tell; only a process with screens needs it. Resolves when the signal has ended it. */
  hear(url: string, signal: AbortSignal): Promise<void>
}

const channel = 'werkvloer_changed'
const pauseMs = 200

export function openChanges(control: Control, log: Log): Changes {
  const origin = newId()
  const emitter = new EventEmitter()
  emitter.setMaxListeners(0)
  const waiting = new Map<string, Set<string>>()

  function flush(tenantId: string): void {
    const parts = [...(waiting.get(tenantId) ?? [])]
    waiting.delete(tenantId)
    emitter.emit('change', tenantId, parts)
    sql`select pg_notify(${channel}, ${JSON.stringify([origin, tenantId, ...parts])})`
      .execute(control.kysely)
      .catch((error: unknown) => log.debug({ err: error }, 'telling what changed'))
  }

  return {
    tell(tenantId, parts) {
      const there = waiting.get(tenantId)
      if (there) {
        for (const part of parts) there.add(part)
        return
      }
      waiting.set(tenantId, new Set(parts))
      setTimeout(() => flush(tenantId), pauseMs).unref()
    },
    onChange(listener) {
      emitter.on('change', listener)
      return () => emitter.off('change', listener)
    },
    hear: (url, signal) =>
      listenTo({
        url,
        channel,
        heard: ([from, tenantId, ...parts]) => {
          if (from !== origin && tenantId !== undefined) emitter.emit('change', tenantId, parts)
        },
        gap: () => emitter.emit('change', undefined, []),
        log,
        signal
      })
  }
}
