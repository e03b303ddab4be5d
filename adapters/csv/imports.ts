import {
  type AdapterCtx,
  AdapterError,
  type ConfigOf,
  type CsvOptions,
  type CsvRow,
  csvRows,
  type ExportOutcomeBody,
  type ImportItem,
  type ImportKind,
  type InboundFile,
  type RecordItem,
  type RejectItem
} from '../contract/index.ts'
import { type Group, groupRows } from './groups.ts'
import type { config } from './manifest.ts'

export type CsvCtx = AdapterCtx<ConfigOf<typeof config>>

const kinds = { WO: 'workOrder', PCK: 'pickList', ART: 'article', LOC: 'location', EMP: 'employee', STK: 'stock' } as const
const ackColumns = ['Key', 'Result', 'Document', 'Message']

/** Everything that a file brings. The file is read through once before its first record counts: it is good or refused as a whole. */
export async function* importFile(file: InboundFile, ctx: CsvCtx): AsyncIterable<ImportItem> {
  const prefix = file.name.split('_')[0]?.toUpperCase() ?? ''
  if (prefix === 'ACK') {
    yield* acknowledgements(file, ctx)
    return
  }
  const kind = Object.hasOwn(kinds, prefix) ? kinds[prefix as keyof typeof kinds] : undefined
  if (kind === undefined) {
    throw new AdapterError('payload', `No rule for a file of this name. It must begin with ${Object.keys(kinds).join('_, ')}_ or ACK_.`)
  }
  const { delimiter, encoding, trailer, orderColumn, pickListColumn } = ctx.config
  const groupColumn = kind === 'workOrder' ? orderColumn : kind === 'pickList' ? pickListColumn : undefined
  const options: CsvOptions = {
    delimiter,
    trim: true,
    ...(groupColumn === undefined ? {} : { required: [groupColumn] }),
    ...(trailer === '' ? {} : { trailer })
  }
  const rows = (more: Partial<CsvOptions> = {}): AsyncIterable<CsvRow> =>
    ofPlant(csvRows(file.lines(encoding), { ...options, ...more }), ctx)
  if (groupColumn === undefined) {
    let columns: readonly string[] = []
    let any = false
    const first = rows({
      header: names => {
        columns = names
      }
    })
    for await (const _ of first) any = true
    // A text of one line that is no table would be a full list of nothing, and close everything.
    if (!any) ctx.map.requires(kind, columns)
    yield { type: 'snapshot', kind, phase: 'begin' }
    for await (const row of rows()) yield single(kind, row, ctx)
    yield { type: 'snapshot', kind, phase: 'end' }
    return
  }
  const scattered = await scatteredKeys(groupRows(rows(), groupColumn))
  for await (const group of groupRows(rows(), groupColumn)) yield grouped(kind, group, scattered, groupColumn, ctx)
}

/** The same rows; the first one of another plant refuses the file, before any of its records counts. */
function ofPlant(rows: AsyncIterable<CsvRow>, { config: { plantColumn, plant } }: CsvCtx): AsyncIterable<CsvRow> {
  return plantColumn === '' || plant === '' ? rows : checked()
  async function* checked(): AsyncIterable<CsvRow> {
    for await (const read of rows) {
      const named = read.row?.[plantColumn]
      if (read.row !== undefined && named !== plant) {
        const found = named === undefined ? `has no column "${plantColumn}"` : `is of plant "${named.slice(0, 40)}"`
        throw new AdapterError('payload', `Line ${read.line} ${found}, and this connection takes plant "${plant}" only.`, {
          field: plantColumn
        })
      }
      yield read
    }
  }
}

function single(kind: ImportKind, { line, row, problem }: CsvRow, ctx: CsvCtx): RecordItem | RejectItem {
  if (row === undefined)
    return { type: 'reject', kind, reject: problem ?? { code: 'row_unreadable', message: 'The row cannot be read.' }, at: { line } }
  return ctx.map.row(kind, row, { line })
}

/** Records of one file: their keys are remembered while it is read. */
const mostRecords = 500_000
/** Longer than any key that is accepted. */
const longestKey = 200

