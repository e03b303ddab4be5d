import pg from 'pg'
import t from 'tap'
import { serverUrl, urlFor, withConnection } from '../helpers/database.ts'
import { ground } from '../helpers/tenant.ts'

t.test('F7', async t => {
  const at = await ground(t)
  await at.tenant('one')
  await at.tenant('two')
  const rows = await at.control.kysely
    .selectFrom('control.tenant')
    .select(['id', 'code', 'database', 'app_role', 'app_password_wrapped'])
    .orderBy('code')
    .execute()
  const [one, two] = rows
  if (!one || !two) throw new Error('two tenants are needed')
  const login = (database: string): string => {
    const url = new URL(urlFor(at.url, database))
    url.username = one.app_role
    url.password = at.control.root.unwrap(one.app_password_wrapped, `app_password/${one.id}`).toString()
    return url.toString()
  }

  await t.test('F7: the app role reaches its own database only', async t => {
    await withConnection(login(one.database), client => client.query('select 1'))
    for (const database of [two.database, new URL(at.url).pathname.slice(1), 'postgres', 'template1']) {
      await t.rejects(
        withConnection(login(database), client => client.query('select 1')),
        { code: '42501' },
        database
      )
    }
  })

  await t.test('F7: the app role can change no structure and leave no server', async t => {
    const attempts: Readonly<Record<string, string>> = {
      'create schema x': '42501',
      'create table public.x (a int)': '42501',
      'create table authz.x (a int)': '42501',
      'drop table journal.entry': '42501',
      'alter table journal.entry disable trigger all': '42501',
      'create extension dblink': '42501',
      'create role x': '42501',
      [`set role ${pg.escapeIdentifier(two.app_role)}`]: '42501',
      [`set session authorization ${pg.escapeIdentifier(two.app_role)}`]: '42501',
      "copy (select 1) to program 'true'": '42501',
      "select pg_read_file('/etc/hostname')": '42501',
      "select lo_import('/etc/hostname')": '42501',
      'update core.migration set hash = hash': '42501'
    }
    for (const [text, code] of Object.entries(attempts)) {
      await t.rejects(
        withConnection(login(one.database), client => client.query(text)),
        { code },
        text
      )
    }
  })

  await t.test('F7: names of databases and roles tell nothing about the customer', async t => {
    const names = await withConnection(serverUrl(), client =>
      client.query<{ name: string }>('select datname as name from pg_database union all select rolname from pg_roles')
    )
    t.notOk(names.rows.some(row => ['one', 'two'].includes(row.name)))
    for (const row of rows) t.match(row.database, /^t_[0-9a-f]{16}$/)
  })

  await t.test('F7: a table planted in the temporary schema does not stand before ours', async t => {
    await withConnection(login(one.database), async client => {
      await client.query('create temporary table now_planted (a int)')
      const { rows } = await client.query<{ path: string }>('show search_path')
      t.equal((rows[0] as { search_path?: string } | undefined)?.search_path, 'pg_catalog, pg_temp')
    })
  })
})
