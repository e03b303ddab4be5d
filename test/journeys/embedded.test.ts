import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { type EmbeddedDatabase, startEmbedded } from '../../core/db/embedded.ts'
import { silentLog } from '../../core/log.ts'
import { StartRefusal } from '../../core/start-refusal.ts'
import { withConnection } from '../helpers/database.ts'
import { root } from '../helpers/sources.ts'

const asRoot = process.getuid?.() === 0

/** A folder that other users may pass, as the embedded server of root needs; not under the checkout, which may lie anywhere. */
function folder(t: { teardown(fn: () => void): void }, mode = 0o755): string {
  const path = mkdtempSync(join(tmpdir(), 'wv-embedded-'))
  chmodSync(path, mode)
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const start = (dataDir: string, options: { beside?: boolean } = {}): Promise<EmbeddedDatabase> =>
  startEmbedded({ dataDir, log: silentLog, durable: false, ...options })

async function refusalOf(started: Promise<unknown>): Promise<string> {
  try {
    await started
  } catch (error) {
    if (error instanceof StartRefusal) return error.lines.join('\n')
    throw error
  }
  return ''
}

const postmasterOf = (dataDir: string): number => Number(readFileSync(join(dataDir, 'postgres/postmaster.pid'), 'utf8').split('\n')[0])

/** A process that ended and was not yet collected has no command line any more. */
const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== ''
  } catch {
    return false
  }
}

/** Whether another user may read the checkout, wherever it lies. */
const open = root.split('/').every((_, index, parts) => (statSync(parts.slice(0, index + 1).join('/') || '/').mode & 0o001) !== 0)
const needsOtherUser = (!asRoot && 'needs root to play another user') || (!open && 'needs a checkout that other users may read')

