import fc from 'fast-check'
import t from 'tap'
import { AdapterError, batchesOf, type CsvOptions, type CsvRow, csvLine, csvRows, decodeLines } from '../../adapters/contract/index.ts'

async function* inPieces(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
const linesOf = (text: string | Uint8Array, encoding?: string, size = 3) =>
  Array.fromAsync(decodeLines(inPieces(typeof text === 'string' ? Buffer.from(text, 'utf8') : text, size), encoding))
const read = (text: string | Uint8Array, options: Partial<CsvOptions> = {}, size = 3): Promise<CsvRow[]> =>
  Array.fromAsync(
    csvRows(decodeLines(inPieces(typeof text === 'string' ? Buffer.from(text, 'utf8') : text, size)), { delimiter: ';', ...options })
  )
const values = async (text: string, options: Partial<CsvOptions> = {}) =>
  (await read(text, options)).map(({ row }) => row && Object.values(row))

t.test('lines: LF, CRLF, CR and a missing last end give the same lines, wherever the bytes are cut', async t => {
  for (const size of [1, 2, 3, 100]) {
    for (const end of ['\n', '\r\n', '\r']) {
      t.same(await linesOf(`a${end}${end}bé€😀${end}c${end}`, 'utf-8', size), ['a', '', 'bé€😀', 'c'], JSON.stringify([end, size]))
    }
    t.same(await linesOf('\ufeffa\nb', 'utf-8', size), ['a', 'b'])
  }
  t.same(await linesOf(''), [])
})

t.test('lines: bytes of another encoding, zero bytes and endless lines refuse the file', async t => {
  await t.rejects(
    linesOf(Buffer.of(0x61, 0x0a, 0xe9, 0x0a)),
    new AdapterError('payload', 'Line 2 holds bytes that are not utf-8. Was the file written in another encoding?')
  )
  await t.rejects(linesOf(Buffer.of(0x61, 0xe2, 0x82)), /not utf-8/, 'a character cut off at the end')
  await t.rejects(linesOf(Buffer.from('ab', 'utf16le')), /UTF-16/)
  await t.rejects(linesOf(Buffer.alloc(1_100_000, 0x61), 'utf-8', 65_536), /longer than a million/)
  await t.rejects(linesOf('a', 'klingon'), /is not known here/)
  t.same(await linesOf(Buffer.of(0xe9, 0x80), 'windows-1252'), ['é€'])
})

t.test('csv: quotes, separators and line breaks inside values survive, with the line on which the row begins', async t => {
  const rows = await read('a;b\r\n"x;1";"say ""hi"""\r\n"two\r\nlines";2\r\n3;5" pipe\r\n"";""\r\n4;""\r\n')
  t.same(
    rows.map(({ line, row }) => [line, row?.a, row?.b]),
    [
      [2, 'x;1', 'say "hi"'],
      [3, 'two\nlines', '2'],
      [5, '3', '5" pipe'],
      [7, '4', '']
    ]
  )
})

t.test('csv: an inch mark in a cell does not swallow the rows behind it', async t => {
  t.same(await values('a;b\n1;5" pipe\n2;x\n3;6" pipe\n'), [
    ['1', '5" pipe'],
    ['2', 'x'],
    ['3', '6" pipe']
  ])
})

t.test('csv: an unreadable row is a problem of that row with its line, the others are read', async t => {
  const rows = await read('a;b\n1;2;3\n4\n"5"x;6\n7;8\n')
  t.same(
    rows.map(({ line, problem, row }) => [line, problem?.code ?? row?.a]),
    [
      [2, 'row_ragged'],
      [3, 'row_ragged'],
      [4, 'quote_misplaced'],
      [5, '7']
    ]
  )
  t.equal(rows[1]?.guess?.a, '4')
})

t.test('csv: an open quote, an empty file, a missing or doubled column refuse the file', async t => {
  await t.rejects(read('a;b\n1;"open\n2;x\n'), /line 2 is never closed/)
  await t.rejects(read(''), /empty/)
  await t.rejects(read('\n\n'), /empty/)
  await t.rejects(read('a;b\n', { required: ['c'] }), /lacks "c"/)
  await t.rejects(read('a,b\n', { required: ['a'] }), /is ";" really the separator/)
  await t.rejects(read('a;b;a\n'), /stands twice/)
  await t.rejects(read(`${Array.from({ length: 2_001 }, (_, n) => `c${n}`).join(';')}\n`), /2001 columns/)
})

t.test('csv: an open quote over many lines is refused at a million characters, in linear time', async t => {
  await t.rejects(read(`a\n"${'0123456789\n'.repeat(110_000)}`, {}, 65_536), /longer than a million/)
})

t.test('csv: a header alone is a file without rows; empty rows are skipped', async t => {
  t.same(await values('a;b\n'), [])
  t.same(await values('a;b\n\n;\n1;2\n;\n'), [['1', '2']])
})

t.test('csv: spaces around cells go when asked, inside quotes they stay', async t => {
  t.same(await values(' a ;b\n 1 ; " x " \n', { trim: true }), [['1', ' x ']])
  t.same(await values('a;b\n 1 ; x\n'), [[' 1 ', ' x']])
})

t.test('csv: a trailer must be there, last and right', async t => {
  const trailer = { trailer: 'END' }
  t.same(await values('a;b\n1;2\n3;4\nEND;2\n', trailer), [
    ['1', '2'],
    ['3', '4']
  ])
  await t.rejects(read('a;b\n1;2\n', trailer), /is missing: the file is cut off/)
  await t.rejects(read('a;b\n1;2\nEND;2\n', trailer), /says 2 rows, the file has 1/)
  await t.rejects(read('a;b\nEND;0\n1;2\n', trailer), /behind the trailer/)
  await t.rejects(read('a;b\nEND;many\n', trailer), /must hold the number/)
})

t.test('csv: names of columns cannot reach into objects', async t => {
  const [first] = await read('__proto__;constructor\nx;y\n')
  t.same(Object.values(first?.row ?? {}), ['x', 'y'])
  t.equal(({} as Record<string, unknown>).x, undefined)
})

t.test('csv: whatever is written is read back the same', async t => {
  const cell = fc.string({ unit: 'grapheme', maxLength: 8 }).map(text => text.replace(/\0/g, ''))
  const folded = (text: string) => text.replace(/\r\n|\r/g, '\n')
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(cell, cell), { maxLength: 5 }),
      fc.constantFrom(';', ',', '\t', '|'),
      fc.integer({ min: 1, max: 9 }),
      async (rows, delimiter, size) => {
        const text = csvLine(['a', 'b'], delimiter) + rows.map(row => csvLine([`x${row[0]}`, row[1]], delimiter)).join('')
        const back = await read(text, { delimiter }, size)
        t.same(
          back.map(({ row }) => [row?.a, row?.b]),
          rows.map(([a, b]) => [folded(`x${a}`), folded(b)])
        )
      }
    ),
    { numRuns: 200 }
  )
})

