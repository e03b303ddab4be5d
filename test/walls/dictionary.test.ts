import t from 'tap'
import { coreDeclaration } from '../../core/exchange/declaration.ts'
import type { Dictionary, PersonalData } from '../../core/host.ts'
import { parts } from '../../parts.ts'
import { ground } from '../helpers/tenant.ts'

interface Said {
  readonly columns: ReadonlySet<string>
  readonly dictionary: Dictionary
  readonly personalData: readonly PersonalData[]
}

const rules: Readonly<Record<string, (said: Said) => string[]>> = {
  'a column without a sentence': ({ columns, dictionary }) => [...columns].filter(column => !dictionary[column]),
  'a sentence without its column': ({ columns, dictionary }) => Object.keys(dictionary).filter(column => !columns.has(column)),
  'a sentence that says nothing, or the same in both languages': ({ dictionary }) =>
    Object.entries(dictionary)
      .filter(([, { en, nl }]) => en.trim().length < 5 || nl.trim().length < 5 || en === nl || !/[.!]$/.test(en) || !/[.!]$/.test(nl))
      .map(([column]) => column),
  'a column that says something about a person and is not called personal': ({ columns, dictionary }) =>
    [...columns]
      .filter(column => /\.(?:name|number|username)_(?:sealed|blind)$|\.(?:employee_id|user_id|actor|actor_id|\w+_by)$/.test(column))
      .filter(column => dictionary[column]?.category !== 'personal' && !aboutNobody.has(column)),
  'a personal column that nobody declares with its reason': ({ dictionary, personalData }) => {
    const declared = new Set(personalData.flatMap(({ table, subject, columns }) => [subject, ...columns].map(one => `${table}.${one}`)))
    return Object.entries(dictionary)
      .filter(([column, { category }]) => category === 'personal' && !declared.has(column))
      .map(([column]) => column)
  },
  'a declared column that is not there': ({ columns, personalData }) =>
    personalData.flatMap(({ table, subject, columns: own }) =>
      [subject, ...own].map(one => `${table}.${one}`).filter(column => !columns.has(column))
    ),
  'a declaration without a reason': ({ personalData }) => personalData.filter(({ why }) => why.trim().length < 5).map(({ table }) => table),
  'a secret that is neither sealed nor a digest': ({ dictionary }) =>
    Object.entries(dictionary)
      .filter(([column, { category }]) => category === 'secret' && !/_(?:sealed|phc|mac)$|\.digest$/.test(column))
      .map(([column]) => column)
}
/** Columns whose name looks like a person and which are about none. */
const aboutNobody: ReadonlySet<string> = new Set(['exchange.outbox.confirm_by'])

const broken = (said: Said): string[] =>
  Object.entries(rules).flatMap(([rule, find]) =>
    find(said)
      .toSorted()
      .map(column => `${rule}: ${column}`)
  )

t.test('dictionary: each rule catches its planted fault, and no rule is without one', async t => {
  const column = { en: 'The order it is for.', nl: 'De order waar het voor is.', category: 'business' } as const
  const person = { ...column, category: 'personal' } as const
  const good: Said = {
    columns: new Set(['a.b.c', 'a.b.employee_id']),
    dictionary: { 'a.b.c': column, 'a.b.employee_id': person },
    personalData: [{ table: 'a.b', subject: 'employee_id', columns: ['employee_id'], why: 'to book hours' }]
  }
  t.same(broken(good), [])
  const planted: Readonly<Record<string, Said>> = {
    'a column without a sentence': { ...good, columns: new Set([...good.columns, 'a.b.d']) },
    'a sentence without its column': { ...good, dictionary: { ...good.dictionary, 'a.b.gone': column } },
    'a sentence that says nothing, or the same in both languages': {
      ...good,
      dictionary: { ...good.dictionary, 'a.b.c': { ...column, nl: column.en } }
    },
    'a column that says something about a person and is not called personal': {
      ...good,
      dictionary: { ...good.dictionary, 'a.b.employee_id': column }
    },
    'a personal column that nobody declares with its reason': { ...good, personalData: [] },
    'a declared column that is not there': {
      ...good,
      personalData: [...good.personalData, { table: 'a.b', subject: 'gone', columns: [], why: 'to book hours' }]
    },
    'a declaration without a reason': { ...good, personalData: good.personalData.map(one => ({ ...one, why: '' })) },
    'a secret that is neither sealed nor a digest': {
      ...good,
      dictionary: { ...good.dictionary, 'a.b.c': { ...column, category: 'secret' } }
    }
  }
  t.same(Object.keys(planted), Object.keys(rules))
  for (const [rule, said] of Object.entries(planted)) {
    t.ok(
      broken(said).some(line => line.startsWith(`${rule}: `)),
      rule
    )
  }
})

t.test("dictionary: every column of a tenant's database is explained, and what is about people is declared", async t => {
  const at = await ground(t)
  const ctx = await at.tenant('words')
  const { rows } = await ctx.db.pool.query<{ name: string; table: string }>(`
    select n.nspname || '.' || c.relname || '.' || a.attname as name, n.nspname || '.' || c.relname as table
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm') and a.attnum > 0 and not a.attisdropped and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`)
  const declarations = [coreDeclaration, ...parts.modules]
  t.ok(rows.length > 200, 'an empty scan is no pass')
  t.same(
    broken({
      columns: new Set(rows.map(row => row.name)),
      dictionary: Object.assign({}, ...declarations.map(one => one.dictionary)),
      personalData: declarations.flatMap(one => one.personalData)
    }),
    []
  )

  const owners = new Map<string, number>()
  for (const one of declarations) for (const column of Object.keys(one.dictionary)) owners.set(column, (owners.get(column) ?? 0) + 1)
  t.same(
    [...owners].filter(([, count]) => count > 1).map(([column]) => column),
    [],
    'one owner explains a column'
  )

  const kept = new Set(declarations.flatMap(one => one.retention.map(({ table }) => table)))
  const tables = new Set(rows.map(row => row.table))
  t.same(
    [...kept].filter(table => !tables.has(table)),
    [],
    'a term is said of a table that is there'
  )
  const people = declarations.flatMap(one => one.personalData.map(({ table }) => table))
  t.same(
    [...new Set(people)].filter(table => !kept.has(table)),
    [],
    'data of people has a term'
  )
  t.same([...tables].filter(table => !kept.has(table)).toSorted(), [], 'every table has a term')
})
