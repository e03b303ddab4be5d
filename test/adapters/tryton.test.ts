import t from 'tap'
import type { ExportKind, ExportOutcome, ExportRecords, ImportItem, ImportKind, Json } from '../../adapters/contract/index.ts'
import { conformance, openHost, sampleExport, sampleImport } from '../../adapters/kit/index.ts'
import tryton from '../../adapters/tryton/index.ts'
import { type SimulatorOptions, serverOf, sessionToken, trytonConfig, trytonErp } from './tryton-erp.ts'

const options = { config: trytonConfig, erp: trytonErp(), effort: { randomSequences: 40 } }
conformance(tryton, options)

function open(config: Record<string, Json> = {}, simulator: Partial<SimulatorOptions> = {}) {
  const erp = trytonErp(simulator)
  const host = openHost({ adapter: tryton, options: { config: { ...trytonConfig, ...config }, erp } })
  const server = serverOf(host.simulator.books, simulator)
  const methods = (): string[] => host.simulator.calls.map(({ json }) => (json as { method: string }).method)
  async function send<K extends ExportKind>(kind: K, record: ExportRecords[K]): Promise<ExportOutcome | undefined> {
    const key = host.enqueue(kind, record, 'workOrder' in record && record.workOrder !== undefined ? record.workOrder : 'any')
    await host.run()
    return host.outcomes.findLast(outcome => outcome.key === key)?.outcome as ExportOutcome | undefined
  }
  const moves = () => server.tables.all('stock.move').filter(({ create_uid, state }) => create_uid === 8 && state === 'done')
  return { host, server, methods, send, moves }
}
const offer = (
  host: ReturnType<typeof open>['host'],
  kind: ImportKind,
  fields: Record<string, Json> = {},
  at = '2026-03-02T06:00:00Z'
): void => {
  const rows = host.simulator.books.offered.get(kind) ?? []
  const number = rows.length + 1
  host.simulator.books.offered.set(kind, [
    ...rows,
    { id: String(number), changedAt: at, fields: { ...sampleImport(kind, number), ...fields } }
  ])
}
const recordOf = (host: ReturnType<typeof open>['host'], kind: ImportKind, key: string): unknown => host.records.get(kind)?.get(key)?.record
const at = '2026-03-02T08:00:00Z'
const pieces = (value: string) => ({ value, unit: 'PCE' })

t.test('tryton: signs in once for many runs, anew when the session has ended, and pauses when it is refused', async t => {
  const { host, server, methods } = open()
  offer(host, 'article')
  await host.pull('article')
  await host.pull('location')
  t.equal(server.logins, 1)
  server.endSessions()
  t.equal((await host.pull('article')).error, undefined)
  t.equal(server.logins, 2)
  t.equal(methods().filter(method => method === 'common.server.version').length, 2, 'and asks then what the server is')
  const stranger = open({ password: 'wrong' })
  t.match((await stranger.host.pull('article')).error, { cls: 'auth', field: '/password' })
  const key = stranger.host.enqueue('labour', sampleExport('labour', 1, 'WO1'), 'WO1')
  const answers = tryton.export?.(stranger.host.batchOf([key], 1), stranger.host.ctx)[Symbol.asyncIterator]()
  t.match(await answers?.next(), { value: { status: 'not-sent' } }, 'nothing of the message left')
  // And the host is told to pause.
  await t.rejects(Promise.resolve(answers?.next()), { name: 'AdapterError', cls: 'auth' })
})

t.test('tryton: a session that ends again and again is told as such, after one renewal', async t => {
  const { host, server } = open()
  const endless = new Proxy(server.ended, { get: (set, name) => (name === 'delete' ? () => true : Reflect.get(set, name)) })
  Object.defineProperty(server, 'ended', { value: endless })
  t.match((await host.pull('article')).error, { cls: 'auth' })
})

t.test('tryton: another database, another address and another company are named', async t => {
  t.match((await open({ database: 'other' }).host.pull('article')).error, { cls: 'config', field: '/database' })
  const nowhere = open()
  Object.defineProperty(nowhere.server, 'answer', { value: () => ({ status: 200, json: 'hello' }) })
  t.match((await nowhere.host.pull('article')).error, { cls: 'config', field: '/url' })
})

