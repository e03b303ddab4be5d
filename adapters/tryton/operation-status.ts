import type { ExportItem } from '../contract/index.ts'
import { production, stateOf } from './find.ts'
import { type Mark, mark, marksOf, marksOn, orTidy } from './marks.ts'
import { dropDrafts } from './order-status.ts'
import { operationNumbers } from './orders.ts'
import { type Arrived, Refused, refTo, type Trip } from './trip.ts'
import type { Domain, Tryton } from './tryton.ts'
import { idAt, type Row, textAt, toDuration } from './wire.ts'

type OperationStatus = Extract<ExportItem, { kind: 'operationStatus' }>

const timeForm = /^(started|paused|finished) since (\S+)$/m

/**
 * An operation runs in Tryton while one of its cycles does: the first start makes a cycle, pause and finish end it with the time between.
 * Amounts have no place there; they stand in the mark, good ones come as receipts. What is done depends on the state alone, so that done again it does nothing.
 */
export async function tellOperation(trip: Trip<OperationStatus>): Promise<Arrived> {
  const { erp, ctx, item, row } = trip
  const { status, at } = item.record
  if (!erp.has('production.work')) throw new Refused('no_operations', 'This Tryton has no module for operations (production_work).')
  const order = await production(erp, row.workOrder ?? '')
  if (textAt(order, 'state') === 'cancelled')
    throw new Refused('work_order_cancelled', `The order ${row.workOrder} is cancelled in Tryton.`)
  const work = await operation(erp, idAt(order, 'id') ?? 0, row.workOrder ?? '', row.operation ?? '')
  const id = idAt(work, 'id') ?? 0
  const ref = refTo(ctx, 'production.work', id)
  const marked = trip.again && (await marksOf(erp, item.key)).some(({ model, record }) => model === 'production.work' && record === id)
  const reached = await operationReached(erp, id, status)
  if (marked && reached) return { ref, before: true }
  if (!reached && textAt(order, 'state') === 'done')
    throw new Refused('work_order_done', `The order ${row.workOrder} is done in Tryton already.`)
  const lines = [`${status} since ${at}`, ...amounts(row)]
  const note = marked ? undefined : await mark(trip, `production.work,${id}`, lines, reached)
  if (reached) return { ref }
  await orTidy(trip, [['ir.note', note]], async () => {
    await (status === 'started' ? startCycle(trip, id) : endCycles(trip, id))
    if (await operationReached(erp, id, status)) return
    const state = await stateOf(erp, 'production.work', id)
    throw new Refused('not_reached', `Tryton left the operation ${row.operation} of order ${row.workOrder} in the state ${state}.`)
  })
  return { ref }
}

function amounts(row: Readonly<Record<string, string>>): string[] {
  const lines = (['good', 'scrap', 'rework'] as const).flatMap(name =>
    row[`${name}.value`]
      ? [`${name} ${row[`${name}.value`]} ${row[`${name}.unit`]}${name === 'scrap' && row.scrapReason ? ` (${row.scrapReason})` : ''}`]
      : []
  )
  return [...lines, row.at ?? '']
}

export async function operation(erp: Tryton, order: number, orderNumber: string, number: string): Promise<Row> {
  const fields = ['id', 'sequence', 'state', ...(erp.has('timesheet.work') ? ['timesheet_work'] : [])]
  const works = await erp.search('production.work', [['production', '=', order]], fields)
  const numbers = operationNumbers(works)
  const work = works.find(one => numbers.get(idAt(one, 'id') ?? 0) === number)
  if (!work) throw new Refused('operation_unknown', `The order ${orderNumber} has no operation ${number} in Tryton.`)
  return work
}

const ownCycles = (erp: Tryton, work: number, ...which: Domain[]): Promise<Row[]> =>
  erp.search(
    'production.work.cycle',
    [['work', '=', work], ['create_uid', '=', erp.session.user], ...which],
    ['id', 'state', 'create_date', 'duration']
  )

/** Cycles that run because somebody started them in Tryton. */
async function othersCycles(erp: Tryton, work: number): Promise<number[]> {
  const rows = await erp.search(
    'production.work.cycle',
    [
      ['work', '=', work],
      ['create_uid', '!=', erp.session.user],
      ['state', '=', 'running']
    ],
    ['id']
  )
  return rows.map(row => idAt(row, 'id') ?? 0)
}

/** Whether the operation is where a message wants it. */
export async function operationReached(erp: Tryton, work: number, status: OperationStatus['record']['status']): Promise<boolean> {
  if (status === 'finished') return ['finished', 'done'].includes(await stateOf(erp, 'production.work', work))
  const running =
    status === 'started'
      ? await erp.search(
          'production.work.cycle',
          [
            ['work', '=', work],
            ['state', '=', 'running']
          ],
          ['id']
        )
      : await ownCycles(erp, work, ['state', '=', 'running'])
  return status === 'started' ? running.length > 0 : running.length === 0
}

async function draftCycle(trip: Trip, work: number): Promise<number> {
  const [left] = await ownCycles(trip.erp, work, ['state', '=', 'draft'])
  if (left) return idAt(left, 'id') ?? 0
  const made = await trip.prepare('production.work.cycle.create', [[{ work }]])
  const [id] = Array.isArray(made) ? made : []
  if (typeof id !== 'number') throw new Error('a created cycle has no number')
  return id
}

async function startCycle(trip: Trip, work: number): Promise<void> {
  const cycle = await draftCycle(trip, work)
  await trip.effect('production.work.cycle.run', [[cycle]])
}

/**
 * Ends what runs of ours with the time since its start. A finished operation is finished for everybody, as with Tryton's own button: cycles
 * that somebody started there end too, with the time that Tryton gives them. One that never ran gets a cycle of no time, or its order could
 * not end.
 */
async function endCycles(trip: Trip<OperationStatus>, work: number): Promise<void> {
  const { erp, item } = trip
  const finished = item.record.status === 'finished'
  const running = await ownCycles(erp, work, ['state', '=', 'running'])
  const since = runningSince([...(await marksOn(erp, [`production.work,${work}`])).values()].flat(), item.key)
  const seconds = since === undefined ? 0 : Math.max(0, Math.round((Date.parse(item.record.at) - Date.parse(since)) / 1000))
  const cycles = running.map(row => idAt(row, 'id') ?? 0)
  const others = finished ? await othersCycles(erp, work) : []
  if (cycles.length + others.length === 0 && finished) {
    const cycle = await draftCycle(trip, work)
    await trip.prepare('production.work.cycle.run', [[cycle]])
    cycles.push(cycle)
  }
  if (cycles.length + others.length === 0) return
  await dropDrafts(trip, [['work', '=', work]])
  if (cycles.length > 0) {
    await trip.prepare('production.work.cycle.write', [cycles, { duration: toDuration(running.length > 0 ? seconds : 0) }])
  }
  await trip.effect('production.work.cycle.do', [[...cycles, ...others]])
}

/** When the operation began to run, by the marks of earlier messages. */
function runningSince(marks: readonly Mark[], key: string): string | undefined {
  let since: string | undefined
  for (const { message } of [...marks].sort((a, b) => a.id - b.id)) {
    const [, word, at] = timeForm.exec(message) ?? []
    if (word === undefined || message.split('\n')[0]?.endsWith(` ${key}`)) continue
    since = word === 'started' ? (since ?? at) : undefined
  }
  return since
}
