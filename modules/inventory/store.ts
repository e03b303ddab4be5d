import { sql } from 'kysely'
import { any, type Ctx, newId, type TxCtx, view } from '../../core/index.ts'
import type { MoveKind, PendingMove, Place } from './stock-rules.ts'
import type { ArticleRow, InventoryTables } from './tables.ts'

export const own = view<InventoryTables>()

/** The built-in place for stock of which nobody said where it lies (migration 0006). */
export const unplaced = { id: '00000000-0000-7000-8000-000000000001', code: '-' } as const

// ---- articles and locations ----------------------------------------------------------------------------------------------------

export const articleColumns = [
  'id',
  'number',
  'known',
  'description',
  'unit',
  'barcode',
  'blocked',
  'backflush'
] as const satisfies readonly (keyof ArticleRow)[]
export interface Article {
  readonly id: string
  readonly number: string
  readonly known: boolean
  readonly description: string
  readonly unit: string
  readonly barcode: string | null
  readonly blocked: boolean
  readonly backflush: ArticleRow['backflush']
}

export async function articlesByNumber(c: Ctx | TxCtx, numbers: readonly string[]): Promise<ReadonlyMap<string, Article>> {
  if (numbers.length === 0) return new Map()
  const rows = await own(c).selectFrom('inventory.article').select(articleColumns).where('number', '=', any(numbers)).execute()
  return new Map(rows.map(row => [row.number, row]))
}

/** Articles of which only the number is known get a row, so that stock and consumption can name them. */
export async function addUnknownArticles(
  tx: TxCtx,
  articles: readonly { readonly number: string; readonly unit: string }[]
): Promise<void> {
  if (articles.length === 0) return
  await sql`
    insert into inventory.article (id, number, known, description, unit)
    select id, number, false, number, unit
      from unnest(${articles.map(newId)}::uuid[], ${articles.map(a => a.number)}::text[], ${articles.map(a => a.unit)}::text[]) as a(id, number, unit)
     order by number
        on conflict (number) do nothing`.execute(own(tx))
}

export interface Location {
  readonly id: string
  readonly code: string
  readonly warehouse_code: string
  readonly blocked: boolean
}

export async function locationsByCode(c: Ctx | TxCtx, codes: readonly string[]): Promise<ReadonlyMap<string, Location>> {
  if (codes.length === 0) return new Map()
  const rows = await own(c)
    .selectFrom('inventory.location')
    .select(['id', 'code', 'warehouse_code', 'blocked'])
    .where('code', '=', any(codes))
    .execute()
  return new Map(rows.map(row => [row.code, row]))
}

export async function addUnknownLocations(tx: TxCtx, codes: readonly string[]): Promise<void> {
  if (codes.length === 0) return
  await sql`
    insert into inventory.location (id, code, warehouse_code)
    select id, code, ${unplaced.code} from unnest(${codes.map(newId)}::uuid[], ${codes}::text[]) as l(id, code) order by code
        on conflict (code) do nothing`.execute(own(tx))
}

/** Per article the open location with most of it, for who did not say a place. */
export async function fullestLocations(
  tx: TxCtx,
  wanted: readonly { readonly articleId: string; readonly lot: string }[]
): Promise<readonly { articleId: string; lot: string; id: string; code: string }[]> {
  if (wanted.length === 0) return []
  const { rows } = await sql<{ articleId: string; lot: string; id: string; code: string }>`
    select distinct on (v.article_id, v.lot) v.article_id as "articleId", v.lot, l.id, l.code
      from unnest(${wanted.map(w => w.articleId)}::uuid[], ${wanted.map(w => w.lot)}::text[]) as w(article_id, lot)
      join inventory.level v on v.article_id = w.article_id and v.lot = w.lot and v.quantity > 0
      join inventory.location l on l.id = v.location_id and not l.blocked
     order by v.article_id, v.lot, v.quantity desc, l.code`.execute(own(tx))
  return rows
}

// ---- levels and ledger -----------------------------------------------------------------------------------------------------------

/**
 * Adds to levels in the fixed order article, location, lot: concurrent acts on the same places wait for each other in the same
 * order, so none is lost and none deadlocks. @returns the levels as they are now
 */
