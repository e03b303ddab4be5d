import { createHash, randomBytes, randomUUIDv7 } from 'node:crypto'

/** A new UUIDv7. Use it as a key, never as an order: within one millisecond it is not monotonic. */
export const newId = (): string => randomUUIDv7()

export const sha256 = (data: string | Uint8Array): Buffer => createHash('sha256').update(data).digest()

/** Text of an opaque token: `wv_<kind>_<lookup>_<secret>`; the lookup finds the row, only the secret's digest is stored. */
export interface OpaqueToken {
  readonly text: string
  readonly lookup: string
  readonly digest: Buffer
}

const kinds = ['api', 'refresh', 'invite', 'erp'] as const
export type TokenKind = (typeof kinds)[number]

/**
 * @param lookup of a token that gets a new secret; absent: a new one
 * @param secretBytes 32 bytes; absent: random ones
 */
export function newToken(
  kind: TokenKind,
  lookup: string = randomBytes(9).toString('hex'),
  secretBytes: Buffer = randomBytes(32)
): OpaqueToken {
  const secret = secretBytes.toString('hex')
  return { text: `wv_${kind}_${lookup}_${secret}`, lookup, digest: sha256(secret) }
}

const tokenPattern = /^wv_(api|refresh|invite|erp)_([0-9a-f]{18})_([0-9a-f]{64})$/

/** Parses a presented token; undefined for anything that is not of our form. */
export function parseToken(text: string): { kind: TokenKind; lookup: string; digest: Buffer } | undefined {
  const match = tokenPattern.exec(text)
  if (!match) return undefined
  const [, kind, lookup, secret] = match
  if (!kind || !lookup || !secret) return undefined
  return { kind: kind as TokenKind, lookup, digest: sha256(secret) }
}
