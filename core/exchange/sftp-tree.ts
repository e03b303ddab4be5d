import type { Ctx } from '../context.ts'
import { archiveDays, archiveFiles, findFinished, rejectedFiles } from './archive-store.ts'
import type { Delivery } from './deliveries-store.ts'
import { errorsCsv } from './delivery-errors.ts'
import { openRejectCount } from './delivery-rejects-store.ts'
import { checkName } from './file-names.ts'
import { findInbox, listInbox } from './inbox-store.ts'
import { findOutboxFile, listOutboxFiles, noteFetched, readOutboxFile } from './outbox-files-store.ts'

/**
 * The tree an ERP sees over SFTP. There is no folder behind it: every name is looked up as a row of its own connection, so no path,
 * however made, can lead anywhere else.
 */
export type Place =
  | { readonly at: 'root' }
  | { readonly at: 'folder'; readonly folder: Folder }
  | { readonly at: 'day'; readonly day: string }
  | { readonly at: 'file'; readonly folder: Folder; readonly day?: string; readonly name: string }
  | { readonly at: 'nowhere'; readonly problem: string }

export const folders = ['inbox', 'outbox', 'archive', 'rejected'] as const
export type Folder = (typeof folders)[number]
const isFolder = (name: string): name is Folder => (folders as readonly string[]).includes(name)

export interface Entry {
  readonly name: string
  readonly kind: 'file' | 'folder'
  readonly size: number
  readonly modified: Date
}

/** Something that can be read from any offset. */
export interface Source {
  readonly size: number
  /** At most `length` bytes; empty at the end. */
  read(offset: number, length: number): Promise<Buffer>
  /** Told when the client has received the last byte. */
  wholeRead(): Promise<void>
  close(): Promise<void>
}

/** How long a file that was taken over still answers under its inbox name: rclone looks at it again after closing it (tried). */
export const takenSeconds = 600
export const archiveDaysShown = 30
const mostEntries = 10_000

/** Resolves `.` and `..` by name only, inside the tree. */
export function placeOf(path: string): Place {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') parts.pop()
    else parts.push(part)
  }
  const [first, second, third, ...more] = parts
  if (first === undefined) return { at: 'root' }
  if (!isFolder(first)) return nowhere
  if (second === undefined) return { at: 'folder', folder: first }
  const day = first === 'archive' ? second : undefined
  if (day !== undefined && !/^\d{4}-\d{2}-\d{2}$/.test(day)) return nowhere
  if (day !== undefined && third === undefined) return { at: 'day', day }
  const last = day === undefined ? second : (third ?? '')
  if (day === undefined ? third !== undefined : more.length > 0) return nowhere
  const checked = checkName(last)
  if ('problem' in checked) return { at: 'nowhere', problem: checked.problem }
  return { at: 'file', folder: first, name: checked.name, ...(day === undefined ? {} : { day }) }
}
const nowhere: Place = { at: 'nowhere', problem: 'there are only inbox/, outbox/, archive/<date>/ and rejected/' }

/** The absolute path of a place, as REALPATH answers it. */
export function pathOf(place: Place): string | undefined {
  switch (place.at) {
    case 'root':
      return '/'
    case 'folder':
      return `/${place.folder}`
    case 'day':
      return `/archive/${place.day}`
    case 'file':
      return place.day === undefined ? `/${place.folder}/${place.name}` : `/archive/${place.day}/${place.name}`
    case 'nowhere':
      return undefined
  }
}

export interface Tree {
  find(ctx: Ctx, place: Place): Promise<Entry | undefined>
  list(ctx: Ctx, place: Place): Promise<readonly Entry[] | undefined>
  open(ctx: Ctx, place: Place): Promise<Source | undefined>
}

