import { Ajv, type ValidateFunction } from 'ajv'
import { columnsOfRecord, isRecordRule, type Known, knownOf, type Needed, neededColumns, readColumn, strip } from './columns.ts'
import { AdapterError } from './errors.ts'
import { fit, isRow, present, type Row, type Shape } from './fit.ts'
import { recordFormats } from './record-formats.ts'
import { type ImportKind, keyOf, schemaOfImport } from './records.ts'
import { sentenceOf } from './sentence.ts'
import type { CodeTables, FieldRule, Mapper, MappingSet, OutRule, Position, RecordOf, RecordRule, RejectItem } from './types.ts'
import { beginning, Unmapped, wrong } from './unmapped.ts'
import { convert, exactDecimal, readDate, readDecimal, readInstant, readInteger, readRevision } from './values.ts'
import { formatInZone, instantOf, parseWallTime } from './zoned-time.ts'

export interface MapperSettings {
  readonly mapping: MappingSet
  readonly codeTables: CodeTables
  /** IANA name; wall times of the ERP are read and written in it. */
  readonly timeZone: string
}

const keyFieldsOf: { readonly [K in ImportKind]: readonly string[] } = {
  workOrder: ['number'],
  article: ['number'],
  stock: ['article', 'location', 'lot'],
  pickList: ['number'],
  location: ['code'],
  employee: ['key', 'number', 'name']
}

const ajv = new Ajv({ strict: true, allErrors: false, verbose: true, formats: recordFormats })
const validators = new Map<ImportKind, ValidateFunction>()
function validatorOf(kind: ImportKind): ValidateFunction {
  const known = validators.get(kind)
  if (known) return known
  const made = ajv.compile(schemaOfImport(kind))
  validators.set(kind, made)
  return made
}

const shapeOf = (kind: ImportKind): Shape => schemaOfImport(kind) as unknown as Shape
/** The shape of a row without mapping: the record's own fields and the revision. */
const rowShapes = new Map<ImportKind, Shape>()
function rowShapeOf(kind: ImportKind): Shape {
  const known = rowShapes.get(kind)
  if (known) return known
  const shape = shapeOf(kind)
  const made: Shape = { ...shape, properties: { ...shape.properties, revision: { properties: { seq: {}, changedAt: {} } } } }
  rowShapes.set(kind, made)
  return made
}

/**
 * The mapper of one connection; pure. Without a rule for a kind, a row must carry our own field names. Columns that no rule names are
 * dropped and reported in `unknown`, never passed on: what an ERP sends along of a person goes no further than here.
 */