/** Keys whose rows do not stand together: read one by one, each part would replace the one before. */
async function scatteredKeys(groups: AsyncIterable<Group>): Promise<ReadonlySet<string>> {
  const seen = new Set<string>()
  const twice = new Set<string>()
  for await (const { key } of groups) {
    if (key === '' || key.length > longestKey) continue
    if (seen.has(key)) twice.add(key)
    // A copy: a cell is a view on the piece of the file that it was read from, and would keep all of it.
    else seen.add(Buffer.from(key).toString())
    if (seen.size > mostRecords) throw new AdapterError('payload', `The file has more than ${mostRecords} records. Split it.`)
  }
  return twice
}

function grouped(kind: ImportKind, group: Group, scattered: ReadonlySet<string>, column: string, ctx: CsvCtx): RecordItem | RejectItem {
  const [first] = group.rows
  const at = { line: group.broken?.line ?? first?.line ?? 1 }
  const refuse = (code: string, message: string): RejectItem => ({
    type: 'reject',
    kind,
    reject: { code, message },
    ...(group.key === '' ? {} : { key: group.key }),
    at
  })
  if (group.broken) return refuse(group.broken.code, group.broken.message)
  if (group.key === '') return refuse('field_missing', `The row on line ${at.line} has nothing in the column "${column}".`)
  if (scattered.has(group.key)) {
    return refuse('rows_scattered', `Rows of "${group.key}" stand in several places of the file. Sort the file by "${column}".`)
  }
  const all = group.rows.map(({ cells }) => cells)
  const { typeColumn, materialType, operationColumn } = ctx.config
  const isMaterial = (cells: Readonly<Record<string, string>>): boolean => cells[typeColumn] === materialType
  const lists: Readonly<Record<string, readonly (typeof all)[number][]>> =
    kind === 'pickList'
      ? { lines: all }
      : {
          operations: all.filter(cells => !isMaterial(cells) && cells[operationColumn] !== ''),
          materials: all.filter(isMaterial)
        }
  // What the lists do not take up comes from the first row.
  const item = ctx.map.row(kind, { ...first?.cells, ...lists }, at)
  return item.type === 'reject' ? atItsLine(item, group, lists) : withoutUnknown(item, typeColumn)
}

/** The column that tells the rows apart is read here and no surprise to anybody. */
function withoutUnknown({ unknown = [], ...item }: RecordItem, column: string): RecordItem {
  const left = unknown.filter(name => name !== column)
  return (left.length > 0 ? { ...item, unknown: left } : item) as RecordItem
}

/** "operations.1.runSeconds" stands on the line of the second operation. */
function atItsLine(item: RejectItem, group: Group, lists: Readonly<Record<string, readonly unknown[]>>): RejectItem {
  const [, name = '', index = ''] = /^(\w+)\.(\d+)\b/.exec(item.reject.field ?? '') ?? []
  const cells = lists[name]?.[Number(index)]
  const line = group.rows.find(row => row.cells === cells)?.line
  return line === undefined ? item : { ...item, at: { line } }
}

async function* acknowledgements(file: InboundFile, { config: { delimiter, encoding } }: CsvCtx): AsyncIterable<ImportItem> {
  const read = (): AsyncIterable<CsvRow> => csvRows(file.lines(encoding), { delimiter, trim: true, required: ackColumns })
  for await (const row of read()) acknowledgement(row)
  for await (const row of read()) yield acknowledgement(row)
}

function acknowledgement({ line, row, problem }: CsvRow): ImportItem {
  if (!row) throw new AdapterError('payload', problem?.message ?? `Line ${line} cannot be read.`)
  const { Key: exportKey = '', Result = '', Document: document = '', Message: message = '' } = row
  if (exportKey === '') throw new AdapterError('payload', `Line ${line} acknowledges nothing: the column "Key" is empty.`)
  return { type: 'ack', exportKey, outcome: outcomeOf(Result.toUpperCase(), document || exportKey, message, line), at: { line } }
}

function outcomeOf(result: string, document: string, message: string, line: number): ExportOutcomeBody {
  if (result === 'OK') return { status: 'accepted', ref: { document } }
  if (result === 'ERROR') return { status: 'rejected', reject: { code: 'erp_rejected', message: message || 'The ERP gave no reason.' } }
  throw new AdapterError('payload', `Line ${line} has neither OK nor ERROR in the column "Result".`)
}
