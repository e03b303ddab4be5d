import type { Adapter } from '../../adapters/contract/index.ts'
import type { Ctx, TxCtx } from '../context.ts'
import { withTx } from '../db/tx.ts'
import { newId } from '../ids.ts'
import { journal } from '../journal/append.ts'
import type { Blobs } from '../storage/blobs.ts'
import {
  abandonArrivals,
  closedArrivals,
  type Delivery,
  endArrival,
  findInbox,
  freeName,
  insertDelivery,
  latestOf,
  loadOf,
  lockConnection,
  noteArrival,
  noteProgress,
  renameArrival,
  setFileTime,
  takeOver
} from './deliveries-store.ts'
import { refuseExchange } from './errors.ts'
import { doneNameOf, isTemporaryName, matchesGlob } from './file-names.ts'
import { openRaw, type RawWriter, rawWriter, removeRaw } from './raw.ts'
import type { AdapterRegistry } from './registry.ts'

export interface ArrivalOptions {
  readonly blobs: Blobs
  readonly adapters: AdapterRegistry
  /** Seconds without a write after a clean close before a file counts as whole. */
  readonly stabilitySeconds: number
  readonly maxFileBytes: number
  /** Files of a connection that may wait at once, and their bytes. */
  readonly maxWaitingFiles: number
  readonly maxWaitingBytes: number
  /** Told after a clean close that has to be looked at again when the file stayed quiet. */
  readonly later?: (ctx: Ctx, connectionId: string) => void
}

/** One file on its way in. */
export interface Upload {
  size(): number
  append(ctx: Ctx, data: Buffer): Promise<void>
  /** Answers only when the bytes are on the disk and the row says so. */
  close(ctx: Ctx, modified: Date | undefined): Promise<void>
  /** Keeps what came as an incomplete file. */
  drop(): Promise<void>
}

export interface Uploads {
  /** A file of the inbox that nobody has taken over yet. */
  find(ctx: Ctx, connectionId: string, name: string): Promise<Delivery | undefined>
  open(ctx: Ctx, connectionId: string, name: string): Promise<Upload>
  /** Goes on at the end of what is there. */
  resume(ctx: Ctx, connectionId: string, name: string): Promise<Upload>
  rename(ctx: Ctx, connectionId: string, from: string, to: string): Promise<'renamed' | 'missing' | 'exists' | 'open'>
  withdraw(ctx: Ctx, connectionId: string, name: string): Promise<boolean>
}

const progressSeconds = 30
/** Longer than any session may be idle: nobody writes to such an upload any more. */
const abandonedSeconds = 900