export function createMapper({ mapping, codeTables, timeZone }: MapperSettings): Mapper {
  const inverse = new Map(Object.entries(codeTables).map(([name, table]) => [name, invert(table)]))
  const prepared = new Map<ImportKind, { rule: RecordRule; known: Known; needed: readonly Needed[] }>()

  function prepare(kind: ImportKind): { rule: RecordRule; known: Known; needed: readonly Needed[] } | undefined {
    const rule = mapping.imports?.[kind]
    if (!rule) return undefined
    const done = prepared.get(kind)
    if (done) return done
    const made = { rule, known: knownOf(columnsOfRecord(rule)), needed: neededColumns(rule, shapeOf(kind)) }
    prepared.set(kind, made)
    return made
  }

  function translate(table: string, value: string): string {
    const found = Object.hasOwn(codeTables, table) ? codeTables[table] : undefined
    // A table that nobody filled in says: the ERP's codes are ours.
    if (found === undefined || Object.keys(found).length === 0) return value
    const ours = Object.hasOwn(found, value) ? found[value] : undefined
    if (ours !== undefined) return ours
    const { reject } = wrong('code_unknown', value, `has no translation in the table "${table}". Add it there and replay.`)
    throw new Unmapped({ ...reject, table: { name: table, value } })
  }

  function record(rule: RecordRule, row: Row, path = ''): Record<string, unknown> {
    const out: Record<string, unknown> = {}
    for (const [target, field] of Object.entries(rule)) {
      try {
        const nests = isRecordRule(field)
        const value = nests ? record(field, row, `${path}${target}.`) : evaluate(field, row, path + target)
        // An object of which nothing is there is absent itself.
        if (value !== undefined && !(nests && Object.keys(value as object).length === 0)) out[target] = value
      } catch (error) {
        if (error instanceof Unmapped && error.reject.field === undefined) throw new Unmapped({ ...error.reject, field: path + target })
        throw error
      }
    }
    return out
  }

  function evaluate(rule: FieldRule, row: Row, path: string): unknown {
    if (typeof rule === 'string') return present(readColumn(row, rule))
    if ('each' in rule) {
      const list = present(readColumn(row, rule.each))
      if (list === undefined) return undefined
      if (!Array.isArray(list)) throw new Unmapped({ code: 'list_expected', message: `"${rule.each}" must be a list.`, field: path })
      return list.map((item, index) => {
        if (!isRow(item))
          throw new Unmapped({ code: 'row_expected', message: `Entry ${index + 1} of "${rule.each}" must be an object.`, field: path })
        return record(rule.item, item, `${path}.${index}.`)
      })
    }
    const value = source(rule, row, path)
    if (value === undefined || value === null) return undefined
    const text = typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
    if (text === undefined) return structuredClone(value)
    if (rule.code !== undefined) return translate(rule.code, text)
    // A number of JSON has a point, whatever the ERP writes in texts.
    if (rule.decimal !== undefined)
      return typeof value === 'number' ? readDecimal(exactDecimal(value), '.') : readDecimal(text, rule.decimal, rule.thousands)
    if (rule.integer) return readInteger(text)
    if (rule.boolean) return rule.boolean.includes(text)
    if (rule.date !== undefined) return readDate(text, rule.date)
    if (rule.instant !== undefined) return readInstant(text, rule.instant, timeZone)
    return value
  }

  function source(rule: Exclude<FieldRule, string | { each: string }>, row: Row, path: string): unknown {
    let value: unknown
    if (rule.const !== undefined) value = rule.const
    else if (rule.concat) value = present(rule.concat.map(part => String(evaluate(part, row, path) ?? '')).join(''))
    else if (rule.from !== undefined) value = present(readColumn(row, rule.from))
    if (typeof value === 'string' && rule.split) value = present(value.split(rule.split.on)[rule.split.index])
    if (typeof value === 'string' && rule.trim) value = present(value.trim())
    if (typeof value === 'string' && rule.padLeft) value = value.padStart(rule.padLeft.length, rule.padLeft.with)
    return value ?? rule.default
  }

  /** The key of a row that did not become a record, where those fields can be read. */
  function keyOfRejected(kind: ImportKind, rule: RecordRule | undefined, row: Row): string | undefined {
    try {
      const keyFields = Object.fromEntries(keyFieldsOf[kind].flatMap(name => (rule?.[name] === undefined ? [] : [[name, rule[name]]])))
      const fields = rule ? record(keyFields, row) : row
      const read = kind === 'employee' ? employee(fields) : fields
      return keyFieldsOf[kind].every(name =>
        read[name] === undefined ? name === 'lot' || kind === 'employee' : typeof read[name] === 'string'
      )
        ? keyOf[kind](read as never)
        : undefined
    } catch (error) {
      if (error instanceof Unmapped) return undefined
      throw error
    }
  }

  /** Quantities in the unit we count in, an article's own unit too; descriptions on one line. */
  function finish(value: unknown): void {
    if (value === null || typeof value !== 'object') return
    const { unit, description } = value as { unit?: unknown; description?: unknown }
    if (typeof description === 'string' && /[\r\n\t]/.test(description)) {
      const lines = description.split(/[\r\n\t]/).map(line => line.trim())
      ;(value as { description: string }).description = lines.filter(line => line !== '').join(' ')
    }
    const rule = typeof unit === 'string' && Object.hasOwn(mapping.units ?? {}, unit) ? mapping.units?.[unit] : undefined
    if (rule) {
      const measured = value as { value?: unknown; unit: string }
      if (typeof measured.value === 'string') measured.value = convert(measured.value, rule.numerator, rule.denominator)
      measured.unit = rule.unit
    }
    for (const inner of Object.values(value)) finish(inner)
  }

  const mapper: Mapper = {
    row<K extends ImportKind>(kind: K, row: Row, at?: Position): RecordOf<K> | RejectItem {
      const plan = prepare(kind)
      if (plan && at?.line !== undefined) requireColumns(kind, plan.needed, row)
      const unknown = new Set<string>()
      const given = plan ? strip(row, plan.known, unknown) : (fit(rowShapeOf(kind), row, unknown) as Row)
      const where = at === undefined ? {} : { at }
      try {
        const { revision, ...fields } = plan ? record(plan.rule, given) : structuredClone(given)
        const made = kind === 'employee' ? employee(fields) : fields
        finish(made)
        const validate = validatorOf(kind)
        if (!validate(made)) throw new Unmapped(sentenceOf(kind, made, validate.errors ?? []))
        const parsed = readRevision(revision)
        return {
          type: 'record',
          kind,
          key: keyOf[kind](made as never),
          record: made,
          ...(parsed === undefined ? {} : { revision: parsed }),
          ...where,
          row: given,
          ...(unknown.size > 0 ? { unknown: [...unknown] } : {})
        } as unknown as RecordOf<K>
      } catch (error) {
        if (!(error instanceof Unmapped)) throw error
        const { reject } = error
        // A sentence about a person shows no value: it may be a name.
        const message =
          kind === 'employee' && reject.value !== undefined ? reject.message.replace(`"${reject.value}"`, 'The value') : reject.message
        const key = keyOfRejected(kind, plan?.rule, given)
        return {
          type: 'reject',
          kind,
          reject: { ...reject, message },
          ...(key === undefined ? {} : { key }),
          ...where,
          row: shortened(given) as Row
        }
      }
    },
    requires(kind, columns) {
      const plan = prepare(kind)
      if (plan) requireColumns(kind, plan.needed, Object.fromEntries(columns.map(column => [column, ''])))
    },
    out(item) {
      try {
        const rules = mapping.exports?.[item.kind]
        const flat = flatten(item.record)
        if (!rules) return { ok: true, row: flat }
        return { ok: true, row: Object.fromEntries(Object.entries(rules).map(([column, rule]) => [column, outValue(rule, flat)])) }
      } catch (error) {
        if (error instanceof Unmapped) return { ok: false, reject: error.reject }
        throw error
      }
    },
    code(table, value, direction) {
      const found = Object.hasOwn(codeTables, table) ? codeTables[table] : undefined
      if (!found || Object.keys(found).length === 0) return value
      if (direction === 'out') return inverse.get(table)?.get(value)?.one
      return Object.hasOwn(found, value) ? found[value] : undefined
    },
    instant(local, format) {
      const wall = parseWallTime(local, format)
      return wall && instantOf(wall, timeZone)
    }
  }

  function outValue(rule: string | OutRule, flat: Readonly<Record<string, string>>): string {
    if (typeof rule === 'string') return flat[rule] ?? ''
    const value = rule.const ?? (rule.from === undefined ? undefined : flat[rule.from])
    if (value === undefined || value === '') return rule.default ?? ''
    if (rule.code !== undefined) return translateBack(rule.code, value, rule.default)
    if (rule.decimal === ',') return value.replace('.', ',')
    const pattern = rule.date ?? rule.instant
    return pattern === undefined || pattern === 'iso' ? value : formatInZone(value, timeZone, pattern)
  }

  function translateBack(table: string, value: string, fallback: string | undefined): string {
    const theirs = mapper.code(table, value, 'out') ?? fallback
    if (theirs !== undefined) return theirs
    const several = inverse.get(table)?.has(value) === true
    const { reject } = several
      ? wrong(
          'code_ambiguous',
          value,
          `of ours has several translations in the table "${table}". Leave one of them, add one that is the same on both sides, or name a default in the mapping.`
        )
      : wrong('code_unknown', value, `of ours has no translation in the table "${table}". Add it there and retry.`)
    throw new Unmapped({ ...reject, table: { name: table, value } })
  }

  return mapper
}

