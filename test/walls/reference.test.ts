import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { referencePages } from '../../core/commands/docs.ts'
import { parts } from '../../parts.ts'
import { sameAsFile } from '../helpers/golden.ts'
import { openTestHouse } from '../helpers/house.ts'
import { root } from '../helpers/sources.ts'

t.test('reference: what is printed from the code is what lies in docs/reference', async t => {
  const at = await openTestHouse(t)
  const pages = await referencePages(at.house, { parts })
  t.ok(pages.size >= 5, 'an empty print is no pass')
  for (const [name, text] of pages) {
    t.ok(text.split('\n').length > 20, `${name} says something`)
    sameAsFile(t, `docs/reference/${name}`, text)
  }
  t.same(readdirSync(join(root, 'docs/reference')).sort(), [...pages.keys()].sort(), 'a page that nothing prints is gone')
})

t.test('reference: a page that differs by one character is caught', async t => {
  const page = 'docs/reference/errors.md'
  t.ok(existsSync(join(root, page)))
  let told = ''
  const equal = (found: string, wanted: string, message: string): boolean => {
    if (found !== wanted) told = message
    return found === wanted
  }
  const before = process.env.WERKVLOER_TEST_WRITE
  delete process.env.WERKVLOER_TEST_WRITE
  sameAsFile({ equal }, page, 'another page')
  if (before !== undefined) process.env.WERKVLOER_TEST_WRITE = before
  t.match(told, /errors\.md is up to date/)
})
