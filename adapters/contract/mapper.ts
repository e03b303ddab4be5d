import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { AdapterError } from './errors.ts'
import { type ExportKind, type ImportKind, keyOf, schemaOfImport } from './records.ts'
import type { CodeTables, FieldRule, MappingSet, Mapper, OutRule, Position, RecordOf, RecordRule, Reject, RejectItem, Revision } from './types.ts'
import { formatInZone, instantOf, parseWallTime } from './zoned-time.ts'

export interface MapperSettings {
  readonly mapping: MappingSet
  readonly codeTables: CodeTables
  readonly timeZone: string
}

type Row = Readonly<Record<string, unknown>>

/** A row that cannot become a record; carries the reject. */
class Unmapped extends Error {
  readonly reject: Reject
  constructor(reject: Reject) {
    super(reject.message)
    this.reject = reject
  }
}

const validators = new Map<ImportKind, ValidateFunction>()
const ajv = new Ajv({ strict: true, allErrors: false })
function validatorOf(kind: ImportKind): ValidateFunction {
  const known = validators.get(kind)
  if (known) return known
  const made = ajv.compile(schemaOfImport(kind))
  validators.set(kind, made)
  return made
}

/** Fields that a row without mapping may bring, by kind: the record's own, and the revision. */
const own = (kind: ImportKind): readonly string[] => Object.keys((schemaOfImport(kind) as unknown as { properties: object }).properties)

/**
 * The mapper of one connection. Without a rule for a kind, a row must carry our own field names. Columns that no rule names are dropped
 * and reported in `unknown`, never stored: what an ERP sends along of a person goes no further than here.
 */
