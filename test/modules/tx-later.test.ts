import { sql } from 'kysely'
import t from 'tap'
import { constraintMeans } from '../../core/db/sqlstate.ts'
import { type Tx, view, withTx } from '../../core/db/tx.ts'
import { Refusal } from '../../core/errors.ts'
import { withinSavepoint } from '../../core/exchange/apply-store.ts'
import { serverUrl, urlFor, withConnection } from '../helpers/database.ts'
import { ground } from '../helpers/tenant.ts'

const own = view<never>()

/** Statements whose answers nobody waits for: they run in order, and none of their failures gets lost. */
t.test('later', async t => {
  const at = await ground(t)
  const ctx = await at.tenant('later')
  const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(own(ctx))
  await withConnection(urlFor(serverUrl(), rows[0]?.name ?? ''), client =>
    client.query(`create schema later; create table later.thing (n integer constraint later_thing_key primary key check (n < 100), seq serial);
      grant usage on schema later to public; grant all on later.thing, later.thing_seq_seq to public`)
  )
  constraintMeans(
    'later_thing_key',
    'thing_exists',
    { kind: 'conflict', title: 'Thing', explanation: 'There is one.' } as never,
    'There is one.'
  )
  const add = (tx: { tx: Tx }, n: number): void =>
    tx.tx.later(sql`insert into later.thing (n) values (${n}::int)`.compile(own(tx as never)))
  const there = async (): Promise<number[]> =>
    (await sql<{ n: number }>`select n from later.thing order by seq`.execute(own(ctx))).rows.map(row => row.n)

  await t.test('later: it runs before what is sent after it, and is committed with it', async t => {
    const seen = await withTx(ctx, async tx => {
      for (const n of [3, 1, 2]) add(tx, n)
      const found = await sql<{ n: number }>`select n from later.thing order by seq`.execute(own(tx))
      add(tx, 4)
      return found.rows.map(row => row.n)
    })
    t.strictSame(seen, [3, 1, 2])
    t.strictSame(await there(), [3, 1, 2, 4])
  })

  await t.test('later: its failure is the transaction’s, with its own meaning, whatever came after it', async t => {
    const before = await there()
    const ways: readonly ((tx: Parameters<Parameters<typeof withTx<typeof ctx, unknown>>[1]>[0]) => Promise<unknown>)[] = [
      async tx => add(tx, 3),
      async tx => {
        add(tx, 3)
        add(tx, 50)
      },
      async tx => {
        add(tx, 3)
        await sql`select 1`.execute(own(tx))
      },
      async tx => {
        add(tx, 3)
        await sql`select 1`.execute(own(tx)).catch(() => undefined)
      }
    ]
    for (const way of ways) await t.rejects(withTx(ctx, way), { code: 'thing_exists' })
    t.strictSame(await there(), before)
  })

  await t.test('later: what the caller refuses is what is thrown, and nothing of it stays', async t => {
    const before = await there()
    const refused = withTx(ctx, async tx => {
      add(tx, 60)
      throw new Refusal('conflict', 'no', 'No.')
    })
    await t.rejects(refused, { code: 'no' })
    t.strictSame(await there(), before)
  })

  await t.test('later: of a statement that cannot even be sent nothing stays, nor of those before it', async t => {
    const before = await there()
    const unsendable = withTx(ctx, async tx => {
      add(tx, 61)
      tx.tx.later(sql`insert into later.thing (n) select 62 where ${{ amount: 1n }}::jsonb is not null`.compile(own(tx)))
    })
    await t.rejects(unsendable, TypeError)
    t.strictSame(await there(), before)
    await withTx(ctx, async tx =>
      tx.tx.later(sql`insert into later.thing (n) select 63 where ${{ amount: [1] }}::jsonb = '{"amount":[1]}'`.compile(own(tx)))
    )
    t.strictSame(await there(), [...before, 63], 'what can be written is')
  })

  await t.test('later: a part that is taken back takes its own back with it, and only that', async t => {
    await withTx(ctx, async tx => {
      add(tx, 70)
      const part = withinSavepoint(tx, async () => add(tx, 3))
      await t.rejects(part, { code: '23505' })
      add(tx, 71)
    })
    t.strictSame((await there()).slice(-2), [70, 71])
  })

  await t.test('later: a deadlock or a stale plan found behind it runs the whole once more', async t => {
    let tries = 0
    await withTx(ctx, async tx => {
      tries++
      if (tries === 1) tx.tx.later(sql`do $$ begin raise exception 'again' using errcode = '40P01'; end $$`.compile(own(tx)))
      add(tx, 80)
    })
    t.equal(tries, 2)
    t.equal((await there()).filter(n => n === 80).length, 1)
  })
})
