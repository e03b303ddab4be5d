import fc from 'fast-check'
import t from 'tap'
import { quantity } from '../../core/index.ts'
import {
  applySnapshot,
  checkPick,
  inLockOrder,
  isContained,
  isStale,
  type PendingMove,
  perPlace,
  pickListStatusOf,
  type Settlement
} from '../../modules/inventory/stock-rules.ts'

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString()

t.test('stock: a snapshot contains a transaction once the ERP had accepted it by then', async t => {
  const move: PendingMove = { id: 'm', quantity: '-5', at: at(10), outboxKey: 'k' }
  t.ok(isContained(move, { state: 'accepted', settledAt: at(20) }, at(20)))
  t.notOk(isContained(move, { state: 'accepted', settledAt: at(21) }, at(20)), 'accepted after the figure was taken')
  t.notOk(isContained(move, { state: 'unknown', settledAt: null }, at(99)))
  t.notOk(isContained(move, { state: 'rejected', settledAt: at(15) }, at(99)), 'the ERP said no: it is not in its figure')
  t.ok(isContained(move, { state: 'dropped', settledAt: at(15) }, at(99)), 'a person decided that it is not sent')
  t.notOk(isContained(move, undefined, at(99)))
  t.ok(isContained({ ...move, outboxKey: null }, undefined, at(10)), 'without a message its own time counts')
  t.ok(isStale(at(1), at(2)))
  t.notOk(isStale(at(2), at(2)))
  t.notOk(isStale(at(2), null))
})

/** What can happen to one place, in the order of arrival. */
type Event =
  | { kind: 'move'; scaled: number }
  | { kind: 'accept'; which: number }
  | { kind: 'drop'; which: number }
  | { kind: 'snapshot'; scaled: number; age: number }
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constant('move' as const), scaled: fc.integer({ min: -9_000_000, max: 9_000_000 }) }),
  fc.record({ kind: fc.constant('accept' as const), which: fc.nat(20) }),
  fc.record({ kind: fc.constant('drop' as const), which: fc.nat(20) }),
  fc.record({ kind: fc.constant('snapshot' as const), scaled: fc.integer({ min: -9_000_000, max: 9_000_000 }), age: fc.nat(12) })
)

t.test('stock: after any history the level is the sum of the ledger, and the last snapshot plus what it does not contain', async t => {
  let snapshots = 0
  let kept = 0
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), events => {
      const ledger: string[] = []
      const moves: (PendingMove & { settlement?: Settlement })[] = []
      let pending: PendingMove[] = []
      let level: string = quantity.zero
      let last: { quantity: string; asOf: string } | null = null
      events.forEach((happened, i) => {
        const now = at(i * 10)
        if (happened.kind === 'move') {
          const move = { id: `m${i}`, quantity: quantity.fromScaled(BigInt(happened.scaled)), at: now, outboxKey: `k${i}` }
          moves.push(move)
          pending.push(move)
          ledger.push(move.quantity)
          level = quantity.add(level, move.quantity)
        } else if (happened.kind === 'snapshot') {
          const snapshot = { quantity: quantity.fromScaled(BigInt(happened.scaled)), asOf: at(i * 10 - happened.age * 10) }
          if (isStale(snapshot.asOf, last?.asOf ?? null)) return
          const result = applySnapshot({ level, pending }, snapshot, key => moves.find(move => move.outboxKey === key)?.settlement)
          level = result.level
          ledger.push(result.difference)
          pending = pending.filter(move => !result.contained.includes(move.id))
          last = snapshot
          snapshots++
          kept += pending.length
        } else {
          const move = moves[happened.which % Math.max(moves.length, 1)]
          if (move && !move.settlement) move.settlement = { state: happened.kind === 'accept' ? 'accepted' : 'dropped', settledAt: now }
        }
      })
      // The model, told from the whole history: what the newest figure does not contain is what was not settled by then. Figures only
      // get newer, so what one contained is contained for good.
      const { quantity: figure, asOf } = (last as { quantity: string; asOf: string | null } | null) ?? {
        quantity: quantity.zero,
        asOf: null
      }
      const open = moves.filter(
        ({ settlement }) => asOf === null || !settlement || Date.parse(settlement.settledAt ?? '') > Date.parse(asOf)
      )
      return level === quantity.sum(ledger) && level === quantity.add(figure, quantity.sum(open.map(move => move.quantity)))
    }),
    { numRuns: 2000 }
  )
  t.ok(snapshots > 1000, 'snapshots were applied')
  t.ok(kept > 1000, 'and some transactions were not contained')
})

t.test('stock: one act touches a place once, and places are locked in one order whatever the order of the items', async t => {
  const places = [
    { articleId: 'b', locationId: 'x', lot: '', quantity: '1' },
    { articleId: 'a', locationId: 'y', lot: 'L', quantity: '-2' },
    { articleId: 'b', locationId: 'x', lot: '', quantity: '0.5' },
    { articleId: 'a', locationId: 'y', lot: '', quantity: '4' }
  ]
  t.same(perPlace(places), [
    { articleId: 'a', locationId: 'y', lot: '', quantity: '4' },
    { articleId: 'a', locationId: 'y', lot: 'L', quantity: '-2' },
    { articleId: 'b', locationId: 'x', lot: '', quantity: '1.5' }
  ])
  t.same(
    inLockOrder([...places].reverse()).map(p => p.articleId + p.lot),
    ['a', 'aL', 'b', 'b']
  )
})

t.test('picks: a wrong article and a wrong place are told apart', async t => {
  const line = { article: 'A-1', barcode: '871', location: 'H1' }
  t.equal(checkPick(line, { article: 'A-1', location: 'H1' }), 'ok')
  t.equal(checkPick(line, { article: '871', location: 'H1' }), 'ok', 'a barcode names the article')
  t.equal(checkPick(line, { article: 'A-2', location: 'H1' }), 'wrong_article')
  t.equal(checkPick(line, { article: 'A-1', location: 'H2' }), 'wrong_location')
  t.equal(checkPick({ ...line, location: null }, { article: 'A-1', location: 'H2' }), 'ok', 'the ERP named no place')
})

t.test('picks: a list is picked, short or open by its lines', async t => {
  const line = (requested: string, picked: string, shortReason: string | null = null) => ({ requested, picked, shortReason })
  t.equal(pickListStatusOf([line('2', '0'), line('1', '0')]), 'open')
  t.equal(pickListStatusOf([line('2', '1'), line('1', '0')]), 'picking')
  t.equal(pickListStatusOf([line('2', '2'), line('1', '1.0')]), 'picked')
  t.equal(pickListStatusOf([line('2', '2'), line('1', '0', 'broken')]), 'short')
})
