import { inspect } from 'node:util'
import { AdapterError } from './errors.ts'

/** A secret setting. Every way of printing it gives "[secret]"; only `reveal` gives the value. */
export interface Secret {
  reveal(): string
  toJSON(): '[secret]'
}

/** Wraps a secret text. */
export function secret(value: string): Secret {
  const hidden = { reveal: () => value, toJSON: () => '[secret]' as const }
  return Object.defineProperties(hidden, {
    reveal: { enumerable: false },
    toJSON: { enumerable: false },
    toString: { value: () => '[secret]' },
    [Symbol.toPrimitive]: { value: () => '[secret]' },
    [inspect.custom]: { value: () => '[secret]' }
  })
}

/** What may be sent and kept: plain data in which a text may be a secret. */
export type Concealed = null | boolean | number | string | Secret | readonly Concealed[] | { readonly [key: string]: Concealed }
type Plain = null | boolean | number | string | Plain[] | { [key: string]: Plain }

export const isSecret = (value: unknown): value is Secret =>
  typeof value === 'object' && value !== null && typeof (value as { reveal?: unknown }).reveal === 'function'

/** A secret made from another one, such as a header from a password: the plain text is never in the hands of whoever asks for it. */
export const derivedSecret = (from: Secret, make: (plain: string) => string): Secret => secret(make(from.reveal()))

/** HTTP Basic of a user and a secret password, for the header `authorization`. */
export const basicAuth = (user: string, password: Secret): Secret =>
  derivedSecret(password, plain => `Basic ${Buffer.from(`${user}:${plain}`, 'utf8').toString('base64')}`)

/** With its secrets in plain text: for whoever writes to the wire, and nobody else. */
export const revealed = (value: Concealed): Plain => plainOf(value, plain => plain)

const mark = '$secret'

/** The form in which the host keeps it, sealed: a secret is marked as one. @throws AdapterError for data that has the mark itself */
export function toStored(value: Concealed): Plain {
  return plainOf(value, plain => ({ [mark]: plain }))
}

/** What `toStored` made, with its secrets wrapped again. */
export function fromStored(value: unknown): Concealed {
  if (Array.isArray(value)) return value.map(fromStored)
  if (value === null || typeof value !== 'object') return value as Concealed
  const held = Object.hasOwn(value, mark) ? (value as { [mark]: unknown })[mark] : undefined
  if (typeof held === 'string') return secret(held)
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, fromStored(inner)]))
}

function plainOf(value: Concealed, open: (plain: string) => Plain): Plain {
  if (isSecret(value)) return open(value.reveal())
  if (Array.isArray(value)) return value.map(inner => plainOf(inner, open))
  if (value === null || typeof value !== 'object') return value as Plain
  if (Object.hasOwn(value, mark)) throw new AdapterError('bug', `data may have no field called ${mark}`)
  return Object.fromEntries(
    Object.entries(value as { readonly [key: string]: Concealed }).flatMap(([name, inner]) =>
      inner === undefined ? [] : [[name, plainOf(inner, open)]]
    )
  )
}
