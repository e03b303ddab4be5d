import { sql } from 'kysely'
import t from 'tap'
import { withTx } from '../../core/db/tx.ts'
import { journal, own } from '../../core/journal/append.ts'
import { sealJournal } from '../../core/journal/seal.ts'
import { verifyJournal } from '../../core/journal/verify.ts'
import { serverUrl, urlFor, withConnection } from '../helpers/database.ts'
import { seal, tamper } from '../helpers/journal.ts'
import { type Ground, ground } from '../helpers/tenant.ts'

t.test('journal', async t => {
  const at = await ground(t)
  const { ctx, superUrl, write } = await journalOf(at, 'journal')

  await t.test('journal: what is written is sealed once and verifies', async t => {
    for (let i = 0; i < 20; i++) await write(`act.${i}`)
    t.equal((await seal(ctx)).sealed, 20)
    t.equal((await seal(ctx)).sealed, 0)
    await write('later')
    t.equal((await seal(ctx)).sealed, 1)
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
    const held = await sealJournal(ctx)
    t.equal(held.sealed, 0, 'nothing younger than an open transaction is sealed')
    t.ok(held.lagSeconds >= 0)
    await early.query('commit')
    early.release()
    t.equal((await seal(ctx)).sealed, 2)
    t.ok((await verifyJournal(ctx)).ok)
  })

  await t.test('journal: two sealers at once seal each entry once', async t => {
    for (let i = 0; i < 10; i++) await write(`both.${i}`)
    const [a, b] = await Promise.all([seal(ctx), seal(ctx)])
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
      await t.rejects(ctx.db.pool.query(text), { code: '42501', message: /^permission denied/ }, text)
    }
  })

  await t.test('journal: not even the owner can, while the trigger stands', async t => {
    await withConnection(superUrl, async client => {
      await t.rejects(client.query(`update journal.entry set act = 'x'`), { code: '42501', message: 'the journal is insert-only' })
      await t.rejects(client.query('truncate journal.entry'), { code: '42501' })
    })
  })

  await t.test('journal: a superuser who rewrites it is found', async t => {
    const tampered = async (text: string): Promise<readonly string[]> => {
      await tamper(superUrl, text)
      return (await verifyJournal(ctx)).problems
    }
    t.match((await tampered(`update journal.entry set data = '{"act":"other"}' where act = 'act.3'`)).join(), /under seal 1 was changed/)
    await tampered(`update journal.entry set data = '{"act":"act.3"}' where act = 'act.3'`)
    t.ok((await verifyJournal(ctx)).ok, 'put back, all is well')
    t.match((await tampered(`delete from journal.entry where act = 'act.5'`)).join(), /seal 1 covered 20 entries, there are 19 now/)
    t.match((await tampered('delete from journal.seal where number = 2')).join(), /seal 2 is missing/)
  })
})

async function journalOf(at: Ground, code: string) {
  const ctx = await at.tenant(code)
  const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(own(ctx))
  const superUrl = urlFor(serverUrl(), rows[0]?.name ?? '')
  return {
    ctx,
    superUrl,
    write: (act: string) => withTx(ctx, tx => journal.append(tx, { act, subject: 'test.thing', subjectId: '1', data: { act } })),
    problems: async () => (await verifyJournal(ctx)).problems.join()
  }
}

