import {
  type AdapterCtx,
  AdapterError,
  type ConfigOf,
  type ConfigSchema,
  type ExportOutcome,
  type MessageEvent,
  type MessageRules,
  next,
  TransportError
} from '../../adapters/contract/index.ts'
import type { Ctx, TxCtx } from '../context.ts'
import { withTx } from '../db/tx.ts'
import type { Journal } from '../journal/append.ts'
import { type Lease, LeaseLost, type WithLease } from '../tasks/lease.ts'
import { pauseByHost } from './connections.ts'
import { touchOut } from './connections-store.ts'
import {
  activeConnections,
  type Changed,
  machineOf,
  messagesIn,
  messagesOfBatches,
  overdue,
  type Stored,
  saveStates,
  sendable,
  waitsForTime
} from './outbox-store.ts'
import { noteRefused, resolveRefused } from './refused-store.ts'
import type { AdapterRegistry } from './registry.ts'
import { type ConnectionRuntime, openConnection } from './runtime.ts'
import { attempted, closeBatches, exportBatch, openBatches, type SealedBatch, sealBatches } from './seal.ts'

export interface ExportDeps {
  readonly adapters: AdapterRegistry
  readonly withLease: WithLease
  readonly journal: Journal
  /** Employee id -> what the ERP calls them. */
  readonly employeeRefs: (ctx: Ctx, ids: readonly string[]) => Promise<ReadonlyMap<string, string>>
  readonly adapterCtx: (ctx: Ctx, runtime: ConnectionRuntime, signal: AbortSignal) => AdapterCtx<ConfigOf<ConfigSchema>>
}

const mostAtOnce = 500
const defaultBatch = 50
const defaultConcurrency = 4

/** One connection under its lease. */
interface Run {
  readonly deps: ExportDeps
  readonly ctx: Ctx
  readonly runtime: ConnectionRuntime
  readonly lease: Lease
}

/**
 * Sends what is due for one tenant, connection by connection; another worker's connections are passed over.
 * @returns whether something is left that time alone will bring
 */
export async function exportDue(deps: ExportDeps, ctx: Ctx, stop: AbortSignal): Promise<{ readonly more: boolean }> {
  let more = false
  for (const connectionId of await activeConnections(ctx)) {
    if (stop.aborted) return { more: true }
    await deps.withLease(ctx, `export:${connectionId}`, async held => {
      const lease: Lease = { ...held, signal: AbortSignal.any([held.signal, stop]) }
      const runtime = await openConnection(ctx, deps.adapters, connectionId)
      try {
        await drain({ deps, ctx, runtime, lease })
      } catch (error) {
        // A stop or a lost lease is no failure: what was stored stays, the rest is done by who comes next.
        if (!(error instanceof LeaseLost) && !stop.aborted && !held.signal.aborted) throw error
      }
    })
    more = more || (await waitsForTime(ctx, connectionId))
  }
  return { more }
}

async function drain(run: Run): Promise<void> {
  const { ctx, runtime, lease } = run
  await afterCrash(run)
  await lookUp(run)
  await alarmOverdue(run)
  for (;;) {
    if (lease.signal.aborted) return
    const rows = await sendable(ctx, runtime.id, ctx.clock.iso(), mostAtOnce)
    if (rows.length === 0) return
    const batches = await prepare(run, rows)
    if (batches.length === 0) return
    const queue = [...batches]
    const workers = Math.min(queue.length, runtime.manifest.limits?.concurrency ?? defaultConcurrency)
    let went = true
    await Promise.all(
      Array.from({ length: workers }, async () => {
        for (let batch = queue.shift(); batch && !lease.signal.aborted; batch = queue.shift()) {
          went = (await send(run, batch.batch, batch.rows)) && went
        }
      })
    )
    // The connection was paused, or the ERP is not there: the rest waits for its time.
    if (!went) return
  }
}

const rulesOf = (runtime: ConnectionRuntime, row: Stored): MessageRules => ({
  idempotency: runtime.manifest.exports[row.kind]?.idempotency ?? 'none',
  hasLookup: runtime.adapter.lookup !== undefined
})

