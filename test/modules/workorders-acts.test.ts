import t from 'tap'
import { type TxCtx, withTx } from '../../core/index.ts'
import { openFloor } from '../helpers/floor.ts'
import { order } from '../helpers/orders.ts'

t.test('acts on jobs', async t => {
  const floor = await openFloor(t)
  const { acts, write, sent } = floor
  const ann = await floor.employee()
  const bob = await floor.employee()
  await floor.rows(`insert into workorders.scrap_reason (code, name) values ('CRACK', 'Cracked'), ('OLD', 'Not used any more')`)
  await floor.rows(`update workorders.scrap_reason set active = false where code = 'OLD'`)

  /** An order of its own for a test, with the ids of its two jobs. */
  const newOrder = async (number: string, parts: Parameters<typeof order>[1] = {}) => {
    await floor.receive('workOrder', [order(number, parts)])
    return { weld: await floor.job(number, '10'), paint: await floor.job(number, '20') }
  }
  const job = async (id: string) =>
    (
      await floor.rows(
        'select status, trim_scale(good)::text as good, trim_scale(scrap)::text as scrap from workorders.job where id = $1',
        [id]
      )
    )[0]
  const status = async (number: string) =>
    (await floor.rows<{ status: string }>('select status from workorders.work_order where number = $1', [number]))[0]?.status
  const told = async (number: string) =>
    (await sent(number)).filter(m => m.kind !== 'labour').map(m => `${m.kind} ${m.record.status ?? ''}`.trim())

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

  await t.test('report: good, scrap, reason and rework go in one submit and reach the ERP as what was added', async t => {
    const { weld } = await newOrder('R-1')
    await write(tx => acts.report(tx, weld, { good: '40.5', scrap: '2', rework: '1', scrapReason: 'CRACK' }))
    await write(tx => acts.report(tx, weld, { good: '9.5' }))
    t.match(await job(weld), { status: 'started', good: '50', scrap: '2' })
    const [first, , second] = await sent('R-1')
    t.match(first?.record, {
      workOrder: 'R-1',
      operation: '10',
      good: { value: '40.5', unit: 'pcs' },
      scrap: { value: '2', unit: 'pcs' },
      rework: { value: '1', unit: 'pcs' },
      scrapReason: 'CRACK'
    })
    t.same(second?.record.good, { value: '9.5', unit: 'pcs' })
  })

  await t.test('report: scrap needs a reason in use, and something must be reported', async t => {
    const { weld } = await newOrder('R-2')
    await t.rejects(
      write(tx => acts.report(tx, weld, { scrap: '2' })),
      { code: 'scrap_reason_missing' }
    )
    await t.rejects(
      write(tx => acts.report(tx, weld, { scrap: '2', scrapReason: 'OLD' })),
      { code: 'scrap_reason_unknown' }
    )
    await t.rejects(
      write(tx => acts.report(tx, weld, { good: '0' })),
      { code: 'nothing_reported' }
    )
    await t.rejects(
      write(tx => acts.report(tx, weld, { good: '1', employeeId: weld })),
      { code: 'employee_unknown' }
    )
    t.match(await job(weld), { good: '0', scrap: '0', status: 'released' })
    t.same(await sent('R-2'), [])
  })

  await t.test('report: ten people who report at the same time add up', async t => {
    const { weld } = await newOrder('R-3')
    await Promise.all(Array.from({ length: 10 }, () => write(tx => acts.report(tx, weld, { good: '7.1' }))))
    t.match(await job(weld), { good: '71' })
    t.equal((await sent('R-3')).filter(m => m.kind === 'operationStatus').length, 10)
  })

  await t.test('report: more than planned asks for a reason', async t => {
    const { weld } = await newOrder('R-4')
    await t.rejects(
      write(tx => acts.report(tx, weld, { good: '101' })),
      { code: 'over_report_reason_missing' }
    )
    await write(tx => acts.report(tx, weld, { good: '101', reason: 'one spare' }))
    t.match(await job(weld), { good: '101' })
  })

  await t.test('completion: what is missing must be decided: not yet pauses, lost completes', async t => {
    const { weld } = await newOrder('C-1')
    await write(tx => acts.start(tx, weld, { employeeIds: [ann] }))
    await t.rejects(
      write(tx => acts.complete(tx, weld, { good: '90' })),
      { code: 'shortfall_undecided', detail: /misses 10 pcs/ }
    )
    t.match(await job(weld), { good: '0', status: 'started' }, 'the refused report is not kept')
    await write(tx => acts.complete(tx, weld, { good: '90', shortfall: 'not_yet' }))
    t.match(await job(weld), { good: '90', status: 'paused' })
    t.equal(
      (await floor.rows('select 1 from timekeeping.interval where job_id = $1 and ended_at is null', [weld])).length,
      0,
      'nobody’s clock runs on'
    )
    await write(tx => acts.complete(tx, weld, { shortfall: 'lost' }))
    t.match(await job(weld), { good: '90', scrap: '0', status: 'completed' }, 'lost pieces are not scrap')
    t.equal(await status('C-1'), 'started', 'there is an operation to do')
    await t.rejects(
      write(tx => acts.start(tx, weld, { employeeIds: [ann] })),
      { code: 'job_completed' }
    )
  })

  await t.test('completion: the last operation finishes the order and receives the goods', async t => {
    const { weld, paint } = await newOrder('C-2')
    await write(tx => acts.complete(tx, weld, { good: '95', shortfall: 'lost' }))
    await write(tx => acts.complete(tx, paint, { good: '95' }))
    t.equal(await status('C-2'), 'completed', '95 came in, 95 went out: nothing is missing')
    const messages = await sent('C-2')
    t.match(messages.find(m => m.kind === 'productReceipt')?.record, {
      workOrder: 'C-2',
      article: 'P-1',
      quantity: { value: '95', unit: 'pcs' }
    })
    t.match(messages.at(-1)?.record, { workOrder: 'C-2', status: 'finished' })
    t.equal(messages.filter(m => m.kind === 'productReceipt').length, 1, 'the first operation receives nothing')
  })

  await t.test('completion: a completed job is reopened with a reason, and the order with it', async t => {
    const { weld, paint } = await newOrder('C-3')
    await write(tx => acts.complete(tx, weld, { good: '100' }))
    await write(tx => acts.complete(tx, paint, { good: '100' }))
    await t.rejects(
      write(tx => acts.report(tx, paint, { good: '1' })),
      { code: 'job_completed' }
    )
    await write(tx => acts.reopen(tx, paint, 'one was scratched'))
    t.match(await job(paint), { status: 'paused' })
    t.equal(await status('C-3'), 'paused')
    t.match(await floor.rows(`select kind, reason from workorders.report where job_id = $1 order by seq desc limit 1`, [paint]), [
      { kind: 'reopening', reason: 'one was scratched' }
    ])
    await t.rejects(
      write(tx => acts.reopen(tx, paint, 'again')),
      { code: 'job_not_completed' }
    )
  })

  await t.test('correction: a reversal and a new row, linked, with the reason; both reach the ERP', async t => {
    const { weld, paint } = await newOrder('K-1')
    await write(tx => acts.complete(tx, weld, { good: '100' }))
    const reportId = await write(tx => acts.complete(tx, paint, { good: '98', scrap: '2', scrapReason: 'CRACK' }))
    const { reversalId, replacementId } = await write(tx =>
      acts.correct(tx, reportId, { good: '97', scrap: '3', scrapReason: 'CRACK', reason: 'counted again' })
    )
    t.match(await job(paint), { status: 'completed', good: '97', scrap: '3' })
    const rows = await floor.rows(
      'select id, kind, trim_scale(good)::text as good, trim_scale(scrap)::text as scrap, reverses, replaces, reason, outbox_key from workorders.report where job_id = $1 order by seq',
      [paint]
    )
    t.match(rows, [
      { id: reportId, kind: 'report', good: '98', scrap: '2' },
      { id: reversalId, kind: 'reversal', good: '-98', scrap: '-2', reverses: reportId, reason: 'counted again' },
      { id: replacementId, kind: 'replacement', good: '97', scrap: '3', replaces: reportId, reason: 'counted again' }
    ])
    const messages = await sent('K-1')
    const back = messages.find(m => m.kind === 'operationStatus' && m.reverses === rows[0]?.outbox_key)
    t.match(back?.record, { good: { value: '-98' }, scrap: { value: '-2' }, scrapReason: 'CRACK' })
    const receipts = messages.filter(m => m.kind === 'productReceipt')
    t.same(
      receipts.map(m => (m.record.quantity as { value: string }).value),
      ['98', '-98', '97']
    )
    t.equal(receipts[1]?.reverses, receipts[0]?.key)
    await t.rejects(
      write(tx => acts.correct(tx, reportId, { good: '1', reason: 'twice' })),
      { code: 'report_reversed' }
    )
    await t.rejects(
      write(tx => acts.correct(tx, reversalId, { good: '1', reason: 'no' })),
      { code: 'reversal_not_correctable' }
    )
    await write(tx => acts.correct(tx, replacementId ?? '', { reason: 'nothing was made' }))
    t.match(await job(paint), { good: '0', scrap: '0' }, 'all zero takes it back only')
    await t.rejects(
      write(tx => acts.correct(tx, reportId, { reason: 'not mine' }), { departments: ['WELD'] }),
      { code: 'not_found' }
    )
  })

  await t.test('correction: of two at the same time one wins', async t => {
    const { weld } = await newOrder('K-2')
    const reportId = await write(tx => acts.report(tx, weld, { good: '50' }))
    const outcomes = await Promise.allSettled(
      [48, 49].map(n => write(tx => acts.correct(tx, reportId, { good: String(n), reason: 'counted' })))
    )
    t.equal(outcomes.filter(o => o.status === 'fulfilled').length, 1)
    t.match(
      outcomes.find(o => o.status === 'rejected'),
      { reason: { code: 'report_reversed' } }
    )
    t.equal((await floor.rows('select 1 from workorders.report where job_id = $1', [weld])).length, 3)
  })

  await t.test('undo: the reporter takes back within a minute, a completed job is paused again, and the ERP hears both', async t => {
    const { weld } = await newOrder('U-1')
    const first = await write(tx => acts.report(tx, weld, { good: '40' }))
    const last = await write(tx => acts.complete(tx, weld, { good: '60' }))
    await write(tx => acts.undo(tx, last))
    t.match(await job(weld), { status: 'paused', good: '40' })
    t.same(
      (await floor.rows('select kind from workorders.report where job_id = $1 order by seq', [weld])).map(row => row.kind),
      ['report', 'report', 'reversal', 'reopening']
    )
    const back = (await sent('U-1')).filter(m => m.reverses !== null)
    t.match(back, [{ kind: 'operationStatus', record: { good: { value: '-60' } } }])
    await t.rejects(
      write(tx => acts.undo(tx, last)),
      { code: 'report_reversed' }
    )
    await write(tx => acts.complete(tx, weld, { good: '60' }))
    await write(tx => acts.undo(tx, first))
    t.match(await job(weld), { status: 'completed', good: '60' }, 'what an earlier report is taken back from stays completed')
  })

  await t.test('undo: not of others, not later, not outside the groups', async t => {
    const { weld } = await newOrder('U-2')
    const reportId = await write(tx => acts.report(tx, weld, { good: '1' }))
    await t.rejects(
      write(tx => acts.undo({ ...tx, principal: { kind: 'user', id: bob } } as TxCtx, reportId)),
      { code: 'undo_over' }
    )
    await t.rejects(
      write(tx => acts.undo(tx, reportId), { departments: ['PAINT'] }),
      { code: 'not_found' }
    )
    floor.clock.advance(61)
    await t.rejects(
      write(tx => acts.undo(tx, reportId)),
      { code: 'undo_over' }
    )
    t.match(await job(weld), { good: '1' })
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

  await t.test('material: a line of the order is consumed and brought back, a mistyped article is refused', async t => {
    const { weld } = await newOrder('M-1', {
      materials: [{ line: '1', operation: '10', article: 'B-1', quantity: { value: '200', unit: 'pcs' } }]
    })
    await write(tx => acts.consume(tx, weld, [{ line: '1', quantity: '10' }]))
    await write(tx => acts.giveBack(tx, weld, [{ line: '1', quantity: '4' }]))
    t.same(
      (await sent('M-1')).map(m => [m.kind, m.record.line, (m.record.quantity as { value: string }).value]),
      [
        ['materialConsumption', '1', '10'],
        ['materialConsumption', '1', '-4']
      ]
    )
    t.equal((await floor.inventory.consumedByLine(floor.ctx(), 'M-1')).get('1'), '6.000000')
    await t.rejects(
      write(tx => acts.consume(tx, weld, [{ article: 'NOPE', quantity: '1' }])),
      { code: 'article_unknown', errors: [{ pointer: '/items/0/article' }] }
    )
    await t.rejects(
      write(tx => acts.consume(tx, weld, [{ line: '9', quantity: '1' }])),
      { code: 'material_line_unknown' }
    )
  })

  await t.test('material: backflush takes what the output needed, once, whatever was taken by hand before', async t => {
    await floor.rows(`update workorders.setting set backflush = 'on_report'`)
    const { weld, paint } = await newOrder('M-2', {
      materials: [
        { line: '1', operation: '10', article: 'B-1', quantity: { value: '200', unit: 'pcs' } },
        { line: '2', article: 'B-2', quantity: { value: '50', unit: 'kg' } }
      ]
    })
    await write(tx => acts.consume(tx, weld, [{ line: '1', quantity: '30' }]))
    await write(tx => acts.report(tx, weld, { good: '10' }))
    t.equal((await floor.inventory.consumedByLine(floor.ctx(), 'M-2')).get('1'), '30.000000', '20 were due, 30 were taken')
    await write(tx => acts.complete(tx, weld, { good: '90' }))
    t.equal((await floor.inventory.consumedByLine(floor.ctx(), 'M-2')).get('1'), '200.000000')
    t.equal(
      (await floor.inventory.consumedByLine(floor.ctx(), 'M-2')).get('2'),
      undefined,
      'a line of the whole order waits for the last operation'
    )
    await write(tx => acts.complete(tx, paint, { good: '100' }))
    t.equal((await floor.inventory.consumedByLine(floor.ctx(), 'M-2')).get('2'), '50.000000')
    await floor.rows(`update workorders.setting set backflush = 'none'`)
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

  await t.test('sums: after everything above each job’s sums are the sums of its reports', async t => {
    const wrong = await floor.rows(`
      select j.id from workorders.job j left join workorders.report r on r.job_id = j.id
       group by j.id having j.good <> coalesce(sum(r.good), 0) or j.scrap <> coalesce(sum(r.scrap), 0) or j.rework <> coalesce(sum(r.rework), 0)`)
    t.same(wrong, [])
    t.ok((await floor.rows('select 1 from workorders.report')).length > 20, 'an empty check is not a pass')
  })
})
