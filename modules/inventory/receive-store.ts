import { sql } from 'kysely'
import type { TxCtx } from '../../core/index.ts'
import { own } from './store.ts'

/** Set-wise upsert by number; rows that are as they were are not written again. */
export async function saveArticles(
  tx: TxCtx,
  rows: readonly { id: string; number: string; description: string; unit: string; barcode: string | null; blocked: boolean }[]
): Promise<void> {
  if (rows.length === 0) return
  await sql`
    insert into inventory.article as a (id, number, known, description, unit, barcode, blocked)
    select id, number, true, description, unit, barcode, blocked
      from unnest(${rows.map(r => r.id)}::uuid[], ${rows.map(r => r.number)}::text[], ${rows.map(r => r.description)}::text[],
                  ${rows.map(r => r.unit)}::text[], ${rows.map(r => r.barcode)}::text[], ${rows.map(r => r.blocked)}::boolean[])
           as r(id, number, description, unit, barcode, blocked)
     order by number
        on conflict (number) do update
           set known = true, description = excluded.description, unit = excluded.unit, barcode = excluded.barcode,
               blocked = excluded.blocked, changed_at = now()
         where (a.known, a.description, a.unit, a.barcode, a.blocked)
               is distinct from (true, excluded.description, excluded.unit, excluded.barcode, excluded.blocked)`.execute(own(tx))
}

export async function blockArticles(tx: TxCtx, numbers: readonly string[]): Promise<void> {
  if (numbers.length === 0) return
  await sql`update inventory.article set blocked = true, changed_at = now() where number = any(${numbers}::text[]) and not blocked`.execute(
    own(tx)
  )
}

/** Set-wise upsert by code, with the warehouses that are new. */
export async function saveLocations(
  tx: TxCtx,
  rows: readonly { id: string; code: string; warehouse: string; description: string | null; blocked: boolean }[]
): Promise<void> {
  if (rows.length === 0) return
  await sql`
    insert into inventory.warehouse (code) select distinct w from unnest(${rows.map(r => r.warehouse)}::text[]) as w order by w
        on conflict (code) do nothing`.execute(own(tx))
  await sql`
    insert into inventory.location as l (id, code, warehouse_code, description, blocked)
    select id, code, warehouse, description, blocked
      from unnest(${rows.map(r => r.id)}::uuid[], ${rows.map(r => r.code)}::text[], ${rows.map(r => r.warehouse)}::text[],
                  ${rows.map(r => r.description)}::text[], ${rows.map(r => r.blocked)}::boolean[]) as r(id, code, warehouse, description, blocked)
     order by code
        on conflict (code) do update
           set warehouse_code = excluded.warehouse_code, description = excluded.description, blocked = excluded.blocked, changed_at = now()
         where (l.warehouse_code, l.description, l.blocked)
               is distinct from (excluded.warehouse_code, excluded.description, excluded.blocked)`.execute(own(tx))
}

export async function blockLocations(tx: TxCtx, codes: readonly string[]): Promise<void> {
  if (codes.length === 0) return
  await sql`update inventory.location set blocked = true, changed_at = now() where code = any(${codes}::text[]) and not blocked`.execute(
    own(tx)
  )
}
