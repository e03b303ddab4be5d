import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Arrow, arrowsOf, packageOf, productSources, root } from '../helpers/sources.ts'

/** Who may know whom: the arrows of CONTRIBUTING.md as code. */
type Bad = (from: string, to: string) => boolean

const within = (folder: string) => (file: string) => file.startsWith(`${folder}/`)
const isModule = within('modules')
const isAdapter = within('adapters')
const isContract = within('adapters/contract')
const isCore = within('core')
const name = (file: string) => file.split('/')[1] ?? ''
const foreign = (from: string, to: string) => isModule(from) && isModule(to) && name(from) !== name(to)

const neighbours: Record<string, readonly string[]> = {
  workorders: ['authz', 'timekeeping', 'inventory'],
  inventory: ['authz'],
  timekeeping: ['authz'],
  compliance: ['authz'],
  authz: []
}

/** What of core the demo may use: words for people and time. It meets the product by HTTP and SFTP only. */
const demoMayUse = ['core/print.ts', 'core/clock.ts', 'core/config.ts', 'core/start-refusal.ts', 'core/commands/command.ts', 'core/ids.ts']

const ownRules: Record<string, Bad> = {
  'core knows no module and of the adapters the contract only': (from, to) =>
    isCore(from) && (isModule(to) || to.startsWith('demo/') || (isAdapter(to) && !isContract(to))),
  'core imports core, the contract and config': (from, to) => isCore(from) && !isCore(to) && !isContract(to) && !to.startsWith('config/'),
  'modules meet at the face': (from, to) => foreign(from, to) && !to.endsWith('/index.ts'),
  'only allowed neighbours': (from, to) => foreign(from, to) && !(neighbours[name(from)] ?? []).includes(name(to)),
  'modules take core by its face': (from, to) => isModule(from) && isCore(to) && to !== 'core/index.ts',
  'modules know no adapter': (from, to) => isModule(from) && isAdapter(to) && !isContract(to),
  'modules import nothing else of ours': (from, to) => isModule(from) && !isModule(to) && !isCore(to) && !isAdapter(to),
  'the contract imports nothing of ours': (from, to) => isContract(from) && !isContract(to),
  'adapters know their own files and the contract': (from, to) =>
    isAdapter(from) && name(from) !== 'contract' && name(from) !== 'kit' && !isContract(to) && !to.startsWith(`adapters/${name(from)}/`),
  'the kit knows the contract and core': (from, to) =>
    name(from) === 'kit' && isAdapter(from) && !isAdapter(to) && !isCore(to) && !to.startsWith('test/'),
  'the kit knows no adapter': (from, to) =>
    isAdapter(from) && name(from) === 'kit' && isAdapter(to) && !['kit', 'contract'].includes(name(to)),
  'config imports nothing of ours': (from, to) => from.startsWith('config/') && !to.startsWith('config/'),
  'the demo stays outside the product': (from, to) =>
    from.startsWith('demo/') &&
    (isModule(to) || (isCore(to) && !demoMayUse.includes(to)) || (isAdapter(to) && !['kit', 'contract'].includes(name(to)))),
  'only main.ts and parts.ts know everyone': (from, to) => !['main.ts', 'parts.ts'].includes(from) && ['main.ts', 'parts.ts'].includes(to),
  'the product knows no test': (from, to) => !(isAdapter(from) && name(from) === 'kit') && /^(test|proofs|bench)\//.test(to)
}

/** Each npm package and the files that may import it; a package that is not here may not be imported at all. */
const packages: Record<string, RegExp> = {
  '@fastify/jwt': /^core\/http\//,
  '@fastify/swagger': /^core\/http\//,
  '@fastify/type-provider-typebox': /^core\/http\//,
  ajv: /^(core|adapters\/(contract|kit))\//,
  'ajv-formats': /^(core|adapters\/(contract|kit))\//,
  awilix: /^core\/host\.ts$/,
  fastify: /^(core\/(http|exchange)|modules\/[\w-]+)\/|^core\/(house|index)\.ts$/,
  kysely: /^(core|modules\/[\w-]+)\//,
  papaparse: /^demo\//,
  pg: /^core\/db\//,
  'pg-boss': /^core\/tasks\//,
  pino: /^core\/(log\.ts|commands\/serve\.ts)$/,
  'prom-client': /^core\/http\//,
  ssh2: /^(core\/exchange|adapters\/kit|demo)\//,
  tap: /^adapters\/kit\//,
  typebox: /^(core|modules\/[\w-]+|adapters\/[\w-]+|config|demo)\//,
  undici: /^(core\/exchange|adapters\/kit|demo)\//
}

/** Adapters translate and nothing else: no files, no network, no processes, no clock of their own. */
const pureBuiltins = ['node:assert', 'node:buffer', 'node:crypto', 'node:string_decoder', 'node:util']
const isPlainAdapter = (file: string) => isAdapter(file) && name(file) !== 'kit'