t.test('tryton: series 7 has another address, another unit and another word for finish', async t => {
  const { host, server, send, methods } = open({}, { version: '7.4.2', path: '/kit/rpc/' })
  offer(host, 'workOrder')
  await host.pull('workOrder')
  t.match(recordOf(host, 'workOrder', 'WO0001'), { quantity: pieces('1.5'), materials: [{ quantity: { value: '2.25', unit: 'MTR' } }] })
  t.match(await send('orderStatus', { workOrder: 'WO7', status: 'started', at }), { status: 'accepted' })
  t.match(await send('orderStatus', { workOrder: 'WO7', status: 'finished', at }), { status: 'accepted' })
  t.ok(methods().includes('model.production.do'))
  t.equal(server.tables.all('production').find(({ number }) => number === 'WO7')?.state, 'done')
})

t.test('tryton: states, departments and amounts of an order as the floor knows them', async t => {
  const { host, server } = open()
  offer(host, 'workOrder', { quantity: { value: '2459.8900000000003', unit: 'KGM' } })
  await host.pull('workOrder')
  t.match(recordOf(host, 'workOrder', 'WO0001'), {
    status: 'released',
    erpStatus: 'assigned',
    department: 'SAWING',
    due: '2026-03-20',
    quantity: { value: '2459.89', unit: 'KGM' },
    operations: [
      { number: '10', department: 'SAWING', workCentre: 'S1', description: 'Saw' },
      { number: '20', department: 'WELDING' }
    ],
    materials: [{ article: 'M0001' }]
  })
  const [order] = server.tables.all('production')
  for (const [state, status] of Object.entries({
    draft: 'planned',
    waiting: 'planned',
    running: 'released',
    done: 'closed',
    cancelled: 'cancelled'
  })) {
    await host.clock.sleep(1_000)
    server.tables.update('production', Number(order?.id), { state })
    await host.pull('workOrder')
    t.match(recordOf(host, 'workOrder', 'WO0001'), { status }, state)
  }
})

t.test('tryton: what was closed before the first run is not fetched, a request and a draft without number are none', async t => {
  const fresh = open()
  for (let n = 0; n < 4; n++) offer(fresh.host, 'workOrder')
  // The rows come with the first call; what they are is changed before anything asks for orders.
  await fresh.host.pull('location')
  const [done, request, draft] = fresh.server.tables.all('production').map(({ id }) => Number(id))
  const old = fresh.server.tables.stamp(new Date('2026-01-01T00:00:00Z'))
  fresh.server.tables.update('production', done ?? 0, { state: 'done', write_date: old })
  fresh.server.tables.update('production', request ?? 0, { state: 'request' })
  fresh.server.tables.update('production', draft ?? 0, { state: 'draft', number: null })
  const { new: added, error } = await fresh.host.pull('workOrder')
  t.same([added, error], [1, undefined])
})

t.test('tryton: an operation or an input that changes brings its order, which did not change', async t => {
  const { host, server } = open()
  offer(host, 'workOrder')
  await host.pull('workOrder')
  await host.clock.sleep(60_000)
  const [work] = server.tables.all('production.work')
  server.tables.update('production.work', Number(work?.id), { work_center: null })
  t.equal((await host.pull('workOrder')).changed, 1)
  t.match(recordOf(host, 'workOrder', 'WO0001'), { operations: [{ number: '10', department: 'PRODUCTION' }, {}] })
  const [input] = server.tables.all('stock.move')
  server.tables.update('stock.move', Number(input?.id), { quantity: 7 })
  await host.pull('workOrder')
  t.match(recordOf(host, 'workOrder', 'WO0001'), { materials: [{ quantity: { value: '7' } }] })
})

t.test('tryton: a row whose transaction began before the last fetch and ended after it is not lost', async t => {
  const { host } = open()
  offer(host, 'location', {}, '2026-03-02T06:58:00Z')
  await host.pull('location')
  // Stamped before the row that was fetched, shown after it.
  offer(host, 'location', {}, '2026-03-02T06:57:00Z')
  await host.clock.sleep(60_000)
  const late = await host.pull('location')
  t.same([late.new, late.unchanged], [1, 0], 'it comes, and what came before does not come again')
  const idle = await host.pull('location')
  t.same([idle.new, idle.unchanged], [0, 0])
})

t.test('tryton: what the adapter booked itself is no material of the plan', async t => {
  const { host, send } = open()
  await send('materialConsumption', { workOrder: 'WO1', article: 'M0009', quantity: pieces('3'), location: 'R1', at })
  await host.pull('workOrder')
  t.match(recordOf(host, 'workOrder', 'WO1'), { materials: [{ article: 'M0001', quantity: pieces('2') }] })
  t.equal((recordOf(host, 'workOrder', 'WO1') as { materials: unknown[] }).materials.length, 1)
})

