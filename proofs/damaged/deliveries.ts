import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../test/helpers/sources.ts'

/** A delivery in order, to be damaged. */
export interface Good {
  /** Beginning of the file's name, or the route. */
  readonly kind: string
  readonly body: Buffer
}

const fixtures = (adapter: string, ending: string): readonly (readonly [name: string, body: Buffer])[] =>
  globSync(`*.${ending}`, { cwd: join(root, 'adapters', adapter, 'fixtures') })
    .sort()
    .map(name => [name, readFileSync(join(root, 'adapters', adapter, 'fixtures', name))])

const quantity = (value: string, unit = 'PCE') => ({ value, unit })
const rows = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n))

/** One file of each kind that the CSV adapter reads: the examples of its README. */
export const files: readonly Good[] = fixtures('csv', 'csv').map(([name, body]) => ({ kind: name.slice(0, name.indexOf('_')), body }))

const bodies: readonly (readonly [route: string, body: object])[] = [
  [
    'articles',
    {
      snapshot: true,
      records: rows(8, n => ({ number: `A${n}`, description: `Thing ${n}`, unit: 'PCE', barcode: `B${n}`, blocked: n === 7 }))
    }
  ],
  [
    'locations',
    {
      records: rows(6, n => ({ code: `L${n}`, warehouse: 'W', description: `Plaats ${n}` })),
      deleted: ['L5', { key: 'L6', revision: { seq: 3 } }]
    }
  ],
  [
    'stock',
    {
      snapshot: { scope: 'W' },
      records: rows(6, n => ({
        article: `A${n}`,
        location: `L${n}`,
        lot: `X${n}`,
        quantity: quantity(`${n - 2}.5`),
        asOf: '2026-11-23T08:00:00Z'
      }))
    }
  ],
  [
    'pick-lists',
    {
      records: rows(3, n => ({
        number: `P${n}`,
        workOrder: `WO${n}`,
        lines: rows(3, line => ({ line: `${line}`, article: `A${line}`, quantity: quantity('2') })),
        revision: { seq: n }
      }))
    }
  ]
]

/** One body of each route of the web service: the adapter's examples, and made ones where it has none. */
export const calls: readonly Good[] = [
  ...fixtures('neutral-rest', 'json')
    .filter(([name]) => !name.endsWith('.expected.json'))
    .map(([name, body]) => ({ kind: name.slice(0, name.indexOf('--')), body })),
  ...bodies.map(([kind, body]) => ({ kind, body: Buffer.from(JSON.stringify(body)) }))
]

/** Documents for the reader of XML, which no adapter of the house uses yet. */
export const documents: readonly Buffer[] = [
  `<?xml version="1.0" encoding="UTF-8"?>\n<!-- made by an ERP -->\n<o:Orders xmlns:o="urn:orders" xmlns="urn:x">
${rows(5, n => `  <order id="${n}" o:state="released"><number>WO${n}</number><text>Frame &amp; ${n} &#x20AC;</text><![CDATA[<raw> ${n}]]><line n='1'/></order>\n`).join('')}</o:Orders>`,
  `<orders>${rows(20, n => `<order><a b="${n}">é€😀 ${n}</a><order>inner</order></order>`).join('\r\n')}</orders>`
].map(text => Buffer.from(text))

/** Two orders in order, whose numbers stand in no other delivery. */
export const orderNumbers = (n: number): readonly string[] => [`GOOD-${n}-A`, `GOOD-${n}-B`]

export const orderCall = (n: number): Buffer =>
  Buffer.from(
    JSON.stringify({
      records: orderNumbers(n).map(number => ({
        number,
        department: 'ZAGEN',
        quantity: quantity('7'),
        status: 'released',
        operations: ['10', '20'].map(operation => ({ number: operation, department: 'ZAGEN', description: `Step ${operation}` })),
        materials: [{ line: '1', operation: '10', article: 'A1', quantity: quantity('3.5') }]
      }))
    })
  )

export function orderFile(n: number): Buffer {
  const head =
    'Order;Department;Quantity;Unit;Status;Type;Operation;OperationDepartment;OperationDescription;Line;Material;MaterialQuantity;MaterialUnit'
  const lines = orderNumbers(n).flatMap(number => {
    const order = `${number};ZAGEN;7;PCE;released`
    return [...['10', '20'].map(operation => `${order};O;${operation};ZAGEN;Step ${operation};;;;`), `${order};M;10;;;1;A1;3.5;PCE`]
  })
  return Buffer.from(`${[head, ...lines].join('\r\n')}\r\n`)
}