/** Applies one event to each row and stores what changed; refusals go to the error bin, what got through leaves it. */
async function apply(
  run: Run,
  tx: TxCtx,
  steps: readonly { row: Stored; event: MessageEvent; detail: string | null }[]
): Promise<Changed[]> {
  const now = tx.clock.now().getTime()
  const changes = steps.flatMap(({ row, event, detail }): Changed[] => {
    const to = next(machineOf(row), event, now, rulesOf(run.runtime, row))
    const name = event.type === 'outcome' ? event.outcome.status : event.type
    return to ? [{ row, to, event: name, detail }] : []
  })
  await saveStates(tx, changes, 'host')
  for (const { row, to } of changes) if (to.state === 'rejected') await noteRefused(tx, run.runtime.id, row, to)
  const through = changes.filter(({ to }) => to.state === 'accepted' || to.state === 'delivered').map(({ row }) => row.seq)
  if (through.length > 0) {
    await resolveRefused(tx, through)
    await touchOut(tx, run.runtime.id)
  }
  await closeBatches(tx, [...new Set(changes.flatMap(({ row }) => (row.batch_id === null ? [] : [row.batch_id])))])
  return changes
}

const leased = <R>(run: Run, fn: (tx: TxCtx) => Promise<R>): Promise<R> =>
  withTx(run.ctx, async tx => {
    await run.lease.check(tx)
    return fn(tx)
  })

/** Whoever was sending is gone, since we hold the lease: nobody knows whether it arrived. */
async function afterCrash(run: Run): Promise<void> {
  const rows = await messagesIn(run.ctx, run.runtime.id, ['sending'])
  if (rows.length === 0) return
  const reason = 'The process that sent it ended before the answer came.'
  await leased(run, tx =>
    apply(
      run,
      tx,
      rows.map(row => ({ row, event: { type: 'no-outcome', reason }, detail: reason }))
    )
  )
}

async function alarmOverdue(run: Run): Promise<void> {
  const rows = await overdue(run.ctx, run.runtime.id, run.ctx.clock.iso())
  if (rows.length > 0)
    await leased(run, tx =>
      apply(
        run,
        tx,
        rows.map(row => ({ row, event: { type: 'deadline' }, detail: null }))
      )
    )
}

/** Asks the ERP about messages of which nobody knows whether they arrived. */
async function lookUp(run: Run): Promise<void> {
  const { ctx, runtime, deps, lease } = run
  const now = ctx.clock.now().getTime()
  const rows = (await messagesIn(ctx, runtime.id, ['unknown'])).filter(
    row => row.next_attempt_at === null || Date.parse(row.next_attempt_at) <= now
  )
  if (rows.length === 0 || !runtime.adapter.lookup) return
  const batches = new Map(
    (await openBatches(ctx, [...new Set(rows.flatMap(row => (row.batch_id === null ? [] : [row.batch_id])))])).map(b => [b.id, b])
  )
  const items = rows.flatMap(row => {
    const batch = batches.get(row.batch_id ?? '')
    return batch ? exportBatch(batch, [row]).items : []
  })
  const byKey = new Map(rows.map(row => [row.key, row]))
  const waiting = new Set(byKey.keys())
  try {
    for await (const answer of runtime.adapter.lookup(items, deps.adapterCtx(ctx, runtime, lease.signal))) {
      const row = byKey.get(answer.key)
      if (!row || !waiting.delete(answer.key)) continue
      const detail = answer.found === true ? `found as ${answer.ref.document}` : answer.found === false ? 'not found' : answer.reason
      await leased(run, tx => apply(run, tx, [{ row, event: { type: 'lookup', answer }, detail }]))
    }
  } catch (error) {
    await refused(run, error)
    const detail = error instanceof Error ? error.message : String(error)
    const left = [...waiting].flatMap(key => byKey.get(key) ?? [])
    await leased(run, tx =>
      apply(
        run,
        tx,
        left.map(row => ({ row, event: { type: 'lookup-failed' }, detail }))
      )
    )
  }
}

