/** A mapping as the API has it: kind → field → rule. Rules nest for objects and lists. */
export type Rule = string | RuleObject
export interface RuleObject {
  readonly [key: string]: unknown
}

export interface Entry {
  /** Keys from the kind's rule down to this one. */
  readonly path: readonly string[]
  /** "operations[].number" */
  readonly label: string
  /** Of the list in which it stands: the name that the row has for it. */
  readonly list: string | undefined
}

const operators = new Set(
  'from const concat split trim padLeft default code decimal thousands integer boolean date instant each item'.split(' ')
)
const isObject = (value: unknown): value is RuleObject => typeof value === 'object' && value !== null && !Array.isArray(value)
/** An object all of whose keys are operators makes one value; any other nests. */
const nests = (value: unknown): value is RuleObject => isObject(value) && !Object.keys(value).every(key => operators.has(key))
const isList = (value: unknown): value is RuleObject & { readonly each: string; readonly item: RuleObject } =>
  isObject(value) && typeof value.each === 'string' && isObject(value.item)

/** Every field that has, or by default would have, a rule. */
export function entriesOf(rule: unknown, base: unknown): readonly Entry[] {
  const found = new Map<string, Entry>()
  const walk = (value: unknown, path: readonly string[], label: string, list: string | undefined) => {
    if (!isObject(value)) return
    for (const [target, inner] of Object.entries(value)) {
      const at = [...path, target]
      if (isList(inner)) walk(inner.item, [...at, 'item'], `${label}${target}[].`, inner.each)
      else if (nests(inner)) walk(inner, at, `${label}${target}.`, list)
      else if (!found.has(label + target)) found.set(label + target, { path: at, label: label + target, list })
    }
  }
  walk(base, [], '', undefined)
  walk(rule, [], '', undefined)
  return [...found.values()]
}

export function ruleAt(rule: unknown, path: readonly string[]): Rule | undefined {
  let value: unknown = rule
  for (const key of path) value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
  return typeof value === 'string' || isObject(value) ? value : undefined
}

/** The rule with another one at `path`; undefined takes it away. What is missing on the way is taken from `base`. */
export function withRule(rule: unknown, path: readonly string[], next: Rule | undefined, base: unknown): RuleObject {
  const [key = '', ...rest] = path
  const here = isObject(rule) ? rule : {}
  const baseHere = isObject(base) ? base[key] : undefined
  if (rest.length === 0) {
    if (next !== undefined) return { ...here, [key]: next }
    const { [key]: _, ...others } = here
    return others
  }
  const inner = here[key] ?? (isList(baseHere) ? { each: baseHere.each, item: {} } : {})
  return { ...here, [key]: withRule(inner, rest, next, baseHere) }
}

/** The one column that a rule reads. */
export const columnOf = (rule: Rule | undefined): string =>
  typeof rule === 'string' ? rule : typeof rule?.from === 'string' ? rule.from : ''

/** Another column under the same conversion; no column and no conversion is no rule. */
export function withColumn(rule: Rule | undefined, column: string): Rule | undefined {
  if (isObject(rule)) {
    const { from: _, ...others } = rule
    if (column !== '') return { ...rule, from: column }
    return 'const' in others || 'concat' in others ? others : undefined
  }
  return column === '' ? undefined : column
}

export const conversions = ['none', 'code', 'decimal', 'integer', 'date', 'instant', 'boolean'] as const
export type Conversion = (typeof conversions)[number]

/** Rules that the table can edit; the others are edited as text. */
export const isPlain = (rule: Rule | undefined): boolean =>
  !isObject(rule) || !['concat', 'const', 'split', 'padLeft', 'thousands', 'each', 'item'].some(key => key in rule)

export const conversionOf = (rule: Rule | undefined): Conversion =>
  (isObject(rule) ? conversions.find(name => name in rule) : undefined) ?? 'none'

/** The value that belongs to the conversion: a table, a sign, a pattern, words for yes. */
export function argumentOf(rule: Rule | undefined): string {
  const value = isObject(rule) ? rule[conversionOf(rule)] : undefined
  return Array.isArray(value) ? value.join(', ') : typeof value === 'string' ? value : ''
}

const firstArgument: Readonly<Record<Conversion, string>> = {
  none: '',
  code: '',
  decimal: '.',
  integer: '',
  date: 'yyyy-MM-dd',
  instant: 'yyyy-MM-dd HH:mm:ss',
  boolean: 'J, Y, 1'
}

export function withConversion(rule: Rule | undefined, conversion: Conversion, argument = firstArgument[conversion]): Rule {
  const from = columnOf(rule)
  const kept = isObject(rule) ? Object.fromEntries(Object.entries(rule).filter(([key]) => key === 'default' || key === 'trim')) : {}
  if (conversion === 'none') return Object.keys(kept).length > 0 ? { from, ...kept } : from
  const value =
    conversion === 'integer'
      ? true
      : conversion === 'boolean'
        ? argument
            .split(',')
            .map(word => word.trim())
            .filter(word => word !== '')
        : argument
  return { from, ...kept, [conversion]: value }
}

/** One value of a row as it came, for a field. */
export function valueIn(source: RuleObject | undefined, entry: Entry, column: string): string | undefined {
  const list = entry.list === undefined ? undefined : source?.[entry.list]
  const row = entry.list === undefined ? source : Array.isArray(list) ? (list[0] as RuleObject | undefined) : undefined
  const value = row?.[column]
  return value === undefined || value === null ? undefined : typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Columns of a row, those of its lists too. */
export function columnsIn(source: RuleObject): readonly string[] {
  const names = new Set<string>()
  for (const [name, value] of Object.entries(source)) {
    if (Array.isArray(value)) for (const row of value) for (const inner of isObject(row) ? Object.keys(row) : []) names.add(inner)
    else names.add(name)
  }
  return [...names]
}

/** Fields of a record as text, lists by their number. */
export function flat(record: RuleObject, prefix = ''): readonly (readonly [string, string])[] {
  return Object.entries(record).flatMap(([name, value]): readonly (readonly [string, string])[] => {
    if (Array.isArray(value)) return value.flatMap((inner, index) => (isObject(inner) ? flat(inner, `${prefix}${name}.${index}.`) : []))
    return isObject(value)
      ? flat(value, `${prefix}${name}.`)
      : [[prefix + name, value === null || value === undefined ? '' : String(value)]]
  })
}
