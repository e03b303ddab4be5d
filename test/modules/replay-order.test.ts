import t from 'tap'
import { errorBin } from '../../core/exchange/error-bin.ts'
import { type ImportSide, importSide, type Line } from '../helpers/import-side.ts'

const article = (number: string, text = 'x'): Line => ({ kind: 'article', row: { Article: number, Text: text, Unit: 'PCE' } })
const textOf = async (side: ImportSide, key: string): Promise<string | undefined> =>
  (await side.query<{ text: string }>(`select record->>'description' as text from far.record where key = '${key}' and open`))[0]?.text

t.test('replays after what came later', async t => {
  const side = await importSide(t, 'order')
  const bin = errorBin({ journal: side.deps.journal, desk: side.desk })

  await t.test('replay: of a refused record between two equal ones leaves the later one', async t => {
    await side.bring([article('B1', 'ten')], 'b1.jsonl')
    const refused = await side.bring([article('B1', 'REFUSE twelve')], 'b2.jsonl')
    t.equal(refused.state, 'done_with_rejects')
    await side.bring([article('B1', 'ten')], 'b3.jsonl')
    await side.withTx(tx =>
      side.desk.setMapping(tx, side.connectionId, 1, {
        mapping: {
          imports: { article: { number: 'Article', description: { from: 'Text', split: { on: 'REFUSE ', index: 1 } }, unit: 'Unit' } }
        },
        codeTables: {}
      })
    )
    await side.withTx(tx => bin.replayDelivery(tx, refused.id, 'all'))
    await side.work()
    t.equal(await textOf(side, 'B1'), 'ten')
  })

  await t.test('replay: of a record that the ERP deleted since does not bring it back', async t => {
    const row = await side.bring(
      [{ record: 'location', key: 'L1', value: { code: 'L1', warehouse: 'W', description: 'REFUSE' } }],
      'c1.jsonl'
    )
    const [entry] = await side.query<{ id: string }>(`select id from exchange.reject where delivery_id = '${row.id}'`)
    await side.bring([{ delete: 'location', key: 'L1' }], 'c2.jsonl')
    t.match(await side.query(`select state from exchange.reject where id = '${entry?.id}'`), [{ state: 'resolved' }])
    const replay = await side.withTx(tx => bin.replayDelivery(tx, row.id, 'all'))
    await side.work()
    t.match(await side.row(replay), { stale_count: '1' })
  })
})
