import {
  AdapterError,
  type CodeTables,
  createMapper,
  type ImportItem,
  type Mapper,
  type MappingSet
} from '../../adapters/contract/index.ts'
import type { Ctx, TxCtx } from '../context.ts'
import { Refusal } from '../errors.ts'
import { sha256 } from '../ids.ts'
import type { Change } from './apply.ts'
import { type Counts, findWork, noCounts, type PendingClose } from './apply-store.ts'
import { type RawDelivery, rawFromBytes, rawOf } from './delivery-source.ts'
import { refuseExchange } from './errors.ts'
import { type ImportDeps, itemsOf, ownersOf, snapshotKindsOf } from './import.ts'
import { mappingComplaints } from './mapping-check.ts'
import type { NewReject } from './rejects-store.ts'
import { rolledBack } from './rolled-back.ts'
import { runItems } from './run.ts'
import { type ConnectionRuntime, openConnection } from './runtime.ts'
import { planClosing } from './snapshot-close.ts'

/** Most items that one dry run looks at; it happens in one transaction. */
const mostItems = 20_000
const mostShown = 500
const mostSample = 20

export type DryRunSource = { readonly name: string; readonly bytes: Uint8Array } | { readonly deliveryId: string }

export interface DryRunResult {
  /** The delivery as a whole would be refused, and why. */
  readonly refused: { readonly code: string; readonly detail: string } | null
  readonly items: number
  /** The file is longer than a dry run looks. */
  readonly cut: boolean
  readonly counts: Counts
  /** New, changed, stale, closed, held and rejected; at most 500, without what stays as it is. */
  readonly changes: readonly Change[]
  readonly rejects: readonly NewReject[]
  /** What a snapshot in it would close. */
  readonly closings: readonly PendingClose[]
  readonly unknownColumns: Readonly<Record<string, number>>
  /** The first rows, before and after the mapping; a row that ended the reading has neither record nor reject. */
  readonly sample: readonly SampleRow[]
}

export interface SampleRow {
  readonly kind: string
  readonly line: number | null
  readonly pointer: string | null
  readonly source: Readonly<Record<string, unknown>>
  readonly record: Record<string, unknown> | null
  readonly reject: { readonly code: string; readonly message: string; readonly field: string | null } | null
}

/** Mapping and code tables that are tried instead of the stored ones. */
export interface Candidate {
  readonly mapping: MappingSet
  readonly codeTables: CodeTables
}

/**
 * What a file, or a delivery once more, would do today: parsed, mapped, checked, compared and handed to the modules in a transaction
 * that is rolled back. Nothing is written, no acknowledgement is taken, nothing leaves the house.
 */
export async function dryRun(
  deps: ImportDeps,
  ctx: Ctx,
  connectionId: string,
  source: DryRunSource,
  candidate?: Candidate
): Promise<DryRunResult> {
  const stored = await openConnection(ctx, deps.adapters, connectionId)
  const sample: SampleRow[] = []
  const runtime = watched(candidate ? tried(stored, candidate) : stored, sample)
  const from = await rawOfSource(deps, ctx, runtime, source)
  const none: DryRunResult = {
    refused: null,
    items: 0,
    cut: false,
    counts: noCounts,
    changes: [],
    rejects: [],
    closings: [],
    unknownColumns: {},
    sample
  }
  if (from.raw.size === 0) return { ...none, refused: { code: 'import_payload', detail: 'The file is empty.' } }
  const items: ImportItem[] = []
  let cut = false
  const signal = AbortSignal.timeout(60_000)
  try {
    for await (const item of await itemsOf(deps, ctx, runtime, from.way, from.raw, signal)) {
      if (items.length >= mostItems) {
        cut = true
        break
      }
      items.push(item)
    }
  } catch (error) {
    if (error instanceof Refusal && error.kind !== 'unavailable')
      return { ...none, items: items.length, refused: { code: error.code, detail: error.detail } }
    if (!(error instanceof AdapterError)) throw error
    return { ...none, items: items.length, refused: { code: `import_${error.cls.replace('-', '_')}`, detail: error.message } }
  }
  const owners = await ownersOf(ctx, connectionId)
  const never = Number.MAX_SAFE_INTEGER
  const facts = {
    connectionId,
    deliveryId: null,
    seen: never,
    // A new file would arrive after everything that is here; a delivery keeps its place.
    arrival: from.arrival ?? never,
    snapshotKinds: snapshotKindsOf(runtime),
    hasOpenRejects: false
  }
  try {
    return await rolledBack(ctx, async (tx, inTx) => {
      const save = async (): Promise<void> => {}
      const result = await runItems(
        each(items),
        { position: 0, chunkDone: 0 },
        {
          ctx,
          deps: { receivers: deps.receivers, applyAck: async () => 'unchanged' },
          facts,
          ...owners,
          inTx,
          save,
          signal,
          collect: mostShown
        }
      )
      const keyless = new Map<string, number>()
      for (const reject of result.rejects) if (reject.key === undefined) keyless.set(reject.kind, (keyless.get(reject.kind) ?? 0) + 1)
      const closings = cut ? [] : await closingsOf(ctx, deps, tx, facts, result.snapshots, keyless)
      return {
        refused: null,
        items: result.items,
        cut,
        counts: result.counts,
        changes: result.changes,
        rejects: result.rejects,
        closings,
        unknownColumns: result.unknown,
        sample
      }
    })
  } catch (error) {
    if (error instanceof Refusal && error.kind !== 'unavailable')
      return { ...none, items: items.length, refused: { code: error.code, detail: error.detail } }
    throw error
  }
}

