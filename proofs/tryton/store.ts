import { setTimeout as sleep } from 'node:timers/promises'
import { everything, type Hand } from './floor.ts'
import { decimalOf, type Row, type Rpc } from './rpc.ts'
import { micro, plain } from './tally.ts'

/** Moves between two places, or from and to nowhere: "article: from > to" -> quantities in the order of size. */
export type Moved = Map<string, string>

const nowhere = ''
const nameOf = (article: string, from: string, to: string): string => `${article}: ${from || 'nowhere'} > ${to || 'nowhere'}`
const note = (moved: Moved, name: string, quantity: string): void => {
  const all = [...(moved.get(name)?.split(' + ') ?? []), quantity]
  moved.set(name, all.sort((a, b) => micro(a) - micro(b)).join(' + '))
}

/** The storeman carries things from one bin to another, and corrects what he counts otherwise. @returns what he did */
export async function keepStore(store: Hand, acts: number, pick: (most: number) => number): Promise<Moved> {
  const moved: Moved = new Map()
  const levels = (
    await everything<{ article: string; location: string; warehouse: string; quantity: string }>(store, '/api/v1/stock')
  ).filter(one => micro(one.quantity) > 100e6)
  for (let n = 0; n < acts; n++) {
    const level = levels[pick(levels.length)]
    const to = levels.find(one => one.warehouse === level?.warehouse && one.location !== level.location)
    if (!level || !to) throw new Error('the store has nothing to move')
    const { article, location } = level
    const quantity = plain((1 + pick(4)) * 1e6)
    if (n % 3 === 2) {
      const down = pick(2) === 0
      await store.act('/api/v1/stock/adjust', { article, location, quantity: down ? `-${quantity}` : quantity, reason: 'counted' })
      note(moved, down ? nameOf(article, location, nowhere) : nameOf(article, nowhere, location), quantity)
    } else {
      await store.act('/api/v1/stock/transfer', { article, from: location, to: to.location, quantity })
      note(moved, nameOf(article, location, to.location), quantity)
    }
    await sleep(pick(3_000))
  }
  return moved
}

/** The newest move of the ERP: what comes later is ours. */
export async function newestMove(erp: Rpc): Promise<number> {
  const [newest = 0] = await erp.call<number[]>('model.stock.move.search', [], 0, 1, [['id', 'DESC']])
  return newest
}

/** Moves that belong to no production and came after that one. */
export async function movedThere(erp: Rpc, after: number): Promise<Moved> {
  const rows = await erp.rows(
    'stock.move',
    [
      ['id', '>', after],
      ['production_input', '=', null],
      ['production_output', '=', null],
      ['to_location.type', '!=', 'production'],
      // A draft that a kill left moves nothing.
      ['state', '=', 'done']
    ],
    ['product.code', 'from_location.code', 'from_location.type', 'to_location.code', 'to_location.type', 'quantity']
  )
  const place = (row: Row, end: 'from_location' | 'to_location'): string =>
    row[`${end}.type`] === 'lost_found' ? nowhere : String(row[`${end}.code`] ?? '?')
  const moved: Moved = new Map()
  for (const row of rows) {
    const name = nameOf(String(row['product.code']), place(row, 'from_location'), place(row, 'to_location'))
    note(moved, name, decimalOf(row.quantity))
  }
  return moved
}
