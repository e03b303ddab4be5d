import { readFile } from 'node:fs/promises'
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
import { goodCsv, goodNeutral, goodRest, goodTryton, loneMutants, wideMutants } from './mutants/index.ts'
import { restAdapter, restConfig, restErp } from './rest-adapter.ts'

conformance(restAdapter, { config: restConfig, erp: restErp })

t.test('kit: every check is broken by an adapter made for it', async t => {
  const effort = { randomSequences: 20, rows: 4_500, keys: 1_000 }
  for (const { check: id, fault, subject } of [...loneMutants, ...wideMutants]) {
    const check = checks.find(one => one.id === id)
    if (!check) throw new Error(`there is no check ${id}`)
    const verdict = await judge(check, { ...subject, options: { ...subject.options, effort } })
    t.equal(verdict.verdict, 'broken', `${id} notices: ${fault}`)
    t.notMatch(verdict, { why: /is not a function|undefined \(reading/ }, `${id} says what is wrong`)
  }
  t.same(
    loneMutants.map(({ check }) => check),
    checks.map(({ id }) => id),
    'each check has exactly one adapter that it alone notices (npm run prove:kit looks at the others)'
  )
})

t.test('kit: numbers of checks are unique, each applies to one of the adapters, and what does not apply says why', async t => {
  t.equal(new Set(checks.map(({ id }) => id)).size, checks.length)
  for (const check of checks) {
    const reasons = [goodCsv, goodNeutral, goodRest, goodTryton].map(subject => check.skip?.(subject))
    t.ok(reasons.includes(undefined), `${check.id} applies to somebody`)
    t.notOk(reasons.includes(''), `${check.id} says why it does not apply`)
  }
})

t.test('kit: every check is explained in one paragraph, and no other', async t => {
  const text = await readFile(new URL('../../adapters/kit/README.md', import.meta.url), 'utf8')
  t.same(
    [...text.matchAll(/^\*\*(K\d\d)\*\* .+/gm)].map(([, id]) => id),
    checks.map(({ id }) => id)
  )
  const paragraphs = text.split(/\n\n/).filter(part => part.startsWith('**K'))
  t.same(
    paragraphs.filter(part => !/It protects/.test(part.replaceAll('\n', ' ')) || !/Red:/.test(part)).map(part => part.slice(2, 5)),
    [],
    'each says what it protects and what to do when it is red'
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
