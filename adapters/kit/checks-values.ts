import type { ImportKind, MappingSet } from '../contract/index.ts'
import { type Check, deliver, deliveredKinds, expect, expectSame, withoutDeliveries } from './check.ts'
import type { Delivery, JsonObject, Subject, TextEncoding } from './erp.ts'
import { type Host, openHost } from './harness.ts'
import { recordsOf } from './harness-imports.ts'
import { leavesOf, sampleImport, valueAt, withValue } from './samples.ts'
import { emptied, shaped } from './text-files.ts'

const without =
  (...kinds: readonly ImportKind[]) =>
  (subject: Subject): string | undefined =>
    withoutDeliveries(subject) ??
    (deliveredKinds(subject).some(kind => kinds.includes(kind)) ? undefined : `this adapter brings no ${kinds.join(' and no ')}`)

const withConfig = (subject: Subject, config: JsonObject): Subject => ({
  ...subject,
  options: { ...subject.options, config: { ...subject.options.config, ...config } }
})

/** A delivery that nobody may refuse. */
async function taken(host: Host, delivery: Delivery, when: string): Promise<void> {
  const { error } = await host.receive(delivery)
  expect(error === undefined, `${when}: ${error?.message}`)
  expectSame(
    host.rejects.map(({ reject }) => reject),
    [],
    `${when}: rows are refused`
  )
}

const described = (description: string, n = 1): JsonObject => ({ ...sampleImport('article', n), description })
const signs: { readonly [E in TextEncoding]: string } = { 'utf-8': 'Café € Łódź 螺 🔧', 'windows-1252': 'Café € Ø ß' }

export const valueChecks: readonly Check[] = [
  {
    id: 'K19',
    title: 'letters survive every encoding, with and without byte-order mark',
    skip: without('article'),
    async run(subject) {
      const { encodings = { 'utf-8': {} } } = subject.options.erp
      for (const [encoding, config] of Object.entries(encodings) as [TextEncoding, JsonObject][]) {
        for (const mark of encoding === 'utf-8' ? [false, true] : [false]) {
          const when = `${encoding}${mark ? ' with byte-order mark' : ''}`
          const host = openHost(withConfig(subject, config))
          await taken(host, shaped(deliver(subject, 'article', [described(signs[encoding])]), { encoding, mark }), when)
          expectSame(recordsOf(host, 'article')[0]?.description, signs[encoding], `${when}: letters are lost`)
        }
      }
    }
  },
  {
    id: 'K20',
    title: 'quotes, separators and line breaks inside values, every line end, an empty delivery and one without rows',
    skip: without('article'),
    async run(subject) {
      const odd = ['a "quoted" word', '"', 'semi;colon, comma\tand | bar', "o'clock = 1", 'two\nlines', 'two\r\nlines', '12" x 3']
      const wanted = odd.map(text => text.replace(/\s*[\r\n\t]\s*/g, ' '))
      const delivery = deliver(
        subject,
        'article',
        odd.map((text, n) => described(text, n + 1))
      )
      for (const lineEnd of subject.options.erp.encodings ? (['\r\n', '\n', '\r'] as const) : ([undefined] as const)) {
        for (const openEnd of [false, true]) {
          const when = `line end ${JSON.stringify(lineEnd)}${openEnd ? ', the last line without' : ''}`
          const host = openHost(subject)
          await taken(host, shaped(delivery, { ...(lineEnd === undefined ? {} : { lineEnd }), openEnd }), when)
          const found = recordsOf(host, 'article').map(({ description }) => description)
          expectSame(found, wanted, `${when}: values differ`)
        }
      }
      const empty = openHost(subject)
      const { error } = await empty.receive(emptied(delivery))
      expect(error?.cls === 'payload', `a delivery without a single byte is ${error ? `a fault of class ${error.cls}` : 'taken for good'}`)
      const rowless = openHost(subject)
      await taken(rowless, deliver(subject, 'article', []), 'a delivery without rows')
      expect(recordsOf(rowless, 'article').length === 0, 'a delivery without rows brings something')
    }
  },
  {
    id: 'K21',
    title: 'numbers arrive digit by digit, with point and with comma',
    skip: without('stock', 'workOrder', 'pickList'),
    async run(subject) {
      const numbers = ['0.000001', '123456789012.123456', '-5', '1.100000', '0.1', '1234.5', '1000000']
      const fields = { workOrder: 'quantity.value', stock: 'quantity.value', pickList: 'lines.0.quantity.value' } as const
      for (const kind of ['workOrder', 'stock', 'pickList'] as const) {
        if (!deliveredKinds(subject).includes(kind)) continue
        const withMapping = (mapping: MappingSet): Subject => ({ ...subject, options: { ...subject.options, mapping } })
        const send = async (written: readonly string[], on: Subject): Promise<Host> => {
          const host = openHost(on)
          await host.receive(
            deliver(
              subject,
              kind,
              written.map((text, n) => withValue(whole(sampleImport(kind, n + 1)), fields[kind], text))
            )
          )
          return host
        }
        const read = (host: Host): unknown[] => recordsOf(host, kind).map(record => valueAt(record, fields[kind]))
        expectSame(read(await send(numbers, subject)), numbers, `${kind}: numbers arrive changed`)
        const tooLong = await send(['9007199254740993'], subject)
        expect(tooLong.rejects.length === 1, `${kind}: a number of 16 digits is neither refused nor kept`)
        // A number of JSON has no digits of its own any more: refused, or the very text.
        const bare = openHost(subject)
        const quoted = deliver(subject, kind, [withValue(whole(sampleImport(kind, 1)), fields[kind], '0.1')])
        await bare.receive(quoted.way === 'http' ? { ...quoted, body: quoted.body.replaceAll('"0.1"', '0.1') } : quoted)
        expect(bare.rejects.length === 1 || read(bare)[0] === '0.1', `${kind}: a number of JSON becomes ${JSON.stringify(read(bare)[0])}`)
        const mapping = withCommas(subject.options.mapping ?? subject.adapter.manifest.mapping ?? {}, kind)
        if (!mapping) continue
        const commas = await send(['1.234.567,5', '0,1', '-5', '1.234,000001'], withMapping(mapping))
        expectSame(read(commas), ['1234567.5', '0.1', '-5', '1234.000001'], `${kind}: numbers with a comma arrive changed`)
        const ambiguous = await send(['1.234'], withMapping(mapping))
        expect(ambiguous.rejects.length === 1, `${kind}: "1.234", thousands or decimals, is guessed`)
      }
    }
  },
  {
    id: 'K22',
    title: 'wall times keep their instant over both changes of the clock and in another zone; days do not move',
    skip: without('stock', 'workOrder'),
    async run(subject) {
      if (deliveredKinds(subject).includes('stock')) await instants(subject)
      if (!deliveredKinds(subject).includes('workOrder')) return
      const days = ['2026-03-29', '2026-10-25', '2026-12-31', '2027-01-01', '2028-02-29']
      for (const timeZone of ['Europe/Amsterdam', 'Pacific/Kiritimati', 'Pacific/Pago_Pago']) {
        const host = openHost({ ...subject, options: { ...subject.options, timeZone } })
        const orders = days.map((due, n) => ({ ...sampleImport('workOrder', n + 1), due }))
        await taken(host, deliver(subject, 'workOrder', orders, { timeZone }), timeZone)
        const found = recordsOf(host, 'workOrder').map(({ due }) => due)
        expectSame(found, days, `${timeZone}: days move`)
      }
    }
  },
  {
    id: 'K23',
    title: 'of a person number and name arrive, and nothing else that the ERP sends',
    skip: without('employee'),
    async run(subject) {
      const more = { BirthDate: '1980-04-05', Street: 'Kit Lane 17', Salary: '4321.09', Email: 'person@kit.example' }
      const host = openHost(subject)
      const delivery = deliver(subject, 'employee', [sampleImport('employee', 1), sampleImport('employee', 2)], { more })
      await taken(host, delivery, 'employees with more columns')
      const people = recordsOf(host, 'employee')
      expect(people.length === 2, `${people.length} of 2 employees arrived`)
      const fields = new Set(people.flatMap(person => Object.keys(person)))
      expectSame(
        [...fields].filter(name => !['key', 'number', 'name', 'active'].includes(name)),
        [],
        'more of a person is taken over'
      )
      for (const item of await openHost(subject).itemsOf(delivery)) {
        const kept = item.type === 'record' || item.type === 'reject' ? JSON.stringify([item.row ?? {}, item.at ?? {}]) : ''
        const leaked = Object.entries(more).find(([name, value]) => kept.includes(value) || kept.includes(`"${name}"`))
        expect(leaked === undefined, `the row that is kept of an employee still holds "${leaked?.[0]}"`)
      }
    }
  }
]

