import { AdapterError } from './errors.ts'

export interface CsvOptions {
  readonly delimiter: string
  /** Columns that must be in the header; a missing one rejects the file. */
  readonly required?: readonly string[]
}

export interface CsvRow {
  /** Line on which the row begins, from 1; the header is line 1. */
  readonly line: number
  /** Column name -> text; undefined when the row cannot be read, then `problem` says why. */
  readonly row: Readonly<Record<string, string>> | undefined
  readonly problem?: { readonly code: string; readonly message: string }
}

/** A cell or a row longer than this is an accident or an attack. */
const mostCharacters = 1_048_576
const mostColumns = 2_000

/**
 * Reads RFC 4180 rows from lines: quoted line breaks, doubled quotes, a byte-order mark, any line end. A ragged row is a problem of that
 * row; a quote that is never closed, a missing column or an empty file reject the whole file.
 * @throws AdapterError `payload`
 */
export async function* csvRows(lines: AsyncIterable<string>, options: CsvOptions): AsyncIterable<CsvRow> {
  let header: readonly string[] | undefined
  let number = 0
  let start = 0
  let pending: string | undefined
  for await (const raw of lines) {
    number++
    const line = number === 1 ? raw.replace(/^\uFEFF/, '') : raw
    if (pending === undefined) start = number
    const text: string = pending === undefined ? line : `${pending}\n${line}`
    if (text.length > mostCharacters) {
      throw new AdapterError('payload', `Line ${start} is longer than a million characters, or a quote that opens there is never closed.`)
    }
    if (openQuote(text)) {
      pending = text
      continue
    }
    pending = undefined
    if (text === '') continue
    const cells = split(text, options.delimiter)
    if (header === undefined) header = headerOf(cells, options)
    else yield rowOf(header, cells, start)
  }
  if (pending !== undefined) throw new AdapterError('payload', `A quote that opens on line ${start} is never closed: the file is cut off or not CSV.`)
  if (header === undefined) throw new AdapterError('payload', 'The file is empty: there is not even a header line.')
}

function headerOf(cells: readonly string[], options: CsvOptions): readonly string[] {
  if (cells.length > mostColumns) throw new AdapterError('payload', `The header has ${cells.length} columns; at most ${mostColumns} are read.`)
  const names = cells.map(cell => cell.trim())
  const twice = names.find((name, index) => name !== '' && names.indexOf(name) !== index)
  if (twice !== undefined) throw new AdapterError('payload', `The column "${twice}" stands twice in the header.`)
  const missing = (options.required ?? []).filter(name => !names.includes(name))
  if (missing.length > 0) {
    const hint = names.length === 1 && options.delimiter !== ',' ? ` Only one column was found: is "${options.delimiter}" really the separator?` : ''
    throw new AdapterError('payload', `The header lacks ${missing.map(name => `"${name}"`).join(', ')}.${hint}`)
  }
  return names
}

function rowOf(header: readonly string[], cells: readonly string[], line: number): CsvRow {
  if (cells.length !== header.length) {
    return {
      line,
      row: undefined,
      problem: {
        code: 'row_ragged',
        message: `Line ${line} has ${cells.length} cells, the header has ${header.length}. A cell with the separator in it needs quotes.`
      }
    }
  }
  const row: Record<string, string> = Object.create(null)
  for (const [index, name] of header.entries()) if (name !== '') row[name] = cells[index] ?? ''
  return { line, row }
}

/** Whether an odd number of quotes was seen: then the row goes on on the next line. */
function openQuote(text: string): boolean {
  let count = 0
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count++
  return count % 2 === 1
}

function split(text: string, delimiter: string): string[] {
  if (!text.includes('"')) return text.split(delimiter)
  const cells: string[] = []
  let at = 0
  for (;;) {
    if (text[at] === '"') {
      let cell = ''
      let from = at + 1
      for (;;) {
        const quote = text.indexOf('"', from)
        cell += text.slice(from, quote < 0 ? undefined : quote)
        if (quote < 0 || text[quote + 1] !== '"') {
          at = quote < 0 ? text.length : quote + 1
          break
        }
        cell += '"'
        from = quote + 2
      }
      const end = text.indexOf(delimiter, at)
      cells.push(cell + text.slice(at, end < 0 ? undefined : end))
      if (end < 0) return cells
      at = end + delimiter.length
    } else {
      const end = text.indexOf(delimiter, at)
      cells.push(text.slice(at, end < 0 ? undefined : end))
      if (end < 0) return cells
      at = end + delimiter.length
    }
  }
}

/** One line with CRLF, quoted where needed. Values go out as they are: this is for machines, not for a spreadsheet. */
export function csvLine(values: readonly string[], delimiter: string): string {
  const quote = (value: string): string => (value.includes(delimiter) || /["\r\n]/.test(value) || value !== value.trim() ? `"${value.replaceAll('"', '""')}"` : value)
  return `${values.map(quote).join(delimiter)}\r\n`
}
