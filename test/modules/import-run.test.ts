import t from 'tap'
import type { Receivers } from '../../core/exchange/receivers.ts'
import { withLeases } from '../../core/tasks/leases.ts'
import { type ImportSide, importDelivery, importDue, importSide, type Line } from '../helpers/import-side.ts'

const article = (number: string, text: string, rev?: number, unit = 'PCE'): Line => ({
  kind: 'article',
  row: { Article: number, Text: text, Unit: unit },
  ...(rev === undefined ? {} : { rev })
})
const many = (from: number, to: number, text: (n: number) => string = n => `text ${n}`): Line[] =>
  Array.from({ length: to - from }, (_, i) => article(`A${String(from + i).padStart(6, '0')}`, text(from + i)))

const held = async (side: ImportSide, key: string) =>
  (await side.query<{ record: { description: string }; open: boolean }>(`select record, open from far.record where key = '${key}'`))[0]

t.test('import: deciding what counts', async t => {
  const side = await importSide(t, 'deciding')

  await t.test('import: A, B, A under one name ends as A', async t => {
    const [a, b] = [[article('1', 'as A')], [article('1', 'as B')]]
    t.match(await side.bring(a), { state: 'done', new_count: '1', read_count: '1' })
    t.match(await side.bring(b), { state: 'done', changed_count: '1' })
    t.match(await side.bring(a), { state: 'done', changed_count: '1' })
    t.equal((await held(side, '1'))?.record.description, 'as A')
  })

  await t.test('import: an equal record in another file is unchanged and reaches no module', async t => {
    const before = side.watch.calls
    t.match(await side.bring([article('1', 'as A')], 'other.jsonl'), {
      state: 'done',
      unchanged_count: '1',
      new_count: '0',
      changed_count: '0'
    })
    t.equal(side.watch.calls, before)
  })

  await t.test('import: an older revision is stale, the same one with another body wins by arrival', async t => {
    t.match(await side.bring([article('2', 'rev five', 5)]), { new_count: '1' })
    t.match(await side.bring([article('2', 'rev four', 4)]), { stale_count: '1', changed_count: '0' })
    t.equal((await held(side, '2'))?.record.description, 'rev five')
    t.match(await side.bring([article('2', 'rev five again', 5)]), { changed_count: '1' })
    t.equal((await held(side, '2'))?.record.description, 'rev five again')
  })

  await t.test('import: an equal body under a newer revision moves the revision', async t => {
    t.match(await side.bring([article('3', 'same', 1)]), { new_count: '1' })
    t.match(await side.bring([article('3', 'same', 9)]), { unchanged_count: '1' })
    t.match(await side.bring([article('3', 'late news', 5)]), { stale_count: '1' })
  })

  await t.test('import: the later row of a key wins within a file, and the earlier one is counted', async t => {
    t.match(await side.bring([article('4', 'first'), article('4', 'second')]), { read_count: '2', new_count: '1', duplicate_count: '1' })
    t.equal((await held(side, '4'))?.record.description, 'second')
  })

  await t.test('import: a deleted record is closed once, and opened again by the same body', async t => {
    t.match(await side.bring([article('5', 'here')]), { new_count: '1' })
    t.match(await side.bring([{ delete: 'article', key: '5' }]), { closed_count: '1' })
    t.equal((await held(side, '5'))?.open, false)
    t.match(await side.bring([{ delete: 'article', key: '5' }], 'again.jsonl'), { closed_count: '0', unchanged_count: '1' })
    t.match(await side.bring([article('5', 'here')]), { changed_count: '1' })
    t.equal((await held(side, '5'))?.open, true)
  })

  await t.test('import: kinds of one file are handed over in their order, whatever the order of the rows', async t => {
    const seen: string[] = []
    const handed =
      (kind: string, receive: (...args: never[]) => unknown) =>
      (...args: never[]) => {
        seen.push(kind)
        return receive(...args)
      }
    const receivers = Object.fromEntries(
      Object.entries(side.deps.receivers).map(([kind, receive]) => [kind, handed(kind, receive)])
    ) as Receivers
    await side.file([
      { kind: 'pickList', row: { number: 'P1', workOrder: 'W1', lines: [] } },
      {
        kind: 'workOrder',
        row: { number: 'W1', department: 'D', quantity: { value: '1', unit: 'PCE' }, status: 'released', operations: [] }
      },
      article('6', 'x'),
      { kind: 'location', row: { code: 'L1', warehouse: 'W' } }
    ])
    await importDue({ ...side.deps, receivers }, side.ctx, new AbortController().signal)
    t.strictSame(seen, ['location', 'article', 'workOrder', 'pickList'])
  })

  await t.test('import: columns that no rule names are counted by name and stored nowhere', async t => {
    const row = await side.bring([{ kind: 'article', row: { Article: '7', Text: 'x', Unit: 'PCE', Birthday: 'canary-1970-01-01' } }])
    t.strictSame(row.unknown_columns, { 'article.Birthday': 1 })
    t.notMatch(JSON.stringify(await side.query('select * from far.record')), /canary/)
  })

  await t.test('import: acknowledgements are taken in, unknown and contradicting ones go to the bin', async t => {
    const row = await side.bring([
      { ack: 'M1', ok: true },
      { ack: 'M1', ok: true },
      { ack: 'M1', ok: false },
      { ack: 'unknown-9', ok: true }
    ])
    t.match(row, { state: 'done_with_rejects', ack_count: '2', rejected_count: '2' })
    t.strictSame(
      (await side.query<{ code: string }>(`select code from exchange.reject where kind = 'ack' order by code`)).map(r => r.code),
      ['ack_contradiction', 'ack_unknown_key']
    )
  })

  await t.test('import: a kind that nobody owns is one clear entry for the whole file', async t => {
    await side.withTx(tx =>
      side.desk.setKinds(tx, side.connectionId, { in: ['location', 'employee', 'workOrder', 'pickList', 'stock'], out: [] })
    )
    const row = await side.bring([...many(0, 1500), { kind: 'location', row: { code: 'L9', warehouse: 'W' } }], 'unowned.jsonl')
    t.match(row, { state: 'done_with_rejects', rejected_count: '1500', new_count: '1' })
    const entries = await side.query<{ code: string; message: string }>(
      `select code, message from exchange.reject where delivery_id = '${row.id}'`
    )
    t.equal(entries.length, 1)
    t.match(entries[0], { code: 'kind_not_owned', message: /No connection owns article/ })
    await side.withTx(tx =>
      side.desk.setKinds(tx, side.connectionId, { in: ['article', 'location', 'employee', 'workOrder', 'pickList', 'stock'], out: [] })
    )
  })
})

