import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'
import { inspect } from 'node:util'

/** Where a sealed value stands. It opens there and nowhere else. */
export interface Bound {
  readonly table: string
  readonly column: string
  readonly row: string
}

/** The keys of one tenant: sealing of fields, blind indexes, keys of blobs. Opaque to printing. */
export interface TenantKeys {
  readonly tenantId: string
  /** Version that seals; older ones still open. */
  readonly version: number
  /** AES-256-GCM under the tenant's key; tenant, table, column, row and key version are bound in. */
  seal(plain: string | Uint8Array, at: Bound): Buffer
  /** @throws SealBroken when it stands elsewhere, belongs to another tenant, or a bit was changed */
  open(sealed: Uint8Array, at: Bound): Buffer
  openText(sealed: Uint8Array, at: Bound): string
  /**
   * Blind index: HMAC-SHA-256 of the value under a key of this purpose, for equality without plain text. The value is brought to
   * NFKC, trimmed and lower-cased first, so that what people hold equal is equal.
   */
  blind(value: string, purpose: string): Buffer
  /** HMAC-SHA-256 of exactly these bytes under a key of this purpose. */
  mac(value: string | Uint8Array, purpose: string): Buffer
  /** Key of one blob. */
  blobKey(blobId: string): Buffer
}

export class SealBroken extends Error {
  constructor(at: Bound) {
    super(`the value in ${at.table}.${at.column} of row ${at.row} does not open: it was moved, changed, or sealed under another key`)
    this.name = 'SealBroken'
  }
}

/** A new data key; stored only wrapped under the root key. */
export const newTenantKey = (): Buffer => randomBytes(32)

const format = 1
const headLength = 1 + 2 + 12

/** @param versions all data keys of the tenant by version; @param current the one that seals */
export function tenantKeys(tenantId: string, versions: ReadonlyMap<number, Buffer>, current: number): TenantKeys {
  if (!versions.has(current)) throw new Error(`tenant ${tenantId} has no key version ${current}`)
  for (const [version, key] of versions) {
    if (!Number.isInteger(version) || version < 1 || version > 65_535 || key.length !== 32) {
      throw new Error(`key version ${version} of tenant ${tenantId} is not 32 bytes with a number from 1 to 65535`)
    }
  }
  // Kept as objects: from plain bytes Node makes one anew for every call, which costs five times what hashing a field does (measured).
  const derived = new Map<string, KeyObject>()
  const derive = (version: number, purpose: string): KeyObject => {
    const name = `${version}/${purpose}`
    const known = derived.get(name)
    if (known) return known
    const key = versions.get(version)
    if (!key) throw new Error(`tenant ${tenantId} has no key version ${version}`)
    const made = createSecretKey(Buffer.from(hkdfSync('sha256', key, tenantId, purpose, 32)))
    derived.set(name, made)
    return made
  }
  // Indexes and blob keys stay with the oldest version: another key would make equal values unequal. So it may only go with the tenant.
  const first = Math.min(...versions.keys())
  const mac = (value: string | Uint8Array, purpose: string): Buffer =>
    createHmac('sha256', derive(first, `mac/${purpose}`))
      .update(value)
      .digest()
  const keys: TenantKeys = {
    tenantId,
    version: current,
    seal(plain, at) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', derive(current, 'seal'), nonce, { authTagLength: 16 })
      cipher.setAAD(boundBytes(tenantId, current, at))
      const head = Buffer.alloc(3)
      head.writeUInt8(format, 0)
      head.writeUInt16BE(current, 1)
      return Buffer.concat([
        head,
        nonce,
        cipher.update(typeof plain === 'string' ? Buffer.from(plain) : plain),
        cipher.final(),
        cipher.getAuthTag()
      ])
    },
    open(sealed, at) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
      if (bytes.length < headLength + 16 || bytes.readUInt8(0) !== format) throw new SealBroken(at)
      const version = bytes.readUInt16BE(1)
      if (!versions.has(version)) throw new SealBroken(at)
      const decipher = createDecipheriv('aes-256-gcm', derive(version, 'seal'), bytes.subarray(3, headLength), { authTagLength: 16 })
      decipher.setAAD(boundBytes(tenantId, version, at)).setAuthTag(bytes.subarray(-16))
      try {
        return Buffer.concat([decipher.update(bytes.subarray(headLength, -16)), decipher.final()])
      } catch {
        throw new SealBroken(at)
      }
    },
    openText: (sealed, at) => keys.open(sealed, at).toString('utf8'),
    blind: (value, purpose) => mac(value.normalize('NFKC').trim().toLowerCase(), `blind/${purpose}`),
    mac,
    blobKey: blobId => Buffer.from(hkdfSync('sha256', derive(first, 'blob'), tenantId, blobId, 32))
  }
  return Object.defineProperties(keys, {
    toString: { value: () => '[tenant keys]' },
    toJSON: { value: () => '[tenant keys]' },
    [inspect.custom]: { value: () => '[tenant keys]' }
  })
}

/** Length before each part: otherwise ("a", "bc") and ("ab", "c") would bind to the same bytes. */
function boundBytes(tenantId: string, version: number, at: Bound): Buffer {
  const parts = [tenantId, at.table, at.column, at.row, String(version)].map(part => Buffer.from(part))
  return Buffer.concat(
    parts.flatMap(part => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(part.length)
      return [length, part]
    })
  )
}
