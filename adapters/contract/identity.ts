import type { Shape } from './fit.ts'
import { type ExportKind, type ImportKind, schemaOfExport, schemaOfImport } from './records.ts'
import type { FieldRule, MappingSet, OutRule, RecordRule } from './types.ts'

/** The code table of a field, by its name: the customer fills these in where the ERP's codes are not ours. */
const tableOf: Readonly<Record<string, string>> = { unit: 'units', department: 'departments', scrapReason: 'scrapReasons' }

/** The tables that `identityMapping` refers to. */
export const identityTables = ['units', 'departments', 'orderStatus', 'scrapReasons'] as const

/**
 * The mapping that says what happens without one: every field comes from, and goes to, a field of the same name, nested as ours are;
 * codes pass through code tables, which change nothing while they are empty. A start to edit from.
 */
export function identityMapping(imports: readonly ImportKind[], exports: readonly ExportKind[]): MappingSet {
  return {
    imports: Object.fromEntries(imports.map(kind => [kind, rowRule(kind)])),
    exports: Object.fromEntries(exports.map(kind => [kind, outRules(schemaOfExport(kind) as unknown as Shape)]))
  }
}

function rowRule(kind: ImportKind): RecordRule {
  const rules = recordRule(schemaOfImport(kind) as unknown as Shape)
  const withStatus: RecordRule = kind === 'workOrder' ? { ...rules, status: { from: 'status', code: 'orderStatus' } } : rules
  return { ...withStatus, revision: { seq: 'revision.seq', changedAt: 'revision.changedAt' } }
}

function recordRule(shape: Shape, path = ''): RecordRule {
  return Object.fromEntries(
    Object.entries(shape.properties ?? {}).map(([name, inner]): [string, FieldRule | RecordRule] => {
      const from = path + name
      if (inner.properties) return [name, recordRule(inner, `${from}.`)]
      if (inner.items) return [name, { each: from, item: recordRule(inner.items) }]
      const code = tableOf[name]
      return [name, code === undefined ? from : { from, code }]
    })
  )
}

function outRules(shape: Shape, path = ''): Record<string, string | OutRule> {
  return Object.fromEntries(
    Object.entries(shape.properties ?? {}).flatMap(([name, inner]): [string, string | OutRule][] => {
      const from = path + name
      if (inner.properties) return Object.entries(outRules(inner, `${from}.`))
      const code = tableOf[name]
      return [[from, code === undefined ? from : { from, code }]]
    })
  )
}
