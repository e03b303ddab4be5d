import t from 'tap'
import { importSide, type Line } from '../helpers/import-side.ts'

const article = (number: string, text: string, unit = 'PCE', rev?: number): Line => ({
  kind: 'article',
  row: { Article: number, Text: text, Unit: unit },
  ...(rev === undefined ? {} : { rev })
})

t.test('import', async t => {
  const side = await importSide(t, 'imports')

  await t.test('import: A, B, A under one name ends as A', async t => {
    const [a, b] = [[article('1', 'as A')], [article('1', 'as B')]]
    t.match(await side.bring(a), { state: 'done', new_count: '1', read_count: '1' })
    t.match(await side.bring(b), { state: 'done', changed_count: '1' })
    t.match(await side.bring(a), { state: 'done', changed_count: '1' })
    t.match(await side.state(), /as A/)
  })

  await t.test('import: an equal record under another name of file is unchanged and reaches no module', async t => {
    const before = side.watch.calls
    t.match(await side.bring([article('1', 'as A')], 'other.jsonl'), { state: 'done', unchanged_count: '1', new_count: '0', changed_count: '0' })
    t.equal(side.watch.calls, before)
  })
})
