import { sql } from 'kysely'
import t from 'tap'
import { TransportError } from '../../adapters/contract/index.ts'
import { withTx } from '../../core/db/tx.ts'
import { applyAck } from '../../core/exchange/acks.ts'
import { exportDue } from '../../core/exchange/deliver.ts'
import { type Decision, messageDesk } from '../../core/exchange/message-desk.ts'
import { own } from '../../core/exchange/outbox-store.ts'
import { journal } from '../../core/journal/append.ts'
import { later, scene } from '../helpers/export-side.ts'

const desk = messageDesk({ journal })
type Scene = Awaited<ReturnType<typeof scene>>

async function seqOf(s: Scene, place: string): Promise<string> {
  const { rows } = await sql<{ seq: string }>`
    select seq::text from exchange.outbox where ordering_key || '/' || ordering_seq = ${place}`.execute(own(s.ctx))
  return rows[0]?.seq ?? ''
}
const retry = async (s: Scene, place: string): Promise<void> => {
  const seq = await seqOf(s, place)
  await withTx(s.ctx, tx => desk.retry(tx, seq))
}
const decide = async (s: Scene, place: string, decision: Decision): Promise<void> => {
  const seq = await seqOf(s, place)
  await withTx(s.ctx, tx => desk.decide(tx, seq, decision))
}
const refusal = { status: 'rejected', reject: { code: 'erp_rejected', message: 'Order is closed in the ERP.' } } as const

t.test('retry: a refused message goes out again under its own key, and before what was sealed behind it', async t => {
  const s = await scene(t)
  s.far.will('WO1', 2, refusal)
  await s.tell('WO1')
  const key = await s.tell('WO1')
  await s.tell('WO1')
  await s.tell('WO1')
  await s.run()
  t.equal(await s.states(), 'WO1/1 accepted, WO1/2 rejected, WO1/3 sealed, WO1/4 waiting')
  t.strictSame(await s.run(), { more: false }, 'what waits behind it waits for a person')
  const batchOf = async (place: string) =>
    (
      await sql<{
        id: string
      }>`select batch_id::text as id from exchange.outbox where ordering_key || '/' || ordering_seq = ${place}`.execute(own(s.ctx))
    ).rows[0]?.id
  const sealed = await batchOf('WO1/3')
  await retry(s, 'WO1/2')
  await later(s, 60)
  t.equal(await batchOf('WO1/3'), sealed, 'what was sealed once is repeated as it was sealed')
  t.strictSame(s.far.booked, ['WO1/1', 'WO1/2', 'WO1/3', 'WO1/4'])
  t.ok(s.far.records.has(key), 'the key is the same')
  const { rows } = await sql<{ state: string; resolution: string }>`select state, resolution from exchange.reject`.execute(own(s.ctx))
  t.strictSame(rows, [{ state: 'resolved', resolution: 'accepted' }])
})

t.test('ack: one that comes while the message is still being sent is not overwritten by the slower answer', async t => {
  const s = await scene(t)
  s.far.will('WO1', 1, { status: 'delivered', ref: { document: 'FILE' }, confirmWithinSeconds: 60 })
  const key = await s.tell('WO1')
  s.far.side.onSend = async () => {
    const outcome = { status: 'accepted', ref: { document: 'ERP-1' } } as const
    t.equal(await withTx(s.ctx, tx => applyAck(tx, s.connectionId, key, outcome)), 'applied')
  }
  await s.run()
  const { rows } = await sql<{ state: string; document: string }>`select state, document from exchange.outbox`.execute(own(s.ctx))
  t.strictSame(rows, [{ state: 'accepted', document: 'ERP-1' }])
})

t.test('ack: one that settles what nobody knew lets the next of the work order go on', async t => {
  const s = await scene(t)
  s.far.will('WO1', 1, 'crash')
  const key = await s.tell('WO1')
  await s.run()
  t.equal(await s.states(), 'WO1/1 unknown')
  await withTx(s.ctx, tx => applyAck(tx, s.connectionId, key, { status: 'accepted', ref: { document: 'ERP-1' } }))
  await s.tell('WO1')
  await s.run()
  t.equal(await s.states(), 'WO1/1 accepted, WO1/2 accepted')
})

