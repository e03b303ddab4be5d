import type { Ctx } from '../context.ts'
import { addCounts, type Counts, noCounts } from './apply-store.ts'
import { tried } from './dry-run.ts'
import { type BinEntry, findEntry, type KeptRow, keptRows, openOfCause } from './error-bin-store.ts'
import { refuseExchange } from './errors.ts'
import { type ImportDeps, ownersOf, snapshotKindsOf } from './import.ts'
import { bound, type NewReject } from './rejects-store.ts'
import { itemOf } from './replay.ts'
import { rolledBack } from './rolled-back.ts'
import { runItems } from './run.ts'
import { type ConnectionRuntime, openConnection } from './runtime.ts'

/** Most entries of one cause that a trial looks at; it happens in one transaction. */
const mostTried = 1_000

export interface Trial {
  readonly which: 'one' | 'same_cause'
  /** Tried in the place of the row; for one entry only. */
  readonly row?: Readonly<Record<string, unknown>> | undefined
  /** Tried as the missing translation. */
  readonly ours?: string | undefined
}

export interface TrialResult {
  /** Open entries of the cause, or one. */
  readonly count: number
  /** How many of them were tried: those whose row is kept, at most 1,000. */
  readonly tried: number
  readonly counts: Counts
  /** Fields of ours that would change. */
  readonly fields: readonly string[]
  /** The first that would be refused again. */
  readonly reject: NewReject | null
}

/**
 * What a replay of an entry, or of all open ones of its cause, would do now: with today's mapping, another row or a translation that is
 * not stored yet. Everything happens as in a replay, in a transaction that is rolled back.
 */
export async function tryEntries(deps: ImportDeps, ctx: Ctx, id: string, trial: Trial): Promise<TrialResult> {
  const entry = await findEntry(ctx, id)
  if (!entry) throw refuseExchange('reject_unknown', 'There is no such entry in the error bin.')
  if (entry.state !== 'open' || entry.direction === 'out')
    throw refuseExchange('reject_state', 'Only an open entry of what came in can be tried.')
  const entries = trial.which === 'one' ? [entry] : await openOfCause(ctx, entry.connection_id, entry.cause)
  const rows = (
    await keptRows(
      ctx,
      entries.slice(0, mostTried).map(one => one.id)
    )
  ).filter(row => row.row !== null || row.edited !== null)
  if (rows.length === 0) throw refuseExchange('reject_without_row', 'The row of this entry is not kept, so there is nothing to try.')
  const stored = await openConnection(ctx, deps.adapters, entry.connection_id)
  const runtime = trial.ours === undefined ? stored : translated(ctx, stored, entry, trial.ours)
  const result = await run(deps, ctx, runtime, rows, trial.which === 'one' ? trial.row : undefined)
  return { count: entries.length, tried: rows.length, ...result }
}

function translated(ctx: Ctx, runtime: ConnectionRuntime, entry: BinEntry, ours: string): ConnectionRuntime {
  if (entry.code_table === null || entry.value_sealed === null)
    throw refuseExchange('reject_without_table', 'A missing translation is not the cause of this entry.')
  const theirs = ctx.tenant.keys.openText(entry.value_sealed, bound('value_sealed', entry.id))
  const { mapping, codeTables } = runtime
  return tried(runtime, { mapping, codeTables: { ...codeTables, [entry.code_table]: { ...codeTables[entry.code_table], [theirs]: ours } } })
}

async function run(
  deps: ImportDeps,
  ctx: Ctx,
  runtime: ConnectionRuntime,
  rows: readonly KeptRow[],
  instead: Readonly<Record<string, unknown>> | undefined
): Promise<Omit<TrialResult, 'count' | 'tried'>> {
  const owners = await ownersOf(ctx, runtime.id)
  const signal = AbortSignal.timeout(60_000)
  return rolledBack(ctx, async (_, inTx) => {
    let counts = noCounts
    const fields = new Set<string>()
    let reject: NewReject | null = null
    // As in a replay: records without a revision are ordered by the arrival of their delivery.
    for (const arrival of new Set(rows.map(row => row.arrival))) {
      const result = await runItems(
        each(rows.filter(row => row.arrival === arrival).flatMap(row => itemOf(ctx, runtime.mapper, row, instead) ?? [])),
        { position: 0, chunkDone: 0 },
        {
          ctx,
          deps: { receivers: deps.receivers, applyAck: async () => 'unchanged' },
          facts: {
            connectionId: runtime.id,
            deliveryId: null,
            seen: Number(arrival),
            arrival: Number(arrival),
            snapshotKinds: snapshotKindsOf(runtime),
            hasOpenRejects: false
          },
          ...owners,
          inTx,
          save: async () => {},
          signal,
          collect: mostTried
        }
      )
      counts = addCounts(counts, result.counts)
      for (const change of result.changes) for (const field of change.fields) fields.add(field)
      reject ??= result.rejects[0] ?? null
    }
    return { counts, fields: [...fields].sort(), reject }
  })
}

async function* each<T>(items: readonly T[]): AsyncIterable<T> {
  yield* items
}
