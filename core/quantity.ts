/**
 * Quantities are decimal text in JSON and numeric(18,6) in SQL: at most 12 digits before and 6 after the point.
 * Arithmetic is done on integers scaled by a million, so 0.1 + 0.2 is 0.3.
 */
export type Quantity = string & { readonly __quantity: true }

const pattern = /^-?\d{1,12}(\.\d{1,6})?$/
const scale = 1_000_000n

export const quantityPattern = pattern.source

/** Parses decimal text; undefined where it is not a quantity. Trailing zeros are dropped, so equal amounts are equal text. */
export function parseQuantity(text: string): Quantity | undefined {
  return pattern.test(text) ? fromScaled(toScaled(text)) : undefined
}

/** For text that a schema or the database has already checked; throws on anything else. */
export function quantity(text: string): Quantity {
  const parsed = parseQuantity(text)
  if (parsed === undefined) throw new TypeError(`not a quantity: ${text.slice(0, 40)}`)
  return parsed
}

export const zero = '0' as Quantity

export const add = (a: string, b: string): Quantity => fromScaled(toScaled(a) + toScaled(b))
export const subtract = (a: string, b: string): Quantity => fromScaled(toScaled(a) - toScaled(b))
export const negate = (a: string): Quantity => fromScaled(-toScaled(a))
export const sum = (values: readonly string[]): Quantity => fromScaled(values.reduce((total, value) => total + toScaled(value), 0n))
export const compare = (a: string, b: string): -1 | 0 | 1 => {
  const x = toScaled(a)
  const y = toScaled(b)
  return x < y ? -1 : x > y ? 1 : 0
}
export const isZero = (a: string): boolean => toScaled(a) === 0n
export const isNegative = (a: string): boolean => toScaled(a) < 0n

/** a × numerator ÷ denominator, rounded half away from zero to six decimals. The denominator may not be zero. */
export function ratio(a: string, numerator: bigint, denominator: bigint): Quantity {
  if (denominator === 0n) throw new RangeError('a quantity cannot be divided by zero')
  const product = toScaled(a) * numerator
  const negative = product < 0n !== denominator < 0n
  const n = product < 0n ? -product : product
  const d = denominator < 0n ? -denominator : denominator
  const rounded = (n * 2n + d) / (d * 2n)
  return fromScaled(negative ? -rounded : rounded)
}

export function toScaled(text: string): bigint {
  const negative = text.startsWith('-')
  const [whole = '0', fraction = ''] = (negative ? text.slice(1) : text).split('.')
  const scaled = BigInt(whole) * scale + BigInt(fraction.padEnd(6, '0'))
  return negative ? -scaled : scaled
}

export function fromScaled(scaled: bigint): Quantity {
  const n = scaled < 0n ? -scaled : scaled
  const fraction = (n % scale).toString().padStart(6, '0').replace(/0+$/, '')
  const text = (n / scale).toString() + (fraction === '' ? '' : `.${fraction}`)
  return (scaled < 0n ? `-${text}` : text) as Quantity
}
