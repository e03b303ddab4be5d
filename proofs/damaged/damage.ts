import type { Chance } from './chance.ts'

/** One way to damage a delivery. `others` are good deliveries of the same door, to take pieces from. */
type Damage = (body: Buffer, chance: Chance, others: readonly Buffer[]) => Buffer

const at = (body: Buffer, chance: Chance): number => chance.below(body.length + 1)
const insert = (body: Buffer, place: number, piece: Buffer): Buffer => Buffer.concat([body.subarray(0, place), piece, body.subarray(place)])
const range = (body: Buffer, chance: Chance): [number, number] => {
  const [a, b] = [at(body, chance), at(body, chance)]
  return a < b ? [a, b] : [b, a]
}
/** Works on the text as Latin-1, so that no byte is lost on the way. */
const asText =
  (change: (text: string, chance: Chance) => string): Damage =>
  (body, chance) =>
    Buffer.from(change(body.toString('latin1'), chance), 'latin1')
/** Replaces one of the places that fit; nothing where none does. */
const replaceOne = (text: string, pattern: RegExp, chance: Chance, by: (found: string) => string): string => {
  const found = [...text.matchAll(pattern)]
  if (found.length === 0) return text
  const one = chance.pick(found)
  return text.slice(0, one.index) + by(one[0]) + text.slice(one.index + one[0].length)
}
const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

const oddNumbers = [
  ...[
    '1e308',
    '-1e308',
    'NaN',
    'Infinity',
    '0x10',
    '-0',
    '1.234,56',
    '1,234.56',
    '9'.repeat(400),
    `0.${'0'.repeat(400)}1`,
    '99999999999999'
  ],
  ...['-5', '+5', '5-', '.5', '5.', '1_000', '', 'null', 'true', '0000-00-00', '2027-02-29', '9999-12-31', '2027-03-28 02:30:00']
]
const oddTexts = [
  ...[
    '\0',
    '\u0007',
    '\u001b[31m',
    '\r',
    '\n',
    '\t',
    '"',
    '""',
    "'",
    '\\',
    '\\u0000',
    '\\ud800',
    ';',
    ',',
    '|',
    '{',
    '}',
    '[',
    ']',
    '<',
    '&'
  ],
  ...['\u2028', '\u202e', '\ufeff', '\u0085', '\u00a0', 'é', '😀', '\ufffd', '=1+1', '../../etc/passwd', "' or 1=1 --", '{{7*7}}', '%s%n'],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'null', 'undefined', '<script>', '<!DOCTYPE x [<!ENTITY y "z">]>', '&y;']
]
const badBytes = [
  [0xe9],
  [0xc3],
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xf5, 0x80, 0x80, 0x80],
  [0xff, 0xfe],
  [0xef, 0xbb, 0xbf],
  [0x80],
  [0x00],
  [0x1f, 0x8b],
  [0x50, 0x4b, 0x03, 0x04],
  [0x4d, 0x5a, 0x00]
]
/** Mostly thousands of characters, now and then a million and more. */
const hugeLength = (chance: Chance): number => (chance.below(40) === 0 ? 1_000_000 + chance.below(500_000) : 200 + chance.below(40_000))

