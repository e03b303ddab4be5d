import t from 'tap'
import { storeCases } from '../golden/case.ts'
import { allCases } from '../golden/cases.ts'
import { recorder } from '../golden/recorder.ts'
import { sameAsFile } from '../helpers/golden.ts'
import { code, type Source, sources } from '../helpers/sources.ts'
import { ground } from '../helpers/tenant.ts'

/** What one case said: the statements as PostgreSQL gets them. */
interface Said {
  readonly file: string
  readonly name: string
  readonly title: string
  readonly statements: readonly string[]
}

async function say(cases: typeof allCases): Promise<Said[]> {
  const all: Said[] = []
  for (const { file, cases: functions } of cases) {
    for (const [name, titles] of Object.entries(functions)) {
      for (const [title, { run, ...answers }] of Object.entries(titles)) {
        const { c, said } = recorder(answers)
        try {
          await run(c)
        } catch (error) {
          throw new Error(`${file} ${name}, ${title}: ${error instanceof Error ? error.message : error}; give the case the rows it needs`)
        }
        all.push({ file, name, title, statements: said.map(text => text.replace(/\s+/g, ' ').trim()) })
      }
    }
  }
  return all
}

const clause =
  /(?<!distinct|left) (?=(?:from|where|(?:left |inner )?join|order by|group by|limit|on conflict|returning|values|set|for (?:no key )?update|for key share)\b)/
/** One clause a line, indented by its brackets, so that a change shows as the clause it touches. */
function laidOut(statement: string): string {
  let depth = 0
  return statement
    .split(clause)
    .map((part, index) => {
      const line = index === 0 ? part : `${'  '.repeat(depth + 1)}${part}`
      depth += part.split('(').length - part.split(')').length
      return line
    })
    .join('\n')
}
const page = (all: readonly Said[]): string =>
  all
    .map(({ file, name, title, statements }) =>
      [`## ${file} ${name}: ${title}`, ...(statements.length === 0 ? ['(nothing)'] : statements.map(laidOut))].join('\n\n')
    )
    .join('\n\n')

/** Which exports have no case, and which cases have no export. */
function uncovered(stores: typeof allCases): string[] {
  return stores.flatMap(({ file, exported, silent, cases }) => {
    const isClass = (value: unknown) => /^class\b/.test(Function.prototype.toString.call(value))
    const functions = Object.keys(exported).filter(name => typeof exported[name] === 'function' && !isClass(exported[name]))
    return [
      ...functions.filter(name => !cases[name] && !silent.includes(name)).map(name => `${file}: ${name} has no case`),
      ...functions.filter(name => cases[name] && Object.keys(cases[name]).length === 0).map(name => `${file}: ${name} has no case`),
      ...[...Object.keys(cases), ...silent].filter(name => !functions.includes(name)).map(name => `${file}: there is no function ${name}`)
    ]
  })
}

