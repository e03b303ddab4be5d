import type { Ctx } from '../context.ts'
import { withTx } from '../db/tx.ts'
import type { Refusal } from '../errors.ts'
import { journal } from '../journal/append.ts'
import type { ArrivalOptions } from './arrivals.ts'
import { refuseExchange } from './errors.ts'
import { loadOf } from './inbox-store.ts'

/** An upload of this process that is being written. `noted` is the size that its row knows by now. */
export interface Growing {
  readonly connectionId: string
  size(): number
  noted: number
}

export interface InboxRoom {
  /** Refuses `inbox_full` when nothing more may begin. @returns the bytes that wait */
  check(ctx: Ctx, connectionId: string): Promise<number>
  begin(upload: Growing, waiting: number): void
  /** The refusal when an upload may not grow by so much. */
  full(ctx: Ctx, upload: Growing, bytes: number): Promise<Refusal | undefined>
  end(upload: Growing): void
}

/** The largest file that is taken at all fits beside another one: otherwise it would be refused as one too many, however often it came. */
export const mostWaitingBytes = (maxFileBytes: number): number => Math.max(4 * 2 ** 30, 2 * maxFileBytes)

type Limits = Pick<ArrivalOptions, 'maxWaitingFiles' | 'maxWaitingBytes'>

/** How often a full inbox is written down per connection: once tells somebody, a thousand times fills the journal. */
const quietMs = 3_600_000
const mostNoted = 10_000

/**
 * How much of a connection may wait. Rows learn the size of an upload only now and then, so what this process is writing is counted
 * here: many uploads that began while there was room must not fill the disk together.
 */
export function inboxRoom(limits: Limits): InboxRoom {
  /** Bytes of the rows that are not open here, as of the last look, and what is open here. */
  const known = new Map<string, { others: number; readonly open: Set<Growing> }>()
  const noted = new Map<string, number>()

  async function look(ctx: Ctx, connectionId: string): Promise<{ files: number; bytes: number }> {
    const load = await loadOf(ctx, connectionId)
    const entry = known.get(connectionId)
    if (entry) entry.others = load.bytes - sum(entry.open, upload => upload.noted)
    return { files: load.files, bytes: entry ? bytesOf(entry) : load.bytes }
  }

  async function refusal(ctx: Ctx, connectionId: string, load: { files: number; bytes: number }): Promise<Refusal> {
    const now = ctx.clock.now().getTime()
    const last = noted.get(connectionId)
    if (last === undefined || Math.abs(now - last) > quietMs) {
      if (noted.size >= mostNoted) noted.clear()
      noted.set(connectionId, now)
      ctx.log.warn({ op: 'inbox.full', connection: connectionId, ...load }, 'too much waits in the inbox of a connection')
      await withTx(ctx, tx =>
        journal.append(tx, { act: 'inbox.full', subject: 'exchange.connection', subjectId: connectionId, data: { ...load } })
      )
    }
    return refuseExchange(
      'inbox_full',
      `${load.files} files (${load.bytes} bytes) wait already; no more are taken until some have been processed.`,
      { retryAfterSeconds: 60 }
    )
  }

  return {
    async check(ctx, connectionId) {
      const load = await look(ctx, connectionId)
      if (load.files >= limits.maxWaitingFiles || load.bytes >= limits.maxWaitingBytes) throw await refusal(ctx, connectionId, load)
      return load.bytes
    },
    begin(upload, waiting) {
      const entry = known.get(upload.connectionId)
      if (entry) entry.open.add(upload)
      else known.set(upload.connectionId, { others: waiting, open: new Set([upload]) })
    },
    async full(ctx, upload, bytes) {
      const entry = known.get(upload.connectionId)
      if (!entry || bytesOf(entry) + bytes <= limits.maxWaitingBytes) return undefined
      // Some of it may have been processed since the last look.
      const load = await look(ctx, upload.connectionId)
      return load.bytes + bytes <= limits.maxWaitingBytes ? undefined : refusal(ctx, upload.connectionId, load)
    },
    end(upload) {
      const entry = known.get(upload.connectionId)
      if (!entry?.open.delete(upload)) return
      entry.others += upload.size()
      if (entry.open.size === 0) known.delete(upload.connectionId)
    }
  }
}

const sum = (open: ReadonlySet<Growing>, of: (upload: Growing) => number): number => [...open].reduce((all, one) => all + of(one), 0)
const bytesOf = (entry: { others: number; open: ReadonlySet<Growing> }): number => entry.others + sum(entry.open, upload => upload.size())
