import { type Row, type Rpc, secondsOf } from './rpc.ts'

/** What the ERP has booked on one production. Quantities are millionths. */
export interface Booked {
  readonly state: string
  /** Article -> quantity of the inputs, done or still to be used. */
  readonly planned: ReadonlyMap<string, number>
  /** Article -> quantity of the inputs that are done, less what went back. */
  readonly consumed: ReadonlyMap<string, number>
  /** Good pieces that went to storage, less what came back. */
  readonly made: number
  /** Pieces that went to a place for losses. */
  readonly scrapped: number
  /** Moves that are neither done nor cancelled. */
  readonly openMoves: number
  /** Operation -> its cycles that are not cancelled. */
  readonly cycles: ReadonlyMap<string, readonly { readonly state: string; readonly seconds: number }[]>
  readonly works: ReadonlyMap<string, string>
  /** Operation and employee -> their lines. */
  readonly hours: ReadonlyMap<string, readonly number[]>
}

const text = (value: unknown): string => (value === null || value === undefined ? '' : String(value))
const millionths = (row: Row): number => Math.round((row.quantity as number) * 1e6)

/** Groups without losing the order. */
function by<T>(rows: readonly T[], key: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const row of rows) {
    const group = groups.get(key(row))
    if (group) group.push(row)
    else groups.set(key(row), [row])
  }
  return groups
}

/** Reads all books of these productions with a few questions. @returns by number */
export async function readBooks(erp: Rpc, numbers: readonly string[]): Promise<Map<string, Booked>> {
  const productions = await erp.rows('production', [['number', 'in', [...numbers]]], ['number', 'state', 'product'])
  const ids = productions.map(row => row.id ?? null)
  const moveFields = [
    'state',
    'quantity',
    'product',
    'product.code',
    'from_location.type',
    'to_location.type',
    'production_input',
    'production_output'
  ]
  const inputs = by(await erp.rows('stock.move', [['production_input', 'in', ids]], moveFields), row => text(row.production_input))
  const outputs = by(await erp.rows('stock.move', [['production_output', 'in', ids]], moveFields), row => text(row.production_output))
  const allWorks = await erp.rows('production.work', [['production', 'in', ids]], ['production', 'state', 'sequence', 'timesheet_work'])
  const works = by(allWorks, row => text(row.production))
  const cycles = by(
    await erp.rows('production.work.cycle', [['work', 'in', allWorks.map(row => row.id ?? null)]], ['work', 'state', 'duration']),
    row => text(row.work)
  )
  const lines = by(
    await erp.rows(
      'timesheet.line',
      [['work', 'in', allWorks.flatMap(row => (row.timesheet_work === null ? [] : [row.timesheet_work ?? null]))]],
      ['work', 'employee.party.code', 'duration']
    ),
    row => text(row.work)
  )
  return new Map(
    productions.map(row => {
      const id = text(row.id)
      const into = inputs.get(id) ?? []
      const out = outputs.get(id) ?? []
      const perArticle = (moves: readonly Row[]): Map<string, number> => {
        const sums = new Map<string, number>()
        for (const move of moves) {
          const sign = move['to_location.type'] === 'production' ? 1 : -1
          const code = text(move['product.code'])
          sums.set(code, (sums.get(code) ?? 0) + sign * millionths(move))
        }
        return sums
      }
      let made = 0
      let scrapped = 0
      for (const move of out.filter(one => one.state === 'done' && one.product === row.product)) {
        const sign = move['from_location.type'] === 'production' ? 1 : -1
        const lost = move['to_location.type'] === 'lost_found' || move['from_location.type'] === 'lost_found'
        if (lost) scrapped += sign * millionths(move)
        else made += sign * millionths(move)
      }
      const mine = works.get(id) ?? []
      const named = <T>(of: (work: Row) => T): Map<string, T> => new Map(mine.map(work => [text(work.sequence), of(work)]))
      const hours = new Map<string, number[]>()
      for (const work of mine)
        for (const line of lines.get(text(work.timesheet_work)) ?? []) {
          const name = `${text(work.sequence)} by ${text(line['employee.party.code'])}`
          hours.set(name, [...(hours.get(name) ?? []), secondsOf(line.duration)])
        }
      return [
        text(row.number),
        {
          state: text(row.state),
          planned: perArticle(into.filter(one => one.state !== 'cancelled')),
          consumed: perArticle(into.filter(one => one.state === 'done')),
          made,
          scrapped,
          openMoves: [...into, ...out].filter(one => one.state !== 'done' && one.state !== 'cancelled').length,
          works: named(work => text(work.state)),
          cycles: named(work =>
            (cycles.get(text(work.id)) ?? [])
              .filter(one => one.state !== 'cancelled')
              .map(one => ({ state: text(one.state), seconds: secondsOf(one.duration) }))
          ),
          hours
        }
      ]
    })
  )
}
