import { quantity, type TxCtx } from '../../core/index.ts'
import { refuse } from './errors.ts'
import { moveStock, type Needs, resolve, type StockAct } from './stock.ts'

export interface Transfer {
  readonly article: string
  readonly quantity: string
  readonly from: string
  readonly to: string
  readonly lot?: string | undefined
}

/** Moves stock from one location to another; one stockTransaction tells of both sides. */
export async function transfer(tx: TxCtx, { outbox, journal }: Needs, what: Transfer): Promise<StockAct> {
  if (what.from === what.to) throw refuse('same_location', `Article ${what.article} is on location ${what.from} already.`)
  const item = { article: what.article, unit: null, lot: what.lot ?? null }
  const [from, to] = await resolve(tx, [
    { ...item, location: what.from },
    { ...item, location: what.to }
  ])
  if (!from || !to) throw new Error('resolve gives one place per item')
  const key = await outbox.enqueue(tx, {
    kind: 'stockTransaction',
    record: {
      article: from.article.number,
      from: from.locationCode,
      to: to.locationCode,
      quantity: { value: quantity.quantity(what.quantity), unit: from.article.unit },
      ...(from.lot === '' ? {} : { lot: from.lot }),
      at: tx.clock.iso()
    },
    orderingKey: from.article.number
  })
  const done = await moveStock(tx, [
    { ...from, kind: 'transfer_out', quantity: quantity.negate(what.quantity), tell: async () => key },
    { ...to, kind: 'transfer_in', quantity: quantity.quantity(what.quantity), tell: async () => key }
  ])
  await journal.append(tx, {
    act: 'stock.transfer',
    subject: 'inventory.ledger',
    subjectId: done.actId,
    data: { articleId: from.article.id }
  })
  return done
}

export interface Adjustment {
  readonly article: string
  readonly location: string
  /** signed */
  readonly quantity: string
  readonly reason: string
  readonly lot?: string | undefined
}

/** Corrects stock that is not what it should be, with a reason. */
export async function adjust(tx: TxCtx, { outbox, journal }: Needs, what: Adjustment): Promise<StockAct> {
  const [place] = await resolve(tx, [{ article: what.article, unit: null, location: what.location, lot: what.lot ?? null }])
  if (!place) throw new Error('resolve gives one place per item')
  const down = quantity.isNegative(what.quantity)
  const done = await moveStock(tx, [
    {
      ...place,
      kind: 'adjustment',
      quantity: quantity.quantity(what.quantity),
      extra: { reason: what.reason },
      tell: () =>
        outbox.enqueue(tx, {
          kind: 'stockTransaction',
          record: {
            article: place.article.number,
            ...(down ? { from: place.locationCode } : { to: place.locationCode }),
            quantity: { value: down ? quantity.negate(what.quantity) : quantity.quantity(what.quantity), unit: place.article.unit },
            ...(place.lot === '' ? {} : { lot: place.lot }),
            at: tx.clock.iso()
          },
          orderingKey: place.article.number
        })
    }
  ])
  await journal.append(tx, {
    act: 'stock.adjust',
    subject: 'inventory.ledger',
    subjectId: done.actId,
    data: { articleId: place.article.id }
  })
  return done
}