/** A star is a table's only where it does not stand for a list that the statement itself brings. */
const starOfTable = /\bselect (?:"?\w+"?\.)?\*(?:(?! from ).)* from (?!unnest\(|jsonb_to_recordset\(|\$)/
const listByHand = /\bin \((?:\s*\)|\$\d+)/
const rules: Readonly<Record<string, (statement: string) => boolean>> = {
  'columns are named': statement => starOfTable.test(statement),
  'a list is one parameter': statement => listByHand.test(statement),
  'no value stands in the text': statement => /'[^']*(?:0190[0-9a-f]{4}-|WO-1|A-1)/.test(statement)
}
const faults = (all: readonly Said[]): string[] =>
  all.flatMap(({ file, name, statements }) =>
    statements.flatMap(statement =>
      Object.entries(rules)
        .filter(([, bad]) => bad(statement))
        .map(([rule]) => `${rule}: ${file} ${name}`)
    )
  )

/** Functions by which somebody of the floor meets jobs and orders: each names what their groups select. */
const scoped: Readonly<Record<string, readonly string[]>> = {
  'modules/workorders/list-store.ts': ['findJob', 'reportsOf', 'jobsOfOrder', 'listJobs', 'findOrder', 'listOrders'],
  'modules/workorders/overview-store.ts': ['progress', 'scrapByReason'],
  'modules/workorders/store.ts': ['lockJob'],
  'modules/authz/group-store.ts': ['jobsOfGroup', 'scopeOfJob'],
  'modules/timekeeping/store.ts': ['listBookings', 'lockBooking']
}
/** The others that touch these tables, and what stands before them. */
const behind: Readonly<Record<string, string>> = {
  'modules/workorders/receive-store.ts lockOrders': 'imports, and decisions on an order that findOrder showed',
  'modules/workorders/receive-store.ts jobsOf': 'the same',
  'modules/workorders/receive-store.ts knownOrders': 'imports',
  'modules/workorders/receive-store.ts saveOrders': 'imports and decisions',
  'modules/workorders/receive-store.ts addJobs': 'imports and decisions',
  'modules/workorders/receive-store.ts saveJobs': 'imports and decisions',
  'modules/workorders/store.ts siblingsOf': 'a job that lockJob let through',
  'modules/workorders/store.ts saveJob': 'a job that lockJob let through',
  'modules/authz/group-store.ts groupsCovering': 'a job that scopeOfJob showed',
  'modules/authz/store.ts upsertScopes': 'imports and decisions',
  'modules/authz/store.ts deleteScopes': 'imports and decisions'
}
const isFloor = (title: string) => title !== 'who sees everything' && title !== 'own hours'
const touchesJobs = /\b"?workorders"?\."?(?:job|work_order)"?\b|\b"?authz"?\."?job_scope"?\b/
const scopePredicate = /\(\$\d+::boolean or exists \( select 1 from authz\.job_scope authz_scope where authz_scope\.job_id = /

function outOfScope(all: readonly Said[]): string[] {
  return all.flatMap(({ file, name, title, statements }) => {
    const must = (scoped[file] ?? []).includes(name)
    if (must && isFloor(title) && !statements.every(one => scopePredicate.test(one))) return [`${file} ${name} asks no group`]
    const touches = statements.some(one => touchesJobs.test(one))
    return touches && !must && behind[`${file} ${name}`] === undefined ? [`${file} ${name} is neither scoped nor behind something`] : []
  })
}

t.test('queries: what every store says to the database is the reviewed text', async t => {
  const all = await say(allCases)
  t.ok(all.length > 250 && all.flatMap(one => one.statements).length > 250, 'an empty scan is no pass')
  sameAsFile(t, 'test/golden/queries.txt', `${page(all)}\n`)
})

t.test('queries: each function of each store has a case, and each case its function', async t => {
  t.same(uncovered(allCases), [])
  const files = sources('modules/*/*store.ts', 'core/**/*-store.ts').map(({ file }) => file)
  t.ok(files.length >= 30, 'an empty scan is no pass')
  t.same(
    allCases.map(({ file }) => file).sort(),
    [...files, 'modules/authz/grant.ts'].sort(),
    'a new store brings its cases, a store that went takes them along'
  )
})

t.test('queries: columns are named, lists are one parameter, values are parameters', async t => {
  t.same(faults(await say(allCases)), [])
})

t.test('queries: whoever meets jobs and orders on the floor meets what their groups select', async t => {
  const all = await say(allCases)
  t.same(outOfScope(all), [])
  const there = new Set(all.map(({ file, name }) => `${file} ${name}`))
  const named = [...Object.keys(behind), ...Object.entries(scoped).flatMap(([file, names]) => names.map(name => `${file} ${name}`))]
  t.same(
    named.filter(one => !there.has(one)),
    [],
    'the two lists name what there is'
  )
})

t.test("queries: a tenant's database understands each of them, with no more rights than the server has there", async t => {
  const at = await ground(t)
  const ctx = await at.tenant('golden')
  const statements = [...new Set((await say(allCases)).flatMap(one => one.statements))]
  const client = await ctx.db.pool.connect()
  const { rows } = await client.query<{ server: string }>(`select current_setting('server_version_num') as server`)
  const before16 = Number(rows[0]?.server) < 160_000
  await client.query('set plan_cache_mode to force_generic_plan')
  /** Plans without values: parses, finds columns and types, asks for the rights; runs nothing. */
  async function plan(statement: string): Promise<void> {
    if (!before16) return void (await client.query(`explain (generic_plan) ${statement}`))
    await client.query(`prepare looked_at as ${statement}`)
    try {
      const found = await client.query<{ n: number }>(
        `select cardinality(parameter_types) as n from pg_prepared_statements where name = 'looked_at'`
      )
      const nulls = Array.from({ length: found.rows[0]?.n ?? 0 }, () => 'null')
      await client.query(`explain execute looked_at${nulls.length > 0 ? ` (${nulls})` : ''}`)
    } finally {
      await client.query('deallocate looked_at')
    }
  }
  const refusedBy = async (statement: string): Promise<string[]> => {
    try {
      await plan(statement)
      return []
    } catch (error) {
      return [`${error instanceof Error ? error.message : error}: ${statement}`]
    }
  }
  try {
    for (const [planted, why] of [
      ['select nonsense from workorders.job', /column "nonsense" does not exist/],
      ['select id from workorders.job where id = $1::int', /operator does not exist/],
      ['delete from journal.entry', /permission denied/]
    ] as const) {
      t.match((await refusedBy(planted))[0], why, planted)
    }
    const refused: string[] = []
    for (const statement of statements) refused.push(...(await refusedBy(statement)))
    t.same(refused, [])
  } finally {
    client.release()
  }
})

/** Files that speak to a database beside the stores: each with its reason. */
const elsewhere: Readonly<Record<string, string>> = {
  'core/db/': 'pools, transactions, provisioning, migrations, the control database',
  'core/journal/': 'the journal appends and seals by itself',
  'core/tasks/': 'queue and leases in the control database',
  'core/http/idempotency.ts': 'one key per writing request',
  'core/house.ts': 'asks whether the control database answers',
  'modules/authz/grant.ts': 'the grant of a request, with cases of its own here'
}
const speaks = /\bsql(?:<[^`]*>)?`|\.(?:selectFrom|insertInto|updateTable|deleteFrom)\(|\b(?:client|pool)\.query\(/
const isStore = (file: string) => /^modules\/[^/]+\/(?:[\w-]+-)?store\.ts$|^core\/.+-store\.ts$/.test(file)
const stray = (files: readonly Source[]): string[] =>
  files
    .filter(({ file, text }) => /^(core|modules)\//.test(file) && !isStore(file) && speaks.test(code(text)))
    .map(({ file }) => file)
    .filter(file => !Object.keys(elsewhere).some(place => file.startsWith(place)))

t.test('queries: statements stand in stores and in the few places that are named', async t => {
  t.same(stray(sources('{core,modules}/**/*.ts')), [])
  t.same(stray([{ file: 'modules/workorders/jobs.ts', text: 'await sql<Row>`select 1`.execute(own(tx))' }]), ['modules/workorders/jobs.ts'])
  t.same(stray([{ file: 'core/exchange/import.ts', text: "own(tx).selectFrom('exchange.delivery')" }]), ['core/exchange/import.ts'])
  for (const place of Object.keys(elsewhere)) {
    t.ok(
      sources('{core,modules}/**/*.ts').some(({ file, text }) => file.startsWith(place) && speaks.test(code(text))),
      `${place} still does`
    )
  }
})

t.test('queries: each wall catches its planted fault', async t => {
  const said = (file: string, name: string, ...statements: string[]): Said[] => [{ file, name, title: 'always', statements }]
  t.match(faults(said('x', 'y', 'select * from "workorders"."job"')), [/columns are named/])
  t.match(faults(said('x', 'y', 'select "j".*, 1 from workorders.job j')), [/columns are named/])
  t.match(faults(said('x', 'y', 'select id from workorders.job where id in ()')), [/a list is one parameter/])
  t.match(faults(said('x', 'y', 'select id from workorders.job where id in ($1, $2)')), [/a list is one parameter/])
  t.match(faults(said('x', 'y', "select id from workorders.job where number = 'WO-1'")), [/no value stands in the text/])
  t.same(faults(said('x', 'y', "select m.*, $1::uuid from unnest($2::uuid[]) as m where k in ('a', 'b')")), [])
  t.match(outOfScope(said('modules/workorders/list-store.ts', 'listJobs', 'select j.id from workorders.job j')), [/asks no group/])
  t.match(outOfScope(said('modules/workorders/store.ts', 'newOne', 'select j.id from workorders.job j')), [/neither scoped/])
  t.match(outOfScope(said('core/exchange/x-store.ts', 'y', 'select "id" from "workorders"."work_order"')), [/neither scoped/])

  const store = { one: async () => {}, two: async () => {}, three: 1 }
  t.same(uncovered([storeCases('x', store, { one: { always: [] }, two: {} })]), ['x: two has no case'])
  t.same(uncovered([storeCases<typeof store, 'two'>('x', store, { one: { always: [] } }, [])]), ['x: two has no case'])
  const gone = { ...storeCases('x', store, { one: { always: [] }, two: { always: [] } }), exported: { one: store.one } }
  t.same(uncovered([gone]), ['x: there is no function two'])
  await t.rejects(
    say([storeCases('x', { one: async () => Promise.reject(new Error('no result')) }, { one: { always: [] } })]),
    /give the case the rows/
  )
})