export const damages: Readonly<Record<string, Damage>> = {
  'flipped bits': (body, chance) => {
    const made = Buffer.from(body)
    for (let i = 0; i <= chance.below(20); i++) {
      const place = chance.below(made.length)
      if (made.length > 0) made[place] = (made[place] ?? 0) ^ (1 << chance.below(8))
    }
    return made
  },
  cut: (body, chance) => body.subarray(0, at(body, chance)),
  'begun in the middle': (body, chance) => body.subarray(at(body, chance)),
  'a piece of another': (body, chance, others) => {
    const other = chance.pick(others)
    const [from, to] = range(other, chance)
    return insert(body, at(body, chance), other.subarray(from, to))
  },
  'a piece twice': (body, chance) => {
    const [from, to] = range(body, chance)
    return insert(body, at(body, chance), body.subarray(from, to))
  },
  'a piece many times': (body, chance) => {
    const from = at(body, chance)
    const piece = body.subarray(from, from + 1 + chance.below(60))
    return insert(body, from, Buffer.concat(Array.from({ length: 2 + chance.below(500) }, () => piece)))
  },
  'pieces in another order': (body, chance) => {
    const [from, to] = range(body, chance)
    return Buffer.concat([body.subarray(to), body.subarray(from, to), body.subarray(0, from)])
  },
  'a piece gone': (body, chance) => {
    const [from, to] = range(body, chance)
    return Buffer.concat([body.subarray(0, from), body.subarray(to)])
  },
  'random bytes': (body, chance) => insert(body, at(body, chance), chance.bytes(1 + chance.below(300))),
  'nothing but random bytes': (_, chance) => chance.bytes(chance.below(5_000)),
  'bytes of another encoding': (body, chance) => insert(body, at(body, chance), Buffer.from(chance.pick(badBytes))),
  'UTF-16': body => Buffer.from(body.toString('utf8'), 'utf16le'),
  'UTF-16 with a mark': body => Buffer.from(`\ufeff${body.toString('utf8')}`, 'utf16le'),
  'half of it in Latin-1': (body, chance) => {
    const place = at(body, chance)
    return Buffer.concat([body.subarray(0, place), Buffer.from(`é${body.subarray(place).toString('utf8')}`, 'latin1')])
  },
  'a huge field': (body, chance) =>
    insert(body, at(body, chance), Buffer.alloc(hugeLength(chance), chance.pick(['x', '0', '"', ';', ' ', '9', '[']))),
  'an odd number': asText((text, chance) => replaceOne(text, /\d+(?:\.\d+)?/g, chance, () => chance.pick(oddNumbers))),
  'an odd text': asText((text, chance) => {
    const place = chance.below(text.length + 1)
    return text.slice(0, place) + utf8(chance.pick(oddTexts)) + text.slice(place)
  }),
  'an odd value': asText((text, chance) => replaceOne(text, /(?<=[;"])[^;"\r\n]+(?=[;"])/g, chance, () => utf8(chance.pick(oddTexts)))),
  'two fields swapped': asText((text, chance) => {
    const fields = [...text.matchAll(/[^;,":{}[\]\r\n]+/g)]
    if (fields.length < 2) return text
    const [first, second] = [chance.pick(fields), chance.pick(fields)].sort((a, b) => a.index - b.index)
    if (!first || !second || first.index === second.index) return text
    const between = text.slice(first.index + first[0].length, second.index)
    return text.slice(0, first.index) + second[0] + between + first[0] + text.slice(second.index + second[0].length)
  }),
  'a field gone': asText((text, chance) => {
    // Not by a pattern for the whole field, which takes for ever on a million characters without a separator.
    const ends = [...text.matchAll(/[;,\r\n]/g)].map(({ index }) => index)
    const nth = chance.below(ends.length)
    const end = ends[nth]
    return end === undefined ? text : text.slice(0, (ends[nth - 1] ?? -1) + 1) + text.slice(end + 1)
  }),
  'more separators': asText((text, chance) => replaceOne(text, /[;,]/g, chance, found => found.repeat(1 + chance.below(3_000)))),
  'another separator': asText((text, chance) => text.replaceAll(';', chance.pick([',', '\t', '|', '']))),
  'other ends of lines': asText((text, chance) => text.replaceAll(/\r?\n/g, chance.pick(['\r', '\n\n', '\n\r', '\u0085', '']))),
  'a lone quote': asText((text, chance) => {
    const place = chance.below(text.length + 1)
    return `${text.slice(0, place)}"${text.slice(place)}`
  }),
  'quotes gone': asText((text, chance) => replaceOne(text, /"/g, chance, () => '')),
  'nested deep': (body, chance) => {
    const depth = chance.pick([10, 65, 100, 5_000, 100_000])
    const [open, close] = chance.pick([
      ['[', ']'],
      ['{"a":', '}'],
      ['<a>', '</a>']
    ] as const)
    return Buffer.concat([Buffer.from(open.repeat(depth)), body, Buffer.from(close.repeat(depth))])
  },
  'a name of objects': asText((text, chance) =>
    replaceOne(text, /\w{2,}/g, chance, () => chance.pick(['__proto__', 'constructor', 'prototype', 'then', 'toJSON', 'length', '']))
  ),
  'a value of another type': asText((text, chance) =>
    replaceOne(text, /"[^"\r\n]*"|\d+|true|false|null/g, chance, () =>
      chance.pick(['null', 'true', '5', '-1.5', '1e400', '"x"', '[]', '{}', '[[]]', '{"value":{}}'])
    )
  ),
  'nothing at all': () => Buffer.alloc(0)
}
const names = Object.keys(damages)

/** Mostly one damage, sometimes up to four on top of each other: what is broken once goes further in than what is in ruins. */
export function damage(
  body: Buffer,
  chance: Chance,
  others: readonly Buffer[]
): { readonly body: Buffer; readonly how: readonly string[] } {
  const how = Array.from({ length: Math.max(1, chance.below(8) - 3) }, () => chance.pick(names))
  let made = body
  for (const name of how) made = damages[name]?.(made, chance, others) ?? made
  // What is doubled again and again stays within what an ERP may send in one go.
  return { body: made.subarray(0, 4_000_000), how }
}
