import { batchesOf, type CsvRow } from '../contract/index.ts'

type Cells = Readonly<Record<string, string>>

/** Consecutive rows of one work order or pick list. */
export interface Group {
  /** Value of the grouping column; empty for a row that has none. */
  readonly key: string
  readonly rows: readonly { readonly line: number; readonly cells: Cells }[]
  /** The first unreadable row among them: the record cannot be whole. */
  readonly broken: { readonly line: number; readonly code: string; readonly message: string } | undefined
}

/** More rows than a record may have operations, materials or lines; no more are kept, whatever a file repeats. */
const mostRows = 10_000

/** Groups consecutive rows by a column. An unreadable row counts to the record that its cells seem to name. */
export async function* groupRows(rows: AsyncIterable<CsvRow>, column: string): AsyncIterable<Group> {
  let key: string | undefined
  let kept: { line: number; cells: Cells }[] = []
  let broken: Group['broken']
  for await (const batch of batchesOf(rows)) {
    for (const { line, row, problem, guess } of batch) {
      const cells = row ?? guess ?? {}
      const next = cells[column] ?? ''
      // Rows that name nothing are bad ones, each for itself.
      if (key !== undefined && (next !== key || next === '')) {
        yield { key, rows: kept, broken }
        kept = []
        broken = undefined
      }
      key = next
      if (kept.length < mostRows) kept.push({ line, cells })
      else broken ??= { line, code: 'rows_too_many', message: `"${key}" has more than ${mostRows} rows.` }
      if (problem && !broken) broken = { line, ...problem }
    }
  }
  if (key !== undefined) yield { key, rows: kept, broken }
}
