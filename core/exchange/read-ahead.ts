/**
 * The same items, read ahead of who takes them as long as fewer than `most` wait: a file is parsed while the database writes what was
 * parsed before. A fault comes after the items before it, as it would without; who stops early waits for the item that is being read,
 * and the source is closed.
 */
export async function* readAhead<T>(items: AsyncIterable<T>, most: number): AsyncIterable<T> {
  const read: T[] = []
  let ended = false
  let stopped = false
  let fault: { readonly error: unknown } | undefined
  let arrived = Promise.withResolvers<void>()
  let taken = Promise.withResolvers<void>()

  async function reader(): Promise<void> {
    try {
      for await (const item of items) {
        read.push(item)
        arrived.resolve()
        while (read.length >= most && !stopped) await taken.promise
        if (stopped) return
      }
    } catch (error) {
      fault = { error }
    } finally {
      ended = true
      arrived.resolve()
    }
  }

  const reading = reader()
  try {
    for (;;) {
      if (read.length === 0 && !ended) await arrived.promise
      const now = read.splice(0)
      arrived = Promise.withResolvers()
      taken.resolve()
      taken = Promise.withResolvers()
      if (now.length > 0) yield* now
      else if (ended) break
    }
    if (fault) throw fault.error
  } finally {
    stopped = true
    taken.resolve()
    await reading
  }
}
