import { sql } from 'kysely'
import t from 'tap'
import { fixedClock, systemClock } from '../../core/clock.ts'
import { plainClient } from '../../core/db/client.ts'
import { withTx } from '../../core/db/tx.ts'
import { own } from '../../core/journal/append.ts'
import { dueDesk, dueGraceSeconds } from '../../core/tasks/due.ts'
import { LeaseLost } from '../../core/tasks/lease.ts'
import { withLeases } from '../../core/tasks/leases.ts'
import { ground } from '../helpers/tenant.ts'

const process_ = (seconds = { lease: 30, heartbeat: 8 }) => {
  const stops: (() => void | Promise<void>)[] = []
  return { withLease: withLeases({ add: (_step, stop) => void stops.push(stop) }, seconds), stop: () => stops.forEach(stop => void stop()) }
}

t.test('lease: while one holds it another gets nothing, afterwards it is free', async t => {
  const at = await ground(t)
  const ctx = await at.tenant('lease')
  const [one, two] = [process_(), process_()]
  const inner = await one.withLease(ctx, 'import:x', () => two.withLease(ctx, 'import:x', async () => 'taken'))
  t.equal(inner, undefined)
  t.equal(await two.withLease(ctx, 'import:x', async lease => lease.fence), 2n)
  t.equal(await two.withLease(ctx, 'import:y', async lease => lease.fence), 1n, 'names are apart')
})

t.test('lease: a holder that froze past its term cannot commit when it wakes', async t => {
  const at = await ground(t)
  const ctx = await at.tenant('frozen')
  const [frozen, taker] = [process_({ lease: 1, heartbeat: 3_600 }), process_()]
  const attempt = frozen.withLease(ctx, 'export:x', async lease => {
    await sql`update core.lease set expires_at = now() - interval '1 second'`.execute(own(ctx))
    await taker.withLease(ctx, 'export:x', async () => {
      await withTx(ctx, async tx => {
        await lease.check(tx)
        await sql`update core.lease set fence = fence + 100`.execute(own(tx))
      })
    })
  })
  await t.rejects(attempt, LeaseLost)
  const { rows } = await sql<{ fence: string }>`select fence::text from core.lease`.execute(own(ctx))
  t.strictSame(rows, [{ fence: '2' }], 'nothing of the frozen one was committed')
})

t.test('lease: a heartbeat renews it, and one that is lost aborts the work', async t => {
  const at = await ground(t)
  const ctx = await at.tenant('beat')
  const { withLease } = process_({ lease: 1, heartbeat: 0.2 })
  await withLease(ctx, 'a', async lease => {
    await new Promise(resolve => setTimeout(resolve, 1_500))
    t.notOk(lease.signal.aborted, 'renewed past its term')
    await sql`update core.lease set fence = fence + 1`.execute(own(ctx))
    if (!lease.signal.aborted) await new Promise(resolve => lease.signal.addEventListener('abort', resolve, { once: true }))
    t.ok(lease.signal.aborted)
  })
})

t.test('due: a mark is cleared only when it is old, the same, and was looked at', async t => {
  const clock = fixedClock('2026-11-01T08:00:00Z')
  const at = await ground(t, { clock })
  const ctx = await at.tenant('due')
  const desk = dueDesk(at.control, clock)
  await desk.mark(ctx.tenant.id, new Set(['import', 'export']))
  const young = await desk.list()
  t.equal(young.length, 2)
  await desk.clear(young)
  t.equal((await desk.list()).length, 2, 'a commit may still be on its way')
  clock.advance(dueGraceSeconds + 1)
  await desk.mark(ctx.tenant.id, new Set(['import']))
  await desk.clear(young)
  t.strictSame(
    (await desk.list()).map(due => due.kind),
    ['import'],
    'what was marked anew stays'
  )
})

