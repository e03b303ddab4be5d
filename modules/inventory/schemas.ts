import { type TSchema, Type } from 'typebox'
import { Id, Instant, named, Page, PositiveQuantity, QuantityText, Text } from '../../core/index.ts'

const closed = { additionalProperties: false }
const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const word = <const V extends readonly string[]>(values: V, description?: string) =>
  Type.Unsafe<V[number]>(Type.String({ enum: [...values], ...(description === undefined ? {} : { description }) }))

export const Code = Text(40)
export const Reason = Text(500)
export const BackflushWord = word(['none', 'on_report', 'on_completion'], 'When material is consumed by itself')

export const ArticleView = named(
  'Article',
  Type.Object(
    {
      number: Type.String(),
      known: Type.Boolean({ description: 'false: the ERP has named it, but has not sent the article itself yet' }),
      description: Type.String(),
      unit: Type.String({ description: 'The one unit its stock is counted in' }),
      barcode: orNull(Type.String()),
      blocked: Type.Boolean(),
      backflush: orNull(BackflushWord)
    },
    closed
  )
)
export const ArticlePage = named('ArticlePage', Page(ArticleView))

export const LocationView = named(
  'Location',
  Type.Object({ code: Type.String(), warehouse: Type.String(), description: orNull(Type.String()), blocked: Type.Boolean() }, closed)
)
export const LocationPage = named('LocationPage', Page(LocationView))

export const StockView = named(
  'StockLevel',
  Type.Object(
    {
      article: Type.String(),
      description: Type.String(),
      location: Type.String(),
      warehouse: Type.String(),
      lot: orNull(Type.String()),
      unit: Type.String(),
      quantity: Type.String({ description: 'What lies there as far as we know: the ERP\u2019s figure plus what it does not contain yet' }),
      snapshot: Type.Object({ quantity: Type.String(), asOf: orNull(Instant) }, { ...closed, description: 'The ERP\u2019s figure' }),
      pending: Type.String({ description: 'Sum of our transactions that the ERP\u2019s figure does not contain' })
    },
    closed
  )
)
export const StockPage = named('StockLevelPage', Page(StockView))

export const LedgerView = named(
  'StockTransaction',
  Type.Object(
    {
      id: Id,
      kind: word(['issue', 'return', 'receipt', 'transfer_out', 'transfer_in', 'adjustment', 'count', 'reversal', 'snapshot']),
      article: Type.String(),
      location: Type.String(),
      lot: orNull(Type.String()),
      quantity: Type.String({ description: 'Signed' }),
      unit: Type.String(),
      orderNumber: orNull(Type.String()),
      operationNumber: orNull(Type.String()),
      line: orNull(Type.String()),
      actId: Id,
      reverses: orNull(Id),
      reason: orNull(Type.String()),
      at: Instant,
      feedback: orNull(
        Type.Object(
          { state: Type.String(), document: orNull(Type.String()), settledAt: orNull(Instant), reason: orNull(Type.String()) },
          { ...closed, description: 'How far its message is on the way to the ERP' }
        )
      )
    },
    closed
  )
)
export const LedgerPage = named('StockTransactionPage', Page(LedgerView))

export const StockActView = named(
  'StockAct',
  Type.Object({ actId: Id, transactions: Type.Array(LedgerView) }, { ...closed, description: 'What one act did to stock' })
)

export const PickLineView = named(
  'PickLine',
  Type.Object(
    {
      id: Id,
      line: Type.String(),
      article: Type.String(),
      articleDescription: orNull(Type.String()),
      barcode: orNull(Type.String()),
      location: orNull(Type.String()),
      requested: Type.String(),
      picked: Type.String(),
      unit: Type.String(),
      shortReason: orNull(Type.String())
    },
    closed
  )
)
export const pickListStatuses = ['open', 'picking', 'picked', 'short', 'closed'] as const
const pickListFields = { id: Id, number: Type.String(), orderNumber: Type.String(), status: word(pickListStatuses) }
export const PickListSummary = named('PickListSummary', Type.Object(pickListFields, closed))
export const PickListPage = named('PickListPage', Page(PickListSummary))
export const PickListView = named('PickList', Type.Object({ ...pickListFields, lines: Type.Array(PickLineView) }, closed))
export const PickView = named('Pick', Type.Object({ actId: Id, pickList: PickListView }, closed))
export const PickListStatusWord = word(pickListStatuses)

export const TransferBody = Type.Object(
  { article: Code, quantity: PositiveQuantity, from: Code, to: Code, lot: Type.Optional(Code) },
  closed
)
export const AdjustBody = Type.Object(
  { article: Code, location: Code, quantity: QuantityText, reason: Reason, lot: Type.Optional(Code) },
  closed
)
export const PickBody = Type.Object(
  {
    article: Type.String({ minLength: 1, maxLength: 100, description: 'What was scanned: article number or barcode' }),
    location: Type.String({ minLength: 1, maxLength: 100, description: 'The scanned location' }),
    quantity: PositiveQuantity,
    lot: Type.Optional(Code),
    reason: Type.Optional(Text(500, { description: 'Why it is taken at another place than the line names' }))
  },
  closed
)
export const UndoPickBody = Type.Object({ actId: Id }, closed)
export const ReasonBody = Type.Object({ reason: Reason }, closed)

export const InventorySetting = named(
  'InventorySetting',
  Type.Object(
    { version: Type.Integer(), negativeStock: word(['block', 'warn'], 'Whether a movement that takes a level below zero is refused') },
    closed
  )
)
export const InventorySettingBody = Type.Object(
  { version: Type.Integer({ description: 'The version that was read' }), negativeStock: word(['block', 'warn']) },
  closed
)
export const ArticleSettingBody = Type.Object({ backflush: orNull(BackflushWord) }, closed)
