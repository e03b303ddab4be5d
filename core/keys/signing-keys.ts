import { generateKeyPairSync } from 'node:crypto'
import { newId } from '../ids.ts'

/** A new Ed25519 pair for access tokens (RFC 8037). The private half is stored wrapped under the root key. */
export function newSigningKey(): { kid: string; publicPem: string; privatePem: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  return {
    kid: newId(),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  }
}
