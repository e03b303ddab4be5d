import { spawn, spawnSync } from 'node:child_process'
import {
  chownSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf, isAbsent } from '../data-folder.ts'
import { StartRefusal } from '../start-refusal.ts'
import type { Owner } from './embedded-owner.ts'

/** A running PostgreSQL as its own pid file tells it. */
export interface Server {
  readonly pid: number
  readonly socketDir: string
  /** starting, ready, stopping, standby */
  readonly status: string
}

function readPidFile(cluster: string): Server | undefined {
  try {
    const lines = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')
    return { pid: Number(lines[0]), socketDir: (lines[4] ?? '').trim(), status: (lines[7] ?? '').trim() }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Alive and ours: a zombie has an empty command line, a reused pid another one, also where it went to another user's process. */
function runs(pid: number, cluster: string): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return false
  }
  return commandLine(pid).includes(cluster)
}

function commandLine(pid: number): string {
  if (process.platform !== 'linux') return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

/** The server that already runs on this cluster, for instance because only we were killed. */
export function runningServer(cluster: string): Server | undefined {
  const server = readPidFile(cluster)
  return server && runs(server.pid, cluster) ? server : undefined
}

/** The same, once it has told where it listens: a server that is just starting writes its pid file line by line. */
export async function reachableServer(cluster: string): Promise<Server | undefined> {
  for (let tries = 0; tries < 200; tries++) {
    const server = runningServer(cluster)
    if (server?.socketDir !== '') return server
    await sleep(50)
  }
  return undefined
}

/**
 * After a kill of everything the pid file may name a zombie or somebody else's process, and PostgreSQL would refuse to start
 * beside it. The file is removed only when no process works in the cluster's folder any more. `socketDir` is one that is used again.
 */
export async function clearStalePidFile(cluster: string, socketDir?: string): Promise<void> {
  const left = readPidFile(cluster)
  if (left && left.socketDir !== socketDir) removeSocketDir(left.socketDir)
  if (!left || process.platform !== 'linux' || isAbsent(`/proc/${left.pid}`)) return
  const folder = realpathSync(cluster)
  for (let tries = 0; tries < 100; tries++) {
    if (!processesIn(folder)) {
      rmSync(join(cluster, 'postmaster.pid'), { force: true })
      return
    }
    await sleep(100)
  }
  throw new StartRefusal([`Processes of an earlier database server still work in ${cluster}; wait for them to end, then start again.`])
}

function processesIn(folder: string): boolean {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .some(pid => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`) === folder
      } catch {
        return false
      }
    })
}

const childEnvironment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }

function command(owner: Owner, program: string, args: readonly string[]): [string, string[]] {
  const [first = '', ...rest] = [...owner.wrapper, join(owner.programs.root, 'bin', program), ...args]
  return [first, rest]
}

const socketPrefix = 'wv-pg-'

/** A socket path is at most 107 bytes, so it never lies in the data folder. */
export function makeSocketDir(owner: Owner): string {
  const base = process.platform === 'linux' ? '/tmp' : tmpdir()
  const folder = mkdtempSync(join(base, socketPrefix))
  if (owner.files) chownSync(folder, owner.files.uid, owner.files.gid)
  return folder
}

/** Of a server that is gone; only what `makeSocketDir` made. */
function removeSocketDir(folder: string): void {
  if (basename(folder).startsWith(socketPrefix)) rmSync(folder, { recursive: true, force: true })
}

/** Makes the cluster beside its place and moves it there whole, so that a half-made one is never taken for a cluster. */
export function makeCluster(owner: Owner, options: { cluster: string; passwordFile: string; durable: boolean }): void {
  const half = mkdtempSync(`${options.cluster}.new-`)
  if (owner.files) chownSync(half, owner.files.uid, owner.files.gid)
  const [program, args] = command(owner, 'initdb', [
    ...['-D', half, '-U', 'postgres', '-A', 'scram-sha-256', '--pwfile', options.passwordFile, '-E', 'UTF8', '--data-checksums'],
    ...['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'],
    ...(options.durable ? [] : ['--no-sync'])
  ])
  const run = spawnSync(program, args, { ...owner.credentials, cwd: '/', env: childEnvironment, encoding: 'utf8' })
  if (run.status !== 0) {
    rmSync(half, { recursive: true, force: true })
    const words = `${run.stderr ?? ''}${run.error?.message ?? ''}`.trim().split('\n').join(' ')
    throw new StartRefusal([`The embedded database could not be made in ${options.cluster}: ${words}`])
  }
  try {
    renameSync(half, options.cluster)
  } catch (error) {
    rmSync(half, { recursive: true, force: true })
    // Another start was faster; its cluster is as good.
    if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error
  }
}

/** Messages of refused statements quote their values, so only the server's own events reach its log file. */
const quietLog = [
  'log_min_messages=log',
  'log_min_error_statement=panic',
  'log_error_verbosity=terse',
  'log_checkpoints=off',
  'log_timezone=UTC'
]
const settings = ['listen_addresses=', 'max_connections=200', 'shared_buffers=128MB', 'timezone=UTC', 'jit=off', ...quietLog]
/** For tests only: a crash of the machine loses everything. */
const fragile = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'wal_level=minimal', 'max_wal_senders=0']

/**
 * Starts the server in a session of its own, so that a Ctrl-C in our terminal does not reach it, and waits until it is ready.
 * Recovery after a crash may take minutes; we wait as long as the process lives.
 */
export async function spawnServer(
  owner: Owner,
  options: { cluster: string; logFile: string; durable: boolean; socketDir?: string }
): Promise<Server | undefined> {
  const socketDir = options.socketDir ?? makeSocketDir(owner)
  const out = openSync(options.logFile, 'a', 0o600)
  const chosen = [...settings, ...(options.durable ? [] : fragile)].flatMap(setting => ['-c', setting])
  const [program, args] = command(owner, 'postgres', ['-D', options.cluster, '-k', socketDir, ...chosen])
  const child = spawn(program, args, { ...owner.credentials, detached: true, cwd: '/', stdio: ['ignore', out, out], env: childEnvironment })
  let ended: string | undefined
  child.once('error', error => {
    ended = error.message
  })
  child.once('exit', (code, signal) => {
    ended = `ended with ${code ?? signal}`
  })
  child.unref()
  closeSync(out)
  while (ended === undefined) {
    const server = readPidFile(options.cluster)
    if (server?.pid === child.pid && server?.status === 'ready') return server
    await sleep(20)
  }
  if (options.socketDir === undefined) removeSocketDir(socketDir)
  // A server that another start made in the same moment is fine: ours gave way.
  if (runningServer(options.cluster)) return undefined
  throw new StartRefusal([`The embedded database did not start (${ended}): ${lastLines(options.logFile)}`])
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trim().split('\n').slice(-3).join(' ')
}

/** Ends the server (open sessions are cut, data is safe) and waits until it is gone; false when it takes longer than told. */
export async function stopServer(server: Server, cluster: string, withinSeconds: number): Promise<boolean> {
  if (runs(server.pid, cluster)) process.kill(server.pid, 'SIGINT')
  for (let tries = 0; tries < withinSeconds * 50; tries++) {
    if (!runs(server.pid, cluster)) {
      removeSocketDir(server.socketDir)
      return true
    }
    await sleep(20)
  }
  return false
}
