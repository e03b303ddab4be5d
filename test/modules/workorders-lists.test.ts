import t from 'tap'
import type { Scope } from '../../core/index.ts'
import { readScan } from '../../modules/workorders/job-routes.ts'
import { listJobs, listOrders } from '../../modules/workorders/list-store.ts'
import { type OrderPlace, orderPlace, orderSorts } from '../../modules/workorders/order-sorts.ts'
import { shows } from '../../modules/workorders/show.ts'
import { openFloor } from '../helpers/floor.ts'
import { order } from '../helpers/orders.ts'

t.test('lists of the floor', async t => {
  const floor = await openFloor(t)
  const { visible } = floor.needs.authz
  const show = shows(floor.needs)
  await floor.receive('workOrder', [
    order('A-1', { due: '2026-03-20' }),
    order('A-2', { due: '2026-03-10' }),
    order('A-3'),
    order('B-1', { priority: 10, due: '2026-12-31' }),
    order('P-1', { status: 'planned', priority: 99 }),
    order('100%', { description: 'percent' })
  ])
  const none = { search: null, scans: null, status: null, department: null, after: null, limit: 100 }
  const jobs = async (filter: Partial<Parameters<typeof listJobs>[1]> = {}, scope?: Partial<Scope>) => {
    const ctx = floor.ctx(scope)
    return (await listJobs(ctx, { ...none, ...filter }, visible(ctx, 'j.id'))).map(j => `${j.order_number}/${j.number}`)
  }
  const orders = async (filter: Partial<Parameters<typeof listOrders>[1]> = {}, scope?: Partial<Scope>) => {
    const ctx = floor.ctx(scope)
    const all = {
      sort: 'urgent' as const,
      search: null,
      status: null,
      department: null,
      held: false,
      dueBefore: null,
      after: null,
      limit: 100
    }
    return (await listOrders(ctx, { ...all, ...filter }, visible(ctx, 'j.id'))).map(o => o.number)
  }

  await t.test('list: the most urgent first: priority, then due date, then as they came', async t => {
    t.same(await jobs(), ['B-1/10', 'B-1/20', 'A-2/10', 'A-2/20', 'A-1/10', 'A-1/20', 'A-3/10', 'A-3/20', '100%/10', '100%/20'])
    t.same(await orders(), ['P-1', 'B-1', 'A-2', 'A-1', 'A-3', '100%'], 'a planned order is on the planner’s list, not on the floor’s')
  })

  await t.test('list: pages follow each other without a gap or a double, whatever their size', async t => {
    const whole = await jobs()
    for (const limit of [1, 2, 3, 7]) {
      const seen: string[] = []
      let after: Parameters<typeof listJobs>[1]['after'] = null
      for (let page = 0; page < 20; page++) {
        const ctx = floor.ctx()
        const rows = await listJobs(ctx, { ...none, after, limit }, visible(ctx, 'j.id'))
        seen.push(...rows.map(j => `${j.order_number}/${j.number}`))
        const last = rows.at(-1)
        if (!last || rows.length < limit) break
        after = [last.priority, last.due ?? 'infinity', last.seq]
      }
      t.same(seen, whole, `pages of ${limit}`)
    }
  })

  await t.test('list: orders by due date, by number and newest first, page by page without a gap or a double', async t => {
    const sorted = {
      urgent: ['P-1', 'A-2', 'A-1', 'A-3', '100%', 'B-1'],
      due: ['A-2', 'A-1', 'B-1', 'A-3', 'P-1', '100%'],
      number: ['100%', 'A-1', 'A-2', 'A-3', 'B-1', 'P-1'],
      newest: ['100%', 'P-1', 'B-1', 'A-3', 'A-2', 'A-1']
    }
    const all = { search: null, status: null, department: null, held: false, dueBefore: null }
    // The most urgent but one is done: it presses no longer.
    await floor.rows(`update workorders.work_order set status = 'completed' where number = 'B-1'`)
    t.teardown(() => floor.rows(`update workorders.work_order set status = 'released' where number = 'B-1'`))
    for (const sort of orderSorts) {
      for (const limit of [1, 2, 5, 100]) {
        const seen: string[] = []
        let after: OrderPlace | null = null
        for (let page = 0; page < 20; page++) {
          const ctx = floor.ctx()
          const rows: Awaited<ReturnType<typeof listOrders>> = await listOrders(ctx, { ...all, sort, after, limit }, visible(ctx, 'j.id'))
          seen.push(...rows.map(o => o.number))
          const last = rows.at(-1)
          if (!last || rows.length < limit) break
          after = orderPlace(sort, last)
        }
        t.same(seen, sorted[sort], `${sort}, pages of ${limit}`)
      }
    }
  })

  await t.test('list: only what the groups of the caller cover; no groups, no rows', async t => {
    t.same(await jobs({}, {}), [])
    t.same(await orders({}, {}), [])
    t.same(await jobs({}, { departments: ['PAINT'] }), ['B-1/20', 'A-2/20', 'A-1/20', 'A-3/20', '100%/20'])
    t.same(await jobs({}, { workCentres: ['W1'], orders: ['A-1'] }), ['B-1/10', 'A-2/10', 'A-1/10', 'A-1/20', 'A-3/10', '100%/10'])
    t.same(await jobs({}, { orderPatterns: ['A-%'] }), ['A-2/10', 'A-2/20', 'A-1/10', 'A-1/20', 'A-3/10', 'A-3/20'])
    t.same(await orders({}, { orders: ['B-1'] }), ['B-1'])
  })

  await t.test('list: a scan finds exactly one order or operation, whatever stands between the two numbers', async t => {
    for (const [text, expected] of [
      ['A-1', ['A-1/10', 'A-1/20']],
      ['A-1/20', ['A-1/20']],
      ['A-1-20', ['A-1/20']],
      ['A-1.20', ['A-1/20']],
      ['A-', []],
      ['A-1/30', []]
    ] as const) {
      t.same(await jobs({ scans: readScan(text) }), expected, text)
    }
    t.same(await jobs({ scans: readScan('A-1/20') }, { departments: ['WELD'] }), [], 'a scan is no way round the groups')
  })

  await t.test('list: search takes what was typed literally', async t => {
    t.same(await orders({ search: '%0\\%%' }), ['100%'])
    t.same(await jobs({ search: '%paint%', department: 'PAINT', status: 'released' }), ['B-1/20', 'A-2/20', 'A-1/20', 'A-3/20', '100%/20'])
    t.same(await jobs({ status: 'paused' }), [])
  })

  await t.test('list: the next operation proposes what came out of the one before', async t => {
    await floor.write(async tx => floor.acts.complete(tx, await floor.job('A-1', '10'), { good: '93', shortfall: 'lost' }))
    const painting = await show.job(floor.ctx(), await floor.job('A-1', '20'))
    t.equal(painting.proposedQuantity, '93')
    t.equal(painting.plannedQuantity, '100')
    t.equal((await show.job(floor.ctx(), await floor.job('A-2', '20'))).proposedQuantity, '100', 'nobody has touched the one before')
  })
})
