import t from 'tap'
import {
  AdapterError,
  type CodeTables,
  createMapper,
  type ExportItem,
  type FieldRule,
  identityMapping,
  importKinds,
  type MappingSet,
  mappingProblems,
  type RecordRule,
  shortKey
} from '../../adapters/contract/index.ts'

const mapper = (mapping: MappingSet, codeTables: CodeTables = {}, timeZone = 'Europe/Amsterdam') =>
  createMapper({ mapping, codeTables, timeZone })
const stock = (rule: RecordRule): MappingSet => ({ imports: { stock: rule } })
const good = { article: 'A', location: 'L', quantity: { value: '1', unit: 'PCE' }, asOf: '2026-03-02T06:00:00Z' }
/** The quantity that a text becomes, or the code of its reject. */
const amount = (text: string, rule: object): unknown => {
  const item = mapper(stock({ ...plain, quantity: { value: { from: 'Qty', ...rule }, unit: { const: 'PCE' } } })).row('stock', {
    ...cells,
    Qty: text
  })
  return item.type === 'record' ? item.record.quantity.value : item.reject.code
}
const plain: RecordRule = {
  article: 'Article',
  location: 'Location',
  quantity: { value: { from: 'Qty', decimal: '.' }, unit: { from: 'Unit', code: 'units' } },
  asOf: { from: 'AsOf', instant: 'yyyy-MM-dd HH:mm' }
}
const cells = { Article: 'A', Location: 'L', Qty: '1', Unit: 'PCE', AsOf: '2026-03-02 07:00' }
const rejectOf = (mapping: MappingSet, row: object, tables: CodeTables = {}) => {
  const item = mapper(mapping, tables).row('stock', row as Record<string, unknown>)
  return item.type === 'reject' ? item.reject : undefined
}

t.test('mapper: decimals with comma or point become exact text, thousands marks only where they are certain', async t => {
  const comma = { decimal: ',' }
  const point = { decimal: '.' }
  const table: [string, object, string][] = [
    ['12,5', comma, '12.5'],
    ['1.234,50', comma, '1234.50'],
    ['1.234.567', comma, '1234567'],
    ['-0,000001', comma, '-0.000001'],
    ['+3', comma, '3'],
    [' 7 ', comma, '7'],
    ['999999999999,999999', comma, '999999999999.999999'],
    ['1,234.5', point, '1234.5'],
    ['1.234', comma, 'number_ambiguous'],
    ['1,234', point, 'number_ambiguous'],
    ['12.5', comma, 'number_wrong'],
    ['1.23,4', comma, 'number_wrong'],
    ['1,2,3', comma, 'number_wrong'],
    ['1e3', point, 'number_wrong'],
    ['0,1234567', comma, 'number_wrong'],
    ['1234567890123', comma, 'number_wrong'],
    ['٣', point, 'number_wrong']
  ]
  for (const [text, rule, wanted] of table) t.equal(amount(text, rule), wanted, text)
  t.equal(amount('1.234', { decimal: ',', thousands: true }), '1234', 'the mapping may say that this ERP writes them')
})

t.test('mapper: units are converted by an exact fraction, to six decimals', async t => {
  const units = { GRM: { unit: 'KGM', numerator: '1', denominator: '1000' }, THIRD: { unit: 'PCE', numerator: '1', denominator: '3' } }
  const convert = (value: string, unit: string) => {
    const item = mapper({ units }).row('stock', { ...good, quantity: { value, unit } })
    return item.type === 'record' ? item.record.quantity : item.reject
  }
  t.same(convert('1250.5', 'GRM'), { value: '1.2505', unit: 'KGM' })
  t.same(convert('-2', 'THIRD'), { value: '-0.666667', unit: 'PCE' })
  t.same(convert('0.0000001', 'GRM'), {
    code: 'field_wrong',
    message:
      '"quantity.value" of stock must be a number written as text, such as "12.5", with at most 12 digits before and 6 after the point.',
    field: 'quantity.value',
    value: '0.0000001'
  })
  t.match(mapper({ units }).row('article', { number: 'A', description: 'B', unit: 'GRM' }), { record: { unit: 'KGM' } })
})

