import t from 'tap'
import { openFloor } from '../helpers/floor.ts'
import { order } from '../helpers/orders.ts'

t.test('work orders: the floor', async t => {
  const floor = await openFloor(t)
  const { acts, write, receive, rows, sent } = floor
  const [ann, bob] = await floor.employees(2)
  await rows(`insert into workorders.scrap_reason (code, name) values ('CRACK', 'Cracked')`)
  const jobState = async (id: string) => (await rows('select status, good::text, scrap::text, rework::text from workorders.job where id = $1', [id]))[0]
  const orderState = async (number: string) => (await rows('select status from workorders.work_order where number = $1', [number]))[0]?.status

  t.same(await receive('workOrder', [order('WO-1')]), [{ key: 'WO-1', status: 'applied' }])
  const weld = await floor.job('WO-1', '10')
  const paint = await floor.job('WO-1', '20')

  await write(tx => acts.start(tx, weld, { employeeIds: [ann] }))
  t.equal((await jobState(weld)).status, 'started')
  t.equal(await orderState('WO-1'), 'started')
  await t.rejects(write(tx => acts.start(tx, weld, { employeeIds: [ann] })), { code: 'job_already_running', detail: /Operation 10 of work order WO-1/ })
  await write(tx => acts.start(tx, weld, { employeeIds: [bob] }))
  t.same((await sent('WO-1')).filter(m => m.kind !== 'labour').map(m => [m.kind, m.record.status]), [['operationStatus', 'started'], ['orderStatus', 'started']])
  floor.clock.advance(60)
  await write(tx => acts.pause(tx, weld, { employeeIds: [ann] }))
  t.equal((await jobState(weld)).status, 'started', 'bob works on')
  await t.rejects(write(tx => acts.report(tx, weld, { good: '40', scrap: '2' })), { code: 'scrap_reason_missing' })
  await t.rejects(write(tx => acts.report(tx, weld, { good: '40', scrap: '2', scrapReason: 'NOPE' })), { code: 'scrap_reason_unknown' })
  const first = await write(tx => acts.report(tx, weld, { good: '40', scrap: '2', scrapReason: 'CRACK' }))
  t.match(await jobState(weld), { good: '40.000000', scrap: '2.000000' })
  await t.rejects(write(tx => acts.complete(tx, weld, { good: '50' })), { code: 'shortfall_undecided', detail: /misses 8 pcs/ })
  await write(tx => acts.complete(tx, weld, { good: '50', shortfall: 'not_yet' }))
  t.match(await jobState(weld), { status: 'paused', good: '90.000000' })
  t.equal(await orderState('WO-1'), 'paused')
  await write(tx => acts.complete(tx, weld, { shortfall: 'lost' }))
  t.equal((await jobState(weld)).status, 'completed')
  t.equal(await orderState('WO-1'), 'started', 'painting is still to do')
  const corrected = await write(tx => acts.correct(tx, first, { good: '42', scrap: '0', reason: 'counted again' }))
  t.ok(corrected.replacementId)
  t.match(await jobState(weld), { good: '92.000000', scrap: '0.000000', status: 'completed' })
  await t.rejects(write(tx => acts.correct(tx, first, { good: '1', reason: 'x' })), { code: 'report_reversed' })
  await write(tx => acts.complete(tx, paint, { good: '92' }))
  t.equal(await orderState('WO-1'), 'completed')
  console.error(JSON.stringify((await sent('WO-1')).map(m => [m.kind, m.record.status ?? '', m.record.good?.value, m.record.quantity?.value, m.reverses ? 'rev' : ''])))
  t.same(await rows(`select a.number, l.code, v.quantity::text from inventory.level v join inventory.article a on a.id = v.article_id join inventory.location l on l.id = v.location_id`), [{ number: 'P-1', code: '-', quantity: '92.000000' }])
})
