import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../../demo/api.ts'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

/**
 * A real haproxy in front of a port. Its connections to the server are few and shared by all clients, so that bytes which the two read
 * differently reach somebody else. @returns the path of the socket that it listens on
 */
export async function haproxy(t: Teardown, port: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'wv-proxy-'))
  const socket = join(folder, 'front')
  const file = join(folder, 'haproxy.cfg')
  writeFileSync(
    file,
    `defaults
  mode http
  http-reuse always
  option http-keep-alive
  timeout connect 5s
  timeout client 10s
  timeout server 20s
  timeout queue 20s
frontend front
  bind unix@${socket}
  default_backend back
backend back
  server one 127.0.0.1:${port} maxconn 2
`
  )
  // In the foreground, so that it ends with us.
  const child = spawn('haproxy', ['-q', '-db', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', text => {
    said += text
  })
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true })
  })
  await until('haproxy listens', 20, async () => {
    if (child.exitCode !== null) throw new Error(`haproxy ended: ${said}`)
    return existsSync(socket) || undefined
  })
  return socket
}
