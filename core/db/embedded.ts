import { randomBytes } from 'node:crypto'
import { chownSync, linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { codeOf, isAbsent, prepareDataFolder } from '../data-folder.ts'
import type { Log } from '../log.ts'
import { StartRefusal } from '../start-refusal.ts'
import { AlreadyRunning, connect, holdAlone } from './embedded-hold.ts'
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
      return await takeOver(server, { found: found !== undefined, owner, files, dataDir, passwords, log, beside })
    } catch (error) {
      if (!found) await stopServer(server, cluster, 15)
      if (!found || tries >= 3 || error instanceof StartRefusal || runningServer(cluster)) throw error
    }
  }
}

/** Undefined when another start was faster in the same moment; then its server is found. */
async function start(owner: Owner, files: Files, log: EmbeddedOptions['log']) {
  await clearStalePidFile(files.cluster)
  if (giveTo(files.cluster, owner.files))
    log.warn({ op: 'database', data: files.cluster }, 'gave the database files to the user that runs them now')
  rotate(files.logFile)
  return await spawnServer(owner, files)
}

interface Files {
  readonly cluster: string
  readonly logFile: string
  readonly durable: boolean
}

interface Surroundings {
  readonly found: boolean
  readonly owner: Owner
  readonly files: Files
  readonly dataDir: string
  readonly passwords: Passwords
  readonly log: EmbeddedOptions['log']
  readonly beside: boolean
}

async function takeOver(server: Server, { found, owner, files, dataDir, passwords, log, beside }: Surroundings): Promise<EmbeddedDatabase> {
  const { cluster } = files
  let running = server
  const url = `postgresql://postgres:${passwords.superuser}@localhost/postgres?host=${encodeURIComponent(server.socketDir)}`
  // Everybody has the address of the first one, so one that replaces it listens at the same place.
  async function revive(): Promise<void> {
    if (runningServer(cluster)) return
    log.error({ op: 'database', data: cluster }, 'the embedded database has ended by itself; starting it again')
    await clearStalePidFile(cluster, server.socketDir)
    running = (await spawnServer(owner, { ...files, socketDir: server.socketDir })) ?? running
    log.info({ op: 'database', data: cluster }, 'started the embedded database again')
  }
  const holder = await holdAlone(url, dataDir, log, revive).catch((error: unknown) => {
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
      await holder.expectEnd()
      const gone = await stopServer(running, cluster, 15)
      if (!gone) log.warn({ op: 'database', pid: running.pid }, 'the embedded database is still stopping; the next start takes it over')
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
