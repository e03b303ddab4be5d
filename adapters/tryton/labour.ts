import { createHash } from 'node:crypto'
import { type ExportItem, formatInZone } from '../contract/index.ts'
import { ErpRefusal } from './errors.ts'
import { production } from './find.ts'
import { operation } from './operation-status.ts'
import { type Arrived, Refused, refTo, type Trip } from './trip.ts'
import type { Tryton } from './tryton.ts'
import { idAt, type Row, secondsOf, textAt, toDay, toDuration } from './wire.ts'

type Labour = Extract<ExportItem, { kind: 'labour' }>

/** The UUID by which Tryton keeps a line of a timesheet unique, made from the key. */
export function uuidOf(key: string): string {
  const hex = createHash('sha256').update(`werkvloer ${key}`).digest('hex')
  const variant = ((Number.parseInt(hex[16] ?? '0', 16) & 3) | 8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/**
 * Hours are a line of a timesheet with a UUID that Tryton keeps unique. Hours taken back make their line shorter, which names the message
 * that did it: Tryton takes no negative time.
 */
export async function bookHours(trip: Trip<Labour>): Promise<Arrived> {
  const { erp, item } = trip
  if (!erp.has('timesheet.line')) throw new Refused('no_timesheets', 'This Tryton has no module for timesheets (timesheet).')
  return item.record.seconds < 0 ? takeBack(trip) : add(trip)
}

const fields = ['id', 'duration', 'description']
async function lineOf(erp: Tryton, key: string): Promise<Row | undefined> {
  const [line] = await erp.search('timesheet.line', [['uuid', '=', uuidOf(key)]], fields)
  return line
}

/** The line that a message made or shortened. */
export async function bookedHours(erp: Tryton, item: Labour): Promise<number | undefined> {
  if (item.record.seconds >= 0) return idAt(await lineOf(erp, item.key), 'id')
  const line = item.record.reverses === undefined ? undefined : await lineOf(erp, item.record.reverses)
  return line && isTakenBack(line, item.key) ? idAt(line, 'id') : undefined
}

const isTakenBack = (line: Row, key: string): boolean => (textAt(line, 'description') ?? '').includes(`- ${key}`)

async function add(trip: Trip<Labour>): Promise<Arrived> {
  const { erp, ctx, item, row } = trip
  if (trip.again) {
    const there = await bookedHours(erp, item)
    if (there !== undefined) return { ref: refTo(ctx, 'timesheet.line', there), before: true }
  }
  const values = {
    company: erp.session.company,
    employee: await employee(erp, row.employee ?? ''),
    work: await timesheetWork(trip),
    date: toDay(formatInZone(item.record.startedAt, ctx.connection.timeZone, 'yyyy-MM-dd')),
    duration: toDuration(item.record.seconds),
    description: `Werkvloer ${item.key} ${row.activity ?? ''} ${row.startedAt ?? ''}`.trim(),
    uuid: uuidOf(item.key)
  }
  try {
    const made = await trip.effect('timesheet.line.create', [[values]])
    const [id] = Array.isArray(made) ? made : []
    if (typeof id !== 'number') throw new Error('a created line has no number')
    return { ref: refTo(ctx, 'timesheet.line', id) }
  } catch (error) {
    // Refused because it is there, or for another reason: only a look says which, never the words.
    const there = error instanceof ErpRefusal ? await bookedHours(erp, item) : undefined
    if (there === undefined) throw error
    return { ref: refTo(ctx, 'timesheet.line', there), before: true }
  }
}

async function takeBack(trip: Trip<Labour>): Promise<Arrived> {
  const { erp, ctx, item } = trip
  const { reverses, seconds } = item.record
  const line = reverses === undefined ? undefined : await lineOf(erp, reverses)
  if (!line) throw new Refused('line_unknown', 'The hours that this takes back are not in Tryton.')
  const id = idAt(line, 'id') ?? 0
  const ref = refTo(ctx, 'timesheet.line', id)
  if (isTakenBack(line, item.key)) return { ref, before: true }
  const left = (secondsOf(line.duration) ?? 0) + seconds
  if (left < 0) throw new Refused('line_too_short', 'More hours are taken back than the line in Tryton has.')
  await trip.effect('timesheet.line.write', [
    [id],
    { duration: toDuration(left), description: `${textAt(line, 'description') ?? ''} - ${item.key}`.trim() }
  ])
  return { ref }
}

/** By number, else by name, where the ERP has no number for somebody. No sentence names the person. */
async function employee(erp: Tryton, known: string): Promise<number> {
  for (const field of ['party.code', 'party.name']) {
    const people = await erp.search(
      'company.employee',
      [
        ['company', '=', erp.session.company],
        [field, '=', known]
      ],
      ['id']
    )
    if (people.length > 1) throw new Refused('employee_ambiguous', 'Tryton has several employees of this number or name.')
    const id = idAt(people[0], 'id')
    if (id !== undefined) return id
  }
  throw new Refused('employee_unknown', 'Tryton has no employee of this number or name.')
}

async function timesheetWork({ erp, ctx, row }: Trip<Labour>): Promise<number> {
  if (row.workOrder && row.operation) {
    const order = await production(erp, row.workOrder)
    const work = await operation(erp, idAt(order, 'id') ?? 0, row.workOrder, row.operation)
    const id = idAt(work, 'timesheet_work')
    if (id !== undefined) return id
    throw new Refused('no_timesheet', `The operation ${row.operation} of order ${row.workOrder} is not open for timesheets in Tryton.`)
  }
  const name = row.activityCode || ctx.config.indirectWork
  if (name === '')
    throw new Refused('no_timesheet', 'These hours have no operation, and the connection names no timesheet work for such hours.')
  const works = await erp.search(
    'timesheet.work',
    [
      ['company', '=', erp.session.company],
      ['name', '=', name]
    ],
    ['id']
  )
  const [id, ...more] = works.map(work => idAt(work, 'id') ?? 0)
  if (id === undefined || more.length > 0) {
    throw new Refused('no_timesheet', `Tryton has ${id === undefined ? 'no' : 'more than one'} timesheet work called "${name}".`)
  }
  return id
}
