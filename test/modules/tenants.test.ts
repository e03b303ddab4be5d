import { sql } from 'kysely'
import t from 'tap'
import { fixedClock } from '../../core/clock.ts'
import type { Ctx } from '../../core/context.ts'
import { plainClient } from '../../core/db/client.ts'
import { migrate } from '../../core/db/migrate.ts'
import { migrateFleet, provisionTenant } from '../../core/db/provision.ts'
import { withTx } from '../../core/db/tx.ts'
import { Refusal } from '../../core/errors.ts'
import { newId } from '../../core/ids.ts'
import { own } from '../../core/journal/append.ts'
import { freshDatabase, serverUrl, urlFor, withConnection } from '../helpers/database.ts'
import { ground } from '../helpers/tenant.ts'

t.test('tenant: provisioning that was cut off is finished by running it again', async t => {
  const at = await ground(t)
  await at.tenant('first')
  await at.control.kysely.updateTable('control.tenant').set({ state: 'provisioning' }).where('code', '=', 'first').execute()
  const clock = fixedClock('2026-11-01T08:00:00Z')
  const again = await provisionTenant(at.control, clock, { code: 'first', name: 'first', zone: 'Europe/Amsterdam' })
  t.equal((await at.tenants.byCode('first'))?.state, 'active')
  const row = await at.control.kysely.selectFrom('control.tenant').select('database').where('id', '=', again.id).executeTakeFirst()
  t.equal(row?.database, again.database, 'the same database, not a second one')
})

t.test('tenant: a code in use, a code of another form and a zone that does not exist are refused', async t => {
  const at = await ground(t)
  await at.tenant('taken')
  const clock = fixedClock('2026-11-01T08:00:00Z')
  const make = (code: string, zone = 'Europe/Amsterdam') => provisionTenant(at.control, clock, { code, name: 'x', zone })
  await t.rejects(make('taken'), { code: 'tenant_exists' })
  await t.rejects(make('Upper Case'), { code: 'tenant_code_invalid' })
  await t.rejects(make('zone', 'Mars/Olympus'), { code: 'zone_unknown' })
})

t.test('tenant: an unknown, a suspended and a not yet migrated one are refused, never served', async t => {
  const clock = fixedClock('2026-11-01T08:00:00Z')
  const at = await ground(t, { clock })
  const ctx = await at.tenant('served')
  const { id } = ctx.tenant
  await t.rejects(at.tenants.open(newId()), { code: 'tenant_unavailable' })
  const set = (change: { state?: 'active' | 'suspended'; schema_version?: number }) =>
    at.control.kysely.updateTable('control.tenant').set(change).where('id', '=', id).execute()
  const version = (await at.tenants.byCode('served'))?.schemaVersion ?? 0
  await set({ state: 'suspended' })
  clock.advance(11)
  await t.rejects(at.tenants.open(id), { code: 'tenant_unavailable' }, 'known to be suspended within ten seconds')
  await set({ state: 'active', schema_version: version - 1 })
  clock.advance(11)
  await t.rejects(at.tenants.open(id), { code: 'tenant_unavailable', retryAfterSeconds: 60 })
  await set({ schema_version: version })
  clock.advance(11)
  t.equal((await at.tenants.open(id)).tenant.code, 'served')
})

t.test('tenant: when all connections are in use the answer is 503 with Retry-After, and idle ones are let go first', async t => {
  const at = await ground(t, { perTenant: 2, total: 2 })
  const one = await at.tenant('one')
  const two = await at.tenant('two')
  await at.tenants.open(two.tenant.id)
  const held = await Promise.all([two.db.pool.connect(), two.db.pool.connect()])
  await t.rejects(
    withTx(one, async () => {}),
    { code: 'unavailable', retryAfterSeconds: 2 }
  )
  for (const client of held) client.release()
  await at.tenants.open(one.tenant.id)
  await sql`select 1`.execute(own(one))
  t.equal(two.db.pool.totalCount, 0, 'the idle ones of the second were let go')
})

t.test('tenant: a context in hand survives that its idle connections are let go', async t => {
  const at = await ground(t, { perTenant: 1, total: 1 })
  const one = await at.tenant('one')
  const two = await at.tenant('two')
  await at.tenants.open(one.tenant.id)
  await sql`select 1`.execute(own(one))
  await at.tenants.open(two.tenant.id)
  await sql`select 1`.execute(own(two))
  const found = await sql<{ n: number }>`select 1 as n`.execute(own(one))
  t.strictSame(found.rows, [{ n: 1 }])
})

t.test('tenant: sign-ins and workers count for the cap as requests do, also with a context they have had for long', async t => {
  const at = await ground(t, { perTenant: 1, total: 2 })
  const ctxs = [await at.tenant('one'), await at.tenant('two'), await at.tenant('three')]
  const open = () => ctxs.reduce((count, ctx) => count + ctx.db.pool.totalCount, 0)
  for (const ctx of ctxs) await sql`select 1`.execute(own(ctx))
  t.equal(open(), 2, 'the third had one of the others closed first')
  const [one, two, three] = ctxs as [Ctx, Ctx, Ctx]
  await withTx(one, async () => {
    await withTx(two, async () => {
      await t.rejects(
        withTx(three, async () => {}),
        { code: 'unavailable', retryAfterSeconds: 2 },
        'all in use'
      )
      await t.rejects(sql`select 1`.execute(own(three)), { code: 'unavailable' })
    })
  })
  await withTx(three, async () => {})
  t.equal(open(), 2)
})