t.test('import: chunks, halving and crashes', async t => {
  const side = await importSide(t, 'chunks')

  await t.test('import: one bad record among 2,500 is isolated, all others get through', async t => {
    const lines = many(0, 2500, n => (n === 1700 ? 'BOOM' : `text ${n}`))
    const row = await side.bring(lines)
    t.match(row, { state: 'done_with_rejects', read_count: '2500', new_count: '2499', rejected_count: '1', position: '2500' })
    t.strictSame(await side.query('select line, code, record_key from exchange.reject'), [
      { line: 1701, code: 'record_failed', record_key: 'A001700' }
    ])
    t.equal(await held(side, 'A001700'), undefined)
  })

  await t.test('import: a record that the database refuses and one that a module refuses stand alone too', async t => {
    const row = await side.bring(many(3000, 3100, n => (n === 3010 ? 'NUL' : n === 3090 ? 'DENY' : `text ${n}`)))
    t.match(row, { new_count: '98', rejected_count: '2' })
    const rejects = await side.query<{ code: string; message: string }>(
      `select code, message from exchange.reject where delivery_id = '${row.id}' order by line`
    )
    t.match(rejects, [{ code: 'record_failed' }, { code: 'denied', message: 'This one is not wanted.' }])
  })

  await t.test('import: where everything fails the delivery is parked after three tries, not taken apart row by row', async t => {
    const id = await side.file(
      many(4000, 4900, () => 'BOOM'),
      'bug.jsonl'
    )
    for (let i = 0; i < 3; i++) {
      await side.work()
      side.clock.advance(1000)
    }
    const row = await side.row(id)
    t.match(row, { state: 'parked', attempts: 3, reason_code: 'import_bug' })
    t.notMatch(row.reason, /BOOM|text/)
  })

  const end = many(10_000, 13_500, n => (n === 10_700 ? 'BOOM' : `text ${n}`))

  await t.test('import: broken off after any item and resumed, the end is that of one clean run', async t => {
    const clean = await importSide(t, 'clean')
    const wanted = await clean.bring(end, 'crash.jsonl')
    const state = await clean.state()
    const counts = (row: typeof wanted) => [row.state, row.read_count, row.new_count, row.rejected_count, row.unchanged_count, row.position]
    for (const at of [1, 500, 999, 1000, 1001, 2000, 2001, 3499]) {
      const other = await importSide(t, `crash${at}`)
      const id = await other.file(end, 'crash.jsonl')
      const stop = new AbortController()
      const adapter = other.deps.adapters.get('test.lines')
      const original = adapter?.import?.file
      if (!adapter?.import || !original) throw new Error('the test adapter reads files')
      let n = 0
      adapter.import.file = async function* (file, ctx) {
        for await (const item of original(file, ctx)) {
          if (++n === at) stop.abort()
          yield item
        }
      }
      await importDue(other.deps, other.ctx, stop.signal)
      t.match(await other.row(id), { state: at <= 1 ? /stored|processing/ : 'processing' }, `broken off at ${at}`)
      adapter.import.file = original
      await other.work()
      t.strictSame(counts(await other.row(id)), counts(wanted), `counts after ${at}`)
      t.equal(await other.state(), state, `records after ${at}`)
      t.equal((await other.query('select 1 from exchange.reject')).length, 1)
    }
  })

  await t.test('import: broken off in the middle of halving, no record is lost and none is counted twice', async t => {
    const id = await side.file(end, 'halving.jsonl')
    for (let round = 0; round < 40 && (await side.row(id)).state !== 'done_with_rejects'; round++) {
      const stop = new AbortController()
      const from = side.watch.calls
      side.watch.onCall = calls => {
        if (calls - from >= 3 + round) stop.abort()
      }
      await importDue(side.deps, side.ctx, stop.signal)
      delete side.watch.onCall
    }
    t.match(await side.row(id), {
      state: 'done_with_rejects',
      read_count: '3500',
      new_count: '3499',
      rejected_count: '1',
      unchanged_count: '0'
    })
  })

  await t.test('import: who lost the lease cannot commit', async t => {
    const id = await side.file(many(20_000, 20_010), 'lost.jsonl')
    const before = await side.state()
    await side.deps.withLease(side.ctx, `import:${side.connectionId}`, async lease => {
      await side.query(`update core.lease set fence = fence + 1`)
      await t.rejects(importDelivery(side.deps, side.ctx, id, lease), { name: 'LeaseLost' })
    })
    t.equal(await side.state(), before)
    t.match(await side.row(id), { state: 'stored', position: '0' })
    await side.query(`update core.lease set expires_at = now() - interval '1 hour'`)
    await side.work()
    t.match(await side.row(id), { state: 'done', new_count: '10' })
  })

  await t.test('import: two workers at once do not work on one connection', async t => {
    const ids = [await side.file(many(21_000, 23_000), 'both-1.jsonl'), await side.file(many(23_000, 25_000), 'both-2.jsonl')]
    const second = { ...side.deps, withLease: withLeases({ add: () => {} }) }
    await Promise.all([side.work(), importDue(second, side.ctx, new AbortController().signal)])
    await side.work()
    for (const id of ids) t.match(await side.row(id), { state: 'done', new_count: '2000' })
    t.strictSame(await side.query(`select count(*)::int as n from far.record where times > 1 and key between 'A021000' and 'A024999'`), [
      { n: 0 }
    ])
  })
})

