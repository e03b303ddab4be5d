import { AdapterError, type ImportItem, type ImportKind } from '../../adapters/contract/index.ts'
import type { Ctx, TxCtx } from '../context.ts'
import { coreErrors, Refusal } from '../errors.ts'
import { LeaseLost } from '../tasks/lease.ts'
import { type ApplyDeps, applyPart, type Change, type PartResult, ReceiverBug, type RunFacts } from './apply.ts'
import { addCounts, type Counts, noCounts, WorkGone } from './apply-store.ts'
import { type NumberedItem, type Prepared, type PreparedChunk, type PreparedReject, prepareChunk } from './import-items.ts'
import type { NewReject } from './rejects-store.ts'

/** Most items of one transaction. Part of the meaning of `chunk_done`, so a change of it needs all deliveries to be finished. */
export const chunkSize = 1_000
/** Records that may fail for reasons nobody declared before the whole delivery counts as failed. */
const mostSurprises = 25
const mostUnknownColumns = 200

/** Runs a piece of work in a transaction of its own; in a dry run in a part of the one that is rolled back. */
export type PartRunner = <R>(fn: (tx: TxCtx) => Promise<R>) => Promise<R>

export interface Progress {
  /** null: the chunk is not finished. */
  readonly position: number | null
  readonly chunkDone: number
  readonly counts: Counts
  readonly unknown: Readonly<Record<string, number>> | null
}

export interface RunOptions {
  readonly ctx: Ctx
  readonly deps: ApplyDeps
  readonly facts: RunFacts
  readonly owns: (kind: ImportKind) => boolean
  readonly whyNot: (kind: ImportKind) => string
  readonly inTx: PartRunner
  /** Stored in the same transaction as the records. */
  readonly save: (tx: TxCtx, progress: Progress) => Promise<void>
  /** For a replay of rejects: only these items and kinds. */
  readonly only?: { readonly items: ReadonlySet<number>; readonly kinds: ReadonlySet<ImportKind> }
  /** Kinds that were refused as a whole before a crash: one entry in the bin is enough. */
  readonly unownedBefore?: ReadonlySet<ImportKind>
  readonly unknownBefore?: Readonly<Record<string, number>>
  readonly signal: AbortSignal
  /** Most changes and rejects to hand back; 0 for a real run. */
  readonly collect: number
  /** Told of pull checkpoints, in the transaction of the records before them. */
  readonly checkpoint?: (tx: TxCtx, state: Extract<ImportItem, { type: 'checkpoint' }>['state']) => Promise<void>
}

/** A snapshot that was closed properly by the adapter. */
export interface EndedSnapshot {
  readonly kind: ImportKind
  readonly scope: string | null
}

export interface RunResult {
  readonly items: number
  readonly counts: Counts
  readonly snapshots: readonly EndedSnapshot[]
  readonly changes: readonly Change[]
  readonly rejects: readonly NewReject[]
  readonly unknown: Readonly<Record<string, number>>
}

/** The process stops, or the lease went to somebody else: leave everything as committed. */
export class Interrupted extends Error {
  constructor() {
    super('the run was interrupted')
    this.name = 'Interrupted'
  }
}

/**
 * Reads an adapter's items to the end and commits them in chunks: records, rejects, counters and position together. `from` is where a
 * crash left off: that many items are read again and passed over. A chunk that fails is halved, in new transactions, until the record
 * that fails stands alone.
 */
