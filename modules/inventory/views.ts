import type { Static } from 'typebox'
import { type MessageState, quantity } from '../../core/index.ts'
import type { ArticleLine, LedgerLine, LocationLine, StockLine } from './list-store.ts'
import type { PickLine, PickList } from './pick-store.ts'
import type { ArticleView, LedgerView, LocationView, PickListSummary, PickListView, StockView } from './schemas.ts'
import type { Article } from './store.ts'

const text = (value: string): string => quantity.quantity(value)
const lotOf = (lot: string): string | null => (lot === '' ? null : lot)

export const articleView = ({
  number,
  known,
  description,
  unit,
  barcode,
  blocked,
  backflush
}: ArticleLine): Static<typeof ArticleView> => ({
  number,
  known,
  description,
  unit,
  barcode,
  blocked,
  backflush
})

export const locationView = (row: LocationLine): Static<typeof LocationView> => ({
  code: row.code,
  warehouse: row.warehouse_code,
  description: row.description,
  blocked: row.blocked
})

export const stockView = (row: StockLine): Static<typeof StockView> => ({
  article: row.article,
  description: row.description,
  location: row.location,
  warehouse: row.warehouse,
  lot: lotOf(row.lot),
  unit: row.unit,
  quantity: text(row.quantity),
  snapshot: { quantity: text(row.snapshot_quantity), asOf: row.snapshot_as_of },
  pending: text(row.pending)
})

export const ledgerView = (row: LedgerLine, message: MessageState | undefined): Static<typeof LedgerView> => ({
  id: row.id,
  kind: row.kind,
  article: row.article,
  location: row.location,
  lot: lotOf(row.lot),
  quantity: text(row.quantity),
  unit: row.unit,
  orderNumber: row.order_number,
  operationNumber: row.operation_number,
  line: row.line,
  actId: row.act_id,
  reverses: row.reverses,
  reason: row.reason,
  at: row.at,
  feedback: message
    ? { state: message.state, document: message.document, settledAt: message.settledAt, reason: message.rejectMessage }
    : null
})

export const pickListSummary = (list: PickList): Static<typeof PickListSummary> => ({
  id: list.id,
  number: list.number,
  orderNumber: list.order_number,
  status: list.status
})

export const pickListView = (
  list: PickList,
  lines: readonly PickLine[],
  articles: ReadonlyMap<string, Article>
): Static<typeof PickListView> => ({
  ...pickListSummary(list),
  lines: lines.map(line => {
    const article = articles.get(line.article)
    return {
      id: line.id,
      line: line.line,
      article: line.article,
      articleDescription: article?.known ? article.description : null,
      barcode: article?.barcode ?? null,
      location: line.location,
      requested: text(line.requested),
      picked: text(line.picked),
      unit: line.unit,
      shortReason: line.short_reason
    }
  })
})
