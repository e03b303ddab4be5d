import type { ExportItem } from '../contract/index.ts'
import { production, stateOf } from './find.ts'
import { mark, marksOf, marksOn, orTidy } from './marks.ts'
import { type Arrived, Refused, refTo, type Trip } from './trip.ts'
import type { Tryton } from './tryton.ts'
import { idAt, type Row, textAt } from './wire.ts'

type OrderStatus = Extract<ExportItem, { kind: 'orderStatus' }>

/** Whether a production is where a message wants it. Tryton knows no pause: of that the mark is all there is. */
export const orderReached = (state: string, wanted: OrderStatus['record']['status']): boolean =>
  wanted === 'paused' || state === 'done' || (wanted === 'started' && state === 'running')

/**
 * Start and finish of an order are transitions, which Tryton ignores in silence where they do not apply: the state is read back behind each.
 * The mark comes first, so that a search knows the message by it; the order's state says whether it did what it wanted.
 */
export async function tellOrder(trip: Trip<OrderStatus>): Promise<Arrived> {
  const { erp, ctx, item, row } = trip
  const { status } = item.record
  const order = await production(erp, row.workOrder ?? '')
  const id = idAt(order, 'id') ?? 0
  const state = textAt(order, 'state') ?? ''
  const ref = refTo(ctx, 'production', id)
  const marked = trip.again && (await marksOf(erp, item.key)).some(({ model, record }) => model === 'production' && record === id)
  if (marked && orderReached(state, status)) return { ref, before: true }
  if (state === 'cancelled' || (state === 'done' && status !== 'paused')) {
    // Whoever finished it in Tryton did not report what the floor did.
    throw new Refused(`work_order_${state}`, `The order ${row.workOrder} is ${state} in Tryton already.`)
  }
  const lines = [`${status} ${row.at}`]
  const reached = orderReached(state, status)
  const note = marked ? undefined : await mark(trip, `production,${id}`, lines, reached)
  if (!reached) {
    await orTidy(trip, [['ir.note', note]], async () => {
      if (state !== 'running') await start(trip, order, state)
      if (status === 'finished') await finish(trip, order)
    })
  }
  return { ref }
}

async function start(trip: Trip<OrderStatus>, order: Row, found: string): Promise<void> {
  const { erp, ctx, row } = trip
  const id = idAt(order, 'id') ?? 0
  if (ctx.config.consumption === 'all' && (await plannedInputs(erp, id)) > 0) {
    throw new Refused(
      'planned_inputs',
      `The order ${row.workOrder} has planned inputs, which Tryton would consume besides what the floor reports. Take them off, or let the connection book only what goes beyond the plan.`
    )
  }
  let state = found
  if (state === 'draft') {
    await trip.prepare('production.wait', [[id]])
    state = await stateOf(erp, 'production', id)
  }
  if (state === 'waiting') {
    await trip.prepare('production.assign_try', [[id]])
    state = await stateOf(erp, 'production', id)
  }
  if (state === 'waiting') {
    throw new Refused('not_assigned', `Tryton cannot assign the material of order ${row.workOrder}. Assign it there, then send this again.`)
  }
  await trip[trip.item.record.status === 'started' ? 'effect' : 'prepare']('production.run', [[id]])
  state = await stateOf(erp, 'production', id)
  if (state !== 'running') throw new Refused('not_started', `Tryton left the order ${row.workOrder} in the state ${state}.`)
}

async function finish(trip: Trip<OrderStatus>, order: Row): Promise<void> {
  const { erp, row } = trip
  const id = idAt(order, 'id') ?? 0
  await clearOutputs(trip, order)
  await unlinkDrafts(trip, id)
  await dropDrafts(trip, [['work.production', '=', id]])
  await trip.effect(`production.${erp.names.finish}`, [[id]])
  const state = await stateOf(erp, 'production', id)
  if (state !== 'done') throw new Refused('not_finished', `Tryton left the order ${row.workOrder} in the state ${state}.`)
}

/** The planned output of the order's own article goes down to nothing: what the floor made came with its receipts. */
async function clearOutputs(trip: Trip<OrderStatus>, order: Row): Promise<void> {
  const { erp, ctx } = trip
  const outputs = await erp.search(
    'stock.move',
    [
      ['production_output', '=', idAt(order, 'id') ?? 0],
      ['product', '=', idAt(order, 'product') ?? 0]
    ],
    ['id', 'state', 'quantity']
  )
  const name = (output: Row): string => `stock.move,${idAt(output, 'id')}`
  const marks = await marksOn(erp, outputs.map(name))
  if (ctx.config.output === 'planned' && marks.size === 0) return
  const planned = outputs.filter(output => !marks.has(name(output)) && textAt(output, 'state') === 'draft' && output.quantity !== 0)
  if (planned.length > 0) await trip.prepare('stock.move.write', [planned.map(output => idAt(output, 'id') ?? 0), { quantity: 0 }])
}

/** Finishing does every output of an order: a draft of a receipt that did not get through may not be among them. */
async function unlinkDrafts(trip: Trip, order: number): Promise<void> {
  const { erp } = trip
  const drafts = await erp.search(
    'stock.move',
    [
      ['production_output', '=', order],
      ['state', '=', 'draft'],
      ['create_uid', '=', erp.session.user]
    ],
    ['id']
  )
  const marked = await marksOn(
    erp,
    drafts.map(draft => `stock.move,${idAt(draft, 'id')}`)
  )
  const ids = drafts.flatMap(draft => (marked.has(`stock.move,${idAt(draft, 'id')}`) ? [idAt(draft, 'id') ?? 0] : []))
  if (ids.length > 0) await trip.prepare('stock.move.write', [ids, { production_output: null }])
}

async function plannedInputs(erp: Tryton, order: number): Promise<number> {
  const inputs = await erp.search(
    'stock.move',
    [
      ['production_input', '=', order],
      ['state', 'in', ['draft', 'assigned', 'staging']],
      ['quantity', '>', 0]
    ],
    ['id']
  )
  const marks = await marksOn(
    erp,
    inputs.map(input => `stock.move,${idAt(input, 'id')}`)
  )
  return inputs.length - marks.size
}

/** Cycles that an attempt made and never ran would keep an operation from being finished. */
export async function dropDrafts(trip: Trip, which: Parameters<Tryton['search']>[1]): Promise<void> {
  const { erp } = trip
  if (!erp.has('production.work.cycle')) return
  const drafts = await erp.search(
    'production.work.cycle',
    [['create_uid', '=', erp.session.user], ['state', '=', 'draft'], ...which],
    ['id']
  )
  if (drafts.length > 0) await trip.prepare('production.work.cycle.cancel', [drafts.map(draft => idAt(draft, 'id') ?? 0)])
}
