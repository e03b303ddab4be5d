import { sql } from 'kysely'
import type { Ctx, TxCtx } from '../../core/index.ts'
import type { MoveKind } from './stock-rules.ts'
import { own } from './store.ts'
import type { SettingRow } from './tables.ts'

export interface ArticleLine {
  readonly id: string
  readonly seq: string
  readonly number: string
  readonly known: boolean
  readonly description: string
  readonly unit: string
  readonly barcode: string | null
  readonly blocked: boolean
  readonly backflush: 'none' | 'on_report' | 'on_completion' | null
}

const articleSelect = sql`select id, seq, number, known, description, unit, barcode, blocked, backflush from inventory.article a`

/** Articles by number, found by scan (number or barcode) or by search in number and description. */
export async function listArticles(
  ctx: Ctx,
  filter: { readonly search: string | null; readonly scan: string | null; readonly after: string | null; readonly limit: number }
): Promise<readonly ArticleLine[]> {
  const { search, scan, after } = filter
  const { rows } = await sql<ArticleLine>`${articleSelect}
    where (${search}::text is null or a.number ilike ${search} or a.description ilike ${search})
      and (${scan}::text is null or a.number = ${scan} or a.barcode = ${scan})
      and (${after}::text is null or a.number > ${after})
    order by a.number limit ${filter.limit}`.execute(own(ctx))
  return rows
}

export async function findArticle(ctx: Ctx, number: string): Promise<ArticleLine | undefined> {
  const { rows } = await sql<ArticleLine>`${articleSelect} where a.number = ${number}`.execute(own(ctx))
  return rows[0]
}

/** @returns whether there is such an article */
export async function saveBackflush(tx: TxCtx, number: string, rule: ArticleLine['backflush']): Promise<string | undefined> {
  const row = await own(tx)
    .updateTable('inventory.article')
    .set({ backflush: rule, changed_at: tx.clock.iso() })
    .where('number', '=', number)
    .returning('id')
    .executeTakeFirst()
  return row?.id
}

export interface LocationLine {
  readonly code: string
  readonly warehouse_code: string
  readonly description: string | null
  readonly blocked: boolean
}

export async function listLocations(
  ctx: Ctx,
  filter: { readonly search: string | null; readonly warehouse: string | null; readonly after: string | null; readonly limit: number }
): Promise<readonly LocationLine[]> {
  const { search, warehouse, after } = filter
  const { rows } = await sql<LocationLine>`
    select code, warehouse_code, description, blocked from inventory.location
     where (${search}::text is null or code ilike ${search} or description ilike ${search})
       and (${warehouse}::text is null or warehouse_code = ${warehouse})
       and (${after}::text is null or code > ${after})
     order by code limit ${filter.limit}`.execute(own(ctx))
  return rows
}

export interface StockLine {
  readonly article: string
  readonly description: string
  readonly unit: string
  readonly location: string
  readonly warehouse: string
  readonly lot: string
  readonly quantity: string
  readonly snapshot_quantity: string
  readonly snapshot_as_of: string | null
  readonly pending: string
}

/** Levels with what the ERP's figure holds and what it does not hold yet; the difference is shown, not hidden. */
export async function listStock(
  ctx: Ctx,
  filter: {
    readonly article: string | null
    readonly location: string | null
    readonly warehouse: string | null
    readonly negative: boolean
    readonly after: readonly [article: string, location: string, lot: string] | null
    readonly limit: number
  }
): Promise<readonly StockLine[]> {
  const { article, location, warehouse, after } = filter
  const { rows } = await sql<StockLine>`
    select a.number as article, a.description, a.unit, l.code as location, l.warehouse_code as warehouse, v.lot, v.quantity,
           v.snapshot_quantity, v.snapshot_as_of, coalesce(p.quantity, 0) as pending
      from inventory.level v
      join inventory.article a on a.id = v.article_id
      join inventory.location l on l.id = v.location_id
      left join lateral (select sum(n.quantity) as quantity from inventory.pending n
                          where n.article_id = v.article_id and n.location_id = v.location_id and n.lot = v.lot) p on true
     where (${article}::text is null or a.number = ${article})
       and (${location}::text is null or l.code = ${location})
       and (${warehouse}::text is null or l.warehouse_code = ${warehouse})
       and (not ${filter.negative} or v.quantity < 0)
       and (${after === null} or (a.number, l.code, v.lot) > (${after?.[0] ?? ''}, ${after?.[1] ?? ''}, ${after?.[2] ?? ''}))
     order by a.number, l.code, v.lot limit ${filter.limit}`.execute(own(ctx))
  return rows
}

export interface LedgerLine {
  readonly id: string
  readonly seq: string
  readonly kind: MoveKind
  readonly article: string
  readonly location: string
  readonly lot: string
  readonly quantity: string
  readonly unit: string
  readonly order_number: string | null
  readonly operation_number: string | null
  readonly line: string | null
  readonly act_id: string
  readonly reverses: string | null
  readonly reason: string | null
  readonly outbox_key: string | null
  readonly at: string
}

/** The ledger, newest first. */
export async function listLedger(
  ctx: Ctx,
  filter: {
    readonly article: string | null
    readonly location: string | null
    readonly order: string | null
    readonly act: string | null
    readonly before: string | null
    readonly limit: number
  }
): Promise<readonly LedgerLine[]> {
  const { article, location, order, act, before } = filter
  const { rows } = await sql<LedgerLine>`
    select g.id, g.seq, g.kind, a.number as article, l.code as location, g.lot, g.quantity, g.unit, g.order_number, g.operation_number,
           g.line, g.act_id, g.reverses, g.reason, g.outbox_key, g.at
      from inventory.ledger g
      join inventory.article a on a.id = g.article_id
      join inventory.location l on l.id = g.location_id
     where (${article}::text is null or a.number = ${article})
       and (${location}::text is null or l.code = ${location})
       and (${order}::text is null or g.order_number = ${order})
       and (${act}::uuid is null or g.act_id = ${act}::uuid)
       and (${before}::bigint is null or g.seq < ${before}::bigint)
     order by g.seq desc limit ${filter.limit}`.execute(own(ctx))
  return rows
}

export type Setting = Pick<SettingRow, 'negative_stock'> & { readonly version: number }

export const getSetting = (c: Ctx | TxCtx): Promise<Setting> =>
  own(c).selectFrom('inventory.setting').select(['version', 'negative_stock']).executeTakeFirstOrThrow()

/** @returns whether the row still had that version */
export async function saveSetting(tx: TxCtx, version: number, negative: 'block' | 'warn'): Promise<boolean> {
  const result = await own(tx)
    .updateTable('inventory.setting')
    .set({ negative_stock: negative, version: version + 1, changed_at: tx.clock.iso() })
    .where('version', '=', version)
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}
