import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { type FileErp, fileErp, type Result, sftpHouse } from '../helpers/erp-side.ts'

const head = 'Article;Description;Unit\n'
const rows = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `A${from + i};Article ${from + i};PCE\n`).join('')
const numbers = async (erp: FileErp): Promise<string[]> =>
  (await erp.query<{ number: string }>('select number from inventory.article order by number')).map(({ number }) => number)

/** Whole files that cannot be read: [what, bytes, what the sender is told]. Each has good rows before its fault, and none may count. */
const hopeless: readonly (readonly [what: string, body: string | Buffer, told: RegExp])[] = [
  ['a quote that is never closed', `${head}${rows(1, 50)}A50;"open;PCE\n${rows(51, 90)}`, /line 51 is never closed/],
  [
    'a quote that is never closed in a large file',
    `${head}${rows(1, 50)}A50;"open;PCE\n${rows(51, 120_000)}`,
    /line 51 is longer than a million characters, or a quote/
  ],
  [
    'a cell of two million characters',
    `${head}A1;One;PCE\nA2;${'x'.repeat(2_000_000)};PCE\n`,
    /Line 3 is longer than a million characters/
  ],
  ['a million columns', `${head.trim()}${';c'.repeat(1_000_000)}\n`, /Line 1 is longer than a million characters/],
  ['five thousand columns', `${head.trim()}${Array.from({ length: 5_000 }, (_, i) => `;c${i}`).join('')}\n${rows(1, 9)}`, /5003 columns/],
  ['a zero byte', `${head}${rows(1, 5_000)}A5000;a\0b;PCE\n`, /Line 5001 holds a zero byte/],
  [
    'a Windows letter in UTF-8',
    Buffer.concat([Buffer.from(`${head}Aé;Eén;PCE\n${rows(1, 6_000)}A6000;caf`), Buffer.of(0xe9), Buffer.from(';PCE\n')]),
    /Line 6002 holds bytes that are not utf-8/
  ],
  ['half a character at the end', Buffer.concat([Buffer.from(`${head}A1;caf`), Buffer.of(0xc3)]), /Line 2 holds bytes that are not utf-8/],
  ['UTF-16 with a mark', Buffer.from(`\ufeff${head}${rows(1, 3)}`, 'utf16le'), /Line 1 holds bytes that are not utf-8/],
  ['UTF-16 without a mark', Buffer.from(`${head}${rows(1, 3)}`, 'utf16le'), /UTF-16/],
  ['another separator', `${head}${rows(1, 9)}`.replaceAll(';', ','), /"Article" is missing/],
  ['another separator and no row', head.replaceAll(';', ','), /"Article" is missing/],
  ['a sentence instead of a table', 'Internal Server Error', /"Article" is missing/],
  ['a column twice', `Article;Description;Unit;Article\nA1;One;PCE;A2\n`, /"Article" stands twice/],
  ['a column twice but for blanks', `Article;Description;Unit; Unit \nA1;One;PCE;KGM\n`, /"Unit" stands twice/],
  ['a missing column', 'Article;Unit\nA1;PCE\n', /"Description" is missing/],
  ['nothing but blanks', ' \n;;\n\n', /empty/]
]

/** Files with single bad rows: [what, body, the bad lines with their codes, the articles taken over]. */
const wounded: readonly (readonly [what: string, body: string, bad: readonly (readonly [number, string])[], good: readonly string[]])[] = [
  [
    'rows too long and too short',
    `${head}G1;One;PCE\nB1;x;PCE;more\nG2;Two;PCE\nB2\nG3;Three;PCE\n`,
    [
      [3, 'row_ragged'],
      [5, 'row_ragged']
    ],
    ['G1', 'G2', 'G3']
  ],
  ['a row of a hundred thousand cells', `${head}G4;One;PCE\nB3${';'.repeat(100_000)}\nG5;Two;PCE\n`, [[3, 'row_ragged']], ['G4', 'G5']],
  ['text behind a closing quote', `${head}G6;"a" b;PCE\nG7;"a ""b""";PCE\nG8;5" pipe;PCE\n`, [[2, 'quote_misplaced']], ['G7', 'G8']],
  ['a quote that swallows the next row', `${head}G9;"one;PCE\nX1;two";PCE\nG10;Ten;PCE\n`, [], ['G9', 'G10']],
  [
    'control characters',
    `${head}G11;bell\u0007;PCE\nG12;\u2028line;PCE\nG13;esc\u001b[31m;PCE\n`,
    [
      [2, 'field_wrong'],
      [4, 'field_wrong']
    ],
    ['G12']
  ],
  ['lines that end in CR alone', `${head}G14;One;PCE\nB4\nG15;Two;PCE\n`.replaceAll('\n', '\r'), [[3, 'row_ragged']], ['G14', 'G15']],
  [
    'all three ends of lines in one file',
    'Article;Description;Unit\r\nG16;One;PCE\rB5\nG17;Two;PCE\r\n',
    [[3, 'row_ragged']],
    ['G16', 'G17']
  ],
  ['line breaks inside a quoted cell', `${head}G18;"one\r\ntwo\rthree\nfour";PCE\nB6\n`, [[6, 'row_ragged']], ['G18']]
]

