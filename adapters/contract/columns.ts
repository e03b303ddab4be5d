import { isRow, type Row, type Shape } from './fit.ts'
import type { FieldRule, RecordRule } from './types.ts'

const operators = new Set([
  'from',
  'const',
  'concat',
  'split',
  'trim',
  'padLeft',
  'default',
  'code',
  'decimal',
  'thousands',
  'integer',
  'boolean',
  'date',
  'instant',
  'each',
  'item'
])

/** An object all of whose keys are operators makes one value; any other nests. */
export const isRecordRule = (rule: FieldRule | RecordRule): rule is RecordRule =>
  typeof rule === 'object' && !Object.keys(rule).every(key => operators.has(key))

/** A list made from a list in the row. */
export type ListRule = Extract<FieldRule, { readonly each: string }>
export const isListRule = (rule: FieldRule | RecordRule): rule is ListRule =>
  typeof rule === 'object' &&
  'each' in rule &&
  typeof rule.each === 'string' &&
  Object.keys(rule).every(key => key === 'each' || key === 'item')

/** Every column that a rule reads, also those of list items. */
export function columnsOf(rule: FieldRule | RecordRule): string[] {
  if (typeof rule === 'string') return [rule]
  if (isListRule(rule)) return [rule.each, ...columnsOfRecord(rule.item)]
  if (isRecordRule(rule)) return columnsOfRecord(rule)
  return [...(rule.from === undefined ? [] : [rule.from]), ...(rule.concat ?? []).flatMap(columnsOf)]
}

export const columnsOfRecord = (rule: RecordRule): string[] => Object.values(rule).flatMap(columnsOf)

/** The value of a column; a dotted name also reaches into objects. */
export function readColumn(row: Row, column: string): unknown {
  if (Object.hasOwn(row, column)) return row[column]
  return column.split('.').reduce<unknown>((at, step) => (isRow(at) && Object.hasOwn(at, step) ? at[step] : undefined), row)
}

/** A required field and the columns one of which must be in a table, or nothing can ever bring the field. */
export interface Needed {
  readonly field: string
  readonly columns: readonly string[]
}

export function neededColumns(rule: RecordRule, shape: Shape, path = ''): Needed[] {
  return (shape.required ?? []).flatMap((field): Needed[] => {
    const inner = rule[field]
    const within = shape.properties?.[field]
    if (inner === undefined) return []
    if (typeof inner === 'string') return [{ field: path + field, columns: [inner] }]
    if (isListRule(inner)) return within?.items ? neededColumns(inner.item, within.items, `${path}${field}.`) : []
    if (isRecordRule(inner)) return within ? neededColumns(inner, within, `${path}${field}.`) : []
    const columns = columnsOf(inner)
    return 'const' in inner || 'default' in inner || columns.length === 0 ? [] : [{ field: path + field, columns }]
  })
}

/** The columns that rules name, and the objects that dotted ones reach into. */
export interface Known {
  readonly columns: ReadonlySet<string>
  readonly objects: ReadonlySet<string>
}

export function knownOf(columns: readonly string[]): Known {
  const objects = columns.flatMap(column => [...column.matchAll(/\./g)].map(dot => column.slice(0, dot.index)))
  return { columns: new Set(columns), objects: new Set(objects) }
}

/** Splits a row into what the rules name and the names of what they do not; also inside lists of rows. */
export function strip(row: Row, known: Known, unknown: Set<string>, path = ''): Row {
  // Most rows hold what the rules name and nothing else.
  if (path === '' && Object.keys(row).every(name => typeof row[name] === 'string' && known.columns.has(name))) return row
  const out: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(row)) {
    const full = path + name
    if (known.columns.has(full))
      out[name] = Array.isArray(value) ? value.map(item => (isRow(item) ? strip(item, known, unknown) : item)) : value
    else if (isRow(value) && known.objects.has(full)) out[name] = strip(value, known, unknown, `${full}.`)
    else unknown.add(full)
  }
  return out
}