t.test('due: work that a transaction makes due is marked before it commits, and not when it rolls back', async t => {
  const at = await ground(t)
  const ctx = await at.tenant('mark')
  await t.rejects(
    withTx(ctx, async tx => {
      tx.tx.due.add('export')
      throw new Error('no')
    })
  )
  t.strictSame(await at.desk.list(), [])
  const heard: string[] = []
  at.desk.onAnnounce((_tenant, kind) => heard.push(kind))
  await withTx(ctx, async tx => void tx.tx.due.add('export'))
  t.strictSame(
    (await at.desk.list()).map(due => due.kind),
    ['export']
  )
  t.strictSame(heard, ['export'])
})

t.test('due: a mark serves what else this process commits in five seconds, then it is made anew', async t => {
  const clock = fixedClock('2026-11-01T08:00:00Z')
  const at = await ground(t, { clock })
  const ctx = await at.tenant('serves')
  const desk = dueDesk(at.control, clock)
  const generation = async (): Promise<string | undefined> => (await desk.list()).find(due => due.kind === 'export')?.generation
  await desk.mark(ctx.tenant.id, new Set(['export']))
  const first = await generation()
  clock.advance(4.9)
  await Promise.all([desk.mark(ctx.tenant.id, new Set(['export'])), desk.mark(ctx.tenant.id, new Set(['seal', 'export']))])
  t.equal(await generation(), first, 'none was made for what the first one serves')
  t.equal((await desk.list()).length, 2, 'another kind has its own')
  clock.advance(0.2)
  await desk.mark(ctx.tenant.id, new Set(['export']))
  t.not(await generation(), first)
  const other = dueDesk(at.control, clock)
  const second = await generation()
  await other.mark(ctx.tenant.id, new Set(['export']))
  t.not(await generation(), second, 'another process does not rely on it')
})

t.test('due: a mark that could not be made serves nobody', async t => {
  const at = await ground(t)
  const ctx = await at.tenant('fails')
  let away = true
  const control = {
    ...at.control,
    get kysely() {
      if (away) throw new Error('the control database is away')
      return at.control.kysely
    }
  }
  const desk = dueDesk(control, fixedClock('2026-11-01T08:00:00Z'))
  await t.rejects(desk.mark(ctx.tenant.id, new Set(['export'])), /away/)
  away = false
  await desk.mark(ctx.tenant.id, new Set(['export']))
  t.equal((await desk.list()).length, 1, 'made anew, not taken for made')
})

t.test('due: what one look found nothing behind is kept when it was marked within a minute before the look began', async t => {
  const clock = fixedClock('2026-11-01T08:00:00Z')
  const at = await ground(t, { clock })
  const ctx = await at.tenant('looked')
  const desk = dueDesk(at.control, clock)
  await desk.mark(ctx.tenant.id, new Set(['import']))
  clock.advance(dueGraceSeconds - 1)
  const began = clock.now()
  clock.advance(600)
  await desk.clear(await desk.list(), began)
  t.equal((await desk.list()).length, 1, 'a commit of that minute may have come behind the look')
  await desk.clear(await desk.list())
  t.equal((await desk.list()).length, 0)
})

t.test('due: other processes are told at once, and then at most ten times a second', async t => {
  const at = await ground(t)
  const ctx = await at.tenant('told')
  const heard: string[][] = []
  const client = plainClient(at.url, 'test')
  await client.connect()
  t.teardown(() => client.end())
  client.on('notification', ({ payload = '[]' }) => heard.push(JSON.parse(payload) as string[]))
  await client.query('listen werkvloer_due')
  const desk = dueDesk(at.control, systemClock)
  const here: string[] = []
  desk.onAnnounce((_tenant, kind) => here.push(kind))
  for (let n = 0; n < 50; n++) desk.announce(ctx.tenant.id, new Set(['seal', ...(n === 7 ? (['export'] as const) : [])]))
  t.equal(here.length, 51, 'this process hears each')
  for (let tries = 0; tries < 200 && heard.length < 2; tries++) await new Promise(resolve => setTimeout(resolve, 50))
  t.strictSame(heard[0], [ctx.tenant.id, 'seal'])
  t.strictSame(heard[1]?.slice(1).sort(), ['export', 'seal'], 'what came meanwhile, together')
  await new Promise(resolve => setTimeout(resolve, 300))
  t.equal(heard.length, 2)
})
