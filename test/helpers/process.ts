import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { delimiter } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from './sources.ts'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

/** A program started as an operator starts it, in a process group of its own, as a terminal gives it one. */
export interface Run {
  readonly pid: number
  readonly child: ChildProcess
  /** What it printed until now, both streams in the order of their arrival. */
  text(): string
  /** Waits for words on either stream; throws with all of the text when they do not come or the program ends before. */
  says(words: RegExp, seconds?: number): Promise<RegExpExecArray>
  /** A signal to the whole group. */
  signal(name: NodeJS.Signals): void
  /** Resolves when it has ended and its streams are closed. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
}

/** The environment of a terminal: nothing of the test runner, no setting of ours, and not the Node that the installation brought. */
function terminal(): Record<string, string> {
  const path = (process.env.PATH ?? '').split(delimiter).filter(folder => !folder.endsWith('node_modules/.bin'))
  const kept = ['HOME', 'TMPDIR', 'LANG'].flatMap(name => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))
  return { ...Object.fromEntries(kept), PATH: path.join(delimiter) }
}

const groups = new Set<number>()
const endAll = (): void => {
  for (const pid of groups) end(pid)
}
process.on('exit', endAll)
// A test that takes too long is ended by a signal.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  process.once(signal, () => {
    endAll()
    process.exit(1)
  })

function end(group: number): void {
  try {
    process.kill(-group, 'SIGKILL')
  } catch {
    // It is gone, as it should.
  }
}

/** Starts a program in the checkout; what is left of its group when the test ends is killed. */
export function run(t: Teardown, program: string, args: readonly string[], settings: Readonly<Record<string, string>> = {}): Run {
  const child = spawn(program, args, {
    cwd: root,
    env: { ...terminal(), ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true
  })
  const { pid } = child
  if (pid === undefined) throw new Error(`${program} could not be started`)
  groups.add(pid)
  let text = ''
  const hear = (piece: string): void => {
    text += piece
  }
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', hear)
  let over = false
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(resolve => {
    child.on('close', (code, signal) => {
      over = true
      resolve({ code, signal })
    })
  })
  t.teardown(async () => {
    end(pid)
    await ended
    groups.delete(pid)
  })
  return {
    pid,
    child,
    ended,
    text: () => text,
    signal: name => void process.kill(-pid, name),
    async says(words, seconds = 60) {
      for (let tries = seconds * 20; tries > 0; tries--) {
        const last = over
        const found = words.exec(text)
        if (found) return found
        if (last) throw new Error(`${program} ended without saying ${words}:\n${text}`)
        await sleep(50)
      }
      throw new Error(`${program} did not say ${words} in ${seconds} s:\n${text}`)
    }
  }
}

/** A process and all that it started, directly or not, as the system knows them now. */
export function family(pid: number): readonly number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
  const pairs = lines.map(line => line.trim().split(/\s+/).map(Number))
  const found = [pid]
  for (const one of found) for (const [child, parent] of pairs) if (parent === one && child !== undefined) found.push(child)
  return found
}

/** A process that ended and was not yet collected has no command line any more. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== ''
  } catch {
    return false
  }
}
