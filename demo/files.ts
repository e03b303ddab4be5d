import Papa from 'papaparse'
import { articles, type DemoOrder, employees, locations } from './factory.ts'

/** The files of the simulated ERP, in the columns of adapters/csv/README.md. Read and written by a CSV library of its own. */
const csv = (rows: readonly Readonly<Record<string, string | number>>[]): string =>
  `${Papa.unparse([...rows], { delimiter: ';', newline: '\r\n' })}\r\n`

export const locationFile = (): string =>
  csv(locations.map(l => ({ Location: l.code, Warehouse: l.warehouse, Description: l.description, Blocked: 'N' })))
export const articleFile = (): string =>
  csv(articles.map(a => ({ Article: a.number, Description: a.description, Unit: a.unit, Barcode: `B${a.number}`, Blocked: 'N' })))
export const employeeFile = (): string => csv(employees.map(e => ({ Number: e.number, Name: e.name, Active: e.active ? 'J' : 'N' })))
export const stockFile = (asOf: string): string =>
  csv(
    articles
      .filter(a => a.number.startsWith('M-'))
      .map(a => ({ Article: a.number, Location: 'PROD', Quantity: 5_000, Unit: a.unit, Lot: '', AsOf: asOf }))
  )

const nothing = {
  Type: '',
  Operation: '',
  Sequence: '',
  OperationDepartment: '',
  OperationDescription: '',
  SetupSeconds: '',
  RunSeconds: '',
  Line: '',
  Material: '',
  MaterialQuantity: '',
  MaterialUnit: '',
  MaterialLocation: ''
}

/** One row per operation and per material line, each with the columns of its order; the faulty ones are wrong on purpose. */
export function orderFile(orders: readonly DemoOrder[], changed: string): string {
  return csv(
    orders.flatMap(order => {
      const head = {
        Order: order.number,
        Department: order.operations[0]?.department ?? '',
        Article: order.article,
        Description: order.description,
        Quantity: order.fault === 'quantity' ? 'twelve' : order.quantity,
        Unit: 'PCE',
        Due: order.fault === 'date' ? '2026-02-31' : order.due,
        Priority: order.priority,
        Status: order.fault === 'status' ? 'whatever' : 'released',
        Changed: changed
      }
      return [
        ...order.operations.map((operation, i) => ({
          ...head,
          ...nothing,
          Type: 'O',
          Operation: operation.number,
          Sequence: (i + 1) * 10,
          OperationDepartment: order.fault === 'department' && i === 0 ? '' : operation.department,
          OperationDescription: operation.description,
          SetupSeconds: operation.setup,
          RunSeconds: operation.run
        })),
        ...order.materials.map(material => ({
          ...head,
          ...nothing,
          Type: 'M',
          Operation: material.operation,
          Line: material.line,
          Material: material.article,
          MaterialQuantity: material.quantity,
          MaterialUnit: 'PCE',
          MaterialLocation: 'PROD'
        }))
      ]
    })
  )
}

export interface Feedback {
  readonly file: string
  readonly key: string
  readonly kind: string
  readonly row: Readonly<Record<string, string>>
}

/** Reads one feedback file; throws when it is not exactly one header and one row. */
export function readFeedback(file: string, text: string): Feedback {
  const { data, errors } = Papa.parse<Record<string, string>>(text, { header: true, delimiter: ';', skipEmptyLines: true })
  const row = data[0]
  if (errors.length > 0 || data.length !== 1 || !row?.Key)
    throw new Error(`${file} is not one record: ${errors[0]?.message ?? `${data.length} rows`}`)
  return { file, key: row.Key, kind: file.slice(0, file.lastIndexOf('_')), row }
}

export const ackFile = (rows: readonly { key: string; document: string; error?: string }[]): string =>
  csv(
    rows.map(row => ({ Key: row.key, Result: row.error === undefined ? 'OK' : 'ERROR', Document: row.document, Message: row.error ?? '' }))
  )
