import { type Journal, newId, type Outbox, quantity, type TxCtx } from '../../core/index.ts'
import { refuse } from './errors.ts'
import { type MoveKind, perPlace, placeKey } from './stock-rules.ts'
import {
  type Article,
  addToLevels,
  addUnknownArticles,
  appendMoves,
  articlesByNumber,
  automatic,
  fullestLocations,
  locationsByCode,
  type Move,
  moveOfMessage,
  negativeStock,
  unplaced
} from './store.ts'

export interface Needs {
  readonly outbox: Outbox
  readonly journal: Journal
}

/** One article taken or brought back. */
export interface ConsumeItem {
  readonly article: string
  /** Decimal text above zero, in the article's stock unit. */
  readonly quantity: string
  /** The unit the ERP planned it in; with it, an article that is not known yet gets a row instead of a refusal. */
  readonly unit: string | null
  /** Location code; null: where most of it lies. */
  readonly location: string | null
  readonly lot: string | null
  /** Material line of the order. */
  readonly line: string | null
}

/** The work that material is used for. */
export interface Use {
  readonly orderNumber: string
  readonly operationNumber: string | null
  readonly connectionId: string | null
  /** Consumed by itself: the ledger says so, and only that much is brought back by itself. */
  readonly automatic?: boolean
}

/** What an act did to stock: its id in the ledger, and the places that are below zero now (policy `warn`). */
export interface StockAct {
  readonly actId: string
  readonly negative: readonly { readonly article: string; readonly location: string; readonly quantity: string }[]
}

/** A place with the names that people and messages use. */
interface Resolved {
  readonly article: Article
  readonly locationId: string
  readonly locationCode: string
  readonly lot: string
}

/** Finds articles and places of items; throws the refusal that names the wrong field. A blocked place takes only what goes back by itself. */
export async function resolve(
  tx: TxCtx,
  items: readonly (Omit<ConsumeItem, 'quantity' | 'line'> & { readonly line?: string | null })[],
  backByItself: boolean | undefined = false
): Promise<readonly Resolved[]> {
  const numbers = [...new Set(items.map(item => item.article))]
  let articles = await articlesByNumber(tx, numbers)
  const planned = items.flatMap(item =>
    item.unit !== null && !articles.has(item.article) ? [{ number: item.article, unit: item.unit }] : []
  )
  if (planned.length > 0) {
    await addUnknownArticles(tx, planned)
    articles = await articlesByNumber(tx, numbers)
  }
  const codes = [...new Set(items.flatMap(item => (item.location === null ? [] : [item.location])))]
  const locations = await locationsByCode(tx, codes)
  const found = items.map((item, index) => {
    const article = articles.get(item.article)
    if (!article) {
      throw refuse('article_unknown', `There is no article ${item.article}.`, {
        errors: [{ pointer: `/items/${index}/article`, detail: 'is not known' }]
      })
    }
    if (article.blocked && item.unit === null) throw refuse('article_blocked', `Article ${article.number} is blocked.`)
    // Twelve metres are not twelve kilos: what was planned in another unit is never booked as if it were the article's.
    if (item.unit !== null && item.unit !== article.unit) {
      throw refuse('article_unit_differs', `Article ${article.number} is kept in ${article.unit}; the ERP planned it here in ${item.unit}.`)
    }
    const location = item.location === null ? undefined : locations.get(item.location)
    if (item.location !== null && !location) {
      throw refuse('location_unknown', `There is no location ${item.location}.`, {
        errors: [{ pointer: `/items/${index}/location`, detail: 'is not known' }]
      })
    }
    if (location?.blocked && !backByItself) throw refuse('location_blocked', `Location ${location.code} is blocked.`)
    return { article, location, lot: item.lot ?? '' }
  })
  const open = found.filter(one => one.location === undefined)
  const fullest = await fullestLocations(
    tx,
    open.map(one => ({ articleId: one.article.id, lot: one.lot }))
  )
  return found.map(({ article, location, lot }) => {
    const place = location ?? fullest.find(one => one.articleId === article.id && one.lot === lot) ?? unplaced
    return { article, locationId: place.id, locationCode: place.code, lot }
  })
}

