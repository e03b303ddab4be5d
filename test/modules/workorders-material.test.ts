import t from 'tap'
import { pick } from '../../modules/inventory/picks.ts'
import { shows } from '../../modules/workorders/show.ts'
import { openActs } from '../helpers/acts.ts'

t.test('material of jobs', async t => {
  const { floor, acts, write, sent, newOrder } = await openActs(t)
  /** As the screen shows it. */
  const consumed = async (number: string, line: string) => {
    const [order] = await floor.rows<{ id: string }>('select id from workorders.work_order where number = $1', [number])
    const lines = await shows(floor.needs).materials(floor.ctx(), { id: order?.id ?? '', number })
    return lines.find(one => one.line === line)?.consumed
  }

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
    t.equal(await consumed('M-1', '1'), '6')
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
    t.equal(await consumed('M-2', '1'), '30', '20 were due, 30 were taken')
    await write(tx => acts.complete(tx, weld, { good: '90' }))
    t.equal(await consumed('M-2', '1'), '200')
    t.equal(await consumed('M-2', '2'), '0', 'a line of the whole order waits for the last operation')
    await write(tx => acts.complete(tx, paint, { good: '100' }))
    t.equal(await consumed('M-2', '2'), '50')
    await floor.rows(`update workorders.setting set backflush = 'none'`)
  })

  await t.test('material: what was picked, or taken by article, is not consumed a second time by itself', async t => {
    await floor.rows(`update workorders.setting set backflush = 'on_report'`)
    const { weld } = await newOrder('M-3', {
      materials: [
        { line: '1', operation: '10', article: 'B-1', quantity: { value: '200', unit: 'pcs' } },
        { line: '2', operation: '10', article: 'B-3', quantity: { value: '100', unit: 'pcs' } }
      ]
    })
    await floor.receive('location', [{ code: 'H1', warehouse: 'HALL' }])
    await floor.receive('article', [{ number: 'B-3', description: 'Bolt', unit: 'pcs' }])
    await floor.receive('pickList', [
      { number: 'L-3', workOrder: 'M-3', lines: [{ line: '1', article: 'B-1', quantity: { value: '200', unit: 'pcs' }, location: 'H1' }] }
    ])
    const [line] = await floor.rows<{ list_id: string; id: string }>('select list_id, id from inventory.pick_line')
    await write(tx => pick(tx, floor.needs, line?.list_id ?? '', line?.id ?? '', { article: 'B-1', location: 'H1', quantity: '150' }))
    await write(tx => acts.consume(tx, weld, [{ article: 'B-3', quantity: '40' }]))
    t.same([await consumed('M-3', '1'), await consumed('M-3', '2')], ['150', '40'], 'the screen counts it for the line of its article')
    await write(tx => acts.complete(tx, weld, { good: '100' }))
    t.same([await consumed('M-3', '1'), await consumed('M-3', '2')], ['200', '100'])
    await floor.rows(`update workorders.setting set backflush = 'none'`)
  })

  await t.test('material: correcting a mistyped quantity brings back what was consumed by itself for it, and no more', async t => {
    await floor.rows(`update workorders.setting set backflush = 'on_report'`)
    const { weld } = await newOrder('M-4', {
      quantity: { value: '1000', unit: 'pcs' },
      materials: [{ line: '1', operation: '10', article: 'B-4', quantity: { value: '2000', unit: 'pcs' } }]
    })
    await write(tx => acts.consume(tx, weld, [{ line: '1', quantity: '30' }]))
    const typed = await write(tx => acts.report(tx, weld, { good: '1000' }))
    t.equal(await consumed('M-4', '1'), '2000')
    const { replacementId } = await write(tx => acts.correct(tx, typed, { good: '100', reason: 'a zero too much' }))
    t.equal(await consumed('M-4', '1'), '200')
    await write(tx => acts.correct(tx, replacementId ?? '', { reason: 'another job' }))
    t.equal(await consumed('M-4', '1'), '30', 'what was taken by hand is not brought back by itself')
    t.same(
      (await sent('M-4')).filter(m => m.kind === 'materialConsumption').map(m => (m.record.quantity as { value: string }).value),
      ['30', '1970', '-1800', '-170']
    )
    await floor.rows(`update workorders.setting set backflush = 'none'`)
  })
})