/** The connection with another mapping. Refuses `mapping_invalid`. */
export function tried(runtime: ConnectionRuntime, { mapping, codeTables }: Candidate): ConnectionRuntime {
  const problems = mappingComplaints(runtime.manifest, mapping, codeTables)
  if (problems.length > 0)
    throw refuseExchange('mapping_invalid', `The mapping has ${problems.length} fault(s); see errors.`, { errors: problems.slice(0, 50) })
  return { ...runtime, mapping, codeTables, mapper: createMapper({ mapping, codeTables, timeZone: runtime.timeZone }) }
}

/** Keeps the first rows that the adapter hands to the mapper. */
function watched(runtime: ConnectionRuntime, sample: SampleRow[]): ConnectionRuntime {
  const row: Mapper['row'] = (kind, source, at) => {
    const place = sample.length
    const shown = { kind, line: at?.line ?? null, pointer: at?.pointer ?? null, source, record: null, reject: null }
    if (place < mostSample) sample.push(shown)
    const item = runtime.mapper.row(kind, source, at)
    if (place < mostSample) {
      sample[place] =
        item.type === 'reject'
          ? { ...shown, reject: { code: item.reject.code, message: item.reject.message, field: item.reject.field ?? null } }
          : { ...shown, record: { ...item.record } }
    }
    return item
  }
  return { ...runtime, mapper: { ...runtime.mapper, row } }
}

async function closingsOf(
  ctx: Ctx,
  deps: ImportDeps,
  tx: TxCtx,
  facts: { connectionId: string; deliveryId: null; seen: number; arrival: number },
  snapshots: Parameters<typeof planClosing>[1],
  keyless: ReadonlyMap<string, number>
): Promise<readonly PendingClose[]> {
  const options = { ctx, receivers: deps.receivers, ...facts, inTx: <R>(fn: (tx: TxCtx) => Promise<R>) => fn(tx), save: async () => {} }
  return (await planClosing(options, snapshots, keyless)).all
}

async function rawOfSource(
  deps: ImportDeps,
  ctx: Ctx,
  runtime: ConnectionRuntime,
  source: DryRunSource
): Promise<{ raw: RawDelivery; way: string; arrival: number | undefined }> {
  if ('name' in source) {
    const raw = rawFromBytes(source.name, source.bytes, sha256(source.bytes).toString('hex'), ctx.clock.iso())
    const routes = Object.values(runtime.manifest.imports).flatMap(capability => capability.routes ?? [])
    const called = runtime.adapter.import?.file === undefined || routes.includes(source.name)
    return { raw, way: called ? 'http' : 'sftp', arrival: undefined }
  }
  const delivery = await findWork(ctx, source.deliveryId)
  if (!delivery || delivery.connectionId !== runtime.id) throw refuseExchange('delivery_unknown', 'This connection has no such delivery.')
  const origin = delivery.replayOf === null ? delivery : ((await findWork(ctx, delivery.replayOf)) ?? delivery)
  if (origin.blobId === null) throw refuseExchange('delivery_raw_gone', 'The bytes of this delivery are no longer kept.')
  return { raw: rawOf(ctx, deps.blobs, origin), way: origin.way, arrival: Number(origin.seq) }
}

async function* each<T>(items: readonly T[]): AsyncIterable<T> {
  yield* items
}
