import t from 'tap'
import { openActs } from '../helpers/acts.ts'

t.test('material of jobs', async t => {
  const { floor, acts, write, sent, newOrder } = await openActs(t)

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
})
