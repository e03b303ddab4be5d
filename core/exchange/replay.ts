import { type ImportItem, type ImportKind, importKinds, type Mapper } from '../../adapters/contract/index.ts'
import type { Ctx } from '../context.ts'
import { withTx } from '../db/tx.ts'
import { Refusal } from '../errors.ts'
import { type Lease, LeaseLost } from '../tasks/lease.ts'
import { closeEntries, closeReplaying, type KeptRow, reopen, waitingReplays } from './error-bin-store.ts'
import { type ImportDeps, ownersOf, snapshotKindsOf } from './import.ts'
import type { Source } from './import-items.ts'
import { bound, causeOf, type NewReject, putBack, withoutValues } from './rejects-store.ts'
import { Interrupted, runItems } from './run.ts'
import type { ConnectionRuntime } from './runtime.ts'
import { storable } from './storable.ts'

const atOnce = 500

/**
 * Replays single entries of the error bin whose replay somebody asked for: the kept row, or what a person put in its place, goes
 * through today's mapping and the same way as the first time. What fails again keeps its place in the bin.
 */
export async function replayWaiting(deps: ImportDeps, ctx: Ctx, runtime: ConnectionRuntime, lease: Lease): Promise<void> {
  const acting: Ctx = { ...ctx, principal: { kind: 'connection', id: runtime.id } }
  for (;;) {
    const waiting = await waitingReplays(acting, runtime.id, atOnce)
    if (waiting.length === 0) return
    // Records without a revision are ordered by the arrival of their delivery, so each arrival is a run of its own.
    for (const arrival of new Set(waiting.map(row => row.arrival))) {
      const group = waiting.filter(row => row.arrival === arrival)
      try {
        await replayGroup(deps, acting, runtime, lease, Number(arrival), group)
      } catch (error) {
        await leaveInBin(acting, lease, group, error)
      }
    }
  }
}

/** A replay that fails as a whole waits for a person again: tried for ever, it would keep everything behind it waiting. */
async function leaveInBin(ctx: Ctx, lease: Lease, group: readonly KeptRow[], error: unknown): Promise<void> {
  if (error instanceof LeaseLost || error instanceof Interrupted || lease.signal.aborted) throw error
  if (error instanceof Refusal && error.kind === 'unavailable') throw error
  ctx.log.error({ err: error, entries: group.length }, 'a replay from the error bin failed')
  await withTx(ctx, async tx => {
    await lease.check(tx)
    await putBack(
      tx,
      group.map(row => row.id)
    )
  })
}

