import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { repositoryFiles, root, type Source } from '../helpers/sources.ts'

/** Words that must not stand in the repository. Written in halves, so that this file does not hold them itself. */
const words: readonly { readonly what: string; readonly pattern: RegExp; readonly planted: string }[] = [
  {
    what: 'work left for later',
    pattern: new RegExp(`\\b(?:${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`),
    planted: `// ${'TO' + 'DO'}: later`
  },
  {
    what: 'a path of one machine',
    pattern: new RegExp(`(?:^|[\\s'"\`(=:])/(?:${['wo' + 'rk', 'ro' + 'ot', 'ho' + 'me'].join('|')})/[A-Za-z0-9._-]`),
    planted: `cd /${'wo' + 'rk'}/main`
  },
  {
    what: 'the address of a registry',
    pattern: /registry\.[a-z]+js\.|\/\/[a-z0-9.-]*(?:registry|artifactory|nexus)[a-z0-9.-]*[:/]/i,
    planted: `https://${'regi' + 'stry'}.example.com/pg`
  },
  {
    what: 'a private key',
    pattern: new RegExp(`-----BEGIN [A-Z ]*${'PRIV' + 'ATE'} KEY-----`),
    planted: `-----BEGIN ${'PRIV' + 'ATE'} KEY-----`
  },
  {
    what: 'a tool that wrote it',
    pattern: new RegExp(`\\b(?:${['clau' + 'de', 'chat' + 'gpt', 'open' + 'ai', 'anthro' + 'pic', 'copi' + 'lot'].join('|')})\\b`, 'i'),
    planted: `made by ${'Chat' + 'GPT'}`
  }
]

/** Fixtures of tests may hold keys made for them; binary files and the lockfile's hashes are no text to read. */
const readable = (file: string) => !/\.(png|ico|woff2?|gz|zip|pdf)$/.test(file) && file !== 'package-lock.json'

function problems({ file, text }: Source): string[] {
  return words.flatMap(({ what, pattern }) =>
    text
      .split('\n')
      .map((line, index) => ({ line, at: index + 1 }))
      .filter(({ line }) => pattern.test(line))
      .map(({ line, at }) => `${what}: ${file}:${at}: ${line.trim().slice(0, 120)}`)
  )
}

t.test('words: each is caught when planted', async t => {
  for (const { what, planted } of words) t.match(problems({ file: 'x.md', text: planted }), [new RegExp(`^${what}`)], what)
  t.same(problems({ file: 'x.md', text: 'the work order at home, see https://example.com/work/1 and the root key' }), [])
})

t.test('words: none of them stands in the repository', async t => {
  const files = repositoryFiles().filter(readable)
  t.ok(files.length >= 60, 'an empty scan is not a pass')
  const texts = files.flatMap(file => {
    try {
      return [{ file, text: readFileSync(join(root, file), 'utf8') }]
    } catch {
      return []
    }
  })
  t.same(texts.flatMap(problems), [])
})
