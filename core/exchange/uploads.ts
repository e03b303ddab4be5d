import type { Ctx } from '../context.ts'
import { withTx } from '../db/tx.ts'
import type { Refusal } from '../errors.ts'
import { newId } from '../ids.ts'
import { type ArrivalOptions, accept, doneTemplateOf, doneTemplates, settleArrivals } from './arrivals.ts'
import { type Delivery, insertDelivery, lockConnection } from './deliveries-store.ts'
import { refuseExchange } from './errors.ts'
import { isTemporaryName } from './file-names.ts'
import { type Growing, inboxRoom } from './inbox-room.ts'
import { endArrival, findInbox, freeName, noteProgress, renameArrival, unwaited } from './inbox-store.ts'
import { openRaw, type RawWriter, rawWriter, removeRaw } from './raw.ts'

/** One file on its way in. */
export interface Upload {
  size(): number
  append(ctx: Ctx, data: Buffer): Promise<void>
  /** A part of it was refused or lost: whatever follows, it is not the file that its sender has. */
  spoil(): void
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

/** The way in for files: rows in exchange.delivery, bytes in encrypted blobs that are only ever appended to. */
export function uploadsOf(options: ArrivalOptions): Uploads {
  const { blobs } = options
  const room = inboxRoom(options)

  /** An arriving row is there from the first moment, so that people see what is coming and a lost process leaves a trace. */
  async function begin(ctx: Ctx, connectionId: string, name: string, writer: RawWriter, waiting: number): Promise<Upload> {
    const id = newId()
    const { freed, adapter } = await withTx(ctx, async tx => {
      const adapter = await lockConnection(tx, connectionId)
      if (adapter === undefined) throw refuseExchange('connection_unknown', 'This connection is gone.')
      const at = tx.clock.iso()
      const gone = await freeName(tx, connectionId, name, at, 'A later upload under the same name took its place.')
      // Blobs are removed after it: then it must last.
      if (gone.length === 0) unwaited(tx)
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
    const growing: Growing = { connectionId, size: () => writer.size, noted: 0 }
    room.begin(growing, waiting)
    return uploadTo(ctx, id, writer, growing, doneTemplates(options.adapters.get(adapter)).length > 0)
  }

  function uploadTo(opened: Ctx, id: string, writer: RawWriter, growing: Growing, signalled: boolean): Upload {
    const { connectionId } = growing
    let failure: Refusal | undefined
    let spoilt = false
    let ended = false
    const lacking = (): string | undefined =>
      failure?.detail ?? (spoilt ? 'A part of the file was refused while it came, so it is not whole.' : undefined)
    let notedAt = opened.clock.now().getTime()
    return {
      size: () => writer.size,
      async append(ctx, data) {
        if (failure === undefined && writer.size + data.length > options.maxFileBytes)
          failure = refuseExchange('delivery_too_large', `The file is larger than ${options.maxFileBytes} bytes.`)
        failure ??= await room.full(ctx, growing, data.length)
        if (failure !== undefined) throw failure
        await writer.append(data)
        const now = ctx.clock.now().getTime()
        if (now - notedAt < progressSeconds * 1000) return
        notedAt = now
        const size = writer.size
        await noteProgress(ctx, id, size, ctx.clock.iso())
        growing.noted = size
      },
      spoil() {
        spoilt = true
      },
      async close(ctx, modified) {
        ended = true
        const reason = lacking()
        const whole = reason === undefined
        room.end(growing)
        const { size, sha256 } = await writer.finish()
        const kept = await withTx(ctx, async tx => {
          if (whole) tx.tx.due.add('import')
          return endArrival(tx, id, {
            state: whole ? 'arriving' : 'incomplete',
            size,
            sha256,
            at: tx.clock.iso(),
            closed: whole,
            reason: reason ?? null,
            modifiedAt: modified?.toISOString() ?? null
          })
        })
        if (!kept) {
          await removeRaw(ctx, blobs, [writer.id])
          throw refuseExchange('upload_replaced', 'The file was removed, or a later upload under the same name took its place.')
        }
        if (failure !== undefined) throw failure
        if (reason !== undefined) throw refuseExchange('sftp_gap', `${reason} Send it again.`)
        // A done file, or the file it was waiting for, settles both at once.
        if (signalled) await settleArrivals(ctx, options, connectionId)
        options.later?.(ctx, connectionId)
      },
      async drop() {
        if (ended) return
        ended = true
        room.end(growing)
        const { size, sha256 } = await writer.finish()
        const reason = lacking() ?? 'The connection ended before the file was closed.'
        const end = { state: 'incomplete', size, sha256, at: opened.clock.iso(), closed: false, reason, modifiedAt: null } as const
        const kept = await endArrival(opened, id, end)
        if (!kept) await removeRaw(opened, blobs, [writer.id])
      }
    }
  }

  const find: Uploads['find'] = async (ctx, connectionId, name) => {
    const delivery = await findInbox(ctx, connectionId, name, '9999-01-01T00:00:00Z')
    return delivery?.state === 'arriving' || delivery?.state === 'incomplete' ? delivery : undefined
  }

  return {
    find,
    async open(ctx, connectionId, name) {
      const waiting = await room.check(ctx, connectionId)
      return begin(ctx, connectionId, name, await rawWriter(ctx, blobs), waiting)
    },
    async resume(ctx, connectionId, name) {
      const waiting = await room.check(ctx, connectionId)
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
      return begin(ctx, connectionId, name, writer, waiting)
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