const packageRules: Record<string, Bad> = {
  'a package only where it belongs': (from, to) => !to.startsWith('node:') && !(packages[packageOf(to)]?.test(from) ?? false),
  'adapters have no files and no network': (from, to) => isPlainAdapter(from) && to.startsWith('node:') && !pureBuiltins.includes(to),
  'config has neither': (from, to) => from.startsWith('config/') && to.startsWith('node:'),
  'modules have no files, no network, no processes': (from, to) =>
    isModule(from) && /^node:(fs|net|tls|http|https|http2|dgram|dns|child_process|worker_threads|cluster|vm)(\/|$)/.test(to)
}

function broken(arrows: readonly Arrow[]): string[] {
  return arrows.flatMap(({ from, to, own }) =>
    Object.entries(own ? ownRules : packageRules)
      .filter(([, bad]) => bad(from, to))
      .map(([rule]) => `${rule}: ${from} -> ${to}`)
  )
}

const planted: readonly (readonly [file: string, text: string, rule: string])[] = [
  ['core/x.ts', "const m = await import('../modules/authz/index.ts')", 'core knows no module and of the adapters the contract only'],
  ['core/x.ts', "import { x } from '../migrations/x.ts'", 'core imports core, the contract and config'],
  ['modules/workorders/x.ts', "import type {\n  Stock\n} from '../inventory/stock.ts'", 'modules meet at the face'],
  ['modules/authz/x.ts', "export * from '../workorders/index.ts'", 'only allowed neighbours'],
  ['modules/authz/x.ts', "import '../../core/db/tenants.ts'", 'modules take core by its face'],
  ['modules/authz/x.ts', "import { csv } from '../../adapters/csv/index.ts'", 'modules know no adapter'],
  ['modules/authz/x.ts', "import { list } from '../../config/redaction.ts'", 'modules import nothing else of ours'],
  ['adapters/contract/x.ts', "import { newId } from '../../core/ids.ts'", 'the contract imports nothing of ours'],
  ['adapters/csv/x.ts', "import { log } from '../../core/index.ts'", 'adapters know their own files and the contract'],
  ['adapters/kit/x.ts', "import { authz } from '../../modules/authz/index.ts'", 'the kit knows the contract and core'],
  ['adapters/kit/x.ts', "import csv from '../csv/index.ts'", 'the kit knows no adapter'],
  ['config/x.ts', "import { newId } from '../core/ids.ts'", 'config imports nothing of ours'],
  ['demo/x.ts', "import { withTx } from '../core/db/tx.ts'", 'the demo stays outside the product'],
  ['core/x.ts', "import { parts } from '../parts.ts'", 'only main.ts and parts.ts know everyone'],
  ['modules/authz/x.ts', "import { root } from '../../test/helpers/sources.ts'", 'the product knows no test'],
  ['modules/authz/x.ts', "import pg from 'pg'", 'a package only where it belongs'],
  ['adapters/csv/x.ts', "import { readFile } from 'node:fs/promises'", 'adapters have no files and no network'],
  ['config/x.ts', "import { readFileSync } from 'node:fs'", 'config has neither'],
  ['modules/authz/x.ts', "import { connect } from 'node:net'", 'modules have no files, no network, no processes']
]

t.test('architecture: each rule catches a planted arrow, and no rule is without one', async t => {
  for (const [file, text, rule] of planted) {
    t.ok(
      broken(arrowsOf({ file, text })).some(line => line.startsWith(`${rule}: `)),
      rule
    )
  }
  t.same(new Set(planted.map(([, , rule]) => rule)), new Set([...Object.keys(ownRules), ...Object.keys(packageRules)]))
})

t.test('architecture: a comment draws no arrow, an unknown package is refused', async t => {
  t.same(
    broken(
      arrowsOf({ file: 'core/x.ts', text: "// import { a } from '../modules/authz/index.ts'\n/* import '../modules/authz/index.ts' */" })
    ),
    []
  )
  t.match(broken(arrowsOf({ file: 'core/x.ts', text: "import leftpad from 'left-pad'" })), [/a package only where it belongs/])
})

t.test('architecture: the code draws no forbidden arrow', async t => {
  const arrows = productSources().flatMap(arrowsOf)
  t.ok(arrows.length >= 100, 'an empty scan is not a pass')
  t.same(broken(arrows), [])
})

t.test('architecture: no import has a computed name, which this wall could not read', async t => {
  const computed = /\bimport\s*\(\s*(?!['"])/
  t.match('await import(name)', computed, 'the planted one is seen')
  t.same(
    productSources()
      .filter(({ text }) => computed.test(text))
      .map(({ file }) => file),
    []
  )
})

t.test('architecture: what runs at a customer needs no development package', async t => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
  const missing = (arrows: readonly Arrow[]) =>
    arrows
      .filter(
        ({ from, to, own, typeOnly }) =>
          !own && !typeOnly && !to.startsWith('node:') && !from.startsWith('adapters/kit/') && !(packageOf(to) in dependencies)
      )
      .map(({ from, to }) => `${from} -> ${to}`)
  t.same(missing(arrowsOf({ file: 'core/x.ts', text: "import { Parser } from 'tap-parser'\nimport type { A } from '@types/a'" })), [
    'core/x.ts -> tap-parser'
  ])
  t.same(missing(productSources().flatMap(arrowsOf)), [])
})
