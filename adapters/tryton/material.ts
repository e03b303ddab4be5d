import type { ExportItem } from '../contract/index.ts'
import { currency, location, lot, product, production, unit, warehouse } from './find.ts'
import { mark, marksOf, marksOn } from './marks.ts'
import { book, goOn } from './moves.ts'
import { type Arrived, Refused, refTo, type Trip } from './trip.ts'
import type { Tryton } from './tryton.ts'
import { idAt, quantityOf, type Row, scaled, textAt, unscaled } from './wire.ts'

type Consumption = Extract<ExportItem, { kind: 'materialConsumption' }>

/** The line of a mark by which later messages know what was reported before, and the stock where it was taken. */
const line = (article: number, reported: bigint, planned: bigint, at: string): string =>
  `article ${article}: reported ${unscaled(reported)}, in the plan ${unscaled(planned)}${at}`
const lineForm = /^article (\d+): reported (-?[\d.]+), in the plan (-?[\d.]+)(?:, at (\d+)(?:, lot (\d+))?)?$/m
/** What the note of a consumption that is in the plan has and no other. */
export const inPlanNotes = 'Werkvloer %, in the plan %'

/** What a note says was taken within the plan, and where; undefined for any other note. */
export function takenInPlan(message: string): { readonly product: number; readonly place: number; readonly lot?: number } | undefined {
  const [, product, , , place, lotId] = lineForm.exec(message) ?? []
  if (product === undefined || place === undefined) return undefined
  return { product: Number(product), place: Number(place), ...(lotId === undefined ? {} : { lot: Number(lotId) }) }
}

/**
 * Starting an order consumes its planned inputs in Tryton. With `beyond-plan`, what the floor reports of an article is in the plan as long
 * as the sum stays within it; what goes beyond is booked as an input of its own, what comes back of it as an output. With `all` every report is booked.
 */
export async function consume(trip: Trip<Consumption>): Promise<Arrived> {
  const { erp, ctx, item, row } = trip
  const order = await production(erp, row.workOrder ?? '')
  if (textAt(order, 'state') === 'cancelled')
    throw new Refused('work_order_cancelled', `The order ${row.workOrder} is cancelled in Tryton.`)
  const id = idAt(order, 'id') ?? 0
  const floor = idAt(order, 'location')
  const earlier = await before(trip, id, floor)
  if (earlier) return earlier
  const article = await product(erp, row.article ?? '')
  const articleId = idAt(article, 'id') ?? 0
  const unitId = await unit(erp, row['quantity.unit'] ?? '', article)
  const moves = await movesOf(erp, id, articleId)
  const reported = scaled(item.record.quantity.value)
  const inPlan = ctx.config.consumption === 'all' ? 0n : planShare(reported, moves, unitId, idAt(article, 'default_uom') ?? 0)
  const rest = reported - inPlan
  const lines = (at = ''): string[] => [line(articleId, reported, inPlan, at), `${row['quantity.unit']}, ${row.at}`]
  if (rest === 0n) {
    await mark(trip, `production,${id}`, lines(await placeTaken(erp, row, articleId)), true)
    return { ref: refTo(ctx, 'production', id) }
  }
  const place = row.location ? idAt(await location(erp, row.location), 'id') : (moves.from ?? idAt(await house(), 'storage_location'))
  if (place === undefined || floor === undefined) throw new Refused('location_unknown', 'Tryton does not say where this material lies.')
  const lotId = row.lot ? await lot(erp, row.lot, articleId) : undefined
  if (row.lot && lotId === undefined) throw new Refused('lot_unknown', `Tryton has no lot ${row.lot} of this article.`)
  const what = { product: articleId, unit: unitId, lot: lotId }
  return rest > 0n
    ? book(trip, { ...what, quantity: unscaled(rest), from: place, to: floor, link: { field: 'production_input', order: id } }, lines())
    : book(
        trip,
        {
          ...what,
          quantity: unscaled(-rest),
          from: floor,
          to: place,
          link: { field: 'production_output', order: id },
          currency: await currency(erp)
        },
        lines()
      )

  function house(): Promise<Row> {
    return warehouse(erp, idAt(order, 'warehouse') ?? 0)
  }
}

/**
 * Where somebody took what is in the plan. Nothing is moved for it, so the stock there is read again by the mark: it was booked when the
 * order was started, and by us once more.
 */
async function placeTaken(erp: Tryton, row: Trip['row'], article: number): Promise<string> {
  if (!row.location) return ''
  const place = idAt(await location(erp, row.location), 'id')
  const lotId = row.lot ? await lot(erp, row.lot, article) : undefined
  return `, at ${place}${lotId === undefined ? '' : `, lot ${lotId}`}`
}

/** What an earlier attempt did: a mark alone, or a move, whose amount was worked out then. */
async function before(trip: Trip<Consumption>, order: number, floor: number | undefined): Promise<Arrived | undefined> {
  const { erp, ctx, item } = trip
  if (!trip.again) return undefined
  const moved = await goOn(trip, (_from, to) => ({ field: to === floor ? 'production_input' : 'production_output', order }))
  if (moved) return moved
  const noted = (await marksOf(erp, item.key)).find(({ model }) => model === 'production')
  return noted && { ref: refTo(ctx, 'production', noted.record), before: true }
}

interface Moves {
  readonly planned: readonly Row[]
  readonly unit: string
  /** Sums of earlier reports. */
  readonly reported: bigint
  readonly inPlan: bigint
  /** Where the plan takes it from. */
  readonly from: number | undefined
}

/** What Tryton plans of an article for an order, and what was reported of it. */
async function movesOf(erp: Tryton, order: number, article: number): Promise<Moves> {
  const { unit: unitName } = erp.names
  const inputs = await erp.search(
    'stock.move',
    [
      ['OR', ['production_input', '=', order], ['production_output', '=', order]],
      ['product', '=', article],
      ['state', '!=', 'cancelled']
    ],
    ['id', 'production_input', 'quantity', 'internal_quantity', 'from_location', unitName]
  )
  const resources = inputs.map(row => `stock.move,${idAt(row, 'id')}`)
  const marks = await marksOn(erp, [`production,${order}`, ...resources])
  const sums = { reported: 0n, inPlan: 0n }
  for (const { message } of [...marks.values()].flat()) {
    const [, of, reported = '0', planned = '0'] = lineForm.exec(message) ?? []
    if (Number(of) !== article) continue
    sums.reported += scaled(reported)
    sums.inPlan += scaled(planned)
  }
  const planned = inputs.filter(row => idAt(row, 'production_input') === order && !marks.has(`stock.move,${idAt(row, 'id')}`))
  return { planned, unit: unitName, ...sums, from: idAt(planned[0], 'from_location') }
}

/** How much of a report is in the plan: what is in it behind the report, less what was in it before. */
function planShare(reported: bigint, { planned, unit: unitName, reported: before, inPlan }: Moves, unitId: number, own: number): bigint {
  const plan = planned.reduce((sum, row) => {
    const same = idAt(row, unitName) === unitId
    if (!same && unitId !== own) throw new Refused('unit_other', 'Tryton plans this article in another unit than the one reported.')
    return sum + scaled(quantityOf(same ? row.quantity : row.internal_quantity, null) ?? '0')
  }, 0n)
  const total = before + reported
  const behind = total < 0n ? 0n : total < plan ? total : plan
  return behind - inPlan
}
