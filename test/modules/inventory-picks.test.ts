import t from 'tap'
import { markShort, pick, type Scan, undoPick } from '../../modules/inventory/picks.ts'
import { openFloor } from '../helpers/floor.ts'
import { order } from '../helpers/orders.ts'
import { levelsOf } from '../helpers/stock.ts'

t.test('pick lists', async t => {
  const floor = await openFloor(t)
  const { write, receive, rows, sent } = floor
  const levels = (number: string) => levelsOf(floor, number)
  await receive('location', [
    { code: 'H1', warehouse: 'HALL' },
    { code: 'H2', warehouse: 'HALL' }
  ])
  await receive('workOrder', [order('K-1')])
  await receive('article', [{ number: 'K-A', description: 'Bolt', unit: 'pcs', barcode: '8712345' }])
  await receive('stock', [{ article: 'K-A', location: 'H1', quantity: { value: '50', unit: 'pcs' }, asOf: '2026-03-01T00:00:00Z' }])
  await receive('pickList', [
    { number: 'K-L', workOrder: 'K-1', lines: [{ line: '1', article: 'K-A', quantity: { value: '10', unit: 'pcs' }, location: 'H1' }] }
  ])
  const [list] = await rows<{ list_id: string; id: string }>(
    `select k.list_id, k.id from inventory.pick_line k join inventory.pick_list l on l.id = k.list_id where l.number = 'K-L'`
  )
  const listId = list?.list_id ?? ''
  const lineId = list?.id ?? ''
  const line = async () =>
    (
      await rows(
        `select trim_scale(k.picked)::text as picked, k.short_reason, l.status from inventory.pick_line k join inventory.pick_list l on l.id = k.list_id where k.id = $1`,
        [lineId]
      )
    )[0]
  const take = (scan: Scan) => write(tx => pick(tx, floor.needs, listId, lineId, scan))

  await t.test('pick: a wrong article and a wrong place are told apart, and nothing moves', async t => {
    await t.rejects(take({ article: 'A-1', location: 'H1', quantity: '1' }), { code: 'wrong_article', detail: /asks for article K-A/ })
    await t.rejects(take({ article: 'K-A', location: 'H2', quantity: '1' }), { code: 'wrong_location', detail: /asks for H1/ })
    await t.rejects(take({ article: 'K-A', location: 'H1', quantity: '11' }), { code: 'pick_exceeds_request' })
    t.same(await levels('K-A'), { H1: '50' })
    t.match(await line(), { picked: '0', status: 'open' })
  })

  await t.test('pick: takes stock and tells the ERP; undo restores both, once', async t => {
    const act = await take({ article: '8712345', location: 'H1', quantity: '6' })
    t.match(await line(), { picked: '6', status: 'picking' })
    t.same(await levels('K-A'), { H1: '44' })
    await write(tx => undoPick(tx, floor.needs, listId, lineId, act))
    t.match(await line(), { picked: '0', status: 'open' })
    t.same(await levels('K-A'), { H1: '50' })
    const [out, back] = await sent('K-1')
    t.match(back?.record, { quantity: { value: '-6' } })
    t.equal(back?.reverses, out?.key)
    await t.rejects(
      write(tx => undoPick(tx, floor.needs, listId, lineId, act)),
      { code: 'act_reversed' }
    )
  })

  await t.test('pick: undo brings back what was taken, to where it was, whatever the ERP changed meanwhile', async t => {
    await receive('article', [{ number: 'K-B', description: 'Screw', unit: 'pcs' }])
    const act = await take({ article: 'K-A', location: 'H1', quantity: '5' })
    await receive('pickList', [
      { number: 'K-L', workOrder: 'K-1', lines: [{ line: '1', article: 'K-B', quantity: { value: '10', unit: 'pcs' }, location: 'H1' }] }
    ])
    await receive('location', [{ code: 'H1', warehouse: 'HALL', blocked: true }])
    await write(tx => undoPick(tx, floor.needs, listId, lineId, act))
    t.same(await levels('K-A'), { H1: '50' })
    t.same(await levels('K-B'), {}, 'nothing came of an article that nobody took')
    t.match((await sent('K-1')).at(-1)?.record, { article: 'K-A', location: 'H1', quantity: { value: '-5' } })
    await receive('location', [{ code: 'H1', warehouse: 'HALL' }])
    await receive('pickList', [
      { number: 'K-L', workOrder: 'K-1', lines: [{ line: '1', article: 'K-A', quantity: { value: '10', unit: 'pcs' }, location: 'H1' }] }
    ])
  })

  await t.test('pick: of two pickers who take the last at the same time one is told', async t => {
    const outcomes = await Promise.allSettled([
      take({ article: 'K-A', location: 'H1', quantity: '8' }),
      take({ article: 'K-A', location: 'H1', quantity: '8' })
    ])
    t.equal(outcomes.filter(o => o.status === 'fulfilled').length, 1)
    t.match(await line(), { picked: '8' })
    t.same(await levels('K-A'), { H1: '42' })
  })

  await t.test('pick: a line stays short with a reason, and a renewed list keeps what was picked', async t => {
    await write(tx => markShort(tx, floor.needs, listId, lineId, 'box is empty'))
    t.match(await line(), { picked: '8', short_reason: 'box is empty', status: 'short' })
    await receive('pickList', [
      { number: 'K-L', workOrder: 'K-1', lines: [{ line: '1', article: 'K-A', quantity: { value: '8', unit: 'pcs' }, location: 'H1' }] }
    ])
    t.match(await line(), { picked: '8', status: 'picked' }, 'the ERP asks for what was picked: nothing is short any more')
    await receive('pickList', [], ['K-L'])
    await t.rejects(take({ article: 'K-A', location: 'H1', quantity: '1' }), { code: 'pick_list_closed' })
  })
})