export function createMapper({ mapping, codeTables, timeZone }: MapperSettings): Mapper {
  const inverse = new Map(Object.entries(codeTables).map(([name, table]) => [name, invert(table)]))
  const named = new Map<RecordRule, ReadonlySet<string>>()
  const checked = new Map<RecordRule, Set<string>>()

  function translate(table: string, value: string): string {
    const found = Object.hasOwn(codeTables, table) ? codeTables[table] : undefined
    // A table that nobody filled in says: take the ERP's codes as they are.
    if (found === undefined || Object.keys(found).length === 0) return value
    const ours = Object.hasOwn(found, value) ? found[value] : undefined
    if (ours !== undefined) return ours
    throw new Unmapped({
      code: 'code_unknown',
      message: `"${cut(value)}" has no translation in the table "${table}". Add it there and replay.`,
      value: cut(value),
      table: { name: table, value }
    })
  }

  function record(rule: RecordRule, row: Row): Record<string, unknown> {
    const out: Record<string, unknown> = {}
    for (const [target, field] of Object.entries(rule)) {
      try {
        const value = isRecordRule(field) ? record(field, row) : evaluate(field, row)
        // An object of which nothing is there is absent itself.
        if (value !== undefined && !(isRecordRule(field) && Object.keys(value as object).length === 0)) out[target] = value
      } catch (error) {
        if (error instanceof Unmapped && error.reject.field === undefined) throw new Unmapped({ ...error.reject, field: target })
        throw error
      }
    }
    return out
  }

  function evaluate(rule: FieldRule, row: Row): unknown {
    if (typeof rule === 'string') return present(row[rule])
    if ('each' in rule) {
      const list = row[rule.each]
      if (list === undefined || list === null) return undefined
      if (!Array.isArray(list)) throw new Unmapped({ code: 'list_expected', message: `"${rule.each}" must be a list.`, field: rule.each })
      return list.map(item => record(rule.item, isRow(item) ? item : {}))
    }
    let value: unknown =
      rule.const !== undefined
        ? rule.const
        : rule.concat
          ? rule.concat.map(part => String(evaluate(part, row) ?? '')).join('')
          : rule.from === undefined
            ? undefined
            : present(row[rule.from])
    if (typeof value === 'string') {
      if (rule.split) value = present(value.split(rule.split.on)[rule.split.index])
      if (rule.trim && typeof value === 'string') value = present(value.trim())
      if (rule.padLeft && typeof value === 'string') value = value.padStart(rule.padLeft.length, rule.padLeft.with)
    }
    if (value === undefined) value = rule.default
    if (value === undefined || value === null) return undefined
    const text = typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
    if (text === undefined) return value
    if (rule.code !== undefined) return translate(rule.code, text)
    if (rule.decimal !== undefined) return decimal(text, rule.decimal)
    if (rule.integer) return integer(text)
    if (rule.boolean) return rule.boolean.includes(text)
    if (rule.date !== undefined) return date(text, rule.date)
    if (rule.instant !== undefined) return toInstant(text, rule.instant)
    return value
  }

  function toInstant(text: string, format: string): string {
    if (format === 'iso') {
      const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN
      if (!Number.isNaN(at)) return new Date(at).toISOString().replace('.000Z', 'Z')
      throw new Unmapped({ code: 'time_wrong', message: `"${cut(text)}" is no time like 2026-03-01T07:15:00Z.`, value: cut(text) })
    }
    const wall = parseWallTime(text, format)
    if (!wall) throw new Unmapped({ code: 'time_wrong', message: `"${cut(text)}" is no time of the form ${format}.`, value: cut(text) })
    const at = instantOf(wall, timeZone)
    if (at === undefined) {
      throw new Unmapped({
        code: 'time_does_not_exist',
        message: `"${cut(text)}" does not exist in ${timeZone}: the clock was put forward over it.`,
        value: cut(text)
      })
    }
    return at
  }

  function revisionOf(value: unknown): Revision | undefined {
    if (value === undefined || value === null) return undefined
    if (typeof value === 'object') {
      const { seq, changedAt } = value as { seq?: unknown; changedAt?: unknown }
      if (seq !== undefined) return revisionOf(seq)
      return changedAt === undefined ? undefined : { changedAt: toInstant(String(changedAt), 'iso') }
    }
    const text = String(value)
    if (/^\d{1,15}$/.test(text)) return { seq: Number(text) }
    return { changedAt: toInstant(text, 'iso') }
  }

  const mapper: Mapper = {
    row<K extends ImportKind>(kind: K, row: Row, at?: Position): RecordOf<K> | RejectItem {
      const rule = mapping.imports?.[kind]
      const place = at === undefined ? {} : { at }
      try {
        const { revision, ...fields } = rule ? record(rule, row) : pick(own(kind), row)
        const unknown = unknownColumns(rule ? columnsOf(rule, named) : new Set([...own(kind), 'revision']), row)
        if (rule) requireColumns(kind, rule, row, checked)
        const made = kind === 'employee' ? employee(fields) : fields
        const validate = validatorOf(kind)
        if (!validate(made)) throw new Unmapped(sentence(kind, made, validate.errors?.[0]))
        const parsed = revisionOf(revision)
        return {
          type: 'record',
          kind,
          key: keyOf[kind](made as never),
          record: made,
          ...(parsed === undefined ? {} : { revision: parsed }),
          ...place,
          row,
          ...(unknown.length > 0 ? { unknown } : {})
        } as unknown as RecordOf<K>
      } catch (error) {
        if (error instanceof Unmapped) return { type: 'reject', kind, reject: error.reject, ...place, row }
        throw error
      }
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
      const found = direction === 'in' ? codeTables[table] : inverse.get(table)
      if (!found || Object.keys(found).length === 0) return value
      return Object.hasOwn(found, value) ? found[value] : undefined
    },
    instant(local, format) {
      const wall = parseWallTime(local, format)
      return wall && instantOf(wall, timeZone)
    }
  }

  function outValue(rule: string | OutRule, flat: Readonly<Record<string, string>>): string {
    if (typeof rule === 'string') return flat[rule] ?? ''
    const value = rule.const ?? (rule.from === undefined ? '' : (flat[rule.from] ?? ''))
    if (value === '') return ''
    if (rule.code !== undefined) {
      const theirs = mapper.code(rule.code, value, 'out')
      if (theirs === undefined) {
        throw new Unmapped({
          code: 'code_unknown',
          message: `Our "${cut(value)}" has no translation back in the table "${rule.code}". Add it there and retry.`,
          value: cut(value),
          table: { name: rule.code, value }
        })
      }
      return theirs
    }
    if (rule.decimal === ',') return value.replace('.', ',')
    if (rule.date !== undefined) return formatInZone(value, timeZone, rule.date)
    if (rule.instant !== undefined) return rule.instant === 'iso' ? value : formatInZone(value, timeZone, rule.instant)
    return value
  }

  return mapper
}

