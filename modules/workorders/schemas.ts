import { type TSchema, Type } from 'typebox'
import { Id, Instant, LocalDate, named, Page, PositiveQuantity, QuantityText, Text } from '../../core/index.ts'
import { type GuardedField, guardedFields } from './change-rules.ts'
import { jobStatuses } from './operation-rules.ts'
import { orderSorts } from './order-sorts.ts'

const closed = { additionalProperties: false }
const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const word = <const V extends readonly string[]>(values: V, description?: string) =>
  Type.Unsafe<V[number]>(Type.String({ enum: [...values], ...(description === undefined ? {} : { description }) }))

export const StatusWord = word(jobStatuses)
export const OrderSortWord = word(orderSorts, 'urgent: what is to be done before what is done, then priority, then due date')
export const FloorStatusWord = word(['released', 'started', 'paused'])
const Code = Text(40)
const Reason = Text(500)
const Amount = Type.String({ pattern: '^\\d{1,12}(\\.\\d{1,6})?$', description: 'Decimal text, zero or more' })

export const Feedback = named(
  'Feedback',
  Type.Object(
    { state: Type.String(), document: orNull(Type.String()), settledAt: orNull(Instant), reason: orNull(Type.String()) },
    { ...closed, description: 'How far a message is on the way to the ERP' }
  )
)

export const JobView = named(
  'Job',
  Type.Object(
    {
      id: Id,
      orderId: Id,
      orderNumber: Type.String(),
      orderStatus: StatusWord,
      orderDescription: orNull(Type.String()),
      number: Type.String({ description: 'Operation number of the ERP' }),
      sequence: Type.Integer(),
      description: Type.String(),
      department: Type.String(),
      workCentre: orNull(Type.String()),
      article: orNull(Type.String()),
      unit: Type.String(),
      status: StatusWord,
      plannedQuantity: Type.String(),
      proposedQuantity: Type.String({
        description: 'What the screen proposes to report: what came out of the operation before, less what is reported'
      }),
      missingQuantity: Type.String({
        description: 'Pieces still to be accounted for before it is complete; completing with fewer asks not_yet or lost'
      }),
      good: Type.String(),
      scrap: Type.String(),
      rework: Type.String(),
      due: orNull(LocalDate),
      priority: Type.Integer({ description: 'Higher comes first' }),
      setupSeconds: orNull(Type.Integer({ description: 'Planned, once for the operation' })),
      runSeconds: orNull(Type.Integer({ description: 'Planned for the whole quantity' })),
      running: Type.Array(Type.Object({ employeeId: Id, since: Instant }, closed), { description: 'Whose clock runs on it' }),
      startedAt: orNull(Instant),
      finishedAt: orNull(Instant),
      version: Type.Integer()
    },
    closed
  )
)
export const JobPage = named('JobPage', Page(JobView))

export const MaterialView = named(
  'Material',
  Type.Object(
    {
      line: Type.String(),
      operation: orNull(Type.String()),
      article: Type.String(),
      articleDescription: orNull(Type.String({ description: 'null: the article has not reached us yet' })),
      quantity: Type.String(),
      consumed: Type.String(),
      unit: Type.String(),
      location: orNull(Type.String())
    },
    closed
  )
)

const orderFields = {
  id: Id,
  number: Type.String(),
  article: orNull(Type.String()),
  description: orNull(Type.String()),
  department: Type.String(),
  quantity: Type.String(),
  unit: Type.String(),
  due: orNull(LocalDate),
  priority: Type.Integer({ description: 'Higher comes first' }),
  status: StatusWord,
  erpStatus: orNull(Type.String({ description: 'The ERP’s own word' })),
  heldChanges: Type.Integer({ description: 'Changes of the ERP that wait for a person' }),
  startedAt: orNull(Instant),
  finishedAt: orNull(Instant),
  version: Type.Integer()
}
export const WorkOrderSummary = named('WorkOrderSummary', Type.Object(orderFields, closed))
export const WorkOrderPage = named('WorkOrderPage', Page(WorkOrderSummary))
export const WorkOrderView = named(
  'WorkOrder',
  Type.Object(
    {
      ...orderFields,
      articleDescription: orNull(Type.String()),
      progress: Type.Object(
        {
          good: Type.String({ description: 'Good pieces of the last operation' }),
          scrap: Type.String(),
          operations: Type.Integer(),
          completed: Type.Integer()
        },
        closed
      ),
      operations: Type.Array(JobView),
      materials: Type.Array(MaterialView)
    },
    closed
  )
)

