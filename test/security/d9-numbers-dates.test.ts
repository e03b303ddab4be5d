import t from 'tap'
import { callingErp, type FileErp, fileErp, type Result, sftpHouse } from '../helpers/erp-side.ts'

/** Texts that are no quantity here, whatever another program would make of them. */
const noNumber: readonly string[] = [
  ...[
    '1e308',
    '1e5',
    '1E5',
    '1e-7',
    'NaN',
    'nan',
    'Infinity',
    '-Infinity',
    'inf',
    '∞',
    '0x10',
    '0b1',
    '0o7',
    '1_000',
    '1 000',
    '1\u00a0000'
  ],
  ...[
    '1.234,56',
    '1,234',
    '12,34',
    '1,23,456',
    '1.2.3',
    '5.',
    '.5',
    '5-',
    '(5)',
    '−5',
    '--5',
    '+-5',
    '5e',
    '5 PCE',
    '٣',
    '５',
    '½',
    "1'000"
  ],
  ...['1234567890123', '0.1234567', `0.${'0'.repeat(100_000)}1`, '9'.repeat(100_000), 'true', 'null', '=1', '""', '5\u200b', '$5', '5%']
]
/** What they say -> what is stored. */
const numbers: Readonly<Record<string, string>> = {
  '5': '5',
  '+5': '5',
  ' 5 ': '5',
  '-5': '-5',
  '-0': '0',
  '-0.000': '0',
  '007': '7',
  '1,234.5': '1234.5',
  '1,234,567': '1234567',
  '0.000001': '0.000001',
  '999999999999.999999': '999999999999.999999'
}
const noDay: readonly string[] = [
  ...['0000-00-00', '0001-01-01', '2027-02-29', '29-02-2027', '2027-02-30', '2027-04-31', '2027-13-01', '2027-00-10', '2027-01-00'],
  ...[
    '2027-1-1',
    '27-01-01',
    '20270101',
    '2027/01/01',
    '01/02/2027',
    '46023',
    '10000-01-01',
    '99999-12-31',
    '2027-01-01T00:00:00Z',
    '2027-01-01 '.repeat(2)
  ],
  ...['today', '２０２７-01-01', '-2027-01-01', '1899-12-31']
]
const days: readonly string[] = ['2028-02-29', '1900-01-01', '9999-12-31', '2027-12-31']
/** Local times that are none, or that the clock of Amsterdam leaves out. */
const noTime: readonly string[] = [
  ...[
    '2027-03-28 02:00:00',
    '2027-03-28 02:30:00',
    '2027-03-28 02:59:59',
    '2027-02-29 10:00:00',
    '2027-01-01 24:00:00',
    '2027-01-01 23:60:00'
  ],
  ...['2027-01-01 23:59:60', '2027-01-01', '0000-00-00 00:00:00', '2027-01-01T10:00:00Z', '2027-01-01 10:00', '1e12', '1767225600']
]
/** What the clock in Amsterdam says -> the instant. */
const times: Readonly<Record<string, string>> = {
  '2027-03-28 01:59:59': '2027-03-28T00:59:59',
  '2027-03-28 03:00:00': '2027-03-28T01:00:00',
  // The hour that comes twice: the first one, as documented.
  '2027-10-31 02:30:00': '2027-10-31T00:30:00',
  '9999-12-31 23:59:59': '9999-12-31T22:59:59'
}
/** As JSON: instants that are none. */
const noInstant: readonly unknown[] = [
  ...[
    '2027-02-29T10:00:00Z',
    '2027-02-30T10:00:00Z',
    '2027-04-31T10:00:00Z',
    '2027-01-01T24:00:00Z',
    '2027-01-01T10:00:60Z',
    '0000-01-01T00:00:00Z'
  ],
  ...[
    '2027-01-01T10:00:00',
    '2027-01-01',
    '2027-01-01 10:00:00Z',
    '2027-01-01T10Z',
    '1 Z',
    'Sat, 01 Jan 2027 Z',
    '+010000-01-01T00:00:00Z'
  ],
  ...['2027-01-01T10:00:00+99:00', '1899-12-31T23:59:59Z', '', 1_767_225_600, null, true]
]

