import type { Adapter } from '../../adapters/contract/index.ts'
import type { Ctx, TxCtx } from '../context.ts'
import { withTx } from '../db/tx.ts'
import { journal } from '../journal/append.ts'
import type { Blobs } from '../storage/blobs.ts'
import { type Delivery, latestOf, lockConnection, noteArrival } from './deliveries-store.ts'
import { doneNameOf, isTemporaryName, matchesGlob } from './file-names.ts'
import { abandonArrivals, closedArrivals, takeOver } from './inbox-store.ts'
import { removeRaw } from './raw.ts'
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

/** Longer than any session may be idle: nobody writes to such an upload any more. */
const abandonedSeconds = 900

/**
 * Takes a whole file over: stored for processing, or recognised as a repetition of the newest delivery of its name (A, B, A under one
 * name is three deliveries: a rule "seen this content before" would drop the third, which is the true state).
 */
export async function accept(tx: TxCtx, delivery: Delivery): Promise<void> {
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
export function doneTemplateOf(adapter: Adapter | undefined, name: string): string | undefined {
  for (const capability of Object.values(adapter?.manifest.imports ?? {})) {
    const files = capability?.files
    if (files?.done !== undefined && matchesGlob(files.pattern, name)) return files.done
  }
  return undefined
}

export const doneTemplates = (adapter: Adapter | undefined): readonly string[] =>
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
  // By name, not by looking through all for each: an inbox may hold ten thousand.
  const byName = new Map(closed.map(delivery => [`${delivery.connection_id} ${delivery.name.toLowerCase()}`, delivery]))
  let settled = 0
  let more = false
  for (const delivery of closed) {
    const adapter = options.adapters.get(delivery.adapter)
    if (isDoneFile(adapter, delivery.name)) continue
    const template = doneTemplateOf(adapter, delivery.name)
    const doneName = template === undefined ? undefined : doneNameOf(template, delivery.name).normalize('NFC').toLowerCase()
    const signal = doneName === undefined ? undefined : byName.get(`${delivery.connection_id} ${doneName}`)
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
