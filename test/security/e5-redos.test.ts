import * as fc from 'fast-check'
import t from 'tap'
import { exportRecords, importRecords } from '../../adapters/contract/records.ts'
import { matchesGlob } from '../../core/exchange/file-names.ts'
import { describeApi } from '../../core/http/openapi.ts'
import { parts } from '../../parts.ts'
import { openTestHouse } from '../helpers/house.ts'
import { type Pattern, patternsIn, patternsOfProduct, patternsOfSchema } from '../helpers/patterns.ts'
import { code, productSources } from '../helpers/sources.ts'

/** Longest text that is tried where no schema says how long it may be. */
const longest = 8_000
/** What a pattern may take at the longest; far above what a busy machine adds to some microseconds. */
const floorMs = 12
/** Twice the text may take so much longer: 2 is in proportion, 4 is the square. */
const mostGrowth = 3

/** Milliseconds, the best of three where it is much: what a busy machine adds is not the pattern's. */
function time(regex: RegExp, text: string): number {
  let best = Number.POSITIVE_INFINITY
  for (let n = 0; n < 3 && best > floorMs; n++) {
    const began = performance.now()
    regex.test(text)
    best = Math.min(best, performance.now() - began)
  }
  return best
}

const hard = /[\\^$.*+?()[\]{}|]/g

/** Characters and short words that the pattern itself speaks of: what can keep it going, and what can then disappoint it. */
function pumpsOf({ regex }: Pattern): string[] {
  const { source } = regex
  const letters = new Set(source.replace(/\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|\\p\{\w+\}|\\./gi, '').replace(hard, ''))
  const words = (source.match(/[A-Za-z0-9 ]{2,}/g) ?? []).slice(0, 6)
  const classes = ['a', 'A', '0', ' ', '\n', '.', '-', '=', '"', '\u00e9']
  return [...new Set([...letters, ...words, ...classes, 'a.', '0.', '0,', ' \n', ' =', '="', "=''", 'a ', 'aA0', '\r\n', '-a', '.0'])]
}

/** Whether each "anything but" leaves a character of ASCII: others fast-check looks for without end. */
const drawable = (source: string): boolean =>
  (source.match(/\[\^(?:\\.|[^\]\\])*\]/g) ?? []).every(one => {
    const any = new RegExp(one)
    return Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).some(character => any.test(character))
  })

/** Beginnings that bring the pattern as far as it goes: what it takes, cut at every few characters. */
function beginningsOf({ regex }: Pattern): string[] {
  const { source, flags } = regex
  const plain = source.replace(/\(\?[=!][^)]*\)/g, '').replace(/\\b/g, '')
  let samples: readonly string[] = []
  try {
    if (drawable(plain)) samples = fc.sample(fc.stringMatching(new RegExp(plain, flags.replace('i', ''))), { numRuns: 1, seed: 7 })
  } catch {
    // What cannot be drawn from is attacked from its own letters only.
  }
  return [...new Set(['', ...samples.flatMap(text => [text, text.slice(0, text.length / 2)])])].map(text => text.slice(0, 60))
}

interface Slow {
  readonly where: string
  readonly attack: string
}

/** The attack that a pattern does not stand, if there is one. */
function slowness(pattern: Pattern): Slow | undefined {
  const { regex, most = longest } = pattern
  const attacks = beginningsOf(pattern).flatMap(beginning =>
    pumpsOf(pattern).flatMap(pump => (beginning === '' ? ['\u0000', '\n.'] : ['\u0000']).map(end => ({ beginning, pump, end })))
  )
  const textOf = ({ beginning, pump, end }: (typeof attacks)[number], length: number): string =>
    beginning + pump.repeat(Math.max(1, Math.floor(length / pump.length))) + end
  const found = (attack: unknown): Slow => ({
    where: `${pattern.where} ${regex}`.slice(0, 200),
    attack: JSON.stringify(attack).slice(0, 120)
  })
  // One character more each time: sixty of them are nothing, unless each doubles the work.
  for (const beginning of beginningsOf(pattern))
    for (let length = 1; length <= Math.min(beginning.length, most); length++)
      for (const end of ['\u0000', '!'])
        if (time(regex, beginning.slice(0, length) + end) > floorMs) return found(beginning.slice(0, length))
  // From short to long, so that what grows by powers shows itself before it would never end.
  for (const length of [12, 16, 20, 26, 100, 300, 1_000, 3_000, longest].map(one => Math.min(one, most))) {
    for (const attack of attacks) {
      const whole = time(regex, textOf(attack, length))
      if (whole > floorMs && whole > mostGrowth * time(regex, textOf(attack, length / 2))) return found(attack)
    }
    if (length === most) break
  }
  return undefined
}
/** Patterns that only ever see short texts, which we make or cut ourselves: file and pattern -> the longest. */
const bounded: Readonly<Record<string, number>> = {
  // Six decimals.
  'adapters/contract/values.ts /0+$/': 6,
  'core/quantity.ts /0+$/': 6,
  'adapters/tryton/wire.ts /0+$/': 6,
  // A number of the floating kind in full, with six decimals.
  'adapters/tryton/wire.ts /\\.?0+$/': 320,
  // Base64 of a hash or of a salt.
  'core/exchange/public-key.ts /=+$/': 44,
  'core/keys/passwords.ts /=+$/': 172,
  // Names of files of our own build.
  'core/http/console.ts /-[\\w-]{8,}\\.\\w+$/': 255,
  // Texts of the check itself.
  'adapters/kit/checks-values.ts /\\s*[\\r\\n\\t]\\s*/': 40
}
const keyOf = ({ where, regex }: Pattern): string => `${where.replace(/:\d+$/, '')} ${regex}`

