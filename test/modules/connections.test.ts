import t from 'tap'
import { directoryOf } from '../../core/db/control.ts'
import { checkConnection } from '../../core/exchange/connection-check.ts'
import { adapterRegistry } from '../../core/exchange/registry.ts'
import { openConnection } from '../../core/exchange/runtime.ts'
import { importSide, linesAdapter } from '../helpers/import-side.ts'

t.test('registry: a duplicate id, an unknown interface and a wrong manifest stop the start', async t => {
  const good = linesAdapter({ pages: [], asked: [] })
  const with_ = (manifest: object) => ({ ...good, manifest: { ...good.manifest, ...manifest } }) as typeof good
  t.equal(adapterRegistry([good]).size, 1)
  t.throws(() => adapterRegistry([good, good]), /two of this id/)
  t.throws(() => adapterRegistry([with_({ api: 2 })]), /interface version 2/)
  t.throws(() => adapterRegistry([with_({ version: 'one' })]), /version/)
})

t.test('connections', async t => {
  const side = await importSide(t, 'connections')
  const { desk, withTx } = { desk: side.desk, withTx: side.withTx }
  const row = async (id: string) => (await side.query<Record<string, unknown>>(`select * from exchange.connection where id = '${id}'`))[0]
  const secret = 'canary-Secret-9'
  let id = ''

  await t.test('connection: settings are checked against the adapter, and defaults filled in', async t => {
    const make = (config: Record<string, string | number | null>) =>
      withTx(tx => desk.create(tx, { name: 'Second', adapter: 'test.lines', config }))
    await t.rejects(make({ delimiter: '|' }), { code: 'connection_settings_invalid', errors: [{ pointer: '/config/delimiter' }] })
    await t.rejects(make({ colour: 'red' }), { code: 'connection_settings_invalid' })
    await t.rejects(make({ wait: 11 }), { code: 'connection_settings_invalid' })
    const short = await make({ password: 'abc' }).catch((error: Error) => error)
    t.match(short, { code: 'connection_settings_invalid' })
    t.notMatch(JSON.stringify(short), /"abc"/)
    await t.rejects(
      withTx(tx => desk.create(tx, { name: 'X', adapter: 'no.such', config: {} })),
      { code: 'adapter_unknown' }
    )
    await t.rejects(
      withTx(tx => desk.create(tx, { name: 'X', adapter: 'test.lines', config: {}, timeZone: 'Mars/Base' })),
      { code: 'connection_settings_invalid' }
    )
    await t.rejects(
      withTx(tx => desk.create(tx, { name: 'ERP', adapter: 'test.lines', config: {} })),
      { code: 'connection_name_taken' }
    )
    id = await make({ password: secret })
    t.match(await row(id), { config: { delimiter: ';' }, state: 'draft', time_zone: 'Europe/Amsterdam' })
  })

  await t.test('connection: the directory leads to it', async t => {
    t.match(await directoryOf(side.at.control).find('connection', id), { tenantId: side.ctx.tenant.id, connectionId: id })
  })

  await t.test('connection: a secret is sealed, opaque to printing, and stays when it is not given again', async t => {
    t.notMatch(JSON.stringify(await side.query('select t::text as t from exchange.connection t')), /canary/)
    const before = await openConnection(side.ctx, side.deps.adapters, id)
    t.notMatch(`${JSON.stringify(before.config)} ${before.config}`, /canary/)
    const password = (before.config as unknown as { password: { reveal(): string } }).password
    t.equal(password.reveal(), secret)
    await withTx(tx => desk.update(tx, id, 1, { config: { delimiter: ',', wait: 3 } }))
    const after = await openConnection(side.ctx, side.deps.adapters, id)
    t.equal((after.config as unknown as { password: { reveal(): string } }).password.reveal(), secret)
    t.match(after.config, { delimiter: ',', wait: 3 })
    await withTx(tx => desk.update(tx, id, 2, { config: { delimiter: ',', password: null } }))
    t.match(await row(id), { secrets_sealed: null, config: { delimiter: ',' } })
    t.strictSame((await row(id))?.config, { delimiter: ',' }, 'a setting that is left out is gone')
  })

  await t.test('connection: two people at once do not overwrite each other', async t => {
    await t.rejects(
      withTx(tx => desk.update(tx, id, 1, { name: 'Late' })),
      { code: 'connection_changed', kind: 'precondition' }
    )
    await t.rejects(
      withTx(tx => desk.setMapping(tx, id, 0, { mapping: {}, codeTables: {} })),
      { code: 'connection_changed' }
    )
  })

  await t.test('connection: a wrong mapping is refused with the place, a good one is a new version', async t => {
    const wrong = {
      mapping: { imports: { article: { colour: 'Colour', unit: { from: 'Unit', code: 'colours' } } } },
      codeTables: { sizes: { S: 'small' } }
    }
    const refused = await withTx(tx => desk.setMapping(tx, id, 1, wrong)).catch((error: unknown) => error)
    t.match(refused, { code: 'mapping_invalid' })
    const pointers = (refused as { errors: { pointer: string }[] }).errors.map(error => error.pointer).sort()
    t.strictSame(pointers, ['/codeTables/sizes', '/mapping', '/mapping/imports/article/colour'])
    t.equal(
      await withTx(tx =>
        desk.setMapping(tx, id, 1, {
          mapping: { imports: { location: { code: 'Code', warehouse: 'W' } } },
          codeTables: { units: { ST: 'C62' } }
        })
      ),
      2
    )
  })

  await t.test('connection: a kind has one owner', async t => {
    t.strictSame(await side.query(`select kind from exchange.kind_owner where connection_id = '${id}'`), [], 'the first one has them all')
    await t.rejects(
      withTx(tx => desk.activate(tx, id)),
      { code: 'connection_not_ready' }
    )
    await t.rejects(
      withTx(tx => desk.setKinds(tx, id, { in: ['article'], out: [] })),
      { code: 'kind_owned_elsewhere', detail: /"ERP"/ }
    )
    await t.rejects(
      withTx(tx => desk.setKinds(tx, id, { in: [], out: ['labour'] })),
      { code: 'kind_not_offered' }
    )
    await withTx(tx => desk.setKinds(tx, side.connectionId, { in: ['workOrder'], out: [] }))
    await withTx(tx => desk.setKinds(tx, id, { in: ['article'], out: [] }))
    t.strictSame(await side.query(`select kind from exchange.kind_owner where connection_id = '${id}'`), [{ kind: 'article' }])
  })

  await t.test('connection: activate, pause, resume, each only from its state', async t => {
    await t.rejects(
      withTx(tx => desk.pause(tx, id, 'x')),
      { code: 'connection_state' }
    )
    await withTx(tx => desk.activate(tx, id))
    await t.rejects(
      withTx(tx => desk.activate(tx, id)),
      { code: 'connection_state' }
    )
    await withTx(tx => desk.pause(tx, id, 'The ERP is being upgraded.'))
    t.match(await row(id), { state: 'paused', paused_code: null, paused_reason: 'The ERP is being upgraded.' })
    await withTx(tx => desk.resume(tx, id))
    t.match(await row(id), { state: 'active', paused_reason: null })
  })

  await t.test('connection: fetching has a least interval, and only kinds that can be fetched', async t => {
    await t.rejects(
      withTx(tx => desk.setPull(tx, id, 'stock', 20)),
      { code: 'connection_settings_invalid', detail: /30 seconds/ }
    )
    await t.rejects(
      withTx(tx => desk.setPull(tx, id, 'article', 60)),
      { code: 'kind_not_offered' }
    )
    await withTx(tx => desk.setPull(tx, id, 'stock', null))
  })

  await t.test('connection: the check goes on after a step that fails and ends with the adapter', async t => {
    const result = await checkConnection(
      { adapters: side.deps.adapters, journal: side.deps.journal, adapterCtx: side.deps.adapterCtx },
      side.ctx,
      id
    )
    t.equal(result.ok, false)
    t.strictSame(
      result.steps.map(step => [step.step, step.ok]),
      [
        ['settings', true],
        ['mapping', true],
        ['kinds', true],
        ['SFTP access', false],
        ['token', false],
        ['separator', true]
      ]
    )
  })

  await t.test('connection: every act is in the journal, without a value of a setting', async t => {
    const acts = await side.query<{ act: string; data: unknown }>(
      `select act, data from journal.entry where subject_id = '${id}' order by seq`
    )
    t.strictSame(
      [...new Set(acts.map(entry => entry.act))].sort(),
      ['activate', 'check', 'create', 'kinds', 'mapping', 'pause', 'pull', 'resume', 'update'].map(act => `connection.${act}`)
    )
    t.match(acts.find(entry => entry.act === 'connection.create')?.data, { settings: ['delimiter', 'password'] })
    t.match(acts.filter(entry => entry.act === 'connection.update').at(-1)?.data, { settings: ['password', 'wait'] })
    t.notMatch(JSON.stringify(acts), /canary/)
  })
})
