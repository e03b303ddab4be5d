import t from 'tap'
import { referencePages } from '../../core/commands/docs.ts'
import { coreDeclaration } from '../../core/exchange/declaration.ts'
import { parts } from '../../parts.ts'
import { sameAsFile } from '../helpers/golden.ts'
import { openTestHouse } from '../helpers/house.ts'
import { ground } from '../helpers/tenant.ts'

t.test('reference: what is printed from the code is what lies in docs/reference', async t => {
  const at = await openTestHouse(t)
  for (const [name, text] of await referencePages(at.house, { parts })) sameAsFile(t, `docs/reference/${name}`, text)
})

t.test('reference: every refusal code has a kind, a title and a remedy, and a shared code means one thing', async t => {
  const at = await openTestHouse(t)
  for (const [code, spec] of Object.entries(at.house.specs)) {
    t.match(code, /^[a-z]+(_[a-z]+)*$/)
    t.ok(spec.title.length > 5 && spec.remedy.length > 5, code)
  }
  const kinds = new Map<string, string>()
  for (const [code, spec] of [coreDeclaration.errors, ...parts.modules.map(m => m.errors)].flatMap(errors => Object.entries(errors))) {
    t.equal(kinds.get(code) ?? spec.kind, spec.kind, `${code} means the same wherever it is declared`)
    kinds.set(code, spec.kind)
  }
})

t.test('dictionary', async t => {
  const at = await ground(t)
  const ctx = await at.tenant('words')
  const { rows } = await ctx.db.pool.query<{ name: string }>(`
    select n.nspname || '.' || c.relname || '.' || a.attname as name
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and a.attnum > 0 and not a.attisdropped and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`)
  const columns = new Set(rows.map(row => row.name))
  const dictionary = Object.assign({}, coreDeclaration.dictionary, ...parts.modules.map(m => m.dictionary)) as Record<
    string,
    { en: string; nl: string; category: string }
  >

  await t.test('dictionary: every column of a tenant has a sentence in both languages, and no sentence lacks its column', async t => {
    t.ok(columns.size > 200, 'an empty scan is no pass')
    t.strictSame([...columns].filter(column => !dictionary[column]).toSorted(), [], 'without a sentence')
    t.strictSame(
      Object.keys(dictionary)
        .filter(column => !columns.has(column))
        .toSorted(),
      [],
      'without a column'
    )
    for (const [column, text] of Object.entries(dictionary)) {
      t.ok(text.en.length > 4 && text.nl.length > 4, column)
    }
  })

  await t.test('dictionary: personal data that a module declares exists, and every person column is declared', async t => {
    const declared = [coreDeclaration.personalData, ...parts.modules.map(m => m.personalData)].flat()
    for (const entry of declared) {
      for (const column of [entry.subject, ...entry.columns]) t.ok(columns.has(`${entry.table}.${column}`), `${entry.table}.${column}`)
    }
    const sealedNames = [...columns].filter(column => /\.(name|number|username)_(sealed|blind)$/.test(column))
    t.ok(sealedNames.length >= 4)
    for (const column of sealedNames) t.equal(dictionary[column]?.category, 'personal', column)
  })
})