/** The way in for files: rows in exchange.delivery, bytes in encrypted blobs that are only ever appended to. */
export function uploadsOf(options: ArrivalOptions): Uploads {
  const { blobs } = options

  /** An arriving row is there from the first moment, so that people see what is coming and a lost process leaves a trace. */
  async function begin(ctx: Ctx, connectionId: string, name: string, writer: RawWriter): Promise<Upload> {
    const id = newId()
    const { freed, adapter } = await withTx(ctx, async tx => {
      const adapter = await lockConnection(tx, connectionId)
      if (adapter === undefined) throw refuseExchange('connection_unknown', 'This connection is gone.')
      const at = tx.clock.iso()
      const gone = await freeName(tx, connectionId, name, at, 'A later upload under the same name took its place.')
      await insertDelivery(tx, {
        id,
        connection_id: connectionId,
        way: 'sftp',
        name,
        inbox_name: name,
        state: 'arriving',
        blob_id: writer.id,
        received_at: at
      })
      return { freed: gone, adapter }
    }).catch(async error => {
      await writer.abort()
      throw error
    })
    await removeRaw(ctx, blobs, freed)
    return uploadTo(ctx, connectionId, id, writer, doneTemplates(options.adapters.get(adapter)).length > 0)
  }

  function uploadTo(opened: Ctx, connectionId: string, id: string, writer: RawWriter, signalled: boolean): Upload {
    let failure: string | undefined
    let ended = false
    let notedAt = opened.clock.now().getTime()
    return {
      size: () => writer.size,
      async append(ctx, data) {
        if (failure === undefined && writer.size + data.length > options.maxFileBytes) {
          failure = `The file is larger than ${options.maxFileBytes} bytes.`
        }
        if (failure !== undefined) throw refuseExchange('delivery_too_large', failure)
        await writer.append(data)
        const now = ctx.clock.now().getTime()
        if (now - notedAt < progressSeconds * 1000) return
        notedAt = now
        await noteProgress(ctx, id, writer.size, ctx.clock.iso())
      },
      async close(ctx, modified) {
        ended = true
        const { size, sha256 } = await writer.finish()
        const kept = await withTx(ctx, async tx => {
          if (failure === undefined) tx.tx.due.add('import')
          return endArrival(tx, id, {
            state: failure === undefined ? 'arriving' : 'incomplete',
            size,
            sha256,
            at: tx.clock.iso(),
            closed: failure === undefined,
            reason: failure ?? null
          })
        })
        if (!kept) {
          await removeRaw(ctx, blobs, [writer.id])
          throw refuseExchange('upload_replaced', 'The file was removed, or a later upload under the same name took its place.')
        }
        if (failure !== undefined) throw refuseExchange('delivery_too_large', failure)
        if (modified) await setFileTime(ctx, id, modified.toISOString())
        // A done file, or the file it was waiting for, settles both at once.
        if (signalled) await settleArrivals(ctx, options, connectionId)
        options.later?.(ctx, connectionId)
      },
      async drop() {
        if (ended) return
        ended = true
        const { size, sha256 } = await writer.finish()
        const reason = failure ?? 'The connection ended before the file was closed.'
        const kept = await endArrival(opened, id, { state: 'incomplete', size, sha256, at: opened.clock.iso(), closed: false, reason })
        if (!kept) await removeRaw(opened, blobs, [writer.id])
      }
    }
  }

  async function room(ctx: Ctx, connectionId: string): Promise<void> {
    const load = await loadOf(ctx, connectionId)
    if (load.files >= options.maxWaitingFiles || load.bytes >= options.maxWaitingBytes) {
      throw refuseExchange(
        'inbox_full',
        `${load.files} files (${load.bytes} bytes) wait already; no more are taken until some have been processed.`,
        {
          retryAfterSeconds: 60
        }
      )
    }
  }

  const find: Uploads['find'] = async (ctx, connectionId, name) => {
    const delivery = await findInbox(ctx, connectionId, name, '9999-01-01T00:00:00Z')
    return delivery?.state === 'arriving' || delivery?.state === 'incomplete' ? delivery : undefined
  }

  return {
    find,
    async open(ctx, connectionId, name) {
      await room(ctx, connectionId)
      return begin(ctx, connectionId, name, await rawWriter(ctx, blobs))
    },
    async resume(ctx, connectionId, name) {
      await room(ctx, connectionId)
      const before = await find(ctx, connectionId, name)
      if (!before?.blob_id || before.sha256 === null)
        throw refuseExchange('upload_being_written', 'The file is still being written by another session.')
      // What is sealed to its end cannot grow, so its bytes are written anew in front.
      const writer = await rawWriter(ctx, blobs)
      try {
        for await (const chunk of openRaw(ctx, blobs, before.blob_id)) await writer.append(chunk)
      } catch (error) {
        await writer.abort()
        throw error
      }
      return begin(ctx, connectionId, name, writer)
    },
    async rename(ctx, connectionId, from, to) {
      if (from === to) return (await find(ctx, connectionId, from)) ? 'renamed' : 'missing'
      const answer = await withTx(ctx, async tx => {
        const adapter = await lockConnection(tx, connectionId)
        const source = await findInbox(tx, connectionId, from, '9999-01-01T00:00:00Z')
        if (!source || (source.state !== 'arriving' && source.state !== 'incomplete')) return 'missing'
        if (source.state === 'arriving' && source.closed_at === null) return 'open'
        const target = await findInbox(tx, connectionId, to, '9999-01-01T00:00:00Z')
        if (target?.state === 'arriving' || target?.state === 'incomplete') return 'exists'
        const at = tx.clock.iso()
        await freeName(tx, connectionId, to, at, '')
        await renameArrival(tx, source.id, to, at)
        const whole = source.state === 'arriving' && isTemporaryName(from) && !isTemporaryName(to)
        if (whole && doneTemplateOf(options.adapters.get(adapter ?? ''), to) === undefined) await accept(tx, { ...source, name: to })
        else if (source.state === 'arriving') tx.tx.due.add('import')
        return 'renamed'
      })
      if (answer === 'renamed') {
        await settleArrivals(ctx, options, connectionId)
        options.later?.(ctx, connectionId)
      }
      return answer
    },
    async withdraw(ctx, connectionId, name) {
      if (!(await find(ctx, connectionId, name))) return false
      const gone = await withTx(ctx, async tx => {
        await lockConnection(tx, connectionId)
        return freeName(tx, connectionId, name, tx.clock.iso(), 'The sender removed the file before it was taken over.')
      })
      await removeRaw(ctx, blobs, gone)
      return gone.length > 0
    }
  }
}

