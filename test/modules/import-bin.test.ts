import { createHash } from 'node:crypto'
import t from 'tap'
import { withTx } from '../../core/db/tx.ts'
import { dryRun } from '../../core/exchange/dry-run.ts'
import { errorBin, messageOfEntry, rowsOfEntry } from '../../core/exchange/error-bin.ts'
import { findEntry, listCauses, listEntries } from '../../core/exchange/error-bin-store.ts'
import { type ImportSide, importSide, type Line } from '../helpers/import-side.ts'

const article = (number: string, text = 'x', unit = 'PCE', rev?: number): Line => ({
  kind: 'article',
  row: { Article: number, Text: text, Unit: unit },
  ...(rev === undefined ? {} : { rev })
})
interface Reject {
  id: string
  state: string
  code: string
  message: string
  attempts: number
  resolution: string | null
  line: number | null
  delivery_id: string
}
const rejects = (side: ImportSide, where = 'true'): Promise<Reject[]> =>
  side.query<Reject>(`select * from exchange.reject where ${where} order by seq`)
const binOf = (side: ImportSide) => errorBin({ journal: side.deps.journal, desk: side.desk })
const nothing = { connectionId: null, deliveryId: null, state: null, kind: null, code: null, cause: null, direction: null }

t.test('error bin', async t => {
  const side = await importSide(t, 'bin')
  const bin = binOf(side)
  await side.withTx(tx =>
    side.desk.setMapping(tx, side.connectionId, 1, {
      mapping: { imports: { article: { number: 'Article', description: 'Text', unit: { from: 'Unit', code: 'units' } } } },
      codeTables: { units: { PCE: 'C62' } }
    })
  )

  await t.test('error bin: a missing code is one cause, and adding it clears all that it held up', async t => {
    const lines = [...Array.from({ length: 40 }, (_, n) => article(`U${n}`, 'x', 'STX')), article('U99', 'x', 'DZN'), article('U100')]
    t.match(await side.bring(lines), { state: 'done_with_rejects', rejected_count: '41', new_count: '1' })
    const causes = await listCauses(side.ctx, { ...nothing, state: 'open' }, 10)
    t.match(causes, [
      { code: 'code_unknown', code_table: 'units', count: 40 },
      { code: 'code_unknown', code_table: 'units', count: 1 }
    ])
    const sample = causes[0]?.sample ?? ''
    t.equal(await side.withTx(tx => bin.translate(tx, sample, 'H87')), 40)
    await side.work()
    t.strictSame((await rejects(side, `state = 'open'`)).length, 1)
    t.equal((await rejects(side, `state = 'resolved'`)).length, 40)
    t.strictSame(await side.query(`select count(*)::int as n from far.record where record->>'unit' = 'H87'`), [{ n: 40 }])
    t.match(await side.query(`select version, code_tables from exchange.mapping order by version desc limit 1`), [
      { version: 3, code_tables: { units: { PCE: 'C62', STX: 'H87' } } }
    ])
  })

  await t.test('error bin: an edited row gets through and the original is kept', async t => {
    const row = await side.bring([article('E1', 'REFUSE')], 'edit.jsonl')
    const [entry] = await rejects(side, `delivery_id = '${row.id}'`)
    t.match(entry, { state: 'open', code: 'refused' })
    const id = entry?.id ?? ''
    await side.withTx(tx => bin.edit(tx, id, { Article: 'E1', Text: 'mended', Unit: 'PCE' }))
    await side.work()
    t.match((await rejects(side, `id = '${id}'`))[0], { state: 'resolved', resolution: 'replayed' })
    t.match(await side.query(`select record from far.record where key = 'E1'`), [{ record: { description: 'mended' } }])
    t.match(await rowsOfEntry(side.ctx, id), { original: { Text: 'REFUSE' }, edited: { Text: 'mended' }, mapped: true })
    await t.rejects(
      side.withTx(tx => bin.edit(tx, id, {})),
      { code: 'reject_state' }
    )
  })

  await t.test('error bin: what fails again keeps its place, with the new reason', async t => {
    const row = await side.bring([article('F1', 'REFUSE')], 'again.jsonl')
    const [entry] = await rejects(side, `delivery_id = '${row.id}'`)
    const id = entry?.id ?? ''
    await side.withTx(tx => bin.edit(tx, id, { Article: 'F1', Text: 'HOLD', Unit: 'PCE' }))
    await side.work()
    t.match(await rejects(side, `id = '${id}'`), [{ state: 'open', code: 'order_started', attempts: 2 }])
    await side.withTx(tx => bin.edit(tx, id, { Article: 'F1', Text: 'x', Unit: 'NOPE' }))
    await side.work()
    t.match(await rejects(side, `id = '${id}'`), [{ state: 'open', code: 'code_unknown', attempts: 3 }])
    t.match(await side.withTx(tx => bin.skip(tx, id, 'one', 'not needed')), 1)
    t.match(await rejects(side, `id = '${id}'`), [{ state: 'skipped', resolution: 'not needed' }])
  })

  await t.test('error bin: a replayed row with a bug among good ones stands alone', async t => {
    const lines = Array.from({ length: 20 }, (_, n) => article(`G${n}`, n === 7 ? 'REFUSE BOOM' : 'REFUSE'))
    const row = await side.bring(lines.slice(0, 7), 'seven.jsonl')
    const open = await rejects(side, `delivery_id = '${row.id}'`)
    for (const [n, entry] of open.entries()) {
      await side.withTx(tx => bin.edit(tx, entry.id, { Article: `G${n}`, Text: n === 3 ? 'BOOM' : 'fine', Unit: 'PCE' }))
    }
    await side.work()
    const after = await rejects(side, `delivery_id = '${row.id}'`)
    t.strictSame(
      after.map(entry => entry.state),
      ['resolved', 'resolved', 'resolved', 'open', 'resolved', 'resolved', 'resolved']
    )
    t.equal(after[3]?.code, 'record_failed')
  })

  await t.test('error bin: a later good record of the same key resolves, the same bad one replaces', async t => {
    const first = await side.bring([article('H1', 'REFUSE')], 'night-1.jsonl')
    const second = await side.bring([article('H1', 'REFUSE')], 'night-2.jsonl')
    t.match(await rejects(side, `delivery_id = '${first.id}'`), [{ state: 'resolved', resolution: /^replaced by delivery/ }])
    t.match(await rejects(side, `delivery_id = '${second.id}'`), [{ state: 'open' }])
    await side.bring([article('H1', 'good')], 'night-3.jsonl')
    t.match(await rejects(side, `delivery_id = '${second.id}'`), [{ state: 'resolved', resolution: /later record/ }])
  })

  await t.test('error bin: replaying an old row does not undo what came later', async t => {
    const row = await side.bring([article('I1', 'REFUSE')], 'old.jsonl')
    const [entry] = await rejects(side, `delivery_id = '${row.id}'`)
    await side.query(`update exchange.reject set subject_mac = null where id = '${entry?.id}'`)
    await side.bring([article('I1', 'newer')], 'new.jsonl')
    await side.withTx(tx => bin.edit(tx, entry?.id ?? '', { Article: 'I1', Text: 'older', Unit: 'PCE' }))
    await side.work()
    t.match(await side.query(`select record from far.record where key = 'I1'`), [{ record: { description: 'newer' } }])
  })

  await t.test('replay: of the first A after B leaves B; of the newest changes nothing', async t => {
    const a = await side.bring([article('J1', 'A')], 'same.jsonl')
    const b = await side.bring([article('J1', 'B')], 'same.jsonl')
    const replay = await side.withTx(tx => bin.replayDelivery(tx, a.id, 'all'))
    const again = await side.withTx(tx => bin.replayDelivery(tx, b.id, 'all'))
    await side.work()
    t.match(await side.row(replay), { state: 'done', stale_count: '1', changed_count: '0' })
    t.match(await side.row(again), { state: 'done', unchanged_count: '1' })
    t.match(await side.query(`select record from far.record where key = 'J1'`), [{ record: { description: 'B' } }])
  })

  await t.test('replay: of the rejects takes up those alone and clears them', async t => {
    const lines = [
      ...Array.from({ length: 1500 }, (_, n) => article(`K${n}`)),
      article('KX', 'x', 'LTR'),
      { reject: 'article', code: 'odd', message: 'Odd.', key: 'KY' } as Line
    ]
    const row = await side.bring(lines, 'rejects.jsonl')
    t.match(row, { rejected_count: '2', new_count: '1500' })
    const newest = (await side.query<{ version: number }>('select max(version) as version from exchange.mapping'))[0]?.version ?? 0
    const [mapping] = await side.query<{ mapping: never; code_tables: { units: Record<string, string> } }>(
      `select mapping, code_tables from exchange.mapping where version = ${newest}`
    )
    await side.withTx(tx =>
      side.desk.setMapping(tx, side.connectionId, newest, {
        mapping: mapping?.mapping as never,
        codeTables: { units: { ...mapping?.code_tables.units, LTR: 'LTR' } }
      })
    )
    const id = await side.withTx(tx => bin.replayDelivery(tx, row.id, 'rejects'))
    t.equal(await side.withTx(tx => bin.replayDelivery(tx, row.id, 'rejects')), id, 'one at a time')
    await side.work()
    t.match(await side.row(id), { state: 'done_with_rejects', read_count: '2', new_count: '1', rejected_count: '1' })
    t.match(
      (await rejects(side, `delivery_id = '${row.id}'`)).map(r => r.state),
      ['resolved', 'resolved']
    )
    t.match(await rejects(side, `delivery_id = '${id}'`), [{ state: 'open', code: 'odd' }])
    const nested = await side.withTx(tx => bin.replayDelivery(tx, id, 'rejects'))
    t.match(await side.query(`select replay_of from exchange.delivery where id = '${nested}'`), [{ replay_of: row.id }], 'of the original')
    await side.work()
    t.match(await rejects(side, `delivery_id = '${id}'`), [{ state: 'resolved' }])
  })

  await t.test('replay: a kind that has got its owner comes through whole', async t => {
    const kinds = (list: readonly string[]) => side.withTx(tx => side.desk.setKinds(tx, side.connectionId, { in: list as never, out: [] }))
    await kinds(['article'])
    const row = await side.bring(
      Array.from({ length: 1200 }, (_, n): Line => ({ kind: 'location', row: { code: `L${n}`, warehouse: 'W' } })),
      'locations.jsonl'
    )
    t.match(row, { rejected_count: '1200' })
    const [entry] = await rejects(side, `delivery_id = '${row.id}'`)
    await kinds(['article', 'location', 'employee', 'workOrder', 'pickList', 'stock'])
    await side.withTx(tx => bin.replay(tx, entry?.id ?? '', 'one'))
    await side.work()
    t.strictSame(await side.query(`select count(*)::int as n from far.record where kind = 'location'`), [{ n: 1200 }])
    t.match(await rejects(side, `id = '${entry?.id}'`), [{ state: 'resolved' }])
  })

  await t.test('error bin: lists page by page, newest first', async t => {
    const all = await listEntries(side.ctx, nothing, { before: null, limit: 500 })
    const first = await listEntries(side.ctx, nothing, { before: null, limit: 3 })
    const next = await listEntries(side.ctx, nothing, { before: first.at(-1)?.seq ?? null, limit: 3 })
    t.strictSame(
      [...first, ...next].map(e => e.id),
      all.slice(0, 6).map(e => e.id)
    )
  })
})