const blank = {
  orderNumber: null,
  operationNumber: null,
  line: null,
  pickLineId: null,
  reverses: null,
  reason: null,
  outboxKey: null
} satisfies Partial<Move>

export interface Movement extends Resolved {
  readonly kind: MoveKind
  /** signed */
  readonly quantity: string
  readonly extra?: Partial<Pick<Move, 'orderNumber' | 'operationNumber' | 'line' | 'pickLineId' | 'reverses' | 'reason'>>
  /** Enqueues the feedback of this movement and gives its key. */
  readonly tell?: () => Promise<string>
}

/**
 * Moves stock: the messages first (they hold the order's place in the queue), then the levels in their fixed order, then the ledger.
 * Every act takes its locks in this sequence. With `warn` a level may go below zero whatever the setting says.
 */
export async function moveStock(tx: TxCtx, movements: readonly Movement[], policy?: 'warn'): Promise<StockAct> {
  const actId = newId()
  const rows: Move[] = []
  for (const m of movements) {
    rows.push({
      ...blank,
      id: newId(),
      kind: m.kind,
      articleId: m.article.id,
      locationId: m.locationId,
      lot: m.lot,
      quantity: m.quantity,
      unit: m.article.unit,
      ...m.extra,
      outboxKey: m.tell ? await m.tell() : null
    })
  }
  const sums = perPlace(rows)
  const lowered = new Set(sums.filter(sum => quantity.isNegative(sum.quantity)).map(placeKey))
  const levels = await addToLevels(tx, sums)
  const negative = levels
    .filter(level => quantity.isNegative(level.quantity) && lowered.has(placeKey(level)))
    .map(level => {
      const at = movements.find(m => m.article.id === level.articleId && m.locationId === level.locationId && m.lot === level.lot)
      return { article: at?.article.number ?? '', location: at?.locationCode ?? '', quantity: quantity.quantity(level.quantity) as string }
    })
  const first = negative[0]
  if (first && policy !== 'warn' && (await negativeStock(tx)) === 'block') {
    throw refuse('stock_too_low', `Article ${first.article} would be at ${first.quantity} on location ${first.location}.`)
  }
  await appendMoves(tx, actId, rows)
  return { actId, negative }
}

/** Takes material for a work order out of stock and tells the ERP, one message per item. */
export const consume = (tx: TxCtx, needs: Needs, act: Use & { readonly items: readonly ConsumeItem[] }): Promise<StockAct> =>
  used(tx, needs, act, 'issue')

/** Brings unused material of a work order back to stock and tells the ERP with a negative quantity. */
export const giveBack = (tx: TxCtx, needs: Needs, act: Use & { readonly items: readonly ConsumeItem[] }): Promise<StockAct> =>
  used(tx, needs, act, 'return')

async function used(
  tx: TxCtx,
  { outbox, journal }: Needs,
  act: Use & { items: readonly ConsumeItem[] },
  kind: 'issue' | 'return'
): Promise<StockAct> {
  const places = await resolve(tx, act.items, kind === 'return' && act.automatic)
  const movements = act.items.flatMap((item, index): Movement[] => {
    const place = places[index]
    if (!place) return []
    const told = kind === 'issue' ? quantity.quantity(item.quantity) : quantity.negate(item.quantity)
    return [
      {
        ...place,
        kind,
        quantity: quantity.negate(told),
        extra: {
          orderNumber: act.orderNumber,
          operationNumber: act.operationNumber,
          line: item.line,
          reason: act.automatic ? automatic : null
        },
        tell: () => tellConsumption(tx, outbox, act, place, { line: item.line, quantity: told })
      }
    ]
  })
  const done = await moveStock(tx, movements)
  await journal.append(tx, {
    act: `stock.${kind}`,
    subject: 'inventory.ledger',
    subjectId: done.actId,
    data: { orderNumber: act.orderNumber }
  })
  return done
}

