import { type Row, type Rpc, secondsOf } from './rpc.ts'

/** What the ERP has booked on one production. Quantities are millionths. */
export interface Booked {
  readonly state: string
  readonly article: string
  /** Article -> quantity of the inputs, done or still to be used. */
  readonly planned: ReadonlyMap<string, number>
  /** Article -> quantity of the inputs that are done, less what went back. */
  readonly consumed: ReadonlyMap<string, number>
  /** Good pieces that went to storage, each move that is done. */
  readonly receipts: readonly number[]
  /** Moves that are neither done nor cancelled. */
  readonly openMoves: number
  readonly operations: ReadonlyMap<string, BookedOperation>
  /** Operation and employee -> seconds of each line, by the line's number. */
  readonly hours: ReadonlyMap<string, ReadonlyMap<number, number>>
}
export interface BookedOperation {
  readonly state: string
  /** Its cycles that are not cancelled. */
  readonly cycles: readonly { readonly id: number; readonly state: string; readonly seconds: number }[]
  /** Notes of ours on it, and the pieces that they tell of. */
  readonly notes: number
  readonly good: number
  readonly scrap: number
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

const moveFields = ['state', 'quantity', 'product', 'product.code', 'to_location.type', 'production_input', 'production_output']

/** Reads all books of these productions with a few questions. @returns by number */
export async function readBooks(erp: Rpc, numbers: readonly string[]): Promise<Map<string, Booked>> {
  const productions = await erp.rows('production', [['number', 'in', [...numbers]]], ['number', 'state', 'product', 'product.code'])
  const ids = productions.map(row => row.id ?? null)
  const inputs = by(await erp.rows('stock.move', [['production_input', 'in', ids]], moveFields), row => text(row.production_input))
  const outputs = by(await erp.rows('stock.move', [['production_output', 'in', ids]], moveFields), row => text(row.production_output))
  const works = await erp.rows('production.work', [['production', 'in', ids]], ['production', 'state', 'sequence', 'timesheet_work'])
  const workIds = works.map(row => row.id ?? null)
  const cycles = by(await erp.rows('production.work.cycle', [['work', 'in', workIds]], ['work', 'state', 'duration']), row =>
    text(row.work)
  )
  const resources = workIds.map(id => `production.work,${text(id)}`)
  const notes = by(await erp.rows('ir.note', [['resource', 'in', resources]], ['resource', 'message']), row => text(row.resource))
  const sheets = works.flatMap(row => (row.timesheet_work === null ? [] : [row.timesheet_work ?? null]))
  const lines = by(await erp.rows('timesheet.line', [['work', 'in', sheets]], ['work', 'employee.party.code', 'duration']), row =>
    text(row.work)
  )

  const operationOf = (work: Row): BookedOperation => {
    const told = (notes.get(`production.work,${text(work.id)}`) ?? []).map(row => text(row.message))
    const pieces = (word: string): number =>
      told.reduce((sum, message) => sum + Number(new RegExp(`^${word} (-?[\\d.]+) `, 'm').exec(message)?.[1] ?? 0), 0)
    return {
      state: text(work.state),
      cycles: (cycles.get(text(work.id)) ?? [])
        .filter(one => one.state !== 'cancelled')
        .map(one => ({ id: one.id as number, state: text(one.state), seconds: secondsOf(one.duration) })),
      notes: told.length,
      good: pieces('good'),
      scrap: pieces('scrap')
    }
  }
  const productionOf = (row: Row): Booked => {
    const into = inputs.get(text(row.id)) ?? []
    const out = outputs.get(text(row.id)) ?? []
    const back = out.filter(move => move.product !== row.product)
    const mine = works.filter(work => work.production === row.id)
    const hours = new Map<string, Map<number, number>>()
    for (const work of mine)
      for (const line of lines.get(text(work.timesheet_work)) ?? []) {
        const place = `${text(work.sequence)} by ${text(line['employee.party.code'])}`
        hours.set(place, (hours.get(place) ?? new Map()).set(line.id as number, secondsOf(line.duration)))
      }
    return {
      state: text(row.state),
      article: text(row['product.code']),
      planned: perArticle(into.filter(move => move.state !== 'cancelled')),
      consumed: perArticle([...into, ...back].filter(move => move.state === 'done')),
      receipts: out.flatMap(move =>
        move.product === row.product && move.state === 'done' && move.quantity !== 0 ? [millionths(move)] : []
      ),
      openMoves: [...into, ...out].filter(move => move.state !== 'done' && move.state !== 'cancelled').length,
      operations: new Map(mine.map(work => [text(work.sequence), operationOf(work)])),
      hours
    }
  }
  return new Map(productions.map(row => [text(row.number), productionOf(row)]))
}

/** Sums by article: what goes to the floor less what comes from it. */
function perArticle(moves: readonly Row[]): Map<string, number> {
  const sums = new Map<string, number>()
  for (const move of moves) {
    const code = text(move['product.code'])
    sums.set(code, (sums.get(code) ?? 0) + (move['to_location.type'] === 'production' ? 1 : -1) * millionths(move))
  }
  return sums
}

/** Finished pieces that went from storage to the floor again after that move, by article: no production is named there. */
export async function returnsThere(erp: Rpc, after: number): Promise<Map<string, number[]>> {
  const rows = await erp.rows(
    'stock.move',
    [
      ['id', '>', after],
      ['production_input', '=', null],
      ['production_output', '=', null],
      ['to_location.type', '=', 'production'],
      ['state', '=', 'done']
    ],
    ['product.code', 'quantity']
  )
  const returns = new Map<string, number[]>()
  for (const row of rows) returns.set(text(row['product.code']), [...(returns.get(text(row['product.code'])) ?? []), millionths(row)])
  return returns
}
