import { setTimeout as sleep } from 'node:timers/promises'
import type { Ctx } from '../context.ts'
import { withTx } from '../db/tx.ts'
import { type Lease, LeaseLost } from '../tasks/lease.ts'
import { applyToAll, type ExportDeps, type ExportRun } from './export-run.ts'
import { lookUp } from './lookup.ts'
import { routeHeld } from './outbox.ts'
import { type Pace, sendRound } from './round.ts'
import { openConnection } from './runtime.ts'
import { headGroups } from './seal.ts'
import { activeConnections, heldWithOwner, messagesIn, overdue, sendable, waitsForTime } from './sending-store.ts'

export type { ExportDeps } from './export-run.ts'

const mostAtOnce = 1_000
const mostConnections = 3
const defaultBatch = 50
/** What is under way when the house closes may still end: breaking it off would leave unknown what a moment later is known. */
const stopGraceMs = 8_000
/** How often unknown messages are looked for while others are sent. */
const lookEveryMs = 2_000

/**
 * Sends what is due for one tenant. Connections do not wait for each other; those of another worker are passed over.
 * @returns whether something is left that time alone will bring
 */
export async function exportDue(deps: ExportDeps, ctx: Ctx, stop: AbortSignal): Promise<{ readonly more: boolean }> {
  await routeNew(deps, ctx)
  const queue = await activeConnections(ctx)
  let more = false
  let failure: unknown
  const worker = async (): Promise<void> => {
    for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
      try {
        if (!stop.aborted) await one(deps, ctx, id, stop)
        more = more || stop.aborted || (await waitsForTime(ctx, id))
      } catch (error) {
        // One connection's trouble must not keep the others waiting.
        failure ??= error
        ctx.log.warn({ err: error, connection: id }, 'sending on a connection failed')
      }
    }
  }
  await Promise.all(Array.from({ length: mostConnections }, worker))
  if (failure !== undefined) throw failure
  return { more }
}

/** What was kept for want of a connection goes to the one that owns its kind by now. */
async function routeNew(deps: ExportDeps, ctx: Ctx): Promise<void> {
  for (const { kind, connectionId, adapter } of await heldWithOwner(ctx)) {
    if (deps.adapters.get(adapter)?.manifest.exports[kind] === undefined) continue
    await withTx(ctx, tx => routeHeld(tx, kind, connectionId))
  }
}

async function one(deps: ExportDeps, ctx: Ctx, connectionId: string, stop: AbortSignal): Promise<void> {
  await deps.withLease(ctx, `export:${connectionId}`, async held => {
    const late = lateSignal(stop, stopGraceMs)
    const lease: Lease = { ...held, signal: AbortSignal.any([held.signal, late.signal]) }
    try {
      await drain({ deps, ctx, runtime: await openConnection(ctx, deps.adapters, connectionId), lease, stop })
    } catch (error) {
      // A stop or a lost lease is no failure: what was stored stays, the rest is done by who comes next.
      if (!(error instanceof LeaseLost) && !lease.signal.aborted) throw error
    } finally {
      late.end()
    }
  })
}

async function drain(run: ExportRun): Promise<void> {
  await afterCrash(run)
  await lookUp(run)
  await alarmOverdue(run)
  await lookingMeanwhile(run, () => sendAll(run))
}

/**
 * Where the floor never rests, or the ERP is slow, sending has no end near at hand: what is unknown does not wait for it, nor does its order.
 * What an answer let through after the last look at what can be sent is sent in another turn.
 */
async function lookingMeanwhile(run: ExportRun, work: () => Promise<void>): Promise<void> {
  for (let looked = true; looked && !run.lease.signal.aborted && !run.stop.aborted; ) {
    looked = false
    const over = new AbortController()
    const looking = (async () => {
      for (;;) {
        await sleep(lookEveryMs, undefined, { signal: over.signal }).catch(() => undefined)
        if (over.signal.aborted) return
        if (await lookUp(run)) looked = true
      }
    })()
    // Told of when the work has ended.
    looking.catch(() => undefined)
    try {
      await work()
    } finally {
      over.abort()
      await looking
    }
  }
}

async function sendAll(run: ExportRun): Promise<void> {
  const { ctx, runtime, lease, stop } = run
  const pace: Pace = { perSecond: 0 }
  const perKey = runtime.manifest.limits?.maxBatch ?? defaultBatch
  let after = ''
  while (!lease.signal.aborted && !stop.aborted) {
    const rows = await sendable(ctx, runtime.id, ctx.clock.iso(), { after, perKey, limit: mostAtOnce })
    // Nothing found to send: all of it changed under our hands. Or the ERP takes nothing: time will tell.
    if (rows.length > 0 && !(await sendRound(run, headGroups(rows), pace))) return
    // Every ordering key has its turn before the first comes again.
    const last = rows.length < mostAtOnce ? '' : (rows.at(-1)?.ordering_key ?? '')
    if (rows.length === 0 && after === '') return
    after = last
  }
}

/** Whoever was sending is gone, since we hold the lease: nobody knows whether it arrived. */
async function afterCrash(run: ExportRun): Promise<void> {
  const reason = 'The process that sent it ended before the answer came.'
  await applyToAll(run, await messagesIn(run.ctx, run.runtime.id, ['sending']), { type: 'no-outcome', reason }, reason)
}

async function alarmOverdue(run: ExportRun): Promise<void> {
  await applyToAll(run, await overdue(run.ctx, run.runtime.id, run.ctx.clock.iso()), { type: 'deadline' }, null)
}

/** A signal that follows another one after a while. */
function lateSignal(stop: AbortSignal, milliseconds: number): { readonly signal: AbortSignal; end(): void } {
  const late = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const begin = (): void => {
    timer = setTimeout(() => late.abort(stop.reason), milliseconds)
  }
  if (stop.aborted) begin()
  else stop.addEventListener('abort', begin, { once: true })
  return {
    signal: late.signal,
    end() {
      clearTimeout(timer)
      stop.removeEventListener('abort', begin)
    }
  }
}
