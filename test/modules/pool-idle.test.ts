import { sql } from 'kysely'
import t from 'tap'
import { openPool } from '../../core/db/pool.ts'
import { silentLog } from '../../core/log.ts'
import { serverUrl } from '../helpers/database.ts'

const open = (idleSeconds: number) => openPool({ connectionString: serverUrl(), max: 2, idleSeconds, name: 'test idle', log: silentLog })

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400 && !what(); tries++) await new Promise(resolve => setTimeout(resolve, 50))
}

t.test('pool: with its last connection it is let go, and the next use makes another', async t => {
  const db = open(1)
  t.equal(db.connections, 0, 'looking opens none')
  const [pool, kysely] = [db.pool, db.kysely]
  t.equal((await sql<{ n: number }>`select 1 as n`.execute(db.kysely)).rows[0]?.n, 1)
  t.equal(db.connections, 1)
  t.equal(db.pool, pool, 'the same while it has one')
  await until(() => db.connections === 0)
  t.equal(db.connections, 0)
  t.not(db.kysely, kysely)
  t.equal((await sql<{ n: number }>`select 2 as n`.execute(db.kysely)).rows[0]?.n, 2)
  t.not(db.pool, pool)
  t.equal((await sql<{ n: number }>`select 3 as n`.execute(kysely)).rows[0]?.n, 3, 'who holds the old one gets the living connections')
  t.equal(db.connections, 1, 'and no pool beside them')
  await db.end()
})

t.test('pool: what has ended stays so, whether it had connections or not', async t => {
  for (const used of [true, false]) {
    const db = open(30)
    if (used) await db.pool.query('select 1')
    await db.end()
    await t.rejects(db.pool.query('select 1'), /after calling end/)
    await t.rejects(sql`select 1`.execute(db.kysely), /after calling end/)
  }
})