t.test(
  'mapper: local times use the zone of the connection; a time left out in spring is refused, the first of two counts in autumn',
  async t => {
    const asOf = (text: string, zone?: string) => {
      const item = mapper(stock(plain), {}, zone).row('stock', { ...cells, AsOf: text })
      return item.type === 'record' ? item.record.asOf : item.reject.code
    }
    t.equal(asOf('2026-01-15 08:00'), '2026-01-15T07:00:00Z')
    t.equal(asOf('2026-07-15 08:00'), '2026-07-15T06:00:00Z')
    t.equal(asOf('2026-03-29 02:30'), 'time_does_not_exist')
    t.equal(asOf('2026-10-25 02:30'), '2026-10-25T00:30:00Z')
    t.equal(asOf('2026-12-31 23:59', 'America/New_York'), '2027-01-01T04:59:00Z')
    t.equal(asOf('2026-02-30 10:00'), 'time_wrong')
    t.equal(asOf('yesterday'), 'time_wrong')
  }
)

t.test('mapper: dates are read by their pattern and never shift', async t => {
  const due = (text: string, date: string, zone: string) => {
    const mapping: MappingSet = {
      imports: {
        workOrder: {
          number: { const: '1' },
          department: { const: 'D' },
          status: { const: 'released' },
          operations: { const: [] },
          quantity: { value: { const: '1' }, unit: { const: 'PCE' } },
          due: { from: 'Due', date }
        }
      }
    }
    const item = mapper(mapping, {}, zone).row('workOrder', { Due: text })
    return item.type === 'record' ? item.record.due : item.reject.code
  }
  t.equal(due('24-12-2026', 'dd-MM-yyyy', 'Pacific/Auckland'), '2026-12-24')
  t.equal(due('20260301', 'yyyyMMdd', 'America/Los_Angeles'), '2026-03-01')
  t.equal(due('31.04.2026', 'dd.MM.yyyy', 'UTC'), 'date_wrong')
  t.equal(due('29-02-2028', 'dd-MM-yyyy', 'UTC'), '2028-02-29')
  t.equal(due('', 'dd-MM-yyyy', 'UTC'), undefined)
})

t.test('mapper: codes go in by their table, an unknown one names the table, an empty table changes nothing', async t => {
  const tables = { units: { ST: 'PCE', KG: 'KGM' } }
  t.match(mapper(stock(plain), tables).row('stock', { ...cells, Unit: 'ST' }), { record: { quantity: { unit: 'PCE' } } })
  t.match(rejectOf(stock(plain), { ...cells, Unit: 'BOX' }, tables), {
    code: 'code_unknown',
    field: 'quantity.unit',
    table: { name: 'units', value: 'BOX' }
  })
  t.match(rejectOf(stock(plain), { ...cells, Unit: 'constructor' }, tables), { table: { name: 'units', value: 'constructor' } })
  t.match(mapper(stock(plain)).row('stock', { ...cells, Unit: 'BOX' }), { record: { quantity: { unit: 'BOX' } } })
})

const item = (record: object, kind: 'labour' | 'materialConsumption' = 'materialConsumption') =>
  ({
    key: 'k',
    kind,
    record,
    orderingKey: 'o',
    seq: 1,
    attempt: 1,
    previous: 'none',
    shortKey: (n: number) => shortKey('k', n)
  }) as unknown as ExportItem
const consumption = { workOrder: 'W', article: 'A', quantity: { value: '2.5', unit: 'PCE' }, at: '2026-07-01T10:00:00Z' }

t.test('mapper: records go out under the columns, codes, decimal sign and clock of the ERP', async t => {
  const mapping: MappingSet = {
    exports: {
      materialConsumption: {
        Auftrag: 'workOrder',
        Menge: { from: 'quantity.value', decimal: ',' },
        Einheit: { from: 'quantity.unit', code: 'units' },
        Zeit: { from: 'at', instant: 'dd.MM.yyyy HH:mm' },
        Tag: { from: 'at', date: 'yyyyMMdd' },
        Lager: { from: 'location', default: 'STD' },
        Werk: { const: '0001' },
        Los: 'lot'
      }
    }
  }
  t.same(mapper(mapping, { units: { ST: 'PCE' } }).out(item(consumption)), {
    ok: true,
    row: { Auftrag: 'W', Menge: '2,5', Einheit: 'ST', Zeit: '01.07.2026 12:00', Tag: '20260701', Lager: 'STD', Werk: '0001', Los: '' }
  })
  t.match(mapper(mapping, { units: { KG: 'KGM' } }).out(item(consumption)), {
    ok: false,
    reject: { code: 'code_unknown', table: { name: 'units', value: 'PCE' } }
  })
  t.match(mapper(mapping, { units: { ST: 'PCE', STK: 'PCE' } }).out(item(consumption)), { ok: false, reject: { code: 'code_ambiguous' } })
  for (const units of [
    { ST: 'PCE', PCE: 'PCE', STK: 'PCE' },
    { PCE: 'PCE', ST: 'PCE' }
  ])
    t.match(mapper(mapping, { units }).out(item(consumption)), { ok: true, row: { Einheit: 'PCE' } }, 'the one that is the same goes out')
  t.same(
    mapper({}).out(item({ employee: 'E1', seconds: 60 }, 'labour')),
    { ok: true, row: { employee: 'E1', seconds: '60' } },
    'without a mapping our own names'
  )
})

