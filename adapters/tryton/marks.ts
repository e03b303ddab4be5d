import { ErpRefusal } from './errors.ts'
import { Refused, type Trip } from './trip.ts'
import type { Tryton } from './tryton.ts'
import { idAt, type Row, textAt } from './wire.ts'

/**
 * The key of a message stands in a note (`ir.note`) on the record that the message is about. A move or a production has no field of its own
 * for it; a note is seen by people too. A mark has no effect: it comes before what has one, which is done to a marked record only.
 */
export interface Mark {
  readonly id: number
  /** Such as "stock.move,320". */
  readonly resource: string
  readonly model: string
  readonly record: number
  readonly message: string
}

const first = (key: string): string => `Werkvloer ${key}`
const escaped = (text: string): string => text.replace(/[\\%_]/g, '\\$&')

function markOf(row: Row): Mark | undefined {
  const [model = '', record = ''] = (textAt(row, 'resource') ?? '').split(',')
  const id = idAt(row, 'id')
  return id === undefined || !/^\d+$/.test(record)
    ? undefined
    : { id, resource: `${model},${record}`, model, record: Number(record), message: textAt(row, 'message') ?? '' }
}

/** The marks of one message, the oldest first. */
export async function marksOf(erp: Tryton, key: string): Promise<Mark[]> {
  const rows = await erp.search('ir.note', [['message', 'like', `${escaped(first(key))}%`]], ['id', 'resource', 'message'])
  return rows.flatMap(row => markOf(row) ?? []).filter(({ message }) => message.split('\n')[0] === first(key))
}

/** Our marks on records. */
export async function marksOn(erp: Tryton, resources: readonly string[]): Promise<Map<string, Mark[]>> {
  const found = new Map<string, Mark[]>()
  if (resources.length === 0) return found
  const rows = await erp.search(
    'ir.note',
    [
      ['resource', 'in', [...resources]],
      ['message', 'like', 'Werkvloer %']
    ],
    ['id', 'resource', 'message']
  )
  for (const mark of rows.flatMap(row => markOf(row) ?? [])) found.set(mark.resource, [...(found.get(mark.resource) ?? []), mark])
  return found
}

/** Writes the mark of a message; `counts` where the mark is all that the message does. @returns its number */
export async function mark(trip: Trip, resource: string, lines: readonly string[], counts = false): Promise<number | undefined> {
  const values = { resource, message: [first(trip.item.key), ...lines].join('\n') }
  const made = await trip[counts ? 'effect' : 'prepare']('ir.note.create', [[values]])
  const [id] = Array.isArray(made) ? made : []
  return typeof id === 'number' ? id : undefined
}

/** Takes away what a message left that Tryton then refused. What cannot be taken away now is found and used when it is sent again. */
export async function tidy(trip: Trip, left: readonly (readonly [model: string, id: number | undefined])[]): Promise<boolean> {
  try {
    for (const [model, id] of left) if (id !== undefined) await trip.prepare(`${model}.delete`, [[id]])
    return true
  } catch (error) {
    trip.ctx.log.info({ key: trip.item.key, why: error instanceof Error ? error.name : '' }, 'a draft of a refused message stays')
    return false
  }
}

/** Runs what has the effect; where Tryton refuses it, nothing of the message stays behind. */
export async function orTidy<T>(
  trip: Trip,
  left: readonly (readonly [model: string, id: number | undefined])[],
  act: () => Promise<T>
): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof Refused || (error instanceof ErpRefusal && error.type !== 'ConcurrencyException')) await tidy(trip, left)
    throw error
  }
}
