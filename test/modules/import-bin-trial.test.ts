import t from 'tap'
import { errorBin } from '../../core/exchange/error-bin.ts'
import { tryEntries } from '../../core/exchange/error-bin-trial.ts'
import { type ImportSide, importSide, type Line } from '../helpers/import-side.ts'

const article = (number: string, text = 'x', unit = 'PCE'): Line => ({ kind: 'article', row: { Article: number, Text: text, Unit: unit } })
const entryOf = async (side: ImportSide, delivery: string): Promise<string> =>
  (await side.query<{ id: string }>(`select id from exchange.reject where delivery_id = '${delivery}' order by seq limit 1`))[0]?.id ?? ''
/** Everything that a trial must leave alone. */
const everything = (side: ImportSide) =>
  side.query(`select (select count(*)::int from exchange.reject) as rejects, (select count(*)::int from exchange.reject where state = 'open') as open,
    (select max(version) from exchange.mapping) as mapping, (select count(*)::int from far.record) as records,
    (select count(*)::int from exchange.record_state) as states, (select count(*)::int from journal.entry) as journal`)

t.test('error bin: trying an entry', async t => {
  const side = await importSide(t, 'trial')
  await side.withTx(tx =>
    side.desk.setMapping(tx, side.connectionId, 1, {
      mapping: { imports: { article: { number: 'Article', description: 'Text', unit: { from: 'Unit', code: 'units' } } } },
      codeTables: { units: { PCE: 'C62' } }
    })
  )

  await t.test('trial: a translation is tried on every row of the cause and stored nowhere', async t => {
    const lines = [...Array.from({ length: 12 }, (_, n) => article(`T${n}`, n === 5 ? 'REFUSE' : 'x', 'STX')), article('T99', 'x', 'DZN')]
    const row = await side.bring(lines, 'units.jsonl')
    const before = await everything(side)
    const id = await entryOf(side, row.id)
    t.match(await tryEntries(side.deps, side.ctx, id, { which: 'same_cause', ours: 'H87' }), {
      count: 12,
      tried: 12,
      counts: { new: 11, rejected: 1 },
      reject: { code: 'refused', key: 'T5' }
    })
    t.match(await tryEntries(side.deps, side.ctx, id, { which: 'one', ours: 'H87' }), {
      count: 1,
      tried: 1,
      counts: { new: 1 },
      reject: null
    })
    t.match(await tryEntries(side.deps, side.ctx, id, { which: 'same_cause' }), {
      counts: { new: 0, rejected: 12 },
      reject: { code: 'code_unknown', table: { name: 'units', value: 'STX' } }
    })
    t.strictSame(await everything(side), before)
  })

  await t.test('trial: another row is tried beside the one that is kept, and says what would change', async t => {
    await side.bring([article('C1', 'first')], 'good.jsonl')
    const row = await side.bring([article('C1', 'REFUSE')], 'bad.jsonl')
    const id = await entryOf(side, row.id)
    const before = await everything(side)
    t.match(await tryEntries(side.deps, side.ctx, id, { which: 'one', row: { Article: 'C1', Text: 'second', Unit: 'PCE' } }), {
      counts: { changed: 1 },
      fields: ['description'],
      reject: null
    })
    t.match(await tryEntries(side.deps, side.ctx, id, { which: 'one', row: { Article: 'C1', Text: 'first', Unit: 'NOPE' } }), {
      counts: { rejected: 1 },
      reject: { code: 'code_unknown', table: { value: 'NOPE' } }
    })
    t.match(await tryEntries(side.deps, side.ctx, id, { which: 'one', row: { Article: 'C1', Text: 'BOOM', Unit: 'PCE' } }), {
      counts: { rejected: 1 },
      reject: { code: 'record_failed' }
    })
    t.strictSame(await everything(side), before)
    t.match(await side.query(`select record from far.record where key = 'C1'`), [{ record: { description: 'first' } }])
  })

  await t.test('trial: an entry that is closed, unknown, without its row or without a table is refused', async t => {
    const row = await side.bring([article('D1', 'REFUSE')], 'refused.jsonl')
    const id = await entryOf(side, row.id)
    const trial = (of: string, ours?: string) => tryEntries(side.deps, side.ctx, of, { which: 'one', ours })
    await t.rejects(trial(id, 'H87'), { code: 'reject_without_table' })
    await t.rejects(trial(row.id), { code: 'reject_unknown' })
    await side.query(`update exchange.reject set row_sealed = null where id = '${id}'`)
    await t.rejects(trial(id), { code: 'reject_without_row' })
    await side.withTx(tx => errorBin({ journal: side.deps.journal, desk: side.desk }).skip(tx, id, 'one', 'of the test'))
    await t.rejects(trial(id), { code: 'reject_state' })
  })
})
