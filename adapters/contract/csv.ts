import { batched, batchesOf } from './batches.ts'
import { AdapterError } from './errors.ts'

export interface CsvOptions {
  readonly delimiter: string
  /** Columns that must be in the header; a missing one rejects the file. */
  readonly required?: readonly string[]
  /** Takes spaces around cells away, except inside quotes. */
  readonly trim?: boolean
  /** First cell of a last row whose second cell is the number of rows between header and itself; then it must be there and right. */
  readonly trailer?: string
  /** Told the names of the columns; what it throws refuses the file. */
  readonly header?: (names: readonly string[]) => void
}

export interface CsvRow {
  /** Line on which the row begins, from 1; the header is line 1. */
  readonly line: number
  /** Column name -> text; undefined when the row cannot be read, then `problem` says why. */
  readonly row: Readonly<Record<string, string>> | undefined
  readonly problem?: { readonly code: string; readonly message: string }
  /** Of an unreadable row: the cells by position, good enough to say which record it belongs to and nothing more. */
  readonly guess?: Readonly<Record<string, string>>
}

/** A row longer than this is an accident or an attack. */
const mostCharacters = 1_048_576
const mostColumns = 2_000

/** A row while it is read; a quoted cell may go on over several lines. */
interface Reading {
  readonly line: number
  readonly cells: string[]
  /** Parts of the quoted cell that is open; undefined outside quotes. */
  quoted: string[] | undefined
  length: number
  misplaced: boolean
}

/**
 * Reads RFC 4180 rows from lines: quoted line breaks, doubled quotes, a byte-order mark. A quote inside a cell that does not begin with
 * one is an inch mark and stays. A ragged row is a problem of that row; a quote that is never closed, a missing column, a wrong trailer
 * or an empty file reject the whole file. Rows without any value are skipped.
 * @throws AdapterError `payload`
 */
export const csvRows = (lines: AsyncIterable<string>, options: CsvOptions): AsyncIterable<CsvRow> =>
  batched(() => rowsOf(batchesOf(lines), options))

async function* rowsOf(batches: AsyncIterable<readonly string[]>, options: CsvOptions): AsyncIterable<readonly CsvRow[]> {
  const reader = readerOf(options)
  for await (const lines of batches) {
    const rows: CsvRow[] = []
    try {
      for (const line of lines) {
        const row = reader.take(line)
        if (row) rows.push(row)
      }
    } finally {
      // What is right before a fault is given out before the fault.
      if (rows.length > 0) yield rows
    }
  }
  reader.end()
}

/** The reader of one file: takes lines, gives a row for the one that ends it, and knows at the end whether the file was whole. */
function readerOf(options: CsvOptions): { take(line: string): CsvRow | undefined; end(): void } {
  let header: readonly string[] | undefined
  let open: Reading | undefined
  let number = 0
  let rows = 0
  let counted: number | undefined
  const { delimiter, trim = false } = options

  /** The cells of a row that ended. */
  function row(cells: readonly string[], line: number, misplaced: boolean): CsvRow | undefined {
    if (cells.every(cell => cell === '')) return undefined
    if (header === undefined) {
      header = headerOf(cells, options)
      options.header?.(header)
      return undefined
    }
    if (counted !== undefined) throw new AdapterError('payload', `Line ${line} stands behind the trailer "${options.trailer}".`)
    counted = trailerOf(cells, options)
    if (counted !== undefined) return undefined
    rows++
    return rowOf(header, cells, line, misplaced)
  }

  return {
    take(raw) {
      number++
      const line = number === 1 ? raw.replace(/^\uFEFF/, '') : raw
      // Most lines are a row without any quote.
      if (open === undefined && line.length < mostCharacters && !line.includes('"')) {
        const cells = line.split(delimiter)
        return row(trim ? cells.map(cell => cell.trim()) : cells, number, false)
      }
      const reading: Reading = open ?? { line: number, cells: [], quoted: undefined, length: 0, misplaced: false }
      const ended = readLine(reading, line, options)
      if (reading.length > mostCharacters) {
        throw new AdapterError(
          'payload',
          `The row on line ${reading.line} is longer than a million characters, or a quote that opens there is never closed.`
        )
      }
      open = ended ? undefined : reading
      return ended ? row(reading.cells, reading.line, reading.misplaced) : undefined
    },
    end() {
      if (open)
        throw new AdapterError(
          'payload',
          `A quote that opens in the row on line ${open.line} is never closed: the file is cut off or not CSV.`
        )
      if (header === undefined) throw new AdapterError('payload', 'The file is empty: there is not even a header line.')
      if (options.trailer === undefined) return
      if (counted === undefined)
        throw new AdapterError('payload', `The last line "${options.trailer}" with the number of rows is missing: the file is cut off.`)
      if (counted !== rows) throw new AdapterError('payload', `The trailer says ${counted} rows, the file has ${rows}.`)
    }
  }
}

