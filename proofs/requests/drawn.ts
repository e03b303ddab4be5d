import * as fc from 'fast-check'
import type { Description, Schema } from '../../test/helpers/api.ts'

/** Characters that break careless code: quotes, wildcards, other planes, directions, what looks like a path or a formula. */
const unit = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("'", '"', '\\', '%', '_', ';', '|', '{', '\u202e', '\ufeff', 'İ', 'ß', '\u{1f469}\u200d\u{1f373}')
  }
)
const instants = fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })

/** Text of a schema: mostly short, sometimes as long as it may be. */
function texts(schema: Schema): fc.Arbitrary<string> {
  const { minLength = 0, maxLength = 300, pattern } = schema
  const free = fc
    .oneof(
      { weight: 5, arbitrary: fc.array(unit, { minLength: Math.min(minLength, 30), maxLength: Math.min(maxLength, 30) }) },
      { weight: 1, arbitrary: fc.array(unit, { minLength: maxLength, maxLength }) }
    )
    .map(parts => [...parts.join('')].slice(0, maxLength).join(''))
  const fits = new RegExp(pattern ?? '', 'u')
  // What only forbids some characters is drawn from all the others; what says how a text looks is drawn from that.
  if (pattern === undefined || /^\^\[\^[^\]]*\][*+]\$$/.test(pattern)) {
    return free
      .map(text => [...text].filter(one => fits.test(one)).join(''))
      .map(text => (text.length < minLength ? 'x'.repeat(minLength) : text))
  }
  return fc
    .stringMatching(new RegExp(pattern.replace(/\(\?!.*?\$\)/, '')))
    .filter(text => fits.test(text) && text.length <= (schema.maxLength ?? 500))
}

const someId = '0190ffff-ffff-7fff-8fff-ffffffffffff'

/** Any value that the schema takes. `ids` are real ones of this house, of every kind. */
export function drawnOf(schema: Schema, schemas: Description['schemas'], ids: () => readonly string[], depth = 0): fc.Arbitrary<unknown> {
  const inner = (one: Schema): fc.Arbitrary<unknown> => drawnOf(one, schemas, ids, depth + 1)
  if (schema.$ref) return inner(schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {})
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(inner))
  switch (schema.type) {
    case 'object':
      return objects(schema, inner, depth)
    case 'array': {
      const { minItems = 0, maxItems = 500 } = schema
      return fc.array(inner(schema.items ?? {}), { minLength: minItems, maxLength: Math.min(maxItems, Math.max(minItems, 4)) })
    }
    case 'integer':
      return fc.oneof(
        fc.integer({ min: schema.minimum ?? -10, max: schema.maximum ?? 10_000 }),
        fc
          .constantFrom(...[schema.minimum, schema.maximum, 2 ** 31 - 1, 2 ** 31, 2 ** 53 - 1].filter(n => n !== undefined))
          .filter(n => n >= (schema.minimum ?? n) && n <= (schema.maximum ?? n))
      )
    case 'number':
      return fc.double({ min: schema.minimum ?? -1e9, max: schema.maximum ?? 1e9, noNaN: true })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'string':
      if (schema.format === 'uuid')
        return fc.oneof(
          fc.nat().map(n => ids()[n % ids().length] ?? someId),
          fc.uuid()
        )
      if (schema.format === 'date') return instants.map(date => date.toISOString().slice(0, 10))
      if (schema.format === 'date-time') return instants.map(date => date.toISOString())
      return texts(schema)
    default:
      return depth > 4 ? fc.constant(null) : fc.jsonValue({ maxDepth: 2 })
  }
}

function objects(schema: Schema, inner: (one: Schema) => fc.Arbitrary<unknown>, depth: number): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties } = schema
  const known = fc.record(Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, inner(one)])), {
    requiredKeys: required.filter(name => properties[name] !== undefined)
  })
  if (additionalProperties === false || additionalProperties === undefined || depth > 4) return known
  const names = fc.array(unit, { minLength: 1, maxLength: 10 }).map(parts => parts.join(''))
  const values = additionalProperties === true ? fc.jsonValue({ maxDepth: 2 }) : inner(additionalProperties as Schema)
  return fc.tuple(known, fc.dictionary(names, values, { maxKeys: 4 })).map(([one, more]) => ({ ...more, ...one }))
}

/** `count` values; the same for the same seed. */
export const draw = (arbitrary: fc.Arbitrary<unknown>, count: number, seed: number): readonly unknown[] =>
  fc.sample(arbitrary, { numRuns: count, seed })
