import { readFileSync } from 'node:fs'
import { AdapterError, createMapper, decodeLines, type InboundFile } from '../../adapters/contract/index.ts'
import csv from '../../adapters/csv/index.ts'

/**
 * node test/helpers/csv-child.ts shape megabytes
 *
 * Lets the CSV adapter read a file that is made while it is read, in a process of its own, so that the peak of memory is its own, and
 * prints what came of it as JSON. Items are let go at once, as by a host that stores them.
 */
const [, , shape = '', megabytes = '1'] = process.argv
const most = Number(megabytes) * 1_000_000

const articles = 'Article;Description;Unit\r\n'
const orders = 'Order;Department;Quantity;Unit;Status;Type;Operation;OperationDepartment;OperationDescription\r\n'
const million = 'x'.repeat(1_000_000)

/** [name of the file, what it begins with, and what it goes on with: the nth piece] */
const shapes: Readonly<Record<string, readonly [name: string, head: string, piece: (n: number) => string]>> = {
  good: ['ART_1.csv', articles, n => Array.from({ length: 1_000 }, (_, i) => `A${n * 1_000 + i};Some article;PCE\r\n`).join('')],
  'open quote': ['ART_1.csv', `${articles}A0;Fine;PCE\r\nA1;"`, n => `never closed, line ${n};PCE\r\n`.repeat(1_000)],
  'one cell': ['ART_1.csv', `${articles}A1;`, () => million],
  'one quoted cell': ['ART_1.csv', `${articles}A1;"`, () => million],
  'long rows': ['ART_1.csv', articles, n => `A${n};${million};PCE\r\n`],
  'wide header': ['ART_1.csv', 'Article', () => ';c'.repeat(10_000)],
  'wide rows': ['ART_1.csv', articles, n => `A${n}${';'.repeat(1_000_000)}\r\n`],
  'one line without end': ['ART_1.csv', '', () => million],
  'orders without end': ['WO_1.csv', 'Order\r\n', n => Array.from({ length: 10_000 }, (_, i) => `${n * 10_000 + i}\r\n`).join('')],
  'long order numbers': [
    'WO_1.csv',
    'Order\r\n',
    n => Array.from({ length: 10_000 }, (_, i) => `${'long-order-number-'.repeat(4)}${n * 10_000 + i}\r\n`).join('')
  ],
  'one order without end': [
    'WO_1.csv',
    orders,
    n => Array.from({ length: 1_000 }, (_, i) => `WO1;D;1;PCE;released;O;${n * 1_000 + i};D;Work\r\n`).join('')
  ]
}
const [name, head, piece] =
  shapes[shape] ??
  (() => {
    throw new Error(`no shape ${shape}`)
  })()

let given = 0
let furthest = 0
async function* bytes(): AsyncIterable<Uint8Array> {
  given = 0
  yield Buffer.from(head)
  for (let n = 0; given < most; n++) {
    const part = Buffer.from(piece(n), 'latin1')
    // As the store of raw bytes gives them.
    for (let at = 0; at < part.length; at += 65_536) {
      const chunk = part.subarray(at, at + 65_536)
      given += chunk.length
      furthest = Math.max(furthest, given)
      yield chunk
    }
  }
}

const file = {
  name,
  size: most,
  sha256: '',
  receivedAt: '',
  bytes,
  lines: encoding => decodeLines(bytes(), encoding)
} satisfies InboundFile
const defaults = Object.entries(csv.manifest.config.properties).map(([key, field]) => [key, 'default' in field ? field.default : undefined])
const map = createMapper({ mapping: csv.manifest.mapping ?? {}, codeTables: {}, timeZone: 'Europe/Amsterdam' })
const counts: Record<string, number> = {}
let error: string | undefined
let firstReject: unknown
const memory = (field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1_000
const before = memory('VmRSS')
const began = performance.now()
try {
  for await (const item of csv.import?.file?.(file, { config: Object.fromEntries(defaults), map } as never) ?? []) {
    counts[item.type] = (counts[item.type] ?? 0) + 1
    if (item.type === 'reject') firstReject ??= { ...item.reject, line: item.at?.line }
  }
} catch (thrown) {
  if (!(thrown instanceof AdapterError)) throw thrown
  error = `${thrown.cls}: ${thrown.message}`
}
const grownMb = Math.round(memory('VmHWM') - before)
process.stdout.write(
  JSON.stringify({ counts, error, firstReject, readMb: Math.round(furthest / 1e6), grownMb, ms: Math.round(performance.now() - began) })
)