t.test('tryton: stock follows done moves, down to nothing, and its time is that of reading', async t => {
  const { host, send } = open()
  offer(host, 'stock', { lot: '' })
  await host.pull('stock')
  const [key = ''] = [...(host.records.get('stock')?.keys() ?? [])]
  t.match(recordOf(host, 'stock', key), { article: 'A0001', location: 'R1', quantity: pieces('1.125'), asOf: '2026-03-02T07:00:00Z' })
  await host.clock.sleep(600_000)
  t.equal((await host.pull('stock')).changed, 0)
  await send('stockTransaction', { article: 'A0001', from: 'R1', quantity: pieces('1.125'), at })
  await host.pull('stock')
  t.match(recordOf(host, 'stock', 'A0001|R1|'), { quantity: pieces('0'), asOf: '2026-03-02T07:10:00Z' })
})

t.test('tryton: where something was taken within the plan the stock is read again, though nothing moved there', async t => {
  const { host, send, moves } = open()
  offer(host, 'stock', { lot: '' })
  await host.pull('stock')
  await host.clock.sleep(600_000)
  t.equal((await host.pull('stock')).changed, 0)
  const taken = { workOrder: 'WO1', article: 'M0001', location: 'R1', at } as const
  t.match(await send('materialConsumption', { ...taken, quantity: pieces('1') }), { status: 'accepted' })
  t.equal(moves().length, 0)
  await host.pull('stock')
  t.match(recordOf(host, 'stock', 'M0001|R1|'), { quantity: pieces('0'), asOf: '2026-03-02T07:10:00Z' })
})

t.test('tryton: an employee leaves with the day, though nobody changes the record', async t => {
  const { host, server } = open()
  offer(host, 'employee')
  await host.pull('employee')
  const [person] = server.tables.all('company.employee')
  server.tables.update('company.employee', Number(person?.id), {
    end_date: { __class__: 'date', year: 2026, month: 3, day: 2 },
    write_date: null
  })
  await host.clock.sleep(26 * 3_600_000)
  await host.pull('employee')
  t.match(recordOf(host, 'employee', 'E0001'), { active: false })
})

t.test('tryton: consumption within the plan is what starting books, beyond it is booked, and comes back in the same order', async t => {
  const { send, moves, server } = open()
  const consume = (value: string) =>
    send('materialConsumption', { workOrder: 'WO1', article: 'M0001', quantity: pieces(value), location: 'R1', at })
  await consume('1.5')
  t.equal(moves().length, 0, 'the plan has 2')
  await consume('1.5')
  t.match(moves(), [{ quantity: 1, production_output: undefined }])
  await consume('-2')
  t.match(moves().at(-1), { quantity: 1, to_location: moves()[0]?.from_location }, 'what went beyond the plan comes back, no more')
  await consume('1')
  t.equal(moves().length, 2)
  t.equal(server.tables.all('ir.note').length, 4, 'each message left its mark')
})

t.test('tryton: with every report booked, an order with planned inputs is not started', async t => {
  const { send, moves, server } = open({ consumption: 'all' })
  await send('materialConsumption', { workOrder: 'WO1', article: 'M0001', quantity: pieces('0.5'), location: 'R1', at })
  t.match(moves(), [{ quantity: 0.5 }])
  t.match(await send('orderStatus', { workOrder: 'WO2', status: 'started', at }), {
    status: 'rejected',
    reject: { code: 'planned_inputs' }
  })
  t.equal(server.tables.all('ir.note').length, 1, 'what was refused leaves nothing')
})

t.test('tryton: finished goods come with their receipts; finishing the order adds none', async t => {
  for (const [output, reported, wanted] of [
    ['reported', true, [2, 0]],
    ['reported', false, [0]],
    ['planned', true, [2, 0]],
    ['planned', false, [9]]
  ] as const) {
    const { send, server } = open({ output })
    await send('orderStatus', { workOrder: 'WO1', status: 'started', at })
    if (reported) await send('productReceipt', { workOrder: 'WO1', article: 'A0001', quantity: pieces('2'), lot: 'L7', at })
    t.match(await send('orderStatus', { workOrder: 'WO1', status: 'finished', at }), { status: 'accepted' })
    const made = server.tables.all('stock.move').filter(move => typeof move.production_output === 'number' && move.state === 'done')
    t.same(
      made.map(({ quantity }) => quantity).sort((a, b) => Number(b) - Number(a)),
      wanted,
      `${output}, ${reported ? 'with' : 'without'} receipts`
    )
  }
})

