import t from 'tap'
import { AdapterError } from '../../adapters/contract/index.ts'
import { errorBin } from '../../core/exchange/error-bin.ts'
import { importDue, importSide, type Line } from '../helpers/import-side.ts'

const stock = (n: number, text = 'L'): Line => ({
  kind: 'stock',
  row: { article: `S${n}`, location: text, quantity: { value: '1', unit: 'PCE' }, asOf: '2026-03-01T00:00:00Z' }
})
const page = (from: number, to: number): Line[] => Array.from({ length: to - from }, (_, i) => stock(from + i))

t.test('pulls', async t => {
  const side = await importSide(t, 'pulls')
  const deliveries = () =>
    side.query<{ state: string; read_count: string; reason_code: string; id: string; blob_id: string | null }>(
      `select * from exchange.delivery where way = 'pull' order by seq`
    )
  const plan = async () =>
    (
      await side.query<{ checkpoint: unknown; attempts: number; next_at: Date; reason: string | null }>(
        `select * from exchange.pull_state where kind = 'stock'`
      )
    )[0]
  const due = async () => {
    side.clock.advance(60)
    await side.work()
  }
  await side.withTx(tx => side.desk.setPull(tx, side.connectionId, 'stock', 60))

  await t.test('pull: records and checkpoint commit together, page by page', async t => {
    side.far.pages = [page(0, 30), page(30, 50)]
    t.equal(await side.work(), true, 'time will bring the next one')
    t.strictSame(side.far.asked, [null])
    t.match(await deliveries(), [{ state: 'done', read_count: '50' }])
    t.match(await plan(), { checkpoint: { page: 2 }, attempts: 0 })
  })

  await t.test('pull: not before its time, and one that brings nothing leaves no delivery', async t => {
    await side.work()
    t.equal(side.far.asked.length, 1)
    await due()
    t.strictSame(side.far.asked, [null, { page: 2 }])
    t.equal((await deliveries()).length, 1)
  })

  await t.test('pull: what came before a failure stays, and the next one goes on behind it', async t => {
    side.far.pages.push(page(50, 60), page(60, 70))
    side.far.failAt = { page: 3, error: new AdapterError('transient', 'The line is down.') }
    await due()
    t.match(await plan(), { checkpoint: { page: 3 }, attempts: 1, reason: 'The line is down.' })
    t.match((await deliveries()).at(-1), { state: 'done', read_count: '10', reason_code: 'pull_transient' })
    delete side.far.failAt
    side.clock.advance(5)
    await side.work()
    t.match(side.far.asked.at(-1), { page: 3 })
    t.match(await plan(), { checkpoint: { page: 4 }, attempts: 0, reason: null })
    t.strictSame(await side.query(`select count(*)::int as n from far.record where kind = 'stock'`), [{ n: 70 }])
  })

  await t.test('pull: an empty checkpoint does not replace a full one', async t => {
    side.far.pages.push(page(70, 72))
    side.far.empty = true
    await due()
    t.match(await plan(), { checkpoint: { page: 4 } })
    side.far.empty = false
  })

  await t.test('pull: what was fetched is kept and can be replayed with its rejects', async t => {
    side.far.pages.push([stock(80, 'REFUSE'), stock(81)])
    await due()
    const last = (await deliveries()).at(-1)
    t.match(last, { state: 'done_with_rejects' })
    t.ok(last?.blob_id)
    const bin = errorBin({ journal: side.deps.journal, desk: side.desk })
    const id = await side.withTx(tx => bin.replayDelivery(tx, last?.id ?? '', 'all'))
    await side.work()
    t.match(await side.row(id), { state: 'done_with_rejects', read_count: '4', unchanged_count: '3', rejected_count: '1' })
    const [entry] = await side.query<{ id: string }>(`select id from exchange.reject where state = 'open'`)
    await side.withTx(tx =>
      bin.edit(tx, entry?.id ?? '', { article: 'S80', location: 'L', quantity: { value: '1', unit: 'PCE' }, asOf: '2026-03-01T00:00:00Z' })
    )
    await side.work()
    t.match(await side.query(`select state from exchange.reject where id = '${entry?.id}'`), [{ state: 'resolved' }])
  })

  await t.test('pull: broken off by a stop, it goes on behind its last checkpoint', async t => {
    side.far.pages.push(page(100, 110), page(110, 120))
    const stop = new AbortController()
    side.clock.advance(60)
    const from = side.watch.calls
    side.watch.onCall = calls => {
      if (calls === from + 1) stop.abort()
    }
    await importDue(side.deps, side.ctx, stop.signal)
    delete side.watch.onCall
    const before = (await plan())?.checkpoint as { page: number }
    await side.work()
    t.match(side.far.asked.at(-1), before)
    t.strictSame(await side.query(`select count(*)::int as n from far.record where kind = 'stock' and key ~ '^S1[01][0-9][|]'`), [
      { n: 20 }
    ])
    t.strictSame(await side.query(`select count(*)::int as n from exchange.delivery where state = 'processing'`), [{ n: 0 }])
  })

  await t.test('pull: refused by the ERP pauses the connection', async t => {
    side.far.pages.push(page(200, 201))
    side.far.failAt = { page: side.far.pages.length - 1, error: new AdapterError('auth', 'The ERP refused the password.') }
    await due()
    t.match(await side.query('select state, paused_code from exchange.connection'), [{ state: 'paused', paused_code: 'pull_auth' }])
    const asked = side.far.asked.length
    await due()
    t.equal(side.far.asked.length, asked)
  })
})