t.test('D7 CSV', async t => {
  const at = await sftpHouse(t)
  const erp = await fileErp(t, at)
  let number = 0
  const send = (body: string | Buffer): Promise<Result> => erp.file(`ART_${++number}.csv`, body)

  await t.test('D7: a file that cannot be read through is refused whole with the line, and none of its rows counts', async t => {
    for (const [what, body, told] of hopeless) {
      const { delivery } = await send(body)
      t.match(delivery, { state: 'rejected', reason: { code: 'import_payload', detail: told }, counts: { read: 0, new: 0 } }, what)
    }
    t.same(await numbers(erp), [])
    const ours = at.logged.filter(line => /"level":(?:50|60)/.test(line))
    t.same(ours, [], 'none of it is a fault of ours')
  })

  await t.test('D7: a bad row is refused alone, with its line; the others are taken over and none is lost', async t => {
    for (const [what, body, bad, good] of wounded) {
      const before = new Set(await numbers(erp))
      const { delivery, rejects } = await send(body)
      // Held: a full list may not close the articles of the file before.
      t.match(delivery.state, /^(?:done|done_with_rejects|held)$/, what)
      t.same(
        rejects.map(({ line, code }) => [line, code]),
        bad,
        what
      )
      t.equal(delivery.counts.new + delivery.counts.rejected, delivery.counts.read, `${what}: every row is accounted for`)
      t.same((await numbers(erp)).filter(one => !before.has(one)).sort(), [...good].sort(), what)
    }
  })

  await t.test('D7: a connection that reads one encoding does not take a file in the other for it', async t => {
    const windows = await fileErp(t, at, { tenant: await at.newTenant(), config: { encoding: 'windows-1252' } })
    const refused = await windows.file('ART_1.csv', `${head}A1;Café;PCE\n`)
    t.match(refused.delivery, { state: 'rejected', reason: { detail: /The file is UTF-8/ }, counts: { read: 0 } })
    const marked = await windows.file('ART_2.csv', `\ufeff${head}A1;Cafe;PCE\n`)
    t.match(marked.delivery, { state: 'rejected', reason: { detail: /The file is UTF-8/ } })
    t.match((await windows.file('ART_3.csv', Buffer.from(`${head}A1;Café;PCE\n`, 'latin1'))).delivery, {
      state: 'done',
      counts: { new: 1 }
    })
    t.match((await windows.file('ART_4.csv', `${head}A1;Cafe;PCE\n`)).delivery, { state: 'done', counts: { changed: 1 } })
    const [article] = await windows.query('select description from inventory.article')
    t.match(article, { description: 'Cafe' })
  })

  await t.test('D7: a bad row keeps no more than the beginning of a cell of megabytes', async t => {
    const { delivery } = await send(`${head}L1;${'long '.repeat(100_000)};PCE\n`)
    t.equal(delivery.counts.rejected, 1)
    const [entry] = await erp.query<{ bytes: number }>(
      'select octet_length(row_sealed) as bytes from exchange.reject where delivery_id = $1',
      [delivery.id]
    )
    t.ok((entry?.bytes ?? 0) > 1_000 && (entry?.bytes ?? 0) < 3_000, `${entry?.bytes} bytes are kept`)
  })
})

interface Read {
  readonly counts: Readonly<Record<string, number>>
  readonly error?: string
  readonly firstReject?: { readonly code: string; readonly line: number }
  readonly readMb: number
  readonly grownMb: number
}
const readInChild = async (shape: string, megabytes: number): Promise<Read> => {
  const child = join(import.meta.dirname, '../helpers/csv-child.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [child, shape, String(megabytes)], { timeout: 120_000 })
  return JSON.parse(stdout) as Read
}

t.test('D7 memory', async t => {
  /** Given up at once, however large the file is: a gigabyte is offered. */
  const endless: readonly (readonly [shape: string, error: RegExp])[] = [
    ['open quote', /The row on line 3 is longer than a million characters, or a quote that opens there is never closed/],
    ['one cell', /Line 2 is longer than a million/],
    ['one quoted cell', /Line 2 is longer than a million/],
    ['wide header', /Line 1 is longer than a million/],
    ['one line without end', /Line 1 is longer than a million/]
  ]
  await t.test('D7: of a gigabyte that can be no table only the beginning is read, and no memory taken', async t => {
    for (const [shape, error] of endless) {
      const read = await readInChild(shape, 1_000)
      t.match(read.error, error, shape)
      t.ok(read.readMb <= 3, `${shape}: ${read.readMb} MB were read`)
      t.ok(read.grownMb < 64, `${shape}: ${read.grownMb} MB of memory`)
    }
  })

  await t.test('D7: memory does not grow with the file, whatever it repeats', async t => {
    const grown = async (shape: string, small: number, large: number): Promise<Read> => {
      const few = await readInChild(shape, small)
      const many = await readInChild(shape, large)
      // A file several times as large may need a little more: the collector takes its time.
      t.ok(many.grownMb < few.grownMb + 150, `${shape}: ${few.grownMb} MB for ${small}, ${many.grownMb} MB for ${large}`)
      return many
    }
    t.match(await grown('long rows', 20, 80), { counts: { reject: 80 }, firstReject: { code: 'field_wrong', line: 2 } })
    t.match(await grown('wide rows', 3, 12), { counts: { reject: 12 }, firstReject: { code: 'row_ragged', line: 2 } })
    t.match(await grown('one order without end', 3, 24), { counts: { reject: 1 }, firstReject: { code: 'rows_too_many', line: 10_002 } })
    t.match(await grown('orders without end', 1, 200), { error: /more than 500000 records/ })
  })
})
