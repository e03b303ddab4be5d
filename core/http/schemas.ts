import { type Static, type TSchema, Type } from 'typebox'
import { quantityPattern } from '../quantity.ts'

/** Text from outside: bounded, and without the control characters that PostgreSQL or a terminal would choke on. */
export const Text = (maxLength: number, options: { minLength?: number; description?: string } = {}) =>
  Type.String({ minLength: 1, maxLength, pattern: '^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f]*$', ...options })

export const Id = Type.String({ format: 'uuid', description: 'UUID' })
export const Instant = Type.String({ format: 'date-time', description: 'RFC 3339 instant in UTC' })
export const LocalDate = Type.String({ format: 'date', description: 'Calendar day, YYYY-MM-DD' })
export const Quantity = Type.String({
  pattern: quantityPattern,
  description: 'Decimal text, at most 12 digits before and 6 after the point'
})
export const PositiveQuantity = Type.String({
  pattern: '^(?!0+(\\.0+)?$)\\d{1,12}(\\.\\d{1,6})?$',
  description: 'Decimal text above zero, at most 12 digits before and 6 after the point'
})

/** Query of every list: keyset paging. `after` is the opaque `next` of the page before. */
export const pageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 100 })),
  after: Type.Optional(Type.String({ maxLength: 500, description: '`next` of the page before' }))
}

export const Page = <T extends TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), next: Type.Union([Type.String(), Type.Null()]) }, { additionalProperties: false })

/** A reference to a shared schema that keeps its type. */
export const ref = <T extends TSchema>(_schema: T, id: string) => Type.Unsafe<Static<T>>(Type.Ref(id))

const registry = new Map<string, TSchema>()

/** Gives a schema a name in the API description (`#/components/schemas/<id>`); use the result in routes. */
export function named<T extends TSchema>(id: string, schema: T) {
  registry.set(id, { ...schema, $id: id } as TSchema)
  return ref(schema, id)
}
export const namedSchemas = (): readonly TSchema[] => [...registry.values()]

export const Problem = named(
  'Problem',
  Type.Object(
    {
      type: Type.String(),
      title: Type.String(),
      status: Type.Integer(),
      detail: Type.String(),
      instance: Type.String(),
      code: Type.String(),
      errors: Type.Optional(Type.Array(Type.Object({ pointer: Type.String(), detail: Type.String() })))
    },
    { description: 'RFC 9457 problem details; `code` is stable, see errors.md' }
  )
)

const refused = (description: string) => ({ description, content: { 'application/problem+json': { schema: Problem } } })

/** Answers that every route may give besides its own. Spread into a route's `response`. */
export const errorResponses = {
  '4xx': refused('Refused; `code` says why'),
  '5xx': refused('Not possible now, or a fault of ours; repeat with the same Idempotency-Key')
}
