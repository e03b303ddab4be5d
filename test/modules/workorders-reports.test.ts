import t from 'tap'
import { type TxCtx, withTx } from '../../core/index.ts'
import { openActs } from '../helpers/acts.ts'
import { order } from '../helpers/orders.ts'

t.test('reports on jobs', async t => {
  const { floor, acts, write, sent, ann, bob, newOrder, job, status } = await openActs(t)

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

  await t.test(
    'report: scrap, completion and a lower correction go through when the ERP has lowered the plan below what is good',
    async t => {
      await floor.rows(`update workorders.setting set over_report = 'block', change_guard = change_guard || '{"quantity":"accept"}'`)
      const { weld } = await newOrder('R-5')
      const reportId = await write(tx => acts.report(tx, weld, { good: '60' }))
      await floor.receive('workOrder', [order('R-5', { quantity: { value: '50', unit: 'pcs' } })])
      await t.rejects(
        write(tx => acts.report(tx, weld, { good: '1' })),
        { code: 'report_exceeds_plan' }
      )
      await write(tx => acts.report(tx, weld, { scrap: '1', scrapReason: 'CRACK' }))
      await write(tx => acts.correct(tx, reportId, { good: '55', reason: 'counted again' }))
      await write(tx => acts.complete(tx, weld, {}))
      t.match(await job(weld), { good: '55', scrap: '1', status: 'completed' })
      await floor.rows(`update workorders.setting set over_report = 'warn', change_guard = change_guard || '{"quantity":"hold"}'`)
    }
  )

  await t.test('report: an operator reports for nobody else, a team lead does', async t => {
    const { weld } = await newOrder('R-6')
    const ctx = floor.ctx()
    const operator = { ...ctx, grant: { ...ctx.grant, permissions: new Set(['jobs.report']) } }
    await t.rejects(
      withTx(operator, tx => acts.report(tx, weld, { good: '1', employeeId: ann })),
      { code: 'forbidden', detail: /hours\.book/ }
    )
    t.match(await job(weld), { good: '0' })
    await write(tx => acts.report(tx, weld, { good: '1', employeeId: ann }))
    t.match(await job(weld), { good: '1' })
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

  await t.test('sums: after everything above each job’s sums are the sums of its reports', async t => {
    const wrong = await floor.rows(`
      select j.id from workorders.job j left join workorders.report r on r.job_id = j.id
       group by j.id having j.good <> coalesce(sum(r.good), 0) or j.scrap <> coalesce(sum(r.scrap), 0) or j.rework <> coalesce(sum(r.rework), 0)`)
    t.same(wrong, [])
    t.ok((await floor.rows('select 1 from workorders.report')).length > 20, 'an empty check is not a pass')
  })
})
