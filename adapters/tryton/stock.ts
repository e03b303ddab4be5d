import type { Feed } from './feeds.ts'
import { inPlanNotes, takenInPlan } from './material.ts'
import { codeOf } from './orders.ts'
import type { TrytonCtx } from './session.ts'
import type { Domain, Tryton } from './tryton.ts'
import { at, idAt, quantityOf, type Row, scaled, textAt, toDay, unscaled } from './wire.ts'

/**
 * Stock is no record there but what moves add up to. The first run reads what lies everywhere; from then on done moves tell which article
 * lies otherwise on which place. What was moved in the last minutes is read again and again until it is old: the time of reading says which
 * of our own bookings are in the figure.
 */
export const stockFeed = (erp: Tryton): Feed => ({
  name: 'stock.move',
  model: 'stock.move',
  domain: [
    ['company', '=', erp.session.company],
    ['state', '=', 'done']
  ],
  fields: ['product', 'from_location', 'to_location', ...(erp.has('stock.lot') ? ['lot'] : [])],
  follows: true,
  again: true
})

/**
 * What the floor took within the plan moves nothing in Tryton, which booked it when the order was started. Our own figure went down all the
 * same, so the notes of it tell where to read again.
 */
export const takenFeed = (): Feed => ({
  name: 'ir.note',
  model: 'ir.note',
  domain: [['message', 'like', inPlanNotes]],
  fields: ['message'],
  follows: true,
  again: true
})

/** As if it had been moved. */
export const takenRows = (notes: readonly Row[]): Row[] =>
  notes.flatMap(note => {
    const taken = takenInPlan(textAt(note, 'message') ?? '')
    return taken ? [{ product: taken.product, from_location: taken.place, lot: taken.lot ?? null }] : []
  })

const onPlace = (erp: Tryton, place: number) => ({
  locations: [place],
  with_childs: false,
  stock_date_end: toDay(erp.today()),
  active_test: false
})

/** What lies on each place, one page a place. */
export async function* allStock(erp: Tryton, ctx: TrytonCtx): AsyncIterable<Row[]> {
  for (const place of await storage(erp, [])) yield stockOn(erp, ctx, place, [['quantity', '!=', 0]], new Set())
}

/** What lies now where moves took from or brought to. */
export async function movedStock(erp: Tryton, ctx: TrytonCtx, moves: readonly Row[]): Promise<Row[]> {
  const touched = new Map<number, Map<number, Set<number>>>()
  for (const move of moves) {
    for (const field of ['from_location', 'to_location']) {
      const [place, product, lot] = [idAt(move, field), idAt(move, 'product'), idAt(move, 'lot')]
      if (place === undefined || product === undefined) continue
      const products = touched.get(place) ?? new Map<number, Set<number>>()
      const lots = products.get(product) ?? new Set<number>()
      touched.set(place, products.set(product, lots.add(lot ?? 0)))
    }
  }
  const places = await storage(erp, [['id', 'in', [...touched.keys()]]])
  const rows: Row[] = []
  for (const place of places) {
    const products = touched.get(idAt(place, 'id') ?? 0) ?? new Map<number, Set<number>>()
    const named = new Set([...products].flatMap(([product, lots]) => [...lots].map(lot => `${product}/${lot}`)))
    rows.push(...(await stockOn(erp, ctx, place, [['id', 'in', [...products.keys()]]], named)))
  }
  return rows
}

const storage = (erp: Tryton, which: Domain): Promise<Row[]> =>
  erp.search('stock.location', [['type', '=', 'storage'], ...which], ['id', 'code'], { context: { active_test: false } })

/** @param named `product/lot` that come even where nothing is left of them */
async function stockOn(erp: Tryton, ctx: TrytonCtx, place: Row, which: Domain, named: ReadonlySet<string>): Promise<Row[]> {
  const context = onPlace(erp, idAt(place, 'id') ?? 0)
  // Before the figures: a booking that is through by now is in them.
  const asOf = ctx.clock.now().toISOString()
  const products = await erp.search('product.product', which, ['id', 'code', 'quantity', 'default_uom.symbol', 'default_uom.digits'], {
    context
  })
  if (products.length === 0) return []
  const lots = erp.has('stock.lot')
    ? await erp.search(
        'stock.lot',
        [
          ['product', 'in', products.map(product => idAt(product, 'id') ?? 0)],
          ['OR', ['quantity', '!=', 0], ['id', 'in', [...named].map(one => Number(one.split('/')[1]))]]
        ],
        ['id', 'number', 'product', 'quantity'],
        { context }
      )
    : []
  return products.flatMap(product => {
    const id = idAt(product, 'id') ?? 0
    const digits = at(product, 'default_uom.digits')
    const row = (lot: string | null, quantity: string | undefined): Row => ({
      id,
      article: codeOf(product, '') ?? null,
      location: codeOf(place, '') ?? null,
      lot,
      quantity: quantity ?? null,
      unit: textAt(product, 'default_uom.symbol') ?? null,
      asOf
    })
    const inLots = lots.filter(lot => idAt(lot, 'product') === id)
    const whole = quantityOf(product.quantity, digits) ?? '0'
    const loose = unscaled(inLots.reduce((left, lot) => left - scaled(quantityOf(lot.quantity, digits) ?? '0'), scaled(whole)))
    return [
      ...(loose !== '0' || named.has(`${id}/0`) || (inLots.length === 0 && named.size > 0) ? [row(null, loose)] : []),
      ...inLots.map(lot => row(textAt(lot, 'number') ?? `#${idAt(lot, 'id')}`, quantityOf(lot.quantity, digits)))
    ]
  })
}
