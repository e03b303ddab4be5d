import t from 'tap'
import { beginWork } from '../../core/exchange/apply-store.ts'
import { errorBin } from '../../core/exchange/error-bin.ts'
import { lockKind, markUnchanged } from '../../core/exchange/record-state-store.ts'
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

  await t.test('import: what another run has not committed yet is waited for, so that the newer of two records stays', async t => {
    // The mapping of before takes the first word away.
    await side.bring([article('K1', 'REFUSE first')], 'k1.jsonl')
    const older = await side.file([article('K1', 'REFUSE older')], 'k2.jsonl')
    const newer = await side.row(await side.file([article('K1', 'REFUSE newer')], 'k3.jsonl'))
    let waiting: Promise<unknown> = Promise.resolve()
    await side.withTx(async tx => {
      await lockKind(tx, side.connectionId, 'article')
      waiting = side.work()
      for (let tries = 0; tries < 200; tries++) {
        const [row] = await side.query<{ n: number }>("select count(*)::int as n from pg_locks where locktype = 'advisory' and not granted")
        if ((row?.n ?? 0) > 0) break
        await new Promise(resolve => setTimeout(resolve, 25))
      }
      t.match(await side.row(older), { state: 'processing' }, 'it waits')
      // The other run: a record that came later is in already.
      const place = { connectionId: side.connectionId, kind: 'article', arrival: Number(newer.seq), seen: Number(newer.seq) } as const
      await markUnchanged(tx, place, ['K1'])
    })
    await waiting
    t.match(await side.row(older), { state: 'done', stale_count: '1' })
  })

  await t.test('import: under another mapping a halved chunk begins again, under the same one it goes on', async t => {
    const id = await side.file([article('M1')], 'm1.jsonl')
    await side.query(`update exchange.delivery set chunk_done = 5, mapping_version = 2 where id = '${id}'`)
    t.equal(await side.withTx(tx => beginWork(tx, id, 2)), 5)
    t.equal(await side.withTx(tx => beginWork(tx, id, 3)), 0)
    t.equal(await side.withTx(tx => beginWork(tx, id, 3)), 0)
  })
})
