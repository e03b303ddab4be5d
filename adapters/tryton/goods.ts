import type { ExportItem } from '../contract/index.ts'
import { currency, location, lot, product, production, unit, warehouse } from './find.ts'
import { book, goOn } from './moves.ts'
import { type Arrived, Refused, type Trip } from './trip.ts'
import type { Tryton } from './tryton.ts'
import { idAt, textAt } from './wire.ts'

type Receipt = Extract<ExportItem, { kind: 'productReceipt' }>
type Transaction = Extract<ExportItem, { kind: 'stockTransaction' }>

/** Finished goods: an output of the order that is done at once. What is taken back goes to the floor again. */
export async function receive(trip: Trip<Receipt>): Promise<Arrived> {
  const { erp, item, row } = trip
  const order = await production(erp, row.workOrder ?? '')
  if (textAt(order, 'state') === 'cancelled')
    throw new Refused('work_order_cancelled', `The order ${row.workOrder} is cancelled in Tryton.`)
  const back = item.record.quantity.value.startsWith('-')
  const link = { field: 'production_output', order: idAt(order, 'id') ?? 0 } as const
  const earlier = await goOn(trip, () => (back ? undefined : link))
  if (earlier) return earlier
  const what = await article(erp, row)
  const house = await warehouse(erp, idAt(order, 'warehouse') ?? 0)
  const place = row.to
    ? idAt(await location(erp, row.to), 'id')
    : (idAt(house, 'production_output_location') ?? idAt(house, 'storage_location'))
  const floor = idAt(order, 'location')
  if (place === undefined || floor === undefined) throw new Refused('location_unknown', 'Tryton does not say where finished goods go.')
  const { value } = item.record.quantity
  const lines = [`output ${value} ${row['quantity.unit']}, ${row.at}`]
  if (back) {
    const lotId = await knownLot(erp, row.lot, what.product)
    return book(trip, { ...what, lot: lotId, quantity: value.slice(1), from: place, to: floor }, lines)
  }
  const lotId = row.lot ? await madeLot(trip, row.lot, what.product) : undefined
  return book(trip, { ...what, lot: lotId, quantity: value, from: floor, to: place, link, currency: await currency(erp) }, lines)
}

/** Stock that went from one place to another, or that is more or less than it should be: then the other side is lost and found. */
export async function transfer(trip: Trip<Transaction>): Promise<Arrived> {
  const { erp, item, row } = trip
  const earlier = await goOn(trip, () => undefined)
  if (earlier) return earlier
  const what = await article(erp, row)
  const sides = { from: row.from ? await location(erp, row.from) : undefined, to: row.to ? await location(erp, row.to) : undefined }
  const known = sides.from ?? sides.to
  const lost = idAt(known, 'warehouse.lost_found_location') ?? (known && (await anyLostFound(erp)))
  const [from, to] = [sides.from ? idAt(sides.from, 'id') : lost, sides.to ? idAt(sides.to, 'id') : lost]
  if (from === undefined || to === undefined) throw new Refused('location_unknown', 'Tryton does not say from where to where this goes.')
  const { value } = item.record.quantity
  const back = value.startsWith('-')
  const lotId = await knownLot(erp, row.lot, what.product)
  const quantity = back ? value.slice(1) : value
  const lines = [`${quantity} ${row['quantity.unit']}, ${row.at}`]
  return book(trip, { ...what, lot: lotId, quantity, from: back ? to : from, to: back ? from : to }, lines)
}

async function article(erp: Tryton, row: Readonly<Record<string, string>>): Promise<{ product: number; unit: number }> {
  const found = await product(erp, row.article ?? '')
  return { product: idAt(found, 'id') ?? 0, unit: await unit(erp, row['quantity.unit'] ?? '', found) }
}

async function knownLot(erp: Tryton, number: string | undefined, of: number): Promise<number | undefined> {
  if (!number) return undefined
  const found = await lot(erp, number, of)
  if (found === undefined) throw new Refused('lot_unknown', `Tryton has no lot ${number} of this article.`)
  return found
}

/** A lot is known by its number and article: one that is there is used. */
async function madeLot({ erp, prepare }: Trip, number: string, of: number): Promise<number> {
  const found = await lot(erp, number, of)
  if (found !== undefined) return found
  const made = await prepare('stock.lot.create', [[{ number, product: of }]])
  const [id] = Array.isArray(made) ? made : []
  if (typeof id !== 'number') throw new Error('a created lot has no number')
  return id
}

async function anyLostFound(erp: Tryton): Promise<number | undefined> {
  const [row] = await erp.search('stock.location', [['type', '=', 'lost_found']], ['id'], { limit: 1 })
  return idAt(row, 'id')
}
