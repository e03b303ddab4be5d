import {
  type AdapterCtx,
  AdapterError,
  backoffSeconds,
  type ImportItem,
  type ImportKind,
  importKinds
} from '../../adapters/contract/index.ts'
import type { Clock } from '../clock.ts'
import type { Ctx, TxCtx } from '../context.ts'
import { withTx } from '../db/tx.ts'
import { Refusal } from '../errors.ts'
import type { Journal } from '../journal/append.ts'
import type { Blobs } from '../storage/blobs.ts'
import { type Lease, LeaseLost, type WithLease } from '../tasks/lease.ts'
import type { ApplyAck, RunFacts } from './apply.ts'
import {
  beginWork,
  connectionsWithWork,
  countRejected,
  findWork,
  nextWork,
  type PendingClose,
  saveProgress,
  settleWork,
  type WorkDelivery,
  WorkGone
} from './apply-store.ts'
import { refuseArchive } from './archives.ts'
import { pauseByHost } from './connections.ts'
import { kindOwners, listConnectionRows } from './connections-store.ts'
import { itemsToReplay, resolveReplayed } from './delivery-replays-store.ts'
import { inboundFile, inboundRequest, type RawDelivery, rawOf } from './delivery-source.ts'
import { duePulls, runPull } from './pull.ts'
import { rowsOfPull } from './pull-rows.ts'
import { readAhead } from './read-ahead.ts'
import type { Receivers } from './receivers.ts'
import type { AdapterRegistry } from './registry.ts'
import { hasOpenRejects, unreadable } from './rejects-store.ts'
import { replayWaiting } from './replay.ts'
import { chunkSize, Interrupted, type PartRunner, type RunOptions, runItems } from './run.ts'
import { type ConnectionRuntime, openConnection } from './runtime.ts'
import { closeUnseen, planClosing } from './snapshot-close.ts'

export interface ImportDeps {
  readonly adapters: AdapterRegistry
  /** The receivers of all modules, merged. */
  readonly receivers: Receivers
  readonly blobs: Blobs
  readonly clock: Clock
  readonly withLease: WithLease
  readonly applyAck: ApplyAck
  readonly adapterCtx: (ctx: Ctx, runtime: ConnectionRuntime) => AdapterCtx
  readonly journal: Journal
}

/** Tries of a delivery that fails for a reason nobody declared. */
const mostTries = 3

/**
 * Works one delivery to its end under a lease: parse, map, validate, compare, hand over. Commits in chunks and goes on behind the last
 * one after a crash. Every end is written into the delivery; what is thrown is for the worker alone: LeaseLost, Interrupted, and a
 * database that does not answer.
 */
export async function importDelivery(deps: ImportDeps, ctx: Ctx, deliveryId: string, lease: Lease): Promise<void> {
  const delivery = await findWork(ctx, deliveryId)
  if (!delivery || (delivery.state !== 'stored' && delivery.state !== 'processing')) return
  const acting: Ctx = { ...ctx, principal: { kind: 'connection', id: delivery.connectionId } }
  try {
    await work(deps, acting, delivery, lease)
  } catch (error) {
    if (error instanceof LeaseLost || error instanceof Interrupted || error instanceof WorkGone || lease.signal.aborted) throw error
    // Not the delivery's fault, and no try of it: the worker comes again.
    if (error instanceof Refusal && error.kind === 'unavailable') throw error
    await failed(deps, acting, delivery, lease, error)
  }
}

async function work(deps: ImportDeps, ctx: Ctx, delivery: WorkDelivery, lease: Lease): Promise<void> {
  const runtime = await openConnection(ctx, deps.adapters, delivery.connectionId)
  const inTx: PartRunner = fn =>
    withTx(ctx, async tx => {
      await lease.check(tx)
      return fn(tx)
    })
  const origin = delivery.replayOf === null ? delivery : await findWork(ctx, delivery.replayOf)
  if (!origin) throw new AdapterError('payload', 'The delivery that this one repeats is gone.')
  if (delivery.size === '0') throw new AdapterError('payload', 'The file is empty.')
  const chunkDone = await inTx(tx => beginWork(tx, delivery.id, runtime.mappingVersion))

  const found = await unreadable(ctx, delivery.id)
  const only = delivery.rejectsOnly ? await itemsToReplay(ctx, origin.id, delivery.receivedAt) : undefined
  const save: RunOptions['save'] = (tx, progress) => saveProgress(tx, delivery.id, progress)
  const facts: RunFacts = {
    connectionId: delivery.connectionId,
    deliveryId: delivery.id,
    seen: Number(delivery.seq),
    arrival: Number(origin.seq),
    snapshotKinds: snapshotKindsOf(runtime),
    hasOpenRejects: await hasOpenRejects(ctx, delivery.connectionId)
  }
  const owners = await ownersOf(ctx, delivery.connectionId)
  const items = itemsOf(
    deps,
    ctx,
    runtime,
    origin.way,
    rawOf(ctx, deps.blobs, { ...delivery, receivedAt: origin.receivedAt }),
    lease.signal
  )
  const result = await runItems(
    readAhead(items, chunkSize),
    { position: delivery.position, chunkDone },
    {
      ctx,
      deps,
      facts,
      ...owners,
      inTx,
      save,
      ...(only ? { only } : {}),
      unownedBefore: new Set(importKinds.filter(kind => found.unowned.has(kind))),
      unknownBefore: delivery.unknownColumns,
      signal: lease.signal,
      collect: 0
    }
  )

  const closing = { ctx, receivers: deps.receivers, ...facts, inTx, save }
  const keyless = (await unreadable(ctx, delivery.id)).keyless
  const plan = delivery.rejectsOnly ? { close: [], held: [], skipped: [] } : await planClosing(closing, result.snapshots, keyless)
  for (const snapshot of plan.close) await closeUnseen(closing, snapshot)

  await inTx(async tx => {
    if (delivery.replayOf !== null) await resolveReplayed(tx, origin.id, delivery)
    await finish(deps, tx, delivery, plan)
  })
}