t.test('transaction: what a callback swallowed does not look committed', async t => {
  const at = await ground(t)
  const ctx = await at.tenant('tx')
  await t.rejects(
    withTx(ctx, async tx => {
      await sql`select 1/0`.execute(own(tx)).catch(() => {})
    }),
    /aborted/
  )
})

t.test('transaction: a deadlock is run once more instead of being shown', async t => {
  const at = await ground(t)
  const ctx = await at.tenant('deadlock')
  await sql`insert into core.lease (name, holder, fence, expires_at) values ('a', ${newId()}, 0, now()), ('b', ${newId()}, 0, now())`.execute(
    own(ctx)
  )
  const both = (first: string, second: string) =>
    withTx(ctx, async tx => {
      for (const name of [first, second]) {
        await sql`update core.lease set fence = fence + 1 where name = ${name}`.execute(own(tx))
        await sql`select pg_sleep(0.2)`.execute(own(tx))
      }
    })
  await Promise.all([both('a', 'b'), both('b', 'a')])
  const { rows } = await sql<{ fence: string }>`select fence::text from core.lease order by name`.execute(own(ctx))
  t.strictSame(rows, [{ fence: '2' }, { fence: '2' }])
})

t.test('transaction: a connection whose plan went stale is dropped and the work is done', async t => {
  const at = await ground(t, { perTenant: 1 })
  const ctx = await at.tenant('stale')
  const row = await at.control.kysely.selectFrom('control.tenant').select('database').executeTakeFirstOrThrow()
  const read = () =>
    withTx(
      ctx,
      async tx => (await sql<{ expires_at: string }>`select expires_at from core.lease where name = ${'x'}`.execute(own(tx))).rows
    )
  await read()
  await withConnection(urlFor(serverUrl(), row.database), client =>
    client.query('alter table core.lease alter column expires_at type timestamptz(0)')
  )
  t.strictSame(await read(), [])
})

t.test('fleet: one that fails is named and left as it was, the others are brought up to date', async t => {
  const at = await ground(t)
  await at.tenant('aa')
  await at.tenant('bb')
  await at.control.kysely.updateTable('control.tenant').set({ schema_version: 1 }).execute()
  const clock = fixedClock('2026-11-01T08:00:00Z')
  const good = await migrateFleet(at.control, clock)
  t.strictSame([good.migrated.length, good.failed.length], [2, 0])
  const row = await at.control.kysely.selectFrom('control.tenant').select('database').where('code', '=', 'bb').executeTakeFirstOrThrow()
  await withConnection(urlFor(serverUrl(), row.database), client =>
    client.query(`update core.migration set hash = 'edited' where number = 1`)
  )
  const bad = await migrateFleet(at.control, clock)
  t.strictSame(
    bad.failed.map(one => one.code),
    ['bb']
  )
  t.match(bad.failed[0]?.error, /0001_core\.sql was changed after it ran/)
})

t.test('migration: what broke is told, not that the connection is gone after it', async t => {
  const database = await freshDatabase(t)
  const sleeps = { number: 1, name: '0001_sleeps.sql', text: 'select pg_sleep(30)', hash: 'x', alone: false }
  await withConnection(serverUrl(), async other => {
    const client = plainClient(database.url, 'werkvloer migrate')
    await client.connect()
    const running = migrate(client, [sleeps]).then(
      () => undefined,
      (error: Error) => error
    )
    let ended = 0
    for (let tries = 0; tries < 200 && ended === 0; tries++) {
      const { rowCount } = await other.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and wait_event = 'PgSleep'`,
        [database.name]
      )
      ended = rowCount ?? 0
      await new Promise(resolve => setTimeout(resolve, 25))
    }
    t.match(await running, { message: 'migration 0001_sleeps.sql', cause: { code: '57P01' } })
    await client.end()
  })
})

t.test('refusals: a database that is gone is "not now", not "our mistake"', async t => {
  const at = await ground(t)
  const ctx = await at.tenant('gone')
  const row = await at.control.kysely.selectFrom('control.tenant').select('database').executeTakeFirstOrThrow()
  await withConnection(serverUrl(), client => client.query(`alter database ${row.database} with allow_connections false`))
  await withConnection(serverUrl(), client =>
    client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [row.database])
  )
  try {
    await withTx(ctx, async () => {})
    t.fail('it should be refused')
  } catch (error) {
    t.ok(error instanceof Refusal && error.kind === 'unavailable', String(error))
  }
  await withConnection(serverUrl(), client => client.query(`alter database ${row.database} with allow_connections true`))
})