t.test('csv: the rows before a fault are given out before it, one by one and in batches', async t => {
  const text = 'a;b\r\n1;2\r\n3;4\r\n5;"6\r\n'
  const open = () => csvRows(decodeLines(inPieces(Buffer.from(text), 1_000)), { delimiter: ';' })
  const seen: (string | undefined)[] = []
  await t.rejects(async () => {
    for await (const { row } of open()) seen.push(row?.a)
  }, /never closed/)
  await t.rejects(async () => {
    for await (const batch of batchesOf(open())) seen.push(...batch.map(({ row }) => row?.a))
  }, /never closed/)
  t.strictSame(seen, ['1', '3', '1', '3'])
  const behind = csvRows(decodeLines(inPieces(Buffer.from('a;b\n1;2\nEND;1\n3;4\n'), 1_000)), { delimiter: ';', trailer: 'END' })
  await t.rejects(async () => {
    for await (const { row } of behind) seen.push(row?.a)
  }, /behind the trailer/)
  t.strictSame(seen.slice(4), ['1'])
})

t.test('csv: whoever stops early closes the file', async t => {
  let closed = 0
  async function* bytes(): AsyncIterable<Uint8Array> {
    try {
      for (;;) yield Buffer.from('a;b\n1;2\n')
    } finally {
      closed++
    }
  }
  for await (const _ of csvRows(decodeLines(bytes()), { delimiter: ';' })) break
  for await (const _ of batchesOf(csvRows(decodeLines(bytes()), { delimiter: ';' }))) break
  t.equal(closed, 2)
})