t.test('stop: what is under way may end, nothing new begins, and the next process finishes without doubling', async t => {
  const s = await scene(t, { idempotency: 'none', lookup: false })
  for (let i = 0; i < 6; i++) await s.tell('WO1')
  const stop = new AbortController()
  s.far.side.onSend = async place => {
    if (place === 'WO1/2') stop.abort(new Error('closing'))
  }
  t.strictSame(await exportDue(s.deps, s.ctx, stop.signal), { more: true })
  t.strictSame(s.far.booked, ['WO1/1', 'WO1/2', 'WO1/3'], 'the batch ended, the next did not begin')
  await s.run(s.process_())
  t.strictSame(
    s.far.booked,
    [1, 2, 3, 4, 5, 6].map(n => `WO1/${n}`)
  )
})

t.test('stop: a lease lost between two outcomes leaves the rest to the next process, which looks before it sends', async t => {
  const s = await scene(t)
  for (let i = 0; i < 3; i++) await s.tell('WO1')
  s.far.side.onSend = async place => {
    // The third is booked at the far side, but by then another worker holds the lease.
    if (place !== 'WO1/3') return
    // Outcomes are stored while the next one is sent: the second is in before the lease goes.
    for (let tries = 0; tries < 200 && !(await s.states()).includes('WO1/2 accepted'); tries++)
      await new Promise(resolve => setTimeout(resolve, 20))
    await sql`update core.lease set fence = fence + 1, expires_at = now() - interval '1 second'`.execute(own(s.ctx))
  }
  await s.run()
  t.equal(await s.states(), 'WO1/1 accepted, WO1/2 accepted, WO1/3 sending')
  s.far.side.onSend = async () => {}
  s.far.lookups.push(true)
  await s.run(s.process_())
  await later(s, 31)
  t.equal(await s.states(), 'WO1/1 accepted, WO1/2 accepted, WO1/3 accepted')
  t.strictSame(s.far.booked, ['WO1/1', 'WO1/2', 'WO1/3'])
})

t.test('decide: it is there, with its document; send it; give it up; each is journaled and lets the rest go on', async t => {
  const s = await scene(t, { idempotency: 'none', lookup: false })
  for (const order of ['WO1', 'WO2', 'WO3']) {
    s.far.will(order, 1, 'crash')
    await s.tell(order)
    await s.tell(order)
  }
  await s.run()
  t.equal(await s.states(), 'WO1/1 parked, WO1/2 sealed, WO2/1 parked, WO2/2 sealed, WO3/1 parked, WO3/2 sealed')
  await decide(s, 'WO1/1', { decision: 'there', document: 'D-77', reason: 'seen in the ERP' })
  await decide(s, 'WO2/1', { decision: 'send', reason: 'not in the ERP' })
  await decide(s, 'WO3/1', { decision: 'drop', reason: 'booked by hand' })
  await t.rejects(decide(s, 'WO3/1', { decision: 'send', reason: 'changed my mind' }), { code: 'message_state' })
  await later(s, 60)
  t.strictSame([...s.far.booked].sort(), ['WO1/2', 'WO2/1', 'WO2/2', 'WO3/2'])
  t.ok(s.far.booked.indexOf('WO2/1') < s.far.booked.indexOf('WO2/2'))
  const { rows } = await sql<{ document: string }>`select document from exchange.outbox where document = 'D-77'`.execute(own(s.ctx))
  t.equal(rows.length, 1)
  const { rows: events } = await sql<{ event: string; detail: string }>`
    select event, detail from exchange.outbox_event where event in ('there', 'send', 'drop') order by seq`.execute(own(s.ctx))
  t.strictSame(
    events.map(e => `${e.event}: ${e.detail}`),
    ['there: seen in the ERP', 'send: not in the ERP', 'drop: booked by hand']
  )
})

t.test('decide: a message given up while it waits for its turn is not sent', async t => {
  const s = await scene(t)
  for (let i = 0; i < 4; i++) await s.tell('WO1')
  s.far.side.onSend = async place => {
    if (place === 'WO1/1') await decide(s, 'WO1/4', { decision: 'drop', reason: 'a mistake' })
  }
  await s.run()
  t.strictSame(s.far.booked, ['WO1/1', 'WO1/2', 'WO1/3'])
})

t.test('pause: a connection that is paused while sending begins nothing more', async t => {
  const s = await scene(t)
  for (let i = 0; i < 6; i++) await s.tell('WO1')
  s.far.side.onSend = async () => void (await sql`update exchange.connection set state = 'paused'`.execute(own(s.ctx)))
  await s.run()
  t.strictSame(s.far.booked, ['WO1/1', 'WO1/2', 'WO1/3'])
})

