/**
 * Items that come many at a time. `for await` over single items costs about as much as reading a line does, so who can takes whole
 * batches; for everybody else it is a sequence like any other.
 */
export interface Batched<T> extends AsyncIterable<T> {
  batches(): AsyncIterable<readonly T[]>
}

/** @param batches reads from the beginning; asked once, as a sequence is read once */
export const batched = <T>(batches: () => AsyncIterable<readonly T[]>): Batched<T> => ({
  batches,
  async *[Symbol.asyncIterator]() {
    for await (const batch of batches()) for (const item of batch) yield item
  }
})

const isBatched = <T>(items: AsyncIterable<T>): items is Batched<T> => 'batches' in items && typeof items.batches === 'function'

/** The batches of a sequence; of one that knows none each item is its own. */
export const batchesOf = <T>(items: AsyncIterable<T>): AsyncIterable<readonly T[]> => (isBatched(items) ? items.batches() : one(items))

async function* one<T>(items: AsyncIterable<T>): AsyncIterable<readonly T[]> {
  for await (const item of items) yield [item]
}
