import t from 'tap'
import { withTx } from '../../core/db/tx.ts'
import { callingErp, type FileErp, fileErp, sftpHouse } from '../helpers/erp-side.ts'

const orderHead = 'Order;Department;Quantity;Unit;Status;Changed;Operation;OperationDepartment;OperationDescription\n'
const order = (number: string, quantity: string, changed = ''): string =>
  `${number};D;${quantity};PCE;released;${changed};10;D;Work\n${number};D;${quantity};PCE;released;${changed};20;D;More\n`
const stockFile = (quantity: string, asOf: string): string => `Article;Location;Quantity;Unit;AsOf\nA1;P1;${quantity};PCE;${asOf}\n`

/** Everything that a customer's modules hold of these files, in one text. */
const stateOf = async (erp: Pick<FileErp, 'query'>): Promise<string> =>
  JSON.stringify([
    await erp.query('select number, quantity, status from workorders.work_order order by number'),
    await erp.query(
      'select o.number, j.number as job from workorders.job j join workorders.work_order o on o.id = j.order_id order by 1, 2'
    ),
    await erp.query('select quantity from inventory.level order by quantity'),
    await erp.query('select quantity, kind from inventory.ledger order by seq')
  ])
const quantityOf = async (erp: Pick<FileErp, 'query'>, number: string): Promise<unknown> =>
  (await erp.query('select quantity::float8 as quantity from workorders.work_order where number = $1', [number]))[0]?.quantity

t.test('D11 replay and order', async t => {
  const at = await sftpHouse(t)
  const erp = await fileErp(t, at)

  await t.test('D11: the same file three times, under its own or another name, changes nothing after the first', async t => {
    const files: readonly (readonly [string, string])[] = [
      ['WO', orderHead + order('W1', '5') + order('W2', '6')],
      ['STK', stockFile('12', '2026-03-02 06:00:00')]
    ]
    for (const [prefix, body] of files) {
      t.match((await erp.file(`${prefix}_1.csv`, body)).delivery, { state: 'done', counts: { rejected: 0 } })
      const once = await stateOf(erp)
      for (const name of [`${prefix}_1.csv`, `${prefix}_1.csv`])
        t.match((await erp.file(name, body)).delivery, { state: 'duplicate', reason: { code: 'same_as_latest' }, counts: { read: 0 } })
      const other = await erp.file(`${prefix}_2.csv`, body)
      t.match(other.delivery, { state: 'done', counts: { new: 0, changed: 0, unchanged: other.delivery.counts.read } })
      t.equal(await stateOf(erp), once)
    }
  })

  await t.test('D11: the same file replayed by hand changes nothing either', async t => {
    const { delivery } = await erp.file('WO_3.csv', orderHead + order('W3', '7'))
    const once = await stateOf(erp)
    for (let n = 0; n < 2; n++) {
      const replay = await erp.api<{ id: string }>('POST', `/deliveries/${delivery.id}/replays`, { only: 'all' })
      await erp.work()
      t.match((await erp.result(replay.id)).delivery, { counts: { new: 0, changed: 0, unchanged: 1 } })
    }
    t.equal(await stateOf(erp), once)
  })

  await t.test('D11: an older file that comes after a newer one is stale, by the time in it', async t => {
    await erp.file('WO_10.csv', orderHead + order('W10', '20', '2026-03-02 10:00:00'))
    t.match((await erp.file('WO_11.csv', orderHead + order('W10', '10', '2026-03-02 09:59:59'))).delivery.counts, { stale: 1, changed: 0 })
    t.equal(await quantityOf(erp, 'W10'), 20)
    t.match((await erp.file('WO_12.csv', orderHead + order('W10', '30', '2026-03-02 10:00:01'))).delivery.counts, { changed: 1 })
    t.equal(await quantityOf(erp, 'W10'), 30)
    await erp.file('STK_10.csv', stockFile('50', '2026-03-03 06:00:00'))
    await erp.file('STK_11.csv', stockFile('49', '2026-03-02 23:00:00'))
    const { items } = await erp.api<{ items: { quantity: string }[] }>('GET', '/stock?limit=10')
    t.same(
      items.map(({ quantity }) => quantity),
      ['50']
    )
  })

  await t.test('D11: without a time in it the later arrival counts, and the replay of an earlier one undoes nothing', async t => {
    const first = await erp.file('WO_20.csv', orderHead + order('W20', '1'))
    await erp.file('WO_21.csv', orderHead + order('W20', '2'))
    t.equal(await quantityOf(erp, 'W20'), 2)
    const replay = await erp.api<{ id: string }>('POST', `/deliveries/${first.delivery.id}/replays`, { only: 'all' })
    await erp.work()
    t.match((await erp.result(replay.id)).delivery.counts, { stale: 1, changed: 0 })
    t.equal(await quantityOf(erp, 'W20'), 2)
  })

  await t.test('D11: one order in two places of a file, or twice the same operation, is never taken twice', async t => {
    const scattered = await erp.file('WO_30.csv', orderHead + order('W30', '1') + order('W31', '1') + order('W30', '9'))
    t.same(
      scattered.rejects.map(({ key, code }) => [key, code]),
      [
        ['W30', 'rows_scattered'],
        ['W30', 'rows_scattered']
      ]
    )
    t.equal(await quantityOf(erp, 'W30'), undefined)
    const twice = await erp.file('WO_31.csv', orderHead + order('W32', '1') + order('W32', '1'))
    t.equal(twice.delivery.counts.rejected, 1)
  })

  await t.test('D11: a file of another plant is refused as a whole, and the refusal is in the journal', async t => {
    const tenant = await at.newTenant()
    const utrecht = await fileErp(t, at, { tenant, config: { plantColumn: 'Plant', plant: 'UTR' } })
    const own = `${orderHead.trim()};Plant\n${order('U1', '1')
      .trim()
      .split('\n')
      .map(line => `${line};UTR\n`)
      .join('')}`
    t.match((await utrecht.file('WO_1.csv', own)).delivery, { state: 'done', counts: { new: 1 } })
    const before = await stateOf(utrecht)
    const files: readonly (readonly [string, string, RegExp])[] = [
      [
        'WO_2.csv',
        `${own}${order('U2', '1')
          .trim()
          .split('\n')
          .map(line => `${line};EHV\n`)
          .join('')}`,
        /Line 4 is of plant "EHV"/
      ],
      ['WO_3.csv', orderHead + order('U3', '1'), /Line 2 has no column "Plant"/],
      ['ART_1.csv', 'Article;Description;Unit;Plant\nA1;One;PCE;UTR\nA2;Two;PCE;\n', /Line 3 is of plant ""/]
    ]
    for (const [name, body, told] of files) {
      const { delivery } = await utrecht.file(name, body)
      t.match(delivery, { state: 'rejected', reason: { code: 'import_payload', detail: told }, counts: { read: 0 } }, name)
      const [entry] = await utrecht.query(`select data from journal.entry where act = 'delivery.import' and subject_id = $1`, [delivery.id])
      t.match(entry, { data: { state: 'rejected', code: 'import_payload' } }, name)
    }
    t.equal(await stateOf(utrecht), before)
  })

  await t.test("D11: another customer's file with the same numbers touches nothing of this one", async t => {
    const before = await stateOf(erp)
    const other = await fileErp(t, at, { tenant: await at.newTenant() })
    await other.file('WO_1.csv', orderHead + order('W1', '999') + order('W10', '999', '2030-01-01 00:00:00'))
    t.equal(await quantityOf(other, 'W1'), 999)
    t.equal(await stateOf(erp), before)
  })
})

