import type { Json } from '../contract/index.ts'

/** The values that Tryton's JSON-RPC writes as objects with a class. */
export type Row = { readonly [field: string]: Json }
export const isRow = (value: Json | undefined): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value)

const pad = (value: number, length: number): string => String(value).padStart(length, '0')
const whole = (row: Row, name: string): number => (typeof row[name] === 'number' ? row[name] : 0)

/** A day as YYYY-MM-DD; undefined for anything else. */
export function dayOf(value: Json | undefined): string | undefined {
  if (!isRow(value) || value.__class__ !== 'date') return undefined
  return `${pad(whole(value, 'year'), 4)}-${pad(whole(value, 'month'), 2)}-${pad(whole(value, 'day'), 2)}`
}

export function toDay(day: string): Json {
  const [year, month, of] = day.split('-').map(Number)
  return { __class__: 'date', year: year ?? 0, month: month ?? 0, day: of ?? 0 }
}

/** A moment in UTC to the microsecond, as text that sorts: 2026-11-28T09:05:37.856590Z. */
export function stampOf(value: Json | undefined): string | undefined {
  if (!isRow(value) || value.__class__ !== 'datetime') return undefined
  const day = dayOf({ ...value, __class__: 'date' })
  const time = [whole(value, 'hour'), whole(value, 'minute'), whole(value, 'second')].map(part => pad(part, 2)).join(':')
  return `${day}T${time}.${pad(whole(value, 'microsecond'), 6)}Z`
}

export function toStamp(stamp: string): Json {
  const [, year, month, day, hour, minute, second, fraction = ''] =
    /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?Z$/.exec(stamp) ?? []
  return {
    __class__: 'datetime',
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    microsecond: Number(fraction.padEnd(6, '0'))
  }
}

export const toDuration = (seconds: number): Json => ({ __class__: 'timedelta', seconds })
export const toDecimal = (decimal: string): Json => ({ __class__: 'Decimal', decimal })

export function secondsOf(value: Json | undefined): number | undefined {
  if (typeof value === 'number') return value
  return isRow(value) && value.__class__ === 'timedelta' && typeof value.seconds === 'number' ? value.seconds : undefined
}

/** Our records have six decimals; a unit with more of them is none that a floor counts in. */
const mostDigits = 6

/**
 * Quantities are floats there, such as 2459.8900000000003: what was meant is the number with as many decimals as its unit has.
 * Undefined where there is none.
 */
export function quantityOf(value: Json | undefined, digits: Json | undefined): string | undefined {
  if (isRow(value) && value.__class__ === 'Decimal' && typeof value.decimal === 'string') return value.decimal
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined
  const text = value.toFixed(Math.min(mostDigits, typeof digits === 'number' && digits >= 0 ? digits : mostDigits))
  const short = text.includes('.') ? text.replace(/\.?0+$/, '') : text
  return short === '-0' ? '0' : short
}

const scale = 1_000_000n

/** Decimal text times a million, to add and compare without floats. */
export function scaled(text: string): bigint {
  const negative = text.startsWith('-')
  const [integer = '0', fraction = ''] = (negative ? text.slice(1) : text).split('.')
  const value = BigInt(integer || '0') * scale + BigInt(fraction.slice(0, mostDigits).padEnd(mostDigits, '0'))
  return negative ? -value : value
}

export function unscaled(value: bigint): string {
  const absolute = value < 0n ? -value : value
  const fraction = (absolute % scale).toString().padStart(mostDigits, '0').replace(/0+$/, '')
  return `${value < 0n ? '-' : ''}${absolute / scale}${fraction === '' ? '' : `.${fraction}`}`
}

/** A field path such as "work_center.parent.name", which comes back nested under "work_center." and "parent.". */
export function at(row: Row | undefined, path: string): Json | undefined {
  const steps = path.split('.')
  const last = steps.pop() ?? path
  let inner: Row | undefined = row
  for (const step of steps) {
    const next: Json | undefined = inner?.[`${step}.`]
    inner = isRow(next) ? next : undefined
  }
  return inner?.[last]
}

export const textAt = (row: Row | undefined, path: string): string | undefined => {
  const value = at(row, path)
  return typeof value === 'string' && value.trim() !== '' ? value : undefined
}
export const idAt = (row: Row | undefined, path: string): number | undefined => {
  const value = at(row, path)
  return typeof value === 'number' ? value : undefined
}
export const idsAt = (row: Row | undefined, path: string): number[] => {
  const value = at(row, path)
  return Array.isArray(value) ? value.filter(one => typeof one === 'number') : []
}
