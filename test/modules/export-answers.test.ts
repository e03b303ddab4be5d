import t from 'tap'
import { withTx } from '../../core/db/tx.ts'
import { applyAck } from '../../core/exchange/acks.ts'
import { messageDesk } from '../../core/exchange/message-desk.ts'
import { messageBySeq } from '../../core/exchange/outbox-store.ts'
import { journal } from '../../core/journal/append.ts'
import { later, scene } from '../helpers/export-side.ts'

t.test('export: an answer with characters that no database stores counts, and keeps no other from being stored', async t => {
  const s = await scene(t)
  s.far.will('A', 1, { status: 'duplicate', ref: { document: 'D\u00001\ud800', line: '\u0000' } })
  s.far.will('B', 1, { status: 'rejected', reject: { code: 'no\u0000', message: `Bad \u0000 ${'x'.repeat(5_000)}` } })
  for (const order of ['A', 'B', 'C']) await s.tell(order)
  await s.run()
  t.equal(await s.states(), 'A/1 accepted, B/1 rejected, C/1 accepted')
  t.equal((await messageBySeq(s.ctx, '1'))?.document, 'D\ufffd1\ufffd')
})

t.test('export: what is unknown is looked for while others are sent, on a floor that never rests', async t => {
  const s = await scene(t)
  s.far.will('A', 1, { status: 'unknown', reason: 'The connection broke.' })
  s.far.lookups.push(true)
  await s.tell('A')
  await s.tell('B')
  const until = performance.now() + 60_000
  let sent = 0
  let more = true
  s.far.side.onSend = async place => {
    if (!place.startsWith('B')) return
    sent++
    s.clock.advance(31)
    // As fast as they go others come, until A has its answer; or the test would have no end.
    more = more && !(await s.states()).includes('A/1 accepted') && performance.now() < until
    if (more) await s.tell('B')
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  await s.run()
  t.match(await s.states(), /^A\/1 accepted, B\/1 accepted/)
  t.ok(sent > 1 && performance.now() < until, `${sent} others went meanwhile`)
})

t.test('export: a time to wait that is no number, or never ends, is a day at most', async t => {
  const s = await scene(t)
  s.far.will('A', 1, { status: 'not-sent', reason: 'busy', retryAfterSeconds: Number.NaN })
  s.far.will('B', 1, { status: 'not-sent', reason: 'busy', retryAfterSeconds: 1e15 })
  for (const order of ['A', 'B']) await s.tell(order)
  await s.run()
  t.equal(await s.states(), 'A/1 sealed, B/1 sealed')
  await later(s, 86_400)
  t.equal(await s.states(), 'A/1 accepted, B/1 accepted')
})

t.test('ack: one with characters that no database stores is taken in', async t => {
  const s = await scene(t, { idempotency: 'native' })
  s.far.will('A', 1, { status: 'delivered', ref: { document: 'F1' }, confirmWithinSeconds: Number.POSITIVE_INFINITY })
  const key = await s.tell('A')
  await s.run()
  t.equal(await s.states(), 'A/1 delivered')
  const ack = await withTx(s.ctx, tx => applyAck(tx, s.connectionId, key, { status: 'accepted', ref: { document: 'D\u00001' } }))
  t.equal(ack, 'applied')
})

t.test('export: a message of which nobody hears for an hour raises an alarm, and goes on being sent', async t => {
  const s = await scene(t, { idempotency: 'native', lookup: false })
  s.far.will('A', 1, ...Array.from({ length: 14 }, () => ({ status: 'unknown', reason: 'The ERP answers with 500.' }) as const))
  await s.tell('A')
  await s.run()
  t.match(await messageBySeq(s.ctx, '1'), { state: 'sealed', alarm: null })
  for (let n = 0; n < 13; n++) await later(s, 900)
  t.match(await messageBySeq(s.ctx, '1'), { state: 'sealed', alarm: /hour.*500/ })
  await later(s, 900)
  t.match(await messageBySeq(s.ctx, '1'), { state: 'accepted', alarm: null })
})

t.test('ack: of a message that was never sent it is said so', async t => {
  const s = await scene(t)
  const key = await s.tell('A')
  const ack = { status: 'accepted', ref: { document: 'D1' } } as const
  t.equal(await withTx(s.ctx, tx => applyAck(tx, s.connectionId, key, ack)), 'unknown_key')
  t.equal(await s.states(), 'A/1 waiting')
})

t.test('ack: of a message that a person gave up after it was sent raises an alarm', async t => {
  const s = await scene(t, { idempotency: 'none', lookup: false })
  s.far.will('A', 1, 'crash')
  const key = await s.tell('A')
  await s.run()
  t.equal(await s.states(), 'A/1 parked')
  await withTx(s.ctx, tx => messageDesk({ journal }).decide(tx, '1', { decision: 'drop', reason: 'not there' }))
  const ack = { status: 'accepted', ref: { document: 'D1' } } as const
  t.equal(await withTx(s.ctx, tx => applyAck(tx, s.connectionId, key, ack)), 'contradiction')
  t.match(await messageBySeq(s.ctx, '1'), { state: 'dropped', alarm: /given up/ })
  t.equal(await withTx(s.ctx, tx => applyAck(tx, s.connectionId, key, ack)), 'unchanged')
})
