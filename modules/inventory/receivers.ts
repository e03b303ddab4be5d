import type { Batch, Outbox, ReceiveOutcome, TxCtx } from '../../core/index.ts'
import { newId, quantity } from '../../core/index.ts'
import { blockArticles, blockLocations, saveArticles, saveLocations } from './receive-store.ts'
import { applySnapshot, isStale, type PendingMove, type Place, placeKey } from './stock-rules.ts'
import {
  addUnknownArticles,
  addUnknownLocations,
  appendMoves,
  articlesByNumber,
  type LockedLevel,
  locationsByCode,
  lockLevels,
  type Move,
  pendingOf,
  placesOfKeys,
  saveSnapshots,
  unplaced,
  unplacedOf
} from './store.ts'

const applied = (key: string): ReceiveOutcome => ({ key, status: 'applied' })

/** Where a batch names one thing twice, the later record is the truth. */
const lastOfEach = <T>(rows: readonly T[], name: (row: T) => string): T[] => [...new Map(rows.map(row => [name(row), row])).values()]

/** Articles by number; one that the ERP took away is blocked, never removed. */
export async function receiveArticles(tx: TxCtx, batch: Batch<'article'>): Promise<readonly ReceiveOutcome[]> {
  await saveArticles(
    tx,
    lastOfEach(
      batch.records.map(({ record }) => ({
        id: newId(),
        number: record.number,
        description: record.description,
        unit: record.unit,
        barcode: record.barcode ?? null,
        blocked: record.blocked ?? false
      })),
      article => article.number
    )
  )
  await blockArticles(tx, batch.closed)
  return [...batch.records.map(({ key }) => applied(key)), ...batch.closed.map(applied)]
}

/** Locations by code, with their warehouses. */
export async function receiveLocations(tx: TxCtx, batch: Batch<'location'>): Promise<readonly ReceiveOutcome[]> {
  await saveLocations(
    tx,
    lastOfEach(
      batch.records.map(({ record }) => ({
        id: newId(),
        code: record.code,
        warehouse: record.warehouse,
        description: record.description ?? null,
        blocked: record.blocked ?? false
      })),
      location => location.code
    )
  )
  await blockLocations(tx, batch.closed)
  return [...batch.records.map(({ key }) => applied(key)), ...batch.closed.map(applied)]
}

interface Wanted extends Place {
  readonly key: string | null
  readonly quantity: string
  readonly asOf: string
}

/**
 * Stock of the ERP as of an instant. A level becomes that figure plus our transactions which it does not contain; the difference is
 * a row of the ledger. Articles and places that were never sent get a row, since a stock list names them well enough.
 */
export const stockReceiver =
  (outbox: Outbox) =>
  async (tx: TxCtx, batch: Batch<'stock'>): Promise<readonly ReceiveOutcome[]> => {
    const records = batch.records
    await addUnknownLocations(
      tx,
      missing(
        records.map(r => r.record.location),
        await locationsByCode(
          tx,
          records.map(r => r.record.location)
        )
      )
    )
    const numbers = records.map(r => r.record.article)
    const unknown = new Set(missing(numbers, await articlesByNumber(tx, numbers)))
    await addUnknownArticles(
      tx,
      lastOfEach(
        records.filter(r => unknown.has(r.record.article)).map(r => ({ number: r.record.article, unit: r.record.quantity.unit })),
        article => article.number
      )
    )
    const articles = await articlesByNumber(tx, numbers)
    const locations = await locationsByCode(
      tx,
      records.map(r => r.record.location)
    )
    const outcomes: ReceiveOutcome[] = []
    const wanted: Wanted[] = []
    for (const { key, record } of records) {
      const article = articles.get(record.article)
      const location = locations.get(record.location)
      if (!article || !location) throw new Error('a row that was just made is not there')
      if (article.unit !== record.quantity.unit) {
        outcomes.push({
          key,
          status: 'rejected',
          code: 'stock_unit_differs',
          message: `Article ${article.number} is counted in ${article.unit}, this stock is in ${record.quantity.unit}. Translate the unit in the mapping.`,
          field: 'quantity',
          value: record.quantity.unit
        })
        continue
      }
      wanted.push({
        key,
        articleId: article.id,
        locationId: location.id,
        lot: record.lot ?? '',
        quantity: record.quantity.value,
        asOf: record.asOf
      })
      outcomes.push(applied(key))
    }
    const gone = await placesOfKeys(tx, batch.connectionId, batch.closed)
    // A place that is no longer named was empty at the instant of the newest figure this connection gave.
    const asOf = [...wanted.map(row => row.asOf), ...(gone.latest === null ? [] : [gone.latest])].sort(byTime).at(-1) ?? tx.clock.iso()
    for (const place of gone.places) wanted.push({ ...place, quantity: quantity.zero, asOf })
    await snapshot(tx, outbox, batch.connectionId, wanted)
    return [...outcomes, ...batch.closed.map(applied)]
  }

