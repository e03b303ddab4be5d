import { createHash } from 'node:crypto'

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/**
 * A key squeezed into a short reference field: upper-case letters and digits (Crockford's base 32), the same for the same key. Twelve
 * characters give 60 bits: two of a million keys meet with a chance of one in two million; take 16 where the field has room.
 * @throws RangeError below 8
 * @param maxLength at least 8; more than 32 gives 32
 */
export function shortKey(key: string, maxLength: number): string {
  if (!Number.isInteger(maxLength) || maxLength < 8) throw new RangeError('a short key needs at least 8 characters to stay unique')
  const digest = createHash('sha256').update(key).digest()
  const length = Math.min(maxLength, 32)
  let out = ''
  let bits = 0
  let value = 0
  for (const byte of digest) {
    value = (value << 8) | byte
    bits += 8
    while (bits >= 5 && out.length < length) {
      bits -= 5
      out += alphabet[(value >>> bits) & 31]
    }
    value &= (1 << bits) - 1
  }
  return out
}
