/** A row of the ERP as text fields, and back again. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }
export type RowObject = { readonly [key: string]: Json }
export type Path = readonly (string | number)[]

export interface Cell {
  readonly path: Path
  /** Unique in its row. */
  readonly id: string
  readonly label: string
  /** Of the list in which it stands, such as "operations 2". */
  readonly group: string
  readonly text: string
}

const isObject = (value: unknown): value is RowObject => typeof value === 'object' && value !== null && !Array.isArray(value)
const idOf = (path: Path): string => path.map(String).join('\u0000')
const textOf = (value: Json): string => (value === null ? '' : String(value))

export const cellAt = (path: Path, text: string): Cell => {
  const lists = path.flatMap((step, index) => (typeof step === 'number' ? [`${String(path[index - 1] ?? '')} ${step + 1}`] : []))
  const last = path.findLastIndex(step => typeof step === 'number')
  return { path, id: idOf(path), label: path.slice(last + 1).join('.'), group: lists.join(', '), text }
}

/** Every field of a row, those of its lists too, in the order in which they came. */
export function cellsOf(value: Json, path: Path = []): readonly Cell[] {
  if (Array.isArray(value)) return value.flatMap((inner: Json, index) => cellsOf(inner, [...path, index]))
  if (isObject(value)) return Object.entries(value).flatMap(([name, inner]) => cellsOf(inner, [...path, name]))
  return [cellAt(path, textOf(value as Json))]
}

export function valueAt(row: Json | undefined, path: Path): Json | undefined {
  let value: unknown = row
  for (const step of path)
    value = value !== null && typeof value === 'object' ? (value as Record<string | number, unknown>)[step] : undefined
  return value as Json | undefined
}

/** What was typed, as the kind of value that was there: a number stays one when it can. */
function typed(text: string, before: Json | undefined): Json {
  if (typeof before === 'number' && /^-?(0|[1-9]\d{0,14})(\.\d{1,9})?$/.test(text.trim())) return Number(text)
  if (typeof before === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  return before === null && text === '' ? null : text
}

/** The row with another text in one place; what is missing on the way is made. */
export function withText(row: Json | undefined, [step, ...rest]: Path, text: string): Json {
  if (step === undefined) return typed(text, row)
  if (typeof step === 'number') {
    const list = Array.isArray(row) ? [...(row as readonly Json[])] : []
    list[step] = withText(list[step], rest, text)
    return list
  }
  const before = isObject(row) ? row : {}
  return { ...before, [step]: withText(before[step], rest, text) }
}

const operators = new Set(
  'from const concat split trim padLeft default code decimal thousands integer boolean date instant each item'.split(' ')
)
const isValueRule = (rule: RowObject): boolean => Object.keys(rule).every(key => operators.has(key))

/** A dotted name of the mapping reaches into objects, unless the row has a column of exactly that name. */
const columnPath = (row: Json | undefined, column: string): Path =>
  isObject(row) && Object.hasOwn(row, column) ? [column] : isObject(row) && column.includes('.') ? column.split('.') : [column]

/**
 * Where in the row the mapping reads a field of ours, such as "operations.0.department".
 * @param rule the mapping of the kind; undefined when the row carries our own names
 * @returns undefined when no column brings the field
 */
export function placeOf(rule: unknown, field: string, row: Json): Path | undefined {
  const steps = field.split('.')
  if (rule === undefined) return steps.map(step => (/^\d+$/.test(step) ? Number(step) : step))
  let at: unknown = rule
  let place: Path = []
  for (;;) {
    if (typeof at === 'string') return [...place, ...columnPath(valueAt(row, place), at)]
    if (!isObject(at)) return undefined
    if (typeof at.each === 'string' && isObject(at.item)) {
      place = [...place, ...columnPath(valueAt(row, place), at.each)]
      const index = steps.shift()
      if (index === undefined || !/^\d+$/.test(index)) return place
      place = [...place, Number(index)]
      at = at.item
    } else if (isValueRule(at)) {
      if (typeof at.from === 'string') return [...place, ...columnPath(valueAt(row, place), at.from)]
      at = Array.isArray(at.concat) ? (at.concat as readonly Json[]).find(part => typeof part === 'string' || isObject(part)) : undefined
    } else {
      const step = steps.shift()
      // Of an object the first part of it: "quantity" stands for its value.
      at = step === undefined ? Object.values(at)[0] : at[step]
    }
  }
}

/** Columns that the mapping reads, lists without their numbers: "operations.Sequence". */
export function columnsRead(rule: unknown, prefix = ''): readonly string[] {
  if (typeof rule === 'string') return [prefix + rule]
  if (!isObject(rule)) return []
  if (typeof rule.each === 'string' && isObject(rule.item)) return columnsRead(rule.item, `${prefix}${rule.each}.`)
  if (!isValueRule(rule)) return Object.values(rule).flatMap(inner => columnsRead(inner, prefix))
  return [
    ...(typeof rule.from === 'string' ? [prefix + rule.from] : []),
    ...(Array.isArray(rule.concat) ? (rule.concat as readonly Json[]).flatMap(part => columnsRead(part, prefix)) : [])
  ]
}

/** The column of a field as `columnsRead` names it. */
export const columnName = ({ path }: Cell): string => path.filter(step => typeof step === 'string').join('.')
