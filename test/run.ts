import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, globSync, mkdtempSync, rmSync, statSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { Parser } from 'tap-parser'
import { ensureProvisioner, startEmbedded } from '../core/db/embedded.ts'
import { createLog } from '../core/log.ts'

/**
 * node test/run.ts [files or folders]
 *
 * Starts one PostgreSQL in a temporary folder (or takes WERKVLOER_TEST_DATABASE_URL, a superuser's URL), runs the test files with
 * tap and ends with one line "N passed, N failed". Without arguments also the compiler and the linter, each counted as one test.
 */
const root = join(import.meta.dirname, '..')
const paths = process.argv.slice(2)
const say = (line: string) => void process.stdout.write(`${line}\n`)

interface Count {
  passed: number
  failed: number
  skipped: number
}

const count: Count = { passed: 0, failed: 0, skipped: 0 }
const stops: (() => Promise<void> | void)[] = []
let ending: Promise<void> | undefined

/** The database is in a session of its own, so nobody else ends it when the run is broken off. Once: Ctrl-C arrives twice under npm. */
function stopAll(): Promise<void> {
  ending ??= (async () => {
    for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stop()
  })()
  return ending
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stopAll().then(() => process.exit(130)))

function step(name: string, program: string, args: readonly string[]): void {
  const began = performance.now()
  const run = spawnSync(program, args, { cwd: root, encoding: 'utf8', maxBuffer: 50_000_000 })
  const took = `${((performance.now() - began) / 1000).toFixed(1)} s`
  if (run.status === 0) {
    count.passed++
    say(`  ok      ${name} (${took})`)
    return
  }
  count.failed++
  say(`  NOT OK  ${name} (${took})`)
  for (const line of `${run.stdout}${run.stderr}${run.error?.message ?? ''}`.trim().split('\n').slice(0, 200)) say(`            ${line}`)
}

const bin = (name: string) => join(root, 'node_modules', '.bin', name)
const nodeBin = (script: string) => join(root, 'node_modules', script)

async function database(): Promise<{ url: string; controlUrl: string }> {
  const given = process.env.WERKVLOER_TEST_DATABASE_URL ?? process.env.TEST_PG_URL
  if (given) return { url: given, controlUrl: await ensureProvisioner(given, 'only-for-tests') }
  const folder = mkdtempSync(join(tmpdir(), 'wv-test-'))
  // The server runs as another user when we are root.
  chmodSync(folder, 0o711)
  stops.push(() => rmSync(folder, { recursive: true, force: true }))
  const embedded = await startEmbedded({ dataDir: join(folder, 'data'), log: createLog({ logLevel: 'warn' }), durable: false })
  stops.push(() => embedded.stop())
  return embedded
}

interface Result {
  readonly ok: boolean
  readonly name: string
  readonly skip?: unknown
  readonly todo?: unknown
  readonly diag?: unknown
  /** milliseconds */
  readonly time?: number | null
}

interface Group {
  readonly name: string
  /** Holds tests of its own, so that it is no test but a group of them. */
  holds: boolean
  /** Something in it failed and was counted. */
  failed: boolean
}

/**
 * Reads tap's stream: files at depth 0, named tests below. Counted is each test that holds no others; a file or a group counts as one
 * failure when it fails by itself (it died, timed out, has no plan or no test).
 */
function watch(parser: Parser, count: Count): void {
  const fail = (trail: readonly Group[], line: string): void => {
    count.failed++
    for (const group of trail) group.failed = true
    say(`  NOT OK  ${line}`)
  }
  const walk = (at: Parser, trail: readonly Group[]): void => {
    let last: Group | undefined
    at.on('child', (child: Parser) => {
      const parent = trail.at(-1)
      if (parent) parent.holds = true
      last = { name: child.name, holds: false, failed: false }
      walk(child, [...trail, last])
    })
    at.on('assert', (result: Result) => {
      const sub = last?.name === result.name ? last : undefined
      last = undefined
      const path = [...trail.map(group => group.name), result.name]
      if (trail.length === 0) {
        if (result.ok && result.skip) fail([], `${result.name}: the file has no test`)
        else if (result.ok)
          say(
            `  ok      ${result.name}${result.time === undefined || result.time === null ? '' : ` (${(result.time / 1000).toFixed(1)} s)`}`
          )
        else if (!sub?.failed) {
          fail([], `${result.name}: the file ended badly`)
          tell(result.diag)
        }
      } else if (sub || trail.length === 1) {
        if (result.ok && sub?.holds) return
        if (result.skip || result.todo) count.skipped++
        else if (result.ok) count.passed++
        else if (!sub?.failed || !sub.holds) {
          fail(trail, path.join(' > '))
          if (!sub) tell(result.diag)
        }
      } else if (!result.ok) {
        say(`          ${path.slice(1).join(' > ')}`)
        tell(result.diag)
      }
    })
  }
  walk(parser, [])
}

