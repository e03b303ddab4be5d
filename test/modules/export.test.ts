import { sql } from 'kysely'
import t from 'tap'
import { type Adapter, AdapterError, type ExportOutcomeBody, TransportError } from '../../adapters/contract/index.ts'
import type { Ctx } from '../../core/context.ts'
import { withTx } from '../../core/db/tx.ts'
import { applyAck } from '../../core/exchange/acks.ts'
import { type ExportDeps, exportDue } from '../../core/exchange/deliver.ts'
import { own } from '../../core/exchange/outbox-store.ts'
import { adapterRegistry } from '../../core/exchange/registry.ts'
import { adapterOn, later, scene } from '../helpers/export-side.ts'

t.test('export: each message arrives once and in the order of its work order', async t => {
  const s = await scene(t)
  for (let i = 0; i < 7; i++) await s.tell('WO1')
  for (let i = 0; i < 2; i++) await s.tell('WO2')
  t.strictSame(await s.run(), { more: false })
  t.strictSame(
    s.far.booked.filter(b => b.startsWith('WO1')),
    [1, 2, 3, 4, 5, 6, 7].map(n => `WO1/${n}`)
  )
  t.equal(s.far.booked.length, 9)
  await s.run()
  t.equal(s.far.booked.length, 9, 'running again sends nothing again')
})

t.test('export: parallel bookings get sequence numbers in the order of their commits', async t => {
  const s = await scene(t)
  await Promise.all(Array.from({ length: 20 }, () => s.tell('WO1')))
  const { rows } = await sql<{ n: string }>`select ordering_seq::text as n from exchange.outbox order by ordering_seq`.execute(own(s.ctx))
  t.strictSame(
    rows.map(r => Number(r.n)),
    Array.from({ length: 20 }, (_, i) => i + 1)
  )
})

t.test('export: an unknown outcome is looked up and found, never sent again', async t => {
  const s = await scene(t)
  s.far.will('WO1', 1, { status: 'unknown', reason: 'time-out' })
  s.far.lookups.push(true)
  await s.tell('WO1')
  await s.tell('WO1')
  t.strictSame(await s.run(), { more: true })
  t.equal(await s.states(), 'WO1/1 unknown, WO1/2 sealed', 'the next of the order waits')
  await later(s, 31)
  t.equal(s.far.booked.filter(b => b === 'WO1/1').length, 1)
  await later(s, 10)
  t.equal(await s.states(), 'WO1/1 accepted, WO1/2 accepted')
  t.strictSame(s.far.booked, ['WO1/1', 'WO1/2'])
})

t.test('export: not found twice, ten minutes apart, may be sent again; once is not enough', async t => {
  const s = await scene(t)
  s.far.will('WO1', 1, 'crash')
  s.far.lookups.push(false, false, false)
  await s.tell('WO1')
  await s.run()
  await later(s, 31)
  await later(s, 121)
  t.equal(await s.states(), 'WO1/1 unknown')
  await later(s, 601)
  await s.run()
  t.equal(await s.states(), 'WO1/1 accepted')
  t.strictSame(s.far.booked, ['WO1/1'])
})

t.test('export: what nobody can look up waits for a person', async t => {
  const s = await scene(t)
  s.far.will('WO1', 1, 'crash')
  s.far.lookups.push('cannot-tell')
  await s.tell('WO1')
  await s.run()
  await later(s, 31)
  t.equal(await s.states(), 'WO1/1 parked')
  t.strictSame(await s.run(), { more: false }, 'time alone brings nothing')
  await s.tell('WO1')
  await later(s, 3_600)
  t.equal(await s.states(), 'WO1/1 parked, WO1/2 waiting', 'what follows it waits too')
  const none = await scene(t, { idempotency: 'none', lookup: false })
  none.far.will('WO1', 1, 'crash')
  await none.tell('WO1')
  await none.run()
  t.equal(await none.states(), 'WO1/1 parked')
})

t.test('export: a proven "not sent" is tried again with growing pauses', async t => {
  const s = await scene(t)
  s.far.will('WO1', 1, new TransportError('none', 'refused'), { status: 'not-sent', reason: 'busy', retryAfterSeconds: 60 })
  await s.tell('WO1')
  await s.run()
  t.strictSame(s.far.booked, [])
  await later(s, 4)
  t.equal(await s.states(), 'WO1/1 sealed')
  await later(s, 2)
  await later(s, 30)
  t.strictSame(s.far.booked, [], 'Retry-After of 60 s is kept')
  await later(s, 31)
  t.strictSame(s.far.booked, ['WO1/1'])
})

t.test('export: a refused one waits in the error bin while other work orders go on', async t => {
  const s = await scene(t)
  s.far.will('WO1', 1, { status: 'rejected', reject: { code: 'erp_rejected', message: 'Order is closed in the ERP.' } })
  await s.tell('WO1')
  await s.tell('WO1')
  await s.tell('WO2')
  await s.run()
  t.equal(await s.states(), 'WO1/1 rejected, WO1/2 sealed, WO2/1 accepted')
  await later(s, 3_600)
  t.strictSame(s.far.booked, ['WO2/1'], 'the next of the order waits until a person has looked')
  const { rows } = await sql<{
    code: string
    state: string
    direction: string
  }>`select code, state, direction from exchange.reject`.execute(own(s.ctx))
  t.strictSame(rows, [{ code: 'erp_rejected', state: 'open', direction: 'out' }])
})