const isRow = (value: unknown): value is Row => value !== null && typeof value === 'object' && !Array.isArray(value)
const ruleKeys = new Set(['from', 'const', 'concat', 'split', 'trim', 'padLeft', 'default', 'code', 'decimal', 'integer', 'boolean', 'date', 'instant', 'each', 'item'])
/** An object all of whose keys are operators is a field rule; anything else nests. `revision.instant` is no target, so this is safe. */
const isRecordRule = (rule: FieldRule | RecordRule): rule is RecordRule => typeof rule === 'object' && !Object.keys(rule).every(key => ruleKeys.has(key))
const present = (value: unknown): unknown => (value === null || value === '' ? undefined : value)
const cut = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text)

function pick(names: readonly string[], row: Row): Record<string, unknown> {
  return Object.fromEntries([...names, 'revision'].filter(name => row[name] !== undefined && row[name] !== null).map(name => [name, row[name]]))
}

/** The gate for people: number and/or name, whatever a mapping says. Without a key the number is one, without a number the name. */
function employee(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { number, name, active = true } = fields
  const key = fields['key'] ?? number ?? name
  if (number === undefined && name === undefined) {
    throw new Unmapped({ code: 'employee_unnamed', message: 'An employee needs a number or a name.', field: 'number' })
  }
  return { ...(key === undefined ? {} : { key }), ...(number === undefined ? {} : { number }), ...(name === undefined ? {} : { name }), active }
}

/** "1.234,50" with comma -> "1234.50"; a thousands mark only where it stands at thousands. */
function decimal(text: string, sign: '.' | ','): string {
  const mark = sign === ',' ? '.' : ','
  const [whole = '', fraction, ...more] = text.trim().split(sign)
  const grouped = new RegExp(`^[-+]?\\d{1,3}(\\${mark}\\d{3})+$`)
  const digits = grouped.test(whole) ? whole.replaceAll(mark, '') : whole
  const plain = `${digits.replace(/^\+/, '')}${fraction === undefined ? '' : `.${fraction}`}`
  if (more.length > 0 || !/^-?\d{1,12}(\.\d{1,6})?$/.test(plain)) {
    throw new Unmapped({ code: 'number_wrong', message: `"${cut(text)}" is no number with "${sign}" as decimal sign and at most 6 decimals.`, value: cut(text) })
  }
  return plain
}

function integer(text: string): number {
  if (!/^-?\d{1,15}$/.test(text.trim())) throw new Unmapped({ code: 'number_wrong', message: `"${cut(text)}" is no whole number.`, value: cut(text) })
  return Number(text)
}

function date(text: string, pattern: string): string {
  const wall = parseWallTime(text, pattern)
  if (!wall) throw new Unmapped({ code: 'date_wrong', message: `"${cut(text)}" is no day of the form ${pattern}.`, value: cut(text) })
  return `${wall.year}-${String(wall.month).padStart(2, '0')}-${String(wall.day).padStart(2, '0')}`
}

function invert(table: Readonly<Record<string, string>>): Record<string, string> {
  const out: Record<string, string> = {}
  for (const [theirs, ours] of Object.entries(table)) if (!Object.hasOwn(out, ours)) out[ours] = theirs
  return out
}

function columnsIn(rule: FieldRule | RecordRule): string[] {
  if (typeof rule === 'string') return [rule]
  if (isRecordRule(rule)) return Object.values(rule).flatMap(part => columnsIn(part))
  if ('each' in rule) return [String(rule.each)]
  return [...(rule.from === undefined ? [] : [rule.from]), ...(rule.concat ?? []).flatMap(columnsIn)]
}