t.test('import: deliveries that fail as a whole', async t => {
  const side = await importSide(t, 'failing')

  await t.test('import: an empty, a cut and a wrongly encoded file are rejected with the reason, and the next one goes on', async t => {
    const ids = [
      await side.file(Buffer.alloc(0), 'empty.jsonl'),
      await side.file(Buffer.from(JSON.stringify(article('1', 'x')).slice(0, 20)), 'cut.jsonl'),
      await side.file(Buffer.from('{"kind":"article","row":{"Text":"caf\xe9"}}\n', 'latin1'), 'latin.jsonl'),
      await side.file([article('1', 'good')], 'good.jsonl')
    ]
    await side.work()
    const [empty, cut, latin, good] = await Promise.all(ids.map(id => side.row(id)))
    t.match(empty, { state: 'rejected', reason: /empty/ })
    t.match(cut, { state: 'rejected', reason: /Line 1/ })
    t.match(latin, { state: 'rejected', reason: /utf-8/i })
    t.match(good, { state: 'done', new_count: '1' })
  })

  await t.test('import: a missing required column rejects the delivery and says which', async t => {
    t.match(await side.bring([{ kind: 'article', row: { Article: '1', Unit: 'PCE' } }]), { state: 'rejected', reason: /"Text" is missing/ })
  })

  await t.test('import: a transient failure is tried again, each time later, and holds up what came after', async t => {
    const first = await side.file([article('10', 'x'), { fail: 'transient' }], 'transient.jsonl')
    const second = await side.file([article('11', 'x')], 'after.jsonl')
    t.equal(await side.work(), true)
    t.match(await side.row(first), { state: 'stored', attempts: 1, reason_code: 'import_transient' })
    t.match(await side.row(second), { state: 'stored' })
    await side.work()
    t.match(await side.row(first), { attempts: 1 }, 'not before its time')
    for (let i = 0; i < 4; i++) {
      side.clock.advance(1000)
      await side.work()
    }
    t.match(await side.row(first), { state: 'stored', attempts: 5 }, 'never parked')
    await side.query(`update exchange.delivery set state = 'rejected' where id = '${first}'`)
  })

  await t.test('import: refused by the ERP pauses the connection, which keeps its deliveries', async t => {
    const id = await side.file([{ fail: 'auth' }], 'auth.jsonl')
    await side.work()
    t.match(await side.query('select state, paused_code from exchange.connection'), [{ state: 'paused', paused_code: 'import_auth' }])
    t.match(await side.row(id), { state: 'stored' })
    const later = await side.file([article('12', 'x')], 'later.jsonl')
    await side.work()
    t.match(await side.row(later), { state: 'stored' }, 'paused connections wait')
    await side.query(`update exchange.delivery set state = 'rejected' where id = '${id}'`)
    await side.withTx(tx => side.desk.resume(tx, side.connectionId))
    await side.work()
    t.match(await side.row(later), { state: 'done' })
  })

  await t.test('import: a bug in the adapter is parked after three tries and the next delivery goes on', async t => {
    const bad = await side.file([{ fail: 'crash' }], 'crash.jsonl')
    const good = await side.file([article('13', 'x')], 'good2.jsonl')
    for (let i = 0; i < 3; i++) {
      await side.work()
      side.clock.advance(1000)
    }
    t.match(await side.row(bad), { state: 'parked', attempts: 3 })
    t.match(await side.row(good), { state: 'done' })
  })
})
