import { csvLine, formatInZone, type ImportKind } from '../../adapters/contract/index.ts'
import type { DeliveryOptions, Erp, JsonObject } from '../../adapters/kit/erp.ts'
import { sampleImport } from '../../adapters/kit/samples.ts'

type Cells = Record<string, string>
const object = (value: unknown): JsonObject => (value !== null && typeof value === 'object' ? (value as JsonObject) : {})
const list = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.map(object) : [])
const text = (value: unknown): string => (value === undefined || value === null ? '' : String(value))
/** Instants become wall times when a file is written, since only that knows the zone. */
const isInstant = /^\d{4}-\d\d-\d\dT[\d:]+Z$/
const amount = (value: unknown, valueColumn: string, unitColumn: string): Cells => ({
  [valueColumn]: text(object(value).value),
  [unitColumn]: text(object(value).unit)
})

/** The rows that an ERP writes for one record of ours, with the columns of adapters/csv/README.md. */
const rowsOf: { readonly [K in ImportKind]: (record: JsonObject) => Cells[] } = {
  workOrder: r => {
    const order = {
      Order: text(r.number),
      Department: text(r.department),
      Article: text(r.article),
      Description: text(r.description),
      ...amount(r.quantity, 'Quantity', 'Unit'),
      Due: text(r.due),
      Priority: text(r.priority),
      Status: text(r.status)
    }
    return [
      ...list(r.operations).map(o => ({
        ...order,
        Type: 'O',
        Operation: text(o.number),
        Sequence: text(o.sequence),
        OperationDepartment: text(o.department),
        WorkCentre: text(o.workCentre),
        OperationDescription: text(o.description),
        SetupSeconds: text(o.setupSeconds),
        RunSeconds: text(o.runSeconds)
      })),
      ...list(r.materials).map(m => ({
        ...order,
        Type: 'M',
        Operation: text(m.operation),
        Line: text(m.line),
        Material: text(m.article),
        ...amount(m.quantity, 'MaterialQuantity', 'MaterialUnit'),
        MaterialLocation: text(m.location)
      }))
    ]
  },
  article: r => [
    {
      Article: text(r.number),
      Description: text(r.description),
      Unit: text(r.unit),
      Barcode: text(r.barcode),
      Blocked: r.blocked === true ? 'J' : 'N'
    }
  ],
  location: r => [
    {
      Location: text(r.code),
      Warehouse: text(r.warehouse),
      Description: text(r.description),
      Blocked: r.blocked === true ? 'J' : 'N'
    }
  ],
  employee: r => [{ Number: text(r.number), Name: text(r.name), Active: r.active === true ? 'J' : 'N' }],
  stock: r => [
    {
      Article: text(r.article),
      Location: text(r.location),
      ...amount(r.quantity, 'Quantity', 'Unit'),
      Lot: text(r.lot),
      AsOf: text(r.asOf)
    }
  ],
  pickList: r =>
    list(r.lines).map(l => ({
      PickList: text(r.number),
      Order: text(r.workOrder),
      Line: text(l.line),
      Article: text(l.article),
      ...amount(l.quantity, 'Quantity', 'Unit'),
      Location: text(l.location)
    }))
}

const prefixes = { workOrder: 'WO', pickList: 'PCK', article: 'ART', location: 'LOC', employee: 'EMP', stock: 'STK' } as const
/** Field of ours -> column of the file. */
const columnOf: Readonly<Record<string, string>> = {
  'quantity.value': 'Quantity',
  description: 'Description',
  asOf: 'AsOf',
  workOrder: 'Order',
  warehouse: 'Warehouse'
}

/** An ERP that reads and writes the CSV files of adapters/csv/README.md. */
export function csvErp(delimiter = ';'): Erp {
  let files = 0
  const file = (name: string, columns: readonly string[], rows: readonly Cells[], behind: readonly string[][] = []) => {
    const lines = [columns, ...rows.map(row => columns.map(column => row[column] ?? '')), ...behind]
    return { way: 'file' as const, name, body: Buffer.from(lines.map(cells => csvLine(cells, delimiter)).join(''), 'utf8') }
  }
  return {
    revisions: ['workOrder', 'article', 'pickList'],
    encodings: { 'utf-8': {}, 'windows-1252': { encoding: 'windows-1252' } },
    complete: { trailer: 'END' },
    deliver(kind, records, options: DeliveryOptions = {}) {
      const { revision, extra, omit, name, more, complete, timeZone = 'Europe/Amsterdam' } = options
      const rows = records.flatMap(rowsOf[kind]).map(row => {
        const cells: Cells = { ...row, ...more }
        for (const [column, cell] of Object.entries(cells))
          if (isInstant.test(cell)) cells[column] = formatInZone(cell, timeZone, 'yyyy-MM-dd HH:mm:ss')
        if (revision !== undefined) cells.Changed = `2026-03-01 10:00:0${revision}`
        if (extra) cells.CreatedBy = 'nobody asked'
        const gone = omit === undefined ? undefined : columnOf[omit]
        if (gone !== undefined) delete cells[gone]
        return cells
      })
      const columns = [...new Set((rows.length > 0 ? rows : rowsOf[kind](sampleImport(kind, 1))).flatMap(row => Object.keys(row)))]
      const trailer = complete ? [['END', String(rows.length), ...columns.slice(2).map(() => '')]] : []
      return file(`${prefixes[kind]}_${name ?? ++files}.csv`, columns, rows, trailer)
    },
    ack: answers =>
      file(
        `ACK_${++files}.csv`,
        ['Key', 'Result', 'Document', 'Message'],
        answers.map(({ key, result, document = '', message = '' }) => ({
          Key: key,
          Result: result === 'accepted' ? 'OK' : 'ERROR',
          Document: document,
          Message: message
        }))
      ),
    read(_name, body) {
      const [header = '', row = ''] = Buffer.from(body).toString('utf8').split('\r\n')
      return row.split(delimiter)[header.split(delimiter).indexOf('Key')] ?? ''
    }
  }
}