t.test('tryton: two orders of equal content whose answers are lost never share one move', async t => {
  // Both drafts were made and not marked; then what comes next is slow: whatever the adapter does with them.
  for (const more of [['slow'], ['ok', 'slow'], ['ok', 'ok', 'slow']] as const) {
    const { host, moves } = open()
    const receipt = { article: 'A0001', quantity: pieces('2'), to: 'R2', at }
    for (const workOrder of ['WO1', 'WO2']) host.enqueue('productReceipt', { workOrder, ...receipt }, workOrder)
    host.simulator.faults.push('drop-after-commit', 'drop-after-commit', ...more)
    await host.run()
    t.equal(moves().length, 2, more.join(', '))
    t.equal(new Set(moves().map(({ production_output }) => production_output)).size, 2)
  }
})

t.test('tryton: a refused receipt leaves no draft that finishing the order would book', async t => {
  const { host, server, send } = open()
  await send('orderStatus', { workOrder: 'WO1', status: 'started', at })
  const key = host.enqueue('productReceipt', { workOrder: 'WO1', article: 'A0001', quantity: pieces('2'), at }, 'other')
  host.simulator.books.refusals.set(key, 'You must provide a stock lot.')
  await host.run()
  t.match(host.stateOf(key), { state: 'rejected', reject: { code: 'erp_rejected', message: 'You must provide a stock lot.' } })
  t.equal(server.tables.all('stock.move').filter(({ create_uid }) => create_uid === 8).length, 0)
})

t.test('tryton: a cycle runs from the first start to pause or finish, and lasts as long', async t => {
  const { send, server } = open()
  const tell = (status: 'started' | 'paused' | 'finished', minute: string) =>
    send('operationStatus', { workOrder: 'WO1', operation: '10', status, good: pieces('1'), at: `2026-03-02T08:${minute}:00Z` })
  for (const [status, minute] of [
    ['started', '00'],
    ['started', '05'],
    ['paused', '20'],
    ['started', '30'],
    ['finished', '40']
  ] as const)
    await tell(status, minute)
  t.match(server.tables.all('production.work.cycle'), [
    { state: 'done', duration: { seconds: 1200 } },
    { state: 'done', duration: { seconds: 600 } }
  ])
  t.match(server.tables.all('production.work'), [{ state: 'finished' }])
  t.match(await send('operationStatus', { workOrder: 'WO1', operation: '11', status: 'started', at }), {
    reject: { code: 'operation_unknown' }
  })
  t.match(server.tables.all('ir.note').at(0)?.message, /good 1 PCE/)
})

t.test('tryton: a pause leaves what somebody started in Tryton alone, the end of the operation ends it', async t => {
  const { server, send } = open()
  await send('operationStatus', { workOrder: 'WO1', operation: '10', status: 'paused', at })
  const work = server.tables.all('production.work')[0]?.id
  server.tables.insert('production.work.cycle', { work: Number(work), state: 'running', create_uid: 9 })
  await send('operationStatus', { workOrder: 'WO1', operation: '10', status: 'started', at })
  await send('operationStatus', { workOrder: 'WO1', operation: '10', status: 'paused', at: '2026-03-02T08:10:00Z' })
  t.match(server.tables.all('production.work.cycle'), [{ state: 'running', create_uid: 9 }])
  const end = { workOrder: 'WO1', operation: '10', status: 'finished', at: '2026-03-02T09:00:00Z' } as const
  t.match(await send('operationStatus', end), { status: 'accepted' })
  const cycles = server.tables.all('production.work.cycle')
  t.match(cycles, [{ state: 'done', create_uid: 9 }])
  t.equal(cycles.length, 1, 'and no other was made beside it')
  t.notOk('duration' in (cycles[0] ?? {}), 'how long it lasted is for Tryton to say')
})

t.test('tryton: an operation that is finished and never ran gets a cycle of no time, so that its order can end', async t => {
  const { send, server } = open()
  await send('operationStatus', { workOrder: 'WO1', operation: '10', status: 'finished', at })
  t.match(server.tables.all('production.work.cycle'), [{ state: 'done', duration: { seconds: 0 } }])
})

t.test('tryton: hours are a line, hours taken back make it shorter, and no reason names the person', async t => {
  const { host, server, send } = open()
  const hours = { ...sampleExport('labour', 60, 'WO1'), employee: 'Sample Person' }
  const key = host.enqueue('labour', hours, 'WO1')
  await host.run()
  t.match(await send('labour', { ...hours, seconds: -1_800, reverses: key }), { status: 'accepted' })
  t.match(server.tables.all('timesheet.line'), [{ duration: { seconds: 1_800 } }])
  t.match(await send('labour', { ...hours, seconds: -1_801, reverses: key }), { status: 'rejected', reject: { code: 'line_too_short' } })
  const refused = host.enqueue('labour', hours, 'WO9')
  host.simulator.books.refusals.set(refused, 'Not allowed for Sample Person')
  await host.run()
  t.match(host.stateOf(refused).reject?.message, /^Not allowed for …/)
  const { seconds, employee } = hours
  const indirect = { seconds, employee, startedAt: at, activity: 'indirect' } as const
  t.match(await send('labour', indirect), { reject: { code: 'no_timesheet' } })
})

