import { randomBytes } from 'node:crypto'
import type { Ctx } from '../context.ts'
import { refuseExchange } from './errors.ts'
import type { Entry, Source } from './sftp-tree.ts'
import type { Upload, Uploads } from './uploads.ts'

/** Open handles of one channel, and how many of them may be uploads. */
const mostHandles = 64
const mostUploads = 16

export interface WriteHandle {
  readonly kind: 'write'
  size(): number
  /** The file's time as the client sets it before closing. */
  modified: Date | undefined
  write(ctx: Ctx, offset: number, data: Buffer): Promise<void>
  /** What was uploaded will not count as whole. */
  spoil(): void
  /** scp says the size after writing; a file may be emptied before the first write and not be cut or stretched otherwise. */
  resize(ctx: Ctx, size: number): Promise<void>
  close(ctx: Ctx): Promise<void>
  /** The connection ended before the file was closed. */
  drop(): Promise<void>
}

export type Handle =
  | WriteHandle
  | { readonly kind: 'read'; readonly source: Source; told: boolean }
  | { readonly kind: 'list'; readonly entries: readonly Entry[]; next: number }

export interface HandleTable {
  /** Refuses when the next handle would be one too many. */
  checkRoom(): void
  checkUploads(): void
  add(handle: Handle): Buffer
  get(buffer: Buffer): Handle | undefined
  /** A write got lost or was refused. */
  spoil(buffer: Buffer): void
  take(buffer: Buffer): Handle | undefined
  takeAll(): readonly Handle[]
}

/** Handles are eight random bytes; what a client sends is only ever looked up. */
export function handleTable(): HandleTable {
  const open = new Map<string, Handle>()
  return {
    checkRoom() {
      if (open.size >= mostHandles)
        throw refuseExchange('sftp_limit', `More than ${mostHandles} files or folders are open. Close some first.`)
    },
    checkUploads() {
      const uploads = [...open.values()].filter(handle => handle.kind === 'write').length
      if (uploads >= mostUploads) throw refuseExchange('sftp_limit', `More than ${mostUploads} uploads are open. Close some first.`)
    },
    add(handle) {
      const id = randomBytes(8)
      open.set(id.toString('hex'), handle)
      return id
    },
    get: buffer => open.get(buffer.toString('hex')),
    spoil(buffer) {
      const handle = open.get(buffer.toString('hex'))
      if (handle?.kind === 'write') handle.spoil()
    },
    take(buffer) {
      const key = buffer.toString('hex')
      const handle = open.get(key)
      open.delete(key)
      return handle
    },
    takeAll() {
      const all = [...open.values()]
      open.clear()
      return all
    }
  }
}

/**
 * Opens a file of the inbox for writing. Without truncation (scp, resume) what happens to the file that is there is decided by the
 * first write: at 0 it is replaced, at its end it is continued, anywhere else is a gap.
 */
export async function writeHandle(
  ctx: Ctx,
  uploads: Uploads,
  connectionId: string,
  name: string,
  flags: { truncate: boolean; create: boolean; exclusive: boolean; append: boolean }
): Promise<WriteHandle | 'missing' | 'exists'> {
  const there = await uploads.find(ctx, connectionId, name)
  if (!there && !flags.create) return 'missing'
  if (there && flags.exclusive) return 'exists'
  let upload: Upload | undefined = there && !flags.truncate ? undefined : await uploads.open(ctx, connectionId, name)
  const handle: WriteHandle = {
    kind: 'write',
    modified: undefined,
    size: () => upload?.size() ?? Number(there?.size ?? 0),
    async write(now, offset, data) {
      if (!upload) {
        const size = Number(there?.size ?? 0)
        if (flags.append || (offset === size && size > 0)) upload = await uploads.resume(now, connectionId, name)
        else if (offset === 0) upload = await uploads.open(now, connectionId, name)
        else throw gap(offset, size)
      }
      if (!flags.append && offset !== upload.size()) throw gap(offset, upload.size())
      await upload.append(now, data)
    },
    spoil() {
      upload?.spoil()
    },
    async resize(now, size) {
      if (size === handle.size()) return
      if (size !== 0 || upload) throw refuseExchange('sftp_gap', 'The size of an upload cannot be changed.')
      upload = await uploads.open(now, connectionId, name)
    },
    async close(now) {
      await upload?.close(now, handle.modified)
    },
    async drop() {
      await upload?.drop()
    }
  }
  return handle
}

const gap = (offset: number, size: number) =>
  refuseExchange('sftp_gap', `Files are written from the beginning to the end: the next byte is ${size}, not ${offset}.`)
