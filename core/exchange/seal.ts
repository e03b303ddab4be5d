import { type ExportBatch, type ExportItem, type ExportRecords, shortKey } from '../../adapters/contract/index.ts'
import type { Ctx, TxCtx } from '../context.ts'
import { newId } from '../ids.ts'
import { type BatchRow, batchRows, closeOpenBatches, insertBatches } from './batch-store.ts'
import type { Stored } from './outbox-store.ts'
import type { Sendable } from './sending-store.ts'

/** A batch as stored: its key and, sealed, the records exactly as first sent. */
export interface SealedBatch {
  readonly id: string
  readonly key: string
  readonly orderingKey: string
  /** Message key -> record with the ERP's own words for people. */
  readonly records: ReadonlyMap<string, ExportRecords[keyof ExportRecords]>
}

const bound = (id: string) => ({ table: 'exchange.batch', column: 'items_sealed', row: id }) as const

/** Seals waiting messages, grouped by ordering key, into batches, set-wise: stored before the first attempt, which names them. */
export async function sealBatches(
  tx: TxCtx,
  connectionId: string,
  groups: readonly { orderingKey: string; rows: readonly Stored[] }[],
  refs: ReadonlyMap<string, string>
): Promise<{ readonly batch: SealedBatch; readonly rows: readonly Stored[] }[]> {
  const made = groups.map(({ orderingKey, rows }) => {
    const id = newId()
    const records = new Map(rows.map(row => [row.key, recordOf(row, refs)]))
    return { id, key: `batch-${id}`, orderingKey, records, rows }
  })
  if (made.length === 0) return []
  // An earlier batch of the key may still hold a message behind these (one was refused, fixed and sealed anew): its bytes stay as they are.
  await closeOpenBatches(
    tx,
    connectionId,
    made.map(b => b.orderingKey)
  )
  const sealed = made.map(batch => ({ ...batch, sealed: tx.tenant.keys.seal(JSON.stringify([...batch.records]), bound(batch.id)) }))
  await insertBatches(tx, connectionId, sealed)
  return made.map(({ rows, ...batch }) => ({ batch, rows }))
}

/** An employee stands in the outbox by our id; the ERP's number is put in only here, where the bytes are sealed. */
function recordOf(row: Stored, refs: ReadonlyMap<string, string>): ExportRecords[keyof ExportRecords] {
  const record = row.record as ExportRecords[keyof ExportRecords]
  if (row.kind !== 'labour') return record
  const { employee } = record as ExportRecords['labour']
  return { ...(record as ExportRecords['labour']), employee: refs.get(employee) ?? '' }
}

/** Batches as they were sealed. */
export async function batchesById(c: Ctx, ids: readonly string[]): Promise<ReadonlyMap<string, SealedBatch>> {
  if (ids.length === 0) return new Map()
  const rows = await batchRows(c, ids)
  const read = (row: BatchRow): [string, ExportRecords[keyof ExportRecords]][] =>
    JSON.parse(c.tenant.keys.openText(row.items_sealed, bound(row.id))) as [string, ExportRecords[keyof ExportRecords]][]
  return new Map(rows.map(row => [row.id, { id: row.id, key: row.key, orderingKey: row.ordering_key, records: new Map(read(row)) }]))
}

/** The batch as the adapter gets it. */
export function exportBatch(batch: SealedBatch, rows: readonly Stored[]): ExportBatch {
  return {
    key: batch.key,
    shortKey: length => shortKey(batch.key, length),
    items: rows.map(
      row =>
        ({
          key: row.key,
          shortKey: (length: number) => shortKey(row.key, length),
          kind: row.kind,
          record: batch.records.get(row.key),
          orderingKey: row.ordering_key,
          seq: Number(row.ordering_seq),
          attempt: row.attempts + 1,
          previous: row.previous
        }) as ExportItem
    )
  }
}

/**
 * What may go next of each ordering key, from messages with their places in it: those of the batch that the first one is sealed in, or
 * unsealed ones. What comes behind them waits for the next round.
 */
export function headGroups(rows: readonly Sendable[]): Stored[][] {
  const groups = new Map<string, Sendable[]>()
  for (const row of [...rows].sort((a, b) => a.place - b.place)) {
    const group = groups.get(row.ordering_key) ?? []
    groups.set(row.ordering_key, group)
    if (row.place === group.length + 1 && (group[0] ?? row).batch_id === row.batch_id) group.push(row)
  }
  return [...groups.values()].filter(group => group.length > 0)
}