t.test('tryton: an order that is done, cancelled, unknown or short of material is refused with a sentence', async t => {
  const { send, server } = open()
  const start = (workOrder: string) => send('orderStatus', { workOrder, status: 'started', at })
  await start('WO1')
  const [order] = server.tables.all('production')
  for (const [state, code] of [
    ['done', 'work_order_done'],
    ['cancelled', 'work_order_cancelled']
  ] as const) {
    const fresh = open()
    await fresh.send('orderStatus', { workOrder: 'WO1', status: 'paused', at })
    fresh.server.tables.update('production', Number(order?.id), { state })
    t.match(await fresh.send('orderStatus', { workOrder: 'WO1', status: 'started', at }), { reject: { code } })
  }
  t.match(await start('NONE1'), { reject: { code: 'work_order_unknown', message: /NONE1/ } })
})

t.test('tryton: a transition that Tryton ignored is not taken for done', async t => {
  const { send, server } = open()
  const { effects } = server
  const real = effects.transition.bind(effects)
  effects.transition = (model, verb, ids, refuse) => (verb === 'run' || verb === 'do' ? null : real(model, verb, ids, refuse))
  t.match(await send('orderStatus', { workOrder: 'WO1', status: 'started', at }), { reject: { code: 'not_started' } })
  t.match(await send('stockTransaction', { article: 'A1', from: 'R1', to: 'R2', quantity: pieces('1'), at }), {
    reject: { code: 'not_done' }
  })
  t.match(await send('operationStatus', { workOrder: 'WO2', operation: '10', status: 'started', at }), { reject: { code: 'not_reached' } })
})

t.test('tryton: a server without modules does what it can, and says what it cannot', async t => {
  const { host, send } = open(
    {},
    { without: ['production.work', 'production.work.cycle', 'stock.lot', 'timesheet.line', 'timesheet.work'] }
  )
  offer(host, 'workOrder')
  await host.pull('workOrder')
  t.match(recordOf(host, 'workOrder', 'WO0001'), { operations: [], department: 'PRODUCTION' })
  t.match(await send('operationStatus', sampleExport('operationStatus', 1, 'WO1')), { reject: { code: 'no_operations' } })
  t.match(await send('labour', sampleExport('labour', 1, 'WO2')), { reject: { code: 'no_timesheets' } })
  t.match(await send('productReceipt', sampleExport('productReceipt', 1, 'WO3')), { reject: { code: 'lot_unknown' } })
})

t.test('tryton: the check names address, sign-in, company and rights, and writes nothing', async t => {
  const { host } = open()
  const steps = async (h: typeof host) => Array.fromAsync(tryton.check?.(h.ctx) ?? [])
  const good = await steps(host)
  t.same(
    good.filter(({ ok }) => !ok),
    []
  )
  t.match(good.map(({ step }) => step).join(), /address,sign-in,company,rights on .*,an order/)
  t.same(
    host.simulator.calls.filter(call => !host.simulator.isRead(call)),
    []
  )
  t.match((await steps(open({ password: 'wrong' }).host)).at(-1), { step: 'sign-in', ok: false, cause: 'auth', field: '/password' })
  t.match((await steps(open({ database: 'other' }).host)).at(-1), { step: 'sign-in', ok: false, cause: 'config' })
})

t.test('tryton: the session is kept as a secret, and stands in no record that is printed', async t => {
  const { host } = open()
  await host.pull('location')
  const held = await host.ctx.state.get()
  t.notMatch(JSON.stringify(held), sessionToken)
  t.notMatch(JSON.stringify(host.simulator.calls), trytonConfig.password)
  t.match(JSON.stringify(held), /\[secret\]/)
})

t.test('tryton: every row and every checkpoint is plain data', async t => {
  const { host } = open()
  for (const kind of ['workOrder', 'article', 'location', 'employee', 'stock'] as const) offer(host, kind)
  for (const kind of ['workOrder', 'article', 'location', 'employee', 'stock'] as const) {
    const items: ImportItem[] = await Array.fromAsync(host.itemsOfPull(kind, null))
    t.strictSame(JSON.parse(JSON.stringify(items)), items, kind)
  }
})
