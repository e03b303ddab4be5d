import { randomUUID } from 'node:crypto'
import t from 'tap'
import { openFloor } from '../helpers/floor.ts'
import { order } from '../helpers/orders.ts'

interface Job {
  readonly id: string
  readonly status: string
  readonly good: string
  readonly proposedQuantity: string
  readonly running: readonly unknown[]
}
interface Page<T> {
  readonly items: readonly T[]
  readonly next: string | null
}

t.test('work orders and stock over HTTP', async t => {
  const floor = await openFloor(t)
  const token = await floor.house.admin()
  const call: typeof floor.house.call = (method, path, options = {}) => floor.house.call(method, path, { token, ...options })
  const ann = await floor.employee()
  await floor.receive('location', [
    { code: 'H1', warehouse: 'HALL' },
    { code: 'H2', warehouse: 'HALL' }
  ])
  await floor.receive('article', [
    { number: 'P-1', description: 'Frame', unit: 'pcs' },
    { number: 'B-1', description: 'Tube', unit: 'pcs', barcode: '871' }
  ])
  await floor.receive('workOrder', [
    order('W-1', { materials: [{ line: '1', operation: '10', article: 'B-1', quantity: { value: '200', unit: 'pcs' }, location: 'H1' }] }),
    order('W-2', { priority: 5 }),
    order('W-3')
  ])
  await floor.receive('pickList', [
    { number: 'PL-1', workOrder: 'W-2', lines: [{ line: '1', article: 'B-1', quantity: { value: '5', unit: 'pcs' }, location: 'H1' }] }
  ])
  const weld = await floor.job('W-1', '10')
  const paint = await floor.job('W-1', '20')
  const key = () => ({ headers: { 'idempotency-key': randomUUID() } })

  await t.test('order: the list, the order and its history are shown', async t => {
    const list = await call<Page<{ id: string; number: string }>>('GET', '/api/v1/work-orders?limit=2')
    t.equal(list.status, 200)
    t.same(
      list.body.items.map(o => o.number),
      ['W-2', 'W-1']
    )
    const next = await call<Page<{ number: string }>>('GET', `/api/v1/work-orders?limit=2&after=${list.body.next}`)
    t.same(
      next.body.items.map(o => o.number),
      ['W-3']
    )
    t.equal(next.body.next, null)
    const one = await call('GET', `/api/v1/work-orders/${list.body.items[1]?.id}`)
    t.match(one.body, {
      number: 'W-1',
      quantity: '100',
      articleDescription: 'Frame',
      progress: { good: '0', operations: 2, completed: 0 },
      operations: [{ number: '10' }, { number: '20' }],
      materials: [{ line: '1', articleDescription: 'Tube', quantity: '200', consumed: '0', location: 'H1' }]
    })
    t.match((await call('GET', `/api/v1/work-orders/${list.body.items[1]?.id}/history`)).body, { reports: [], changes: [] })
  })

  await t.test('job: the floor starts, reports, consumes and completes', async t => {
    const start = await call<Job>('POST', `/api/v1/jobs/${weld}/start`, { body: { employeeIds: [ann] }, ...key() })
    t.match(start, { status: 200, body: { status: 'started', proposedQuantity: '100', running: [{ employeeId: ann }] } })
    const again = await call('POST', `/api/v1/jobs/${weld}/start`, { body: { employeeIds: [ann] }, ...key() })
    t.match(again, { status: 409, body: { code: 'job_already_running', type: '/problems/job_already_running' } })
    const missing = await call('POST', `/api/v1/jobs/${weld}/report`, { body: { good: '10', scrap: '1' }, ...key() })
    t.match(missing, { status: 400, body: { code: 'scrap_reason_missing' } })
    t.equal((await call('PUT', '/api/v1/scrap-reasons/CRACK', { body: { name: 'Cracked' }, ...key() })).status, 200)
    t.match((await call('GET', '/api/v1/scrap-reasons')).body, { items: [{ code: 'CRACK', name: 'Cracked', active: true }] })
    const report = await call('POST', `/api/v1/jobs/${weld}/report`, { body: { good: '10', scrap: '1', scrapReason: 'CRACK' }, ...key() })
    t.match(report, { status: 201, body: { job: { good: '10', scrap: '1', proposedQuantity: '89' } } })
    const consumed = await call('POST', `/api/v1/jobs/${weld}/consume`, { body: { items: [{ line: '1', quantity: '20' }] }, ...key() })
    t.match(consumed, { status: 201, body: { materials: [{ line: '1', consumed: '20' }] } })
    const back = await call('POST', `/api/v1/jobs/${weld}/return`, { body: { items: [{ line: '1', quantity: '2' }] }, ...key() })
    t.match(back, { status: 201, body: { materials: [{ line: '1', consumed: '18' }] } })
    t.match((await call('POST', `/api/v1/jobs/${weld}/pause`, { body: {}, ...key() })).body, { status: 'paused', running: [] })
    t.match((await call('POST', `/api/v1/jobs/${weld}/resume`, { body: { employeeIds: [ann] }, ...key() })).body, { status: 'started' })
    const undecided = await call('POST', `/api/v1/jobs/${weld}/complete`, { body: { good: '80' }, ...key() })
    t.match(undecided, { status: 409, body: { code: 'shortfall_undecided' } })
    const complete = await call('POST', `/api/v1/jobs/${weld}/complete`, { body: { good: '80', shortfall: 'lost' }, ...key() })
    t.match(complete, { status: 201, body: { job: { status: 'completed', good: '90' } } })
    t.match((await call('GET', `/api/v1/jobs/${paint}`)).body, { proposedQuantity: '90' })
    t.match((await call('POST', `/api/v1/jobs/${weld}/reopen`, { body: { reason: 'one more' }, ...key() })).body, { status: 'paused' })
  })

  await t.test('job: a correction shows both rows, and the history tells how far each is', async t => {
    const [report] = await floor.rows<{ id: string; order_id: string }>(
      `select r.id, j.order_id from workorders.report r join workorders.job j on j.id = r.job_id where j.id = $1 and r.scrap > 0`,
      [weld]
    )
    const corrected = await call('POST', `/api/v1/reports/${report?.id}/correct`, { body: { good: '11', reason: 'not cracked' }, ...key() })
    t.match(corrected, { status: 201, body: { reversalId: /-/, replacementId: /-/, job: { good: '91', scrap: '0' } } })
    const history = await call<{ reports: readonly { kind: string; reverses: string | null; feedback: { state: string } | null }[] }>(
      'GET',
      `/api/v1/work-orders/${report?.order_id}/history`
    )
    t.same(
      history.body.reports.map(r => r.kind),
      ['replacement', 'reversal', 'reopening', 'report', 'report']
    )
    t.equal(history.body.reports[1]?.reverses, report?.id)
    t.match(history.body.reports[0]?.feedback, { state: /./ })
  })

  await t.test('job: my newest reports are shown with how far each is, and the last one is undone', async t => {
    const report = await call<{ reportId: string; job: { missingQuantity: string } }>('POST', `/api/v1/jobs/${weld}/report`, {
      body: { good: '2' },
      ...key()
    })
    t.equal(report.body.job.missingQuantity, '7')
    const mine = await call<{ items: readonly unknown[] }>('GET', '/api/v1/floor/feedback')
    t.match(mine.body.items[0], {
      reportId: report.body.reportId,
      orderNumber: 'W-1',
      operationNumber: '10',
      good: '2',
      unit: 'pcs',
      feedback: { state: /./ }
    })
    const undone = await call('POST', `/api/v1/reports/${report.body.reportId}/undo`, key())
    t.match(undone, { status: 201, body: { reversalId: /-/, job: { id: weld, good: '91' } } })
  })

  await t.test('job: the same Idempotency-Key gives the same answer and books once', async t => {
    const saw = await floor.job('W-2', '10')
    const once = key()
    const body = { good: '7' }
    const first = await call('POST', `/api/v1/jobs/${saw}/report`, { body, ...once })
    const second = await call('POST', `/api/v1/jobs/${saw}/report`, { body, ...once })
    t.equal(second.status, 201)
    t.equal(second.headers.get('idempotency-replayed'), 'true')
    t.same(second.body, first.body)
    t.match((await call('GET', `/api/v1/jobs/${saw}`)).body, { good: '7' })
    t.match(await call('POST', `/api/v1/jobs/${saw}/report`, { body: { good: '8' }, ...once }), {
      status: 409,
      body: { code: 'idempotency_key_reused' }
    })
    const taps = key()
    const many = await Promise.all(
      Array.from({ length: 5 }, () => call('POST', `/api/v1/jobs/${saw}/report`, { body: { good: '1' }, ...taps }))
    )
    t.same(
      many.map(one => one.status),
      [201, 201, 201, 201, 201]
    )
    t.match((await call('GET', `/api/v1/jobs/${saw}`)).body, { good: '8' }, 'five taps, one booking')
  })

  await t.test('list: a scan and a search find jobs; a cursor of another list is refused', async t => {
    t.same(
      (await call<Page<{ number: string }>>('GET', '/api/v1/jobs?scan=W-2/20')).body.items.map(j => j.number),
      ['20']
    )
    t.same((await call<Page<unknown>>('GET', '/api/v1/jobs?search=nothing-like-it')).body.items, [])
    const page = await call<Page<Job>>('GET', '/api/v1/jobs?limit=1')
    t.type(page.body.next, 'string')
    t.equal((await call('GET', `/api/v1/jobs?after=${page.body.next}`)).status, 200)
    t.match(await call('GET', '/api/v1/jobs?after=bm90aGluZw'), {
      status: 400,
      body: { code: 'invalid_request', errors: [{ pointer: '/querystring/after' }] }
    })
    t.match(await call('GET', `/api/v1/articles?after=${page.body.next}`), { status: 400 })
  })

  await t.test('requests: what does not fit is refused with the field, what is not there is not found', async t => {
    t.match(await call('POST', `/api/v1/jobs/${paint}/report`, { body: { good: '-1' }, ...key() }), {
      status: 400,
      body: { errors: [{ pointer: '/good' }] }
    })
    t.match(await call('POST', `/api/v1/jobs/${paint}/report`, { body: { good: 1 }, ...key() }), { status: 400 })
    t.match(await call('POST', `/api/v1/jobs/${paint}/report`, { body: { good: '1', gut: '1' }, ...key() }), {
      status: 400,
      body: { errors: [{ pointer: '/gut' }] }
    })
    t.match(await call('GET', '/api/v1/jobs/nonsense'), { status: 400 })
    const nowhere = '00000000-0000-7000-8000-00000000ffff'
    for (const [method, path, body] of [
      ['GET', `/api/v1/jobs/${nowhere}`, undefined],
      ['GET', `/api/v1/work-orders/${nowhere}`, undefined],
      ['POST', `/api/v1/jobs/${nowhere}/start`, { employeeIds: [ann] }],
      ['POST', `/api/v1/reports/${nowhere}/correct`, { reason: 'x' }],
      ['GET', `/api/v1/pick-lists/${nowhere}`, undefined]
    ] as const) {
      t.match(await call(method, path, body ? { body } : {}), { status: 404, body: { code: 'not_found' } }, path)
    }
  })

  await t.test('change: a held change is seen on the list and accepted', async t => {
    await floor.receive('workOrder', [order('W-2', { priority: 5, quantity: { value: '70', unit: 'pcs' } })])
    const list = await call<Page<{ id: string; number: string; heldChanges: number }>>('GET', '/api/v1/work-orders?held=true')
    t.match(list.body.items, [{ number: 'W-2', heldChanges: 1 }])
    const id = list.body.items[0]?.id
    const history = await call<{ changes: readonly { id: string; field: string }[] }>('GET', `/api/v1/work-orders/${id}/history`)
    t.match(history.body.changes, [{ field: 'quantity', before: '100', after: '70', policy: 'hold', state: 'held' }])
    const accepted = await call('POST', `/api/v1/work-orders/${id}/changes/${history.body.changes[0]?.id}/accept`, key())
    t.match(accepted, { status: 200, body: { quantity: '70', heldChanges: 0, operations: [{ plannedQuantity: '70' }, {}] } })
    t.match(await call('POST', `/api/v1/work-orders/${id}/changes/${history.body.changes[0]?.id}/refuse`, key()), {
      status: 409,
      body: { code: 'change_decided' }
    })
  })

  await t.test('setting: who changes an older version is told', async t => {
    const before = await call<{ version: number }>('GET', '/api/v1/settings/workorders')
    t.equal(before.status, 200)
    const body = { ...before.body, overReport: 'allow', overPercent: '2.5' }
    t.match(await call('PUT', '/api/v1/settings/workorders', { body, ...key() }), {
      status: 200,
      body: { overReport: 'allow', overPercent: '2.5', version: before.body.version + 1 }
    })
    t.match(await call('PUT', '/api/v1/settings/workorders', { body, ...key() }), { status: 412, body: { code: 'setting_changed' } })
    const stock = await call<{ version: number }>('GET', '/api/v1/settings/inventory')
    t.match(await call('PUT', '/api/v1/settings/inventory', { body: { version: stock.body.version, negativeStock: 'block' }, ...key() }), {
      status: 200,
      body: { negativeStock: 'block' }
    })
    t.match(await call('PUT', '/api/v1/settings/inventory', { body: { version: stock.body.version, negativeStock: 'warn' }, ...key() }), {
      status: 412
    })
    await call('PUT', '/api/v1/settings/inventory', { body: { version: stock.body.version + 1, negativeStock: 'warn' }, ...key() })
  })

  await t.test('stock: articles, locations, levels and the ledger are shown, and stock is moved', async t => {
    t.match((await call('GET', '/api/v1/articles?scan=871')).body, {
      items: [{ number: 'B-1', barcode: '871', backflush: null }],
      next: null
    })
    t.match((await call('PUT', '/api/v1/articles/B-1/backflush', { body: { backflush: 'on_completion' }, ...key() })).body, {
      backflush: 'on_completion'
    })
    t.equal((await call('PUT', '/api/v1/articles/NOPE/backflush', { body: { backflush: null }, ...key() })).status, 404)
    t.same(
      (await call<Page<{ code: string }>>('GET', '/api/v1/locations?warehouse=HALL')).body.items.map(l => l.code),
      ['H1', 'H2']
    )
    await floor.receive('stock', [{ article: 'B-1', location: 'H1', quantity: { value: '50', unit: 'pcs' }, asOf: '2026-01-01T00:00:00Z' }])
    const levels = await call('GET', '/api/v1/stock?article=B-1')
    t.match(levels.body, {
      items: [{ location: 'H1', quantity: '32', snapshot: { quantity: '50', asOf: '2026-01-01T00:00:00Z' }, pending: '-18', lot: null }]
    })
    const moved = await call('POST', '/api/v1/stock/transfer', { body: { article: 'B-1', quantity: '2', from: 'H1', to: 'H2' }, ...key() })
    t.match(moved, {
      status: 201,
      body: {
        transactions: [
          { kind: 'transfer_in', quantity: '2' },
          { kind: 'transfer_out', quantity: '-2', feedback: { state: /./ } }
        ]
      }
    })
    t.match(
      await call('POST', '/api/v1/stock/adjust', { body: { article: 'B-1', location: 'H2', quantity: '-1', reason: 'broken' }, ...key() }),
      {
        status: 201,
        body: { transactions: [{ kind: 'adjustment', reason: 'broken' }] }
      }
    )
    const ledger = await call<Page<{ id: string; kind: string }>>('GET', '/api/v1/stock-transactions?article=B-1&limit=2')
    t.same(
      ledger.body.items.map(row => row.kind),
      ['adjustment', 'transfer_in']
    )
    const rest = await call<Page<{ kind: string }>>('GET', `/api/v1/stock-transactions?article=B-1&after=${ledger.body.next}`)
    t.same(
      rest.body.items.map(row => row.kind),
      ['transfer_out', 'snapshot', 'return', 'issue']
    )
    t.same((await call<Page<unknown>>('GET', '/api/v1/stock?negative=true')).body.items, [])
  })

  await t.test('pick: a list is picked, undone and left short', async t => {
    const lists = await call<Page<{ id: string }>>('GET', '/api/v1/pick-lists?status=open')
    const id = lists.body.items[0]?.id
    const list = await call<{ lines: readonly { id: string }[] }>('GET', `/api/v1/pick-lists/${id}`)
    t.match(list.body, {
      number: 'PL-1',
      orderNumber: 'W-2',
      lines: [{ article: 'B-1', articleDescription: 'Tube', requested: '5', picked: '0' }]
    })
    const line = `/api/v1/pick-lists/${id}/lines/${list.body.lines[0]?.id}`
    t.match(await call('POST', `${line}/pick`, { body: { article: 'B-1', location: 'H2', quantity: '1' }, ...key() }), {
      status: 409,
      body: { code: 'wrong_location' }
    })
    const picked = await call<{ actId: string }>('POST', `${line}/pick`, {
      body: { article: '871', location: 'H1', quantity: '3' },
      ...key()
    })
    t.match(picked, { status: 201, body: { pickList: { status: 'picking', lines: [{ picked: '3' }] } } })
    t.match(await call('POST', `${line}/undo`, { body: { actId: picked.body.actId }, ...key() }), {
      status: 201,
      body: { pickList: { lines: [{ picked: '0' }] } }
    })
    t.match(await call('POST', `${line}/short`, { body: { reason: 'empty' }, ...key() }), { status: 200, body: { status: 'short' } })
  })
})
