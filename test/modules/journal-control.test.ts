import { sql } from 'kysely'
import t from 'tap'
import { fixedClock, systemClock } from '../../core/clock.ts'
import type { Ctx } from '../../core/context.ts'
import { controlCtx, prepareControl, tenantSeries } from '../../core/db/control.ts'
import { migrateFleet, provisionTenant } from '../../core/db/provision.ts'
import { newSftpHostKey } from '../../core/exchange/host-key.ts'
import { own } from '../../core/journal/append.ts'
import { verifyJournal } from '../../core/journal/verify.ts'
import { serverUrl, urlFor, withConnection } from '../helpers/database.ts'
import { seal, tamper } from '../helpers/journal.ts'
import { type Ground, ground } from '../helpers/tenant.ts'

const controlOf = (at: Ground) => controlCtx(at.control, systemClock, 'test')
const superUrlOf = (at: Ground): string => urlFor(serverUrl(), new URL(at.url).pathname.slice(1))

interface Row {
  readonly actor: string
  readonly act: string
  readonly subject_id: string
  readonly data: Record<string, unknown>
}
async function entries(at: Ground): Promise<readonly Row[]> {
  const { rows } = await sql<Row>`select actor_kind || ' ' || actor_id as actor, act, subject_id, data
    from journal.entry order by seq`.execute(own(controlOf(at)))
  return rows
}

t.test('control journal', async t => {
  const at = await ground(t)
  const ctx = await at.tenant('first')

  await t.test('control journal: an installation and a tenant are written by what was done, without names and keys', async t => {
    const rows = await entries(at)
    t.strictSame(
      rows.map(row => `${row.actor} ${row.act}`),
      [
        'system migrate installation.create',
        'system migrate sftp_host_key.set',
        'system migrate signing_key.create',
        'system migrate control.migrate',
        'system tenant-create tenant.create',
        'system tenant-create tenant.state'
      ]
    )
    t.strictSame(
      rows.slice(4).map(row => [row.subject_id, row.data]),
      [
        [ctx.tenant.id, { code: 'first', zone: 'Europe/Amsterdam', keyVersion: 1 }],
        [ctx.tenant.id, { from: 'provisioning', to: 'active', schemaVersion: tenantSeries().length }]
      ]
    )
    t.notMatch(JSON.stringify(rows), /PRIVATE|wrapped/)
  })

  await t.test('control journal: it is sealed and verifies, and a second preparing adds nothing', async t => {
    await prepareControl(at.url, at.control.root, systemClock, newSftpHostKey)
    t.equal((await seal(controlOf(at))).sealed, 6)
    t.equal((await seal(controlOf(at))).sealed, 0)
    t.strictSame(await verifyJournal(controlOf(at)), { entries: 6, seals: 1, unsealed: 0, ok: true, problems: [] })
  })

  await t.test('control journal: an act that fails leaves no entry', async t => {
    const before = (await entries(at)).length
    await t.rejects(provisionTenant(at.control, systemClock, { code: 'first', name: 'x', zone: 'Europe/Amsterdam' }), {
      code: 'tenant_exists'
    })
    await at.control.db.pool.query('alter table control.tenant_key add constraint planted check (version > 1) not valid')
    await t.rejects(provisionTenant(at.control, systemClock, { code: 'second', name: 'x', zone: 'Europe/Amsterdam' }), { code: '23514' })
    await at.control.db.pool.query('alter table control.tenant_key drop constraint planted')
    t.equal((await entries(at)).length, before)
  })

  await t.test('control journal: a run over the fleet is written with its version and how it ended', async t => {
    const version = tenantSeries().length
    const clock = fixedClock('2026-11-01T08:00:00Z')
    await at.control.kysely.updateTable('control.tenant').set({ schema_version: 1 }).execute()
    await migrateFleet(at.control, clock)
    await tamper(urlFor(serverUrl(), await nameOf(ctx)), `update core.migration set hash = 'edited' where number = 1`)
    await migrateFleet(at.control, clock)
    t.match(
      (await entries(at)).slice(-3).map(row => [row.act, row.data]),
      [
        ['tenant.migrate', { from: 1, to: version }],
        ['fleet.migrate', { version, migrated: 1, upToDate: 0, failed: [] }],
        ['fleet.migrate', { version, migrated: 0, upToDate: 0, failed: ['first'] }]
      ]
    )
  })

  await t.test("control journal: control's role can neither change nor remove an entry, nor begin an epoch", async t => {
    for (const text of [
      'update journal.entry set act = act',
      'delete from journal.entry',
      'truncate journal.entry',
      'update journal.seal set hash = hash',
      'delete from journal.seal',
      `insert into journal.epoch (number, reason) values (2, 'x')`
    ]) {
      await t.rejects(at.control.db.pool.query(text), { code: '42501', message: /^permission denied/ }, text)
    }
    t.equal(
      (await at.control.db.pool.query(`update control.tenant set name = name where code = 'first'`)).rowCount,
      1,
      'it is the journal that is closed'
    )
  })

  await t.test('control journal: who takes the rights back, or is superuser, still meets the trigger', async t => {
    for (const url of [at.url, superUrlOf(at)]) {
      await withConnection(url, async client => {
        for (const text of ['update journal.entry set act = act', 'delete from journal.seal', 'truncate journal.entry']) {
          await client.query('begin; grant update, delete, truncate on journal.entry, journal.seal to current_user')
          await t.rejects(client.query(text), { code: '42501', message: 'the journal is insert-only' }, text)
          await client.query('rollback')
        }
      })
    }
  })

  await t.test("journal: a tenant's app cannot begin an epoch", async t => {
    await t.rejects(ctx.db.pool.query(`insert into journal.epoch (number, reason) values (2, 'x')`), {
      code: '42501',
      message: /^permission denied/
    })
  })
})

async function nameOf(ctx: Ctx): Promise<string> {
  const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(own(ctx))
  return rows[0]?.name ?? ''
}

t.test('control journal: an installation from before it gets one, which begins with that', async t => {
  const at = await ground(t)
  await at.control.db.pool.query(`drop table control.journal_checkpoint; drop schema journal cascade;
    delete from core.migration where number = 2`)
  await prepareControl(at.url, at.control.root, systemClock, newSftpHostKey)
  t.match(await entries(at), [{ act: 'control.migrate', data: { version: 2, applied: ['0002_journal.sql'] } }])
  t.equal((await entries(at)).length, 1)
})
