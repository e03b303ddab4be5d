import { statfs } from 'node:fs/promises'
import { Refusal } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Blobs } from './blobs.ts'

/** What is known of the room for files; see `watchRoom`. */
export interface Room {
  /** The last file did not fit. */
  readonly full: boolean
  /** Bytes that are free; undefined where the folder cannot be asked. */
  free(): Promise<number | undefined>
}

const reminderMs = 60_000

/**
 * The same blobs, with an alarm: an error in the log when a file does not fit, again each minute while that goes on, and a line when there
 * is room again. Senders are refused meanwhile and send again; nothing else of the house needs this room.
 */
export function watchRoom(blobs: Blobs, options: { directory: string; log: Log }): Blobs & { readonly room: Room } {
  const { directory, log } = options
  let full = false
  let saidAt = Number.NEGATIVE_INFINITY

  function refused(error: unknown): never {
    if (error instanceof Refusal && error.kind === 'unavailable') {
      full = true
      if (performance.now() - saidAt >= reminderMs) {
        saidAt = performance.now()
        log.error({ op: 'storage', directory, err: error.cause }, 'there is no room for files: deliveries are refused until there is')
      }
    }
    throw error
  }
  function stored(): void {
    if (!full) return
    full = false
    saidAt = Number.NEGATIVE_INFINITY
    log.info({ op: 'storage', directory }, 'there is room for files again')
  }

  return {
    ...blobs,
    async create(tenant, id) {
      const writer = await blobs.create(tenant, id).catch(refused)
      return {
        get size() {
          return writer.size
        },
        append: bytes => writer.append(bytes).catch(refused),
        async finish() {
          const done = await writer.finish().catch(refused)
          stored()
          return done
        },
        abort: () => writer.abort()
      }
    },
    room: {
      get full() {
        return full
      },
      async free() {
        try {
          const disk = await statfs(directory)
          return disk.bavail * disk.bsize
        } catch {
          return undefined
        }
      }
    }
  }
}