async function finish(
  deps: ImportDeps,
  tx: TxCtx,
  delivery: WorkDelivery,
  plan: { held: readonly PendingClose[]; skipped: readonly ImportKind[] }
): Promise<void> {
  const rejects = (await countRejected(tx, delivery.id)) > 0
  const held = plan.held.length > 0
  const reason = held
    ? plan.held
        .map(
          ({ kind, scope, count, of }) =>
            `Would close ${count} of ${of} ${kind} records${scope === null ? '' : ` of ${scope}`}, which waits for a person.`
        )
        .join(' ')
    : plan.skipped.length > 0
      ? `Nothing was closed of ${plan.skipped.join(', ')}: rows without a readable key may name any record.`
      : null
  await settleWork(tx, delivery.id, {
    state: held ? 'held' : rejects ? 'done_with_rejects' : 'done',
    finished: true,
    reasonCode: held ? 'snapshot_held' : plan.skipped.length > 0 ? 'snapshot_not_closed' : null,
    reason,
    attempts: 0,
    pendingClose: held ? plan.held : null
  })
  await deps.journal.append(tx, {
    act: 'delivery.import',
    subject: 'exchange.delivery',
    subjectId: delivery.id,
    data: {
      state: held ? 'held' : rejects ? 'done_with_rejects' : 'done',
      ...(delivery.replayOf === null ? {} : { replayOf: delivery.replayOf })
    }
  })
}

/** What an adapter makes of raw bytes; of a pull the rows that were kept are mapped again. */
export function itemsOf(
  deps: Pick<ImportDeps, 'adapterCtx'>,
  ctx: Ctx,
  runtime: ConnectionRuntime,
  way: string,
  raw: RawDelivery,
  signal: AbortSignal
): AsyncIterable<ImportItem> {
  const given: AdapterCtx = { ...deps.adapterCtx(ctx, runtime), signal }
  const handlers = runtime.adapter.import
  // Methods of the adapter: they may use `this`.
  const { http, file } = handlers ?? {}
  if (way === 'http' && http) return unpacked(raw, () => http.call(handlers, inboundRequest(raw), given as never))
  if (way === 'sftp' && file) return unpacked(raw, () => file.call(handlers, inboundFile(raw), given as never))
  if (way === 'pull') return rowsOfPull(raw, runtime.mapper)
  throw new AdapterError('payload', `The adapter "${runtime.manifest.displayName}" does not take what comes in this way.`)
}

async function* unpacked(raw: RawDelivery, items: () => AsyncIterable<ImportItem>): AsyncIterable<ImportItem> {
  await refuseArchive(raw.bytes())
  yield* items()
}

export const snapshotKindsOf = (runtime: ConnectionRuntime): ReadonlySet<ImportKind> =>
  new Set(importKinds.filter(kind => runtime.manifest.imports[kind]?.mode.includes('snapshot')))

/** Which kinds a connection may bring, and what to say of the others. */
export async function ownersOf(ctx: Ctx, connectionId: string): Promise<Pick<RunOptions, 'owns' | 'whyNot'>> {
  const owners = new Map((await kindOwners(ctx)).filter(owner => owner.direction === 'in').map(owner => [owner.kind, owner.connectionId]))
  const names = new Map((await listConnectionRows(ctx)).map(row => [row.id, row.name]))
  return {
    owns: kind => owners.get(kind) === connectionId,
    whyNot: kind => {
      const other = owners.get(kind)
      return other === undefined
        ? `No connection owns ${kind}. Choose on the page of the connection which one brings these records, then replay.`
        : `${kind} is taken from the connection "${names.get(other) ?? other}" only. Change the owner there if this is wrong, then replay.`
    }
  }
}