/**
 * Takes a whole file over: stored for processing, or recognised as a repetition of the newest delivery of its name (A, B, A under one
 * name is three deliveries: a rule "seen this content before" would drop the third, which is the true state).
 */
async function accept(tx: TxCtx, delivery: Delivery): Promise<void> {
  const at = tx.clock.iso()
  const latest = await latestOf(tx, delivery.connection_id, delivery.way, delivery.name)
  const same = latest !== undefined && latest.sha256 === delivery.sha256 && latest.size === delivery.size
  const taken = await takeOver(tx, delivery.id, {
    state: same ? 'duplicate' : 'stored',
    at,
    reasonCode: same ? 'same_as_latest' : null,
    reason: same ? `Same content as delivery ${latest.seq}, the newest of this name; not processed again.` : null
  })
  if (!taken) return
  await noteArrival(tx, delivery.connection_id, at)
  await journal.append(tx, {
    act: 'delivery.receive',
    subject: 'exchange.delivery',
    subjectId: delivery.id,
    data: { way: delivery.way, duplicate: same }
  })
  if (!same) tx.tx.due.add('import')
}

/** The done file that an adapter wants beside files of this name. */
function doneTemplateOf(adapter: Adapter | undefined, name: string): string | undefined {
  for (const capability of Object.values(adapter?.manifest.imports ?? {})) {
    const files = capability?.files
    if (files?.done !== undefined && matchesGlob(files.pattern, name)) return files.done
  }
  return undefined
}

const doneTemplates = (adapter: Adapter | undefined): readonly string[] =>
  Object.values(adapter?.manifest.imports ?? {}).flatMap(capability =>
    capability?.files?.done === undefined ? [] : [capability.files.done]
  )

/** Whether a name is that of a done file: a signal, never a delivery to process. */
const isDoneFile = (adapter: Adapter | undefined, name: string): boolean =>
  doneTemplates(adapter).some(
    template => matchesGlob(template.replaceAll(/\{(name|stem)\}/g, '*'), name) && !/^\{(name|stem)\}$/.test(template)
  )

/**
 * Turns files that are whole into stored deliveries: by their done file, or closed cleanly and quiet long enough. (A rename from a
 * temporary name is seen when it happens.) The worker calls it for a whole tenant, the SFTP server for one connection. Idempotent.
 * @returns how many were taken over, and whether time alone will bring more
 */
