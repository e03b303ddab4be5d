import { randomUUID } from 'node:crypto'
import t from 'tap'
import { fixedClock } from '../../core/clock.ts'
import { withTx } from '../../core/db/tx.ts'
import { connectionDesk } from '../../core/exchange/connections.ts'
import { adapterRegistry } from '../../core/exchange/registry.ts'
import { journal } from '../../core/journal/append.ts'
import { adapterOn, farSide } from '../helpers/export-side.ts'
import { openTestHouse } from '../helpers/house.ts'

interface Message {
  readonly number: string
  readonly key: string
  readonly state: string
  readonly orderingKey: string
  readonly document: string | null
  readonly reject: { readonly code: string } | null
}
interface Detail {
  readonly message: Message
  readonly events: readonly { readonly event: string; readonly detail: string | null; readonly actor: string }[]
}
interface Page {
  readonly items: readonly Message[]
  readonly next: string | null
}

t.test('feedback messages over HTTP', async t => {
  const far = farSide()
  const adapter = adapterOn(far, 'none', false)
  const clock = fixedClock('2026-03-02T08:00:00.000Z')
  const house = await openTestHouse(t, { clock, parts: { adapters: [adapter] } })
  const token = await house.admin()
  const ctx = await house.ctx()
  const desk = connectionDesk({ adapters: adapterRegistry([adapter]), directory: house.house.directory, journal })
  await withTx(ctx, async tx => desk.activate(tx, await desk.create(tx, { name: 'Far', adapter: 'test.far', config: {} })))
  const { outbox } = house.house.exchange
  const tell = (order: string) =>
    withTx(ctx, tx =>
      outbox.enqueue(tx, { kind: 'orderStatus', record: { workOrder: order, status: 'started', at: tx.clock.iso() }, orderingKey: order })
    )
  const run = () => house.house.exchange.exportDue(ctx, new AbortController().signal)
  const call: typeof house.call = (method, path, options = {}) => house.call(method, path, { token, ...options })
  const post = <T = Detail>(path: string, body?: unknown) =>
    call<T>('POST', path, { headers: { 'idempotency-key': randomUUID() }, ...(body === undefined ? {} : { body }) })

  far.will('W-1', 1, { status: 'rejected', reject: { code: 'order_closed', message: 'Order is closed in the ERP.' } })
  far.will('W-2', 1, 'crash')
  far.will('W-3', 1, 'crash')
  for (const order of ['W-1', 'W-2', 'W-3', 'W-4']) await tell(order)
  await run()

  await t.test('list: all, those that are not through, those of a work order, and the next page', async t => {
    const all = await call<Page>('GET', '/api/v1/outbox')
    t.strictSame(
      all.body.items.map(m => `${m.orderingKey} ${m.state}`),
      ['W-1 rejected', 'W-2 parked', 'W-3 parked', 'W-4 accepted']
    )
    const open = await call<Page>('GET', '/api/v1/outbox?state=open&limit=2')
    t.equal(open.body.items.length, 2)
    const rest = await call<Page>('GET', `/api/v1/outbox?state=open&after=${open.body.next}`)
    t.strictSame(
      rest.body.items.map(m => m.orderingKey),
      ['W-3']
    )
    const one = await call<Page>('GET', '/api/v1/outbox?order=W-4')
    t.match(one.body.items, [{ orderingKey: 'W-4', document: 'D1' }])
    t.equal((await call('GET', '/api/v1/outbox?after=x')).status, 400)
  })
  const of = async (order: string): Promise<Message> => {
    const { body } = await call<Page>('GET', `/api/v1/outbox?order=${order}`)
    const [message] = body.items
    if (!message) throw new Error(`no message of ${order}`)
    return message
  }

  await t.test('one: everything that happened to it, and who did it', async t => {
    const { number } = await of('W-1')
    const one = await call<Detail>('GET', `/api/v1/outbox/${number}`)
    t.match(one.body.message, { reject: { code: 'order_closed' } })
    t.strictSame(
      one.body.events.map(e => e.event),
      ['attempt', 'rejected']
    )
    t.equal((await call('GET', '/api/v1/outbox/999999')).status, 404)
  })

  await t.test('retry: a refused one goes again under its key; one that is through does not', async t => {
    const before = await of('W-1')
    const answer = await post(`/api/v1/outbox/${before.number}/retry`)
    t.equal(answer.status, 200)
    t.match(answer.body.message, { state: 'waiting', key: before.key })
    await run()
    t.match(await of('W-1'), { state: 'accepted', key: before.key })
    const again = await post<{ code: string }>(`/api/v1/outbox/${before.number}/retry`)
    t.match([again.status, again.body.code], [409, 'message_state'])
  })

  await t.test('decide: it is there, and give it up; the reason stays with it', async t => {
    const second = await of('W-2')
    const there = await post(`/api/v1/outbox/${second.number}/decide`, { decision: 'there', document: 'D-9', reason: 'seen there' })
    t.match(there.body.message, { state: 'accepted', document: 'D-9' })
    t.match(there.body.events.at(-1), { event: 'there', detail: 'seen there' })
    const third = await of('W-3')
    t.equal((await post(`/api/v1/outbox/${third.number}/decide`, { decision: 'there', reason: 'no document' })).status, 400)
    t.equal((await post(`/api/v1/outbox/${third.number}/decide`, { decision: 'drop', reason: 'booked by hand' })).status, 200)
    t.match(await of('W-3'), { state: 'dropped' })
    const { rows } = await ctx.db.pool.query<{ act: string }>(`select act from journal.entry where act like 'message.%' order by 1`)
    t.strictSame(
      rows.map(row => row.act),
      ['message.drop', 'message.retry', 'message.there']
    )
  })

  await t.test('nobody without a token sees or decides anything', async t => {
    t.equal((await house.call('GET', '/api/v1/outbox')).status, 401)
    t.equal((await house.call('POST', '/api/v1/outbox/1/decide', { body: { decision: 'drop', reason: 'x' } })).status, 401)
  })
})
