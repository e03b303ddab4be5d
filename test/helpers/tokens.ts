import { generateKeyPairSync, sign } from 'node:crypto'
import { type Control, signingKeysOf } from '../../core/db/control.ts'

export type Json = Readonly<Record<string, unknown>>

/** A part of a token from its text, so that a test can write numbers that JSON.stringify never would. */
export const part = (value: object | string): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

const read = (token: string, at: number): Json => JSON.parse(Buffer.from(token.split('.')[at] ?? '', 'base64url').toString('utf8')) as Json

/** Makes tokens as somebody would who has our signing key, so that what is refused is refused for what it says. */
export interface Forge {
  readonly good: string
  readonly header: Json
  readonly claims: Json
  readonly publicPem: string
  /** Signed with our own key, or the one given; header and claims may be texts of JSON. */
  sign(header: object | string, claims: object | string, privatePem?: string): string
  without(...names: string[]): Json
}

export async function forge(control: Control, good: string): Promise<Forge> {
  const [key] = await signingKeysOf(control)
  if (!key) throw new Error('an installation has a signing key')
  const [header, claims] = [read(good, 0), read(good, 1)]
  return {
    good,
    header,
    claims,
    publicPem: key.publicPem,
    sign(head, body, privatePem = key.privatePem) {
      const text = `${part(head)}.${part(body)}`
      return `${text}.${sign(null, Buffer.from(text), privatePem).toString('base64url')}`
    },
    without: (...names) => Object.fromEntries(Object.entries(claims).filter(([each]) => !names.includes(each)))
  }
}

export const strangersKey = (): string => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
