import {
  type AdapterError,
  type ExportBatch,
  type ExportItem,
  type ExportOutcome,
  type ExportOutcomeBody,
  eachInOrder,
  type LookupAnswer
} from '../contract/index.ts'
import { stateOf } from './find.ts'
import { receive, transfer } from './goods.ts'
import { bookedHours, bookHours } from './labour.ts'
import { type Mark, marksOf } from './marks.ts'
import { consume } from './material.ts'
import { operationReached, tellOperation } from './operation-status.ts'
import { orderReached, tellOrder } from './order-status.ts'
import type { TrytonCtx } from './session.ts'
import { type Arrived, outcomeOf, refTo, setOut, type Trip } from './trip.ts'
import { openTryton, type Tryton } from './tryton.ts'

/** One message after the other. Where Tryton refuses us altogether, nothing of the batch is sent any more and a person is told. */
export async function* send(batch: ExportBatch, ctx: TrytonCtx): AsyncIterable<ExportOutcome> {
  let erp: Tryton | undefined
  let fatal: AdapterError | undefined
  yield* eachInOrder(batch, async (item): Promise<ExportOutcomeBody> => {
    if (fatal) return { status: 'not-sent', reason: fatal.message }
    const mapped = ctx.map.out(item)
    if (!mapped.ok) return { status: 'rejected', reject: mapped.reject }
    const open = async (): Promise<Trip> => {
      erp ??= await openTryton(ctx)
      return setOut(erp, ctx, item, mapped.row)
    }
    const outcome = await outcomeOf(open, carry, nameless(item, mapped.row))
    fatal = outcome.fatal
    return outcome.body
  })
  if (fatal) throw fatal
}

function carry(trip: Trip): Promise<Arrived> {
  switch (trip.item.kind) {
    case 'materialConsumption':
      return consume(trip as Trip<never>)
    case 'productReceipt':
      return receive(trip as Trip<never>)
    case 'stockTransaction':
      return transfer(trip as Trip<never>)
    case 'operationStatus':
      return tellOperation(trip as Trip<never>)
    case 'orderStatus':
      return tellOrder(trip as Trip<never>)
    case 'labour':
      return bookHours(trip as Trip<never>)
  }
}

/** Tryton's reasons may name the person whose hours they are; what many read does not. */
function nameless(item: ExportItem, row: Readonly<Record<string, string>>): (sentence: string) => string {
  if (item.kind !== 'labour') return sentence => sentence
  const names = [item.record.employee, row.employee ?? ''].filter(name => name.length > 1)
  return sentence => names.reduce((text, name) => text.replaceAll(name, '…'), sentence)
}

/** Where messages stand in Tryton; asked for, never written. A draft that is marked but was not done has had no effect yet. */
export async function* lookup(items: readonly ExportItem[], ctx: TrytonCtx): AsyncIterable<LookupAnswer> {
  const erp = await openTryton(ctx)
  for (const item of items) {
    if (item.kind === 'labour') {
      const id = await bookedHours(erp, item)
      yield id === undefined ? { key: item.key, found: false } : { key: item.key, found: true, ref: refTo(ctx, 'timesheet.line', id) }
      continue
    }
    let found: Mark | undefined
    for (const mark of await marksOf(erp, item.key)) if (!found && (await hasEffect(erp, item, mark))) found = mark
    yield found ? { key: item.key, found: true, ref: refTo(ctx, found.model, found.record) } : { key: item.key, found: false }
  }
}

async function hasEffect(erp: Tryton, item: ExportItem, { model, record }: Mark): Promise<boolean> {
  if (model === 'stock.move') return (await stateOf(erp, 'stock.move', record)) === 'done'
  if (item.kind === 'orderStatus') return orderReached(await stateOf(erp, 'production', record), item.record.status)
  if (item.kind === 'operationStatus') return operationReached(erp, record, item.record.status)
  // A consumption that is in the plan is a mark and nothing else.
  return true
}
