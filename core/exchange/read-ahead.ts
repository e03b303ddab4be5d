/** What was read of a sequence in one go; `fault` is what ended it. */
interface Piece<T> {
  readonly items: readonly T[]
  readonly ended: boolean
  readonly fault?: { readonly error: unknown }
}

/**
 * The same items, read up to `most` ahead of who takes them: a file is parsed while the database writes what was parsed before. A fault
 * comes after the items before it, as it would without; who stops early waits for the piece that is being read, and the source is closed.
 */
export async function* readAhead<T>(items: AsyncIterable<T>, most: number): AsyncIterable<T> {
  const source = items[Symbol.asyncIterator]()

  async function piece(): Promise<Piece<T>> {
    const read: T[] = []
    try {
      while (read.length < most) {
        const next = await source.next()
        if (next.done) return { items: read, ended: true }
        read.push(next.value)
      }
    } catch (error) {
      return { items: read, ended: true, fault: { error } }
    }
    return { items: read, ended: false }
  }

  let ahead: Promise<Piece<T>> | undefined = piece()
  try {
    while (ahead) {
      const now: Piece<T> = await ahead
      ahead = now.ended ? undefined : piece()
      yield* now.items
      if (now.fault) throw now.fault.error
    }
  } finally {
    await ahead
    await source.return?.()
  }
}
