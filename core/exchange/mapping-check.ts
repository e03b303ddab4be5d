import {
  type CodeTables,
  exportKinds,
  importKinds,
  type Manifest,
  type MappingSet,
  mappingProblems
} from '../../adapters/contract/index.ts'
import type { FieldProblem } from '../errors.ts'

const deepest = 8
const mostEntries = 20_000

/** What is wrong with a mapping and its code tables for this adapter; the server refuses to store it. */
export function mappingComplaints(manifest: Manifest, mapping: MappingSet, codeTables: CodeTables): readonly FieldProblem[] {
  const problems: FieldProblem[] = []
  const say = (pointer: string, detail: string) => void problems.push({ pointer, detail })
  const offered = {
    imports: importKinds.filter(kind => manifest.imports[kind] !== undefined),
    exports: exportKinds.filter(kind => manifest.exports[kind] !== undefined)
  }
  for (const sentence of mappingProblems(mapping, offered, codeTables)) {
    const at = sentence.indexOf(': ')
    say(`/mapping/${sentence.slice(0, at).replaceAll('.', '/')}`, sentence.slice(at + 2))
  }
  const declared = new Set(manifest.codeTables ?? [])
  for (const name of tablesIn(mapping)) {
    if (!declared.has(name)) say('/mapping', `uses the code table "${name}", which this adapter does not declare`)
  }
  let entries = 0
  for (const [name, table] of Object.entries(codeTables)) {
    if (!declared.has(name)) say(`/codeTables/${name}`, 'is no code table of this adapter')
    entries += Object.keys(table).length
  }
  if (entries > mostEntries) say('/codeTables', `hold more than ${mostEntries} entries`)
  return problems
}

function* rulesIn(value: unknown, depth = 0): Iterable<Record<string, unknown>> {
  if (value === null || typeof value !== 'object' || depth > deepest) return
  if (!Array.isArray(value)) yield value as Record<string, unknown>
  for (const inner of Object.values(value)) yield* rulesIn(inner, depth + 1)
}

const codesOf = (value: unknown): Set<string> =>
  new Set([...rulesIn(value)].flatMap(rule => (typeof rule.code === 'string' ? [rule.code] : [])))

/** Tables named by rules. A record's own field `code` (of a location) has a rule of its own and is no table, unless it is plain text. */
function tablesIn(mapping: MappingSet): Set<string> {
  const { location, ...others } = mapping.imports ?? {}
  const ofLocation = location === undefined ? [] : Object.values(location)
  return codesOf([others, ofLocation, mapping.exports])
}
