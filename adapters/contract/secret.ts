import { inspect } from 'node:util'

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
