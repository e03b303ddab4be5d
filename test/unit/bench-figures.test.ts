import t from 'tap'
import { type Figure, lines, median, shortTolerance, verdictOf } from '../../bench/figures.ts'
import { request } from '../../bench/load.ts'
import { inTurns, shareOf } from '../../bench/turns.ts'

const figure = (given: Partial<Figure>): Figure => ({ name: 'x', unit: 'ms', values: [100], goal: 100, ...given })

t.test('bench figures: the median counts, whatever the order', async t => {
  t.equal(median([9, 1, 2]), 2)
  t.equal(median([4, 1, 3, 2]), 2.5)
})

t.test('bench figures: exactly the goal is reached, a little worse is missed, beyond the tolerance fails', async t => {
  t.match(verdictOf(figure({ values: [100] })), { reached: true, failed: false, ratio: 1 })
  t.match(verdictOf(figure({ values: [114] })), { reached: false, failed: false })
  t.match(verdictOf(figure({ values: [116] })), { reached: false, failed: true })
  t.match(verdictOf(figure({ values: [180], passMark: 170 })), { reached: false, failed: false })
})

t.test('bench figures: a figure that counts upwards is better when it is more', async t => {
  const atLeast = { atLeast: true as const }
  t.match(verdictOf(figure({ ...atLeast, values: [200] })), { reached: true, failed: false, ratio: 0.5 })
  t.match(verdictOf(figure({ ...atLeast, values: [90] })), { reached: false, failed: false })
  t.match(verdictOf(figure({ ...atLeast, values: [80] })), { reached: false, failed: true })
  t.match(verdictOf(figure({ ...atLeast, values: [0] })), { reached: false, failed: true })
})

t.test('bench figures: a goal of zero is reached by zero only', async t => {
  t.match(verdictOf(figure({ values: [0], goal: 0 })), { reached: true, failed: false })
  t.match(verdictOf(figure({ values: [1], goal: 0 })), { reached: false, failed: true })
})

t.test('bench figures: what was not measured is no success', async t => {
  t.match(verdictOf(figure({ values: [] })), { reached: false, failed: true })
})

t.test('bench figures: lines stand in columns and tell the spread', async t => {
  const [first = '', second = ''] = lines([
    figure({ name: 'short', values: [80, 120, 100] }),
    figure({ name: 'a longer name', values: [300] })
  ])
  t.equal(first.indexOf('<='), second.indexOf('<='))
  t.match(first, /^short +100\/100 ms +1\.00 {2}<= 100 {2}reached +3 times, 80 to 120$/)
  t.match(second, /^a longer name {2}300\/100 ms {2}3\.00 {2}<= 100 {2}missed FAILED$/)
})

t.test('bench figures: a moonshot is told beside the goal and fails nothing', async t => {
  const given = { atLeast: true as const, goal: 0.8, moonshot: 1 }
  const [reached = '', missed = ''] = lines([figure({ ...given, values: [1.2] }), figure({ ...given, values: [0.9] })])
  t.match(reached, /reached +moonshot 1 reached$/)
  t.match(missed, / reached +moonshot 1 not reached$/)
  t.match(verdictOf(figure({ ...given, values: [0.9] })), { reached: true, failed: false, moonshotReached: false })
  t.equal(verdictOf(figure({ values: [1] })).moonshotReached, undefined)
})

t.test('bench figures: the short form fails a figure only below half of its pass mark', async t => {
  const third = figure({ values: [0.3], goal: 0.5, atLeast: true })
  t.ok(verdictOf(third).failed)
  t.notOk(verdictOf(third, shortTolerance).failed)
  t.ok(verdictOf({ ...third, values: [0.2] }, shortTolerance).failed)
  t.ok(verdictOf({ ...third, values: [] }, shortTolerance).failed, 'nothing measured is never a success')
})

t.test('bench: turns change who begins, and pair what was measured side by side', async t => {
  const order: string[] = []
  const speeds = await inTurns(3, {
    ours: async round => order.push(`ours ${round}`) * 0 + (round + 1) * 10,
    limit: async round => order.push(`limit ${round}`) * 0 + (round + 1) * 20
  })
  t.strictSame(order, ['ours 0', 'limit 0', 'limit 1', 'ours 1', 'ours 2', 'limit 2'])
  t.strictSame(shareOf(speeds), [0.5, 0.5, 0.5])
})

t.test('bench: a request is whole as bytes, its body counted in bytes', async t => {
  t.equal(request('GET', '/a', { authorization: 'x' }), 'GET /a HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: x\r\n\r\n')
  t.match(request('POST', '/a', {}, { a: '€' }), /content-length: 11\r\n\r\n\{"a":"€"\}$/)
})
