import t from 'tap'
import { secret } from '../../adapters/contract/index.ts'
import {
  checks,
  conformance,
  duplicateDelivery,
  judge,
  openHost,
  partialFile,
  reorder,
  SettingsRefused,
  sampleExport
} from '../../adapters/kit/index.ts'
import { goodCsv, goodRest, mutants } from './mutants.ts'
import { restAdapter, restConfig, restErp } from './rest-adapter.ts'

conformance(restAdapter, { config: restConfig, erp: restErp })

t.test('kit: every check is broken by an adapter made for it, and by no good one', async t => {
  for (const { check: id, fault, subject } of mutants) {
    const check = checks.find(one => one.id === id)
    if (!check) throw new Error(`there is no check ${id}`)
    const verdict = await judge(check, subject)
    t.equal(verdict.verdict, 'broken', `${id} notices: ${fault}`)
    t.notMatch(verdict, { why: /is not a function|undefined \(reading/ }, `${id} says what is wrong`)
  }
  t.same(
    checks.map(({ id }) => id).filter(id => !mutants.some(({ check }) => check === id)),
    [],
    'no check without a broken adapter'
  )
  for (const subject of [goodCsv, goodRest]) {
    for (const check of checks) t.not((await judge(check, subject)).verdict, 'broken', `${subject.adapter.manifest.id} ${check.id}`)
  }
})

t.test('kit: numbers of checks are unique and each is skipped for one of the adapters at most', async t => {
  t.equal(new Set(checks.map(({ id }) => id)).size, checks.length)
  const verdicts = await Promise.all(checks.map(async check => [await judge(check, goodCsv), await judge(check, goodRest)] as const))
  t.same(
    verdicts.filter(pair => pair.every(({ verdict }) => verdict === 'skipped')).map(([{ id }]) => id),
    [],
    'no check that nobody runs'
  )
})

t.test('kit: refused settings stop before the adapter and name their field', async t => {
  const { token: _, ...without } = restConfig
  t.throws(() => openHost({ ...goodRest, options: { ...goodRest.options, config: without } }), new SettingsRefused(['/token']))
})

t.test('kit: a message that is lost before it was booked is sent again, one that shows late is not sent twice', async t => {
  for (const fault of ['drop-before-commit', 'late-visibility'] as const) {
    const host = openHost(goodRest)
    const key = host.enqueue('labour', sampleExport('labour', 1, 'WO1'), 'WO1')
    host.simulator.faults.push(fault)
    await host.run()
    t.equal(host.simulator.books.booked.length, 1, fault)
    t.equal(host.stateOf(key).state, 'accepted', fault)
  }
})

t.test('kit: neither secrets nor settings stand in what an adapter logged', async t => {
  const host = openHost(goodRest)
  host.ctx.log.info({ token: JSON.parse(JSON.stringify(secret(restConfig.token))) }, `signed in with ${String(secret(restConfig.token))}`)
  t.equal(host.logged.length, 1)
  t.notMatch(host.logged.join('\n'), restConfig.token)
})

t.test('kit: deliveries can be cut, turned round and doubled', async t => {
  const one = { way: 'file' as const, name: 'a', body: Buffer.from('0123456789') }
  const two = { way: 'http' as const, route: 'b', body: '0123456789' }
  t.match(partialFile(one, 0.5), { body: Buffer.from('01234') })
  t.match(partialFile(two, 0.25), { body: '01' })
  t.same(reorder([one, two]), [two, one])
  t.same(duplicateDelivery([one, two]), [one, two, two])
})