t.test('export: one connection whose adapter is gone does not keep another from sending', async t => {
  const s = await scene(t)
  await s.tell('WO1')
  const { rows } = await sql<{ id: string }>`
    insert into exchange.connection (id, name, adapter, adapter_version, config, config_version, time_zone, locale, state)
    values ('00000000-0000-7000-8000-000000000001', 'Gone', 'test.gone', '1', '{}', 1, 'Europe/Amsterdam', 'nl-NL', 'active') returning id`.execute(
    own(s.ctx)
  )
  await sql`insert into exchange.outbox (key, connection_id, kind, record, ordering_key, ordering_seq, state)
    values ('x', ${rows[0]?.id}::uuid, 'orderStatus', '{}', 'WO9', 1, 'waiting')`.execute(own(s.ctx))
  await t.rejects(s.run(), { code: 'adapter_unknown' }, 'the worker hears of it')
  t.strictSame(s.far.booked, ['WO1/1'])
})

t.test('export: a person without a number or name in the ERP is a refusal of ours, and goes out once there is one', async t => {
  const s = await scene(t)
  const employee = '0190aaaa-0000-7000-8000-000000000001'
  const record = { workOrder: 'WO1', employee, startedAt: '2026-03-02T07:00:00Z', seconds: 60, activity: 'run' } as const
  const key = await withTx(s.ctx, tx => s.outbox.enqueue(tx, { kind: 'labour', record, orderingKey: 'WO1' }))
  await s.run({ ...s.deps, employeeRefs: async (_c, ids) => new Map(ids.map(id => [id, id])) })
  t.equal(await s.states(), 'WO1/1 rejected')
  const { rows } = await sql<{ code: string }>`select code from exchange.reject where state = 'open'`.execute(own(s.ctx))
  t.strictSame(rows, [{ code: 'employee_unmapped' }])
  t.strictSame(s.far.booked, [])
  await retry(s, 'WO1/1')
  await s.run()
  t.match(s.far.records.get(key), { employee: 'nr 0190' })
})

t.test('export: a search that gives no answer proves nothing and is made again later', async t => {
  const s = await scene(t)
  s.far.will('WO1', 1, 'crash')
  await s.tell('WO1')
  await s.run()
  const silent = {
    ...s.deps,
    adapterCtx: () => {
      throw new TransportError('none', 'The ERP is not there.')
    }
  }
  s.clock.advance(31)
  await s.run(silent)
  const { rows } = await sql<{ state: string; lookups: number; ahead: boolean }>`
    select state, lookups, next_attempt_at > ${s.ctx.clock.iso()}::timestamptz as ahead from exchange.outbox`.execute(own(s.ctx))
  t.strictSame(rows, [{ state: 'unknown', lookups: 0, ahead: true }])
})

t.test('outbox: what was kept for want of an owner of its kind goes out by itself once there is one', async t => {
  const s = await scene(t)
  await sql`delete from exchange.kind_owner where kind = 'orderStatus'`.execute(own(s.ctx))
  await s.tell('WO1')
  await s.tell('WO1')
  await s.run()
  t.equal(await s.states(), 'WO1/0 held, WO1/0 held')
  await sql`insert into exchange.kind_owner (direction, kind, connection_id) values ('out', 'orderStatus', ${s.connectionId}::uuid)`.execute(
    own(s.ctx)
  )
  await s.run()
  t.strictSame(s.far.booked, ['WO1/1', 'WO1/2'])
})

t.test('outbox: messages held for one work order do not hold up another connection’s', async t => {
  const s = await scene(t)
  await withTx(s.ctx, tx =>
    s.outbox.enqueue(tx, {
      kind: 'productReceipt',
      record: { workOrder: 'WO1', article: 'A', quantity: { value: '1', unit: 'C62' }, at: tx.clock.iso() },
      orderingKey: 'WO1',
      connectionId: s.connectionId
    })
  )
  await s.tell('WO1')
  await s.run()
  const { rows } = await sql<{ state: string; alarm: string | null }>`select state, alarm from exchange.outbox order by seq`.execute(
    own(s.ctx)
  )
  t.strictSame(rows, [
    { state: 'held', alarm: 'The adapter of the connection takes no such records.' },
    { state: 'accepted', alarm: null }
  ])
})