/** The tree of one connection. `readBlob` gives random access to the raw bytes of a delivery. */
export function treeOf(connectionId: string, readBlob: (ctx: Ctx, delivery: Delivery) => Promise<Source>): Tree {
  const since = (ctx: Ctx, seconds: number): string => new Date(ctx.clock.now().getTime() - seconds * 1000).toISOString()
  const shownSince = (ctx: Ctx): string => since(ctx, archiveDaysShown * 86_400)
  const folder = (ctx: Ctx, name: string): Entry => ({ name, kind: 'folder', size: 0, modified: ctx.clock.now() })

  async function finishedOf(ctx: Ctx, place: Place & { at: 'file' }): Promise<{ delivery: Delivery; errors: boolean } | undefined> {
    const errors = place.folder === 'rejected' && place.name.endsWith(errorsSuffix)
    const plain = errors ? place.name.slice(0, -errorsSuffix.length) : place.name
    const numbered = /^(\d{1,18})-(.+)$/s.exec(plain)
    const byNumber = numbered?.[1] !== undefined && numbered[2] !== undefined ? { seq: numbered[1], name: numbered[2] } : undefined
    const delivery =
      (byNumber && (await findFinished(ctx, connectionId, byNumber, shownSince(ctx)))) ??
      (await findFinished(ctx, connectionId, { name: plain }, shownSince(ctx)))
    if (!delivery) return undefined
    const refused = delivery.state === 'rejected' || delivery.state === 'parked'
    if (place.folder === 'archive' ? refused : errors ? !(refused || delivery.state === 'done_with_rejects') : !refused) return undefined
    return errors || delivery.blob_id !== null ? { delivery, errors } : undefined
  }

  async function errorsEntry(ctx: Ctx, delivery: Delivery): Promise<Entry> {
    return { ...fileEntry(delivery, `${delivery.seq}-${delivery.name}${errorsSuffix}`), size: (await errorsCsv(ctx, delivery)).length }
  }

  return {
    async find(ctx, place) {
      if (place.at === 'root') return folder(ctx, '/')
      if (place.at === 'folder') return folder(ctx, place.folder)
      if (place.at === 'day')
        return (await archiveDays(ctx, connectionId, shownSince(ctx))).includes(place.day) ? folder(ctx, place.day) : undefined
      if (place.at === 'nowhere') return undefined
      if (place.folder === 'inbox') {
        const delivery = await findInbox(ctx, connectionId, place.name, since(ctx, takenSeconds))
        return delivery && fileEntry(delivery, place.name)
      }
      if (place.folder === 'outbox') {
        const file = await findOutboxFile(ctx, connectionId, place.name)
        return file && { name: file.name, kind: 'file', size: Number(file.size), modified: new Date(file.created_at) }
      }
      const found = await finishedOf(ctx, place)
      if (!found) return undefined
      return found.errors ? errorsEntry(ctx, found.delivery) : fileEntry(found.delivery, place.name)
    },

    async list(ctx, place) {
      if (place.at === 'root') return folders.map(name => folder(ctx, name))
      if (place.at === 'day') {
        const files = await archiveFiles(ctx, connectionId, place.day, shownSince(ctx), mostEntries)
        return files.map(delivery => fileEntry(delivery, `${delivery.seq}-${delivery.name}`))
      }
      if (place.at !== 'folder') return undefined
      if (place.folder === 'inbox') {
        return (await listInbox(ctx, connectionId, mostEntries)).map(delivery => fileEntry(delivery, delivery.inbox_name ?? delivery.name))
      }
      if (place.folder === 'outbox') {
        const files = await listOutboxFiles(ctx, connectionId, '0', mostEntries)
        return files.map(file => ({ name: file.name, kind: 'file', size: Number(file.size), modified: new Date(file.created_at) }))
      }
      if (place.folder === 'archive') return (await archiveDays(ctx, connectionId, shownSince(ctx))).map(day => folder(ctx, day))
      const entries: Entry[] = []
      for (const delivery of await rejectedFiles(ctx, connectionId, shownSince(ctx), mostEntries / 2)) {
        const refused = delivery.state !== 'done_with_rejects'
        if (refused && delivery.blob_id !== null) entries.push(fileEntry(delivery, `${delivery.seq}-${delivery.name}`))
        if (refused || (await openRejectCount(ctx, delivery.id)) > 0) entries.push(await errorsEntry(ctx, delivery))
      }
      return entries
    },

    async open(ctx, place) {
      if (place.at !== 'file') return undefined
      if (place.folder === 'outbox') {
        if (!(await findOutboxFile(ctx, connectionId, place.name))) return undefined
        return bufferSource(await readOutboxFile(ctx, connectionId, place.name), () => noteFetched(ctx, connectionId, place.name))
      }
      if (place.folder === 'inbox') {
        const delivery = await findInbox(ctx, connectionId, place.name, since(ctx, takenSeconds))
        // What is still being written cannot be read: its bytes are not sealed to the end.
        if (!delivery?.blob_id || delivery.sha256 === null) return undefined
        return readBlob(ctx, delivery)
      }
      const found = await finishedOf(ctx, place)
      if (!found) return undefined
      return found.errors ? bufferSource(await errorsCsv(ctx, found.delivery), async () => {}) : readBlob(ctx, found.delivery)
    }
  }
}

const errorsSuffix = '.errors.csv'

const fileEntry = (delivery: Delivery, name: string): Entry => ({
  name,
  kind: 'file',
  size: Number(delivery.size),
  modified: new Date(delivery.modified_at ?? delivery.closed_at ?? delivery.received_at)
})

function bufferSource(body: Buffer, wholeRead: () => Promise<void>): Source {
  return {
    size: body.length,
    read: async (offset, length) => body.subarray(offset, offset + length),
    wholeRead,
    close: async () => {}
  }
}
