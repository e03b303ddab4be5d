import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { refuse } from '../errors.ts'
import { commonPasswords } from './common-passwords.ts'

/** argon2id, 19 MiB, two passes, one lane: OWASP Password Storage Cheat Sheet, second of its equal choices. */
const parameters = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const

const mostAtOnce = 2
const mostWaiting = 50
let running = 0
const waiting: (() => void)[] = []

/** Hashes run two at a time, so that a burst of sign-ins leaves the machine to the shop floor; a longer queue is refused. */
async function inTurn<R>(fn: () => Promise<R>): Promise<R> {
  if (running < mostAtOnce) running++
  else {
    if (waiting.length >= mostWaiting)
      throw refuse('too_many_requests', 'Too many sign-ins at this moment. Try again in a few seconds.', { retryAfterSeconds: 3 })
    await new Promise<void>(resolve => waiting.push(resolve))
  }
  try {
    return await fn()
  } finally {
    // The place goes to who waits longest; given back first, somebody new could take it as well.
    const next = waiting.shift()
    if (next) next()
    else running--
  }
}

interface Cost {
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
  readonly tagLength: number
}

const derive = (text: string, nonce: Buffer, cost: Cost): Promise<Buffer> =>
  inTurn(
    () =>
      new Promise((resolve, reject) =>
        argon2('argon2id', { message: Buffer.from(text.normalize('NFC')), nonce, ...cost }, (error, key) =>
          error ? reject(error) : resolve(Buffer.from(key))
        )
      )
  )

const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')

/** @returns a PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$hash` */
export async function hashPassword(text: string): Promise<string> {
  const nonce = randomBytes(16)
  return phcText(nonce, await derive(text, nonce, parameters))
}

const phcText = (nonce: Buffer, hash: Buffer): string =>
  `$argon2id$v=19$m=${parameters.memory},t=${parameters.passes},p=${parameters.parallelism}$${base64(nonce)}$${base64(hash)}`

const phc = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,64})\$([A-Za-z0-9+/]{20,128})$/

/** @returns whether it is the password, and whether it should be hashed anew with today's parameters */
export async function verifyPassword(text: string, stored: string): Promise<{ ok: boolean; rehash: boolean }> {
  const match = phc.exec(stored)
  if (!match) return { ok: false, rehash: false }
  const [memory = 0, passes = 0, parallelism = 0] = match.slice(1, 4).map(Number)
  const expected = Buffer.from(match[5] ?? '', 'base64')
  const found = await derive(text, Buffer.from(match[4] ?? '', 'base64'), { memory, passes, parallelism, tagLength: expected.length })
  const ok = found.length === expected.length && timingSafeEqual(found, expected)
  return { ok, rehash: ok && (memory < parameters.memory || passes < parameters.passes) }
}

// Random bytes in the place of a hash: no work to make, so the first unknown user takes no longer than the next.
const dummy = phcText(randomBytes(16), randomBytes(parameters.tagLength))
/** A hash that no password fits: verified for unknown users, so that they take as long as known ones. */
export const dummyHash = (): Promise<string> => Promise.resolve(dummy)

/**
 * Why a password is not taken, as a sentence; undefined when it is. Length counts characters after NFC; nothing is trimmed or cut.
 * @param related words that must not be the password: user name, customer code
 */
export function passwordProblem(text: string, related: readonly string[] = []): string | undefined {
  const length = [...text.normalize('NFC')].length
  if (length < 8) return 'The password needs at least 8 characters; a short sentence is best.'
  if (length > 128) return 'The password may have at most 128 characters.'
  const plain = text.normalize('NFKC').toLowerCase()
  const bare = withoutEndDigits(plain.replace(/[^\p{L}\p{N}]/gu, ''))
  if (commonPasswords.has(plain) || commonPasswords.has(bare))
    return 'This password is among the first that are guessed. Choose a short sentence.'
  if (new Set(plain).size < 4) return 'The password repeats the same few characters. Choose a short sentence.'
  const near = related.find(word => word.length >= 3 && (plain === word.toLowerCase() || bare === word.toLowerCase()))
  return near === undefined ? undefined : 'The password is your user name or the code of the customer. Choose another one.'
}

/** By hand: a pattern that looks for the end would begin anew at every digit of a text that is full of them (security check E5). */
function withoutEndDigits(text: string): string {
  let end = text.length
  while (end > 0 && /\d/.test(text[end - 1] ?? '')) end--
  return text.slice(0, end)
}
