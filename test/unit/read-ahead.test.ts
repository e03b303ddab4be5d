import t from 'tap'
import { readAhead } from '../../core/exchange/read-ahead.ts'

/** Counts how far it was read and whether it was closed. */
function source(count: number, fault?: Error) {
  const seen = { read: 0, closed: false }
  async function* items(): AsyncIterable<number> {
    try {
      for (let n = 1; n <= count; n++) {
        seen.read = n
        yield n
      }
      if (fault) throw fault
    } finally {
      seen.closed = true
    }
  }
  return { items: items(), seen }
}

t.test('read ahead: the items come whole and in order, whatever the size of a piece', async t => {
  for (const [count, most] of [
    [0, 3],
    [1, 3],
    [3, 3],
    [7, 3],
    [9, 3],
    [5, 1]
  ] as const) {
    const { items, seen } = source(count)
    t.strictSame(
      await Array.fromAsync(readAhead(items, most)),
      Array.from({ length: count }, (_, i) => i + 1)
    )
    t.ok(seen.closed)
  }
})

t.test(
  'read ahead: as many as were asked for are read while one is worked on, and no more than those and what was handed over',
  async t => {
    const { items, seen } = source(100)
    for await (const item of readAhead(items, 10)) {
      await new Promise(resolve => setImmediate(resolve))
      t.ok(seen.read < item + 20, `item ${item}: ${seen.read} are read`)
      t.ok(seen.read >= Math.min(item + 10, 100), `item ${item}: ${seen.read} are read`)
      if (item === 25) break
    }
    t.ok(seen.closed, 'who stops early closes the source')
    t.ok(seen.read < 100)
  }
)

t.test('read ahead: a fault comes after the items before it', async t => {
  const { items, seen } = source(5, new Error('cut off'))
  const got: number[] = []
  await t.rejects(async () => {
    for await (const item of readAhead(items, 2)) got.push(item)
  }, /cut off/)
  t.strictSame(got, [1, 2, 3, 4, 5])
  t.ok(seen.closed)
})
