import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { inspect } from 'node:util'

/** The key that opens everything else. Opaque: no way of printing shows its bytes. */
export interface RootKey {
  /** Fingerprint: eight hexadecimal digits derived from the key, safe to store and show. */
  readonly id: string
  /** Encrypts a key or password under the root key; the context (what it is, whose) must be the same at unwrap. */
  wrap(bytes: Uint8Array, context: string): Buffer
  /** @throws Error when the root key, the context or a byte differs */
  unwrap(wrapped: Uint8Array, context: string): Buffer
  /** 32 bytes for a purpose of this installation (HKDF-SHA-256, RFC 5869). */
  derive(purpose: string): Buffer
}

/**
 * Reads the root key: 32 bytes in base64, from text or from a file that only its owner may read.
 * @throws Error with one sentence: what is wrong, where, what to do
 */
export function loadRootKey(source: { text?: string; file?: string }): RootKey {
  const where = source.file ?? 'WERKVLOER_ROOT_KEY'
  const text = source.file === undefined ? source.text : readKeyFile(source.file)
  const advice = 'make one with: openssl rand -base64 32'
  if (text === undefined || text.trim() === '') throw new Error(`${where}: the root key is missing; ${advice}`)
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text.trim())) throw new Error(`${where}: the root key is not 32 bytes in base64; ${advice}`)
  const key = Buffer.from(text.trim(), 'base64')
  // 32 random bytes have 30 or so different values; fewer than 16 does not happen by chance (p < 1e-9).
  if (new Set(key).size < 16 || key.every(byte => byte >= 0x20 && byte < 0x7f)) {
    throw new Error(`${where}: the root key is guessable, not random; ${advice}`)
  }
  return rootKey(key)
}

function readKeyFile(file: string): string {
  let handle: number
  try {
    handle = openSync(file, 'r')
  } catch (error) {
    const missing = (error as { code?: string }).code === 'ENOENT'
    const advice = missing ? `make it with: (umask 077; openssl rand -base64 32 > ${file})` : 'let the user of the service own it'
    throw new Error(`${file}: the file of the root key ${missing ? 'does not exist' : 'cannot be read'}; ${advice}`, { cause: error })
  }
  try {
    // Asked of the open file, so that what is checked is what is read.
    const info = fstatSync(handle)
    if (!info.isFile()) throw new Error(`${file}: the root key must be in a plain file; name that file`)
    if ((info.mode & 0o077) !== 0) throw new Error(`${file}: others may read the root key; write: chmod 600 ${file}`)
    return readFileSync(handle, 'utf8')
  } finally {
    closeSync(handle)
  }
}

function rootKey(key: Buffer): RootKey {
  const derive = (purpose: string): Buffer => Buffer.from(hkdfSync('sha256', key, 'werkvloer root', purpose, 32))
  const wrapping = derive('wrap')
  const opaque: RootKey = {
    id: derive('fingerprint').toString('hex').slice(0, 8),
    derive,
    wrap(bytes, context) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', wrapping, nonce, { authTagLength: 16 }).setAAD(Buffer.from(context))
      return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()])
    },
    unwrap(wrapped, context) {
      const bytes = Buffer.from(wrapped)
      if (bytes.length < 28) throw new Error(`what is stored for ${context} is cut off`)
      const decipher = createDecipheriv('aes-256-gcm', wrapping, bytes.subarray(0, 12), { authTagLength: 16 })
      decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-16))
      try {
        return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()])
      } catch {
        throw new Error(`the root key does not open ${context}: it is another key, or the stored value was changed`)
      }
    }
  }
  return Object.defineProperties(opaque, {
    toString: { value: () => '[root key]' },
    toJSON: { value: () => '[root key]' },
    [inspect.custom]: { value: () => '[root key]' }
  })
}