const place = (at: unknown): string => {
  const { fileName, lineNumber } = at as { fileName?: unknown; lineNumber?: unknown }
  return `${fileName}:${lineNumber}`
}

function tell(diag: unknown): void {
  if (typeof diag !== 'object' || diag === null) return
  const fields = diag as Record<string, unknown>
  for (const key of ['error', 'message', 'diff', 'found', 'wanted', 'at', 'source', 'stack', 'exitCode', 'signal', 'expired']) {
    const value = fields[key]
    if (value === undefined || ((key === 'found' || key === 'wanted') && fields.diff !== undefined)) continue
    const text = key === 'at' ? place(value) : typeof value === 'string' ? value : JSON.stringify(value)
    const lines = text.trimEnd().split('\n').slice(0, 60)
    say(lines.length === 1 ? `            ${key}: ${lines[0]}` : `            ${key}:`)
    if (lines.length > 1) for (const line of lines) say(`              ${line}`)
  }
}

/** tap takes files and patterns, no folders. */
function testFiles(path: string): string[] {
  const given = relative(root, resolve(path))
  if (!existsSync(join(root, given))) throw new Error(`${path}: there is no such file or folder`)
  return statSync(join(root, given)).isDirectory()
    ? globSync('**/*.test.ts', { cwd: join(root, given) })
        .map(file => join(given, file))
        .sort()
    : [given]
}

async function runTap(urls: { url: string; controlUrl: string }, files: readonly string[]): Promise<number> {
  const { TAP_RCFILE: _unused, ...env } = process.env
  const args = [nodeBin('tap/dist/esm/run.mjs'), '--reporter=tap', ...files]
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...env, TEST_PG_URL: urls.url, TEST_CONTROL_URL: urls.controlUrl, NO_COLOR: '1' }
  })
  stops.push(() => void child.kill('SIGTERM'))
  const parser = new Parser({})
  watch(parser, count)
  child.stdout.pipe(parser)
  const [code] = await Promise.all([
    new Promise<number>(done => child.on('close', ended => done(ended ?? 1))),
    new Promise<void>(done => parser.on('complete', () => done()))
  ])
  return code
}

async function main(): Promise<number> {
  if (paths.length === 0) {
    step('the compiler finds no error (tsc)', bin('tsc'), [])
    step('the compiler finds no error in the console (tsc)', nodeBin('../console/node_modules/.bin/tsc'), ['-p', 'console'])
    step('the linter finds no error (biome check)', bin('biome'), ['check', '--max-diagnostics=100', '.'])
  }
  // tap makes its set of plugins once per installation; the first run without it would fail.
  const made = (path: string) => statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (made('.tap/plugins') <= made('node_modules/.package-lock.json')) {
    const built = spawnSync(process.execPath, [nodeBin('tap/dist/esm/run.mjs'), 'build'], { cwd: root, encoding: 'utf8' })
    if (built.status !== 0) throw new Error(`tap build: ${built.stdout}${built.stderr}`)
    utimesSync(join(root, '.tap/plugins'), Date.now() / 1000, Date.now() / 1000)
  }
  const files = paths.flatMap(testFiles)
  if (paths.length > 0 && files.length === 0) throw new Error('no test file under the given paths')
  const urls = await database()
  const code = await runTap(urls, files)
  await stopAll()
  if (count.passed === 0) say('  NOT OK  no test ran')
  if (code !== 0 && count.failed === 0) {
    say(`  NOT OK  tap ended with ${code} although no test failed`)
    count.failed++
  }
  const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : ''
  say(`${count.passed} passed, ${count.failed} failed${skipped}`)
  return count.failed > 0 || count.passed === 0 ? 1 : 0
}

try {
  process.exitCode = await main()
} catch (error) {
  await stopAll()
  say(`  NOT OK  the run itself: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  say(`${count.passed} passed, ${count.failed + 1} failed`)
  process.exitCode = 1
}
