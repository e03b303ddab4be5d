/** The part of JSON Schema that record schemas use. */
export interface Shape {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
  readonly items?: Shape
}

export type Row = Readonly<Record<string, unknown>>
export const isRow = (value: unknown): value is Row => value !== null && typeof value === 'object' && !Array.isArray(value)
/** Absent, null and empty text are the same: not there. */
export const present = (value: unknown): unknown => (value === null || value === '' ? undefined : value)

/**
 * Takes a row over that uses our own field names: fields that the record does not have are left out and named in `unknown`; columns of a
 * flat table may be dotted ("quantity.value"); text that says a boolean or a whole number becomes one.
 */
export function fit(shape: Shape, value: unknown, unknown: Set<string>, path = ''): unknown {
  if (Array.isArray(value) && shape.items) {
    const { items } = shape
    return value.map(item => fit(items, item, unknown, `${path.replace(/\.$/, '')}[].`))
  }
  if (isRow(value) && shape.properties) {
    const { properties } = shape
    const out: Record<string, unknown> = {}
    for (const [name, raw] of Object.entries(nested(value))) {
      const inner = Object.hasOwn(properties, name) ? properties[name] : undefined
      const given = present(raw)
      if (!inner) unknown.add(path + name)
      else if (given !== undefined) out[name] = fit(inner, given, unknown, `${path}${name}.`)
    }
    return out
  }
  if (shape.type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true'
  if (shape.type === 'integer' && typeof value === 'string' && /^-?\d{1,15}$/.test(value)) return Number(value)
  return value
}

/** { "quantity.value": "2" } -> { quantity: { value: "2" } } */
function nested(row: Row): Row {
  if (!Object.keys(row).some(name => name.includes('.'))) return row
  const out: Record<string, unknown> = Object.create(null)
  for (const [name, value] of Object.entries(row)) {
    const at = name.indexOf('.')
    if (at < 0) {
      out[name] = value
      continue
    }
    if (present(value) === undefined) continue
    const outer = name.slice(0, at)
    const inner = out[outer]
    out[outer] = { ...(isRow(inner) ? inner : {}), [name.slice(at + 1)]: value }
  }
  return out
}
