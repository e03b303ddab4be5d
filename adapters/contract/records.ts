import { type Static, type TObject, type TSchema, Type } from 'typebox'

/**
 * The records that cross the interface, as JSON Schema. Terms follow ISA-95 where it has one (docs/reference). Decimals are text with at
 * most 12 digits before and 6 after the point; instants are RFC 3339 in UTC; durations are whole seconds.
 */
const closed = { additionalProperties: false } as const

/** The patterns of text fields. No control characters: PostgreSQL refuses NUL, terminals obey the others; no half of a surrogate pair. */
export const patterns = {
  text: '^[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]*$',
  decimal: '^-?\\d{1,12}(\\.\\d{1,6})?$',
  instant: '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,6})?Z$',
  day: '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$'
} as const
const text = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: patterns.text })
const code = text(40)
const decimal = Type.String({ pattern: patterns.decimal })
// The pattern says how it is written, the format that it exists: there is no 30 February.
const instant = Type.String({ pattern: patterns.instant, format: 'date-time' })
const day = Type.String({ pattern: patterns.day, format: 'date' })
const seconds = (description: string) => Type.Integer({ minimum: 0, maximum: 31_622_400, description })
const optional = Type.Optional

export const QuantityRecord = Type.Object({ value: decimal, unit: text(12) }, closed)

export const OperationRecord = Type.Object(
  {
    number: code,
    sequence: optional(Type.Integer({ minimum: 0, maximum: 999_999 })),
    department: code,
    workCentre: optional(code),
    description: text(200),
    setupSeconds: optional(seconds('Planned time to set up, once for the operation, in whole seconds')),
    runSeconds: optional(seconds('Planned time to run the whole quantity of the operation, not one piece, in whole seconds'))
  },
  closed
)

export const MaterialRecord = Type.Object(
  { line: code, operation: optional(code), article: code, quantity: QuantityRecord, location: optional(code) },
  closed
)

export const importRecords = {
  workOrder: Type.Object(
    {
      number: code,
      department: code,
      article: optional(code),
      description: optional(text(200)),
      quantity: QuantityRecord,
      due: optional(day),
      priority: optional(Type.Integer({ minimum: -1_000_000, maximum: 1_000_000, description: 'Higher comes first' })),
      erpStatus: optional(text(40)),
      status: Type.Union([Type.Literal('planned'), Type.Literal('released'), Type.Literal('closed'), Type.Literal('cancelled')]),
      operations: Type.Array(OperationRecord, { maxItems: 500 }),
      materials: optional(Type.Array(MaterialRecord, { maxItems: 5_000 }))
    },
    closed
  ),
  article: Type.Object(
    { number: code, description: text(200), unit: text(12), barcode: optional(text(80)), blocked: optional(Type.Boolean()) },
    closed
  ),
  stock: Type.Object({ article: code, location: code, quantity: QuantityRecord, lot: optional(code), asOf: instant }, closed),
  pickList: Type.Object(
    {
      number: code,
      workOrder: code,
      lines: Type.Array(Type.Object({ line: code, article: code, quantity: QuantityRecord, location: optional(code) }, closed), {
        maxItems: 5_000
      })
    },
    closed
  ),
  location: Type.Object({ code, warehouse: code, description: optional(text(200)), blocked: optional(Type.Boolean()) }, closed),
  /** Number and/or name only: nothing else of a person exists here, whatever the ERP sends. */
  employee: Type.Object({ key: code, number: optional(code), name: optional(text(120)), active: Type.Boolean() }, closed)
} as const satisfies Record<string, TObject>

const reverses = optional(Type.String({ minLength: 1, maxLength: 100, description: 'Key of the earlier message that this one takes back' }))
const progress = Type.Union([Type.Literal('started'), Type.Literal('paused'), Type.Literal('finished')])

export const exportRecords = {
  orderStatus: Type.Object({ workOrder: code, status: progress, at: instant, reverses }, closed),
  operationStatus: Type.Object(
    {
      workOrder: code,
      operation: code,
      status: progress,
      good: optional(QuantityRecord),
      scrap: optional(QuantityRecord),
      scrapReason: optional(code),
      rework: optional(QuantityRecord),
      at: instant,
      reverses
    },
    closed
  ),
  /** `seconds` is negative on a reversal. `employee` is the ERP's number, or the name where it has none. */
  labour: Type.Object(
    {
      workOrder: optional(code),
      operation: optional(code),
      activityCode: optional(code),
      employee: text(120),
      startedAt: instant,
      seconds: Type.Integer({ minimum: -31_622_400, maximum: 31_622_400 }),
      activity: Type.Union([Type.Literal('setup'), Type.Literal('run'), Type.Literal('indirect')]),
      reverses
    },
    closed
  ),
  materialConsumption: Type.Object(
    {
      workOrder: code,
      operation: optional(code),
      line: optional(code),
      article: code,
      quantity: QuantityRecord,
      location: optional(code),
      lot: optional(code),
      at: instant,
      reverses
    },
    closed
  ),
  /** Finished goods. */
  productReceipt: Type.Object(
    { workOrder: code, article: code, quantity: QuantityRecord, to: optional(code), lot: optional(code), at: instant, reverses },
    closed
  ),
  stockTransaction: Type.Object(
    { article: code, from: optional(code), to: optional(code), quantity: QuantityRecord, lot: optional(code), at: instant, reverses },
    closed
  )
} as const satisfies Record<string, TObject>

export type ImportKind = keyof typeof importRecords
export type ExportKind = keyof typeof exportRecords
export type ImportRecords = { [K in ImportKind]: Static<(typeof importRecords)[K]> }
export type ExportRecords = { [K in ExportKind]: Static<(typeof exportRecords)[K]> }

/** The order in which kinds of one chunk are applied: what others refer to comes first. */
export const importOrder = ['location', 'article', 'employee', 'workOrder', 'pickList', 'stock'] as const satisfies readonly ImportKind[]
export const importKinds = Object.keys(importRecords) as readonly ImportKind[]
export const exportKinds = Object.keys(exportRecords) as readonly ExportKind[]

const joined = (parts: readonly string[]): string => parts.map(part => part.replace(/[|\\]/g, '\\$&')).join('|')

/** What a record of each kind is known by; stock by article, place and lot, joined so that no two places share a key. */
export const keyOf: { [K in ImportKind]: (record: ImportRecords[K]) => string } = {
  workOrder: record => record.number,
  article: record => record.number,
  stock: record => joined([record.article, record.location, record.lot ?? '']),
  pickList: record => record.number,
  location: record => record.code,
  employee: record => record.key
}

/** JSON Schema of an import kind. */
export const schemaOfImport = (kind: ImportKind): TSchema => importRecords[kind]
/** JSON Schema of an export kind. */
export const schemaOfExport = (kind: ExportKind): TSchema => exportRecords[kind]