t.test('mapper: columns that no rule names are dropped, counted, and not in the row that is kept', async t => {
  const made = mapper(stock(plain)).row('stock', { ...cells, Secret: 'x', Other: 1 })
  t.same(made.type === 'record' && made.unknown, ['Secret', 'Other'])
  t.same(made.row, cells)
  const nested = mapper({}).row('stock', { ...good, quantity: { ...good.quantity, colour: 'red' }, extra: { deep: true } })
  t.same(nested.type === 'record' && nested.unknown, ['quantity.colour', 'extra'])
  t.same(nested.row, good)
})

t.test('mapper: of a person only key, number, name and whether active get through, whatever the row and the mapping say', async t => {
  const person = { number: 'E1', name: 'Sample Person', active: true }
  t.same(mapper({}).row('employee', { ...person, birthDate: '1980-01-01', iban: 'NL00' }), {
    type: 'record',
    kind: 'employee',
    key: 'E1',
    record: { key: 'E1', ...person },
    row: person,
    unknown: ['birthDate', 'iban']
  })
  const curious: MappingSet = { imports: { employee: { number: 'Nr', phone: 'Phone', active: { from: 'Active', boolean: ['J'] } } } }
  t.same((mapper(curious).row('employee', { Nr: 'E2', Phone: '06', Active: 'N' }) as { record: unknown }).record, {
    key: 'E2',
    number: 'E2',
    active: false
  })
  t.match(mapper({}).row('employee', { name: 'Only Name' }), { key: 'Only Name' })
  t.match(mapper({}).row('employee', { active: true }), { reject: { code: 'employee_unnamed' } })
  const long = mapper({}).row('employee', { number: 'E1', name: 'Sample Person'.repeat(20) })
  t.notMatch(long.type === 'reject' && long.reject.message, /Sample/, 'a sentence about a person shows no name')
})

t.test(
  'mapper: a table without the column of a required field is refused as a whole, a JSON object without it is one bad record',
  async t => {
    const { Qty: _, ...row } = cells
    t.throws(
      () => mapper(stock(plain)).row('stock', row, { line: 2 }),
      new AdapterError('payload', 'Nothing brings "quantity.value" of stock: the column "Qty" is missing.', { field: 'quantity.value' })
    )
    t.match(mapper(stock(plain)).row('stock', row, { pointer: '/records/0' }), {
      type: 'reject',
      reject: { code: 'field_missing', field: 'quantity.value' }
    })
    t.match(mapper(stock(plain)).row('stock', { ...cells, Qty: '' }, { line: 2 }), { type: 'reject', reject: { field: 'quantity.value' } })
  }
)

t.test('mapper: each operator does its work, in the order documented', async t => {
  const number = (rule: string | object, row: object) => {
    const made = mapper({ imports: { article: { number: rule as FieldRule, description: { const: 'D' }, unit: { const: 'PCE' } } } }).row(
      'article',
      row as Record<string, unknown>
    )
    return made.type === 'record' ? made.record.number : made.reject.code
  }
  t.equal(number({ from: 'A', trim: true }, { A: '  7 ' }), '7')
  t.equal(number({ from: 'A', padLeft: { length: 5, with: '0' } }, { A: '42' }), '00042')
  t.equal(number({ from: 'A', split: { on: '/', index: 1 } }, { A: 'x/ y /z' }), ' y ')
  t.equal(number({ from: 'A', split: { on: '/', index: 1 }, trim: true, padLeft: { length: 3, with: '.' } }, { A: 'x/ y /z' }), '..y')
  t.equal(number({ from: 'A', split: { on: '/', index: 9 }, default: 'none' }, { A: 'x' }), 'none')
  t.equal(number({ concat: ['A', { const: '-' }, 'B'] }, { A: '1', B: '2' }), '1-2')
  t.equal(number({ from: 'A', default: 'Z' }, { A: '' }), 'Z')
  t.equal(number({ const: 'K' }, {}), 'K')
  t.equal(number({ from: 'nested.deep' }, { nested: { deep: 'N' } }), 'N')
  t.equal(number('A', { A: 17 }), 'field_wrong', 'a number is not text by itself')
})