export async function settleArrivals(
  ctx: Ctx,
  options: Pick<ArrivalOptions, 'adapters' | 'stabilitySeconds' | 'blobs'>,
  connectionId?: string
): Promise<{ readonly settled: number; readonly more: boolean }> {
  const now = ctx.clock.now().getTime()
  if (connectionId === undefined) {
    const quietSince = new Date(now - abandonedSeconds * 1000).toISOString()
    await removeRaw(ctx, options.blobs, await withTx(ctx, tx => abandonArrivals(tx, quietSince, tx.clock.iso())))
  }
  const closed = (await closedArrivals(ctx, connectionId)).filter(delivery => !isTemporaryName(delivery.name))
  let settled = 0
  let more = false
  for (const delivery of closed) {
    const adapter = options.adapters.get(delivery.adapter)
    if (isDoneFile(adapter, delivery.name)) continue
    const template = doneTemplateOf(adapter, delivery.name)
    const doneName = template === undefined ? undefined : doneNameOf(template, delivery.name).normalize('NFC').toLowerCase()
    const signal = closed.find(other => other.connection_id === delivery.connection_id && other.name.toLowerCase() === doneName)
    const quiet = Date.parse(delivery.closed_at ?? '') <= now - options.stabilitySeconds * 1000
    if (template === undefined ? !quiet : !signal) {
      if (template === undefined) more = true
      continue
    }
    await withTx(ctx, async tx => {
      await lockConnection(tx, delivery.connection_id)
      await accept(tx, delivery)
      if (signal)
        await takeOver(tx, signal.id, {
          state: 'done',
          at: tx.clock.iso(),
          reasonCode: 'done_file',
          reason: `Done file of delivery ${delivery.seq}.`
        })
    })
    settled++
  }
  return { settled, more }
}

/** Stores something that came whole (a pull): bytes first, then the row. @returns the delivery as stored */
export async function storeDelivery(
  ctx: Ctx,
  options: Pick<ArrivalOptions, 'blobs' | 'maxFileBytes'>,
  given: { connectionId: string; way: 'http' | 'pull' | 'sftp'; name: string; body: Buffer | AsyncIterable<Uint8Array> }
): Promise<Delivery> {
  const raw = await writeRaw(ctx, options, given.body)
  try {
    return (await withTx(ctx, tx => recordDelivery(tx, { ...given, ...raw }))).delivery
  } catch (error) {
    await removeRaw(ctx, options.blobs, [raw.blobId])
    throw error
  }
}

export interface Raw {
  readonly blobId: string
  readonly size: number
  readonly sha256: string
}

/** Bytes to an encrypted blob, on the disk when it returns. Without a row soon after, they are swept a day later. */
export async function writeRaw(
  ctx: Ctx,
  options: Pick<ArrivalOptions, 'blobs' | 'maxFileBytes'>,
  body: Buffer | AsyncIterable<Uint8Array>
): Promise<Raw> {
  const writer = await rawWriter(ctx, options.blobs)
  try {
    for await (const chunk of Buffer.isBuffer(body) ? [body] : body) {
      if (writer.size + chunk.length > options.maxFileBytes) {
        throw refuseExchange('delivery_too_large', `The body is larger than ${options.maxFileBytes} bytes.`)
      }
      await writer.append(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    }
    const { size, sha256 } = await writer.finish()
    return { blobId: writer.id, size, sha256 }
  } catch (error) {
    await writer.abort()
    throw error
  }
}

/** The row of something that came whole; `duplicate` when it equals the newest delivery of its name. */
export async function recordDelivery(
  tx: TxCtx,
  given: Raw & { connectionId: string; way: 'http' | 'pull' | 'sftp'; name: string }
): Promise<{ readonly delivery: Delivery; readonly sameAs: Delivery | undefined }> {
  if ((await lockConnection(tx, given.connectionId)) === undefined)
    throw refuseExchange('connection_unknown', 'There is no such connection.')
  const at = tx.clock.iso()
  const latest = await latestOf(tx, given.connectionId, given.way, given.name)
  const same = latest !== undefined && latest.sha256 === given.sha256 && Number(latest.size) === given.size
  const delivery = await insertDelivery(tx, {
    id: newId(),
    connection_id: given.connectionId,
    way: given.way,
    name: given.name,
    size: given.size,
    sha256: given.sha256,
    blob_id: given.blobId,
    state: same ? 'duplicate' : 'stored',
    received_at: at,
    stored_at: at,
    ...(same
      ? { finished_at: at, reason_code: 'same_as_latest', reason: `Same content as delivery ${latest.seq}; not processed again.` }
      : {})
  })
  await noteArrival(tx, given.connectionId, at)
  await journal.append(tx, {
    act: 'delivery.receive',
    subject: 'exchange.delivery',
    subjectId: delivery.id,
    data: { way: given.way, duplicate: same }
  })
  if (!same) tx.tx.due.add('import')
  return { delivery, sameAs: same ? latest : undefined }
}
