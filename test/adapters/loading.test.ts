import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { root } from '../helpers/sources.ts'

/** Loads a module in a process of its own and prints what that left behind; two variables are read by Node's own loader. */
const probe = `
  // Node reads variables of its own and opens stderr when this is loaded for the first time.
  await import('node:util')
  const globals = new Set(Object.getOwnPropertyNames(globalThis))
  const reads = new Set()
  const env = process.env
  process.env = new Proxy(env, { get: (target, name) => (reads.add(String(name)), target[name]), has: (target, name) => (reads.add(String(name)), name in target), ownKeys: target => (reads.add('all of it'), Reflect.ownKeys(target)) })
  const before = process.getActiveResourcesInfo().length
  const listeners = process.eventNames().length
  await import(process.argv[1])
  console.log(JSON.stringify({
    reads: [...reads].filter(name => !['WATCH_REPORT_DEPENDENCIES', 'NODE_V8_COVERAGE'].includes(name)),
    globals: Object.getOwnPropertyNames(globalThis).filter(name => !globals.has(name)),
    resources: process.getActiveResourcesInfo().length - before,
    listeners: process.eventNames().length - listeners
  }))
`
const load = async (specifier: string): Promise<unknown> => {
  // `env -i` also takes away the options by which the test runner watches its children.
  const args = ['-i', 'HOME=/nowhere', process.execPath, '--no-warnings', '--input-type=module', '-e', probe, specifier]
  const { stdout } = await promisify(execFile)('env', args, { timeout: 30_000 })
  return JSON.parse(stdout)
}

t.test('adapters: loading one reads no environment and leaves no global, handle or listener behind', async t => {
  const clean = { reads: [], globals: [], resources: 0, listeners: 0 }
  for (const folder of ['contract', 'csv', 'neutral-rest', 'tryton'])
    t.same(await load(join(root, 'adapters', folder, 'index.ts')), clean, folder)
  const fault =
    'globalThis.leak = process.env.HOME; setInterval(() => {}, 1000).ref(); process.on("exit", () => {}); setTimeout(() => process.exit(), 2000)'
  t.match(
    await load(`data:text/javascript,${encodeURIComponent(fault)}`),
    { reads: ['HOME'], globals: ['leak'], listeners: 1 },
    'a planted fault is seen'
  )
})
