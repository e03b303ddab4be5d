import type { Ctx } from '../context.ts'
import { newId } from '../ids.ts'
import type { Blobs } from '../storage/blobs.ts'
import { refuseExchange } from './errors.ts'
import { namedBlobs } from './raw-store.ts'
import type { Source } from './sftp-tree.ts'

export interface RawWriter {
  readonly id: string
  readonly size: number
  append(bytes: Uint8Array): Promise<void>
  finish(): Promise<{ size: number; sha256: string }>
  abort(): Promise<void>
}

export async function rawWriter(ctx: Ctx, blobs: Blobs): Promise<RawWriter> {
  const id = newId()
  const writer = await blobs.create(ctx.tenant.keys, id)
  return {
    id,
    get size() {
      return writer.size
    },
    append: bytes => writer.append(bytes),
    finish: () => writer.finish(),
    abort: () => writer.abort()
  }
}

/** The plain bytes of a delivery, whole. Refuses `delivery_raw_gone` when retention has let them go. */
export async function* openRaw(ctx: Ctx, blobs: Blobs, blobId: string | null): AsyncIterable<Uint8Array> {
  if (blobId === null) throw rawGone()
  try {
    yield* blobs.read(ctx.tenant.keys, blobId)
  } catch (error) {
    throw (error as { code?: string }).code === 'ENOENT' ? rawGone() : error
  }
}

const rawGone = () => refuseExchange('delivery_raw_gone', 'The raw bytes of this delivery are no longer kept.')

/** Deletes blobs that no delivery names any more; a replay shares the blob of what it repeats. */
export async function removeRaw(ctx: Ctx, blobs: Blobs, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  const named = await namedBlobs(ctx, ids)
  for (const id of ids) if (!named.has(id)) await blobs.remove(ctx.tenant.id, id)
}

/** Going back means reading from the beginning again; more often than this no honest client does. */
const mostRestarts = 64

/** Reads a blob at offsets, cheaply as long as they rise, which is how clients fetch files. */
export function rawSource(ctx: Ctx, blobs: Blobs, blobId: string, size: number): Source {
  let chunks: AsyncIterator<Uint8Array> | undefined
  let current: Buffer = Buffer.alloc(0)
  let start = 0
  let restarts = 0

  async function close(): Promise<void> {
    const open = chunks
    chunks = undefined
    current = Buffer.alloc(0)
    start = 0
    await open?.return?.()
  }

  return {
    size,
    async read(offset, length) {
      if (chunks && offset < start) {
        if (++restarts > mostRestarts) throw refuseExchange('sftp_gap', 'Files are read from the beginning to the end.')
        await close()
      }
      chunks ??= openRaw(ctx, blobs, blobId)[Symbol.asyncIterator]()
      while (offset >= start + current.length) {
        const next = await chunks.next()
        if (next.done) return Buffer.alloc(0)
        start += current.length
        current = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength)
      }
      return current.subarray(offset - start, offset - start + length)
    },
    wholeRead: async () => {},
    close
  }
}
