import { randomBytes } from 'node:crypto'
import { chownSync, linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { codeOf, isAbsent, prepareDataFolder } from '../data-folder.ts'
import type { Log } from '../log.ts'
import { StartRefusal } from '../start-refusal.ts'
import { plainClient } from './client.ts'
import { chooseOwner, findPrograms, giveTo, type Owner } from './embedded-owner.ts'
import {
  clearStalePidFile,
  makeCluster,
  makeSocketDir,
  reachableServer,
  runningServer,
  type Server,
  spawnServer,
  stopServer
} from './embedded-server.ts'

export interface EmbeddedDatabase {
  /** Superuser, database postgres, over the unix socket. */
  readonly url: string
  /** Role `werkvloer` (login, createdb, createrole, no superuser) on its database `werkvloer_control`. */
  readonly controlUrl: string
  /** True when the server outlived an earlier process and was taken over. */
  readonly adopted: boolean
  stop(): Promise<void>
}

export interface EmbeddedOptions {
  readonly dataDir: string
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
  /** False only in tests: no waiting for the disk. */
  readonly durable?: boolean
  /** For a command that ends by itself: where Werkvloer already runs it works beside it and leaves the server running. */
  readonly beside?: boolean
}

/**
 * Starts PostgreSQL in the data folder, or takes over the one that still runs there. Nothing else in the code knows that it is
 * embedded. Nothing in the data folder is ever deleted. Throws `StartRefusal` for what the operator can mend.
 */
export async function startEmbedded({ dataDir: given, log, durable = true, beside = false }: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const dataDir = prepareDataFolder(given)
  const cluster = join(dataDir, 'postgres')
  const logFile = join(dataDir, 'postgres.log')
  const owner = chooseOwner(findPrograms(), dataDir)
  const passwords = ensurePasswords(join(dataDir, 'postgres-passwords.json'), cluster)
  if (clusterAbsent(cluster)) initialise(owner, cluster, passwords.superuser, durable)
  checkVersion(cluster, owner)

  const files = { cluster, logFile, durable }
  // A server that we found may be on its way out, ended by the process that is just stopping: then look again.
  for (let tries = 1; ; tries++) {
    const found = await reachableServer(cluster)
    const server = found ?? (await start(owner, files, log))
    if (!server) continue
    try {
      return await takeOver(server, { found: found !== undefined, owner, cluster, dataDir, passwords, log, beside })
    } catch (error) {
      if (!found) await stopServer(server, cluster, 15)
      if (!found || tries >= 3 || error instanceof StartRefusal || runningServer(cluster)) throw error
    }
  }
}

/** Undefined when another start was faster in the same moment; then its server is found. */
async function start(owner: Owner, files: { cluster: string; logFile: string; durable: boolean }, log: EmbeddedOptions['log']) {
  await clearStalePidFile(files.cluster)
  if (giveTo(files.cluster, owner.files))
    log.warn({ op: 'database', data: files.cluster }, 'gave the database files to the user that runs them now')
  rotate(files.logFile)
  return await spawnServer(owner, files)
}

interface Surroundings {
  readonly found: boolean
  readonly owner: Owner
  readonly cluster: string
  readonly dataDir: string
  readonly passwords: Passwords
  readonly log: EmbeddedOptions['log']
  readonly beside: boolean
}

async function takeOver(
  server: Server,
  { found, owner, cluster, dataDir, passwords, log, beside }: Surroundings
): Promise<EmbeddedDatabase> {
  const url = `postgresql://postgres:${passwords.superuser}@localhost/postgres?host=${encodeURIComponent(server.socketDir)}`
  const holder = await holdAlone(url, dataDir, log).catch((error: unknown) => {
    if (beside && error instanceof AlreadyRunning) return undefined
    throw error
  })
  if (!holder) return { url, controlUrl: provisionerUrl(url, passwords.provisioner), adopted: true, stop: async () => undefined }
  await guardSharedDatabases(url)
  const controlUrl = await ensureProvisioner(url, passwords.provisioner)
  const as = found ? 'as it was' : owner.words
  log.info({ op: 'database', as, data: cluster }, found ? 'took over the embedded database' : 'started the embedded database')
  return {
    url,
    controlUrl,
    adopted: found,
    stop: async () => {
      // The hold ends with the server and not before it, or a start in between would take over a server that is going down.
      holder.expectEnd()
      const gone = await stopServer(server, cluster, 15)
      if (!gone) log.warn({ op: 'database', pid: server.pid }, 'the embedded database is still stopping; the next start takes it over')
    }
  }
}

function clusterAbsent(cluster: string): boolean {
  try {
    return isAbsent(join(cluster, 'PG_VERSION'))
  } catch (error) {
    const owner = statSync(cluster).uid
    throw new StartRefusal(
      [
        `The database files in ${cluster} belong to user id ${owner} and cannot be read by this one; start as that user or as root, as before.`
      ],
      error
    )
  }
}

function checkVersion(cluster: string, owner: Owner): void {
  const made = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim()
  const brought = owner.programs.version.split('.')[0] ?? ''
  if (made !== brought) {
    throw new StartRefusal([
      `The database in ${cluster} was made by PostgreSQL ${made} and this version brings ${brought}; ` +
        `dump it with the version of Werkvloer that made it, move the folder away, and restore the dump.`
    ])
  }
}

interface Passwords {
  readonly superuser: string
  readonly provisioner: string
}

/** The file is there before the cluster is, so a cluster without it has lost it. Two starts at once agree on one file, whole. */
function ensurePasswords(file: string, cluster: string): Passwords {
  const clusterThere = !clusterAbsent(cluster)
  if (isAbsent(file)) {
    if (clusterThere) {
      throw new StartRefusal([`${file} is missing, and without it the database beside it cannot be opened; put it back from your backup.`])
    }
    const made: Passwords = { superuser: randomBytes(24).toString('hex'), provisioner: randomBytes(24).toString('hex') }
    const half = `${file}.new-${process.pid}`
    writeFileSync(half, `${JSON.stringify(made)}\n`, { mode: 0o600 })
    try {
      linkSync(half, file)
    } catch (error) {
      // Some mounted folders know no links; there a second start at the same moment is the operator's to avoid.
      if (codeOf(error) !== 'EEXIST') renameSync(half, file)
    } finally {
      rmSync(half, { force: true })
    }
  }
  return JSON.parse(readFileSync(file, 'utf8')) as Passwords
}

function initialise(owner: Owner, cluster: string, password: string, durable: boolean): void {
  const folder = makeSocketDir(owner)
  const passwordFile = join(folder, 'password')
  try {
    writeFileSync(passwordFile, password, { mode: 0o600 })
    if (owner.files) chownSync(passwordFile, owner.files.uid, owner.files.gid)
    makeCluster(owner, { cluster, passwordFile, durable })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function rotate(logFile: string): void {
  if (!isAbsent(logFile) && statSync(logFile).size > 10_000_000) renameSync(logFile, `${logFile}.1`)
}

class AlreadyRunning extends StartRefusal {}

const holderName = 'werkvloer process '
const lockKey = 0x7765726b // "werk"

/**
 * One process per data folder: a session lock in the database, which ends with the process however it ends, so there is no stale
 * lock file. A second start would take over the server and lose it when the first one stops.
 */
async function holdAlone(url: string, dataDir: string, log: EmbeddedOptions['log']): Promise<{ expectEnd(): void }> {
  let expected = false
  const client = await hold(url, dataDir)
  async function again(): Promise<void> {
    while (!expected) {
      await sleep(1000, undefined, { ref: false })
      if (expected) return
      try {
        watch(await hold(url, dataDir))
        return
      } catch (error) {
        log.warn({ op: 'database', err: error }, 'lost the connection that holds the data folder; trying again')
      }
    }
  }
  const watch = (held: pg.Client) => held.once('end', () => void again())
  watch(client)
  return {
    expectEnd: () => {
      expected = true
    }
  }
}

async function hold(url: string, dataDir: string): Promise<pg.Client> {
  const client = await connect(url, `${holderName}${process.pid}`)
  for (let tries = 1; ; tries++) {
    const { rows } = await client.query<{ held: boolean }>('select pg_try_advisory_lock($1) as held', [lockKey])
    if (rows[0]?.held === true) return client
    const other = await client.query<{ name: string }>(
      `select a.application_name as name from pg_locks l join pg_stat_activity a on a.pid = l.pid
       where l.locktype = 'advisory' and l.granted and l.objid = $1`,
      [lockKey]
    )
    const pid = Number(other.rows[0]?.name.replace(holderName, ''))
    // The session of a process that was just killed ends a moment later.
    if (!lives(pid) && tries <= 50) {
      await sleep(100)
      continue
    }
    await client.end()
    throw new AlreadyRunning([
      `Werkvloer already runs on the data folder ${dataDir} (process ${pid}); stop that one, or set WERKVLOER_DATA to another folder.`
    ])
  }
}

function lives(pid: number): boolean {
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

/** The server may still be recovering, or ending a session of a process that was just killed. */
async function connect(url: string, name: string): Promise<pg.Client> {
  for (let tries = 1; ; tries++) {
    const client = plainClient(url, name)
    try {
      await client.connect()
      return client
    } catch (error) {
      const code = codeOf(error)
      if (code === '28P01')
        throw new StartRefusal(['The embedded database refuses its password; put postgres-passwords.json back from your backup.'], error)
      if (tries >= 100 || !['57P03', '53300', 'ECONNREFUSED', 'ECONNRESET', 'ENOENT'].includes(code)) throw error
      await sleep(100)
    }
  }
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connect(url, 'werkvloer start')
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** Every role may connect to these two by default; the roles of tenants have no business there. */
async function guardSharedDatabases(url: string): Promise<void> {
  await withClient(url, async client => {
    await client.query('revoke all on database postgres from public')
    await client.query('revoke all on database template1 from public')
  })
}

/**
 * Makes the provisioner role and its control database where they are missing (also after a start that was cut short), and sets the
 * password. Returns the provisioner's URL. What an operator does by hand on a PostgreSQL of their own.
 */
export async function ensureProvisioner(superuserUrl: string, password: string): Promise<string> {
  await withClient(superuserUrl, async client => {
    const role = await client.query(`select 1 from pg_roles where rolname = 'werkvloer'`)
    const verb = role.rowCount === 0 ? 'create' : 'alter'
    await client.query(`${verb} role werkvloer login createdb createrole nosuperuser password ${pg.escapeLiteral(password)}`)
    const database = await client.query(`select 1 from pg_database where datname = 'werkvloer_control'`)
    if (database.rowCount === 0) await client.query('create database werkvloer_control owner werkvloer')
    await client.query('revoke all on database werkvloer_control from public')
  })
  return provisionerUrl(superuserUrl, password)
}

function provisionerUrl(superuserUrl: string, password: string): string {
  const url = new URL(superuserUrl)
  url.username = 'werkvloer'
  url.password = password
  url.pathname = '/werkvloer_control'
  return url.toString()
}
