import { columnsOf, isRecordRule } from './columns.ts'
import type { Shape } from './fit.ts'
import { type ExportKind, type ImportKind, schemaOfExport, schemaOfImport } from './records.ts'
import type { CodeTables, FieldRule, MappingSet, OutRule, RecordRule } from './types.ts'

/** What is wrong with a mapping before it is used: kinds, targets, operators, units, tables that cannot be read backwards. Sentences. */
export function mappingProblems(
  mapping: MappingSet,
  kinds: { imports: readonly ImportKind[]; exports: readonly ExportKind[] },
  codeTables: CodeTables = {}
): string[] {
  const problems: string[] = []
  for (const [kind, rule] of Object.entries(mapping.imports ?? {})) {
    if (!kinds.imports.includes(kind as ImportKind)) problems.push(`imports.${kind}: this adapter does not bring such records.`)
    else checkRecord(rule, schemaOfImport(kind as ImportKind) as unknown as Shape, `imports.${kind}`, problems, true)
  }
  for (const [kind, rules] of Object.entries(mapping.exports ?? {})) {
    if (!kinds.exports.includes(kind as ExportKind)) {
      problems.push(`exports.${kind}: this adapter does not take such records.`)
      continue
    }
    const paths = pathsOf(schemaOfExport(kind as ExportKind) as unknown as Shape)
    for (const [column, rule] of Object.entries(rules)) checkOut(rule, paths, `exports.${kind}.${column}`, codeTables, problems)
  }
  for (const [unit, { numerator, denominator }] of Object.entries(mapping.units ?? {})) {
    if (!/^[1-9]\d{0,14}$/.test(numerator) || !/^[1-9]\d{0,14}$/.test(denominator)) {
      problems.push(`units.${unit}: numerator and denominator must be whole numbers above zero, as text.`)
    }
  }
  return problems
}

function checkRecord(rule: RecordRule, shape: Shape, path: string, problems: string[], top = false): void {
  for (const [target, field] of Object.entries(rule)) {
    const at = `${path}.${target}`
    if (top && target === 'revision') {
      if (!isRecordRule(field) || Object.keys(field).some(key => key !== 'seq' && key !== 'changedAt')) {
        problems.push(`${at}: must hold "seq" (a number) or "changedAt" (a time).`)
      }
      continue
    }
    const inner = Object.hasOwn(shape.properties ?? {}, target) ? shape.properties?.[target] : undefined
    if (!inner) problems.push(`${at}: there is no such field.`)
    else if (isRecordRule(field)) {
      if (inner.properties) checkRecord(field, inner, at, problems)
      else problems.push(`${at}: is one value, not an object, or one of its operators is not known.`)
    } else checkField(field, inner, at, problems)
  }
}

function checkField(rule: FieldRule, shape: Shape, at: string, problems: string[]): void {
  if (typeof rule === 'string') return
  if ('each' in rule) {
    if (!shape.items) problems.push(`${at}: is no list.`)
    else checkRecord(rule.item, shape.items, `${at}[]`, problems)
    return
  }
  if (columnsOf(rule).length === 0 && rule.const === undefined && rule.default === undefined)
    problems.push(`${at}: names no column and no constant.`)
  const conversions = [rule.code, rule.decimal, rule.integer, rule.boolean, rule.date, rule.instant].filter(one => one !== undefined)
  if (conversions.length > 1) problems.push(`${at}: takes one of code, decimal, integer, boolean, date, instant.`)
  if (rule.padLeft && (rule.padLeft.with.length !== 1 || rule.padLeft.length > 100)) {
    problems.push(`${at}: padLeft takes one character and a length of at most 100.`)
  }
}

/** "workOrder", "quantity.value", … */
function pathsOf(shape: Shape, path = ''): string[] {
  return Object.entries(shape.properties ?? {}).flatMap(([name, inner]) =>
    inner.properties ? pathsOf(inner, `${path}${name}.`) : [path + name]
  )
}

function checkOut(rule: string | OutRule, paths: readonly string[], at: string, codeTables: CodeTables, problems: string[]): void {
  const from = typeof rule === 'string' ? rule : rule.from
  if (from !== undefined && !paths.includes(from)) problems.push(`${at}: there is no "${from}"; there are ${paths.join(', ')}.`)
  if (typeof rule === 'string' || rule.code === undefined || rule.default !== undefined) return
  const table = codeTables[rule.code] ?? {}
  const ours = Object.values(table)
  const twice = ours.find((value, index) => ours.indexOf(value) !== index && table[value] !== value)
  if (twice !== undefined) {
    problems.push(
      `${at}: several codes of the table "${rule.code}" mean "${twice}"; leave one, add "${twice}" for itself, or name a default for the way out.`
    )
  }
}
