import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { coreErrors, type RefusalSpecs, statusOf } from '../../core/errors.ts'
import { exchangeErrors } from '../../core/exchange/errors.ts'
import { coreSpecs } from '../../core/http/problem.ts'
import { parts } from '../../parts.ts'
import { openTestHouse } from '../helpers/house.ts'
import { code, productSources, root, type Source } from '../helpers/sources.ts'

/** Every place that declares refusals. */
const declared: Readonly<Record<string, RefusalSpecs>> = {
  'core/errors.ts': coreErrors,
  'core/http/problem.ts': coreSpecs,
  'core/exchange/errors.ts': exchangeErrors,
  ...Object.fromEntries(parts.modules.map(({ name, errors }) => [`modules/${name}/errors.ts`, errors]))
}
const codes: ReadonlySet<string> = new Set(Object.values(declared).flatMap(specs => Object.keys(specs)))

const thrown = /\brefuse(?:Core|Exchange)?\(\s*'([^']*)'|\bnew Refusal\(\s*'[^']*',\s*'([^']*)'|\bconstraintMeans\(\s*'[^']*',\s*'([^']*)'/g
const announced = /\brefuses:\s*\[([^\]]*)\]/g
const literals = (list: string): string[] => [...list.matchAll(/'([^']*)'/g)].map(match => match[1] ?? '')

/** Codes that a file throws, and codes that its routes announce. */
const thrownBy = ({ text }: Source): string[] => [...code(text).matchAll(thrown)].map(match => match[1] ?? match[2] ?? match[3] ?? '')
const announcedBy = ({ text }: Source): string[] => [...code(text).matchAll(announced)].flatMap(match => literals(match[1] ?? ''))

function undeclared(files: readonly Source[], known: ReadonlySet<string>): string[] {
  return files.flatMap(file =>
    [...thrownBy(file).map(one => ['throws', one]), ...announcedBy(file).map(one => ['announces', one])]
      .filter(([, one]) => !known.has(one ?? ''))
      .map(([how, one]) => `${file.file} ${how} ${one}, which nobody declares`)
  )
}

/** A code counts as used where its text stands in the code outside its declaration and the routes' announcements. */
function unused(files: readonly Source[], known: ReadonlySet<string>): string[] {
  const said = new Set<string>()
  for (const source of files) {
    if (/(?:^|\/)errors\.ts$/.test(source.file)) continue
    // An apostrophe in a sentence turns the quotes behind it round, so what is thrown outright counts by itself.
    for (const one of [...literals(code(source.text).replace(announced, '')), ...thrownBy(source)]) said.add(one)
  }
  return [...known].filter(one => !said.has(one))
}

/** A page of the reference against the codes: both ways. */
function page(text: string, specs: RefusalSpecs): string[] {
  const rows = new Map([...text.matchAll(/^\| `([a-z_]+)` \| (\d{3}) \|/gm)].map(match => [match[1] ?? '', Number(match[2])]))
  return [
    ...Object.keys(specs)
      .filter(one => !rows.has(one))
      .map(one => `${one} is not in errors.md`),
    ...[...rows.keys()].filter(one => !specs[one]).map(one => `${one} is in errors.md only`),
    ...Object.entries(specs)
      .filter(([one, { kind }]) => rows.has(one) && one !== 'internal' && rows.get(one) !== statusOf[kind])
      .map(([one]) => `${one} has another status in errors.md`)
  ]
}

const sentences = (specs: RefusalSpecs): string[] =>
  Object.entries(specs)
    .filter(([one, { title, remedy }]) => !/^[a-z]+(?:_[a-z]+)*$/.test(one) || title.length < 6 || remedy.length < 6 || !/\.$/.test(remedy))
    .map(([one]) => one)

/** Adapters refuse records and deliveries in words of their own, which are no answers of the API. */
const served = (): Source[] => productSources().filter(({ file }) => !/^(?:adapters|demo)\//.test(file))

t.test('errors: each wall catches its planted fault', async t => {
  const known = new Set(['job_gone', 'job_held'])
  const file = (text: string): Source => ({ file: 'modules/x/y.ts', text })
  t.same(undeclared([file("throw refuse(\n  'job_lost',\n  'x'\n)")], known), ['modules/x/y.ts throws job_lost, which nobody declares'])
  t.same(undeclared([file("throw refuseCore('job_gone', 'x')\nnew Refusal('invalid', 'lost', 'x')")], known), [
    'modules/x/y.ts throws lost, which nobody declares'
  ])
  t.same(undeclared([file("config: { permission: 'x', refuses: ['job_gone', 'job_lost'] }")], known), [
    'modules/x/y.ts announces job_lost, which nobody declares'
  ])
  t.same(unused([file("throw refuse(held ? 'job_held' : other, 'x')\nrefuses: ['job_gone']\n// refuse('job_gone')")], known), ['job_gone'])
  const specs = { job_gone: { kind: 'gone', title: 'The job is gone', remedy: 'Read the list again.' } } as const
  t.same(page('| `job_gone` | 410 | x | y |', specs), [])
  t.match(page('', specs), ['job_gone is not in errors.md'])
  t.match(page('| `job_gone` | 404 | x | y |\n| `old` | 404 | x | y |', specs), [
    'old is in errors.md only',
    'job_gone has another status in errors.md'
  ])
  t.same(sentences({ ...specs, jobGone: specs.job_gone, short: { ...specs.job_gone, remedy: 'x' } }), ['jobGone', 'short'])
})

t.test('errors: what is thrown or announced is declared, what is declared is thrown somewhere', async t => {
  const files = served()
  t.ok(files.flatMap(thrownBy).length > 150, 'an empty scan is no pass')
  t.ok(files.flatMap(announcedBy).length > 100, 'an empty scan is no pass')
  t.same(undeclared(files, codes), [])
  t.same(unused(files, codes), [], 'nobody throws these')
  t.same(Object.values(declared).flatMap(sentences), [])
})

t.test('errors: every file with errors is one the house knows, and the reference lists every code with its status', async t => {
  const at = await openTestHouse(t)
  const { specs } = at.house
  const files = served()
    .map(({ file }) => file)
    .filter(file => /(?:^|\/)errors\.ts$/.test(file))
  t.same(files.filter(file => !declared[file]).toSorted(), [], 'a new errors.ts is declared by its module')
  t.same(
    [...codes].filter(one => !specs[one]),
    []
  )
  t.same(
    Object.keys(specs).filter(one => !codes.has(one)),
    []
  )
  t.same(page(readFileSync(join(root, 'docs/reference/errors.md'), 'utf8'), specs), [])
  for (const [file, own] of Object.entries(declared)) {
    for (const [one, spec] of Object.entries(own))
      t.equal(specs[one]?.kind, spec.kind, `${file} ${one} means the same wherever it is declared`)
  }
})
