import { readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'
import { repositoryFiles, root } from '../helpers/sources.ts'

interface Shown {
  /** The document. */
  readonly file: string
  readonly alt: string
  /** Path from the root. */
  readonly picture: string
}

/** Pictures of Markdown, `![what it shows](where)`; those of other sites are left out. */
const shownIn = (file: string, text: string): Shown[] =>
  [...text.matchAll(/!\[([^\]]*)\]\(([^)\s]+)\)/g)]
    .filter(([, , path = '']) => !/^[a-z]+:/.test(path))
    .map(([, alt = '', path = '']) => ({ file, alt, picture: normalize(join(dirname(file), path)) }))

function problems(shown: readonly Shown[], pictures: readonly string[], made: string): string[] {
  return [
    ...shown
      .filter(({ picture }) => !pictures.includes(picture))
      .map(({ file, picture }) => `${file} shows ${picture}, which does not exist`),
    ...shown.filter(({ alt }) => alt.trim().length < 10).map(({ file, picture }) => `${file} does not say what ${picture} shows`),
    ...pictures.filter(picture => !shown.some(one => one.picture === picture)).map(picture => `${picture} is shown nowhere`),
    ...pictures
      .filter(picture => !made.includes(`name: '${/([^/]+)\.png$/.exec(picture)?.[1]}'`))
      .map(picture => `${picture} is not made by docs/screenshots.ts`)
  ]
}

t.test('pictures: each fault is caught when planted', async t => {
  const shown = shownIn('docs/a.md', '![The floor of a tablet](pictures/floor.png) ![](https://example.com/x.png)')
  t.same(shown, [{ file: 'docs/a.md', alt: 'The floor of a tablet', picture: 'docs/pictures/floor.png' }])
  t.same(problems(shown, ['docs/pictures/floor.png'], "{ name: 'floor' }"), [])
  t.match(problems(shown, [], ''), ['docs/a.md shows docs/pictures/floor.png, which does not exist'])
  t.match(problems([], ['docs/pictures/floor.png'], "{ name: 'floor' }"), ['docs/pictures/floor.png is shown nowhere'])
  t.match(problems(shown, ['docs/pictures/floor.png'], ''), ['docs/pictures/floor.png is not made by docs/screenshots.ts'])
  t.match(problems(shownIn('README.md', '![floor](floor.png)'), ['floor.png'], "name: 'floor'"), [/does not say what/])
})

t.test('pictures: every picture that a document shows exists, and every picture is shown', async t => {
  const files = repositoryFiles()
  const shown = files.filter(file => file.endsWith('.md')).flatMap(file => shownIn(file, readFileSync(join(root, file), 'utf8')))
  const pictures = files.filter(file => file.startsWith('docs/pictures/'))
  t.ok(pictures.length >= 8, 'an empty scan is not a pass')
  t.same(problems(shown, pictures, readFileSync(join(root, 'docs/screenshots.ts'), 'utf8')), [])
})

t.test('pictures: none is larger than 200 kB', async t => {
  const large = repositoryFiles().filter(file => file.startsWith('docs/pictures/') && statSync(join(root, file)).size > 200_000)
  t.same(large, [])
})