/** Writes down how a run failed: paused, tried again later, rejected or parked. */
async function failed(deps: ImportDeps, ctx: Ctx, delivery: WorkDelivery, lease: Lease, error: unknown): Promise<void> {
  const cls = error instanceof AdapterError ? error.cls : error instanceof Refusal ? 'payload' : 'bug'
  const detail =
    error instanceof AdapterError
      ? error.message
      : error instanceof Refusal
        ? error.detail
        : 'Processing failed for a reason that nobody foresaw.'
  const code = error instanceof Refusal ? error.code : `import_${cls.replace('-', '_')}`
  const tries = (delivery.reasonCode === code ? delivery.attempts : 0) + 1
  const parked = (cls === 'bug' || cls === 'remote') && tries >= mostTries
  const wait = Math.max(error instanceof AdapterError ? (error.retryAfterSeconds ?? 0) : 0, backoffSeconds(tries))
  const nextAttemptAt = new Date(ctx.clock.now().getTime() + wait * 1000).toISOString()
  ctx.log[cls === 'bug' ? 'error' : 'warn'](
    { err: error, delivery: delivery.id, connection: delivery.connectionId, cls, tries, parked },
    'an import failed'
  )
  await withTx(ctx, async tx => {
    await lease.check(tx)
    const now = await findWork(tx, delivery.id)
    if (now?.state !== 'processing' && now?.state !== 'stored') return
    const ended = (state: 'rejected' | 'parked', reason: string) =>
      settleWork(tx, delivery.id, { state, finished: true, reasonCode: code, reason, attempts: tries })
    if (cls === 'payload') await ended('rejected', detail)
    else if (parked) await ended('parked', `${detail} Tried ${tries} times; replay it when the cause is gone. Number ${tx.requestId}.`)
    else {
      const paused = cls === 'config' || cls === 'auth'
      // A paused connection goes on at once when somebody resumes it.
      await settleWork(tx, delivery.id, {
        state: 'stored',
        finished: false,
        reasonCode: code,
        reason: detail,
        attempts: tries,
        ...(paused ? {} : { nextAttemptAt })
      })
      if (paused) await pauseByHost(tx, deps.journal, delivery.connectionId, code, detail)
      tx.tx.due.add('import')
    }
    if (cls === 'payload' || parked) {
      await deps.journal.append(tx, {
        act: 'delivery.import',
        subject: 'exchange.delivery',
        subjectId: delivery.id,
        data: { state: parked ? 'parked' : 'rejected', code }
      })
    }
  })
}

/**
 * Does what is due for one tenant: deliveries of each active connection in the order of their arrival, replays of single records, and
 * pulls. Another worker's connections are passed over. @returns whether something is left that time alone will bring
 */
export async function importDue(deps: ImportDeps, ctx: Ctx, stop: AbortSignal): Promise<{ readonly more: boolean }> {
  let more = false
  let failure: unknown
  for (const connectionId of await connectionsWithWork(ctx)) {
    if (stop.aborted) return { more: true }
    try {
      const left = await deps.withLease(ctx, `import:${connectionId}`, async held => {
        const lease: Lease = { ...held, signal: AbortSignal.any([held.signal, stop]) }
        return (await ignoringStop(stop, () => drain(deps, ctx, connectionId, lease))) ?? true
      })
      more = more || left !== false
    } catch (error) {
      // One connection's trouble must not keep the others waiting.
      failure ??= error
      ctx.log.warn({ err: error, connection: connectionId }, 'working on a connection failed')
    }
  }
  const pulls = await duePulls(ctx)
  for (const plan of pulls.due) {
    if (stop.aborted) return { more: true }
    await deps.withLease(ctx, `pull:${plan.connectionId}:${plan.kind}`, async held => {
      const lease: Lease = { ...held, signal: AbortSignal.any([held.signal, stop]) }
      await ignoringStop(stop, () => runPull(deps, ctx, plan, lease))
    })
  }
  if (failure !== undefined) throw failure
  return { more: more || pulls.scheduled }
}

/** All deliveries of a connection in order. @returns true when one waits for its next attempt */
async function drain(deps: ImportDeps, ctx: Ctx, connectionId: string, lease: Lease): Promise<boolean> {
  let before: string | undefined
  for (;;) {
    if (lease.signal.aborted) throw new Interrupted()
    const runtime = await openConnection(ctx, deps.adapters, connectionId)
    if (runtime.state !== 'active') return false
    await replayWaiting(deps, ctx, runtime, lease)
    const delivery = await nextWork(ctx, connectionId)
    if (!delivery) return false
    if (delivery.nextAttemptAt !== null && Date.parse(delivery.nextAttemptAt) > ctx.clock.now().getTime()) return true
    // The same one again at once means that its end could not be written.
    if (delivery.id === before && delivery.state === 'processing') throw new Error(`delivery ${delivery.id} does not come to an end`)
    before = delivery.id
    await importDelivery(deps, ctx, delivery.id, lease)
  }
}

/** A stop or a lost lease is no failure: what is committed stays, the rest is done by who comes next. */
async function ignoringStop<R>(stop: AbortSignal, fn: () => Promise<R>): Promise<R | undefined> {
  try {
    return await fn()
  } catch (error) {
    if (error instanceof Interrupted || error instanceof LeaseLost || error instanceof WorkGone || stop.aborted) return undefined
    throw error
  }
}
