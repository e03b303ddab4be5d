import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { alive, family, type Run, run } from '../../test/helpers/process.ts'
import { root } from '../../test/helpers/sources.ts'
import { freePort } from '../crash/house.ts'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

/** The product as a customer runs it on one machine, and what it stands on, so that it can be taken away. */
export interface Installation {
  readonly baseUrl: string
  readonly sftpPort: number
  readonly hostKeyLine: string
  readonly folder: string
  createCustomer(code: string): Promise<string>
  start(): Promise<void>
  stop(): Promise<void>
  /** All processes of PostgreSQL stand still until they are let go. */
  freezeDatabase(): () => void
  /** Killed, and kept from starting until it is let go. */
  killDatabase(): () => void
  /** Superuser's URL of a database, for what happens outside the product. */
  outsideUrl(database: string): string
  /** A figure of /metrics; undefined where it is not told. */
  metric(name: string): Promise<number | undefined>
  log(): string
}

const node = join(root, 'node_modules/.bin/node')

export async function install(t: Teardown, more: Readonly<Record<string, string>>): Promise<Installation> {
  const data = mkdtempSync(join(tmpdir(), 'wv-resources-'))
  chmodSync(data, 0o711)
  t.teardown(async () => rmSync(data, { recursive: true, force: true }))
  const [http, sftpPort, metrics] = [await freePort(), await freePort(), await freePort()]
  const settings = {
    WERKVLOER_DATA: data,
    WERKVLOER_HTTP_PORT: String(http),
    WERKVLOER_SFTP_PORT: String(sftpPort),
    WERKVLOER_METRICS_PORT: String(metrics),
    WERKVLOER_DEMO: 'off',
    WERKVLOER_LOG_LEVEL: 'warn',
    ...more
  }
  const cluster = join(data, 'postgres')
  const pidFile = (): readonly string[] => {
    try {
      return readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')
    } catch {
      return []
    }
  }
  const postmaster = (): number => Number(pidFile()[0] ?? 0)
  // Also where the proof is broken off: the server is in a session of its own.
  const endDatabase = (): void => {
    const pid = postmaster()
    if (pid > 0 && alive(pid)) process.kill(pid, 'SIGKILL')
  }
  process.once('exit', endDatabase)
  t.teardown(async () => endDatabase())
  async function command(...args: string[]): Promise<string> {
    const one = run(t, node, ['main.ts', ...args], settings)
    await one.ended
    return one.text()
  }
  let now: Run | undefined
  const hostKeyLine = /ssh-ed25519 \S+/.exec(await command('doctor'))?.[0]
  if (!hostKeyLine) throw new Error('the product could not be installed')
  return {
    baseUrl: `http://127.0.0.1:${http}`,
    sftpPort,
    hostKeyLine,
    folder: data,
    async createCustomer(code) {
      const text = await command('tenant', 'create', code, '--name', code)
      const token = /welcome#(\S+)/.exec(text)?.[1]
      if (!token) throw new Error(`no customer could be made: ${text}`)
      return token
    },
    async start() {
      now = run(t, node, ['proofs/resources/main.ts'], settings)
      const started = now
      for (let tries = 0; tries < 600; tries++) {
        const ready = await fetch(`http://127.0.0.1:${http}/health/ready`, { signal: AbortSignal.timeout(2_000) }).then(
          answer => answer.ok,
          () => false
        )
        if (ready) return
        if (started.child.exitCode !== null) throw new Error(`the product ended by itself: ${started.text()}`)
        await sleep(100)
      }
      throw new Error(`the product was not ready within a minute: ${started.text()}`)
    },
    async stop() {
      now?.child.kill('SIGTERM')
      await now?.ended
    },
    freezeDatabase() {
      const all = family(postmaster())
      for (const pid of all) process.kill(pid, 'SIGSTOP')
      return () => {
        for (const pid of [...all].reverse()) if (alive(pid)) process.kill(pid, 'SIGCONT')
      }
    },
    killDatabase() {
      const version = join(cluster, 'PG_VERSION')
      renameSync(version, `${version}.away`)
      process.kill(postmaster(), 'SIGKILL')
      return () => renameSync(`${version}.away`, version)
    },
    outsideUrl(database) {
      const { superuser } = JSON.parse(readFileSync(join(data, 'postgres-passwords.json'), 'utf8')) as { superuser: string }
      return `postgresql://postgres:${superuser}@localhost/${database}?host=${encodeURIComponent(pidFile()[4] ?? '')}`
    },
    async metric(name) {
      const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
      const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]
      return value === undefined ? undefined : Number(value)
    },
    log: () => now?.text() ?? ''
  }
}

/** A small volume in place of a folder, with what was in it. @returns undefined where this machine does not let us mount one */
export function smallVolume(t: Teardown, folder: string, megabytes: number): { fill(): void; empty(): void } | undefined {
  if (process.getuid?.() !== 0 || process.platform !== 'linux') return undefined
  mkdirSync(folder, { recursive: true })
  const owner = statSync(folder)
  const kept = `${folder}.before`
  renameSync(folder, kept)
  mkdirSync(folder)
  const mode = (owner.mode & 0o777).toString(8)
  const options = `size=${megabytes}m,uid=${owner.uid},gid=${owner.gid},mode=${mode}`
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]).status !== 0) {
    rmSync(folder, { recursive: true })
    renameSync(kept, folder)
    return undefined
  }
  const away = (): void => void spawnSync('umount', ['-l', folder], { stdio: 'ignore' })
  process.once('exit', away)
  t.teardown(async () => away())
  execFileSync('cp', ['-a', `${kept}/.`, folder])
  rmSync(kept, { recursive: true })
  const ballast = join(folder, 'ballast')
  return {
    fill() {
      const file = openSync(ballast, 'a')
      try {
        for (let size = 2 ** 20; size >= 4_096; ) {
          try {
            writeSync(file, Buffer.alloc(size))
          } catch {
            size /= 2
          }
        }
      } finally {
        closeSync(file)
      }
    },
    empty: () => rmSync(ballast, { force: true })
  }
}