t.test('export: a process that died between sending and storing leaves it unknown, and the next one looks it up', async t => {
  const s = await scene(t)
  await s.tell('WO1')
  await s.run()
  await sql`update exchange.outbox set state = 'sending', document = null, settled_at = null`.execute(own(s.ctx))
  s.far.lookups.push(true)
  await s.run(s.process_())
  t.equal(await s.states(), 'WO1/1 unknown')
  await later(s, 31)
  t.equal(await s.states(), 'WO1/1 accepted')
  t.strictSame(s.far.booked, ['WO1/1'])
})

t.test('export: a worker whose lease was taken over stores nothing any more', async t => {
  const s = await scene(t)
  await s.tell('WO1')
  const thief: ExportDeps = {
    ...s.deps,
    adapterCtx: () => {
      // The moment of sending: another worker takes the lease.
      stolen = sql`update core.lease set fence = fence + 1`.execute(own(s.ctx))
      return {} as never
    }
  }
  let stolen: Promise<unknown> = Promise.resolve()
  await s.run(thief)
  await stolen
  t.match(await s.states(), /WO1\/1 (sending|sealed)/, 'the outcome of the one that lost its lease is not stored')
})

t.test('export: a refused sign-in pauses the connection and says why; nothing is lost', async t => {
  const s = await scene(t)
  const adapters = adapterRegistry([
    {
      ...adapterOn(s.far, 'lookup', true),
      export: () => ({
        [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new AdapterError('auth', 'The ERP refused the token.')) })
      })
    } as Adapter
  ])
  await s.tell('WO1')
  await exportDue({ ...s.deps, adapters }, s.ctx, new AbortController().signal)
  const { rows } = await sql<{ state: string; paused_code: string }>`select state, paused_code from exchange.connection`.execute(own(s.ctx))
  t.strictSame(rows, [{ state: 'paused', paused_code: 'erp_refused_us' }])
  t.match(await s.states(), /WO1\/1 unknown/)
})

t.test('ack: a known key closes, a repeated one changes nothing, an unknown one is said, a contradicting one alarms', async t => {
  const s = await scene(t)
  s.far.will('WO1', 1, { status: 'delivered', ref: { document: 'FILE' }, confirmWithinSeconds: 60 })
  const key = await s.tell('WO1')
  await s.run()
  t.equal(await s.states(), 'WO1/1 delivered')
  const ack = (k: string, outcome: ExportOutcomeBody) => withTx(s.ctx, tx => applyAck(tx, s.connectionId, k, outcome))
  const yes: ExportOutcomeBody = { status: 'accepted', ref: { document: 'ERP-1' } }
  t.equal(await ack('nobody', yes), 'unknown_key')
  t.equal(await ack(key, yes), 'applied')
  t.equal(await ack(key, yes), 'unchanged')
  t.equal(await ack(key, { status: 'rejected', reject: { code: 'x', message: 'after all not' } }), 'contradiction')
  t.equal(await s.states(), 'WO1/1 accepted', 'what was accepted stays accepted')
})

t.test('ack: one that does not come in time raises an alarm and sends nothing again', async t => {
  const s = await scene(t)
  s.far.will('WO1', 1, { status: 'delivered', ref: { document: 'FILE' }, confirmWithinSeconds: 60 })
  await s.tell('WO1')
  await s.run()
  await later(s, 61)
  const { rows } = await sql<{ alarm: string; attempts: number }>`select alarm, attempts from exchange.outbox`.execute(own(s.ctx))
  t.match(rows[0]?.alarm, /not acknowledged/)
  t.equal(rows[0]?.attempts, 1)
})

t.test('outbox: an employee stands by our id in the row and by the ERP number only in the sealed batch', async t => {
  const s = await scene(t)
  const employee = '0190aaaa-0000-7000-8000-000000000001'
  const key = await withTx(s.ctx, tx =>
    s.outbox.enqueue(tx, {
      kind: 'labour',
      record: { workOrder: 'WO1', employee, startedAt: '2026-03-02T07:00:00Z', seconds: 60, activity: 'run' },
      orderingKey: 'WO1'
    })
  )
  await s.run()
  t.match(s.far.records.get(key), { employee: 'nr 0190' })
  const { rows } = await sql<{ record: { employee: string }; sealed: Buffer }>`
    select o.record, b.items_sealed as sealed from exchange.outbox o join exchange.batch b on b.id = o.batch_id`.execute(own(s.ctx))
  t.equal(rows[0]?.record.employee, employee)
  t.notMatch(rows[0]?.sealed.toString('latin1'), 'nr 0190')
})

t.test('outbox: without a connection for its kind a message is kept, and goes out when there is one', async t => {
  const s = await scene(t)
  await sql`delete from exchange.kind_owner where kind = 'orderStatus'`.execute(own(s.ctx))
  await s.tell('WO1')
  await s.tell('WO1')
  t.equal(await s.states(), 'WO1/0 held, WO1/0 held')
  const { routeHeld } = await import('../../core/exchange/outbox.ts')
  t.equal(await withTx(s.ctx, tx => routeHeld(tx, 'orderStatus', s.connectionId)), 2)
  await s.run()
  t.strictSame(s.far.booked, ['WO1/1', 'WO1/2'])
})

t.test('outbox: a booking that is rolled back leaves no message', async t => {
  const s = await scene(t)
  await t.rejects(
    withTx(s.ctx as Ctx, async tx => {
      await s.outbox.enqueue(tx, {
        kind: 'orderStatus',
        record: { workOrder: 'WO1', status: 'started', at: tx.clock.iso() },
        orderingKey: 'WO1'
      })
      throw new Error('no')
    })
  )
  t.equal(await s.states(), '')
  await t.rejects(
    withTx(s.ctx, tx =>
      s.outbox.enqueue(tx, { kind: 'orderStatus', record: { workOrder: '', status: 'started', at: 'now' }, orderingKey: 'WO1' })
    ),
    /does not fit its schema/
  )
})
