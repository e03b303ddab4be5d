import type { ExportKind, ExportRecords, ImportKind } from '../contract/index.ts'
import type { JsonObject } from './erp.ts'

const pad = (n: number): string => String(n).padStart(4, '0')

/** The nth record of a kind, with every field that most ERPs have. Names of people are made up. */
export function sampleImport(kind: ImportKind, n: number): JsonObject {
  switch (kind) {
    case 'workOrder':
      return {
        number: `WO${pad(n)}`,
        department: 'WELDING',
        article: `A${pad(n)}`,
        description: `Frame ${n}, "left"; Ø 5 mm`,
        quantity: { value: `${n}.5`, unit: 'PCE' },
        due: '2026-03-20',
        priority: n,
        status: 'released',
        operations: [
          { number: '10', sequence: 10, department: 'SAWING', workCentre: 'S1', description: 'Saw', setupSeconds: 600, runSeconds: 60 },
          { number: '20', sequence: 20, department: 'WELDING', description: 'Weld', runSeconds: 300 }
        ],
        materials: [{ line: '1', operation: '10', article: `M${pad(n)}`, quantity: { value: '2.25', unit: 'MTR' }, location: 'R1' }]
      }
    case 'article':
      return { number: `A${pad(n)}`, description: `Article ${n} é €`, unit: 'PCE', barcode: `870000${pad(n)}`, blocked: n % 2 === 0 }
    case 'stock':
      return {
        article: `A${pad(n)}`,
        location: 'R1',
        quantity: { value: `${n}.125`, unit: 'PCE' },
        lot: `L${n}`,
        asOf: '2026-03-02T06:00:00Z'
      }
    case 'pickList':
      return {
        number: `P${pad(n)}`,
        workOrder: `WO${pad(n)}`,
        lines: [
          { line: '1', article: `A${pad(n)}`, quantity: { value: '3', unit: 'PCE' }, location: 'R1' },
          { line: '2', article: `M${pad(n)}`, quantity: { value: '0.5', unit: 'MTR' } }
        ]
      }
    case 'location':
      return { code: `R${pad(n)}`, warehouse: 'MAIN', description: `Rack ${n}`, blocked: false }
    case 'employee':
      return { number: `E${pad(n)}`, name: `Sample Person ${n}`, active: n % 2 === 1 }
  }
}

export const sampleImports = (kind: ImportKind, count: number): JsonObject[] =>
  Array.from({ length: count }, (_, n) => sampleImport(kind, n + 1))

const statuses = ['paused', 'started', 'finished'] as const

/** The nth message of a kind about a work order (for stock: about an article of that name). */
export function sampleExport<K extends ExportKind>(kind: K, n: number, order: string): ExportRecords[K] {
  const at = `2026-03-02T08:${String(n % 60).padStart(2, '0')}:00Z`
  const quantity = { value: `${n}.5`, unit: 'PCE' }
  const samples: ExportRecords = {
    orderStatus: { workOrder: order, status: n % 2 === 1 ? 'started' : 'finished', at },
    operationStatus: {
      workOrder: order,
      operation: '10',
      status: statuses[n % 3] ?? 'started',
      good: quantity,
      scrap: quantity,
      scrapReason: 'CRACK',
      at
    },
    labour: { workOrder: order, operation: '10', employee: 'E0001', startedAt: at, seconds: 60 * n, activity: 'run' },
    materialConsumption: { workOrder: order, operation: '10', line: '1', article: 'M0001', quantity, location: 'R1', at },
    productReceipt: { workOrder: order, article: 'A0001', quantity, to: 'R2', lot: 'L1', at },
    stockTransaction: { article: order, from: 'R1', to: 'R2', quantity, at }
  }
  return samples[kind]
}

/** Every leaf of a record: "quantity.value", "operations.0.number". */
export function leavesOf(value: unknown, path = ''): string[] {
  if (value === null || typeof value !== 'object') return [path]
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, path === '' ? name : `${path}.${name}`))
}

/** The record with another value at a path; undefined takes the field away. */
export function withValue(record: JsonObject, path: string, value: string | undefined): JsonObject {
  const copy = structuredClone(record) as Record<string, unknown>
  const steps = path.split('.')
  const last = steps.pop() ?? path
  const at = steps.reduce<Record<string, unknown>>((inner, step) => inner[step] as Record<string, unknown>, copy)
  if (value === undefined) delete at[last]
  else at[last] = value
  return copy as JsonObject
}

export const valueAt = (record: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((inner, step) => (inner as Record<string, unknown> | undefined)?.[step], record)
