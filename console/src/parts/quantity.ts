/** Arithmetic on quantities as the API has them: decimal text with up to six decimals, never a float. */

const unit = 1_000_000n

const scaled = (text: string): bigint => {
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.')
  const value = BigInt(whole) * unit + BigInt(fraction.padEnd(6, '0').slice(0, 6))
  return text.startsWith('-') ? -value : value
}

const written = (value: bigint): string => {
  const size = value < 0n ? -value : value
  const fraction = String(size % unit)
    .padStart(6, '0')
    .replace(/0+$/, '')
  return `${value < 0n ? '-' : ''}${size / unit}${fraction ? `.${fraction}` : ''}`
}

export const add = (a: string, b: string): string => written(scaled(a) + scaled(b))
export const subtract = (a: string, b: string): string => written(scaled(a) - scaled(b))
/** Below zero when a is less than b. */
export const compare = (a: string, b: string): number => {
  const difference = scaled(a) - scaled(b)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}
export const isZero = (text: string): boolean => scaled(text) === 0n
export const atLeastZero = (text: string): string => (scaled(text) < 0n ? '0' : text)
