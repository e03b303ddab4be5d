import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import ssh2, { type ConnectConfig, type SFTPWrapper, type Client as SshClient } from 'ssh2'
import { type Clock, systemClock } from '../../core/clock.ts'
import type { Ctx } from '../../core/context.ts'
import { directoryOf, sftpHostKeyOf } from '../../core/db/control.ts'
import type { Directory } from '../../core/db/tenants-face.ts'
import { view, withTx } from '../../core/db/tx.ts'
import { type AccessDesk, accessDesk } from '../../core/exchange/access.ts'
import { type ArrivalOptions, settleArrivals } from '../../core/exchange/arrivals.ts'
import type { AdapterRegistry } from '../../core/exchange/registry.ts'
import { openSftp } from '../../core/exchange/sftp-door.ts'
import type { SftpServer } from '../../core/exchange/sftp-server.ts'
import { newId } from '../../core/ids.ts'
import { type Log, silentLog } from '../../core/log.ts'
import { localBlobs } from '../../core/storage/blobs.ts'
import { ground } from './tenant.ts'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

export const free = view<never>()

export interface KeyPair {
  readonly private: string
  readonly public: string
}
/** The library spoils one ed25519 key in 256; a client would not have such a one. */
export function newKeyPair(type: 'ed25519' | 'rsa' | 'ecdsa' = 'ed25519', bits?: number): KeyPair {
  for (;;) {
    const made = ssh2.utils.generateKeyPairSync(type as never, (bits === undefined ? {} : { bits }) as never) as KeyPair
    if (!(ssh2.utils.parseKey(made.private) instanceof Error) && !(ssh2.utils.parseKey(made.public) instanceof Error)) return made
  }
}

/** Adapters as the arrival of files sees them: nothing but manifests. */
export const fileAdapters = (files: Record<string, { pattern: string; done?: string }>): AdapterRegistry =>
  new Map(Object.entries(files).map(([id, capability]) => [id, { manifest: { imports: { workOrder: { files: capability } } } } as never]))

export interface SftpGround {
  readonly ctx: Ctx
  readonly other: Ctx
  readonly directory: Directory
  readonly desk: AccessDesk
  readonly arrivals: ArrivalOptions
  readonly blobDir: string
  readonly server: SftpServer
  readonly at: Awaited<ReturnType<typeof ground>>
  /** A connection of a tenant that speaks through `adapter`. @returns its id */
  connection(ctx: Ctx, adapter?: string): Promise<string>
  /** A user with a new key. */
  user(ctx: Ctx, connectionId: string, username: string): Promise<{ username: string; key: KeyPair; accessId: string }>
  settle(ctx?: Ctx): ReturnType<typeof settleArrivals>
  rows(ctx?: Ctx): Promise<readonly Record<string, unknown>[]>
}

export const sftpDefaults = {
  host: '127.0.0.1',
  port: 0,
  maxConnections: 50,
  maxUnauthenticated: 20,
  loginGraceSeconds: 20,
  idleSeconds: 60,
  maxFileBytes: 8 * 1024 * 1024
}