function columnsOf(rule: RecordRule, cache: Map<RecordRule, ReadonlySet<string>>): ReadonlySet<string> {
  const known = cache.get(rule)
  if (known) return known
  const made = new Set(columnsIn(rule))
  cache.set(rule, made)
  return made
}

const unknownColumns = (known: ReadonlySet<string>, row: Row): string[] => Object.keys(row).filter(column => !known.has(column))

/** A column that a required field is made from and that the rows do not have at all is a change of the ERP's format, not a bad row. */
function requireColumns(kind: ImportKind, rule: RecordRule, row: Row, checked: Map<RecordRule, Set<string>>): void {
  const seen = checked.get(rule) ?? new Set<string>()
  checked.set(rule, seen)
  const required = (schemaOfImport(kind) as unknown as { required?: readonly string[] }).required ?? []
  for (const target of required) {
    const field = rule[target]
    if (field === undefined || seen.has(target)) continue
    const hasDefault = typeof field === 'object' && !isRecordRule(field) && ('const' in field || 'default' in field)
    const columns = columnsIn(field)
    if (columns.length > 0 && !hasDefault && columns.every(column => !Object.hasOwn(row, column))) {
      throw new AdapterError('payload', `Nothing brings "${target}" of ${kind}: the column ${columns.map(c => `"${c}"`).join(' or ')} is missing.`, { field: target })
    }
    seen.add(target)
  }
}

/** The first schema error as a sentence for the customer. */
function sentence(kind: ImportKind, made: unknown, error: ErrorObject | undefined): Reject {
  const params = (error?.params ?? {}) as { missingProperty?: string; additionalProperty?: string }
  const path = (error?.instancePath ?? '').slice(1).replaceAll('/', '.')
  const field = [path, params.missingProperty ?? params.additionalProperty].filter(part => part !== undefined && part !== '').join('.')
  if (params.missingProperty !== undefined) return { code: 'field_missing', message: `${kind} needs "${field}".`, field }
  if (params.additionalProperty !== undefined) return { code: 'field_unknown', message: `${kind} knows no "${field}".`, field }
  const value = path.split('.').reduce<unknown>((at, step) => (isRow(at) || Array.isArray(at) ? (at as Record<string, unknown>)[step] : undefined), made)
  return {
    code: 'field_wrong',
    message: `"${field}" of ${kind} ${error?.message ?? 'is wrong'}.`,
    field,
    ...(typeof value === 'string' || typeof value === 'number' ? { value: cut(String(value)) } : {})
  }
}

/** {"quantity":{"value":"2"}} -> {"quantity.value":"2"} */
function flatten(value: object, prefix = ''): Record<string, string> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, v]): [string, string][] =>
      v === undefined ? [] : v !== null && typeof v === 'object' ? Object.entries(flatten(v, `${prefix}${name}.`)) : [[prefix + name, String(v)]]
    )
  )
}

/** What is wrong with a mapping before it is used: unknown kinds, targets and operators. Sentences. */
export function mappingProblems(mapping: MappingSet, kinds: { imports: readonly ImportKind[]; exports: readonly ExportKind[] }): string[] {
  const problems: string[] = []
  for (const [kind, rule] of Object.entries(mapping.imports ?? {})) {
    if (!kinds.imports.includes(kind as ImportKind)) {
      problems.push(`imports.${kind}: this adapter does not bring such records.`)
      continue
    }
    const known = new Set([...own(kind as ImportKind), 'revision'])
    for (const target of Object.keys(rule)) if (!known.has(target)) problems.push(`imports.${kind}.${target}: there is no such field.`)
  }
  for (const kind of Object.keys(mapping.exports ?? {})) {
    if (!kinds.exports.includes(kind as ExportKind)) problems.push(`exports.${kind}: this adapter does not take such records.`)
  }
  return problems
}

