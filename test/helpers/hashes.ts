import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

interface Teardown {
  teardown(fn: () => void): void
}

/** Counts how often a password hash is really computed, whoever asks for it. */
export function argon2id(t: Teardown): { count(): number } {
  const real = crypto.argon2
  let count = 0
  crypto.argon2 = ((...args: Parameters<typeof real>) => {
    count++
    return real(...args)
  }) as typeof real
  syncBuiltinESMExports()
  t.teardown(() => {
    crypto.argon2 = real
    syncBuiltinESMExports()
  })
  return { count: () => count }
}
