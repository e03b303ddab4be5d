import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { refuse } from '../errors.ts'
import type { TenantKeys } from '../keys/tenant-keys.ts'

/** Takes the bytes of one blob in order. Nothing is readable before `finish`. */
export interface BlobWriter {
  /** Plain bytes taken so far. */
  readonly size: number
  append(bytes: Uint8Array): Promise<void>
  /** Flushes, fsyncs and renames; after it the blob survives a power cut. @returns plain size and SHA-256 in hex */
  finish(): Promise<{ size: number; sha256: string }>
  /** Throws the part away. */
  abort(): Promise<void>
}

/** Store of raw bytes, each encrypted under a key of its own that is derived from the tenant's. */
export interface Blobs {
  create(tenant: TenantKeys, id: string): Promise<BlobWriter>
  /** Plain bytes; each segment is verified before it is given out. @throws BlobBroken, or an Error with code ENOENT */
  read(tenant: TenantKeys, id: string): AsyncIterable<Uint8Array>
  exists(tenantId: string, id: string): Promise<boolean>
  remove(tenantId: string, id: string): Promise<void>
  /** Deletes what no row knows and is older; parts included. @returns how many */
  sweep(tenantId: string, known: (ids: readonly string[]) => Promise<ReadonlySet<string>>, olderThan: Date): Promise<number>
}

export class BlobBroken extends Error {
  constructor(id: string) {
    super(`blob ${id} is cut off or was changed`)
    this.name = 'BlobBroken'
  }
}

const segmentSize = 65_536
const tagSize = 16
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/**
 * Blobs in a local directory: `<dir>/<tenant>/<last two digits>/<id>`. Segments of 64 kB, AES-256-GCM; the nonce is the segment's
 * number with a flag on the last one, so a missing, swapped or cut segment is found. A key is used for one blob only.
 */
export function localBlobs(dir: string): Blobs {
  const folder = (tenantId: string, id: string): string => {
    if (!uuid.test(tenantId) || !uuid.test(id)) throw new TypeError('a blob is named by UUIDs')
    // The end of a UUIDv7 is random, its beginning is the time.
    return join(dir, tenantId, id.slice(-2))
  }
  return {
    async create(tenant, id) {
      const place = folder(tenant.tenantId, id)
      try {
        await mkdir(place, { recursive: true, mode: 0o700 })
        return writer(await open(join(place, `${id}.part`), 'wx', 0o600), place, id, tenant.blobKey(id))
      } catch (error) {
        throw storageRefusal(error)
      }
    },
    read: (tenant, id) => segments(join(folder(tenant.tenantId, id), id), id, tenant.blobKey(id)),
    exists: async (tenantId, id) =>
      stat(join(folder(tenantId, id), id)).then(
        () => true,
        () => false
      ),
    async remove(tenantId, id) {
      await unlink(join(folder(tenantId, id), id)).catch(ignoreMissing)
    },
    async sweep(tenantId, known, olderThan) {
      if (!uuid.test(tenantId)) throw new TypeError('a tenant is named by a UUID')
      let removed = 0
      const root = join(dir, tenantId)
      for (const part of (await readdir(root).catch(ignoreMissing)) ?? []) {
        const place = join(root, part)
        const old: string[] = []
        for (const name of await readdir(place)) {
          const info = await stat(join(place, name)).catch(ignoreMissing)
          if (info && info.mtime < olderThan) old.push(name)
        }
        const rows = await known(old.filter(name => uuid.test(name)))
        for (const name of old) {
          if (rows.has(name)) continue
          await unlink(join(place, name)).catch(ignoreMissing)
          removed++
        }
      }
      return removed
    }
  }
}

function writer(file: FileHandle, place: string, id: string, key: Buffer): BlobWriter {
  const hash = createHash('sha256')
  let size = 0
  let number = 0
  let pending: Buffer[] = []
  let pendingSize = 0

  async function flush(last: boolean): Promise<void> {
    const all = Buffer.concat(pending)
    let at = 0
    const out: Buffer[] = []
    // The last segment is written at the end only, because it carries the flag; an empty blob is one empty last segment.
    while (all.length - at > segmentSize || (last && at <= all.length)) {
      const isLast = last && all.length - at <= segmentSize
      const plain = all.subarray(at, at + segmentSize)
      const cipher = createCipheriv('aes-256-gcm', key, nonceOf(number++, isLast), { authTagLength: tagSize })
      out.push(cipher.update(plain), cipher.final(), cipher.getAuthTag())
      at += plain.length
      if (isLast) break
    }
    pending = [all.subarray(at)]
    pendingSize = all.length - at
    if (out.length > 0) await file.appendFile(Buffer.concat(out))
  }

  return {
    get size() {
      return size
    },
    async append(bytes) {
      hash.update(bytes)
      size += bytes.length
      // Copied: the caller's buffer may be a view on a socket's.
      pending.push(Buffer.from(bytes))
      pendingSize += bytes.length
      if (pendingSize < segmentSize * 4) return
      try {
        await flush(false)
      } catch (error) {
        throw storageRefusal(error)
      }
    },
    async finish() {
      try {
        await flush(true)
        await file.sync()
        await file.close()
        await rename(join(place, `${id}.part`), join(place, id))
        const directory = await open(place, 'r')
        await directory.sync()
        await directory.close()
      } catch (error) {
        throw storageRefusal(error)
      }
      return { size, sha256: hash.digest('hex') }
    },
    async abort() {
      await file.close().catch(() => {})
      await unlink(join(place, `${id}.part`)).catch(ignoreMissing)
    }
  }
}

async function* segments(path: string, id: string, key: Buffer): AsyncIterable<Uint8Array> {
  const file = await open(path, 'r')
  try {
    const whole = segmentSize + tagSize
    const { size } = await file.stat()
    const count = Math.max(1, Math.ceil(size / whole))
    const buffer = Buffer.alloc(whole)
    for (let number = 0; number < count; number++) {
      let filled = 0
      while (filled < whole) {
        const { bytesRead } = await file.read(buffer, filled, whole - filled, number * whole + filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      if (filled < tagSize) throw new BlobBroken(id)
      const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(number, number === count - 1), { authTagLength: tagSize })
      decipher.setAuthTag(buffer.subarray(filled - tagSize, filled))
      let plain: Buffer
      try {
        plain = Buffer.concat([decipher.update(buffer.subarray(0, filled - tagSize)), decipher.final()])
      } catch {
        throw new BlobBroken(id)
      }
      if (plain.length > 0) yield plain
    }
  } finally {
    await file.close()
  }
}

function nonceOf(number: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUInt8(last ? 1 : 0, 0)
  nonce.writeUIntBE(number, 6, 6)
  return nonce
}

function ignoreMissing(error: unknown): undefined {
  if ((error as { code?: string }).code === 'ENOENT') return undefined
  throw error
}

/** A full disk is nobody's mistake on the other side: it is "not now", and what was acknowledged stays. */
function storageRefusal(error: unknown): unknown {
  const code = (error as { code?: string }).code
  if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'EROFS') return error
  return refuse('unavailable', 'There is no room to store the file now. Repeat later; the operator of the service has been told.', {
    retryAfterSeconds: 60,
    cause: error
  })
}
