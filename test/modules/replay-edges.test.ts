import t from 'tap'
import { errorBin } from '../../core/exchange/error-bin.ts'
import { type ImportSide, importSide, type Line } from '../helpers/import-side.ts'

const article = (number: string, text = 'x'): Line => ({ kind: 'article', row: { Article: number, Text: text, Unit: 'PCE' } })
const textOf = async (side: ImportSide, key: string): Promise<string | undefined> =>
  (await side.query<{ text: string }>(`select record->>'description' as text from far.record where key = '${key}' and open`))[0]?.text

t.test('replays at their edges', async t => {
  const side = await importSide(t, 'edges')
  const bin = errorBin({ journal: side.deps.journal, desk: side.desk })
  const entries = (where: string) =>
    side.query<{ id: string; state: string; code: string; attempts: number }>(`select * from exchange.reject where ${where} order by seq`)

  await t.test('replay: entries that wake a bug one after another go back into the bin and keep nothing else waiting', async t => {
    const bad = await side.bring(
      Array.from({ length: 30 }, (_, n) => article(`B${n}`, 'REFUSE')),
      'bad.jsonl'
    )
    const open = await entries(`delivery_id = '${bad.id}'`)
    for (const [n, { id }] of open.entries()) await side.withTx(tx => bin.edit(tx, id, { Article: `B${n}`, Text: 'BOOM', Unit: 'PCE' }))
    const good = await side.file([article('G1', 'good')], 'good.jsonl')
    await side.work()
    t.match(await side.row(good), { state: 'done', new_count: '1' })
    const after = await entries(`delivery_id = '${bad.id}'`)
    t.strictSame([...new Set(after.map(entry => entry.state))], ['open'])
    await side.withTx(tx => bin.edit(tx, open[3]?.id ?? '', { Article: 'B3', Text: 'mended', Unit: 'PCE' }))
    await side.work()
    t.equal(await textOf(side, 'B3'), 'mended')
  })
})

t.test('import: characters that no database stores make one bad record and no bad delivery', async t => {
  const side = await importSide(t, 'nul')
  const nul = '\u0000'
  const column: Line = { kind: 'article', row: { Article: 'A5', Text: 'x', Unit: 'PCE', [`col${nul}\ud800`]: '1' } }
  const lines: Line[] = [
    article('A1'),
    article(`A2${nul}`),
    { delete: 'article', key: `A3${nul}` },
    { reject: 'article', code: `c${nul}`, message: `"x${nul}" is wrong.`, key: `A4${nul}` },
    { ack: `unknown${nul}`, ok: true },
    column,
    article('A6')
  ]
  const row = await side.bring(lines)
  t.match(row, { state: 'done_with_rejects', new_count: '3', rejected_count: '4' })
  t.strictSame(row.unknown_columns, { 'article.col\ufffd\ufffd': 1 })
})

t.test('snapshot: of a kind that belongs to another connection closes nothing, and asks nobody to', async t => {
  const side = await importSide(t, 'moved')
  const all: Line[] = [{ snapshot: 'article', phase: 'begin' }, article('A1'), article('A2'), { snapshot: 'article', phase: 'end' }]
  t.match(await side.bring(all, 'one.jsonl'), { state: 'done', new_count: '2' })
  await side.withTx(tx => side.desk.setKinds(tx, side.connectionId, { in: ['stock'], out: [] } as never))
  t.match(await side.bring(all, 'two.jsonl'), { state: 'done_with_rejects', closed_count: '0', rejected_count: '2' })
  t.strictSame(await side.query(`select count(*)::int as n from far.record where open`), [{ n: 2 }])
})