t.test('journal under attack', async t => {
  const at = await ground(t)
  const { ctx, superUrl, write, problems } = await journalOf(at, 'attack')
  for (const act of ['one', 'two', 'three', 'four']) {
    await write(act)
    await write(`${act}.b`)
    t.equal((await seal(ctx)).sealed, 2)
  }

  await t.test('journal: every column of an entry and of a seal is under the hash', async t => {
    const before = await verifyJournal(ctx)
    t.ok(before.ok)
    const columns: Record<string, string> = {
      id: 'gen_random_uuid()',
      at: `at + interval '1 microsecond'`,
      actor_kind: `'user'`,
      actor_id: `actor_id || 'x'`,
      act: `'other'`,
      subject: `'other'`,
      subject_id: `'2'`,
      request_id: `'other'`,
      data: `'{}'`,
      created_at: `created_at + interval '1 microsecond'`
    }
    const all = await sql<{ name: string }>`select attname as name from pg_attribute
      where attrelid = 'journal.entry'::regclass and attnum > 0 and not attisdropped`.execute(own(ctx))
    t.strictSame([...Object.keys(columns), 'seq', 'epoch', 'xid'].toSorted(), all.rows.map(row => row.name).toSorted())
    for (const [column, value] of Object.entries(columns)) {
      await tamper(
        superUrl,
        `create table public.kept as select * from journal.entry where act = 'two';
        update journal.entry set ${column} = ${value} where act = 'two'`
      )
      t.match(await problems(), 'seal 2 or an entry under seal 2 was changed', column)
      await tamper(
        superUrl,
        `delete from journal.entry where seq = (select seq from public.kept);
        insert into journal.entry overriding system value select * from public.kept; drop table public.kept`
      )
    }
    await tamper(superUrl, `update journal.seal set at = at + interval '1 microsecond' where number = 2`)
    t.match(await problems(), 'seal 2 or an entry under seal 2 was changed')
    await tamper(superUrl, `update journal.seal set at = at - interval '1 microsecond' where number = 2`)
    t.strictSame(await verifyJournal(ctx), before, 'put back, all is well')
  })

  await t.test('journal: an entry that moves to another transaction or number is found', async t => {
    await tamper(superUrl, `update journal.entry set xid = '1' where act = 'three'`)
    t.match(await problems(), /seal 1 covered 2 entries, there are 3 now,seal 3 covered 2 entries, there are 1 now/)
    await tamper(superUrl, `update journal.entry set xid = (select from_xid from journal.seal where number = 3) where act = 'three'`)
    t.notOk((await verifyJournal(ctx)).problems.join().includes('seal 1'))
  })

  await t.test('journal: an entry that the app slips in behind a seal is found', async t => {
    const slip = (epoch: number, xid: string) =>
      ctx.db.pool.query(
        `insert into journal.entry (id, epoch, xid, at, actor_kind, actor_id, act, subject, subject_id, request_id, data)
         values (gen_random_uuid(), $1, $2::xid8, now(), 'system', 'test', 'slipped', 'test.thing', '1', 'r', '{}')`,
        [epoch, xid]
      )
    await slip(1, '3')
    t.match(await problems(), /seal 1 covered 2 entries, there are 3 now/)
    await tamper(superUrl, `delete from journal.entry where act = 'slipped'`)
    await slip(-1, '3')
    t.match(await problems(), /1 entries stand where no seal covers them/)
    await tamper(superUrl, `delete from journal.entry where act = 'slipped'`)
  })

  await t.test('journal: a seal that was replaced or re-counted is found', async t => {
    await tamper(superUrl, 'update journal.seal set previous = hash where number = 4')
    t.match(await problems(), /seal 4 does not follow the one before it/)
    await tamper(superUrl, 'update journal.seal s set previous = (select hash from journal.seal where number = 3) where number = 4')
    await tamper(superUrl, `update journal.seal set from_xid = '4' where number = 4`)
    t.match(await problems(), /seal 4 does not begin where the one before it ends/)
  })

  await t.test('journal: it verifies again for another tenant, whose own is untouched', async t => {
    const other = await journalOf(at, 'untouched')
    await other.write('x')
    await seal(other.ctx)
    t.ok((await verifyJournal(other.ctx)).ok)
  })
})

t.test('journal beside a checkpoint', async t => {
  const at = await ground(t)
  const { ctx, superUrl, write } = await journalOf(at, 'checkpoint')
  t.equal((await seal(ctx)).checkpoint, undefined, 'nothing sealed, nothing to keep')
  await write('one')
  await seal(ctx)
  await write('two')
  const { checkpoint } = await seal(ctx)
  t.match(checkpoint, { number: 2, hash: /^[0-9a-f]{64}$/ })
  t.strictSame((await seal(ctx)).checkpoint, checkpoint)

  await t.test('journal: what was kept outside still fits after more was sealed', async t => {
    await write('three')
    await seal(ctx)
    t.strictSame((await verifyJournal(ctx, checkpoint)).problems, [])
  })

  await t.test('journal: a whole journal written anew verifies by itself, but not against the checkpoint', async t => {
    await tamper(superUrl, `update journal.entry set actor_id = 'somebody else'; delete from journal.seal`)
    t.strictSame((await verifyJournal(ctx)).problems, [])
    t.match((await verifyJournal(ctx, checkpoint)).problems, ['the newest seal is 0, the checkpoint knows seal 2'])
    await seal(ctx)
    await write('four')
    await seal(ctx)
    t.strictSame((await verifyJournal(ctx)).problems, [])
    t.match((await verifyJournal(ctx, checkpoint)).problems, [/^seal 2 is another one than the checkpoint says/])
  })
})