export async function addToLevels(
  tx: TxCtx,
  sums: readonly (Place & { readonly quantity: string })[]
): Promise<readonly (Place & { quantity: string })[]> {
  const { rows } = await sql<Place & { quantity: string }>`
    insert into inventory.level (article_id, location_id, lot, quantity)
    select a, l, t, q
      from unnest(${sums.map(s => s.articleId)}::uuid[], ${sums.map(s => s.locationId)}::uuid[], ${sums.map(s => s.lot)}::text[],
                  ${sums.map(s => s.quantity)}::numeric[]) as s(a, l, t, q)
     order by a, l, t collate "C"
        on conflict (article_id, location_id, lot)
           do update set quantity = inventory.level.quantity + excluded.quantity, changed_at = now()
    returning article_id as "articleId", location_id as "locationId", lot, quantity`.execute(own(tx))
  return rows
}

/** One row for the ledger; `quantity` signed. */
export interface Move extends Place {
  readonly id: string
  readonly kind: MoveKind
  readonly quantity: string
  readonly unit: string
  readonly orderNumber: string | null
  readonly operationNumber: string | null
  readonly line: string | null
  readonly pickLineId: string | null
  readonly reverses: string | null
  readonly reason: string | null
  readonly outboxKey: string | null
}

/** Appends to the ledger; what is ours (everything but snapshots) is pending until a snapshot contains it. */
export async function appendMoves(tx: TxCtx, actId: string, moves: readonly Move[]): Promise<void> {
  if (moves.length === 0) return
  const col = <T>(of: (move: Move) => T): T[] => moves.map(of)
  await sql`
    with moved as (
      insert into inventory.ledger (id, kind, article_id, location_id, lot, quantity, unit, order_number, operation_number, line,
                                    pick_line_id, reverses, reason, outbox_key, act_id, moved_by, at)
      select m.*, ${actId}::uuid, ${`${tx.principal.kind}:${tx.principal.id}`}, ${tx.clock.iso()}::timestamptz
        from unnest(${col(m => m.id)}::uuid[], ${col(m => m.kind)}::text[], ${col(m => m.articleId)}::uuid[], ${col(m => m.locationId)}::uuid[],
                    ${col(m => m.lot)}::text[], ${col(m => m.quantity)}::numeric[], ${col(m => m.unit)}::text[], ${col(m => m.orderNumber)}::text[],
                    ${col(m => m.operationNumber)}::text[], ${col(m => m.line)}::text[], ${col(m => m.pickLineId)}::uuid[],
                    ${col(m => m.reverses)}::uuid[], ${col(m => m.reason)}::text[], ${col(m => m.outboxKey)}::text[]) as m
      returning id, kind, article_id, location_id, lot, quantity, outbox_key, at)
    insert into inventory.pending (ledger_id, article_id, location_id, lot, quantity, outbox_key, at)
    select id, article_id, location_id, lot, quantity, outbox_key, at from moved where kind <> 'snapshot'`.execute(own(tx))
}

/** The ledger row that a message told of. */
export const moveOfMessage = (tx: TxCtx, outboxKey: string) =>
  own(tx)
    .selectFrom('inventory.ledger as g')
    .innerJoin('inventory.location as l', 'l.id', 'g.location_id')
    .select(['g.id', 'g.location_id', 'l.code', 'g.lot'])
    .where('g.outbox_key', '=', outboxKey)
    .executeTakeFirst()

export const negativeStock = async (c: Ctx | TxCtx): Promise<'block' | 'warn'> =>
  (await own(c).selectFrom('inventory.setting').select('negative_stock').executeTakeFirstOrThrow()).negative_stock

export interface LockedLevel extends Place {
  readonly quantity: string
  readonly asOf: string | null
  /** of the article */
  readonly unit: string
}

/** Makes missing levels and locks them all, in the fixed order. */
export async function lockLevels(tx: TxCtx, places: readonly Place[]): Promise<readonly LockedLevel[]> {
  const lists = sql`unnest(${places.map(p => p.articleId)}::uuid[], ${places.map(p => p.locationId)}::uuid[], ${places.map(p => p.lot)}::text[]) as p(a, l, t)`
  await sql`
    insert into inventory.level (article_id, location_id, lot) select a, l, t from ${lists} order by a, l, t collate "C"
        on conflict (article_id, location_id, lot) do nothing`.execute(own(tx))
  const { rows } = await sql<LockedLevel>`
    select v.article_id as "articleId", v.location_id as "locationId", v.lot, v.quantity, v.snapshot_as_of as "asOf", a.unit
      from inventory.level v join ${lists} on v.article_id = p.a and v.location_id = p.l and v.lot = p.t
      join inventory.article a on a.id = v.article_id
     order by v.article_id, v.location_id, v.lot collate "C"
       for update of v`.execute(own(tx))
  return rows
}

