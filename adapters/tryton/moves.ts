import { AdapterError, type Json } from '../contract/index.ts'
import { stateOf } from './find.ts'
import { mark, marksOf, marksOn, orTidy, tidy } from './marks.ts'
import { type Arrived, Refused, refTo, type Trip } from './trip.ts'
import { idAt, textAt, toStamp } from './wire.ts'

/** A stock move as one message wants it. */
export interface Wanted {
  readonly product: number
  readonly unit: number
  /** Decimal text above zero. */
  readonly quantity: string
  readonly from: number
  readonly to: number
  readonly lot: number | undefined
  /** The order that it belongs to. */
  readonly link?: { readonly field: 'production_input' | 'production_output'; readonly order: number }
  /** What comes out of production has a price, which Tryton works out when the order is finished. */
  readonly currency?: number
}

type Link = NonNullable<Wanted['link']>

/** A draft that was not marked for so long never will be: its attempt is over. */
const abandonedMs = 300_000

/**
 * Books one move, once: a draft, which nobody counts with and no order knows; its mark; its order; then `do`, which a second time does
 * nothing. What is marked is for `goOn`. A draft that nobody marked is taken away when it is old, never used: it may be another message's, of
 * the same amount, whose mark is on its way.
 */
export async function book(trip: Trip, wanted: Wanted, lines: readonly string[]): Promise<Arrived> {
  if (trip.again) await sweep(trip, wanted)
  const id = await draft(trip, wanted)
  const note = await marked(trip, id, lines)
  return orTidy(
    trip,
    [
      ['stock.move', id],
      ['ir.note', note]
    ],
    () => carryOut(trip, id, wanted.link)
  )
}

async function marked(trip: Trip, id: number, lines: readonly string[]): Promise<number | undefined> {
  try {
    return await mark(trip, `stock.move,${id}`, lines)
  } catch (error) {
    // Where the mark was certainly not made, the draft is of no use any more.
    if (trip.unsure() || (await tidy(trip, [['stock.move', id]]))) throw error
    const reason = error instanceof Error ? error.message : 'The mark could not be made.'
    throw new AdapterError('transient', reason, { retryAfterSeconds: abandonedMs / 1000 + 30, cause: error })
  }
}

async function carryOut(trip: Trip, id: number, link: Link | undefined): Promise<Arrived> {
  const { erp, ctx } = trip
  if (link) await trip.prepare('stock.move.write', [[id], { [link.field]: link.order }])
  await trip.effect('stock.move.do', [[id]])
  const state = await stateOf(erp, 'stock.move', id)
  if (state !== 'done') throw new Refused('not_done', `Tryton left the stock move ${id} in the state ${state}.`)
  return { ref: refTo(ctx, 'stock.move', id) }
}

/** Goes on with the marked move of an earlier attempt, one that is done before all others; undefined where there is none. */
export async function goOn(trip: Trip, link: (from: number, to: number) => Link | undefined): Promise<Arrived | undefined> {
  const { erp, ctx, item } = trip
  if (!trip.again) return undefined
  const marks = (await marksOf(erp, item.key)).filter(({ model }) => model === 'stock.move')
  const fields = ['id', 'state', 'from_location', 'to_location']
  const moves = marks.length === 0 ? [] : await erp.search('stock.move', [['id', 'in', marks.map(({ record }) => record)]], fields)
  const done = moves.find(move => textAt(move, 'state') === 'done')
  if (done) return { ref: refTo(ctx, 'stock.move', idAt(done, 'id') ?? 0), before: true }
  const open = moves.find(move => ['draft', 'assigned', 'staging'].includes(textAt(move, 'state') ?? ''))
  if (!open) return undefined
  const id = idAt(open, 'id') ?? 0
  const note = marks.find(({ record }) => record === id)?.id
  const to = link(idAt(open, 'from_location') ?? 0, idAt(open, 'to_location') ?? 0)
  return orTidy(
    trip,
    [
      ['stock.move', id],
      ['ir.note', note]
    ],
    () => carryOut(trip, id, to)
  )
}

async function draft({ erp, prepare }: Trip, wanted: Wanted): Promise<number> {
  const values: Record<string, Json> = {
    ...valuesOf(wanted, erp.names.unit),
    company: erp.session.company,
    ...(wanted.currency === undefined ? {} : { currency: wanted.currency, unit_price: { __class__: 'Decimal', decimal: '0' } })
  }
  const answer = await prepare('stock.move.create', [[values]])
  const [id] = Array.isArray(answer) ? answer : []
  if (typeof id !== 'number') throw new Error('a created record has no number')
  return id
}

const valuesOf = ({ product, unit, quantity, from, to, lot }: Wanted, unitName: string): Record<string, Json> => ({
  product,
  [unitName]: unit,
  quantity: Number(quantity),
  from_location: from,
  to_location: to,
  ...(lot === undefined ? {} : { lot })
})

/** Takes away drafts of ours that an attempt left before it could mark them. */
async function sweep(trip: Trip, wanted: Wanted): Promise<void> {
  const { erp } = trip
  const before = new Date(erp.now().getTime() - abandonedMs).toISOString()
  const drafts = await erp.search(
    'stock.move',
    [
      ['create_uid', '=', erp.session.user],
      ['state', '=', 'draft'],
      ['create_date', '<', toStamp(before)],
      ['production_input', '=', null],
      ['production_output', '=', null],
      ['shipment', '=', null],
      ...Object.entries(valuesOf(wanted, erp.names.unit)).map(([field, value]): Json => [field, '=', value])
    ],
    ['id']
  )
  const ids = drafts.map(row => idAt(row, 'id') ?? 0)
  const marks = await marksOn(
    erp,
    ids.map(id => `stock.move,${id}`)
  )
  const left = ids.filter(id => !marks.has(`stock.move,${id}`))
  if (left.length > 0) await trip.prepare('stock.move.delete', [left])
}
