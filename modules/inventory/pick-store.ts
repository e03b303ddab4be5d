import { sql } from 'kysely'
import { any, type Ctx, newId, type TxCtx } from '../../core/index.ts'
import type { PickListStatus } from './stock-rules.ts'
import { own } from './store.ts'

export interface PickListRecord {
  readonly number: string
  readonly connectionId: string
  readonly orderNumber: string
  readonly lines: readonly {
    readonly line: string
    readonly article: string
    readonly quantity: string
    readonly unit: string
    readonly location: string | null
  }[]
}

export interface PickList {
  readonly id: string
  readonly seq: string
  readonly number: string
  readonly connection_id: string | null
  readonly order_number: string
  readonly status: PickListStatus
}

export interface PickLine {
  readonly id: string
  readonly list_id: string
  readonly line: string
  readonly article: string
  readonly requested: string
  readonly unit: string
  readonly location: string | null
  readonly picked: string
  readonly short_reason: string | null
}

const listColumns = ['id', 'seq', 'number', 'connection_id', 'order_number', 'status'] as const
const lineColumns = ['id', 'list_id', 'line', 'article', 'requested', 'unit', 'location', 'picked', 'short_reason'] as const

/**
 * Set-wise upsert of lists and lines; what was picked stays, a line that is no longer named is kept but not present.
 * @returns the lists as they are now
 */
export async function savePickLists(tx: TxCtx, lists: readonly PickListRecord[]): Promise<readonly Pick<PickList, 'id' | 'status'>[]> {
  if (lists.length === 0) return []
  const { rows } = await sql<Pick<PickList, 'id' | 'number' | 'status'>>`
    insert into inventory.pick_list as p (id, number, connection_id, order_number, status)
    select id, number, connection, order_number, 'open'
      from unnest(${lists.map(newId)}::uuid[], ${lists.map(l => l.number)}::text[], ${lists.map(l => l.connectionId)}::uuid[],
                  ${lists.map(l => l.orderNumber)}::text[]) as l(id, number, connection, order_number)
     order by number
        on conflict (number) do update
           set connection_id = excluded.connection_id, order_number = excluded.order_number,
               status = case when p.status = 'closed' then 'open' else p.status end, changed_at = now()
    returning id, number, status`.execute(own(tx))
  const idOf = new Map(rows.map(row => [row.number, row.id]))
  const lines = lists.flatMap(list => list.lines.map(line => ({ ...line, listId: idOf.get(list.number) ?? '' })))
  await sql`
    with named as (
      select * from unnest(${lines.map(newId)}::uuid[], ${lines.map(l => l.listId)}::uuid[], ${lines.map(l => l.line)}::text[],
                           ${lines.map(l => l.article)}::text[], ${lines.map(l => l.quantity)}::numeric[], ${lines.map(l => l.unit)}::text[],
                           ${lines.map(l => l.location)}::text[]) as l(id, list_id, line, article, requested, unit, location)),
    gone as (
      update inventory.pick_line k set present = false, changed_at = now()
       where k.list_id = any(${rows.map(row => row.id)}::uuid[]) and k.present
         and not exists (select 1 from named n where n.list_id = k.list_id and n.line = k.line))
    insert into inventory.pick_line as k (id, list_id, line, article, requested, unit, location)
    select id, list_id, line, article, requested, unit, location from named order by list_id, line
        on conflict (list_id, line) do update
           set article = excluded.article, requested = excluded.requested, unit = excluded.unit, location = excluded.location,
               present = true, changed_at = now()`.execute(own(tx))
  return rows
}

export async function closePickLists(tx: TxCtx, numbers: readonly string[]): Promise<void> {
  if (numbers.length === 0) return
  await sql`update inventory.pick_list set status = 'closed', changed_at = now() where number = any(${numbers}::text[])`.execute(own(tx))
}

export async function listPickLists(
  ctx: Ctx,
  filter: { readonly status: PickListStatus | null; readonly order: string | null; readonly after: string; readonly limit: number }
): Promise<readonly PickList[]> {
  let query = own(ctx).selectFrom('inventory.pick_list').select(listColumns).where('seq', '>', filter.after)
  if (filter.status !== null) query = query.where('status', '=', filter.status)
  if (filter.order !== null) query = query.where('order_number', '=', filter.order)
  return query.orderBy('seq').limit(filter.limit).execute()
}

export const pickListById = (c: Ctx | TxCtx, id: string): Promise<PickList | undefined> =>
  own(c).selectFrom('inventory.pick_list').select(listColumns).where('id', '=', id).executeTakeFirst()

export const lockPickList = (tx: TxCtx, id: string): Promise<PickList | undefined> =>
  own(tx).selectFrom('inventory.pick_list').select(listColumns).where('id', '=', id).forUpdate().executeTakeFirst()

export const linesOfLists = (c: Ctx | TxCtx, listIds: readonly string[]): Promise<readonly PickLine[]> =>
  own(c)
    .selectFrom('inventory.pick_line')
    .select(lineColumns)
    .where('list_id', '=', any(listIds))
    .where('present', '=', true)
    .orderBy('line')
    .execute()

export async function savePickLine(
  tx: TxCtx,
  line: { readonly id: string; readonly picked: string; readonly shortReason: string | null }
): Promise<void> {
  await own(tx)
    .updateTable('inventory.pick_line')
    .set({ picked: line.picked, short_reason: line.shortReason, changed_at: tx.clock.iso() })
    .where('id', '=', line.id)
    .execute()
}

export async function savePickListStatus(tx: TxCtx, id: string, status: PickListStatus): Promise<void> {
  await own(tx).updateTable('inventory.pick_list').set({ status, changed_at: tx.clock.iso() }).where('id', '=', id).execute()
}

/** The issue of one pick that was not undone yet. */
export const pickMove = (tx: TxCtx, lineId: string, actId: string) =>
  own(tx)
    .selectFrom('inventory.ledger as g')
    .innerJoin('inventory.article as a', 'a.id', 'g.article_id')
    .innerJoin('inventory.location as l', 'l.id', 'g.location_id')
    .leftJoin('inventory.ledger as u', 'u.reverses', 'g.id')
    .select(['g.id', 'a.number as article', 'g.location_id', 'l.code', 'g.lot', 'g.quantity', 'g.outbox_key', 'u.id as undone'])
    .where('g.act_id', '=', actId)
    .where('g.pick_line_id', '=', lineId)
    .where('g.kind', '=', 'issue')
    .executeTakeFirst()