export function tellConsumption(
  tx: TxCtx,
  outbox: Outbox,
  use: Use,
  place: Resolved,
  what: { readonly line: string | null; readonly quantity: string; readonly reverses?: string }
): Promise<string> {
  return outbox.enqueue(tx, {
    kind: 'materialConsumption',
    record: {
      workOrder: use.orderNumber,
      ...(use.operationNumber === null ? {} : { operation: use.operationNumber }),
      ...(what.line === null ? {} : { line: what.line }),
      article: place.article.number,
      quantity: { value: what.quantity, unit: place.article.unit },
      ...(place.locationCode === unplaced.code ? {} : { location: place.locationCode }),
      ...(place.lot === '' ? {} : { lot: place.lot }),
      at: tx.clock.iso()
    },
    orderingKey: use.orderNumber,
    ...(use.connectionId === null ? {} : { connectionId: use.connectionId }),
    ...(what.reverses === undefined ? {} : { reverses: what.reverses })
  })
}

/** Finished goods of a work order; a negative quantity with `reverses` takes an earlier receipt back. @returns the message's key */
export async function receive(
  tx: TxCtx,
  { outbox }: Needs,
  act: Use & {
    readonly article: string
    readonly unit: string
    readonly quantity: string
    readonly location: string | null
    readonly lot: string | null
    readonly reverses?: string
  }
): Promise<string> {
  const { place, reverses } = await receiptPlace(tx, act)
  let key = ''
  // Finished goods may be used further on before we counted them, so taking a receipt back is never blocked.
  await moveStock(
    tx,
    [
      {
        ...place,
        kind: act.reverses === undefined ? 'receipt' : 'reversal',
        quantity: quantity.quantity(act.quantity),
        extra: { orderNumber: act.orderNumber, operationNumber: act.operationNumber, reverses },
        tell: async () => {
          key = await tellReceipt(tx, outbox, act, place)
          return key
        }
      }
    ],
    'warn'
  )
  return key
}

const tellReceipt = (
  tx: TxCtx,
  outbox: Outbox,
  act: Use & { readonly quantity: string; readonly reverses?: string },
  place: Resolved
): Promise<string> =>
  outbox.enqueue(tx, {
    kind: 'productReceipt',
    record: {
      workOrder: act.orderNumber,
      article: place.article.number,
      quantity: { value: quantity.quantity(act.quantity), unit: place.article.unit },
      ...(place.locationCode === unplaced.code ? {} : { to: place.locationCode }),
      ...(place.lot === '' ? {} : { lot: place.lot }),
      at: tx.clock.iso()
    },
    orderingKey: act.orderNumber,
    ...(act.connectionId === null ? {} : { connectionId: act.connectionId }),
    ...(act.reverses === undefined ? {} : { reverses: act.reverses })
  })

/** Where finished goods go (a place that is not known or blocked counts as not stated); what is taken back leaves from where it went. */
async function receiptPlace(
  tx: TxCtx,
  act: { article: string; unit: string; location: string | null; lot: string | null; reverses?: string }
): Promise<{ place: Resolved; reverses: string | null }> {
  const known = act.location === null ? undefined : (await locationsByCode(tx, [act.location])).get(act.location)
  const [given] = await resolve(tx, [
    { article: act.article, unit: act.unit, location: known && !known.blocked ? known.code : unplaced.code, lot: act.lot }
  ])
  if (!given) throw new Error('resolve gives one place per item')
  const went = act.reverses === undefined ? undefined : await moveOfMessage(tx, act.reverses)
  return went
    ? { place: { ...given, locationId: went.location_id, locationCode: went.code, lot: went.lot }, reverses: went.id }
    : { place: given, reverses: null }
}