/** Longest text of a refused row that is kept: no field takes as much. */
const mostKept = 1_000

/** A refused row without the megabytes that a slip of the ERP put into a cell; the same row where there are none. */
function shortened(value: unknown): unknown {
  if (typeof value === 'string') return value.length > mostKept ? `${beginning(value, mostKept)}…` : value
  if (value === null || typeof value !== 'object') return value
  const inner = Object.entries(value)
  const made = inner.map(([name, one]) => [name, shortened(one)] as const)
  if (made.every(([, one], index) => one === inner[index]?.[1])) return value
  return Array.isArray(value) ? made.map(([, one]) => one) : Object.fromEntries(made)
}

/** The gate for people: number and/or name, whatever a mapping says. Without a key the number is one, without a number the name. */
function employee({ key, number, name, active = true }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (number === undefined && name === undefined) {
    throw new Unmapped({ code: 'employee_unnamed', message: 'An employee needs a number or a name.', field: 'number' })
  }
  return { key: key ?? number ?? name, ...(number === undefined ? {} : { number }), ...(name === undefined ? {} : { name }), active }
}

/** Ours -> theirs; `one` is absent where several of theirs mean the same. */
/** Of several codes that mean the same the one that is the same goes out; without one nobody can say which. */
function invert(table: Readonly<Record<string, string>>): ReadonlyMap<string, { readonly one?: string }> {
  const out = new Map<string, { readonly one?: string }>()
  for (const [theirs, ours] of Object.entries(table))
    out.set(ours, table[ours] === ours ? { one: ours } : out.has(ours) ? {} : { one: theirs })
  return out
}

/** A column of a required field that a table does not have is a change of the ERP's format, not a bad row. */
function requireColumns(kind: ImportKind, needed: readonly Needed[], row: Row): void {
  for (const { field, columns } of needed) {
    if (columns.some(column => readColumn(row, column) !== undefined)) continue
    const names = columns.map(column => `"${column}"`).join(' or ')
    throw new AdapterError('payload', `Nothing brings "${field}" of ${kind}: the column ${names} is missing.`, { field })
  }
}

/** {"quantity":{"value":"2"}} -> {"quantity.value":"2"} */
function flatten(value: object, prefix = ''): Record<string, string> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, v]): [string, string][] =>
      v === undefined
        ? []
        : v !== null && typeof v === 'object'
          ? Object.entries(flatten(v, `${prefix}${name}.`))
          : [[prefix + name, String(v)]]
    )
  )
}
