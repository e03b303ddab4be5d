import { type AdapterCtx, AdapterError, backoffSeconds, type ImportItem } from '../../adapters/contract/index.ts'
import type { Ctx } from '../context.ts'
import { withTx } from '../db/tx.ts'
import { Refusal } from '../errors.ts'
import { type Lease, LeaseLost } from '../tasks/lease.ts'
import { countRejected, saveProgress, settleWork, WorkGone } from './apply-store.ts'
import { pauseByHost } from './connections.ts'
import { type Delivery, noteArrival } from './deliveries-store.ts'
import { type ImportDeps, ownersOf, snapshotKindsOf } from './import.ts'
import { insertPull, interruptPulls, setRaw } from './pull-delivery-store.ts'
import { lineOfPull } from './pull-rows.ts'
import { type PullPlan, pullEnded, pullStarted, saveCheckpoint, scheduledPulls } from './pull-store.ts'
import { type RawWriter, rawWriter } from './raw.ts'
import { hasOpenRejects, unreadable } from './rejects-store.ts'
import { Interrupted, type PartRunner, type RunOptions, runItems } from './run.ts'
import { openConnection } from './runtime.ts'
import { closeUnseen, planClosing } from './snapshot-close.ts'

/** Pulls whose time has come, and whether there are any that time will bring. */
export async function duePulls(ctx: Ctx): Promise<{ readonly due: readonly PullPlan[]; readonly scheduled: boolean }> {
  const now = ctx.clock.now().getTime()
  const plans = await scheduledPulls(ctx)
  return { due: plans.filter(plan => plan.nextAt !== null && Date.parse(plan.nextAt) <= now), scheduled: plans.length > 0 }
}

/**
 * Fetches one kind from an ERP. Records commit together with the checkpoint behind them, so a crash goes on there; what was fetched is
 * kept like a file and can be replayed. A fetch that brings nothing leaves no delivery.
 */
export async function runPull(deps: ImportDeps, ctx: Ctx, plan: PullPlan, lease: Lease): Promise<void> {
  const acting: Ctx = { ...ctx, principal: { kind: 'connection', id: plan.connectionId } }
  const inTx: PartRunner = fn =>
    withTx(acting, async tx => {
      await lease.check(tx)
      return fn(tx)
    })
  let made: Delivery | undefined
  try {
    await inTx(async tx => {
      await interruptPulls(tx, plan.connectionId, plan.kind)
      await pullStarted(tx, plan.connectionId, plan.kind)
    })
    await fetch(deps, acting, plan, lease, inTx, delivery => {
      made = delivery
    })
    await inTx(tx => pullEnded(tx, plan.connectionId, plan.kind, { nextAt: after(acting, plan.everySeconds), attempts: 0, reason: null }))
  } catch (error) {
    if (error instanceof LeaseLost || error instanceof Interrupted || error instanceof WorkGone || lease.signal.aborted) throw error
    if (error instanceof Refusal && error.kind === 'unavailable') throw error
    await failed(deps, acting, plan, inTx, made, error)
  }
}