/** Another process that starts the database of a folder and then waits; it tells what it did on standard output. Without the test runner's own hooks. */
async function startElsewhere(
  dataDir: string,
  credentials: { uid?: number; gid?: number } = {}
): Promise<{ child: ChildProcess; told: string }> {
  const script = `
    const { startEmbedded } = await import(${JSON.stringify(join(root, 'core/db/embedded.ts'))})
    const quiet = { info() {}, warn() {}, error() {} }
    try {
      const started = await startEmbedded({ dataDir: ${JSON.stringify(dataDir)}, log: quiet, durable: false })
      process.on('SIGTERM', () => started.stop().then(() => process.exit(0)))
      setInterval(() => {}, 1000)
      process.stdout.write('started ' + started.adopted)
    } catch (error) {
      process.stdout.write(error.lines ? error.lines.join(' ') : error.stack)
    }`
  const child = spawn('env', ['-i', process.execPath, '--input-type=module', '-e', script], {
    ...credentials,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, told: chunk.toString('utf8') }
}

t.test('embedded database: a second start keeps the data, and nothing is left running between', async t => {
  const dataDir = join(folder(t), 'data')
  const first = await start(dataDir)
  t.equal(first.adopted, false)
  const pid = postmasterOf(dataDir)
  await withConnection(first.url, client => client.query('create table kept as select 42 as value'))
  await first.stop()
  t.notOk(alive(pid), 'the server ended before stop() did')
  const second = await start(dataDir)
  const { rows } = await withConnection(second.url, client => client.query('select value from kept'))
  t.same(rows, [{ value: 42 }])
  await second.stop()
})

t.test('embedded database: the provisioner owns the control database and is no superuser', async t => {
  const database = await start(join(folder(t), 'data'))
  t.teardown(() => database.stop())
  await withConnection(database.controlUrl, async client => {
    const { rows } = await client.query(
      `select current_user as me, current_database() as here, r.rolsuper, r.rolcreatedb, r.rolcreaterole,
         pg_get_userbyid(d.datdba) as owner, current_setting('server_version_num')::int >= 150000 as modern
       from pg_roles r, pg_database d where r.rolname = current_user and d.datname = current_database()`
    )
    t.same(rows, [
      {
        me: 'werkvloer',
        here: 'werkvloer_control',
        rolsuper: false,
        rolcreatedb: true,
        rolcreaterole: true,
        owner: 'werkvloer',
        modern: true
      }
    ])
    await client.query('create role tenant_app login password $$x$$')
    await client.query('create database tenant')
  })
  for (const shared of ['postgres', 'template1', 'werkvloer_control']) {
    const url = new URL(database.url)
    url.username = 'tenant_app'
    url.password = 'x'
    url.pathname = `/${shared}`
    await t.rejects(
      withConnection(url.toString(), async () => undefined),
      { code: '42501' },
      `a tenant's role cannot enter ${shared}`
    )
  }
})

t.test('embedded database: the files are for nobody else, and there is no port', async t => {
  const dataDir = join(folder(t), 'data')
  const database = await start(dataDir)
  t.teardown(() => database.stop())
  for (const name of ['postgres', 'postgres-passwords.json', 'postgres.log']) t.equal(statSync(join(dataDir, name)).mode & 0o077, 0, name)
  const { rows } = await withConnection(database.url, client =>
    client.query(`select current_setting('listen_addresses') as listen, current_setting('max_connections') as most`)
  )
  t.same(rows, [{ listen: '', most: '200' }])
  const wrong = new URL(database.url)
  wrong.password = 'wrong'
  await t.rejects(
    withConnection(wrong.toString(), async () => undefined),
    { code: '28P01' }
  )
})

t.test('embedded database: its log quotes no statement and no value', async t => {
  const dataDir = join(folder(t), 'data')
  const database = await start(dataDir)
  t.teardown(() => database.stop())
  await withConnection(database.url, async client => {
    await client.query('create table person (name text primary key)')
    await client.query('insert into person values ($1)', ['canary'])
    await t.rejects(client.query('insert into person values ($1)', ['canary']), { code: '23505' })
    await t.rejects(client.query(`select 'canary'::int`), { code: '22P02' })
  })
  t.notMatch(readFileSync(join(dataDir, 'postgres.log'), 'utf8'), /canary|person/)
})

t.test('embedded database: a server that outlived a killed process is taken over with its data', async t => {
  const dataDir = join(folder(t), 'data')
  const { child, told } = await startElsewhere(dataDir)
  t.equal(told, 'started false')
  const pid = postmasterOf(dataDir)
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.ok(alive(pid), 'the server lives on')
  const next = await start(dataDir)
  t.equal(next.adopted, true)
  t.equal(postmasterOf(dataDir), pid)
  await next.stop()
  t.notOk(alive(pid), 'and ends with its new owner')
})

t.test('embedded database: after a kill of everything the next start recovers what was committed', async t => {
  const dataDir = join(folder(t), 'data')
  const { child } = await startElsewhere(dataDir)
  const pid = postmasterOf(dataDir)
  child.kill('SIGKILL')
  process.kill(pid, 'SIGKILL')
  await once(child, 'exit')
  const next = await start(dataDir)
  t.equal(next.adopted, false)
  await withConnection(next.controlUrl, client => client.query('select 1'))
  await next.stop()
})

t.test('embedded database: a pid file that names a stranger does not stop the start', async t => {
  const dataDir = join(folder(t), 'data')
  await (await start(dataDir)).stop()
  const file = join(dataDir, 'postgres/postmaster.pid')
  // What is left when the machine lost power and the number now belongs to somebody else: to this very process.
  writeFileSync(file, `${process.pid}\n${dataDir}/postgres\n1700000000\n5432\n/tmp/gone\n\n\nready   \n`, { mode: 0o600 })
  const next = await start(dataDir)
  t.equal(next.adopted, false)
  await next.stop()
})

t.test("embedded database: a pid file that names another user's process does not stop the start", { skip: needsOtherUser }, async t => {
  const parent = folder(t)
  chmodSync(parent, 0o777)
  const dataDir = join(parent, 'data')
  const nobody = { uid: 65534, gid: 65534 }
  const first = await startElsewhere(dataDir, nobody)
  first.child.kill('SIGTERM')
  await once(first.child, 'exit')
  const file = join(dataDir, 'postgres/postmaster.pid')
  // The number went to a process of root, which an ordinary user may not even ask whether it lives.
  writeFileSync(file, `${process.pid}\n${dataDir}/postgres\n1700000000\n5432\n/tmp/gone\n\n\nready   \n`, { mode: 0o600 })
  chownSync(file, nobody.uid, nobody.gid)
  const next = await startElsewhere(dataDir, nobody)
  t.equal(next.told, 'started false')
  next.child.kill('SIGTERM')
  await once(next.child, 'exit')
})

t.test('embedded database: a second process on the folder is refused and told which one runs', async t => {
  const dataDir = join(folder(t), 'data')
  const { child, told } = await startElsewhere(dataDir)
  t.equal(told, 'started false')
  t.match(
    await refusalOf(start(dataDir)),
    new RegExp(`already runs on the data folder .*\\(process ${child.pid}\\); stop that one, or set WERKVLOER_DATA`)
  )
  const beside = await start(dataDir, { beside: true })
  await withConnection(beside.controlUrl, client => client.query('select 1'))
  await beside.stop()
  t.ok(alive(postmasterOf(dataDir)), 'a command beside it leaves the server running')
  child.kill('SIGTERM')
  const [code] = await once(child, 'exit')
  t.equal(code, 0)
})

t.test('embedded database: of two starts at the same moment one gets the folder, whole', async t => {
  const dataDir = join(folder(t), 'data')
  const both = await Promise.all([startElsewhere(dataDir), startElsewhere(dataDir)])
  const told = both.map(each => each.told).sort()
  t.match(told, [/already runs on the data folder/, /^started (true|false)$/])
  for (const { child } of both) {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
  }
  const later = await start(dataDir)
  await withConnection(later.controlUrl, client => client.query('select 1'))
  await later.stop()
})

t.test('embedded database: a missing password file or another version is told, and nothing is touched', async t => {
  const dataDir = join(folder(t), 'data')
  await (await start(dataDir)).stop()
  const passwords = join(dataDir, 'postgres-passwords.json')
  const kept = readFileSync(passwords)
  rmSync(passwords)
  t.match(await refusalOf(start(dataDir)), /postgres-passwords\.json is missing.*from your backup/)
  writeFileSync(passwords, kept, { mode: 0o600 })
  const version = join(dataDir, 'postgres/PG_VERSION')
  const before = readFileSync(version)
  writeFileSync(version, '15\n')
  t.match(await refusalOf(start(dataDir)), /was made by PostgreSQL 15 and this version brings 18/)
  writeFileSync(version, before)
  const again = await start(dataDir)
  await again.stop()
  t.same(
    readdirSync(dataDir).filter(name => name.includes('.new-')),
    []
  )
})

t.test('embedded database: a folder that cannot be written is told in one line', { skip: needsOtherUser }, async t => {
  const parent = folder(t)
  const { told } = await startElsewhere(join(parent, 'data'), { uid: 65534, gid: 65534 })
  t.equal(told, `The data folder ${parent}/data cannot be written (EACCES); set WERKVLOER_DATA to a folder this user may write.`)
})

t.test('embedded database: a data folder whose place is taken by a file is told in one line', async t => {
  const parent = folder(t)
  writeFileSync(join(parent, 'data'), '')
  t.match(
    await refusalOf(start(join(parent, 'data'))),
    /^The data folder .*cannot be written \((EEXIST|ENOTDIR)\); set WERKVLOER_DATA[^\n]*$/
  )
})

t.test('embedded database: an ordinary user runs it as that user', { skip: needsOtherUser }, async t => {
  const parent = folder(t)
  chmodSync(parent, 0o777)
  const dataDir = join(parent, 'data')
  const { child, told } = await startElsewhere(dataDir, { uid: 65534, gid: 65534 })
  t.equal(told, 'started false')
  t.equal(statSync(join(dataDir, 'postgres')).uid, 65534)
  child.kill('SIGTERM')
  await once(child, 'exit')
})

t.test('embedded database: starts as root, also under a folder nobody else may pass', { skip: !asRoot && 'needs root' }, async t => {
  const closed = folder(t, 0o700)
  const dataDir = join(closed, 'data')
  mkdirSync(dataDir, { mode: 0o700 })
  const told: string[] = []
  const log = { ...silentLog, info: (fields: { as?: string }) => void told.push(fields.as ?? ''), warn: () => {}, error: () => {} }
  const first = await startEmbedded({ dataDir, log: log as unknown as typeof silentLog, durable: false })
  await withConnection(first.url, client => client.query('create table kept as select 1 as value'))
  await first.stop()
  t.match(told, [/user namespace/], 'and says as whom')

  chmodSync(closed, 0o755)
  chmodSync(dataDir, 0o711)
  const second = await startEmbedded({ dataDir, log: log as unknown as typeof silentLog, durable: false })
  const expected = open ? /^user (postgres|nobody)/ : /user namespace/
  t.match(told[1], expected, 'once the way is open the files go to the ordinary user')
  const { rows } = await withConnection(second.url, client => client.query('select value from kept'))
  t.same(rows, [{ value: 1 }])
  await second.stop()
})

t.test('embedded database: one that ends by itself is started again at the same address', async t => {
  const dataDir = join(folder(t), 'data')
  const database = await start(dataDir)
  const before = postmasterOf(dataDir)
  process.kill(before, 'SIGKILL')
  let rows: unknown
  for (let tries = 0; rows === undefined && tries < 300; tries++) {
    await new Promise(resolve => setTimeout(resolve, 100))
    rows = await withConnection(database.url, async client => (await client.query('select 1 as value')).rows).catch(() => undefined)
    // Its processes outlive it for a moment.
    if (postmasterOf(dataDir) === before) rows = undefined
  }
  t.same(rows, [{ value: 1 }])
  const after = postmasterOf(dataDir)
  await database.stop()
  t.notOk(alive(after), 'the ordered stop ends the new one')
})
