import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import { plainClient } from './db/client.ts'
import { controlSeries, prepareControl } from './db/control.ts'
import { startEmbedded } from './db/embedded.ts'
import { schemaVersion } from './db/migrate.ts'
import { checkProvisioner } from './db/provisioner.ts'
import { newSftpHostKey } from './exchange/host-key.ts'
import { loadRootKey, type RootKey } from './keys/root-key.ts'
import type { Log } from './log.ts'
import type { Shutdown } from './shutdown.ts'
import { StartRefusal } from './start-refusal.ts'
import { installDuties } from './tasks/duties.ts'

/** The ground a command stands on: a reachable control database and the root key that opens it. */
export interface Ground {
  readonly controlUrl: string
  readonly root: RootKey
  readonly embedded: boolean
}

/**
 * Starts or reaches PostgreSQL and reads the root key. With the embedded server the key is a file in the data folder, made once,
 * together with the cluster: a key that is gone while its data is there is never replaced. `beside` is for commands that end by
 * themselves: they work next to a running server and leave it running.
 */
export async function ground(config: Config, log: Log, shutdown: Shutdown, options: { beside?: boolean } = {}): Promise<Ground> {
  if (config.database.url !== undefined) {
    if (config.rootKey === undefined) throw new StartRefusal(['WERKVLOER_ROOT_KEY: missing, and required with WERKVLOER_DATABASE_URL.'])
    await checkProvisioner(config.database.url)
    return { controlUrl: config.database.url, root: loadRootKey({ text: config.rootKey.toString('base64') }), embedded: false }
  }
  const server = await startEmbedded({ dataDir: config.dataDir, log, ...options })
  shutdown.add('embedded PostgreSQL', () => server.stop())
  const file = join(config.dataDir, 'root.key')
  if (config.rootKey === undefined && !existsSync(file)) {
    if (await installed(server.controlUrl)) {
      throw new StartRefusal([`${file} is gone, and without it nothing in the database can be read: put it back from your backup.`])
    }
    mkdirSync(config.dataDir, { recursive: true })
    writeFileSync(file, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' })
  }
  const root = loadRootKey(config.rootKey ? { text: config.rootKey.toString('base64') } : { file })
  return { controlUrl: server.controlUrl, root, embedded: true }
}

/** Brings the control database up to date and makes what an installation has once. */
export async function prepare(at: Ground, clock: Clock): Promise<void> {
  await prepareControl(at.controlUrl, at.root, clock, newSftpHostKey)
  await installDuties(at.controlUrl)
}

/** Refuses to serve a control database that `migrate` has not brought to this version. */
export async function requirePrepared(at: Ground): Promise<void> {
  const client = plainClient(at.controlUrl, 'werkvloer start', { connectionTimeoutMillis: 5_000 })
  await client.connect()
  try {
    const version = await schemaVersion(client)
    const known = controlSeries().length
    if (version < known)
      throw new StartRefusal(['The control database is not up to date: run the command "migrate" once, then start again.'])
    if (version > known) throw new StartRefusal(['The control database is newer than this version of Werkvloer: start the newer version.'])
  } finally {
    await client.end()
  }
}

async function installed(controlUrl: string): Promise<boolean> {
  const client = plainClient(controlUrl, 'werkvloer start')
  await client.connect()
  try {
    return (await schemaVersion(client)) > 0
  } finally {
    await client.end()
  }
}
