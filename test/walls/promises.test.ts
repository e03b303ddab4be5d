import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { root } from '../helpers/sources.ts'

const page = 'docs/operations/security.md'

/** The files that a page names as tests; one without a folder stands in that of the one before it in the line. */
function namedIn(text: string): string[] {
  return text.split('\n').flatMap(line => {
    let folder = '.'
    return [...line.matchAll(/`([\w/.*-]+\.(?:test\.ts|txt))`/g)].map(([, name = '']) => {
      if (name.includes('/')) folder = dirname(name)
      return name.includes('/') ? name : `${folder}/${name}`
    })
  })
}

/** The proofs of the folder, each of which has a script and one section of the page about proofs, in the order in which they run. */
const proofs = readdirSync(join(root, 'proofs'))
  .filter(file => file.endsWith('.ts') && file !== 'run.ts')
  .map(file => file.slice(0, -3))
  .sort()
const sectionsOf = (text: string): string[] => [...text.matchAll(/^## `npm run prove:(\w+)`$/gm)].map(([, name = '']) => name)

function problems(text: string, exists: (file: string) => boolean, files: readonly string[]): string[] {
  const named = namedIn(text)
  const checks = [...text.matchAll(/^\| ([A-H][^|]*) \|/gm)].flatMap(([, ids = '']) => ids.split(', '))
  return [
    ...named.filter(file => !exists(file)).map(file => `${file} is named and does not exist`),
    ...files.filter(file => !named.includes(file)).map(file => `${file} keeps a promise that nobody tells`),
    ...checks.filter((id, at) => checks.indexOf(id) !== at).map(id => `${id} has two rows`)
  ]
}

t.test('promises: each fault is caught when planted', async t => {
  const row = '| A1 | that | `test/security/a1-x.test.ts`, `a2-x.test.ts` |\n'
  t.match(
    problems(row, file => file.endsWith('a1-x.test.ts'), []),
    [/^test\/security\/a2-x\.test\.ts is named/]
  )
  t.match(
    problems(row, () => true, ['test/security/c1-x.test.ts']),
    [/^test\/security\/c1-x\.test\.ts keeps/]
  )
  t.match(
    problems(row + row, () => true, []),
    [/^A1 has two rows/]
  )
  t.same(
    problems(row, () => true, ['test/security/a1-x.test.ts']),
    []
  )
})

t.test('promises: the table names every security test, and each file that it names exists', async t => {
  const files = readdirSync(join(root, 'test/security')).map(file => `test/security/${file}`)
  t.ok(files.length >= 40, 'an empty scan is not a pass')
  t.same(
    problems(readFileSync(join(root, page), 'utf8'), file => existsSync(join(root, file)), files),
    []
  )
})

t.test('promises: every proof has its script and its section', async t => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
  t.ok(proofs.length >= 7, 'an empty scan is not a pass')
  const run = Object.keys(scripts).flatMap(name => /^prove:(\w+)$/.exec(name)?.[1] ?? [])
  t.strictSame(run.sort(), proofs)
  t.strictSame(sectionsOf(readFileSync(join(root, 'docs/operations/proofs.md'), 'utf8')), proofs)
})
