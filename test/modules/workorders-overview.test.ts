import t from 'tap'
import type { Scope } from '../../core/index.ts'
import { listOrders } from '../../modules/workorders/list-store.ts'
import { progress, scrapByReason } from '../../modules/workorders/overview-store.ts'
import { dayIn, periodOf } from '../../modules/workorders/period.ts'
import { openActs } from '../helpers/acts.ts'
import { order } from '../helpers/orders.ts'

t.test('overview of the work', async t => {
  const { floor, acts, write, newOrder, ann } = await openActs(t)
  await floor.rows(`insert into workorders.scrap_reason (code, name) values ('SIZE', 'Wrong size')`)
  // The invitation of the administrator holds for some days only; the clock goes on for months.
  const old = await floor.house.admin()
  const today = () => dayIn('Europe/Amsterdam', floor.clock.now())
  const visible = (ctx: ReturnType<typeof floor.ctx>) => floor.needs.authz.visible(ctx, 'j.id')
  const counts = async (scope?: Partial<Scope>) => {
    const ctx = floor.ctx(scope)
    return (await progress(ctx, today(), visible(ctx))).map(
      line =>
        `${line.department ?? 'all'} ${line.waiting}/${line.started}/${line.paused}/${line.completed} late ${line.late} of ${line.late_orders}`
    )
  }
  const scrap = async (from: string, to: string, parts: { scope?: Partial<Scope>; department?: string } = {}) => {
    const ctx = floor.ctx(parts.scope)
    return (await scrapByReason(ctx, { from, to, department: parts.department ?? null }, visible(ctx))).map(
      line => `${line.reason} ${Number(line.quantity)} ${line.unit} in ${line.reports}`
    )
  }

  await t.test('progress: nothing is nothing, and not a department of zeros', async t => {
    t.same(await counts(), ['all 0/0/0/0 late 0 of 0'])
  })

  const first = await newOrder('A-1', { due: '2026-03-01' })
  const second = await newOrder('A-2', { due: '2026-03-02' })
  await newOrder('A-3', { status: 'planned' })
  await newOrder('B-1', { due: '2026-02-01' })
  await newOrder('B-2', { due: '2026-02-01' })
  await floor.receive('workOrder', [order('B-1', { due: '2026-02-01', status: 'closed' })])
  await floor.receive('workOrder', [order('B-2', { due: '2026-02-01', status: 'cancelled' })])
  await write(tx => acts.complete(tx, first.weld, { good: '100' }))
  await write(tx => acts.start(tx, second.weld, { employeeIds: [ann] }))

  await t.test('progress: jobs by state, without orders that are closed or cancelled; due today is not late', async t => {
    t.same(await counts(), ['PAINT 3/0/0/0 late 1 of 1', 'WELD 1/1/0/1 late 0 of 0', 'all 4/1/0/1 late 1 of 1'])
    await write(tx => acts.pause(tx, second.weld, { employeeIds: [ann] }))
    t.same((await counts())[1], 'WELD 1/0/1/1 late 0 of 0')
  })

  await t.test('progress: a day begins at midnight of the customer, not of the clock of the server', async t => {
    floor.clock.set('2026-03-02T22:59:59.000Z')
    t.same((await counts())[2], 'all 4/0/1/1 late 1 of 1')
    floor.clock.set('2026-03-02T23:00:00.000Z')
    t.same(await counts(), ['PAINT 3/0/0/0 late 2 of 2', 'WELD 1/0/1/1 late 1 of 1', 'all 4/0/1/1 late 3 of 2'], 'an order is late once')
  })

  await t.test('progress: only what the groups of the caller cover; no groups, no figures', async t => {
    t.same(await counts({}), ['all 0/0/0/0 late 0 of 0'])
    t.same(await counts({ departments: ['PAINT'] }), ['PAINT 3/0/0/0 late 2 of 2', 'all 3/0/0/0 late 2 of 2'])
    t.same(await counts({ orders: ['A-1'] }), ['PAINT 1/0/0/0 late 1 of 1', 'WELD 0/0/0/1 late 0 of 0', 'all 1/0/0/1 late 1 of 1'])
  })

  await t.test('list: the late ones are those that the figure counts, and a department finds the orders with work there', async t => {
    const list = async (filter: { department?: string; late?: boolean }, scope?: Partial<Scope>) => {
      const ctx = floor.ctx(scope)
      const { department = null, late = false } = filter
      const page = { sort: 'number' as const, search: null, status: null, held: false, after: null, limit: 100 }
      const rows = await listOrders(ctx, { ...page, department, dueBefore: late ? today() : null }, visible(ctx))
      return rows.map(row => row.number)
    }
    t.same(await list({ late: true }), ['A-1', 'A-2'])
    t.same(await list({ late: true }, { departments: ['WELD'] }), ['A-2'], 'the welding of A-1 is done')
    t.same(await list({ department: 'PAINT' }), ['A-1', 'A-2', 'A-3', 'B-1', 'B-2'])
    t.same(await list({ department: 'PAINT' }, { departments: ['WELD'] }), [], 'what others have to do there is not theirs to find')
    t.same(await list({ department: 'NONE', late: true }), [])
  })

  await t.test('scrap: by reason and unit, largest first, on the day in the zone of the customer', async t => {
    const kilo = await newOrder('C-1', { quantity: { value: '50', unit: 'kg' } })
    const report = (job: string, at: string, quantity: string, scrapReason = 'CRACK') => {
      floor.clock.set(at)
      return write(tx => acts.report(tx, job, { scrap: quantity, scrapReason }))
    }
    await report(first.paint, '2026-03-09T22:59:59.999Z', '1')
    await report(first.paint, '2026-03-09T23:00:00.000Z', '0.1')
    await report(second.weld, '2026-03-10T12:00:00.000Z', '0.2')
    await report(second.weld, '2026-03-10T22:59:59.999Z', '4', 'SIZE')
    await report(kilo.weld, '2026-03-10T12:00:00.000Z', '2')
    await report(first.paint, '2026-03-10T23:00:00.000Z', '8')
    await write(tx => acts.report(tx, kilo.paint, { good: '3' }))

    t.same(await scrap('2026-03-10', '2026-03-10'), ['SIZE 4 pcs in 1', 'CRACK 2 kg in 1', 'CRACK 0.3 pcs in 2'])
    t.same(await scrap('2026-03-09', '2026-03-11'), ['CRACK 9.3 pcs in 4', 'SIZE 4 pcs in 1', 'CRACK 2 kg in 1'])
    t.same(await scrap('2026-03-12', '2026-03-12'), [])
    t.same(await scrap('2026-03-10', '2026-03-10', { department: 'PAINT' }), ['CRACK 0.1 pcs in 1'])
    t.same(await scrap('2026-03-10', '2026-03-10', { scope: {} }), [])
    t.same(await scrap('2026-03-10', '2026-03-10', { scope: { departments: ['PAINT'] } }), ['CRACK 0.1 pcs in 1'])
    t.same(await scrap('2026-03-10', '2026-03-10', { scope: { orders: ['A-2'] }, department: 'PAINT' }), [])
  })

  await t.test('scrap: on the days on which the clock is put forward and back a day is a day', async t => {
    const { weld } = await newOrder('D-1', { quantity: { value: '50', unit: 'm' } })
    for (const [at, quantity] of [
      ['2026-03-28T23:00:00.000Z', '1'],
      ['2026-03-29T21:59:59.000Z', '2'],
      ['2026-03-29T22:00:00.000Z', '4'],
      ['2026-10-24T22:00:00.000Z', '8'],
      ['2026-10-25T22:59:59.000Z', '16'],
      ['2026-10-25T23:00:00.000Z', '1']
    ] as const) {
      floor.clock.set(at)
      await write(tx => acts.report(tx, weld, { scrap: quantity, scrapReason: 'CRACK' }))
    }
    t.same(await scrap('2026-03-29', '2026-03-29'), ['CRACK 3 m in 2'])
    t.same(await scrap('2026-10-25', '2026-10-25'), ['CRACK 24 m in 2'])
  })

  await t.test('scrap: what was taken back counts nowhere, what was corrected counts as it stands, on its first day', async t => {
    const { weld } = await newOrder('E-1', { quantity: { value: '90', unit: 'l' } })
    const june = async () => ({ first: await scrap('2026-06-01', '2026-06-01'), later: await scrap('2026-06-02', '2026-06-30') })
    floor.clock.set('2026-06-01T08:00:00.000Z')
    const wrong = await write(tx => acts.report(tx, weld, { scrap: '10', scrapReason: 'CRACK' }))
    const undone = await write(tx => acts.report(tx, weld, { scrap: '5', scrapReason: 'CRACK' }))
    const good = await write(tx => acts.report(tx, weld, { good: '7' }))
    t.same((await june()).first, ['CRACK 15 l in 2'])
    floor.clock.set('2026-06-03T08:00:00.000Z')
    const once = await write(tx => acts.correct(tx, wrong, { scrap: '9', scrapReason: 'CRACK', reason: 'counted again' }))
    await write(tx => acts.correct(tx, undone, { reason: 'never happened' }))
    await write(tx => acts.correct(tx, good, { good: '6', scrap: '1', scrapReason: 'SIZE', reason: 'one was bad' }))
    t.same(await june(), { first: ['CRACK 9 l in 1', 'SIZE 1 l in 1'], later: [] })
    floor.clock.set('2026-06-20T08:00:00.000Z')
    const twice = await write(tx => acts.correct(tx, once.replacementId ?? '', { scrap: '3', scrapReason: 'SIZE', reason: 'other reason' }))
    t.same(await june(), { first: ['SIZE 4 l in 2'], later: [] })
    await write(tx => acts.correct(tx, twice.replacementId ?? '', { good: '3', reason: 'good after all' }))
    t.same(await june(), { first: ['SIZE 1 l in 1'], later: [] })
  })

  await t.test('overview: over HTTP with names, decimal text and the last seven days unless told', async t => {
    floor.clock.set('2026-06-07T21:00:00.000Z')
    const token = await floor.house.admin()
    const get = <T>(path: string) => floor.house.call<T>('GET', path, { token })
    await floor.house.call('PUT', '/api/v1/departments/WELD', { token, body: { name: 'Welding' } })
    const progressed = await get<{ items: readonly unknown[]; lateOrders: number }>('/api/v1/orders/progress')
    t.equal(progressed.status, 200)
    t.match(progressed.body.items, [
      { department: 'PAINT', name: null, started: 2 },
      { department: 'WELD', name: 'Welding', waiting: 1, late: 1 }
    ])
    t.equal(progressed.body.lateOrders, 2)
    const week = await get('/api/v1/scrap')
    t.same(week.body, {
      from: '2026-06-01',
      to: '2026-06-07',
      items: [{ reason: 'SIZE', name: 'Wrong size', unit: 'l', quantity: '1', reports: 1 }]
    })
    const march = await get<{ items: readonly { quantity: string }[] }>('/api/v1/scrap?from=2026-03-10&to=2026-03-10&department=PAINT')
    t.same(
      march.body.items.map(item => item.quantity),
      ['0.1']
    )
    for (const period of ['from=2026-06-02&to=2026-06-01', 'from=2026-01-01&to=2026-04-03', 'from=2026-06-08']) {
      const refused = await get(`/api/v1/scrap?${period}`)
      t.match(refused, { status: 400, body: { code: 'period_wrong' } }, period)
    }
    t.equal((await get('/api/v1/scrap?from=2026-01-01&to=2026-04-02')).status, 200, '92 days')
    t.equal((await get('/api/v1/scrap?from=2026-02-30')).status, 400, 'a day that there is not')
    const late = await get<{ items: readonly { number: string }[] }>('/api/v1/work-orders?late=true')
    t.same(
      late.body.items.map(item => item.number),
      ['A-1', 'A-2']
    )
    t.equal((await floor.house.call('GET', '/api/v1/scrap', { token: old })).status, 401, 'an old token opens nothing')
  })
})

t.test('period: the last seven days end today or where they are told to', async t => {
  t.same(periodOf({}, '2026-03-03'), { from: '2026-02-25', to: '2026-03-03' })
  t.same(periodOf({ to: '2026-01-02' }, '2026-03-03'), { from: '2025-12-27', to: '2026-01-02' })
  t.same(periodOf({ from: '2026-03-03' }, '2026-03-03'), { from: '2026-03-03', to: '2026-03-03' })
  t.throws(() => periodOf({ from: '2026-03-04' }, '2026-03-03'), { code: 'period_wrong' })
  t.equal(dayIn('Europe/Amsterdam', new Date('2026-03-29T22:00:00Z')), '2026-03-30')
})
