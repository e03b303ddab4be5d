import t from 'tap'
import { decide } from '../../modules/workorders/orders.ts'
import { openFloor } from '../helpers/floor.ts'
import { order } from '../helpers/orders.ts'

t.test('work orders from the ERP', async t => {
  const floor = await openFloor(t)
  const { acts, write, receive, rows } = floor
  const ann = await floor.employee()
  const decision = (orderId: string, changeId: string, what: 'accepted' | 'refused') =>
    write(tx => decide(tx, floor.needs, orderId, changeId, what))
  const stored = async (number: string) =>
    (
      await rows(
        `select id, status, trim_scale(quantity)::text as quantity, due, priority, version, erp_status from workorders.work_order where number = $1`,
        [number]
      )
    )[0]
  const jobs = (number: string) =>
    rows(
      `select j.number, j.status, j.department_code, trim_scale(j.planned_quantity)::text as planned, j.priority, j.due
         from workorders.job j join workorders.work_order o on o.id = j.order_id where o.number = $1 order by j.sequence`,
      [number]
    )
  const changes = (number: string) =>
    rows(
      `select field, before, after, policy, state, floor_version from workorders.order_change c join workorders.work_order o on o.id = c.order_id
        where o.number = $1 order by c.seq`,
      [number]
    )
  const started = async (number: string, parts: Parameters<typeof order>[1] = {}) => {
    await receive('workOrder', [order(number, parts)])
    const weld = await floor.job(number, '10')
    await write(tx => acts.start(tx, weld, { employeeIds: [ann] }))
    return weld
  }

  await t.test('import: a thousand orders in one call, and the same thousand again change nothing', async t => {
    const thousand = Array.from({ length: 1000 }, (_, n) =>
      order(`T-${n}`, { priority: n % 3, materials: [{ line: '1', article: `B-${n % 50}`, quantity: { value: '2', unit: 'pcs' } }] })
    )
    const outcomes = await receive('workOrder', thousand)
    t.equal(outcomes.filter(o => o.status === 'applied').length, 1000)
    t.match(
      await rows(`select (select count(*) from workorders.work_order) as orders, (select count(*) from workorders.job) as jobs,
                               (select count(*) from workorders.material) as materials, (select count(*) from authz.job_scope) as scopes`),
      [{ orders: '1000', jobs: '2000', materials: '1000', scopes: '2000' }]
    )
    await receive('workOrder', thousand)
    t.same(await rows('select 1 from workorders.work_order where version > 1 union all select 1 from workorders.job where version > 1'), [])
  })

  await t.test('import: an order that nobody has started is simply changed', async t => {
    await receive('workOrder', [order('U-1', { status: 'planned', erpStatus: 'GEPLAND' })])
    t.match(await jobs('U-1'), [{ status: 'planned' }, { status: 'planned' }])
    await receive('workOrder', [
      order('U-1', {
        quantity: { value: '80', unit: 'pcs' },
        due: '2026-04-01',
        priority: 5,
        erpStatus: 'VRIJ',
        operations: [
          { number: '10', department: 'SAW', description: 'Saw it' },
          { number: '30', department: 'PACK', description: 'Pack it' }
        ]
      })
    ])
    t.match(await stored('U-1'), { status: 'released', quantity: '80', due: '2026-04-01', priority: 5, version: 2, erp_status: 'VRIJ' })
    t.match(await jobs('U-1'), [
      { number: '10', status: 'released', department_code: 'SAW', planned: '80', priority: 5, due: '2026-04-01' },
      { number: '20', status: 'cancelled' },
      { number: '30', status: 'released', department_code: 'PACK' }
    ])
    t.same(await rows('select department_code from authz.job_scope where order_number = $1 order by 1', ['U-1']), [
      { department_code: 'PACK' },
      { department_code: 'PAINT' },
      { department_code: 'SAW' }
    ])
    await receive('workOrder', [order('U-1')])
    t.match(
      (await jobs('U-1')).map(j => `${j.number} ${j.status}`),
      ['10 released', '20 released', '30 cancelled'],
      'what comes back is open again'
    )
  })

  await t.test('guard: a started order takes what is accepted, holds what is held, and keeps the version the floor saw', async t => {
    await started('G-1')
    const before = await stored('G-1')
    t.match(await receive('workOrder', [order('G-1', { quantity: { value: '90', unit: 'pcs' }, due: '2026-03-09' })]), [
      { key: 'G-1', status: 'held', code: 'order_change_held', field: 'quantity', message: /quantity 100 would become 90/ }
    ])
    t.match(await stored('G-1'), { quantity: '100', due: '2026-03-09', status: 'started' })
    t.match(await jobs('G-1'), [{ planned: '100', due: '2026-03-09' }, {}])
    t.match(await changes('G-1'), [
      { field: 'quantity', before: '100', after: '90', policy: 'hold', state: 'held', floor_version: before?.version },
      { field: 'due', state: 'accepted' }
    ])
    await receive('workOrder', [order('G-1', { quantity: { value: '85', unit: 'pcs' }, due: '2026-03-09' })])
    t.match(
      (await changes('G-1')).filter(c => c.field === 'quantity'),
      [{ after: '85', state: 'held' }],
      'a newer wish takes the place of the older'
    )
    await receive('workOrder', [order('G-1', { due: '2026-03-09' })])
    t.match(
      (await changes('G-1')).filter(c => c.field === 'quantity'),
      [{ state: 'withdrawn' }],
      'the ERP came back to what the floor has'
    )
  })

  await t.test('guard: what is refused leaves the order as it is, and is kept once', async t => {
    await rows(`update workorders.setting set change_guard = change_guard || '{"unit":"refuse"}'`)
    await started('G-2')
    const wish = order('G-2', { quantity: { value: '100', unit: 'kg' }, due: '2026-05-05' })
    t.match(await receive('workOrder', [wish]), [{ key: 'G-2', status: 'rejected', code: 'order_change_refused', field: 'unit' }])
    await receive('workOrder', [wish])
    t.match(await stored('G-2'), { due: null })
    t.match(await changes('G-2'), [{ field: 'unit', state: 'refused' }])
    t.equal((await changes('G-2')).length, 1)
  })

  await t.test('guard: a person takes over or refuses what was held', async t => {
    const weld = await started('G-3')
    await write(tx => acts.report(tx, weld, { good: '10' }))
    const wish = order('G-3', {
      quantity: { value: '60', unit: 'pcs' },
      operations: [
        { number: '10', department: 'WELD', workCentre: 'W2', description: 'Weld the frame' },
        { number: '15', department: 'WELD', description: 'Grind it' },
        { number: '20', department: 'PAINT', description: 'Paint it' }
      ]
    })
    await receive('workOrder', [wish])
    t.equal((await jobs('G-3')).length, 2)
    const id = String((await stored('G-3'))?.id)
    const held = await rows(`select id, field from workorders.order_change where order_id = $1 and state = 'held'`, [id])
    const idOf = (field: string) => String(held.find(c => c.field === field)?.id)
    await decision(id, idOf('operations'), 'accepted')
    t.match(await jobs('G-3'), [{ number: '10', status: 'started' }, { number: '15', status: 'released' }, { number: '20' }])
    await decision(id, idOf('quantity'), 'refused')
    t.match(await stored('G-3'), { quantity: '100' })
    t.match(
      await rows('select trim_scale(good)::text as good from workorders.job where id = $1', [weld]),
      [{ good: '10' }],
      'what was reported stays'
    )
    await t.rejects(decision(id, idOf('quantity'), 'accepted'), { code: 'change_decided' })
  })

  await t.test('closing: the ERP closes what still runs, people’s time ends with a flag, and what is done stays done', async t => {
    const weld = await started('X-1')
    floor.clock.advance(600)
    t.match(await receive('workOrder', [order('X-1', { status: 'cancelled', quantity: { value: '1', unit: 'pcs' } })]), [
      { status: 'applied' }
    ])
    t.match(await stored('X-1'), { status: 'cancelled', quantity: '100' })
    t.match(await jobs('X-1'), [{ status: 'cancelled' }, { status: 'cancelled' }])
    t.match(await rows('select ended_at is not null as ended, flagged from timekeeping.interval where job_id = $1', [weld]), [
      { ended: true, flagged: true }
    ])
    t.match(await changes('X-1'), [{ field: 'status', before: 'started', after: 'cancelled', state: 'accepted' }])
    await receive('workOrder', [order('X-1')])
    t.match(await stored('X-1'), { status: 'paused' }, 'the ERP opens it again')
    t.match(
      (await jobs('X-1')).map(j => j.status),
      ['paused', 'released']
    )
  })

  await t.test('closing: an order that a complete list no longer names is closed', async t => {
    await started('X-2')
    t.same(await receive('workOrder', [], ['X-2', 'never-seen']), [
      { key: 'X-2', status: 'applied' },
      { key: 'never-seen', status: 'applied' }
    ])
    t.match(await stored('X-2'), { status: 'closed' })
  })

  await t.test('import: an unknown department is refused with the table that lacks it, and the good rows go on', async t => {
    await rows(`update authz.setting set unknown_departments = 'reject'`)
    const outcomes = await receive('workOrder', [
      order('D-1'),
      order('D-2', { operations: [{ number: '10', department: 'MARS', description: 'Fly' }] })
    ])
    t.match(
      outcomes.find(o => o.key === 'D-2'),
      {
        status: 'rejected',
        code: 'department_unknown',
        field: 'department',
        value: 'MARS',
        table: { name: 'departments', value: 'MARS' }
      }
    )
    t.match(await stored('D-1'), { status: 'released' })
    t.equal(await stored('D-2'), undefined)
    await rows(`update authz.setting set unknown_departments = 'create'`)
  })

  await t.test('import: records that contradict themselves are refused one by one', async t => {
    const op = { number: '10', department: 'WELD', description: 'Weld' }
    const line = { line: '1', article: 'B-1', quantity: { value: '1', unit: 'pcs' } }
    const outcomes = await receive('workOrder', [
      order('E-1', { operations: [op, op] }),
      order('E-2', { materials: [line, line] }),
      order('E-3', { quantity: { value: '-1', unit: 'pcs' } }),
      order('E-4')
    ])
    t.same(
      outcomes.map(o => ('code' in o ? o.code : o.status)),
      ['order_operation_twice', 'order_line_twice', 'order_quantity_negative', 'applied']
    )
  })

  await t.test('import: while people work, nobody waits for ever and nothing is lost', async t => {
    const numbers = Array.from({ length: 12 }, (_, n) => `C-${n}`)
    await receive(
      'workOrder',
      numbers.map(number => order(number))
    )
    const welds = await Promise.all(numbers.map(number => floor.job(number, '10')))
    await Promise.all([
      ...welds.map(id => write(tx => acts.report(tx, id, { good: '5' }))),
      receive(
        'workOrder',
        numbers.map(number => order(number, { due: '2026-06-01' }))
      ),
      ...welds.map(id => write(tx => acts.report(tx, id, { good: '6' }))),
      receive(
        'workOrder',
        [...numbers].reverse().map(number => order(number, { due: '2026-06-02' }))
      )
    ])
    t.match(
      await rows(`select distinct trim_scale(good)::text as good, due is not null as due from workorders.job where id = any($1)`, [welds]),
      [{ good: '11', due: true }]
    )
  })

  await t.test('pick lists: one for an unknown order waits in the error bin, the other is stored', async t => {
    await receive('workOrder', [order('L-1')])
    const lines = [{ line: '1', article: 'B-1', quantity: { value: '4', unit: 'pcs' } }]
    const outcomes = await receive('pickList', [
      { number: 'PL-1', workOrder: 'L-1', lines },
      { number: 'PL-2', workOrder: 'nowhere', lines }
    ])
    t.match(outcomes, [
      { key: 'PL-1', status: 'applied' },
      { key: 'PL-2', status: 'rejected', code: 'pick_list_order_unknown', field: 'workOrder', value: 'nowhere' }
    ])
    t.match(await rows('select number, order_number, status from inventory.pick_list'), [
      { number: 'PL-1', order_number: 'L-1', status: 'open' }
    ])
  })
})
