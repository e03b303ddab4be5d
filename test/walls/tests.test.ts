import t from 'tap'
import { code, type Source, sources } from '../helpers/sources.ts'

/** The names of the tests that a file declares at its top level. */
const namesOf = (text: string): string[] =>
  [...code(text).matchAll(/^\s*(?:await\s+)?\w+\.test\(\s*(['"`])((?:(?!\1)[^\\]|\\.)*)\1/gm)].map(m => m[2] ?? '')

function problems({ file, text }: Source): string[] {
  const names = namesOf(text)
  const found: string[] = []
  if (names.length === 0) found.push(`${file}: has no test`)
  const twice = names.filter((name, index) => names.indexOf(name) !== index)
  for (const name of new Set(twice)) found.push(`${file}: two tests are called "${name}"`)
  // A word is enough for a group that only holds tests.
  const holdsOthers = /^\s+(?:await\s+)?\w+\.test\(/m.test(code(text))
  for (const name of names) if (!holdsOthers && !/\s/.test(name.trim())) found.push(`${file}: "${name}" is no sentence`)
  if (/\b(?:t|test)\.only\(|\bonly:\s*true/.test(code(text))) found.push(`${file}: runs only some of its tests`)
  if (/\bskip:\s*true|\btodo:\s*true|\bt\.(?:skip|todo)\(/.test(code(text))) found.push(`${file}: leaves a test out without a condition`)
  return found
}

t.test('tests: each fault is caught when planted', async t => {
  const plant = (text: string) => problems({ file: 'test/x.test.ts', text })
  t.match(plant("import t from 'tap'\n// t.test('a b', async () => {})"), [/has no test/])
  t.match(plant("t.test('a: b', f)\nt.test('a: b', g)"), [/two tests are called "a: b"/])
  t.match(plant("t.test('works', f)"), [/no sentence/])
  t.match(plant(`t.${'only'}('a: b', f)\nt.test('a: c', f)`), [/only some/])
  t.match(plant(`t.test('a: b', { ${'skip'}: true }, f)`), [/leaves a test out/])
  t.same(plant("t.test('a: b', async t => {})"), [])
})

t.test('tests: every test file has tests with names of their own', async t => {
  const files = sources('test/**/*.test.ts')
  t.ok(files.length >= 8, 'an empty scan is not a pass')
  t.same(files.filter(({ file }) => file !== 'test/walls/tests.test.ts').flatMap(problems), [])
})

t.test('tests: every test file stands in a folder that says what kind it is', async t => {
  const kinds = /^test\/(unit|modules|adapters|journeys|security|walls|browser|proofs)\/.+\.test\.ts$/
  t.notMatch('test/x.test.ts', kinds)
  t.same(
    sources('**/*.test.ts')
      .map(({ file }) => file)
      .filter(file => !kinds.test(file)),
    []
  )
})
