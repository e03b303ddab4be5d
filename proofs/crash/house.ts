import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { alive, type Run, run } from '../../test/helpers/process.ts'
import { root } from '../../test/helpers/sources.ts'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

/** The product as a customer runs it on one machine, with its own PostgreSQL, started again by a supervisor after each end. */
export interface Installation {
  readonly baseUrl: string
  readonly sftpPort: number
  readonly hostKeyLine: string
  readonly inviteToken: string
  start(): Promise<void>
  /** The process that was started last. */
  running(): { readonly pid: number; readonly ended: boolean; text(): string }
  /** SIGKILL, as at a power cut: nothing in it may say goodbye. */
  kill(): Promise<void>
  killDatabase(): Promise<void>
  /** One command of the product, with its exit code. */
  command(...args: string[]): Promise<{ code: number | null; text: string }>
  stop(): Promise<void>
}

/** A port that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** @param more settings beside those of a small installation */
export async function install(t: Teardown, more: Readonly<Record<string, string>> = {}): Promise<Installation> {
  const data = mkdtempSync(join(tmpdir(), 'wv-crash-'))
  chmodSync(data, 0o711)
  t.teardown(async () => rmSync(data, { recursive: true, force: true }))
  const [http, sftpPort] = [await freePort(), await freePort()]
  const node = join(root, 'node_modules/.bin/node')
  const settings = {
    WERKVLOER_DATA: data,
    WERKVLOER_HTTP_PORT: String(http),
    WERKVLOER_SFTP_PORT: String(sftpPort),
    WERKVLOER_DEMO: 'off',
    WERKVLOER_LOG_LEVEL: 'error',
    ...more
  }
  const postmaster = (): number => {
    try {
      return Number(readFileSync(join(data, 'postgres/postmaster.pid'), 'utf8').split('\n')[0])
    } catch {
      return 0
    }
  }
  const endDatabase = (): void => {
    const pid = postmaster()
    if (pid > 0 && alive(pid)) process.kill(pid, 'SIGKILL')
  }
  t.teardown(async () => endDatabase())
  // It lives in a process group of its own, and would outlive a proof that is ended by a signal.
  process.on('exit', () => {
    endDatabase()
    rmSync(data, { recursive: true, force: true, maxRetries: 5 })
  })
  async function command(...args: string[]): Promise<{ code: number | null; text: string }> {
    const one = run(t, node, ['main.ts', ...args], settings)
    const { code } = await one.ended
    return { code, text: one.text() }
  }
  let now: Run | undefined
  async function start(): Promise<void> {
    now = run(t, node, ['main.ts', 'serve'], settings)
    const started = now
    for (let tries = 0; tries < 600; tries++) {
      if (
        await fetch(`http://127.0.0.1:${http}/health/ready`, { signal: AbortSignal.timeout(2_000) }).then(
          answer => answer.ok,
          () => false
        )
      )
        return
      if (started.child.exitCode !== null || started.child.signalCode !== null)
        throw new Error(`the product ended by itself with ${started.child.exitCode}: ${started.text()}`)
      await sleep(100)
    }
    throw new Error(`the product was not ready within a minute: ${started.text()}`)
  }
  const made = await command('tenant', 'create', 'plant', '--name', 'Plant')
  const inviteToken = /welcome#(\S+)/.exec(made.text)?.[1]
  const hostKeyLine = /ssh-ed25519 \S+/.exec((await command('doctor')).text)?.[0]
  if (!inviteToken || !hostKeyLine) throw new Error(`no customer could be made: ${made.text}`)
  return {
    baseUrl: `http://127.0.0.1:${http}`,
    sftpPort,
    hostKeyLine,
    inviteToken,
    start,
    command,
    running() {
      if (!now) throw new Error('nothing was started')
      const { pid, child, text } = now
      return { pid, ended: child.exitCode !== null || child.signalCode !== null, text }
    },
    async kill() {
      now?.child.kill('SIGKILL')
      await now?.ended
    },
    async killDatabase() {
      const pid = postmaster()
      if (pid > 0) process.kill(pid, 'SIGKILL')
    },
    async stop() {
      now?.child.kill('SIGTERM')
      await now?.ended
    }
  }
}
