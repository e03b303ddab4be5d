import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { serverUrl, urlFor, withConnection } from '../../test/helpers/database.ts'
import type { TestHouse } from '../../test/helpers/house.ts'
import { connect, openSftpClient } from '../../test/helpers/sftp.ts'
import type { Customer } from './customers.ts'
import type { Tally } from './tally.ts'

const refused = async (work: () => Promise<unknown>): Promise<boolean> => {
  try {
    await work()
    return false
  } catch {
    return true
  }
}

/** What an SFTP user of one customer reaches, and who gets in with whose key. */
export async function probeSftp(at: TestHouse, by: Customer, of: Customer, tally: Tally): Promise<void> {
  const port = at.sftp?.port ?? 0
  tally.probe(
    await refused(() => connect(port, { username: of.sftp.username, privateKey: by.sftp.key.private })),
    'the user of the other was let in with a key of ours'
  )
  tally.probe(
    await refused(() => connect(port, { username: by.sftp.username, privateKey: of.sftp.key.private })),
    'our user was let in with the key of the other'
  )
  const client = await connect(port, { username: by.sftp.username, privateKey: by.sftp.key.private })
  try {
    const sftp = await openSftpClient(client)
    const elsewhere = [of.tenant.id, of.tenant.code, of.connection, of.sftp.username].flatMap(name => [
      `/${name}`,
      `../${name}`,
      `../../${name}/inbox`,
      `inbox/../../${name}/inbox/ART_1.csv`,
      `/${name}/archive`,
      `./././../${name}/./outbox`
    ])
    const beneath = ['..', '../..', '/..', '/etc/passwd', at.dataDir, join(at.dataDir, 'blobs'), join(at.dataDir, 'blobs', of.tenant.id)]
    for (const path of [...elsewhere, ...beneath]) {
      for (const method of ['readdir', 'stat', 'lstat', 'readFile', 'realpath', 'unlink', 'rmdir', 'opendir'] as const) {
        try {
          const found = JSON.stringify(await sftp.call(method, path)) ?? ''
          // A path that leads above the top is the top; what stands there is ours.
          tally.probe(
            !found.includes(of.canary) && !found.includes(of.connection) && !found.includes('root:'),
            `${method} ${path}: ${found.slice(0, 200)}`
          )
        } catch {
          tally.probe(true, path)
        }
      }
      tally.probe(
        (await refused(() => sftp.put(`${path}/PLANTED.csv`, Buffer.from('x')))) || !path.includes(of.connection),
        `a file could be put under ${path}`
      )
    }
    const own = await sftp.names('/')
    tally.probe(own.length > 0 && !own.includes(of.connection), `the top shows ${own.join(', ')}`)
  } finally {
    client.end()
  }
}

/** The database role of one customer against the database of the other, the control database and the server's own. */
export async function probeRoles(at: TestHouse, by: Customer, of: Customer, tally: Tally): Promise<void> {
  const login = (database: string): string => {
    const url = new URL(urlFor(serverUrl(), database))
    url.username = by.database.appRole
    url.password = by.database.appPassword
    return url.toString()
  }
  await withConnection(login(by.database.name), client => client.query('select 1'))
  const control = new URL(at.controlUrl).pathname.slice(1)
  for (const database of [of.database.name, control, 'postgres', 'template1']) {
    tally.probe(await refused(() => withConnection(login(database), client => client.query('select 1'))), `the role reached ${database}`)
  }
  await withConnection(login(by.database.name), async client => {
    const attempts = [
      `set role "${of.database.appRole}"`,
      `set session authorization "${of.database.appRole}"`,
      `create extension dblink`,
      `create extension postgres_fdw`,
      `copy (select 1) to program 'true'`,
      `select pg_read_file('/etc/hostname')`,
      `select * from pg_authid`,
      `alter role "${of.database.appRole}" password 'x'`,
      `grant connect on database "${of.database.name}" to "${by.database.appRole}"`,
      `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${of.database.appRole}' and pid is not null`
    ]
    for (const text of attempts) {
      try {
        const { rows } = await client.query(text)
        tally.probe(rows.length === 0, `${text} answered ${rows.length} rows`)
      } catch {
        tally.probe(true, text)
      }
    }
    // The list of sessions hides what others ask.
    const { rows } = await client.query<{ query: string }>(`select query from pg_stat_activity where usename <> current_user`)
    tally.checked(
      rows.length,
      rows.filter(({ query }) => query !== '<insufficient privilege>' && query !== '' && query !== null).length,
      'queries of others'
    )
  })
}

/** What lies on disk names nobody and opens with its own customer's keys only. */
export async function probeDisk(at: TestHouse, one: Customer, two: Customer, tally: Tally): Promise<void> {
  const files = readdirSync(at.dataDir, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  for (const { parentPath, name } of files) {
    const path = join(parentPath, name)
    if (statSync(path).size > 50_000_000) continue
    const bytes = readFileSync(path)
    for (const { canary } of [one, two]) tally.probe(!bytes.includes(canary), `${path} holds readable data of a customer`)
  }
  const sealed = await withConnection(urlFor(serverUrl(), one.database.name), async client => {
    const { rows } = await client.query<{ id: string; row_sealed: Buffer }>(
      `select id, row_sealed from exchange.reject where row_sealed is not null limit 10`
    )
    return rows
  })
  const own = await at.ctx(one.tenant)
  const other = await at.ctx(two.tenant)
  for (const { id, row_sealed } of sealed) {
    const bound = { table: 'exchange.reject', column: 'row_sealed', row: id }
    tally.probe(own.tenant.keys.openText(row_sealed, bound).includes(one.canary), 'a probe that cannot succeed proves nothing')
    tally.probe(await refused(async () => other.tenant.keys.openText(row_sealed, bound)), 'a sealed row opened with the keys of the other')
  }
  const { rows: blobs } = await withConnection(urlFor(serverUrl(), one.database.name), client =>
    client.query<{ blob_id: string }>('select blob_id from exchange.delivery where blob_id is not null')
  )
  for (const { blob_id } of blobs) {
    tally.probe(await refused(() => read(at, two, one.tenant.id, blob_id)), 'a file opened with the keys of the other')
  }
}

async function read(at: TestHouse, by: Customer, tenantId: string, blobId: string): Promise<void> {
  const { localBlobs } = await import('../../core/storage/blobs.ts')
  const { keys } = (await at.ctx(by.tenant)).tenant
  // The keys of the one, the place of the other.
  const mixed = { tenantId, blobKey: (id: string) => keys.blobKey(id) } as typeof keys
  for await (const _ of localBlobs(join(at.dataDir, 'blobs')).read(mixed, blobId)) return
}