/** A running SFTP server on two provisioned tenants, without web and worker. */
export async function sftpGround(
  t: Teardown,
  options: {
    clock?: Clock
    log?: Log
    adapters?: AdapterRegistry
    stabilitySeconds?: number
    config?: Partial<typeof sftpDefaults>
    waitingFiles?: number
  } = {}
): Promise<SftpGround> {
  const clock = options.clock ?? systemClock
  const log = options.log ?? silentLog
  const at = await ground(t, { clock })
  const ctx = await at.tenant('sftp-one')
  const other = await at.tenant('sftp-two')
  const directory = directoryOf(at.control)
  const blobDir = mkdtempSync(join(tmpdir(), 'wv-blobs-'))
  const config = { ...sftpDefaults, ...options.config }
  const arrivals: ArrivalOptions = {
    blobs: localBlobs(blobDir),
    adapters: options.adapters ?? fileAdapters({ plain: { pattern: '*' } }),
    stabilitySeconds: options.stabilitySeconds ?? 0,
    maxFileBytes: config.maxFileBytes,
    maxWaitingFiles: options.waitingFiles ?? 1000,
    maxWaitingBytes: config.maxFileBytes * 10
  }
  const server = await openSftp({ config, hostKey: await sftpHostKeyOf(at.control), clock, log, tenants: at.tenants, directory, arrivals })
  t.teardown(async () => {
    await server.close()
    rmSync(blobDir, { recursive: true, force: true })
  })
  const desk = accessDesk({ directory, log })
  return {
    ctx,
    other,
    directory,
    desk,
    arrivals,
    blobDir,
    server,
    at,
    async connection(of, adapter = 'plain') {
      const id = newId()
      await sql`insert into exchange.connection (id, name, adapter, adapter_version, config, config_version, time_zone, locale, state)
        values (${id}, ${`connection ${id}`}, ${adapter}, '1.0.0', '{}', 1, 'Europe/Amsterdam', 'nl-NL', 'active')`.execute(free(of))
      return id
    },
    async user(of, connectionId, username) {
      const key = newKeyPair()
      const accessId = await withTx(of, tx => desk.addSftpKey(tx, { connectionId, username, publicKey: key.public, label: 'test' }))
      return { username, key, accessId }
    },
    settle: (of = ctx) => settleArrivals(of, arrivals),
    async rows(of = ctx) {
      return (await sql<Record<string, unknown>>`select * from exchange.delivery order by seq`.execute(free(of))).rows
    }
  }
}

/** Connects with ssh2's client; rejects with what the server made of it. */
export function connect(port: number, config: ConnectConfig): Promise<SshClient> {
  const client = new ssh2.Client()
  return new Promise((resolve, reject) => {
    client.once('ready', () => {
      // Its packets go out in pieces; without this each request waits 40 ms for an acknowledgement.
      client.setNoDelay(true)
      resolve(client)
    })
    client.on('error', reject)
    client.once('close', () => reject(new Error('closed before it was ready')))
    client.connect({ host: '127.0.0.1', port, readyTimeout: 20_000, ...config })
  })
}

/** One SFTP channel with promises instead of callbacks. */
export interface Sftp {
  readonly raw: SFTPWrapper
  call<R = void>(method: string, ...args: unknown[]): Promise<R>
  put(path: string, body: string | Buffer): Promise<void>
  get(path: string): Promise<Buffer>
  names(path: string): Promise<string[]>
}

export async function openSftpClient(client: SshClient): Promise<Sftp> {
  const raw = await new Promise<SFTPWrapper>((resolve, reject) => client.sftp((error, sftp) => (error ? reject(error) : resolve(sftp))))
  const call = <R>(method: string, ...args: unknown[]): Promise<R> =>
    new Promise((resolve, reject) => {
      const fn = (raw as unknown as Record<string, (...all: unknown[]) => void>)[method]
      fn?.call(raw, ...args, (error: Error | undefined, result: R) => (error ? reject(error) : resolve(result)))
    })
  return {
    raw,
    call,
    put: (path, body) => call('writeFile', path, body),
    get: path => call('readFile', path),
    names: async path => (await call<{ filename: string }[]>('readdir', path)).map(entry => entry.filename).sort()
  }
}

/** Tries up to `most` wrong passwords until the server ends the connection. @returns how many it listened to */
export function triesOf(port: number, config: ConnectConfig, most = 20): Promise<number> {
  const client = new ssh2.Client()
  let tries = 0
  return new Promise((resolve, reject) => {
    client.on('ready', () => reject(new Error('a wrong password was taken')))
    client.on('error', () => {})
    client.on('close', () => resolve(tries - 1))
    client.connect({
      host: '127.0.0.1',
      port,
      ...config,
      authHandler: ((_left: unknown, _partial: unknown, next: (answer: unknown) => void) => {
        tries++
        next(tries > most ? false : { type: 'password', username: config.username, password: `wrong ${tries}` })
      }) as never
    })
  })
}
