import { type Ctx, defineModule, type TxCtx } from '../../core/index.ts'
import { dictionary } from './dictionary.ts'
import { errors } from './errors.ts'
import { pickRoutes } from './pick-routes.ts'
import type { PickListRecord } from './pick-store.ts'
import { upsertPickLists } from './picks.ts'
import { receiveArticles, receiveLocations, stockReceiver } from './receivers.ts'
import { inventoryRoutes } from './routes.ts'
import { type ConsumeItem, consume, giveBack, receive, type StockAct, type Use } from './stock.ts'
import { type Article, articlesByNumber, type Consumed, consumedOfOrder } from './store.ts'
import { type Transfer, transfer } from './transfers.ts'

/** What the inventory does for its neighbours. Everything joins the caller's transaction. */
export interface Inventory {
  /** Takes material for a work order out of stock; one materialConsumption per item. */
  consume(tx: TxCtx, act: Use & { readonly items: readonly ConsumeItem[] }): Promise<StockAct>
  /** Brings unused material back; materialConsumption with a negative quantity. */
  giveBack(tx: TxCtx, act: Use & { readonly items: readonly ConsumeItem[] }): Promise<StockAct>
  /** Finished goods; productReceipt. A negative quantity with `reverses` (a message key) takes a receipt back. @returns the message's key */
  receive(
    tx: TxCtx,
    act: Use & {
      readonly article: string
      readonly unit: string
      readonly quantity: string
      readonly location: string | null
      readonly lot: string | null
      readonly reverses?: string
    }
  ): Promise<string>
  transfer(tx: TxCtx, what: Transfer): Promise<StockAct>
  /** Pick lists whose work orders were checked; what was picked stays. `closed` are numbers. */
  upsertPickLists(tx: TxCtx, batch: { readonly lists: readonly PickListRecord[]; readonly closed: readonly string[] }): Promise<void>
  articlesByNumber(c: Ctx | TxCtx, numbers: readonly string[]): Promise<ReadonlyMap<string, Article>>
  /** What an order consumed, per material line and article, returns and reversals taken off. */
  consumedOfOrder(c: Ctx | TxCtx, orderNumber: string): Promise<readonly Consumed[]>
}

export type { Article, Consumed, ConsumeItem, PickListRecord, StockAct, Transfer, Use }

declare module '../../core/index.ts' {
  interface Faces {
    inventory: Inventory
  }
}

export default defineModule({
  name: 'inventory',
  needs: ['outbox', 'journal'],
  permissions: {
    'articles.read': 'See articles.',
    'stock.read': 'See locations, stock and its ledger.',
    'stock.consume': 'Take material for work orders, bring it back, and pick.',
    'stock.transfer': 'Move stock between locations.',
    'stock.adjust': 'Correct stock, with a reason.',
    'stock.settings': 'Decide how stock is kept: below zero or not, and which articles are consumed by themselves.',
    'picks.read': 'See pick lists.'
  },
  personalData: [{ table: 'inventory.ledger', subject: 'moved_by', columns: ['moved_by'], why: 'to know who moved stock' }],
  retention: ['article', 'warehouse', 'location', 'level', 'ledger', 'pending', 'pick_list', 'pick_line', 'setting'].map(table => ({
    table: `inventory.${table}`,
    after: 'end of contract',
    rule: 'return or destruction'
  })),
  dictionary,
  errors,
  build({ outbox, journal }) {
    const needs = { outbox, journal }
    return {
      face: {
        consume: (tx, act) => consume(tx, needs, act),
        giveBack: (tx, act) => giveBack(tx, needs, act),
        receive: (tx, act) => receive(tx, needs, act),
        transfer: (tx, what) => transfer(tx, needs, what),
        upsertPickLists,
        articlesByNumber,
        consumedOfOrder
      },
      routes: app => {
        inventoryRoutes(needs)(app)
        pickRoutes(needs)(app)
      },
      receives: { article: receiveArticles, location: receiveLocations, stock: stockReceiver(outbox) }
    }
  }
})