/** Groups what may be sent: batches that are sealed already as they are, the rest in new ones; then marks the attempt. */
async function prepare(run: Run, rows: readonly Stored[]): Promise<{ batch: SealedBatch; rows: readonly Stored[] }[]> {
  const { ctx, runtime, deps } = run
  const sealedIds = [...new Set(rows.flatMap(row => (row.batch_id === null ? [] : [row.batch_id])))]
  const sealed = await openBatches(ctx, sealedIds)
  const busy = new Set(sealed.map(batch => batch.orderingKey))
  const fresh = new Map<string, Stored[]>()
  for (const row of rows) {
    if (row.batch_id !== null || busy.has(row.ordering_key)) continue
    const group = fresh.get(row.ordering_key) ?? []
    if (group.length < (runtime.manifest.limits?.maxBatch ?? defaultBatch)) group.push(row)
    fresh.set(row.ordering_key, group)
  }
  const people = [...fresh.values()].flat().flatMap(row => (row.kind === 'labour' ? [(row.record as { employee: string }).employee] : []))
  const refs = people.length > 0 ? await deps.employeeRefs(ctx, [...new Set(people)]) : new Map<string, string>()
  // A deterministic file holds the whole batch: it is repeated with all its items, the settled ones too.
  const whole = new Set(
    sealed
      .filter(batch => rows.some(row => row.batch_id === batch.id && rulesOf(runtime, row).idempotency === 'deterministic-file'))
      .map(b => b.id)
  )
  const others = whole.size > 0 ? await messagesOfBatches(ctx, [...whole]) : []
  return leased(run, async tx => {
    const made = await sealBatches(
      tx,
      runtime.id,
      [...fresh].map(([orderingKey, group]) => ({ orderingKey, rows: group })),
      refs
    )
    const inBatch = (batch: SealedBatch): Stored[] =>
      whole.has(batch.id)
        ? others.filter(row => row.batch_id === batch.id)
        : rows.filter(row => row.batch_id === batch.id || (row.batch_id === null && batch.records.has(row.key)))
    const all = [...sealed, ...made].map(batch => ({ batch, rows: inBatch(batch).map(row => ({ ...row, batch_id: batch.id })) }))
    const now = tx.clock.now().getTime()
    const started = all.flatMap(({ rows: group }) => group).filter(row => row.state === 'waiting' || row.state === 'sealed')
    await saveStates(
      tx,
      started.flatMap(row => {
        const to = attempted(row, now)
        return to ? [{ row, to, event: 'attempt', detail: null }] : []
      }),
      'host'
    )
    return all
  })
}

/**
 * Hands one batch to the adapter, outside any transaction, and stores each outcome as it comes; while one is being stored further ones
 * gather and are stored together. What gets no outcome may or may not have arrived.
 * @returns false when going on with the connection makes no sense now
 */
async function send(run: Run, batch: SealedBatch, rows: readonly Stored[]): Promise<boolean> {
  const { ctx, runtime, deps, lease } = run
  const open = new Map(
    rows
      .filter(row => row.state === 'waiting' || row.state === 'sealed')
      .map(row => [row.key, { ...row, state: 'sending' as const, attempts: row.attempts + 1 }])
  )
  let pending: ExportOutcome[] = []
  let storing: Promise<void> = Promise.resolve()
  let failure: unknown
  let sent = 0
  const store = async (): Promise<void> => {
    const outcomes = pending
    pending = []
    if (outcomes.length === 0) return
    await leased(run, tx =>
      apply(
        run,
        tx,
        outcomes.flatMap(({ key, ...outcome }) => {
          const row = open.get(key)
          open.delete(key)
          return row ? [{ row, event: { type: 'outcome' as const, outcome }, detail: detailOf(outcome) }] : []
        })
      )
    )
  }
  let thrown: unknown
  try {
    if (!runtime.adapter.export) throw new AdapterError('bug', 'the adapter has no export')
    for await (const outcome of runtime.adapter.export(exportBatch(batch, rows), deps.adapterCtx(ctx, runtime, lease.signal))) {
      if (outcome.status !== 'not-sent') sent++
      pending.push(outcome)
      storing = storing.then(store).catch(error => {
        failure ??= error
      })
      if (failure) break
    }
  } catch (error) {
    thrown = error
  }
  await storing
  if (failure) throw failure
  await store()
  const left = [...open.values()]
  if (left.length > 0) {
    const reason = thrown instanceof Error ? thrown.message : 'The adapter gave no outcome.'
    const proven = thrown instanceof TransportError && thrown.effect === 'none'
    const event: MessageEvent = proven ? { type: 'outcome', outcome: { status: 'not-sent', reason } } : { type: 'no-outcome', reason }
    await leased(run, tx =>
      apply(
        run,
        tx,
        left.map(row => ({ row, event, detail: reason }))
      )
    )
  }
  if (thrown !== undefined) await refused(run, thrown)
  return thrown === undefined && sent > 0
}

/** What is thrown for a whole run: wrong settings or a refused sign-in pause the connection until a person has looked. */
async function refused(run: Run, error: unknown): Promise<void> {
  const { ctx, runtime, deps } = run
  ctx.log.warn({ err: error, connection: runtime.id }, 'sending to the ERP was broken off')
  if (!(error instanceof AdapterError) || (error.cls !== 'config' && error.cls !== 'auth')) return
  await withTx(ctx, tx =>
    pauseByHost(tx, deps.journal, runtime.id, error.cls === 'auth' ? 'erp_refused_us' : 'settings_wrong', error.message)
  )
}

function detailOf(outcome: {
  readonly status: string
  readonly ref?: { readonly document: string }
  readonly reason?: string
  readonly reject?: { readonly message: string }
}): string | null {
  return outcome.ref?.document ?? outcome.reject?.message ?? outcome.reason ?? null
}
