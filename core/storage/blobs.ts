import { createCipheriv, createDecipheriv, createHash, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { refuse } from '../errors.ts'
import type { TenantKeys } from '../keys/tenant-keys.ts'

/** Takes the bytes of one blob in order. Nothing is readable before `finish`. */
export interface BlobWriter {
  /** Plain bytes taken so far. */
  readonly size: number
  /** @throws Refusal `unavailable` on a full disk; after a failed write nothing more is taken and `finish` fails too */
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

const format = 1
const saltSize = 16
const headSize = 1 + saltSize
const segmentSize = 65_536
const tagSize = 16
/** Segments are encrypted and written four at a time, so that 32 kB pieces do not cost a write each. */
const batchSize = segmentSize * 4
/** Segments fetched from the disk at a time. */
const segmentsRead = 4
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/**
 * Blobs in a local directory: `<dir>/<tenant>/<last two digits>/<id>`. One byte of format, a salt, then segments of 64 kB in
 * AES-256-GCM; the nonce is the segment's number with a flag on the last one, so a missing, swapped or cut segment is found. The key
 * is derived from the blob's key and the salt, so that not even a second writing of one id uses a key and a nonce twice.
 */
export function localBlobs(directory: string): Blobs {
  const dir = resolve(directory)
  const lasting = new Set<string>()
  /** A folder survives a power cut when its parent is synced. Remembered per folder; one that was taken away is synced anew. */
  async function makeFolder(place: string): Promise<void> {
    const made = await mkdir(place, { recursive: true, mode: 0o700 })
    if (made === undefined && lasting.has(place)) return
    await syncDirectory(dirname(place))
    await syncDirectory(dir)
    lasting.add(place)
  }
  const folder = (tenantId: string, id: string): string => {
    if (!uuid.test(tenantId) || !uuid.test(id)) throw new TypeError('a blob is named by UUIDs')
    // The end of a UUIDv7 is random, its beginning is the time.
    return join(dir, tenantId, id.slice(-2))
  }
  return {
    async create(tenant, id) {
      const place = folder(tenant.tenantId, id)
      try {
        await makeFolder(place)
        if (await isThere(join(place, id))) throw new Error(`blob ${id} exists; a blob is written once`)
        return writer(await open(join(place, `${id}.part`), 'wx', 0o600), place, id, tenant.blobKey(id))
      } catch (error) {
        throw storageRefusal(error)
      }
    },
    read: (tenant, id) => segments(join(folder(tenant.tenantId, id), id), id, tenant.blobKey(id)),
    exists: async (tenantId, id) => isThere(join(folder(tenantId, id), id)),
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

function writer(file: FileHandle, place: string, id: string, blobKey: Buffer): BlobWriter {
  const salt = randomBytes(saltSize)
  const key = keyOf(blobKey, salt)
  const hash = createHash('sha256')
  let size = 0
  let number = 0
  /** Plain bytes that are not encrypted yet; one buffer for the whole blob, since a new one for each piece keeps the collector busy. */
  let pending = Buffer.alloc(0)
  let pendingSize = 0
  let ended = false
  /** Writes follow each other, and none follows a failed one: a hole in the middle must not be finished. */
  let written: Promise<void> = Promise.resolve()

  function write(last: boolean): Promise<void> {
    const bytes = encrypt(last)
    written = written.then(() => file.appendFile(bytes))
    return written
  }

  /** Everything that is pending; the last segment carries the flag, and an empty blob is one empty last segment. */
  function encrypt(last: boolean): Buffer {
    const out: Buffer[] = number === 0 ? [Buffer.from([format]), salt] : []
    for (let at = 0; at < pendingSize || (last && at === 0); at += segmentSize) {
      const end = Math.min(at + segmentSize, pendingSize)
      out.push(...encryptSegment(key, number++, last && end === pendingSize, pending.subarray(at, end)))
    }
    pendingSize = 0
    return Buffer.concat(out)
  }

  /** Room for more: a batch for what is large, and no more than it needs for a small file that comes in one piece. */
  function makeRoom(more: number): void {
    if (pending.length >= batchSize || pendingSize + more <= pending.length) return
    const larger = Buffer.allocUnsafeSlow(pending.length === 0 && more <= segmentSize ? segmentSize : batchSize)
    pending.copy(larger, 0, 0, pendingSize)
    pending = larger
  }

  return {
    get size() {
      return size
    },
    async append(bytes) {
      if (ended) throw new Error(`blob ${id} is closed and takes no more`)
      hash.update(bytes)
      size += bytes.length
      // Copied: the caller's buffer may be a view on a socket's.
      makeRoom(bytes.length)
      // Nothing is waited for in between: pieces handed over at once must not mix.
      let writing: Promise<void> | undefined
      for (let at = 0; at < bytes.length; ) {
        // A full batch waits for the next byte: it may hold the last segment.
        if (pendingSize === batchSize) writing = write(false)
        const taken = Math.min(bytes.length - at, batchSize - pendingSize)
        pending.set(bytes.subarray(at, at + taken), pendingSize)
        pendingSize += taken
        at += taken
      }
      await writing?.catch(refuseStorage)
    },
    async finish() {
      if (ended) throw new Error(`blob ${id} is closed already`)
      ended = true
      try {
        await write(true)
        await file.sync()
        await file.close()
        await rename(join(place, `${id}.part`), join(place, id))
        await syncDirectory(place)
      } catch (error) {
        // Left behind, the parts of what did not fit would keep the disk full.
        await file.close().catch(() => {})
        await unlink(join(place, `${id}.part`)).catch(ignoreMissing)
        throw storageRefusal(error)
      }
      return { size, sha256: hash.digest('hex') }
    },
    async abort() {
      ended = true
      await file.close().catch(() => {})
      await unlink(join(place, `${id}.part`)).catch(ignoreMissing)
    }
  }
}

async function* segments(path: string, id: string, blobKey: Buffer): AsyncIterable<Uint8Array> {
  const file = await open(path, 'r')
  try {
    const whole = segmentSize + tagSize
    const { size } = await file.stat()
    const head = Buffer.alloc(headSize)
    if ((await fill(file, head, 0)) < headSize || head[0] !== format) throw new BlobBroken(id)
    const key = keyOf(blobKey, head.subarray(1))
    const count = Math.max(1, Math.ceil((size - headSize) / whole))
    let filled = 0
    const batch = Buffer.allocUnsafeSlow(Math.min(segmentsRead, count) * whole)
    for (let number = 0; number < count; number++) {
      const place = number % segmentsRead
      if (place === 0) filled = await fill(file, batch, headSize + number * whole)
      const sealed = batch.subarray(place * whole, Math.min((place + 1) * whole, filled))
      if (sealed.length < tagSize) throw new BlobBroken(id)
      const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(number, number === count - 1), { authTagLength: tagSize })
      decipher.setAuthTag(sealed.subarray(-tagSize))
      let plain: Buffer
      try {
        plain = decipher.update(sealed.subarray(0, -tagSize))
        // Verifies the segment; nothing is given out before.
        decipher.final()
      } catch {
        throw new BlobBroken(id)
      }
      if (plain.length > 0) yield plain
    }
  } finally {
    await file.close()
  }
}

/** Reads until the buffer is full or the file ends. @returns how many bytes */
async function fill(file: FileHandle, buffer: Buffer, from: number): Promise<number> {
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, from + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}

const keyOf = (blobKey: Buffer, salt: Uint8Array): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', blobKey, salt, 'segments', 32)))

function encryptSegment(key: KeyObject, number: number, last: boolean, plain: Buffer): Buffer[] {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(number, last), { authTagLength: tagSize })
  return [cipher.update(plain), cipher.final(), cipher.getAuthTag()]
}

function nonceOf(number: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUInt8(last ? 1 : 0, 0)
  nonce.writeUIntBE(number, 6, 6)
  return nonce
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

const isThere = async (path: string): Promise<boolean> => (await stat(path).catch(ignoreMissing)) !== undefined

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

function refuseStorage(error: unknown): never {
  throw storageRefusal(error)
}
