import { quantity, refuse as refuseCore, type TxCtx } from '../../core/index.ts'
import { refuse } from './errors.ts'
import {
  closePickLists,
  linesOfLists,
  lockPickList,
  type PickLine,
  type PickList,
  type PickListRecord,
  pickMove,
  savePickLine,
  savePickListStatus,
  savePickLists
} from './pick-store.ts'
import { moveStock, type Needs, resolve, tellConsumption } from './stock.ts'
import { checkPick, pickListStatusOf } from './stock-rules.ts'
import { articlesByNumber } from './store.ts'

/** Pick lists that the work orders have checked; whole arrays. */
export async function upsertPickLists(
  tx: TxCtx,
  batch: { readonly lists: readonly PickListRecord[]; readonly closed: readonly string[] }
): Promise<void> {
  const saved = await savePickLists(tx, [...new Map(batch.lists.map(list => [list.number, list])).values()])
  const lines = await linesOfLists(
    tx,
    saved.map(list => list.id)
  )
  for (const list of saved) {
    const status = statusOf(lines.filter(line => line.list_id === list.id))
    if (status !== list.status) await savePickListStatus(tx, list.id, status)
  }
  await closePickLists(tx, batch.closed)
}

const statusOf = (lines: readonly PickLine[]) =>
  pickListStatusOf(lines.map(line => ({ requested: line.requested, picked: line.picked, shortReason: line.short_reason })))

/** The lock on the list comes first: two pickers of one list wait for each other. */
async function lockLine(
  tx: TxCtx,
  listId: string,
  lineId: string
): Promise<{ list: PickList; lines: readonly PickLine[]; line: PickLine }> {
  const list = await lockPickList(tx, listId)
  const lines = list ? await linesOfLists(tx, [list.id]) : []
  const line = lines.find(one => one.id === lineId)
  if (!list || !line) throw refuseCore('not_found', 'There is no such line on this pick list.')
  if (list.status === 'closed') throw refuse('pick_list_closed', `Pick list ${list.number} is closed.`)
  return { list, lines, line }
}

async function save(tx: TxCtx, list: PickList, lines: readonly PickLine[], changed: PickLine): Promise<void> {
  await savePickLine(tx, { id: changed.id, picked: changed.picked, shortReason: changed.short_reason })
  const now = lines.map(line => (line.id === changed.id ? changed : line))
  const status = statusOf(now)
  if (status !== list.status) await savePickListStatus(tx, list.id, status)
}

export interface Scan {
  /** What was scanned: article number or barcode, and location code. */
  readonly article: string
  readonly location: string
  readonly quantity: string
  readonly lot?: string | undefined
  /** Why it is taken at another place than the line names. */
  readonly reason?: string | undefined
}

/** Picks for one line: the scanned article and place are checked, the stock goes out and the ERP is told. @returns the act, by which it is undone */
export async function pick(tx: TxCtx, needs: Needs, listId: string, lineId: string, scan: Scan): Promise<string> {
  const { list, lines, line } = await lockLine(tx, listId, lineId)
  const article = (await articlesByNumber(tx, [line.article])).get(line.article)
  const check = checkPick({ article: line.article, barcode: article?.barcode ?? null, location: line.location }, scan)
  if (check === 'wrong_article')
    throw refuse('wrong_article', `This is ${scan.article}; line ${line.line} asks for article ${line.article}.`)
  if (check === 'wrong_location' && scan.reason === undefined) {
    throw refuse('wrong_location', `This is location ${scan.location}; line ${line.line} asks for ${line.location}.`)
  }
  const picked = quantity.add(line.picked, scan.quantity)
  if (quantity.compare(picked, line.requested) > 0) {
    throw refuse(
      'pick_exceeds_request',
      `Line ${line.line} asks for ${quantity.quantity(line.requested)} ${line.unit}; with this pick it would be ${picked}.`
    )
  }
  const [place] = await resolve(tx, [{ article: line.article, unit: line.unit, location: scan.location, lot: scan.lot ?? null }])
  if (!place) throw new Error('resolve gives one place per item')
  const use = { orderNumber: list.order_number, operationNumber: null, connectionId: list.connection_id }
  const { actId } = await moveStock(tx, [
    {
      ...place,
      kind: 'issue',
      quantity: quantity.negate(scan.quantity),
      extra: { orderNumber: list.order_number, pickLineId: line.id, reason: scan.reason ?? null },
      tell: () => tellConsumption(tx, needs.outbox, use, place, { line: null, quantity: quantity.quantity(scan.quantity) })
    }
  ])
  await save(tx, list, lines, { ...line, picked, short_reason: null })
  await needs.journal.append(tx, { act: 'pick.take', subject: 'inventory.pick_line', subjectId: line.id, data: { actId } })
  return actId
}

/** Takes one pick back: stock and line are as before, and the ERP is told. */
export async function undoPick(tx: TxCtx, needs: Needs, listId: string, lineId: string, actId: string): Promise<string> {
  const { list, lines, line } = await lockLine(tx, listId, lineId)
  const move = await pickMove(tx, line.id, actId)
  if (!move) throw refuseCore('not_found', 'There is no such pick on this line.')
  if (move.undone !== null) throw refuse('act_reversed', 'This pick was undone already.')
  // Back to where it came from, also when the ERP has changed the line or blocked the place since.
  const article = (await articlesByNumber(tx, [move.article])).get(move.article)
  if (!article) throw new Error('the article of a ledger row is not there')
  const place = { article, locationId: move.location_id, locationCode: move.code, lot: move.lot }
  const use = { orderNumber: list.order_number, operationNumber: null, connectionId: list.connection_id }
  const back = await moveStock(tx, [
    {
      ...place,
      kind: 'reversal',
      quantity: quantity.negate(move.quantity),
      extra: { orderNumber: list.order_number, pickLineId: line.id, reverses: move.id },
      tell: () =>
        tellConsumption(tx, needs.outbox, use, place, {
          line: null,
          quantity: quantity.quantity(move.quantity),
          ...(move.outbox_key === null ? {} : { reverses: move.outbox_key })
        })
    }
  ])
  // The move is negative (an issue): adding it takes the pick off the line.
  await save(tx, list, lines, { ...line, picked: quantity.add(line.picked, move.quantity) })
  await needs.journal.append(tx, {
    act: 'pick.undo',
    subject: 'inventory.pick_line',
    subjectId: line.id,
    data: { actId: back.actId, reverses: move.id }
  })
  return back.actId
}

/** Says why a line stays short, so that the list can be finished. */
export async function markShort(tx: TxCtx, needs: Needs, listId: string, lineId: string, reason: string): Promise<void> {
  const { list, lines, line } = await lockLine(tx, listId, lineId)
  if (quantity.compare(line.picked, line.requested) >= 0) throw refuse('pick_line_full', `Line ${line.line} is picked in full.`)
  await save(tx, list, lines, { ...line, short_reason: reason })
  await needs.journal.append(tx, { act: 'pick.short', subject: 'inventory.pick_line', subjectId: line.id })
}
