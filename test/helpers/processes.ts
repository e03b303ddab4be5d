import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { until } from '../../demo/api.ts'
import { freshDatabase, provisionerUrl, serverUrl, urlFor, withConnection } from './database.ts'
import { type Run, run } from './process.ts'
import { root } from './sources.ts'

const node = join(root, 'node_modules/.bin/node')
type Setting = Readonly<Record<string, string>>
type Teardown = Parameters<typeof freshDatabase>[0]

/** An installation as an operator makes one for several processes: a database of its own, `migrate`, `tenant create`. */
export async function installation(t: Teardown) {
  const control = await freshDatabase(t, { owner: 'werkvloer' })
  const data = mkdtempSync(join(tmpdir(), 'wv-processes-'))
  chmodSync(data, 0o700)
  t.teardown(async () => rmSync(data, { recursive: true, force: true }))
  t.teardown(() => dropTenants(control.url))
  const rootKey = randomBytes(32).toString('base64')
  /** The name is that of the database connections, so that the server tells which process waits. */
  const settings = (name: string): Setting => {
    const url = new URL(urlFor(provisionerUrl(), control.name))
    url.searchParams.set('application_name', name)
    return {
      WERKVLOER_DATA: data,
      WERKVLOER_DATABASE_URL: url.toString(),
      WERKVLOER_ROOT_KEY: rootKey,
      WERKVLOER_HTTP_PORT: '0',
      WERKVLOER_SFTP_PORT: '0'
    }
  }
  const command = async (...args: string[]): Promise<string> => {
    const one = run(t, node, ['main.ts', ...args], settings('command'))
    const { code } = await one.ended
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${one.text()}`)
    return one.text()
  }
  await command('migrate')
  const inviteToken = /welcome#(\S+)/.exec(await command('tenant', 'create', 'plant', '--name', 'Plant'))?.[1] ?? ''
  const hostKeyLine = /ssh-ed25519 \S+/.exec(await command('doctor'))?.[0] ?? ''
  const database = await withConnection(control.url, async client => {
    const { rows } = await client.query<{ database: string }>('select database from control.tenant')
    return rows[0]?.database ?? ''
  })
  return {
    inviteToken,
    hostKeyLine,
    tenantUrl: urlFor(serverUrl(), database),
    /** @param nodeArgs what Node itself is told, such as a file to load first */
    serve: (part: string, name = part, nodeArgs: readonly string[] = []) =>
      run(t, node, [...nodeArgs, 'main.ts', 'serve', '--only', part], settings(name))
  }
}

async function dropTenants(controlUrl: string): Promise<void> {
  const made = await withConnection(
    controlUrl,
    async client =>
      (
        await client.query<{ database: string; owner_role: string; app_role: string }>(
          'select database, owner_role, app_role from control.tenant'
        )
      ).rows
  )
  await withConnection(serverUrl(), async client => {
    for (const { database, owner_role, app_role } of made) {
      await client.query(`drop database if exists ${pg.escapeIdentifier(database)} with (force)`)
      for (const role of [app_role, owner_role]) await client.query(`drop role if exists ${pg.escapeIdentifier(role)}`)
    }
  })
}

/** The port that a part says it listens on. */
export const portOf = async (started: Run, part: string): Promise<number> => Number((await started.says(new RegExp(`"${part}":(\\d+)`)))[1])

/** Holds up whoever is about to write into a table. @returns the process that waits, and the way to let go */
export async function holdUp(watcher: pg.Client, table: string, names: string): Promise<{ name: string; letGo(): Promise<void> }> {
  await watcher.query(`begin; lock table ${table} in share mode`)
  const name = await until(`a process waits for ${table}`, 30, async () => {
    // What others do is looked up once per transaction unless it is forgotten.
    await watcher.query('select pg_stat_clear_snapshot()')
    const { rows } = await watcher.query<{ name: string }>(
      `select application_name as name from pg_stat_activity where datname = current_database()
         and application_name like $1 and wait_event_type = 'Lock' and wait_event = 'relation'`,
      [names]
    )
    return rows[0]?.name
  })
  return { name, letGo: async () => void (await watcher.query('rollback')) }
}