/** Every number of a record without decimals, so that it reads the same with point and with comma. */
const whole = (record: JsonObject): JsonObject =>
  leavesOf(record)
    .filter(path => /quantity\.value$/.test(path))
    .reduce((made, path) => withValue(made, path, '2'), record)

async function instants(subject: Subject): Promise<void> {
  const zones = {
    // Before and behind the gap of spring, the first of the doubled hours and what follows them, summer, the end of the year.
    'Europe/Amsterdam': [
      '2026-03-29T00:59:59Z',
      '2026-03-29T01:00:00Z',
      '2026-10-25T00:30:00Z',
      '2026-10-25T02:00:00Z',
      '2026-07-01T12:00:00Z',
      '2026-12-31T23:30:00Z'
    ],
    'America/New_York': [
      '2026-03-08T06:59:59Z',
      '2026-03-08T07:00:00Z',
      '2026-11-01T05:30:00Z',
      '2026-11-01T07:00:00Z',
      '2026-12-31T23:30:00Z'
    ],
    'Asia/Kolkata': ['2026-07-01T12:00:00Z', '2026-12-31T18:30:00Z']
  }
  for (const [timeZone, times] of Object.entries(zones)) {
    const host = openHost({ ...subject, options: { ...subject.options, timeZone } })
    const rows = times.map((asOf, n) => ({ ...sampleImport('stock', n + 1), asOf }))
    await taken(host, deliver(subject, 'stock', rows, { timeZone }), timeZone)
    const found = recordsOf(host, 'stock').map(({ asOf }) => asOf)
    expectSame(found, times, `${timeZone}: times move`)
  }
  const host = openHost(subject)
  await host.receive(deliver(subject, 'stock', [{ ...sampleImport('stock', 1), asOf: '2026-03-29 02:30:00' }]))
  expect(recordsOf(host, 'stock').length === 0 && host.rejects.length === 1, 'a wall time that never was is not refused')
}

/** The mapping of an ERP that writes its numbers with a comma; undefined where the mapping reads no numbers. */
function withCommas(mapping: MappingSet, kind: ImportKind): MappingSet | undefined {
  const text = JSON.stringify(mapping.imports?.[kind] ?? {})
  const comma = text.replaceAll('"decimal":"."', '"decimal":","')
  return comma === text ? undefined : { ...mapping, imports: { ...mapping.imports, [kind]: JSON.parse(comma) } }
}
