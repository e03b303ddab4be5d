import { createPublicKey } from 'node:crypto'
import ssh2, { type ParsedKey } from 'ssh2'
import { sha256 } from '../ids.ts'

const fewestRsaBits = 3072
const mostRsaBits = 16_384
/** Points of ed25519 whose order is 8 or less, without the sign of x: for such a "key" anybody can make signatures. */
const smallPoints: ReadonlySet<string> = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`
])
const types: ReadonlySet<string> = new Set(['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'ssh-rsa'])

export interface PublicKeyLine {
  /** `<type> <base64>`: what is stored and shown; the comment is dropped. */
  readonly line: string
  /** SHA256:… as ssh-keygen prints it. */
  readonly fingerprint: string
}

/**
 * Reads one line of an OpenSSH public key file. Options in front (`command=`, `from=`) are refused rather than ignored, since
 * whoever wrote them relies on them; so are DSA, RSA below 3072 bits, certificates and more than one key.
 */
export function readPublicKey(text: string): PublicKeyLine | { readonly problem: string } {
  const line = text.trim()
  if (/[\r\n]/.test(line)) return { problem: 'the text holds more than one line; add one key at a time' }
  if (line.includes('PRIVATE KEY')) return { problem: 'this is a private key; keep it where it is and give the .pub file' }
  const match = /^([a-z0-9@.-]+) ([A-Za-z0-9+/]+={0,2})(?: .*)?$/.exec(line)
  const [, type = '', data = ''] = match ?? []
  if (!match) return { problem: 'this is not a line of an OpenSSH public key file; options in front of the key are not accepted' }
  if (!types.has(type))
    return { problem: `keys of type ${type.slice(0, 60)} are not accepted; use ssh-ed25519, ecdsa-sha2-nistp256/384/521 or ssh-rsa` }
  const blob = Buffer.from(data, 'base64')
  const parsed = parseKey(`${type} ${data}`)
  // The type stands twice, in front and inside; base64 leaves room for a second spelling of the same bytes.
  if (!parsed || parsed.type !== type || parsed.isPrivateKey() || !parsed.getPublicSSH().equals(blob) || blob.toString('base64') !== data)
    return { problem: 'the key cannot be read; copy the whole line again' }
  const problem = problemOf(parsed, blob)
  if (problem !== undefined) return { problem }
  return { line: `${type} ${blob.toString('base64')}`, fingerprint: fingerprintOf(blob) }
}

/** SHA256:… of a key's wire form. */
export const fingerprintOf = (blob: Uint8Array): string => `SHA256:${sha256(blob).toString('base64').replace(/=+$/, '')}`

export const fingerprintOfLine = (line: string): string => fingerprintOf(Buffer.from(line.split(' ')[1] ?? '', 'base64'))

function parseKey(line: string): ParsedKey | undefined {
  const parsed = ssh2.utils.parseKey(line)
  return parsed instanceof Error || Array.isArray(parsed) ? undefined : parsed
}

/** Why a key that can be read is none to rely on. */
function problemOf(key: ParsedKey, blob: Buffer): string | undefined {
  if (key.type === 'ssh-ed25519') {
    const point = Buffer.from(blob.subarray(-32))
    point[31] = (point[31] ?? 0) & 0x7f
    return smallPoints.has(point.toString('hex')) ? broken : undefined
  }
  let details: { modulusLength?: number; publicExponent?: bigint }
  try {
    // Refuses a point that is not on its curve.
    details = createPublicKey(key.getPublicPEM()).asymmetricKeyDetails ?? {}
  } catch {
    return broken
  }
  if (key.type !== 'ssh-rsa') return undefined
  const { modulusLength: bits = 0, publicExponent = 0n } = details
  if (bits < fewestRsaBits) return `an RSA key needs at least ${fewestRsaBits} bits and this one has ${bits}; better make an ed25519 key`
  if (bits > mostRsaBits) return `an RSA key has at most ${mostRsaBits} bits and this one has ${bits}; better make an ed25519 key`
  return publicExponent < 3n || publicExponent % 2n === 0n ? broken : undefined
}
const broken = 'anybody could sign for this key, or nobody; make a new pair with ssh-keygen'

/** What a client proved with: the signed bytes (with the session's id in them), the signature, and the hash it named. */
export interface SignedProof {
  readonly blob: Buffer
  readonly signature: Buffer
  readonly hashAlgo: string | undefined
}

export type VerifySignature = (storedLine: string, proof: SignedProof) => boolean

/** Checks a client's signature with the stored key. The library leaves this to us; comparing keys alone lets anybody in (measured). */
export const verifySignature: VerifySignature = (storedLine, { blob, signature, hashAlgo }) => {
  const key = parseKey(storedLine)
  if (!key) return false
  // An RSA signature without a named SHA-2 is the old `ssh-rsa` with SHA-1.
  if (key.type === 'ssh-rsa' && hashAlgo !== 'sha256' && hashAlgo !== 'sha512') return false
  // It returns an Error, which is truthy, where it cannot verify.
  try {
    return (key.verify as (data: Buffer, signature: Buffer, algo?: string) => unknown).call(key, blob, signature, hashAlgo) === true
  } catch {
    return false
  }
}
