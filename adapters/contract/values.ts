import type { Revision } from './types.ts'
import { wrong } from './unmapped.ts'
import { instantOf, parseWallTime } from './zoned-time.ts'

const plainDecimal = /^-?\d{1,12}(\.\d{1,6})?$/

/**
 * "1.234,50" with a comma -> "1234.50". The other sign counts as thousands mark only where it stands at thousands, and a lone one
 * ("1.234") only when `thousands` says that this ERP writes them: a wrong guess would be wrong by a factor of a thousand.
 */
export function readDecimal(text: string, sign: '.' | ',', thousands = false): string {
  const mark = sign === ',' ? '.' : ','
  const [whole = '', fraction, ...more] = text.trim().split(sign)
  const grouped = sign === ',' ? /^[-+]?\d{1,3}(\.\d{3})+$/ : /^[-+]?\d{1,3}(,\d{3})+$/
  const marks = grouped.test(whole) ? whole.split(mark).length - 1 : 0
  if (marks === 1 && fraction === undefined && !thousands) {
    throw wrong('number_ambiguous', text, `may be thousands or decimals: the decimal sign here is "${sign}". Write it without "${mark}".`)
  }
  const digits = (marks > 0 ? whole.replaceAll(mark, '') : whole).replace(/^\+(?=\d)/, '')
  const plain = fraction === undefined ? digits : `${digits}.${fraction}`
  if (more.length > 0 || digits.includes('.') || !plainDecimal.test(plain)) {
    throw wrong('number_wrong', text, `is no number with "${sign}" as decimal sign, at most 12 digits before and 6 after it.`)
  }
  return plain
}

/** Most digits that a number of JSON holds exactly. */
const mostExactDigits = 15

/** A number of JSON as text, unless it may have been rounded on its way into the program. */
export function exactDecimal(value: number): string {
  const text = String(value)
  if (!/^-?\d+(\.\d+)?$/.test(text) || text.replace(/^-?0*\.?0*|\./g, '').length > mostExactDigits)
    throw wrong('number_inexact', text, 'came as a JSON number, which holds about 15 digits. Send it as text.')
  return text
}

/** Whole numbers of up to 15 digits. */
export function readInteger(text: string): number {
  if (!/^[-+]?\d{1,15}$/.test(text.trim())) throw wrong('number_wrong', text, 'is no whole number.')
  return Number(text)
}

/** "24-12-2026" by "dd-MM-yyyy" -> "2026-12-24". */
export function readDate(text: string, pattern: string): string {
  const wall = parseWallTime(text.trim(), pattern)
  if (!wall) throw wrong('date_wrong', text, `is no day of the form ${pattern}.`)
  return [String(wall.year).padStart(4, '0'), String(wall.month).padStart(2, '0'), String(wall.day).padStart(2, '0')].join('-')
}

const rfc3339 = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d)?(?:\.\d{1,9})?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/
const lastInstant = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/** Milliseconds of RFC 3339 text; NaN where there is no such day or time. The platform's own reader makes 2 March of 30 February. */
export function parseInstant(text: string): number {
  const [, day, minute, second = ':00'] = rfc3339.exec(text) ?? []
  if (day === undefined || !parseWallTime(`${day} ${minute}${second}`, 'yyyy-MM-dd HH:mm:ss')) return Number.NaN
  const at = Date.parse(text)
  return at <= lastInstant ? at : Number.NaN
}

/** An instant from RFC 3339 text ("iso") or from the wall clock of a zone by a pattern. */
export function readInstant(text: string, pattern: string, timeZone: string): string {
  if (pattern === 'iso') {
    const at = parseInstant(text.trim())
    if (Number.isNaN(at)) throw wrong('time_wrong', text, 'is no time like 2026-03-01T07:15:00Z.')
    return new Date(at).toISOString().replace('.000Z', 'Z')
  }
  const wall = parseWallTime(text.trim(), pattern)
  if (!wall) throw wrong('time_wrong', text, `is no time of the form ${pattern}.`)
  const at = instantOf(wall, timeZone)
  if (at === undefined) throw wrong('time_does_not_exist', text, `does not exist in ${timeZone}: the clock was put forward over it.`)
  return at
}

/** A number is a sequence, RFC 3339 text a time; also as { seq } or { changedAt }. */
export function readRevision(value: unknown): Revision | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'object') {
    const { seq, changedAt } = value as { seq?: unknown; changedAt?: unknown }
    if (seq !== undefined) return readRevision(seq)
    return changedAt === undefined ? undefined : { changedAt: readInstant(String(changedAt), 'iso', 'UTC') }
  }
  const text = String(value).trim()
  if (/^\d{1,15}$/.test(text)) return { seq: Number(text) }
  return { changedAt: readInstant(text, 'iso', 'UTC') }
}

const scale = 1_000_000n

/** A quantity times numerator over denominator, exact to six decimals, half away from zero. Other text is given back unchanged. */
export function convert(value: string, numerator: string, denominator: string): string {
  const divisor = BigInt(denominator)
  if (!plainDecimal.test(value) || divisor <= 0n) return value
  const negative = value.startsWith('-')
  const [whole = '0', fraction = ''] = (negative ? value.slice(1) : value).split('.')
  const scaled = (BigInt(whole) * scale + BigInt(fraction.padEnd(6, '0'))) * BigInt(numerator)
  const rounded = (scaled * 2n + divisor) / (divisor * 2n)
  const decimals = (rounded % scale).toString().padStart(6, '0').replace(/0+$/, '')
  const text = (rounded / scale).toString() + (decimals === '' ? '' : `.${decimals}`)
  return negative && rounded !== 0n ? `-${text}` : text
}