t.test('journal order', async t => {
  const at = await ground(t)
  const { ctx, write } = await journalOf(at, 'order')

  await t.test('journal: an entry whose number was drawn before a seal and written after it is sealed in its own turn', async t => {
    const slow = await ctx.db.pool.connect()
    const { rows } = await slow.query(`select nextval(pg_get_serial_sequence('journal.entry', 'seq')) as seq`)
    await write('quick')
    t.equal((await seal(ctx)).sealed, 1)
    await slow.query(
      `insert into journal.entry (seq, id, epoch, at, actor_kind, actor_id, act, subject, subject_id, request_id, data) overriding system value
       values ($1, gen_random_uuid(), 1, now(), 'system', 'test', 'slow', 'test.thing', '1', 'r', '{}')`,
      [rows[0].seq]
    )
    slow.release()
    t.strictSame((await sql<{ act: string }>`select act from journal.entry order by seq`.execute(own(ctx))).rows, [
      { act: 'slow' },
      { act: 'quick' }
    ])
    t.equal((await seal(ctx)).sealed, 1)
    t.strictSame(await verifyJournal(ctx), { entries: 2, seals: 2, unsealed: 0, ok: true, problems: [] })
  })

  await t.test('journal: what was rolled back leaves no trace and no problem', async t => {
    await t.rejects(
      withTx(ctx, async tx => {
        await journal.append(tx, { act: 'undone', subject: 'test.thing', subjectId: '1' })
        throw new Error('undone')
      }),
      /undone/
    )
    await write('done')
    t.equal((await seal(ctx)).sealed, 1)
    t.strictSame(await verifyJournal(ctx), { entries: 3, seals: 3, unsealed: 0, ok: true, problems: [] })
  })

  await t.test('journal: it can be verified while others write and seal', async t => {
    let going = true
    const writer = (async () => {
      for (let i = 0; i < 60; i++) await write(`busy.${i}`)
      going = false
    })()
    const sealer = (async () => {
      while (going) await sealJournal(ctx)
    })()
    while (going) t.strictSame((await verifyJournal(ctx)).problems, [])
    await Promise.all([writer, sealer])
    await seal(ctx)
    t.match(await verifyJournal(ctx), { entries: 63, unsealed: 0, ok: true })
  })

  await t.test('journal: more entries than are read at once make one seal', async t => {
    await ctx.db.pool.query(
      `insert into journal.entry (id, epoch, at, actor_kind, actor_id, act, subject, subject_id, request_id, data)
       select gen_random_uuid(), 1, now(), 'system', 'test', 'many', 'test.thing', n::text, 'r', jsonb_build_object('n', n)
       from generate_series(1, 10001) as n`
    )
    t.equal((await seal(ctx)).sealed, 10_001)
    t.match(await verifyJournal(ctx), { entries: 10_064, unsealed: 0, ok: true })
  })

  await t.test('journal: the text that is hashed does not depend on the settings of a session', async t => {
    await ctx.db.pool.query(`select 1`)
    const other = await ctx.db.pool.connect()
    await other.query(`set timezone = 'Asia/Tokyo'; set datestyle = 'German'; set extra_float_digits = 0; set intervalstyle = 'iso_8601'`)
    other.release()
    // The connection that was used last is the first one taken.
    t.equal((await ctx.db.pool.query('show datestyle')).rows[0].DateStyle, 'German, DMY')
    t.match(await verifyJournal(ctx), { ok: true })
    t.equal((await ctx.db.pool.query('show datestyle')).rows[0].DateStyle, 'German, DMY')
  })
})

t.test('journal after a move', async t => {
  const at = await ground(t)
  const { ctx, superUrl, write } = await journalOf(at, 'moved')

  await t.test('journal: a new epoch begins its own numbers and the one before is sealed to its end', async t => {
    await write('before')
    t.equal((await seal(ctx)).sealed, 1)
    // As after a restore: numbers of the old server are higher than those of the new one, and a last entry was not sealed there.
    await tamper(
      superUrl,
      `insert into journal.entry (id, epoch, xid, at, actor_kind, actor_id, act, subject, subject_id, request_id, data)
       values (gen_random_uuid(), 1, '900000000', now(), 'system', 'test', 'tail', 'test.thing', '1', 'r', '{}');
       insert into journal.epoch (number, reason) values (2, 'restore')`
    )
    await write('after')
    t.equal((await seal(ctx)).sealed, 2)
    await write('later')
    t.equal((await seal(ctx)).sealed, 1)
    t.strictSame(await verifyJournal(ctx), { entries: 4, seals: 4, unsealed: 0, ok: true, problems: [] })
    const { rows } = await sql<{ epoch: number }>`select epoch from journal.seal order by number`.execute(own(ctx))
    t.strictSame(rows, [{ epoch: 1 }, { epoch: 1 }, { epoch: 2 }, { epoch: 2 }])
  })
})
