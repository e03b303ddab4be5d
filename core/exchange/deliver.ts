import type { ExportOutcomeBody } from '../../adapters/contract/index.ts'
import type { Ctx, TxCtx } from '../context.ts'
import { withTx } from '../db/tx.ts'
import { type Lease, LeaseLost } from '../tasks/lease.ts'
import { applySteps, applyToAll, type ExportDeps, type ExportRun, leased } from './export-run.ts'
import { lookUp } from './lookup.ts'
import { routeHeld } from './outbox.ts'
import type { Stored } from './outbox-store.ts'
import { openConnection } from './runtime.ts'
import { batchesById, headGroups, type SealedBatch, sealBatches } from './seal.ts'
import { send, unchanged } from './send.ts'
import { activeConnections, heldWithOwner, messagesIn, overdue, sendable, waitsForTime } from './sending-store.ts'

export type { ExportDeps } from './export-run.ts'

const mostAtOnce = 500
const mostConnections = 3
const defaultBatch = 50
const defaultConcurrency = 4
/** What is under way when the house closes may still end: breaking it off would leave unknown what a moment later is known. */
const stopGraceMs = 8_000

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
  const { ctx, runtime, lease, stop } = run
  await afterCrash(run)
  await lookUp(run)
  await alarmOverdue(run)
  while (!lease.signal.aborted && !stop.aborted) {
    const rows = await sendable(ctx, runtime.id, ctx.clock.iso(), mostAtOnce)
    if (rows.length === 0) return
    const { queue, refused } = await prepare(run, rows)
    let found = refused
    let wentWell = true
    const worker = async (): Promise<void> => {
      for (let next = queue.shift(); next && wentWell && !lease.signal.aborted && !stop.aborted; next = queue.shift()) {
        const result = await send(run, next.batch, next.rows)
        if (result !== 'nothing') found = true
        if (result === 'broken') wentWell = false
      }
    }
    const workers = Array.from({ length: runtime.manifest.limits?.concurrency ?? defaultConcurrency }, worker)
    // All of them end before the lease does, also when one fails.
    for (const result of await Promise.allSettled(workers)) if (result.status === 'rejected') throw result.reason
    // Nothing found: all of it changed under our hands. Broken: the ERP is not there, or the connection was paused; time will tell.
    if (!found || !wentWell) return
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

interface Prepared {
  readonly batch: SealedBatch
  readonly rows: readonly Stored[]
}

/** What may go next of each ordering key: batches that are sealed already as they are, the rest in new ones. */
async function prepare(run: ExportRun, rows: readonly Stored[]): Promise<{ queue: Prepared[]; refused: boolean }> {
  const { ctx, runtime, deps } = run
  const groups = headGroups(rows, runtime.manifest.limits?.maxBatch ?? defaultBatch)
  const old = groups.filter(([head]) => head?.batch_id !== null)
  const fresh = groups.filter(([head]) => head?.batch_id === null)
  const sealed = await batchesById(
    ctx,
    old.flatMap(([head]) => head?.batch_id ?? [])
  )
  const again = old.flatMap((group): Prepared[] => {
    const batch = sealed.get(group[0]?.batch_id ?? '')
    return batch ? [{ batch, rows: group }] : []
  })
  if (fresh.length === 0) return { queue: again, refused: false }
  const people = new Set(fresh.flat().flatMap(row => personOf(row) ?? []))
  const refs = people.size === 0 ? new Map<string, string>() : await deps.employeeRefs(ctx, [...people])
  return leased(run, async tx => {
    const ready: { orderingKey: string; rows: Stored[] }[] = []
    let refused = false
    for (const group of await unchanged(tx, fresh)) {
      const nameless = group.findIndex(row => {
        const person = personOf(row)
        return person !== undefined && (refs.get(person) ?? person) === person
      })
      const named = nameless < 0 ? group : group.slice(0, nameless)
      if (named.length > 0) ready.push({ orderingKey: named[0]?.ordering_key ?? '', rows: named })
      else if (group[0]) {
        await refuseNameless(run, tx, group[0])
        refused = true
      }
    }
    return { queue: [...again, ...(await sealBatches(tx, runtime.id, ready, refs))], refused }
  })
}

const personOf = (row: Stored): string | undefined => (row.kind === 'labour' ? (row.record as { employee: string }).employee : undefined)

/** Our own id of a person says nothing to the ERP, so the message is refused here, where a person can mend it. */
async function refuseNameless(run: ExportRun, tx: TxCtx, row: Stored): Promise<void> {
  const message = 'The ERP has no number or name for this person. Add one to the person and send the message again.'
  const outcome: ExportOutcomeBody = { status: 'rejected', reject: { code: 'employee_unmapped', message, field: 'employee' } }
  for (const event of [{ type: 'sealed' }, { type: 'attempt' }, { type: 'outcome', outcome }] as const) {
    await applySteps(run, tx, [{ row, event, detail: event.type === 'outcome' ? message : null }])
  }
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
