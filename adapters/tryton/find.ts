import { Refused } from './trip.ts'
import type { Domain, Tryton } from './tryton.ts'
import { idAt, type Row, textAt } from './wire.ts'

/** A code as the import wrote it: one that begins with # is the number of a record that has no code. */
const coded = (code: string): Domain => (/^#\d+$/.test(code) ? ['id', '=', Number(code.slice(1))] : ['code', '=', code])

function only(rows: readonly Row[], code: string, unknown: string, several: string): Row {
  const [row] = rows
  if (!row) throw new Refused(`${code}_unknown`, unknown)
  if (rows.length > 1) throw new Refused(`${code}_ambiguous`, several)
  return row
}

const productionFields = ['id', 'number', 'state', 'quantity', 'product', 'location', 'warehouse']

export async function production(erp: Tryton, number: string): Promise<Row> {
  const rows = await erp.search(
    'production',
    [
      ['company', '=', erp.session.company],
      ['number', '=', number]
    ],
    productionFields
  )
  return only(rows, 'work_order', `Tryton has no order ${number}.`, `Tryton has several orders ${number}.`)
}

export async function stateOf(erp: Tryton, model: string, id: number): Promise<string> {
  const [row] = await erp.search(model, [['id', '=', id]], ['id', 'state'])
  return textAt(row, 'state') ?? 'gone'
}

/** An article with its own unit. */
export async function product(erp: Tryton, code: string): Promise<Row> {
  const rows = await erp.search('product.product', [coded(code)], ['id', 'default_uom', 'default_uom.symbol', 'default_uom.category'])
  return only(rows, 'article', `Tryton has no article ${code}.`, `Tryton has several articles ${code}.`)
}

export async function location(erp: Tryton, code: string): Promise<Row> {
  const rows = await erp.search(
    'stock.location',
    [coded(code), ['type', '=', 'storage']],
    ['id', 'warehouse.lost_found_location', 'warehouse.id']
  )
  return only(rows, 'location', `Tryton has no place of storage ${code}.`, `Tryton has several places ${code}.`)
}

/** The unit of that symbol that an article can be counted in. */
export async function unit(erp: Tryton, symbol: string, article: Row): Promise<number> {
  const own = idAt(article, 'default_uom.id') ?? idAt(article, 'default_uom')
  if (textAt(article, 'default_uom.symbol') === symbol && own !== undefined) return own
  const rows = await erp.search(
    'product.uom',
    [
      ['symbol', '=', symbol],
      ['category', '=', idAt(article, 'default_uom.category') ?? -1]
    ],
    ['id']
  )
  return idAt(only(rows, 'unit', `Tryton has no unit ${symbol} for this article.`, `Tryton has several units ${symbol}.`), 'id') ?? 0
}

export async function lot(erp: Tryton, number: string, article: number): Promise<number | undefined> {
  if (!erp.has('stock.lot')) throw new Refused('lot_unknown', 'This Tryton keeps no lots.')
  const [row] = await erp.search(
    'stock.lot',
    [
      ['number', '=', number],
      ['product', '=', article]
    ],
    ['id']
  )
  return idAt(row, 'id')
}

export async function warehouse(erp: Tryton, id: number): Promise<Row> {
  const [row] = await erp.search(
    'stock.location',
    [['id', '=', id]],
    ['id', 'storage_location', 'production_output_location', 'lost_found_location']
  )
  if (!row) throw new Refused('warehouse_unknown', 'The order has no warehouse in Tryton.')
  return row
}

export async function currency(erp: Tryton): Promise<number> {
  const [row] = await erp.search('company.company', [['id', '=', erp.session.company]], ['id', 'currency'])
  return idAt(row, 'currency') ?? 0
}
