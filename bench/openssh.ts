import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { program } from './programs.ts'

const sshd = '/usr/sbin/sshd'
/** The only cipher both sides are measured with: what our server offers first, and the fastest of OpenSSH's. */
const cipher = 'aes128-gcm@openssh.com'
const longestSeconds = 300

/** Where OpenSSH's client is sent. */
export interface SshAddress {
  readonly port: number
  readonly username: string
  readonly keyFile: string
}

export interface SshdServer {
  readonly address: SshAddress
  /** An empty folder it writes into; paths under it are absolute to the client. */
  readonly folder: string
}

/**
 * OpenSSH's own server as the limit of what SFTP can do here: its program from the system, everything else (configuration, host key, port
 * on loopback) made for this run. The system's server is neither needed nor touched.
 */
export async function startSshd(t: { teardown(fn: () => Promise<void>): void }, publicLine: string, keyFile: string): Promise<SshdServer> {
  for (const path of [sshd, '/usr/bin/sftp', '/usr/bin/ssh-keygen']) program(path, 'openssh-server, openssh-client')
  const dir = mkdtempSync(join(tmpdir(), 'wv-sshd-'))
  t.teardown(async () => rmSync(dir, { recursive: true, force: true }))
  const folder = join(dir, 'files')
  mkdirSync(folder)
  execFileSync('/usr/bin/ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(dir, 'host')])
  writeFileSync(join(dir, 'authorized'), `${publicLine}\n`)
  const port = await freePort()
  writeFileSync(
    join(dir, 'config'),
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${join(dir, 'host')}`,
      'PidFile none',
      `AuthorizedKeysFile ${join(dir, 'authorized')}`,
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'PermitRootLogin prohibit-password',
      'Subsystem sftp internal-sftp',
      ''
    ].join('\n')
  )
  // As root it wants this empty folder to lock its helper into; the system's start script makes it otherwise.
  if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  const server = spawn(sshd, ['-D', '-f', join(dir, 'config'), '-E', join(dir, 'log')], { stdio: 'ignore' })
  t.teardown(() => ended(server))
  await answers(port, server)
  return { address: { port, username: userInfo().username, keyFile }, folder }
}

/** Runs one batch of commands of OpenSSH's `sftp`, sign-in included. @returns milliseconds; throws with what the client said */
export function sftp(address: SshAddress, commands: readonly string[]): Promise<number> {
  const options = [`Ciphers=${cipher}`, 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'IdentitiesOnly=yes', 'LogLevel=ERROR']
  const began = performance.now()
  const client = spawn(
    '/usr/bin/sftp',
    [
      ...['-q', '-F', '/dev/null', '-b', '-', '-P', String(address.port), '-i', address.keyFile],
      ...options.flatMap(option => ['-o', option]),
      `${address.username}@127.0.0.1`
    ],
    { stdio: ['pipe', 'ignore', 'pipe'] }
  )
  let said = ''
  client.stderr.on('data', data => {
    said = (said + data).slice(0, 2_000)
  })
  const tooLong = setTimeout(() => client.kill(), longestSeconds * 1_000)
  client.stdin.end(`${commands.join('\n')}\n`)
  return new Promise((resolve, reject) => {
    client.on('error', reject)
    client.on('close', code => {
      clearTimeout(tooLong)
      if (code === 0) resolve(performance.now() - began)
      else reject(new Error(`sftp to port ${address.port} ended with ${code}: ${said.trim()}`))
    })
  })
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>(resolve => probe.listen(0, '127.0.0.1', resolve))
  const at = probe.address()
  await new Promise<void>(resolve => probe.close(() => resolve()))
  return typeof at === 'object' && at !== null ? at.port : 0
}

async function answers(port: number, server: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (server.exitCode !== null) throw new Error(`sshd ended with ${server.exitCode} before it listened`)
    const open = await new Promise<boolean>(resolve => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
      socket.unref()
      setTimeout(() => socket.destroy(), 50)
    })
    if (open) return
    await sleep(50)
  }
  throw new Error(`sshd does not listen on port ${port}`)
}

async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return
  const closed = new Promise<void>(resolve => server.once('close', () => resolve()))
  server.kill()
  await closed
}
