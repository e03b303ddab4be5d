import { sql } from 'kysely'
import { type ExportBatch, type ExportItem, type ExportRecords, shortKey } from '../../adapters/contract/index.ts'
import type { Ctx, TxCtx } from '../context.ts'
import { newId } from '../ids.ts'
import { own, type Stored } from './outbox-store.ts'
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
  await sql`update exchange.batch set state = 'closed', changed_at = ${tx.clock.iso()}::timestamptz
    where connection_id = ${connectionId}::uuid and state = 'open' and ordering_key = any(${made.map(b => b.orderingKey)}::text[])`.execute(
    own(tx)
  )
  const sealed = made.map(batch => tx.tenant.keys.seal(JSON.stringify([...batch.records]), bound(batch.id)).toString('hex'))
  await sql`
    insert into exchange.batch (id, connection_id, ordering_key, key, items_sealed, state)
    select b.id, ${connectionId}::uuid, b.ordering_key, b.key, decode(b.sealed, 'hex'), 'open'
    from unnest(${made.map(b => b.id)}::uuid[], ${made.map(b => b.orderingKey)}::text[], ${made.map(b => b.key)}::text[], ${sealed}::text[])
      as b (id, ordering_key, key, sealed)`.execute(own(tx))
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
  const { rows } = await sql<{ id: string; key: string; ordering_key: string; items_sealed: Buffer }>`
    select id, key, ordering_key, items_sealed from exchange.batch where id = any(${ids}::uuid[])`.execute(own(c))
  const read = (row: { id: string; items_sealed: Buffer }): [string, ExportRecords[keyof ExportRecords]][] =>
    JSON.parse(c.tenant.keys.openText(row.items_sealed, bound(row.id))) as [string, ExportRecords[keyof ExportRecords]][]
  return new Map(rows.map(row => [row.id, { id: row.id, key: row.key, orderingKey: row.ordering_key, records: new Map(read(row)) }]))
}

/** Closes batches of which nothing is under way any more, so that the next of their ordering key may be made. */
export async function closeBatches(tx: TxCtx, ids: readonly string[]): Promise<void> {
  await sql`update exchange.batch b set state = 'closed', changed_at = ${tx.clock.iso()}::timestamptz
    where b.id = any(${ids}::uuid[]) and b.state = 'open' and not exists (select 1 from exchange.outbox o
      where o.batch_id = b.id and o.state in ('sealed', 'sending', 'unknown', 'parked'))`.execute(own(tx))
}

/** Takes a message out of its batch, so that it is sealed anew: after a fix its bytes differ. */
export async function unseal(tx: TxCtx, seq: string): Promise<void> {
  await sql`update exchange.outbox set batch_id = null, state = 'waiting', changed_at = ${tx.clock.iso()}::timestamptz where seq = ${seq}::bigint`.execute(
    own(tx)
  )
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
