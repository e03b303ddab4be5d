import {
  type AdapterCtx,
  AdapterError,
  type ConfigOf,
  type ConfigSchema,
  type MessageEvent,
  type MessageRules,
  next,
  TransportError
} from '../../adapters/contract/index.ts'
import type { Ctx, TxCtx } from '../context.ts'
import { withTx } from '../db/tx.ts'
import type { Journal } from '../journal/append.ts'
import type { Lease, WithLease } from '../tasks/lease.ts'
import { closeBatches } from './batch-store.ts'
import { pauseByHost } from './connections.ts'
import { touchOut } from './connections-store.ts'
import { type Changed, lockMessages, machineOf, type Stored, saveStates } from './outbox-store.ts'
import { noteRefused, resolveRefused } from './refused-store.ts'
import type { AdapterRegistry } from './registry.ts'
import type { ConnectionRuntime } from './runtime.ts'

export interface ExportDeps {
  readonly adapters: AdapterRegistry
  readonly withLease: WithLease
  readonly journal: Journal
  /** Employee id -> what the ERP calls them. */
  readonly employeeRefs: (ctx: Ctx, ids: readonly string[]) => Promise<ReadonlyMap<string, string>>
  readonly adapterCtx: (ctx: Ctx, runtime: ConnectionRuntime, signal: AbortSignal) => AdapterCtx<ConfigOf<ConfigSchema>>
}

/** One connection under its lease. */
export interface ExportRun {
  readonly deps: ExportDeps
  readonly ctx: Ctx
  readonly runtime: ConnectionRuntime
  readonly lease: Lease
  /** The house is closing: what is under way may end, nothing new begins. The lease's own signal breaks off what is under way. */
  readonly stop: AbortSignal
}

export interface Step {
  readonly row: Stored
  readonly event: MessageEvent
  readonly detail: string | null
}

export const rulesOf = (runtime: ConnectionRuntime, row: Stored): MessageRules => ({
  idempotency: runtime.manifest.exports[row.kind]?.idempotency ?? 'none',
  hasLookup: runtime.adapter.lookup !== undefined
})

/** A transaction that a worker who lost its lease cannot commit. */
export const leased = <R>(run: ExportRun, fn: (tx: TxCtx) => Promise<R>): Promise<R> =>
  withTx(run.ctx, async tx => {
    await run.lease.check(tx)
    return fn(tx)
  })

/**
 * Applies one event to each message as it stands now, under its lock: an acknowledgement or a person may have been faster, and then the
 * machine decides whether the event still says anything. Refusals go to the error bin, what got through leaves it.
 */
export async function applySteps(run: ExportRun, tx: TxCtx, steps: readonly Step[]): Promise<void> {
  const current = new Map(
    (
      await lockMessages(
        tx,
        steps.map(({ row }) => row.seq)
      )
    ).map(row => [row.seq, row])
  )
  const now = tx.clock.now().getTime()
  const changes = steps.flatMap(({ row: { seq }, event, detail }): Changed[] => {
    const row = current.get(seq)
    const to = row && next(machineOf(row), event, now, rulesOf(run.runtime, row))
    return row && to ? [{ row, to, event: event.type === 'outcome' ? event.outcome.status : event.type, detail }] : []
  })
  await saveStates(tx, changes, 'host')
  for (const { row, to } of changes) if (to.state === 'rejected') await noteRefused(tx, run.runtime.id, row, to)
  const through = changes.filter(({ to }) => to.state === 'accepted' || to.state === 'delivered').map(({ row }) => row.seq)
  if (through.length > 0) {
    await resolveRefused(tx, through)
    await touchOut(tx, run.runtime.id)
  }
  await closeBatches(tx, [...new Set(changes.flatMap(({ row }) => row.batch_id ?? []))])
}

/** What the adapter may touch while we hold the lease: a worker that froze and wakes late calls nothing any more. */
export function boundCtx({ deps, ctx, runtime, lease }: ExportRun, signal: AbortSignal): AdapterCtx<ConfigOf<ConfigSchema>> {
  const given = deps.adapterCtx(ctx, runtime, signal)
  const mayGo = (): void => {
    try {
      lease.held()
      signal.throwIfAborted()
    } catch (error) {
      throw new TransportError('none', 'The work was broken off before this was sent.', error)
    }
  }
  return {
    ...given,
    http: {
      async request(request) {
        mayGo()
        return given.http.request(request)
      }
    },
    sftp: {
      async connect(target) {
        mayGo()
        return given.sftp.connect(target)
      }
    },
    outbox: {
      async write(name, body) {
        mayGo()
        return given.outbox.write(name, body)
      }
    }
  }
}

/** One event for many messages, in a transaction of its own. */
export async function applyToAll(run: ExportRun, rows: readonly Stored[], event: MessageEvent, detail: string | null): Promise<void> {
  if (rows.length === 0) return
  const steps = rows.map((row): Step => ({ row, event, detail }))
  await leased(run, tx => applySteps(run, tx, steps))
}

/** What is thrown for a whole run: wrong settings or a refused sign-in pause the connection until a person has looked. */
export async function brokenOff(run: ExportRun, error: unknown): Promise<void> {
  const { ctx, runtime, deps } = run
  ctx.log.warn({ err: error, connection: runtime.id }, 'the exchange with the ERP was broken off')
  if (!(error instanceof AdapterError) || (error.cls !== 'config' && error.cls !== 'auth')) return
  await withTx(ctx, tx =>
    pauseByHost(tx, deps.journal, runtime.id, error.cls === 'auth' ? 'erp_refused_us' : 'settings_wrong', error.message)
  )
}

/** What people may read of an error: an adapter's own sentence. Anything else may carry data and stands in the log alone. */
export const sentenceOf = (error: unknown): string =>
  error instanceof AdapterError ? error.message : 'The adapter failed; the log of the service says why.'

/** The items of a source until the signal, even where the source does not listen to it: what it gives later is nobody's. */
export async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncIterable<T> {
  const iterator = source[Symbol.asyncIterator]()
  let leave = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
  })
  aborted.catch(() => {})
  try {
    for (;;) {
      signal.throwIfAborted()
      const item = await Promise.race([iterator.next(), aborted])
      if (item.done) return
      yield item.value
    }
  } finally {
    signal.removeEventListener('abort', leave)
    iterator.return?.().catch(() => {})
  }
}
