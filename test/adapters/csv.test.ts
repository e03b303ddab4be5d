import t from 'tap'
import csv from '../../adapters/csv/index.ts'
import { conformance, type Delivery, openHost, sampleExport } from '../../adapters/kit/index.ts'
import { csvErp } from './csv-erp.ts'

const fixtures = new URL('../../adapters/csv/fixtures/', import.meta.url)
const options = { config: { delimiter: ';' }, erp: csvErp(), fixtures }
conformance(csv, options)

const file = (name: string, body: string | Uint8Array): Delivery => ({
  way: 'file',
  name,
  body: typeof body === 'string' ? Buffer.from(body, 'utf8') : body
})
const open = (config: Record<string, string> = {}) =>
  openHost({ adapter: csv, options: { ...options, config: { delimiter: ';', ...config } } })
const order = 'Order;Department;Quantity;Unit;Status;Operation;OperationDepartment;OperationDescription'
const articles = 'Article;Description;Unit\n'

t.test('csv: an order whose rows stand in several places is refused once for each place, and never half imported', async t => {
  const host = open()
  const row = (number: string, operation: string) => `${number};D;1;PCE;released;${operation};D;Work`
  await host.receive(file('WO_1.csv', [order, row('A', '10'), row('B', '10'), row('A', '20'), ''].join('\n')))
  t.same([...(host.records.get('workOrder')?.keys() ?? [])], ['B'])
  t.same(
    host.rejects.map(({ reject, key, at }) => [reject.code, key, at?.line]),
    [
      ['rows_scattered', 'A', 2],
      ['rows_scattered', 'A', 4]
    ]
  )
})

t.test('csv: an order with an unreadable row is refused as a whole, at the line of that row', async t => {
  const host = open()
  await host.receive(file('WO_1.csv', `${order}\nA;D;1;PCE;released;10;D;Work\nA;D;1;PCE;released;20;D\nB;D;1;PCE;released;10;D;Work\n`))
  t.same([...(host.records.get('workOrder')?.keys() ?? [])], ['B'])
  t.match(host.rejects, [{ key: 'A', at: { line: 3 }, reject: { code: 'row_ragged' } }])
})

t.test('csv: a wrong operation is refused at the line of that operation', async t => {
  const host = open()
  await host.receive(file('WO_1.csv', `${order}\nA;D;1;PCE;released;10;D;Work\nA;D;1;PCE;released;20;;Work\n`))
  t.match(host.rejects, [{ key: 'A', at: { line: 3 }, reject: { field: 'operations.1.department' } }])
})

t.test('csv: a row without an operation brings an order without operations', async t => {
  const host = open()
  await host.receive(file('WO_1.csv', `${order}\nA;D;1;PCE;released;;;\n`))
  t.match(host.records.get('workOrder')?.get('A')?.record, { operations: [] })
})

t.test('csv: bytes that are not UTF-8, an empty file, a cut quote and an unknown name refuse the file before its first record', async t => {
  const broken: [string, Delivery, RegExp][] = [
    [
      'windows bytes',
      file('ART_1.csv', Buffer.concat([Buffer.from(`${articles}A1;Fine;PCE\nA2;caf`), Buffer.of(0xe9), Buffer.from(';PCE\n')])),
      /not utf-8/
    ],
    ['empty', file('ART_1.csv', ''), /empty/],
    ['cut quote', file('ART_1.csv', `${articles}A1;Fine;PCE\nA2;"cut`), /never closed/],
    ['zero bytes', file('ART_1.csv', Buffer.from(articles, 'utf16le')), /UTF-16/],
    ['unknown name', file('XYZ_1.csv', articles), /No rule for a file/],
    ['another separator', file('WO_1.csv', order.replaceAll(';', ',')), /really the separator/]
  ]
  for (const [what, delivery, message] of broken) {
    const host = open()
    const { error } = await host.receive(delivery)
    t.equal(error?.cls, 'payload', what)
    t.match(error?.message, message, what)
    t.equal(host.records.get('article')?.size ?? 0, 0, `${what}: nothing was taken over`)
  }
})

