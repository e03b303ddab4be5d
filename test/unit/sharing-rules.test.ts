import fc from 'fast-check'
import t from 'tap'
import { type Span, shareEqually } from '../../modules/timekeeping/sharing-rules.ts'

const total = (shares: ReadonlyMap<string, number>): number => [...shares.values()].reduce((a, b) => a + b, 0)

t.test('sharing: one interval alone keeps all its time', async t => {
  t.strictSame([...shareEqually([{ id: 'a', start: 100, end: 160 }], 999)], [['a', 60]])
})

t.test('sharing: two at once share the time they have in common', async t => {
  const shares = shareEqually(
    [
      { id: 'a', start: 0, end: 60 },
      { id: 'b', start: 30, end: 90 }
    ],
    90
  )
  t.equal(shares.get('a'), 45)
  t.equal(shares.get('b'), 45)
})

t.test('sharing: what does not divide goes round instead of to the first', async t => {
  const spans = (start: number): Span[] => ['a', 'b', 'c'].map(id => ({ id, start, end: start + 1 }))
  const winners = [0, 1, 2].map(start => [...shareEqually(spans(start), 9)].find(([, seconds]) => seconds === 1)?.[0])
  t.strictSame(winners, ['a', 'b', 'c'])
})

t.test('sharing: a running interval is counted up to now', async t => {
  const shares = shareEqually(
    [
      { id: 'a', start: 0, end: null },
      { id: 'b', start: 0, end: 10 }
    ],
    20
  )
  t.strictSame(
    [...shares],
    [
      ['a', 15],
      ['b', 5]
    ]
  )
})

const spans = fc
  .array(fc.record({ start: fc.integer({ min: 0, max: 500 }), length: fc.integer({ min: 0, max: 200 }) }), { minLength: 1, maxLength: 8 })
  .map(list => list.map(({ start, length }, i): Span => ({ id: `s${i}`, start, end: start + length })))

t.test('sharing: the sum is exactly the time in which at least one ran', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(spans, list => {
        const covered = new Set(list.flatMap(span => Array.from({ length: (span.end ?? 0) - span.start }, (_, i) => span.start + i)))
        return total(shareEqually(list, 1000)) === covered.size
      })
    )
  )
})

t.test('sharing: the share of an ended interval is not changed by what starts later', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(spans, fc.integer({ min: 0, max: 300 }), (list, length) => {
        const first = list[0]
        if (!first?.end) return true
        const later: Span = { id: 'later', start: first.end, end: first.end + length }
        return shareEqually(list, 1000).get(first.id) === shareEqually([...list, later], 1000).get(first.id)
      })
    )
  )
})

t.test('sharing: nobody gets less than nothing or more than the interval lasted', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(spans, list =>
        [...shareEqually(list, 1000)].every(([id, seconds]) => {
          const span = list.find(s => s.id === id)
          return span !== undefined && seconds >= 0 && seconds <= (span.end ?? 0) - span.start
        })
      )
    )
  )
})
