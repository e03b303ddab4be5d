import { sql } from 'kysely'
import t from 'tap'
import { fixedClock } from '../../core/clock.ts'
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