const slowOf = (patterns: readonly Pattern[]): Slow[] => patterns.flatMap(pattern => slowness(pattern) ?? [])

t.test('E5: what takes longer and longer is seen', async t => {
  const plant = (regex: RegExp, most?: number): Pattern => ({ where: 'planted', regex, ...(most === undefined ? {} : { most }) })
  for (const regex of [/^(a+)+$/, /^(?:[a-z]|[a-z0-9])*$/, /^(\d+)*x$/, /^(\w+\s?)*$/]) t.ok(slowness(plant(regex)), `${regex}`)
  for (const regex of [/\s+$/, /=.*=.*;$/, /^\s*(.*?)\s*$/]) t.ok(slowness(plant(regex)), `${regex}`)
  for (const regex of [/^[a-z]{1,40}$/, /^-?\d{1,12}(\.\d{1,6})?$/, /[^A-Za-z0-9]/]) t.notOk(slowness(plant(regex)), `${regex}`)
})

t.test('E5: patterns are found in sources, whatever stands around them', async t => {
  const text = [
    'const half = a / b / c // no /pattern/',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the source that is read
    "const said = '/no/' + `${x.replace(/one\\/[/]/g, '`')} /no/ ${{ a: /two/ }}` /* /no/ */",
    'return /three/i.test(y) ? (z) / 2 : [1] / 2',
    'if (/four/.test(y)) {}'
  ].join('\n')
  t.same(
    patternsIn({ file: 'x.ts', text }).map(({ where, regex }) => `${where} ${regex}`),
    ['x.ts:2 /one\\/[/]/', 'x.ts:2 /two/', 'x.ts:3 /three/i', 'x.ts:4 /four/']
  )
  const begun = productSources().flatMap(source => [...code(source.text).matchAll(/[(=,:] ?\/(?![/*\s])[^\n]*?\/[a-z]*\.(?:test|exec)\(/g)])
  t.ok(begun.length > 20 && patternsOfProduct().length >= begun.length, `an empty scan is no pass (${begun.length})`)
})

t.test('E5: no pattern of the code can be kept busy by a text', async t => {
  const patterns = patternsOfProduct()
  t.ok(patterns.length > 100, `an empty scan is no pass (${patterns.length})`)
  t.same(
    Object.keys(bounded).filter(key => !patterns.some(pattern => keyOf(pattern) === key)),
    [],
    'what is named here is still there'
  )
  t.same(slowOf(patterns.map(pattern => ({ ...pattern, most: bounded[keyOf(pattern)] ?? longest }))), [])
})

t.test('E5: no pattern of a schema can be kept busy by a text', async t => {
  const at = await openTestHouse(t)
  const schemas = {
    api: JSON.parse(await describeApi(at.house.app)) as unknown,
    records: { importRecords, exportRecords },
    settings: parts.adapters.map(({ manifest }) => manifest)
  }
  const all = patternsOfSchema(schemas, '')
  const unique = [...new Map(all.map(pattern => [`${pattern.regex} ${pattern.most}`, pattern])).values()]
  t.ok(all.length > 150 && unique.length > 20, `an empty scan is no pass (${all.length}, ${unique.length})`)
  t.same(slowOf(unique), [])
})

t.test('E5: the pattern of a file name, which an adapter brings, is no regular expression that a name can keep busy', async t => {
  t.ok(matchesGlob('WO_*.csv', 'WO_1.csv'))
  t.notOk(matchesGlob('(a+)+.csv', 'aaa.csv'), 'brackets stand for themselves')
  const stars = `${'*a'.repeat(60)}b`
  for (const length of [30, 60, 120, 240]) {
    const began = performance.now()
    t.notOk(matchesGlob(stars, 'a'.repeat(length)))
    t.ok(performance.now() - began < 500, `${length} characters`)
  }
})