async function fetch(
  deps: ImportDeps,
  ctx: Ctx,
  plan: PullPlan,
  lease: Lease,
  inTx: PartRunner,
  began: (delivery: Delivery) => void
): Promise<void> {
  const { connectionId, kind } = plan
  const runtime = await openConnection(ctx, deps.adapters, connectionId)
  if (!runtime.adapter.import?.pull)
    throw new AdapterError('config', `The adapter "${runtime.manifest.displayName}" does not fetch by itself.`)
  const mode = runtime.manifest.imports[kind]?.mode.includes('delta') ? 'delta' : 'snapshot'
  const given: AdapterCtx = { ...deps.adapterCtx(ctx, runtime), signal: lease.signal }
  const stream = runtime.adapter.import.pull({ kind, mode, checkpoint: plan.checkpoint }, given as never)[Symbol.asyncIterator]()
  const first = await stream.next()
  if (first.done) return
  const delivery = await inTx(async tx => {
    await noteArrival(tx, connectionId, tx.clock.iso())
    return insertPull(tx, connectionId, kind, runtime.mappingVersion)
  })
  began(delivery)
  const writer = await rawWriter(ctx, deps.blobs)
  const save: RunOptions['save'] = (tx, progress) => saveProgress(tx, delivery.id, progress)
  const facts = {
    connectionId,
    deliveryId: delivery.id,
    seen: Number(delivery.seq),
    arrival: Number(delivery.seq),
    snapshotKinds: snapshotKindsOf(runtime),
    hasOpenRejects: await hasOpenRejects(ctx, connectionId)
  }
  try {
    const result = await runItems(
      kept(first.value, stream, writer),
      { position: 0, chunkDone: 0 },
      {
        ctx,
        deps,
        facts,
        ...(await ownersOf(ctx, connectionId)),
        inTx,
        save,
        signal: lease.signal,
        collect: 0,
        checkpoint: (tx, state) => saveCheckpoint(tx, connectionId, kind, state, runtime.manifest.version)
      }
    )
    const raw = await writer.finish()
    await inTx(tx => setRaw(tx, delivery.id, { blobId: writer.id, ...raw }))
    const closing = { ctx, receivers: deps.receivers, ...facts, inTx, save }
    const planned = await planClosing(closing, result.snapshots, (await unreadable(ctx, delivery.id)).keyless)
    for (const snapshot of planned.close) await closeUnseen(closing, snapshot)
    await inTx(async tx => {
      const rejects = (await countRejected(tx, delivery.id)) > 0
      const held = planned.held.length > 0
      await settleWork(tx, delivery.id, {
        state: held ? 'held' : rejects ? 'done_with_rejects' : 'done',
        finished: true,
        reasonCode: held ? 'snapshot_held' : null,
        reason: held
          ? planned.held.map(p => `Would close ${p.count} of ${p.of} ${p.kind} records, which waits for a person.`).join(' ')
          : null,
        attempts: 0,
        pendingClose: held ? planned.held : null
      })
      await deps.journal.append(tx, {
        act: 'delivery.import',
        subject: 'exchange.delivery',
        subjectId: delivery.id,
        data: { way: 'pull', kind }
      })
    })
  } catch (error) {
    await writer.abort()
    throw error
  }
}

/** Keeps what passes by. */
async function* kept(first: ImportItem, rest: AsyncIterator<ImportItem>, writer: RawWriter): AsyncIterable<ImportItem> {
  try {
    for (let next: IteratorResult<ImportItem> = { done: false, value: first }; !next.done; next = await rest.next()) {
      await writer.append(Buffer.from(lineOfPull(next.value)))
      yield next.value
    }
  } finally {
    await rest.return?.()
  }
}

async function failed(
  deps: ImportDeps,
  ctx: Ctx,
  plan: PullPlan,
  inTx: PartRunner,
  delivery: Delivery | undefined,
  error: unknown
): Promise<void> {
  const cls = error instanceof AdapterError ? error.cls : 'bug'
  const reason =
    error instanceof AdapterError
      ? error.message
      : error instanceof Refusal
        ? error.detail
        : 'Fetching failed for a reason that nobody foresaw.'
  const tries = plan.attempts + 1
  const wait = Math.max(error instanceof AdapterError ? (error.retryAfterSeconds ?? 0) : 0, backoffSeconds(tries))
  ctx.log[cls === 'bug' ? 'error' : 'warn']({ err: error, connection: plan.connectionId, kind: plan.kind, cls, tries }, 'fetching failed')
  await inTx(async tx => {
    // What came before the failure is committed with its checkpoint; the next run goes on there.
    if (delivery) {
      const rejects = (await countRejected(tx, delivery.id)) > 0
      await settleWork(tx, delivery.id, {
        state: rejects ? 'done_with_rejects' : 'done',
        finished: true,
        reasonCode: `pull_${cls.replace('-', '_')}`,
        reason
      })
    }
    await pullEnded(tx, plan.connectionId, plan.kind, { nextAt: after(ctx, wait), attempts: tries, reason: reason.slice(0, 500) })
    if (cls === 'config' || cls === 'auth') await pauseByHost(tx, deps.journal, plan.connectionId, `pull_${cls}`, reason)
    tx.tx.due.add('import')
  })
}

const after = (ctx: Ctx, seconds: number | null): string | null =>
  seconds === null ? null : new Date(ctx.clock.now().getTime() + seconds * 1000).toISOString()