t.test('people in rejected rows', async t => {
  const side = await importSide(t, 'people')
  const bin = binOf(side)
  const canary = 'Zwaantje Kanarie-Vogelaar'
  const number = 'KAN4711-ZWAAN'

  await t.test('employee: nothing but key, number, name and active passes, whatever an adapter sends', async t => {
    const row = await side.bring([
      {
        record: 'employee',
        key: '1',
        value: { key: '1', number: '1', name: 'A. Person', active: true, birthday: '1970-01-01', salary: '9' }
      }
    ])
    t.match(row, { state: 'done', new_count: '1', unknown_columns: { 'employee.birthday': 1, 'employee.salary': 1 } })
    t.strictSame(await side.query(`select record from far.record where kind = 'employee'`), [
      { record: { key: '1', number: '1', name: 'A. Person', active: true } }
    ])
  })

  await t.test('employee: name and number of a rejected row are readable in no column, and come back for those who may', async t => {
    const row = await side.bring(
      [
        { kind: 'employee', row: { key: number, number, name: `${canary} REFUSE`, active: true, badge: canary } },
        { kind: 'employee', row: { key: number, number: `${number}${'9'.repeat(60)}`, name: canary, active: true } },
        { kind: 'employee', row: { key: `${number}2`, number: `${number}2`, name: canary, active: 'perhaps' } },
        { kind: 'employee', row: { key: `${number}3`, number: `${number}3`, name: `${canary} BOOM`, active: true } }
      ],
      'people.jsonl'
    )
    t.ok(Number(row.rejected_count) >= 3)
    const tables = await side.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('exchange', 'core', 'journal')`
    )
    t.ok(tables.length > 10)
    for (const { name } of tables) {
      const rows = await side.query<{ text: string }>(`select t::text as text from ${name} t`)
      const text = rows.map(r => r.text).join('\n')
      for (const secret of [canary, number, 'Kanarie']) {
        t.notOk(text.includes(secret), `${name} holds no plain text`)
        t.notOk(text.includes(Buffer.from(secret).toString('hex')), `${name} holds no hex`)
        t.notOk(text.includes(Buffer.from(secret).toString('base64').slice(0, -3)), `${name} holds no base64`)
      }
    }
    const open = await rejects(side, `delivery_id = '${row.id}' and state = 'open'`)
    const rows = await Promise.all(open.map(entry => rowsOfEntry(side.ctx, entry.id)))
    t.match(JSON.stringify(rows), new RegExp(canary))
    const plain = { ...side.ctx, grant: { ...side.ctx.grant, permissions: new Set(['exchange.read']) } }
    for (const entry of open) {
      const found = await findEntry(side.ctx, entry.id)
      t.notMatch(found && messageOfEntry(plain, found), /Kanarie|KAN4711/)
    }
  })

  await t.test('employee: a snapshot names who is gone, although keys are stored unreadable', async t => {
    const person = (n: number): Line => ({ kind: 'employee', row: { key: `E${n}`, number: `E${n}`, name: `Person ${n}`, active: true } })
    const all = (to: number): Line[] => [
      { snapshot: 'employee', phase: 'begin' },
      ...Array.from({ length: to }, (_, n) => person(n)),
      { snapshot: 'employee', phase: 'end' }
    ]
    t.match(await side.bring(all(20), 'all.jsonl'), { state: 'done', closed_count: '1' })
    t.match(await side.bring(all(18), 'fewer.jsonl'), { state: 'done', closed_count: '2' })
    t.strictSame(
      (await side.query<{ key: string }>(`select key from far.record where kind = 'employee' and not open order by key`)).map(r => r.key),
      ['1', 'E18', 'E19']
    )
    t.strictSame(await side.query(`select key from exchange.record_state where kind = 'employee' and key like 'E%'`), [])
  })

  await t.test('values: what the ERP sent stands in no sentence of the bin, and is put back where it is shown', async t => {
    await side.withTx(tx =>
      side.desk.setMapping(tx, side.connectionId, 1, {
        mapping: { imports: { article: { number: 'Article', description: 'Text', unit: { from: 'Unit', code: 'units' } } } },
        codeTables: { units: { PCE: 'C62' } }
      })
    )
    const row = await side.bring([article('V1', 'x', canary)], 'values.jsonl')
    const [entry] = await rejects(side, `delivery_id = '${row.id}'`)
    t.notMatch(entry?.message, /Kanarie/)
    const found = await findEntry(side.ctx, entry?.id ?? '')
    t.match(found && messageOfEntry(side.ctx, found), new RegExp(`"${canary}" has no translation`))
    t.equal(await side.withTx(tx => bin.skip(tx, entry?.id ?? '', 'same_cause', 'test')), 1)
  })
})

t.test('dry run', async t => {
  const side = await importSide(t, 'dryrun')
  const lines = (all: readonly Line[]) => Buffer.from(all.map(line => JSON.stringify(line)).join('\n'))
  const checksum = async (): Promise<string> => {
    const tables = await side.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('exchange', 'core', 'journal', 'far') order by 1`
    )
    const hash = createHash('sha256')
    for (const { name } of tables) {
      const rows = await side.query<{ text: string }>(`select t::text as text from ${name} t order by 1`)
      hash.update(`${name}\n${rows.map(r => r.text).join('\n')}\n`)
    }
    return hash.digest('hex')
  }
  await side.bring([
    { snapshot: 'article', phase: 'begin' },
    ...Array.from({ length: 10 }, (_, n) => article(`A${n}`)),
    { snapshot: 'article', phase: 'end' },
    article('R1', 'rev', 'PCE', 5)
  ])

  await t.test('dry run: tells what would happen, and writes nothing at all', async t => {
    const before = await checksum()
    const result = await dryRun(side.deps, side.ctx, side.connectionId, {
      name: 'try.jsonl',
      bytes: lines([
        { snapshot: 'article', phase: 'begin' },
        ...Array.from({ length: 8 }, (_, n) => article(`A${n}`, n < 2 ? 'changed' : 'x')),
        article('N1'),
        article('N2', 'REFUSE'),
        article('N3', 'BOOM'),
        article('R1', 'older', 'PCE', 4),
        { snapshot: 'article', phase: 'end' },
        { ack: 'unknown-1', ok: true }
      ])
    })
    t.match(result, {
      refused: null,
      cut: false,
      counts: { read: 13, new: 1, changed: 2, unchanged: 6, stale: 1, rejected: 2 },
      closings: [{ kind: 'article', count: 2, of: 12 }]
    })
    t.match(
      result.changes.filter(change => change.decision === 'changed'),
      [
        { key: 'A0', fields: ['description'] },
        { key: 'A1', fields: ['description'] }
      ]
    )
    t.strictSame(result.rejects.map(reject => [reject.key, reject.code]).sort(), [
      ['N2', 'refused'],
      ['N3', 'record_failed']
    ])
    t.equal(await checksum(), before)
  })

  await t.test('dry run: a file that would be refused says why', async t => {
    t.match(await dryRun(side.deps, side.ctx, side.connectionId, { name: 'x.jsonl', bytes: Buffer.from('no') }), {
      refused: { code: 'import_payload', detail: /Line 1/ }
    })
    t.match(await dryRun(side.deps, side.ctx, side.connectionId, { name: 'x.jsonl', bytes: Buffer.alloc(0) }), {
      refused: { detail: /empty/ }
    })
  })

  await t.test('dry run: of a delivery keeps its place among later ones', async t => {
    const first = await side.bring([article('D1', 'one')], 'd.jsonl')
    const second = await side.bring([article('D1', 'two')], 'd.jsonl')
    t.match(await dryRun(side.deps, side.ctx, side.connectionId, { deliveryId: first.id }), { counts: { stale: 1, changed: 0 } })
    t.match(await dryRun(side.deps, side.ctx, side.connectionId, { deliveryId: second.id }), { counts: { unchanged: 1 } })
    await t.rejects(dryRun(side.deps, side.ctx, side.connectionId, { deliveryId: side.connectionId }), { code: 'delivery_unknown' })
  })

  await t.test('dry run: people have no key in its answer', async t => {
    const result = await dryRun(side.deps, side.ctx, side.connectionId, {
      name: 'people.jsonl',
      bytes: lines([{ kind: 'employee', row: { key: 'P1', number: 'P1', name: 'Person', active: true } }])
    })
    t.match(result.changes, [{ kind: 'employee', key: null, decision: 'new' }])
  })

  await t.test('dry run: a transaction that failed inside leaves the next one clean', async t => {
    await withTx(side.ctx, async () => {})
    t.match(await side.bring([article('Z1')], 'after.jsonl'), { state: 'done', new_count: '1' })
  })
})