t.test('csv: with windows-1252 both ways é and € survive, and what it cannot write is refused with the character', async t => {
  const host = open({ encoding: 'windows-1252' })
  await host.receive(
    file('ART_1.csv', Buffer.concat([Buffer.from(`${articles}A1;caf`), Buffer.of(0xe9, 0x20, 0x80), Buffer.from(';PCE\n')]))
  )
  t.match(host.records.get('article')?.get('A1')?.record, { description: 'café €' })
  const good = host.enqueue('labour', { ...sampleExport('labour', 1, 'WO1'), employee: 'Zoë €' }, 'WO1')
  const bad = host.enqueue('labour', { ...sampleExport('labour', 1, 'WO2'), employee: 'Łucja' }, 'WO2')
  await host.run()
  t.equal(host.stateOf(good).state, 'accepted')
  const [, body] = [...host.simulator.files][0] ?? []
  t.ok(Buffer.from(body ?? []).includes(Buffer.of(0x5a, 0x6f, 0xeb, 0x20, 0x80)))
  t.match(host.stateOf(bad).reject, { code: 'not_encodable', message: /"Ł"/ })
})

t.test('csv: with a trailer a file cut at any byte is refused or misses its own end, never half imported', async t => {
  const whole = `${articles}A1;One;PCE\nA2;Two;PCE\nA3;Three;PCE\nEND;3\n`
  for (let length = 0; length <= whole.length; length++) {
    const host = open({ trailer: 'END' })
    const { error } = await host.receive(file('ART_1.csv', whole.slice(0, length)))
    const complete = length >= whole.length - 1
    t.equal(error === undefined, complete, `${length} bytes`)
    t.equal(host.records.get('article')?.size ?? 0, complete ? 3 : 0, `${length} bytes`)
  }
})

t.test('csv: a snapshot with a row that names nothing closes nothing', async t => {
  const host = open()
  const some = ['A1', 'A2', 'A3', 'A4', 'A5'].map(number => `${number};One;PCE\n`).join('')
  await host.receive(file('ART_1.csv', `${articles}${some}A6;Six;PCE\n`))
  await host.receive(file('ART_2.csv', `${articles}${some}A6\n`))
  t.equal(host.records.get('article')?.get('A6')?.present, true)
  await host.receive(file('ART_3.csv', `${articles}${some}`))
  t.equal(host.records.get('article')?.get('A6')?.present, false)
})

t.test('csv: an acknowledgement that cannot be read refuses its file before the first one counts', async t => {
  const host = open()
  const key = host.enqueue('orderStatus', sampleExport('orderStatus', 1, 'WO1'), 'WO1')
  const head = 'Key;Result;Document;Message\n'
  t.match((await host.receive(file('ACK_1.csv', `${head}${key};OK;D1;\nx;MAYBE;;\n`))).error?.message, /Line 3 has neither OK nor ERROR/)
  t.match((await host.receive(file('ACK_2.csv', `${head}${key};OK;D1;\n;OK;;\n`))).error?.message, /Line 3 acknowledges nothing/)
  t.equal(host.stateOf(key).state, 'waiting')
})

t.test('csv: a comma as decimal sign and a day in another form are a matter of the mapping', async t => {
  const mapping = {
    imports: {
      workOrder: {
        number: 'Auftrag',
        department: { const: 'D' },
        quantity: { value: { from: 'Menge', decimal: ',' as const }, unit: { const: 'PCE' } },
        due: { from: 'Termin', date: 'dd.MM.yyyy' },
        status: { const: 'released' },
        operations: { each: 'operations', item: { number: 'Vorgang', department: { const: 'D' }, description: 'Text' } }
      }
    }
  }
  const config = { delimiter: ';', orderColumn: 'Auftrag', operationColumn: 'Vorgang' }
  const host = openHost({ adapter: csv, options: { ...options, config, mapping } })
  await host.receive(file('WO_1.csv', 'Auftrag;Menge;Termin;Vorgang;Text\n4711;1.234,5;20.03.2026;10;Sägen\n'))
  t.match(host.records.get('workOrder')?.get('4711')?.record, {
    quantity: { value: '1234.5' },
    due: '2026-03-20',
    operations: [{ description: 'Sägen' }]
  })
})
