import t from 'tap'
import { type TxCtx, withTx } from '../../core/index.ts'
import { openActs } from '../helpers/acts.ts'

t.test('acts on jobs', async t => {
  const { floor, acts, write, sent, ann, bob, newOrder, job, status, told } = await openActs(t)

  await t.test('job: starting tells the ERP of the operation and of the order, once', async t => {
    const { weld, paint } = await newOrder('S-1')
    await write(tx => acts.start(tx, weld, { employeeIds: [ann] }))
    await write(tx => acts.start(tx, paint, { employeeIds: [ann] }))
    t.equal((await job(weld))?.status, 'started')
    t.equal(await status('S-1'), 'started')
    t.same(await told('S-1'), ['operationStatus started', 'orderStatus started', 'operationStatus started'])
    t.same(
      (await floor.rows('select employee_id from timekeeping.interval where order_number = $1 and ended_at is null', ['S-1'])).length,
      2,
      'one person, two operations'
    )
  })

  await t.test('job: starting twice for the same person is refused with the operation and the hour', async t => {
    const { weld } = await newOrder('S-2')
    await write(tx => acts.start(tx, weld, { employeeIds: [ann] }))
    await t.rejects(
      write(tx => acts.start(tx, weld, { employeeIds: [ann] })),
      {
        code: 'job_already_running',
        detail: /Operation 10 of work order S-2 runs already.*2026-03-02T08:/
      }
    )
    await write(tx => acts.start(tx, weld, { employeeIds: [ann, bob] }))
    t.equal(
      (await floor.rows('select 1 from timekeeping.interval where job_id = $1', [weld])).length,
      2,
      'the second person joins, the first goes on'
    )
  })

  await t.test('job: five people who tap at the same time all run, and the ERP hears of one start', async t => {
    const { weld } = await newOrder('S-3')
    const five: string[] = []
    while (five.length < 5) five.push(await floor.employee())
    await Promise.all(five.map(id => write(tx => acts.start(tx, weld, { employeeIds: [id] }))))
    t.equal((await floor.rows('select 1 from timekeeping.interval where job_id = $1 and ended_at is null', [weld])).length, 5)
    t.same(await told('S-3'), ['operationStatus started', 'orderStatus started'])
  })

  await t.test('job: outside the groups of the caller there is no such job, whatever the act', async t => {
    const { weld, paint } = await newOrder('S-4')
    const painter = { departments: ['PAINT'] }
    for (const act of [
      () => write(tx => acts.start(tx, weld, { employeeIds: [ann] }), painter),
      () => write(tx => acts.report(tx, weld, { good: '1' }), painter),
      () => write(tx => acts.complete(tx, weld, { shortfall: 'lost' }), painter),
      () => write(tx => acts.consume(tx, weld, [{ article: 'B-1', quantity: '1' }]), painter),
      () => write(tx => acts.start(tx, paint, { employeeIds: [ann] }), {})
    ]) {
      await t.rejects(async () => void (await act()), { code: 'not_found' })
    }
    await write(tx => acts.start(tx, paint, { employeeIds: [ann] }), painter)
    t.equal((await job(paint))?.status, 'started')
  })

  await t.test('job: it is paused when the last person stops, and resumed', async t => {
    const { weld } = await newOrder('P-1')
    await write(tx => acts.start(tx, weld, { employeeIds: [ann, bob] }))
    await write(tx => acts.pause(tx, weld, { employeeIds: [ann] }))
    t.equal((await job(weld))?.status, 'started', 'the other one works on')
    await t.rejects(
      write(tx => acts.pause(tx, weld, { employeeIds: [ann] })),
      { code: 'not_on_job' }
    )
    await write(tx => acts.pause(tx, weld, {}))
    t.equal((await job(weld))?.status, 'paused')
    await t.rejects(
      write(tx => acts.pause(tx, weld, {})),
      { code: 'job_not_running' }
    )
    await write(tx => acts.resume(tx, weld, { employeeIds: [ann] }))
    t.same(await told('P-1'), [
      'operationStatus started',
      'orderStatus started',
      'operationStatus paused',
      'orderStatus paused',
      'operationStatus started',
      'orderStatus started'
    ])
  })

  await t.test('job: nobody is started when nobody is named and the account is nobody’s', async t => {
    const { weld } = await newOrder('P-2')
    await t.rejects(
      write(tx => acts.start(tx, weld, {})),
      { code: 'employee_missing' }
    )
    await t.rejects(
      write(tx => acts.start(tx, weld, { employeeIds: ['00000000-0000-7000-8000-00000000ffff'] })),
      { code: 'employee_unknown' }
    )
    t.equal((await job(weld))?.status, 'released', 'a refused start leaves nothing')
    t.same(await sent('P-2'), [])
  })

  await t.test('job: starting and stopping others takes the right of a team lead', async t => {
    const { weld } = await newOrder('P-3')
    const operator = <R>(fn: (tx: TxCtx) => Promise<R>) => {
      const ctx = floor.ctx()
      return withTx({ ...ctx, grant: { ...ctx.grant, permissions: new Set(['jobs.work']) } }, fn)
    }
    await t.rejects(
      operator(tx => acts.start(tx, weld, { employeeIds: [ann] })),
      { code: 'forbidden', detail: /hours\.book/ }
    )
    await write(tx => acts.start(tx, weld, { employeeIds: [ann] }))
    await t.rejects(
      operator(tx => acts.pause(tx, weld, { employeeIds: [ann] })),
      { code: 'forbidden' }
    )
    for (const act of [acts.start, acts.pause]) {
      await t.rejects(
        operator(tx => act(tx, weld, {})),
        { code: 'employee_missing' },
        'who is nobody’s employee is told that, not that a right is missing'
      )
    }
    t.equal((await job(weld))?.status, 'started')
  })

  await t.test('states: a planned, closed or cancelled order is refused with a sentence', async t => {
    const planned = await newOrder('Z-1', { status: 'planned' })
    await t.rejects(
      write(tx => acts.start(tx, planned.weld, { employeeIds: [ann] })),
      { code: 'order_not_released', detail: /Operation 10 of work order Z-1 is planned/ }
    )
    const closed = await newOrder('Z-2', { status: 'closed' })
    await t.rejects(
      write(tx => acts.start(tx, closed.weld, { employeeIds: [ann] })),
      { code: 'order_closed' }
    )
    const cancelled = await newOrder('Z-3', { status: 'cancelled' })
    await t.rejects(
      write(tx => acts.report(tx, cancelled.weld, { good: '1' })),
      { code: 'order_cancelled' }
    )
  })

  await t.test('journal: every act leaves one entry with ids only', async t => {
    const { weld } = await newOrder('J-1')
    const before = (await floor.rows<{ n: string }>('select count(*) as n from journal.entry'))[0]?.n
    await write(tx => acts.start(tx, weld, { employeeIds: [ann] }))
    await write(tx => acts.report(tx, weld, { good: '1' }))
    const entries = await floor.rows('select act, subject_id, data from journal.entry order by seq offset $1', [before])
    t.match(entries, [
      { act: 'job.start', subject_id: weld, data: { employeeIds: [ann] } },
      { act: 'job.report', subject_id: weld }
    ])
  })
})
