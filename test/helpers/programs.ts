import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Programs as customers use them; what is not installed on this machine is skipped by name. */
export const installed = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
export const unless = (program: string) => (installed(program) ? {} : { skip: `${program} is not installed` })

export interface Run {
  readonly code: number
  readonly out: string
}

/** Runs a program to its end; `out` holds both of its streams. */
export function run(
  program: string,
  args: readonly string[],
  options: { input?: string; env?: Record<string, string> } = {}
): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { PATH: process.env.PATH ?? '', HOME: tmpdir(), LC_ALL: 'C', ...options.env },
      timeout: 40_000
    })
    let out = ''
    child.stdout.on('data', data => {
      out += data
    })
    child.stderr.on('data', data => {
      out += data
    })
    child.on('error', reject)
    child.on('close', code => resolve({ code: code ?? -1, out }))
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
  })
}

/** A folder for one test. */
export function folder(t: { teardown(fn: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), 'wv-programs-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** Options with which OpenSSH's programs sign in with a key and ask nobody anything. */
export function opensshOptions(dir: string, privateKey: string): readonly string[] {
  const keyFile = join(dir, 'key')
  writeFileSync(keyFile, privateKey, { mode: 0o600 })
  const settings = [
    'IdentitiesOnly=yes',
    'BatchMode=yes',
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'LogLevel=INFO',
    'ConnectTimeout=20'
  ]
  return ['-F', '/dev/null', '-i', keyFile, ...settings.flatMap(setting => ['-o', setting])]
}