export async function runItems(
  items: AsyncIterable<ImportItem>,
  from: { position: number; chunkDone: number },
  options: RunOptions
): Promise<RunResult> {
  const { ctx, signal } = options
  const open = new Map<ImportKind, string | null>()
  const snapshots: EndedSnapshot[] = []
  const unownedSeen = new Set<ImportKind>(options.unownedBefore)
  const unknown: Record<string, number> = { ...options.unknownBefore }
  const changes: Change[] = []
  const rejects: NewReject[] = []
  let counts = noCounts
  let surprises = 0
  let done = from.chunkDone
  let n = 0
  let chunk: NumberedItem[] = []

  function take(result: PartResult): void {
    counts = addCounts(counts, result.counts)
    if (changes.length < options.collect)
      changes.push(...result.changes.filter(change => change.decision !== 'unchanged').slice(0, options.collect - changes.length))
    if (rejects.length < options.collect) rejects.push(...result.rejects.slice(0, options.collect - rejects.length))
  }

  async function flush(checkpoint?: Extract<ImportItem, { type: 'checkpoint' }>): Promise<void> {
    if (signal.aborted) throw new Interrupted()
    const prepared = prepareChunk(ctx.tenant.keys, chunk, options.owns, options.whyNot)
    // One entry in the bin says it for the whole kind. It stays in the list, whose indexes `chunk_done` counts.
    const list = prepared.list.map(p =>
      p.type === 'reject' && p.reject.code === 'kind_not_owned' && unownedSeen.has(p.kind) ? { ...p, muted: true } : p
    )
    const end: ChunkEnd = { prepared, position: n, checkpoint }
    await commit(list, Math.min(done, list.length), list.length, end)
    for (const kind of prepared.unowned.keys()) unownedSeen.add(kind)
    done = 0
    chunk = []
  }

  interface ChunkEnd {
    readonly prepared: PreparedChunk
    readonly position: number
    readonly checkpoint: Extract<ImportItem, { type: 'checkpoint' }> | undefined
  }

  /** Commits list[from, to); the last part of a chunk also moves the position. */
  async function commit(list: readonly Prepared[], start: number, to: number, end: ChunkEnd): Promise<void> {
    const part = list.slice(start, to)
    try {
      await store(part, to, list.length, end)
      return
    } catch (error) {
      if (!isOfARecord(error) || part.length === 0) throw error
      if (signal.aborted) throw new Interrupted()
      if (part.length === 1 && part[0]) {
        if (!isDeclared(error) && ++surprises > mostSurprises) throw error
        const alone = refusedAlone(part[0], error)
        if (!alone) throw error
        ctx.log.warn(
          { err: error, delivery: options.facts.deliveryId, item: part[0].n, code: alone.reject.code },
          'a record was refused alone'
        )
        await store([alone], to, list.length, end)
        return
      }
    }
    const middle = start + Math.floor(part.length / 2)
    await commit(list, start, middle, end)
    await commit(list, middle, to, end)
  }

  async function store(part: readonly Prepared[], to: number, whole: number, end: ChunkEnd): Promise<void> {
    const last = to === whole
    const seenColumns = last ? merged(unknown, end.prepared.unknown) : unknown
    const result = await options.inTx(async tx => {
      const made = await applyPart(tx, options.deps, options.facts, part)
      const extra = last ? { read: end.prepared.read, duplicate: end.prepared.duplicates } : {}
      const all = addCounts(made.counts, extra)
      await options.save(tx, {
        position: last ? end.position : null,
        chunkDone: last ? 0 : to,
        counts: all,
        unknown: last && end.prepared.unknown.size > 0 ? seenColumns : null
      })
      if (last && end.checkpoint) await options.checkpoint?.(tx, end.checkpoint.state)
      return { ...made, counts: all }
    })
    if (last) Object.assign(unknown, seenColumns)
    take(result)
  }

  for await (const item of items) {
    if (signal.aborted) throw new Interrupted()
    n++
    const scope = item.type === 'record' ? (open.get(item.kind) ?? null) : null
    if (item.type === 'snapshot') {
      if (item.phase === 'begin') open.set(item.kind, item.scope ?? null)
      else if (open.has(item.kind)) {
        // What it did not name of a kind that another connection brings is none of its business.
        if (options.owns(item.kind)) snapshots.push({ kind: item.kind, scope: open.get(item.kind) ?? null })
        open.delete(item.kind)
      }
    }
    if (n <= from.position) continue
    if (item.type !== 'snapshot' && item.type !== 'checkpoint') {
      const wanted = !options.only || options.only.items.has(n) || (item.type !== 'ack' && options.only.kinds.has(item.kind))
      if (wanted) chunk.push({ n, item, scope })
    }
    if (item.type === 'checkpoint') await flush(item)
    else if (n % chunkSize === 0) await flush()
  }
  if (n > from.position && n % chunkSize !== 0) await flush()
  return { items: n, counts, snapshots, changes, rejects, unknown }
}

/** Errors that a record can be the cause of; everything else is about the run as a whole. */
function isOfARecord(error: unknown): boolean {
  if (
    error instanceof LeaseLost ||
    error instanceof WorkGone ||
    error instanceof Interrupted ||
    error instanceof ReceiverBug ||
    error instanceof AdapterError
  )
    return false
  return !(error instanceof Refusal && (error.kind === 'unavailable' || error.kind === 'too_many'))
}

/** A refusal that a module declared. Those of core speak of requests; under an import they mean that the database refused a value. */
const isDeclared = (error: unknown): error is Refusal => error instanceof Refusal && !Object.hasOwn(coreErrors, error.code)

/** The entry for the bin of a record that failed by an exception. What the database said may quote it, so it is not repeated. */
function refusedAlone(item: Prepared, error: unknown): PreparedReject | undefined {
  if (item.type === 'reject' || item.type === 'ack') return undefined
  const refusal = isDeclared(error) ? error : undefined
  return {
    type: 'reject',
    n: item.n,
    kind: item.kind,
    at: item.at,
    key: item.key,
    storedKey: item.storedKey,
    reject: {
      code: refusal?.code ?? 'record_failed',
      message:
        refusal?.detail ??
        'This record could not be taken over and nobody knows why yet. The operator of the service sees the cause in the log.'
    },
    source: item.type === 'record' ? item.source : undefined,
    stands: 1
  }
}

function merged(before: Readonly<Record<string, number>>, more: ReadonlyMap<string, number>): Record<string, number> {
  const out: Record<string, number> = { ...before }
  for (const [column, times] of more) {
    if (!Object.hasOwn(out, column) && Object.keys(out).length >= mostUnknownColumns) continue
    out[column] = (out[column] ?? 0) + times
  }
  return out
}