export async function pendingOf(tx: TxCtx, places: readonly Place[]): Promise<readonly (Place & PendingMove)[]> {
  const { rows } = await sql<Place & PendingMove>`
    select n.article_id as "articleId", n.location_id as "locationId", n.lot, n.ledger_id as id, n.quantity, n.at, n.outbox_key as "outboxKey"
      from inventory.pending n
      join unnest(${places.map(p => p.articleId)}::uuid[], ${places.map(p => p.locationId)}::uuid[], ${places.map(p => p.lot)}::text[]) as p(a, l, t)
        on n.article_id = p.a and n.location_id = p.l and n.lot = p.t`.execute(own(tx))
  return rows
}

/** Levels of these articles at the place that nobody stated. */
export async function unplacedOf(tx: TxCtx, articleIds: readonly string[]): Promise<readonly Place[]> {
  const { rows } = await sql<Place>`
    select article_id as "articleId", location_id as "locationId", lot from inventory.level
     where article_id = any(${articleIds}::uuid[]) and location_id = ${unplaced.id}::uuid`.execute(own(tx))
  return rows
}

/** Writes the levels after a snapshot and drops what it contains from the pending ones. */
export async function saveSnapshots(
  tx: TxCtx,
  connectionId: string,
  rows: readonly (Place & { level: string; snapshot: string; asOf: string; key: string | null })[],
  contained: readonly string[]
): Promise<void> {
  await sql`
    with settled as (delete from inventory.pending where ledger_id = any(${contained}::uuid[]))
    update inventory.level v
       set quantity = s.level, snapshot_quantity = s.snapshot, snapshot_as_of = s.as_of, snapshot_connection = ${connectionId}::uuid,
           snapshot_key = coalesce(s.key, v.snapshot_key), changed_at = now()
      from unnest(${rows.map(r => r.articleId)}::uuid[], ${rows.map(r => r.locationId)}::uuid[], ${rows.map(r => r.lot)}::text[],
                  ${rows.map(r => r.level)}::numeric[], ${rows.map(r => r.snapshot)}::numeric[], ${rows.map(r => r.asOf)}::timestamptz[],
                  ${rows.map(r => r.key)}::text[]) as s(a, l, t, level, snapshot, as_of, key)
     where v.article_id = s.a and v.location_id = s.l and v.lot = s.t`.execute(own(tx))
}

/** Places whose stock record the ERP took away, with the instant of the connection's latest snapshot. */
export async function placesOfKeys(
  tx: TxCtx,
  connectionId: string,
  keys: readonly string[]
): Promise<{ readonly places: readonly (Place & { key: string })[]; readonly latest: string | null }> {
  if (keys.length === 0) return { places: [], latest: null }
  const { rows } = await sql<Place & { key: string }>`
    select article_id as "articleId", location_id as "locationId", lot, snapshot_key as key
      from inventory.level where snapshot_connection = ${connectionId}::uuid and snapshot_key = any(${keys}::text[])`.execute(own(tx))
  const latest = await own(tx)
    .selectFrom('inventory.level')
    .select(sql<string | null>`max(snapshot_as_of)`.as('latest'))
    .where('snapshot_connection', '=', connectionId)
    .executeTakeFirst()
  return { places: rows, latest: latest?.latest ?? null }
}

/** What an order consumed of one article for one of its material lines, or for none (picked, or taken by article number). */
export interface Consumed {
  readonly line: string | null
  readonly article: string
  /** issues less returns and reversals, as a positive amount */
  readonly quantity: string
  /** the part of it that was consumed by itself */
  readonly automatic: string
  /** where that was taken last */
  readonly automaticFrom: string | null
}

/** The reason in the ledger of what was consumed by itself. */
export const automatic = 'backflush'

export async function consumedOfOrder(c: Ctx | TxCtx, orderNumber: string): Promise<readonly Consumed[]> {
  const { rows } = await sql<Consumed>`
    select g.line, a.number as article, -sum(g.quantity) as quantity,
           coalesce(-sum(g.quantity) filter (where g.reason = ${automatic}), 0) as automatic,
           (array_agg(l.code order by g.seq desc) filter (where g.reason = ${automatic} and g.kind = 'issue'))[1] as "automaticFrom"
      from inventory.ledger g
      join inventory.article a on a.id = g.article_id
      join inventory.location l on l.id = g.location_id
     where g.order_number = ${orderNumber} and g.kind in ('issue', 'return', 'reversal')
     group by g.line, a.number`.execute(own(c))
  return rows
}