t.test('D11 calls', async t => {
  const at = await sftpHouse(t)
  const erp = await callingErp(at)
  const body = (number: string, quantity: string, seq?: number, plant?: string) => ({
    records: [
      {
        ...{ number, department: 'D', quantity: { value: quantity, unit: 'PCE' }, status: 'released', operations: [] },
        ...(seq === undefined ? {} : { revision: { seq } }),
        ...(plant === undefined ? {} : { plant })
      }
    ]
  })

  await t.test('D11: a call repeated, with or without its key, is one delivery', async t => {
    const call = (key?: string) =>
      at.call<{ delivery: string; duplicate: boolean }>('POST', `/erp/v1/${erp.connectionId}/work-orders`, {
        token: erp.erpToken,
        body: body('C1', '1'),
        ...(key === undefined ? {} : { headers: { 'idempotency-key': key } })
      })
    t.match((await call()).body, { duplicate: false })
    for (let n = 0; n < 2; n++) t.match((await call()).body, { duplicate: true })
    const key = 'the-key-of-one-call'
    const keyed = await call(key)
    for (let n = 0; n < 2; n++) t.match((await call(key)).body, { delivery: keyed.body.delivery })
    await erp.work()
    t.match(await erp.query('select count(*)::int as n from workorders.work_order'), [{ n: 1 }])
  })

  await t.test('D11: a lower number after a higher one is stale, a deletion too', async t => {
    await erp.post('work-orders', body('C2', '20', 20))
    t.match((await erp.post('work-orders', body('C2', '10', 10))).delivery.counts, { stale: 1 })
    t.match((await erp.post('work-orders', { records: [], deleted: [{ key: 'C2', revision: { seq: 19 } }] })).delivery.counts, { stale: 1 })
    t.match(await erp.query(`select quantity::float8 as quantity, status from workorders.work_order where number = 'C2'`), [
      { quantity: 20, status: 'released' }
    ])
  })

  await t.test('D11: an acknowledgement counts once, however often it comes', async t => {
    const key = await withTx(erp.ctx, tx =>
      at.house.exchange.outbox.enqueue(tx, {
        kind: 'orderStatus',
        record: { workOrder: 'C2', status: 'started', at: tx.clock.iso() },
        orderingKey: 'C2'
      })
    )
    await at.house.exchange.exportDue(erp.ctx, new AbortController().signal)
    const acks = { acks: [{ key, result: 'accepted', document: 'D1' }] }
    t.match((await erp.post('acks', acks)).delivery.counts, { acks: 1, rejected: 0 })
    for (let n = 0; n < 2; n++) await erp.post('acks', acks, { 'idempotency-key': `ack-again-${n}` })
    const otherwise = await erp.post('acks', { acks: [{ key, result: 'rejected', message: 'no' }] })
    t.match(otherwise.rejects, [{ code: /^ack_/ }], 'a contradiction is told, not taken')
    t.match(await erp.query('select state from exchange.outbox'), [{ state: 'accepted' }])
  })

  await t.test('D11: a body with a record of another plant is refused as a whole', async t => {
    const { version } = await erp.api<{ version: number }>('GET', `/connections/${erp.connectionId}`)
    await erp.api('PUT', `/connections/${erp.connectionId}`, { version, config: { plantField: 'plant', plant: 'UTR' } })
    t.match((await erp.post('work-orders', body('P1', '1', undefined, 'UTR'))).delivery, { state: 'done', counts: { new: 1 } })
    for (const plant of ['EHV', undefined]) {
      const mixed = { records: [...body('P2', '1', undefined, 'UTR').records, ...body('P3', '1', undefined, plant).records] }
      t.match((await erp.post('work-orders', mixed)).delivery, { state: 'rejected', reason: { detail: /Entry 2 .* "UTR" in "plant"/ } })
    }
    t.match(await erp.query(`select number from workorders.work_order where number like 'P%'`), [{ number: 'P1' }])
  })
})