interface Stock {
  readonly article: string
  readonly quantity: string
  readonly snapshot: { readonly asOf: string | null }
}
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`

t.test('D9 CSV', async t => {
  const at = await sftpHouse(t)
  const erp = await fileErp(t, at)
  let file = 0
  const stock = (rows: readonly (readonly [article: string, quantity: string, asOf: string])[]): Promise<Result> =>
    erp.file(
      `STK_${++file}.csv`,
      `Article;Location;Quantity;Unit;AsOf\n${rows.map(([article, quantity, asOf]) => `${article};P1;${quoted(quantity)};PCE;${asOf}\n`).join('')}`
    )
  const levels = async (): Promise<readonly Stock[]> => (await erp.api<{ items: Stock[] }>('GET', '/stock?limit=500')).items

  await t.test('D9: what is no number is refused with the field, never rounded, cut or guessed', async t => {
    const { delivery, rejects } = await stock(noNumber.map((text, i) => [`N${i}`, text, '2027-01-01 06:00:00']))
    t.equal(delivery.counts.rejected, noNumber.length)
    t.same(
      rejects.map(({ line, field }) => [line, field]),
      noNumber.map((_, i) => [i + 2, 'quantity.value'])
    )
    t.same(await levels(), [])
  })

  await t.test('D9: numbers come through exactly, −5 and the smallest and largest among them', async t => {
    const texts = Object.keys(numbers)
    const { delivery } = await stock(texts.map((text, i) => [`Q${i}`, text, '2027-01-01 06:00:00']))
    t.match(delivery.counts, { rejected: 0, new: texts.length })
    t.same(
      Object.fromEntries((await levels()).map(({ article, quantity }) => [article, quantity])),
      Object.fromEntries(texts.map((text, i) => [`Q${i}`, numbers[text]]))
    )
  })

  await t.test('D9: times that no clock shows, and those in the hour that Amsterdam skips, are refused', async t => {
    const { rejects, delivery } = await stock(noTime.map((text, i) => [`T${i}`, '1', text]))
    t.equal(delivery.counts.rejected, noTime.length)
    t.same(
      rejects.map(({ field, code }) => [field, code]),
      noTime.map((_, i) => ['asOf', i < 3 ? 'time_does_not_exist' : 'time_wrong'])
    )
    t.equal((await stock(Object.keys(times).map((text, i) => [`U${i}`, '1', text]))).delivery.counts.rejected, 0)
    const read = new Map((await levels()).map(({ article, snapshot }) => [article, snapshot.asOf]))
    for (const [i, instant] of Object.values(times).entries()) t.match(read.get(`U${i}`), new RegExp(`^${instant}`))
  })

  const orderHead = 'Order;Department;Quantity;Unit;Due;Priority;Status;Operation;OperationDepartment;OperationDescription;RunSeconds\n'
  const orders = (
    erp: FileErp,
    rows: readonly { due?: string; priority?: string; seconds?: string; quantity?: string }[]
  ): Promise<Result> =>
    erp.file(
      `WO_${++file}.csv`,
      orderHead +
        rows
          .map(
            ({ due = '', priority = '', seconds = '', quantity = '1' }, i) =>
              `W${file}-${i};D;${quantity};PCE;${due};${priority};released;10;D;Work;${seconds}\n`
          )
          .join('')
    )

  await t.test('D9: days that are in no calendar, or in another notation, are refused', async t => {
    const { delivery, rejects } = await orders(
      erp,
      noDay.map(due => ({ due }))
    )
    t.equal(delivery.counts.rejected, noDay.length)
    t.same(
      rejects.map(({ code, field }) => [code, field]),
      noDay.map(() => ['date_wrong', 'due'])
    )
    t.match(
      (
        await orders(
          erp,
          days.map(due => ({ due }))
        )
      ).delivery.counts,
      { rejected: 0, new: days.length }
    )
    const stored = await erp.query<{ due: string }>('select due::text from workorders.work_order where due is not null order by number')
    t.same(
      stored.map(({ due }) => due),
      days
    )
  })

  await t.test('D9: whole numbers are whole, in range, and quantities of an order make sense', async t => {
    const wrong = ['1.5', '1e3', '0x1', 'NaN', '99999999999999999999', '1 0', '1000001', '-1000001']
    t.equal(
      (
        await orders(
          erp,
          wrong.map(priority => ({ priority }))
        )
      ).delivery.counts.rejected,
      wrong.length
    )
    const seconds = ['1.5', '-1', '1e3', '31622401', '01:30', 'Infinity']
    t.equal(
      (
        await orders(
          erp,
          seconds.map(text => ({ seconds: text }))
        )
      ).delivery.counts.rejected,
      seconds.length
    )
    t.match((await orders(erp, [{ priority: '-0', seconds: '0' }])).delivery.counts, { rejected: 0, new: 1 })
  })

  await t.test('D9: where the ERP writes a comma, the point is no decimal sign', async t => {
    const mapping = await erp.api<{ version: number; mapping: { imports: { stock: object } }; codeTables: object }>(
      'GET',
      `/connections/${erp.connectionId}/mapping`
    )
    const stockRule = {
      ...mapping.mapping.imports.stock,
      quantity: { value: { from: 'Quantity', decimal: ',' }, unit: { from: 'Unit', code: 'units' } }
    }
    await erp.api('PUT', `/connections/${erp.connectionId}/mapping`, {
      version: mapping.version,
      mapping: { ...mapping.mapping, imports: { ...mapping.mapping.imports, stock: stockRule } },
      codeTables: mapping.codeTables
    })
    const texts = ['1.234,56', '1,5', '1,234.56', '1.234', '1.5', '1,2,3']
    const { rejects } = await stock(texts.map((text, i) => [`C${i}`, text, '2027-01-01 06:00:00']))
    t.same(
      rejects.map(({ line, code }) => [line, code]),
      [
        [4, 'number_wrong'],
        [5, 'number_ambiguous'],
        [6, 'number_wrong'],
        [7, 'number_wrong']
      ]
    )
    const read = new Map((await levels()).map(({ article, quantity }) => [article, quantity]))
    t.same([read.get('C0'), read.get('C1')], ['1234.56', '1.5'])
  })

  t.same(
    at.logged.filter(line => /"level":(?:50|60)/.test(line)),
    [],
    'nothing of it is a fault of ours'
  )
})

t.test('D9 JSON', async t => {
  const at = await sftpHouse(t)
  const erp = await callingErp(at)
  const order = (number: string, more: object) => ({
    number,
    department: 'D',
    quantity: { value: '1', unit: 'PCE' },
    status: 'released',
    operations: [],
    ...more
  })
  const rejected = async (route: string, records: readonly unknown[]): Promise<Result> => {
    const result = await erp.post(route, { records })
    t.equal(result.delivery.counts.rejected, records.length, JSON.stringify(result.delivery))
    t.same(
      result.rejects.map(({ pointer, code }) => [pointer, code]),
      records.map((_, i) => [`/records/${i}`, result.rejects[i]?.code])
    )
    t.same(
      result.rejects.filter(({ code }) => code === 'record_failed'),
      [],
      'each is refused for a reason that is known'
    )
    return result
  }

  await t.test('D9: a quantity is text and a number, nothing else', async () => {
    const values = [...noNumber, 5, 1.5, 0.1, 1e21, -0, true, null, [], ['5'], {}, { value: '5' }, '+5', '-', '']
    await rejected(
      'stock',
      values.map((value, i) => ({ article: `N${i}`, location: 'P1', quantity: { value, unit: 'PCE' }, asOf: '2027-01-01T06:00:00Z' }))
    )
  })

  await t.test('D9: days and instants exist', async () => {
    await rejected(
      'work-orders',
      noDay.map((due, i) => order(`D${i}`, { due }))
    )
    await rejected(
      'stock',
      noInstant.map((asOf, i) => ({ article: `I${i}`, location: 'P1', quantity: { value: '1', unit: 'PCE' }, asOf }))
    )
    await rejected(
      'work-orders',
      noInstant
        .filter(one => one !== null && one !== '' && typeof one !== 'number')
        .map((changedAt, i) => order(`R${i}`, { revision: { changedAt } }))
    )
  })

  await t.test('D9: a deletion with a time that is none is refused, and deletes nothing', async t => {
    await erp.post('work-orders', { records: [order('KEEP', {})] })
    for (const changedAt of noInstant) {
      const { delivery } = await erp.post('work-orders', { records: [], deleted: [{ key: 'KEEP', revision: { changedAt } }] })
      t.match(delivery, { state: 'rejected', reason: { code: 'import_payload' } }, String(changedAt))
    }
    const [kept] = await erp.query(`select status from workorders.work_order where number = 'KEEP'`)
    t.match(kept, { status: 'released' })
  })

  await t.test('D9: numbers that JSON itself cannot say, or says too large, refuse the body or the field', async t => {
    for (const value of ['NaN', 'Infinity', '0x10', '01', '.5', '1.', '+1', "'1'"]) {
      const { delivery } = await erp.post('work-orders', `{"records":[{"number":"X","priority":${value}}]}`)
      t.match(delivery, { state: 'rejected', reason: { detail: /not well-formed JSON/ } }, value)
    }
    for (const value of ['1e400', '-1e400', '1.5', '1e308', '9007199254740993']) {
      const body = JSON.stringify({ records: [order('X', { priority: 0 })] }).replace('"priority":0', `"priority":${value}`)
      t.equal((await erp.post('work-orders', body)).delivery.counts.rejected, 1, value)
    }
  })

  await t.test('D9: a mapping makes no quantity of a number that JSON has rounded', async t => {
    const now = await erp.api<{ version: number; mapping: { imports?: object }; codeTables: object }>(
      'GET',
      `/connections/${erp.connectionId}/mapping`
    )
    const stock = {
      article: 'a',
      location: { const: 'P1' },
      quantity: { value: { from: 'q', decimal: '.' }, unit: { const: 'PCE' } },
      asOf: { from: 't', instant: 'iso' }
    }
    await erp.api('PUT', `/connections/${erp.connectionId}/mapping`, {
      version: now.version,
      mapping: { ...now.mapping, imports: { ...now.mapping.imports, stock } },
      codeTables: now.codeTables
    })
    const exact = ['5', '-5', '0.1', '123456789.123456', '999999999999.125']
    const rounded = ['123456789012.123456', '1234567890.1234567', '1e21', '1e-7', '0.30000000000000004']
    const rows = [...exact, ...rounded].map((q, i) => `{"a":"M${i}","q":${q},"t":"2027-01-01T06:00:00Z"}`)
    const { rejects, delivery } = await erp.post('stock', `{"records":[${rows.join(',')}]}`)
    t.equal(delivery.counts.rejected, rounded.length)
    t.same(
      rejects.map(({ pointer }) => pointer),
      rounded.map((_, i) => `/records/${exact.length + i}`)
    )
    const { items } = await erp.api<{ items: Stock[] }>('GET', '/stock?limit=500')
    const read = new Map(items.map(({ article, quantity }) => [article, quantity]))
    for (const [i, q] of exact.entries()) t.equal(read.get(`M${i}`), q)
    await rejected(
      'stock',
      noInstant.map((time, i) => ({ a: `Z${i}`, q: 1, t: time }))
    )
  })

  t.same(
    at.logged.filter(line => /"level":(?:50|60)/.test(line)),
    [],
    'nothing of it is a fault of ours'
  )
})