/** Reads one line into the row. @returns whether the row ends with it */
function readLine(reading: Reading, line: string, { delimiter, trim = false }: CsvOptions): boolean {
  reading.length += line.length + 1
  const plain = (cell: string): string => (trim ? cell.trim() : cell)
  let at = 0
  for (;;) {
    let afterQuote = false
    if (reading.quoted === undefined) {
      const begin = trim ? at + (/^\s*/.exec(line.slice(at))?.[0].length ?? 0) : at
      if (line[begin] === '"') {
        reading.quoted = []
        at = begin + 1
      }
    }
    if (reading.quoted !== undefined) {
      const quote = line.indexOf('"', at)
      if (quote < 0) {
        reading.quoted.push(line.slice(at), '\n')
        return false
      }
      reading.quoted.push(line.slice(at, quote))
      at = quote + 1
      if (line[at] === '"') {
        reading.quoted.push('"')
        at++
        continue
      }
      reading.cells.push(reading.quoted.join(''))
      reading.quoted = undefined
      afterQuote = true
    }
    const end = line.indexOf(delimiter, at)
    const rest = line.slice(at, end < 0 ? undefined : end)
    // Behind a closing quote only the separator may stand.
    if (afterQuote) reading.misplaced ||= rest.trim() !== ''
    else reading.cells.push(plain(rest))
    if (end < 0) return true
    at = end + delimiter.length
  }
}

function headerOf(cells: readonly string[], { required = [], delimiter }: CsvOptions): readonly string[] {
  if (cells.length > mostColumns)
    throw new AdapterError('payload', `The header has ${cells.length} columns; at most ${mostColumns} are read.`)
  const names = cells.map(cell => cell.trim())
  const twice = names.find((name, index) => name !== '' && names.indexOf(name) !== index)
  if (twice !== undefined) throw new AdapterError('payload', `The column "${twice}" stands twice in the header.`)
  const missing = required.filter(name => !names.includes(name))
  if (missing.length > 0) {
    const hint = names.length === 1 ? ` Only one column was found: is "${delimiter}" really the separator?` : ''
    throw new AdapterError('payload', `The header lacks ${missing.map(name => `"${name}"`).join(', ')}.${hint}`)
  }
  return names
}

/** The number of a trailer row; undefined for any other row. */
function trailerOf(cells: readonly string[], { trailer }: CsvOptions): number | undefined {
  if (trailer === undefined || cells[0] !== trailer) return undefined
  const [, count = '', ...others] = cells
  if (!/^\d{1,9}$/.test(count) || others.some(cell => cell !== '')) {
    throw new AdapterError('payload', `The last line "${trailer}" must hold the number of rows as its second cell and nothing else.`)
  }
  return Number(count)
}

/** Behind each row instead of nothing at all: an object without any prototype is a hash table and four times as slow to fill (measured). */
const bare: object = Object.freeze(Object.create(null))

function rowOf(header: readonly string[], cells: readonly string[], line: number, misplaced: boolean): CsvRow {
  const row: Record<string, string> = Object.create(bare)
  for (let index = 0; index < header.length; index++) {
    const name = header[index]
    if (name) row[name] = cells[index] ?? ''
  }
  const problem = (code: string, message: string): CsvRow => ({ line, row: undefined, problem: { code, message }, guess: row })
  if (misplaced)
    return problem('quote_misplaced', `The row on line ${line} has text behind a closing quote. Quotes inside quotes are written twice.`)
  if (cells.length !== header.length) {
    return problem(
      'row_ragged',
      `The row on line ${line} has ${cells.length} cells, the header has ${header.length}. A cell with the separator in it needs quotes.`
    )
  }
  return { line, row }
}

/** One line with CRLF, quoted where needed (RFC 4180). Values go out as they are: this is for machines, not for a spreadsheet. */
export function csvLine(values: readonly string[], delimiter: string): string {
  const quote = (value: string): string =>
    value.includes(delimiter) || /["\r\n]/.test(value) || value !== value.trim() ? `"${value.replaceAll('"', '""')}"` : value
  return `${values.map(quote).join(delimiter)}\r\n`
}
