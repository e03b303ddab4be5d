import t from 'tap'
import { withTx } from '../../core/db/tx.ts'
import { connectionDesk } from '../../core/exchange/connections.ts'
import { errorBin } from '../../core/exchange/error-bin.ts'
import { type ImportSide, importDue, importSide, type Line } from '../helpers/import-side.ts'

const article = (number: string, text = 'x', unit = 'PCE'): Line => ({ kind: 'article', row: { Article: number, Text: text, Unit: unit } })
const list = (from: number, to: number): Line[] => Array.from({ length: to - from }, (_, i) => article(`A${from + i}`))
const whole = (lines: readonly Line[], scope?: string): Line[] => [
  { snapshot: 'article', phase: 'begin', ...(scope === undefined ? {} : { scope }) },
  ...lines,
  { snapshot: 'article', phase: 'end', ...(scope === undefined ? {} : { scope }) }
]
const open = async (side: ImportSide): Promise<number> => {
  const [row] = await side.query<{ n: number }>('select count(*)::int as n from far.record where open')
  return row?.n ?? -1
}
const binOf = (side: ImportSide) =>
  errorBin({
    journal: side.deps.journal,
    desk: connectionDesk({ adapters: side.deps.adapters, directory: {} as never, journal: side.deps.journal })
  })

t.test('snapshots', async t => {
  const side = await importSide(t, 'snapshots')

  await t.test('snapshot: closes exactly what it does not name', async t => {
    t.match(await side.bring(whole(list(0, 20))), { state: 'done', new_count: '20', closed_count: '0' })
    t.match(await side.bring(whole(list(0, 17))), { state: 'done', unchanged_count: '17', closed_count: '3' })
    t.equal(await open(side), 17)
    t.strictSame(
      (await side.query<{ key: string }>('select key from far.record where not open order by key')).map(r => r.key),
      ['A17', 'A18', 'A19']
    )
  })

  await t.test('snapshot: a record that comes back is opened again', async t => {
    t.match(await side.bring(whole(list(0, 20))), { changed_count: '3', unchanged_count: '17', closed_count: '0' })
    t.equal(await open(side), 20)
  })

  await t.test('snapshot: a list without end, or one that fails, closes nothing', async t => {
    t.match(await side.bring([{ snapshot: 'article', phase: 'begin' }, ...list(0, 18)]), { state: 'done', closed_count: '0' })
    t.match(await side.bring([...whole(list(0, 18)), { fail: 'payload' }], 'fails.jsonl'), { state: 'rejected', closed_count: '0' })
    t.equal(await open(side), 20)
  })

  await t.test('snapshot: one that would close more than a fifth waits for a person, who lets it', async t => {
    const row = await side.bring(whole(list(0, 15)))
    t.match(row, { state: 'held', closed_count: '0', reason: /Would close 5 of 20 article/ })
    t.equal(await open(side), 20)
    await side.bring([article('B1')], 'meanwhile.jsonl')
    await withTx(side.ctx, tx => binOf(side).decideClosing(tx, side.deps.receivers, row.id, 'close'))
    t.match(await side.row(row.id), { state: 'done', closed_count: '5', reason_code: 'snapshot_confirmed' })
    t.equal(await open(side), 16, 'what came later stays')
    await t.rejects(
      withTx(side.ctx, tx => binOf(side).decideClosing(tx, side.deps.receivers, row.id, 'close')),
      { code: 'delivery_not_held' }
    )
  })

  await t.test('snapshot: an empty one is held and can be turned down', async t => {
    const row = await side.bring(whole([]), 'empty.jsonl')
    t.match(row, { state: 'held', reason: /16 of 16/ })
    await withTx(side.ctx, tx => binOf(side).decideClosing(tx, side.deps.receivers, row.id, 'keep'))
    t.match(await side.row(row.id), { state: 'done', closed_count: '0', reason_code: 'snapshot_kept' })
    t.equal(await open(side), 16)
  })

  await t.test('snapshot: what it names but nobody can take stays open', async t => {
    await side.bring(whole([...list(0, 15), article('B1')]), 'base.jsonl')
    const row = await side.bring(
      whole([
        ...list(0, 13),
        article('A13', 'REFUSE'),
        { kind: 'article', row: { Article: 'A14', Text: 'x', Unit: 'PCE'.repeat(9) } },
        article('B1')
      ]),
      'bad.jsonl'
    )
    t.match(row, { state: 'done_with_rejects', rejected_count: '2', closed_count: '0' })
    t.equal(await open(side), 16)
  })

  await t.test('snapshot: a row without a readable key lets nothing be closed', async t => {
    const row = await side.bring(
      whole([...list(0, 14), { reject: 'article', code: 'row_unreadable', message: 'This row cannot be read.' }, article('B1')]),
      'keyless.jsonl'
    )
    t.match(row, { state: 'done_with_rejects', closed_count: '0', reason: /Nothing was closed of article/ })
    t.equal(await open(side), 16)
    t.match(await side.bring(whole([...list(0, 14), article('B1')]), 'readable.jsonl'), { state: 'done', closed_count: '1' })
  })

  await t.test('snapshot: of a part closes within that part only', async t => {
    const stock = (location: string, n: number): Line => ({
      kind: 'stock',
      row: { article: `S${n}`, location, quantity: { value: '1', unit: 'PCE' }, asOf: '2026-03-01T00:00:00Z' }
    })
    const part = (location: string, to: number): Line[] => [
      { snapshot: 'stock', phase: 'begin', scope: location },
      ...Array.from({ length: to }, (_, n) => stock(location, n)),
      { snapshot: 'stock', phase: 'end', scope: location }
    ]
    await side.bring([...part('EAST', 10), ...part('WEST', 10)], 'stock.jsonl')
    t.match(await side.bring(part('EAST', 9), 'east.jsonl'), { state: 'done', closed_count: '1' })
    t.strictSame(
      (await side.query<{ key: string }>(`select key from far.record where kind = 'stock' and not open`)).map(r => r.key),
      ['S9|EAST|']
    )
  })

  await t.test('snapshot: a crash between reading and closing closes all the same', async t => {
    const other = await importSide(t, 'snapcrash')
    await other.bring(whole(list(0, 3000)), 'all.jsonl')
    const id = await other.file(whole(list(0, 2500)), 'fewer.jsonl')
    const stop = new AbortController()
    const from = other.watch.calls
    other.watch.onCall = calls => {
      // Nothing changed, so the first call of a receiver is the closing.
      if (calls > from) stop.abort()
    }
    await importDue(other.deps, other.ctx, stop.signal).catch(() => {})
    delete other.watch.onCall
    await other.work()
    t.match(await other.row(id), { state: 'done', unchanged_count: '2500', closed_count: '500' })
    t.equal(await open(other), 2500)
  })
})
