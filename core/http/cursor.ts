import { refuse } from '../errors.ts'

/** The opaque `next` of a page: the sort columns of its last row. */
export const cursorOf = (parts: readonly (string | number)[]): string => Buffer.from(JSON.stringify(parts)).toString('base64url')

/**
 * Reads an `after` that a caller sent back. `kinds` are the types of the sort columns; anything that does not fit is refused,
 * since a client that makes its own cursors would see rows twice or never.
 */
export function readCursor<const K extends readonly ('string' | 'number')[]>(
  after: string | undefined,
  kinds: K
): { readonly [I in keyof K]: K[I] extends 'number' ? number : string } | null {
  if (after === undefined) return null
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(after, 'base64url').toString('utf8'))
  } catch {
    parts = undefined
  }
  const fits = Array.isArray(parts) && parts.length === kinds.length && kinds.every((kind, i) => typeof (parts as unknown[])[i] === kind)
  if (!fits) {
    throw refuse('invalid_request', '`after` is not the `next` of a page of this list.', {
      errors: [{ pointer: '/querystring/after', detail: 'is not the `next` of a page of this list' }]
    })
  }
  return parts as never
}

/** What a user typed, as a pattern that finds it anywhere in a text; the characters of LIKE are taken literally. */
export const containing = (text: string | undefined): string | null => (text === undefined ? null : `%${text.replace(/[\\%_]/g, '\\$&')}%`)