t.test('mapper: a revision is a sequence or a time, and a wrong one is refused', async t => {
  const revision = (value: unknown) => {
    const made = mapper({}).row('stock', { ...good, revision: value })
    return made.type === 'record' ? made.revision : made.reject.code
  }
  t.same(revision(7), { seq: 7 })
  t.same(revision('0012'), { seq: 12 })
  t.same(revision({ seq: 3 }), { seq: 3 })
  t.same(revision({ changedAt: '2026-03-01T10:00:00+01:00' }), { changedAt: '2026-03-01T09:00:00Z' })
  t.same(revision(undefined), undefined)
  t.equal(revision('soon'), 'time_wrong')
})

t.test('mapper: a refused row keeps its key where that can be read, so that a snapshot does not close it', async t => {
  const { quantity: _, ...bad } = good
  t.equal((mapper({}).row('stock', { ...bad, lot: 'X|1' }) as { key?: string }).key, 'A|L|X\\|1')
  t.equal((mapper(stock(plain)).row('stock', { ...cells, AsOf: 'x' }) as { key?: string }).key, 'A|L|')
  t.equal((mapper({}).row('article', { description: 'no number' }) as { key?: string }).key, undefined)
})

t.test('mapper: descriptions come on one line; other text with control characters or half characters is refused', async t => {
  const article = (fields: object) => mapper({}).row('article', { number: 'A', description: 'D', unit: 'PCE', ...fields })
  t.match(article({ description: 'one\r\n two\tthree\n' }), { record: { description: 'one two three' } })
  for (const number of ['A\nB', 'A\u0000', 'A\u0085', 'A\ud800'])
    t.match(article({ number }), { reject: { field: 'number' } }, JSON.stringify(number))
  t.match(article({ number: 'A😀' }), { record: { number: 'A😀' } })
})

t.test('mapper: the identity mapping is what happens without a mapping', async t => {
  const identity = mapper(identityMapping(importKinds, []))
  t.same((identity.row('stock', good) as { record: unknown }).record, (mapper({}).row('stock', good) as { record: unknown }).record)
  t.same(mappingProblems(identityMapping(importKinds, ['labour']), { imports: importKinds, exports: ['labour'] }), [])
})

t.test('mapper: what is wrong with a mapping is said before it is used', async t => {
  const kinds = { imports: ['stock'], exports: ['labour'] } as const
  const problems = (mapping: unknown, tables: CodeTables = {}) => mappingProblems(mapping as MappingSet, kinds, tables)
  t.match(problems({ imports: { article: {} } }), ['imports.article: this adapter does not bring such records.'])
  t.match(problems({ imports: { stock: { colour: 'C' } } }), ['imports.stock.colour: there is no such field.'])
  t.match(problems({ imports: { stock: { quantity: { amount: 'Q' } } } }), ['imports.stock.quantity.amount: there is no such field.'])
  t.match(problems({ imports: { stock: { article: { from: 'A', upperCase: true } } } }), [/one of its operators is not known/])
  t.match(problems({ imports: { stock: { article: { from: 'A', code: 'x', decimal: ',' } } } }), [/takes one of code/])
  t.match(problems({ imports: { stock: { article: { trim: true } } } }), [/names no column/])
  t.match(problems({ imports: { stock: { revision: 'R' } } }), [/must hold "seq"/])
  t.match(problems({ exports: { stock: {} } }), [/does not take such records/])
  t.match(problems({ exports: { labour: { A: 'colour' } } }), [/there is no "colour"/])
  t.match(problems({ exports: { labour: { A: { from: 'activityCode', code: 'x' } } } }, { x: { a: '1', b: '1' } }), [/several codes/])
  t.same(problems({ exports: { labour: { A: { from: 'activityCode', code: 'x' } } } }, { x: { a: '1', '1': '1', b: '1' } }), [])
  t.match(problems({ units: { G: { unit: 'KGM', numerator: '1', denominator: '0' } } }), [/above zero/])
})
