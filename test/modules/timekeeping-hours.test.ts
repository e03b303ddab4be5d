import t from 'tap'
import { type Ctx, withTx } from '../../core/index.ts'
import { correctBooking } from '../../modules/timekeeping/bookings.ts'
import { findEmployees } from '../../modules/timekeeping/employees.ts'
import { startIndirect, stopIndirect } from '../../modules/timekeeping/intervals.ts'
import { listBookings } from '../../modules/timekeeping/store.ts'
import { openActs } from '../helpers/acts.ts'
import { order } from '../helpers/orders.ts'

t.test('hours', async t => {
  const { floor, acts, write, ann, bob, newOrder } = await openActs(t)
  const { authz, outbox, journal } = floor.needs
  const services = { authz: floor.house.house.faces.authz, outbox, journal }
  const day = '2026-03-02'
  const seen = async (ctx: Ctx) => {
    const rows = await listBookings(ctx, { day, employeeId: null, after: '0', limit: 100 }, authz.visible(ctx, 'booking.job_id'))
    return rows.map(row => row.operation_number ?? row.activity_code).sort()
  }
  const bookingOf = async (order: string, operation: string) =>
    (
      await floor.rows<{ id: string; seconds: number }>(
        `select id, seconds from timekeeping.booking where order_number = $1 and operation_number = $2 and reverses is null order by seq desc limit 1`,
        [order, operation]
      )
    )[0]

  await t.test('hours: a team lead sees and corrects time on the jobs of the own groups, and on no job, nothing else', async t => {
    const { weld, paint } = await newOrder('H-1')
    await floor.rows(`insert into timekeeping.activity_code (code, name, kind) values ('CLEAN', 'Cleaning', 'indirect')`)
    await write(tx => acts.start(tx, weld, { employeeIds: [ann] }))
    await write(tx => acts.start(tx, paint, { employeeIds: [bob] }))
    floor.clock.set('2026-03-02T08:30:00.000Z')
    await write(tx => acts.pause(tx, weld, {}))
    await write(tx => acts.pause(tx, paint, {}))
    await write(tx => startIndirect(tx, services, { employeeId: ann, activityCode: 'CLEAN' }))
    floor.clock.set('2026-03-02T08:40:00.000Z')
    await write(tx => stopIndirect(tx, services, ann))
    t.same(await seen(floor.ctx()), ['10', '20', 'CLEAN'])
    const painter = { departments: ['PAINT'] }
    t.same(await seen(floor.ctx(painter)), ['20', 'CLEAN'])
    t.same(await seen(floor.ctx({})), ['CLEAN'])
    const [theirs, own] = [await bookingOf('H-1', '10'), await bookingOf('H-1', '20')]
    const correct = (id: string | undefined) =>
      write(tx => correctBooking(tx, services, { id: id ?? '', seconds: 600, reason: 'forgot to stop' }), painter)
    await t.rejects(correct(theirs?.id), { code: 'booking_unknown' })
    t.match(await bookingOf('H-1', '10'), { seconds: 1800 })
    await correct(own?.id)
    t.match(await bookingOf('H-1', '20'), { seconds: 600 })
    await t.rejects(correct(own?.id), { code: 'booking_corrected' })
    t.same(
      (await floor.sent('H-1')).filter(m => m.kind === 'labour').map(m => [m.record.operation, m.record.seconds]),
      [
        ['10', 1800],
        ['20', 1800],
        ['20', -1800],
        ['20', 600]
      ],
      'the ERP hears of the reversal and of the new row'
    )
  })

  await t.test('hours: when the ERP closes many orders, people are locked in one order whatever orders they work on', async t => {
    const [low = '', high = ''] = [ann, bob].sort()
    const one = await newOrder('H-2')
    const two = await newOrder('H-3')
    await write(tx => acts.start(tx, one.weld, { employeeIds: [high] }))
    await write(tx => acts.start(tx, two.weld, { employeeIds: [low] }))
    const client = await floor.ctx().db.pool.connect()
    try {
      await client.query('begin')
      await client.query('select id from timekeeping.employee where id = $1 for update', [low])
      const closing = floor.receive('workOrder', [], ['H-2', 'H-3'])
      const waits = async () =>
        (await floor.rows(`select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`)).length > 0
      for (let tries = 0; tries < 200 && !(await waits()); tries++) await new Promise(resolve => setTimeout(resolve, 25))
      t.ok(await waits(), 'the import waits for the first person')
      await client.query('select id from timekeeping.employee where id = $1 for update nowait', [high])
      await client.query('rollback')
      await closing
    } finally {
      client.release()
    }
    t.same(
      await floor.rows(
        `select order_number, flagged from timekeeping.interval where order_number in ('H-2', 'H-3') and ended_at is not null order by 1`
      ),
      [
        { order_number: 'H-2', flagged: true },
        { order_number: 'H-3', flagged: true }
      ]
    )
  })

  await t.test('hours: an employee who stopped being active between two pages does not send the list back to its begin', async t => {
    const filter = { search: undefined, active: true }
    const all = await findEmployees(floor.ctx(), { ...filter, after: undefined })
    const last = all[0]
    await floor.rows('update timekeeping.employee set active = false where id = $1', [last?.id])
    t.same(
      (await findEmployees(floor.ctx(), { ...filter, after: last?.id })).map(e => e.id),
      all.slice(1).map(e => e.id)
    )
    t.same(await findEmployees(floor.ctx(), { ...filter, after: '00000000-0000-7000-8000-00000000ffff' }), [])
    await floor.rows('update timekeeping.employee set active = true')
  })

  await t.test('hours: a night of 25 hours is booked as the 9 hours that were worked, on the day it began', async t => {
    await floor.receive('workOrder', [order('H-4')])
    const weld = await floor.job('H-4', '10')
    floor.clock.set('2026-10-24T20:00:00.000Z')
    await write(tx => acts.start(tx, weld, { employeeIds: [ann] }))
    floor.clock.set('2026-10-25T05:00:00.000Z')
    await withTx(floor.ctx(), tx => acts.pause(tx, weld, {}))
    t.same(await floor.rows(`select seconds, day::text as day from timekeeping.booking where order_number = 'H-4'`), [
      { seconds: 9 * 3600, day: '2026-10-24' }
    ])
  })
})
