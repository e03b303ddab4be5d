import pg from 'pg'
import t from 'tap'
import { serverUrl, urlFor, withConnection } from '../helpers/database.ts'
import { sameAsFile } from '../helpers/golden.ts'
import { shapeOf } from '../helpers/shape.ts'
import { ground } from '../helpers/tenant.ts'

t.test('shape', async t => {
  const at = await ground(t)
  await at.tenant('shape')
  const row = await at.control.kysely.selectFrom('control.tenant').select(['database', 'app_role']).executeTakeFirstOrThrow()
  const tenantUrl = urlFor(serverUrl(), row.database)

  await t.test('shape: the tenant migrations give the dumped tenant shape', async t => {
    sameAsFile(t, 'migrations/tenant.shape.txt', await withConnection(tenantUrl, shapeOf))
  })

  await t.test('shape: the control migrations give the dumped control shape', async t => {
    sameAsFile(t, 'migrations/control.shape.txt', await withConnection(at.url, shapeOf))
  })

  await t.test('shape: a column that no migration made is seen', async t => {
    const before = await withConnection(tenantUrl, shapeOf)
    await withConnection(tenantUrl, client => client.query('alter table core.lease add column planted text'))
    t.not(await withConnection(tenantUrl, shapeOf), before)
  })

  await t.test('shape: every table tells when a row was made, and the app owns nothing', async t => {
    await withConnection(tenantUrl, async client => {
      const { rows } = await client.query<{ name: string }>(`
        select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and not exists (
          select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'created_at')`)
      t.strictSame(rows, [])
      const owned = await client.query(
        `select relname from pg_class c join pg_roles r on r.oid = c.relowner where r.rolname = ${pg.escapeLiteral(row.app_role)}`
      )
      t.equal(owned.rowCount, 0)
    })
  })
})