async function replayGroup(
  deps: ImportDeps,
  ctx: Ctx,
  runtime: ConnectionRuntime,
  lease: Lease,
  arrival: number,
  waiting: readonly KeptRow[]
): Promise<void> {
  const owners = await ownersOf(ctx, runtime.id)
  const { keys } = ctx.tenant
  const failedAgain = (
    row: KeptRow,
    reject: Pick<NewReject, 'code' | 'message' | 'field' | 'value' | 'table'> & { source: Source | undefined }
  ) => {
    const value = reject.table?.value ?? reject.value
    return {
      id: row.id,
      code: storable(reject.code.slice(0, 80)),
      message: withoutValues({ ...reject, item: null, kind: row.kind, key: undefined, at: undefined }),
      field: storable(reject.field ?? '') || null,
      value: value === undefined ? null : keys.seal(value, bound('value_sealed', row.id)),
      codeTable: reject.table?.name ?? null,
      cause: causeOf(keys, reject)
    }
  }
  const items = waiting.map(row => ({ row, item: itemOf(ctx, runtime.mapper, row) }))
  const unfit = items.filter(({ row, item }) => item === undefined || !owners.owns(row.kind as ImportKind))
  const fit = items.filter(entry => !unfit.includes(entry))
  if (unfit.length > 0) {
    await withTx(ctx, async tx => {
      await lease.check(tx)
      const why = (row: KeptRow, item: ImportItem | undefined): { code: string; message: string } =>
        item === undefined
          ? { code: 'row_not_kept', message: 'The row is not kept. Replay its delivery, or let the ERP send the record again.' }
          : { code: 'kind_not_owned', message: owners.whyNot(row.kind as ImportKind) }
      await reopen(
        tx,
        unfit.map(({ row, item }) =>
          failedAgain(row, { ...why(row, item), field: undefined, value: undefined, table: undefined, source: undefined })
        )
      )
    })
  }
  if (fit.length === 0) return
  const rowAt = (n: number): KeptRow | undefined => fit[n - 1]?.row

  await runItems(
    each(fit.flatMap(({ item }) => (item === undefined ? [] : [item]))),
    { position: 0, chunkDone: 0 },
    {
      ctx,
      deps: {
        receivers: deps.receivers,
        applyAck: deps.applyAck,
        bin: async (tx, rejects, part) => {
          const failed = new Map(rejects.map(reject => [reject.item, reject]))
          const through = part.flatMap(p => (failed.has(p.n) ? [] : [rowAt(p.n)?.id ?? []].flat()))
          await closeEntries(tx, through, 'resolved', 'host', 'replayed')
          await reopen(
            tx,
            rejects.flatMap(reject => {
              const row = rowAt(reject.item ?? 0)
              return row ? [failedAgain(row, reject)] : []
            })
          )
        }
      },
      facts: {
        connectionId: runtime.id,
        deliveryId: null,
        seen: arrival,
        arrival,
        snapshotKinds: snapshotKindsOf(runtime),
        hasOpenRejects: true
      },
      ...owners,
      inTx: fn =>
        withTx(ctx, async tx => {
          await lease.check(tx)
          return fn(tx)
        }),
      // Entries of one key: the later one stands for both.
      save: async (tx, progress) => {
        if (progress.position !== null)
          await closeReplaying(
            tx,
            fit.map(({ row }) => row.id)
          )
      },
      signal: lease.signal,
      collect: 0
    }
  )
}

/** The kept row of an entry as an item, or `instead` in its place. @returns undefined when no row is kept */
export function itemOf(ctx: Ctx, mapper: Mapper, row: KeptRow, instead?: Readonly<Record<string, unknown>>): ImportItem | undefined {
  const kind = importKinds.find(known => known === row.kind)
  const sealed = row.edited ?? row.row
  if (!kind || !sealed) return undefined
  const kept = JSON.parse(ctx.tenant.keys.openText(sealed, bound(row.edited ? 'edited_sealed' : 'row_sealed', row.id))) as Source
  const source: Source = instead === undefined ? kept : 'row' in kept ? { row: instead } : { record: instead }
  const at = { ...(row.line === null ? {} : { line: row.line }), ...(row.pointer === null ? {} : { pointer: row.pointer }) }
  return toItem(mapper, kind, source, at)
}

/** A kept row as an item again; a record that an adapter made itself is taken as it is and checked like any other. */
export function toItem(mapper: Mapper, kind: ImportKind, source: Source, at: { line?: number; pointer?: string }): ImportItem {
  if ('row' in source) {
    // A row that was edited stands alone: a column that is missing is one bad row, not another format of the file.
    const { line: _line, ...place } = at
    const made = mapper.row(kind, source.row, place)
    return { ...made, at } as ImportItem
  }
  return { type: 'record', kind, key: keyIn(kind, source.record), record: source.record, at } as ImportItem
}

function keyIn(kind: ImportKind, record: Readonly<Record<string, unknown>>): string {
  const text = (name: string): string => (typeof record[name] === 'string' ? (record[name] as string) : '')
  if (kind === 'stock') return [text('article'), text('location'), text('lot')].join('|')
  return text(kind === 'location' ? 'code' : kind === 'employee' ? 'key' : 'number')
}

async function* each<T>(items: readonly T[]): AsyncIterable<T> {
  yield* items
}
