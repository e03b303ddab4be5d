import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const root = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const texts = (language: string): Record<string, string> => JSON.parse(read(`console/src/texts/${language}.json`))
const sources = globSync('console/src/**/*.{ts,tsx}', { cwd: root }).filter(path => !path.includes('/api/schema'))

/** Every `{{name}}` of a text. */
const blanks = (text: string): string =>
  [...text.matchAll(/\{\{\s*(\w+)/g)]
    .map(found => found[1])
    .sort()
    .join(' ')
const base = (key: string): string => key.replace(/_(zero|one|two|few|many|other)$/, '')

interface Used {
  readonly keys: ReadonlySet<string>
  /** Beginnings of keys made from a value: t(`status.${status}`). */
  readonly prefixes: ReadonlySet<string>
}

function used(files: readonly string[]): Used {
  const keys = new Set<string>()
  const prefixes = new Set<string>()
  for (const text of files) {
    for (const found of text.matchAll(/['"]([a-z][A-Za-z]*\.[A-Za-z0-9_.]+)['"]/g)) keys.add(found[1] ?? '')
    for (const found of text.matchAll(/`([a-z][A-Za-z]*\.[A-Za-z0-9_.]*)\$\{/g)) prefixes.add(found[1] ?? '')
  }
  return { keys, prefixes }
}

const unusedOf = (all: readonly string[], { keys, prefixes }: Used): string[] =>
  all.filter(key => !keys.has(key) && !keys.has(base(key)) && ![...prefixes].some(prefix => key.startsWith(prefix)))

t.test('texts: both languages have the same keys and the same blanks to fill', async t => {
  const en = texts('en')
  const nl = texts('nl')
  t.ok(Object.keys(en).length > 100)
  t.same(
    Object.keys(en).filter(key => !(key in nl)),
    [],
    'in English only'
  )
  t.same(
    Object.keys(nl).filter(key => !(key in en)),
    [],
    'in Dutch only'
  )
  t.same(
    Object.keys(en).filter(key => blanks(en[key] ?? '') !== blanks(nl[key] ?? '')),
    [],
    'other blanks'
  )
  t.same(
    Object.entries({ ...en, ...nl })
      .filter(([, text]) => text.trim() === '')
      .map(([key]) => key),
    [],
    'empty'
  )
})

t.test('texts: every text is used by a screen, and no screen asks for one that is missing', async t => {
  const en = Object.keys(texts('en'))
  const found = used(sources.map(read))
  t.same(unusedOf(en, found), [], 'unused')
  const known = new Set(en.map(base))
  const asked = sources.flatMap(path => [...read(path).matchAll(/\bt\(\s*['"]([^'"]+)['"]/g)].map(match => match[1] ?? ''))
  t.ok(asked.length > 50)
  t.same(
    asked.filter(key => !known.has(base(key)) && !en.includes(key)),
    [],
    'missing'
  )
  t.same(unusedOf(['planted.nobodyAsks'], found), ['planted.nobodyAsks'], 'the check sees an unused text')
})

t.test('texts: every refusal of the server has a sentence for the person at the screen', async t => {
  const codes = [...read('docs/reference/errors.md').matchAll(/^\| `(\w+)` \|/gm)].map(found => found[1] ?? '')
  const keys = Object.keys(texts('en'))
  t.ok(codes.length > 100)
  t.same(
    codes.filter(code => !keys.includes(`refusal.${code}`)),
    [],
    'without a sentence'
  )
  t.same(
    keys.filter(key => key.startsWith('refusal.') && !codes.includes(key.slice(8))),
    [],
    'refusals that the server does not know'
  )
})

t.test('texts: no sentence is written in a screen itself', async t => {
  const literal = (text: string): string[] =>
    [
      ...text.matchAll(/>\s*([A-Z][a-z]+(?: [a-z]+)+[^<>{}]*)\s*</g),
      ...text.matchAll(/(?:title|label|placeholder|aria-label)="([A-Z][^"]+)"/g)
    ].map(found => (found[1] ?? '').trim())
  t.same(literal('<Text>Nothing was saved here</Text><a title="Look" />'), ['Nothing was saved here', 'Look'], 'the check sees both forms')
  const found = sources.flatMap(path => literal(read(path)).map(text => `${path}: ${text}`))
  t.same(
    found.filter(line => !/: (Werkvloer|Nederlands|English)$/.test(line)),
    []
  )
})
