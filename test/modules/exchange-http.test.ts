import t from 'tap'
import { withLeases } from '../../core/tasks/leases.ts'
import { openTestHouse } from '../helpers/house.ts'

interface Connection {
  id: string
  state: string
  version: number
  mappingVersion: number
  openRejects: number
  kinds: { in: string[]; out: string[] }
  secretsSet: string[]
}
interface Reject {
  id: string
  code: string
  message: string
  state: string
  value: string | null
  key: string | null
  kind: string
}
interface List<T> {
  items: T[]
  next?: string | null
}

const article = (number: string, unit = 'PCE', description = 'x') => ({ number, description, unit })

t.test('exchange over HTTP', async t => {
  const test = await openTestHouse(t)
  const token = await test.admin()
  const ctx = await test.ctx()
  const api = <T>(method: string, path: string, body?: unknown, as = token) =>
    test.call<T>(method, `/api/v1${path}`, { token: as, ...(body === undefined ? {} : { body }) })
  const work = () => test.house.exchange.importDue(ctx, new AbortController().signal)
  let id = ''
  let erp = ''
  const deliver = async (route: string, body: unknown): Promise<string> => {
    const answer = await test.call<{ delivery: string }>('POST', `/erp/v1/${id}/${route}`, { token: erp, body })
    t.equal(answer.status, 202)
    await work()
    return answer.body.delivery
  }

  await t.test('connections: made as a draft, shown without secrets, refused where nobody may', async t => {
    const adapters = await api<List<{ id: string; config: unknown }>>('GET', '/adapters')
    t.ok(adapters.body.items.some(adapter => adapter.id === 'werkvloer.neutral-rest'))
    const made = await api<Connection>('POST', '/connections', { name: 'ERP', adapter: 'werkvloer.neutral-rest', config: {} })
    t.equal(made.status, 201, JSON.stringify(made.body))
    id = made.body.id
    t.match(made.body, { state: 'draft', mappingVersion: 1, secretsSet: [] })
    t.ok(made.body.kinds.in.includes('article'))
    t.match(adapters.body.items[0], { config: { type: 'object', properties: {} } })
    const files = await api<Connection>('POST', '/connections', { name: 'Files', adapter: 'werkvloer.csv', config: { delimiter: ',' } })
    t.match(files, { status: 201, body: { config: { delimiter: ',' }, kinds: { in: [], out: [] } } })
    t.equal((await test.call('GET', '/api/v1/connections')).status, 401)
    t.match(await api('POST', '/connections', { name: 'Two', adapter: 'none.such', config: {} }), {
      status: 400,
      body: { code: 'adapter_unknown' }
    })
    t.match(await api('PUT', `/connections/${id}`, { version: 7, name: 'Late' }), { status: 412, body: { code: 'connection_changed' } })
    t.match(await api('PUT', `/connections/${id}`, { version: 1, name: 'ERP one' }), { status: 200, body: { name: 'ERP one', version: 2 } })
  })

  await t.test('connections: check, activate and a token for the ERP', async t => {
    const check = await api<{ ok: boolean; steps: { step: string; ok: boolean }[] }>('POST', `/connections/${id}/check`, {})
    t.match(check, { status: 200, body: { ok: false } })
    t.ok(check.body.steps.some(step => step.step === 'token' && !step.ok))
    t.match(await api('POST', `/connections/${id}/activate`, {}), { status: 200, body: { state: 'active' } })
    t.match(await api('POST', `/connections/${id}/activate`, {}), { status: 409, body: { code: 'connection_state' } })
    erp = (await api<{ token: string }>('POST', `/connections/${id}/access/tokens`, { label: 'test' })).body.token
    t.match(await api('POST', `/connections/${id}/check`, {}), { body: { ok: true } })
  })

  await t.test('mapping: a new version by its predecessor, and none by an older one', async t => {
    const now = await api<{ version: number; mapping: object }>('GET', `/connections/${id}/mapping`)
    t.equal(now.body.version, 1)
    const mapping = { imports: { article: { number: 'number', description: 'description', unit: { from: 'unit', code: 'units' } } } }
    const body = { version: 1, mapping, codeTables: { units: { PCE: 'C62' } } }
    t.match(await api('PUT', `/connections/${id}/mapping`, body), { status: 200, body: { version: 2 } })
    t.match(await api('PUT', `/connections/${id}/mapping`, body), { status: 412 })
    t.match(await api('PUT', `/connections/${id}/mapping`, { ...body, version: 2, codeTables: { sizes: {} } }), {
      status: 400,
      body: { code: 'mapping_invalid' }
    })
  })

  await t.test('dry run: shows rejects and what would be new, and the list stays empty', async t => {
    const answer = await api('POST', `/connections/${id}/dry-runs`, {
      name: 'articles',
      text: JSON.stringify({ records: [article('1'), article('2', 'STX')] })
    })
    t.match(answer, {
      status: 200,
      body: {
        refused: null,
        counts: { new: 1, rejected: 1 },
        rejects: [{ code: 'code_unknown', codeTable: { name: 'units', value: 'STX' } }]
      }
    })
    t.match(await api('GET', '/rejects'), { body: { items: [] } })
    t.match(await api('POST', `/connections/${id}/dry-runs`, { name: 'x' }), { status: 400, body: { code: 'dry_run_source' } })
  })

  await t.test('dry run: tries a mapping that is not stored, and shows the first rows before and after it', async t => {
    const stored = await api<{ version: number; mapping: Record<string, unknown> }>('GET', `/connections/${id}/mapping`)
    const file = { name: 'articles', text: JSON.stringify({ records: [article('1'), article('2', 'STX')] }) }
    const candidate = { mapping: stored.body.mapping, codeTables: { units: { STX: 'H87', PCE: 'PCE' } } }
    t.match(await api('POST', `/connections/${id}/dry-runs`, { ...file, candidate }), {
      status: 200,
      body: {
        counts: { new: 2, rejected: 0 },
        sample: [
          { kind: 'article', source: { number: '1' } },
          { source: { unit: 'STX' }, record: { number: '2', unit: 'H87' }, reject: null }
        ]
      }
    })
    t.match(await api('POST', `/connections/${id}/dry-runs`, file), {
      body: { sample: [{}, { source: { unit: 'STX' }, record: null, reject: { code: 'code_unknown', field: 'unit' } }] }
    })
    t.match(
      await api('POST', `/connections/${id}/dry-runs`, { ...file, candidate: { mapping: { imports: { nothing: {} } }, codeTables: {} } }),
      {
        status: 400,
        body: { code: 'mapping_invalid' }
      }
    )
    t.match(await api('GET', `/connections/${id}/mapping`), { body: { version: stored.body.version } })
  })

  await t.test('connections: tell the oldest of what waits, and where SFTP is', async t => {
    t.match(await api('GET', `/connections/${id}`), { body: { waitingOut: 0, outForSomebody: 0, oldestOpenAt: null } })
    t.match(await api('GET', '/sftp-door'), { status: 200, body: { host: 'localhost', hostKey: /^ssh-ed25519 / } })
  })

  await t.test('error bin: from the cause to the translation in two calls', async t => {
    const delivery = await deliver('articles', { records: [article('1'), article('2', 'STX'), article('3', 'STX')] })
    t.match(await api('GET', `/deliveries/${delivery}`), {
      body: { delivery: { state: 'done_with_rejects', counts: { new: 1, rejected: 2 } } }
    })
    const causes = await api<List<{ cause: string; count: number; sample: Reject }>>('GET', '/reject-causes')
    t.match(causes.body.items, [{ count: 2, sample: { code: 'code_unknown', value: 'STX', message: /"STX" has no translation/ } }])
    const listed = await api<List<Reject>>('GET', `/rejects?cause=${causes.body.items[0]?.cause}&limit=1`)
    t.equal(listed.body.items.length, 1)
    t.ok(listed.body.next)
    const rest = await api<List<Reject>>('GET', `/rejects?limit=1&after=${encodeURIComponent(listed.body.next ?? '')}`)
    t.match(rest.body, { items: [{ code: 'code_unknown' }], next: null })
    t.match(await api('GET', `/connections/${id}`), { body: { openRejects: 2, oldestOpenAt: /^\d{4}-.*Z$/ } })
    t.match(await api('POST', `/rejects/${causes.body.items[0]?.sample.id}/translation`, { ours: 'H87' }), {
      status: 202,
      body: { count: 2 }
    })
    await work()
    t.match(await api('GET', '/rejects?state=open'), { body: { items: [] } })
    t.match(await api('GET', `/connections/${id}/mapping`), {
      body: { version: 3, mapping: { imports: { article: { unit: { code: 'units' } } } }, codeTables: { units: { STX: 'H87' } } }
    })
    t.match(await api('GET', `/connections/${id}`), { body: { openRejects: 0 } })
  })

  await t.test('error bin: look at the row, edit it, replay, skip', async t => {
    await deliver('articles', { records: [article('10', 'PCE', 'x'.repeat(300)), article('11', 'PCE', 'y'.repeat(300))] })
    const open = await api<List<Reject>>('GET', '/rejects?state=open')
    const [second, first] = open.body.items
    t.match(first, { key: '10', kind: 'article' })
    t.match(await api('GET', `/rejects/${first?.id}/row`), {
      status: 200,
      body: { original: { number: '10' }, edited: null, mapped: true }
    })
    t.match(await api('PUT', `/rejects/${first?.id}/row`, { row: article('10', 'PCE', 'short') }), {
      status: 202,
      body: { state: 'replaying', edited: true }
    })
    t.match(await api('POST', `/rejects/${second?.id}/replay`, { which: 'one' }), { status: 202, body: { count: 1 } })
    await work()
    t.match(await api('GET', `/rejects/${first?.id}`), { body: { state: 'resolved' } })
    t.match(await api('GET', `/rejects/${second?.id}`), { body: { state: 'open', attempts: 2 } })
    t.match(await api('POST', `/rejects/${second?.id}/skip`, { reason: 'not made any more' }), { status: 200, body: { count: 1 } })
    t.match(await api('POST', `/rejects/${second?.id}/replay`, {}), { status: 409, body: { code: 'reject_state' } })
    t.match(await api('GET', '/rejects/00000000-0000-7000-8000-000000000000'), { status: 404, body: { code: 'reject_unknown' } })
  })

  await t.test('deliveries: replayed as a delivery of their own, held snapshots decided', async t => {
    const delivery = await deliver('articles', { snapshot: true, records: Array.from({ length: 20 }, (_, n) => article(`S${n}`)) })
    t.match(await api('GET', `/deliveries/${delivery}`), { body: { delivery: { state: 'done', counts: { new: 20, closed: 4 } } } })
    const held = await deliver('articles', { snapshot: true, records: [article('S0')] })
    t.match(await api('GET', `/deliveries/${held}`), { body: { delivery: { state: 'held', reason: { code: 'snapshot_held' } } } })
    const beside = await withLeases(test.shutdown)(ctx, `import:${id}`, () =>
      test.call('POST', `/api/v1/deliveries/${held}/closing`, { token, body: { decision: 'keep' } })
    )
    t.match(beside, { status: 409, body: { code: 'import_running' } }, 'not beside a running import: that is a conflict, no fault')
    t.equal(beside?.headers.get('retry-after'), '5')
    t.match(await api('POST', `/deliveries/${held}/closing`, { decision: 'keep' }), {
      status: 200,
      body: { state: 'done', counts: { closed: 0 } }
    })
    t.match(await api('POST', `/deliveries/${held}/closing`, { decision: 'close' }), { status: 409, body: { code: 'delivery_not_held' } })
    const replay = await api<{ id: string }>('POST', `/deliveries/${delivery}/replays`, { only: 'all' })
    t.match(replay, { status: 202, body: { way: 'replay', replayOf: delivery } })
    await work()
    t.match(await api('GET', `/deliveries/${replay.body.id}`), { body: { delivery: { state: 'done', counts: { unchanged: 20 } } } })
  })

  await t.test('connections: a paused one keeps what comes', async t => {
    t.match(await api('POST', `/connections/${id}/pause`, { reason: 'Upgrade.' }), {
      body: { state: 'paused', paused: { code: null, reason: 'Upgrade.' } }
    })
    const delivery = await deliver('articles', { records: [article('P1')] })
    t.match(await api('GET', `/deliveries/${delivery}`), { body: { delivery: { state: 'stored' } } })
    t.match(await api('GET', `/connections/${id}`), { body: { waitingDeliveries: 1 } })
    t.match(await api('POST', `/connections/${id}/resume`, {}), { body: { state: 'active' } })
    await work()
    t.match(await api('GET', `/deliveries/${delivery}`), { body: { delivery: { state: 'done' } } })
  })

  await t.test('dictionary: names every column that core owns, and none that is not there', async t => {
    const { rows } = await ctx.db.pool.query<{ name: string }>(
      `select n.nspname || '.' || c.relname || '.' || a.attname as name from pg_attribute a join pg_class c on c.oid = a.attrelid
       join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('core', 'journal', 'exchange') and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped`
    )
    t.ok(rows.length > 200)
    t.strictSame(Object.keys(test.house.dictionary).sort(), rows.map(row => row.name).sort())
  })
})