export const ReportView = named(
  'Report',
  Type.Object(
    {
      id: Id,
      jobId: Id,
      kind: word(['report', 'reversal', 'replacement', 'reopening']),
      good: Type.String(),
      scrap: Type.String(),
      rework: Type.String(),
      scrapReason: orNull(Type.String()),
      shortfall: word(['none', 'not_yet', 'lost']),
      reverses: orNull(Id),
      replaces: orNull(Id),
      reason: orNull(Type.String()),
      reportedBy: Type.String({ description: 'Account, as kind:id' }),
      employeeId: orNull(Id),
      at: Instant,
      feedback: orNull(Feedback)
    },
    closed
  )
)
export const ChangeView = named(
  'OrderChange',
  Type.Object(
    {
      id: Id,
      field: Type.String(),
      before: Type.Unknown(),
      after: Type.Unknown(),
      policy: word(['accept', 'hold', 'refuse']),
      state: word(['accepted', 'held', 'refused', 'withdrawn']),
      floorVersion: Type.Integer({ description: 'Version of the order that the floor saw' }),
      at: Instant,
      decidedAt: orNull(Instant)
    },
    closed
  )
)
export const HistoryView = named(
  'WorkOrderHistory',
  Type.Object({ reports: Type.Array(ReportView), changes: Type.Array(ChangeView) }, closed)
)
export const ReportedView = named('Reported', Type.Object({ reportId: Id, job: JobView }, closed))
export const CorrectedView = named('Corrected', Type.Object({ reversalId: Id, replacementId: orNull(Id), job: JobView }, closed))
export const UndoneView = named('Undone', Type.Object({ reversalId: Id, job: JobView }, closed))
export const FloorFeedbackView = named(
  'FloorFeedback',
  Type.Object(
    {
      items: Type.Array(
        Type.Object(
          {
            reportId: Id,
            jobId: Id,
            orderNumber: Type.String(),
            operationNumber: Type.String(),
            kind: word(['report', 'reversal', 'replacement', 'reopening']),
            good: Type.String(),
            scrap: Type.String(),
            unit: Type.String(),
            at: Instant,
            feedback: orNull(Feedback)
          },
          closed
        )
      )
    },
    closed
  )
)
export const MaterialActView = named('MaterialAct', Type.Object({ actId: Id, materials: Type.Array(MaterialView) }, closed))

export const ScrapReasonView = named(
  'ScrapReason',
  Type.Object({ code: Type.String(), name: Type.String(), active: Type.Boolean() }, closed)
)
export const OrderProgressView = named(
  'OrderProgress',
  Type.Object(
    {
      items: Type.Array(
        Type.Object(
          {
            department: Type.String(),
            name: orNull(Type.String()),
            waiting: Type.Integer({ description: 'Jobs that nobody has started yet' }),
            started: Type.Integer(),
            paused: Type.Integer(),
            completed: Type.Integer(),
            late: Type.Integer({ description: 'Of these, not completed although the order was due before today' })
          },
          closed
        )
      ),
      lateOrders: Type.Integer({ description: 'Work orders with late jobs' })
    },
    closed
  )
)
export const ScrapView = named(
  'Scrap',
  Type.Object(
    {
      from: LocalDate,
      to: LocalDate,
      items: Type.Array(
        Type.Object(
          { reason: Type.String(), name: Type.String(), unit: Type.String(), quantity: Type.String(), reports: Type.Integer() },
          closed
        )
      )
    },
    closed
  )
)
export const ScrapReasonBody = Type.Object({ name: Text(100), active: Type.Optional(Type.Boolean()) }, closed)

const employeeIds = (description: string) => Type.Optional(Type.Array(Id, { minItems: 1, maxItems: 50, uniqueItems: true, description }))
export const StartBody = Type.Object(
  {
    employeeIds: employeeIds('Whose clock starts; absent: the signed-in person'),
    activity: Type.Optional(word(['setup', 'run']))
  },
  closed
)
export const PauseBody = Type.Object(
  { employeeIds: employeeIds('Whose clock stops; absent: the signed-in person, or everybody where the account is nobody’s') },
  closed
)
const amounts = {
  good: Type.Optional(Amount),
  scrap: Type.Optional(Amount),
  rework: Type.Optional(Amount),
  scrapReason: Type.Optional(Code),
  employeeId: Type.Optional(Id)
}
export const ReportBody = Type.Object({ ...amounts, reason: Type.Optional(Reason) }, closed)
export const CompleteBody = Type.Object(
  { ...amounts, reason: Type.Optional(Reason), shortfall: Type.Optional(word(['not_yet', 'lost'])) },
  closed
)
export const CorrectBody = Type.Object({ ...amounts, reason: Reason }, closed)
export const ReasonBody = Type.Object({ reason: Reason }, closed)
export const MaterialBody = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        {
          line: Type.Optional(Code),
          article: Type.Optional(Code),
          quantity: PositiveQuantity,
          location: Type.Optional(Code),
          lot: Type.Optional(Code)
        },
        closed
      ),
      { minItems: 1, maxItems: 100 }
    )
  },
  closed
)

const policy = word(['accept', 'hold', 'refuse'])
const guard = Object.fromEntries(guardedFields.map(field => [field, policy])) as Record<GuardedField, typeof policy>

const settingFields = {
  version: Type.Integer(),
  overReport: word(['block', 'warn', 'allow'], 'What happens when more is reported than planned'),
  overPercent: QuantityText,
  changeGuard: Type.Object(guard, closed),
  productReceipt: word(['last_operation', 'none']),
  receiptLocation: orNull(Code),
  backflush: word(['none', 'on_report', 'on_completion'])
}
export const SettingView = named('WorkordersSetting', Type.Object(settingFields, closed))
export const SettingBody = Type.Object({ ...settingFields, overPercent: Type.String({ pattern: '^\\d{1,4}(\\.\\d{1,2})?$' }) }, closed)
