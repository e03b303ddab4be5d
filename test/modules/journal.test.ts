import { sql } from 'kysely'
import t from 'tap'
import { withTx } from '../../core/db/tx.ts'
import { journal, own } from '../../core/journal/append.ts'
import { sealTenant } from '../../core/journal/seal.ts'
import { verifyJournal } from '../../core/journal/verify.ts'
import { serverUrl, urlFor, withConnection } from '../helpers/database.ts'
import { ground } from '../helpers/tenant.ts'

t.test('journal', async t => {
  const at = await ground(t)
  const ctx = await at.tenant('journal')
  const write = (act: string) => withTx(ctx, tx => journal.append(tx, { act, subject: 'test.thing', subjectId: '1', data: { act } }))
  const rows = await sql<{ name: string }>`select current_database() as name`.execute(own(ctx))
  const superUrl = urlFor(serverUrl(), rows.rows[0]?.name ?? '')

  await t.test('journal: what is written is sealed once and verifies', async t => {
    for (let i = 0; i < 20; i++) await write(`act.${i}`)
    t.equal((await sealTenant(ctx)).sealed, 20)
    t.equal((await sealTenant(ctx)).sealed, 0)
    await write('later')
    t.equal((await sealTenant(ctx)).sealed, 1)
    t.strictSame(await verifyJournal(ctx), { entries: 21, seals: 2, unsealed: 0, ok: true, problems: [] })
  })

  await t.test('journal: an entry that commits late is sealed late, never behind a seal', async t => {
    const early = await ctx.db.pool.connect()
    await early.query('begin')
    await early.query(
      `insert into journal.entry (id, epoch, at, actor_kind, actor_id, act, subject, subject_id, request_id, data)
       values (gen_random_uuid(), 1, now(), 'system', 'test', 'early', 'test.thing', '1', 'r', '{}')`
    )
    await write('second')
    const held = await sealTenant(ctx)
    t.equal(held.sealed, 0, 'nothing younger than an open transaction is sealed')
    t.ok(held.lagSeconds >= 0)
    await early.query('commit')
    early.release()
    t.equal((await sealTenant(ctx)).sealed, 2)
    t.ok((await verifyJournal(ctx)).ok)
  })

  await t.test('journal: two sealers at once seal each entry once', async t => {
    for (let i = 0; i < 10; i++) await write(`both.${i}`)
    const [a, b] = await Promise.all([sealTenant(ctx), sealTenant(ctx)])
    t.equal((a?.sealed ?? 0) + (b?.sealed ?? 0), 10)
    t.ok((await verifyJournal(ctx)).ok)
  })

  await t.test('journal: the app can neither change nor remove an entry', async t => {
    for (const text of [
      'update journal.entry set act = act',
      'delete from journal.entry',
      'truncate journal.entry',
      'delete from journal.seal'
    ]) {
      await t.rejects(ctx.db.pool.query(text), { code: '42501' }, text)
    }
  })

  await t.test('journal: not even the owner can, while the trigger stands', async t => {
    await withConnection(superUrl, async client => {
      await t.rejects(client.query(`update journal.entry set act = 'x'`), { code: '42501' })
      await t.rejects(client.query('truncate journal.entry'), { code: '42501' })
    })
  })

  await t.test('journal: a superuser who rewrites it is found', async t => {
    const tampered = async (text: string): Promise<readonly string[]> =>
      withConnection(superUrl, async client => {
        await client.query('begin')
        await client.query('alter table journal.entry disable trigger all')
        await client.query('alter table journal.seal disable trigger all')
        await client.query(text)
        await client.query('commit')
        return (await verifyJournal(ctx)).problems
      })
    t.match((await tampered(`update journal.entry set data = '{"act":"other"}' where act = 'act.3'`)).join(), /under seal 1 was changed/)
    await tampered(`update journal.entry set data = '{"act":"act.3"}' where act = 'act.3'`)
    t.ok((await verifyJournal(ctx)).ok, 'put back, all is well')
    t.match((await tampered(`delete from journal.entry where act = 'act.5'`)).join(), /seal 1 covered 20 entries, there are 19 now/)
    t.match((await tampered('delete from journal.seal where number = 2')).join(), /seal 2 is missing/)
  })
})