const byTime = (a: string, b: string): number => Date.parse(a) - Date.parse(b)

const missing = (names: readonly string[], known: ReadonlyMap<string, unknown>): string[] => [
  ...new Set(names.filter(name => !known.has(name)))
]

async function snapshot(tx: TxCtx, outbox: Outbox, connectionId: string, wanted: readonly Wanted[]): Promise<void> {
  if (wanted.length === 0) return
  const byPlace = new Map(wanted.map(row => [placeKey(row), row]))
  // What was booked without a place lies somewhere in the ERP: its list of places contains it, so here nothing of the ERP's is left.
  const nowhere = new Set(
    (
      await unplacedOf(
        tx,
        wanted.map(row => row.articleId)
      )
    ).map(placeKey)
  )
  for (const row of wanted) {
    const at = { articleId: row.articleId, locationId: unplaced.id, lot: row.lot }
    const known = byPlace.get(placeKey(at))
    if (!nowhere.has(placeKey(at)) || (known && (known.key !== null || byTime(known.asOf, row.asOf) >= 0))) continue
    byPlace.set(placeKey(at), { ...at, key: null, quantity: quantity.zero, asOf: row.asOf })
  }
  const places = [...byPlace.values()]
  const levels = await lockLevels(tx, places)
  const pending = groupBy(await pendingOf(tx, places), placeKey)
  const keys = [...pending.values()].flat().flatMap(move => (move.outboxKey === null ? [] : [move.outboxKey]))
  const settlements = new Map((keys.length === 0 ? [] : await outbox.states(tx, keys)).map(state => [state.key, state]))
  const saved: Parameters<typeof saveSnapshots>[2][number][] = []
  const contained: string[] = []
  const differences: Move[] = []
  for (const level of levels) {
    const row = byPlace.get(placeKey(level))
    if (!row || isStale(row.asOf, level.asOf)) continue
    const moves: readonly PendingMove[] = pending.get(placeKey(level)) ?? []
    const result = applySnapshot({ level: level.quantity, pending: moves }, row, key => settlements.get(key))
    saved.push({ ...place(level), level: result.level, snapshot: row.quantity, asOf: row.asOf, key: row.key })
    contained.push(...result.contained)
    if (!quantity.isZero(result.difference)) differences.push(snapshotMove(level, result.difference))
  }
  await saveSnapshots(tx, connectionId, saved, contained)
  await appendMoves(tx, newId(), differences)
}

const place = (level: LockedLevel): Place => ({ articleId: level.articleId, locationId: level.locationId, lot: level.lot })

const snapshotMove = (at: LockedLevel, difference: string): Move => ({
  id: newId(),
  kind: 'snapshot',
  articleId: at.articleId,
  locationId: at.locationId,
  lot: at.lot,
  quantity: difference,
  unit: at.unit,
  orderNumber: null,
  operationNumber: null,
  line: null,
  pickLineId: null,
  reverses: null,
  reason: null,
  outboxKey: null
})

const groupBy = <T>(rows: readonly T[], key: (row: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>()
  for (const row of rows) groups.set(key(row), [...(groups.get(key(row)) ?? []), row])
  return groups
}
