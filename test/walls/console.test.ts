import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { arrowsOf, code, packageOf, root, type Source, sources } from '../helpers/sources.ts'

const manifest = JSON.parse(readFileSync(join(root, 'console/package.json'), 'utf8')) as { dependencies: Record<string, string> }

interface Rule {
  readonly rule: string
  readonly broken: (source: Source) => boolean
  readonly planted: string
}

const matches =
  (pattern: RegExp, except: RegExp = /^$/) =>
  ({ file, text }: Source): boolean =>
    !except.test(file) && pattern.test(code(text))

const rules: readonly Rule[] = [
  {
    rule: 'the console imports nothing of the server',
    broken: source => arrowsOf(source).some(({ own, to }) => own && !to.startsWith('console/src/')),
    planted: "import { refuse } from '../../core/errors.ts'"
  },
  {
    rule: 'packages are named in its own package.json',
    broken: source => arrowsOf(source).some(({ own, to, typeOnly }) => !own && !typeOnly && !(packageOf(to) in manifest.dependencies)),
    planted: "import { format } from 'left-pad'"
  },
  {
    rule: 'text from outside is never made into HTML or code (security check H1)',
    broken: matches(/dangerouslySetInnerHTML|\.innerHTML|insertAdjacentHTML|\beval\(|new Function|document\.write|srcDoc/),
    planted: '<p dangerouslySetInnerHTML={{ __html: order.description }} />'
  },
  {
    rule: 'an address is never a text from outside: it begins with our own path',
    broken: matches(/\b(?:href|src)=\{(?!`\/|'\/)/),
    planted: '<a href={order.link}>'
  },
  {
    rule: 'nothing is kept in the browser beyond language and customer code (security check B6)',
    broken: matches(/localStorage|indexedDB|document\.cookie/, /^console\/src\/(i18n\.ts|screens\/sign-in\.tsx)$/),
    planted: "localStorage.setItem('token', token)"
  },
  {
    rule: 'requests go through the client, which adds the token and the key',
    broken: matches(/(?<![.\w])fetch\(/, /^console\/src\/api\//),
    planted: "await fetch('/api/v1/jobs')"
  }
]

const brokenBy = (all: readonly Source[]): string[] =>
  all.flatMap(source => rules.filter(({ broken }) => broken(source)).map(({ rule }) => `${source.file}: ${rule}`))

t.test('console: each rule catches what is planted', async t => {
  for (const { rule, planted } of rules) {
    t.match(brokenBy([{ file: 'console/src/screens/planted.tsx', text: `${planted}\n` }]).join(), rule)
  }
})

t.test('console: no file breaks a rule', async t => {
  const all = sources('console/src/**/*.{ts,tsx}').filter(({ file }) => file !== 'console/src/api/schema.d.ts')
  t.ok(all.length >= 15, 'an empty scan is not a pass')
  t.same(brokenBy(all), [])
})
