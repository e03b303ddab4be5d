import t from 'tap'
import { conformance, openHost, sampleExport } from '../../adapters/kit/index.ts'
import neutralRest from '../../adapters/neutral-rest/index.ts'
import { neutralRestErp } from './neutral-rest-erp.ts'

const fixtures = new URL('../../adapters/neutral-rest/fixtures/', import.meta.url)
const options = { config: {}, erp: neutralRestErp, fixtures }
conformance(neutralRest, options)

const open = (codeTables: Record<string, Record<string, string>> = {}) =>
  openHost({ adapter: neutralRest, options: { ...options, codeTables } })
const post = (route: string, body: unknown) => ({
  way: 'http' as const,
  route,
  body: typeof body === 'string' ? body : JSON.stringify(body)
})

t.test('neutral-rest: a body of another shape is refused as a whole with a sentence', async t => {
  const wrong: [string, unknown, RegExp][] = [
    ['articles', 'no json', /no JSON/],
    ['articles', [], /must be a JSON object/],
    ['articles', {}, /a list called "records"/],
    ['articles', { records: {} }, /a list called "records"/],
    ['articles', { records: [], deleted: [{}] }, /Entry 1 of "deleted"/],
    ['articles', { records: [], deleted: [{ key: 'A', revision: { changedAt: 'yesterday' } }] }, /revision/],
    ['articles', { records: [], snapshot: 'yes' }, /"snapshot" must be true/],
    [
      'acks',
      {
        acks: [
          { key: 'a', result: 'accepted' },
          { key: 'b', result: 'maybe' }
        ]
      },
      /Entry 2 of "acks" must say/
    ],
    ['acks', { acks: ['a'] }, /Entry 1 of "acks" needs/],
    ['orders', { records: [] }, /There is no route "orders"/],
    ['constructor', { records: [] }, /There is no route/]
  ]
  for (const [route, body, message] of wrong) {
    const { error } = await open().receive(post(route, body))
    t.equal(error?.cls, 'payload')
    t.match(error?.message, message)
  }
})

t.test('neutral-rest: a deletion closes its record, an older one does not', async t => {
  const host = open()
  const article = { number: 'A1', description: 'One', unit: 'PCE', revision: { seq: 5 } }
  await host.receive(post('articles', { records: [article] }))
  await host.receive(post('articles', { records: [], deleted: [{ key: 'A1' }] }))
  t.equal(host.records.get('article')?.get('A1')?.present, false)
})

t.test('neutral-rest: a snapshot closes what it does not name, a plain call nothing', async t => {
  const host = open()
  const article = (number: string) => ({ number, description: 'One', unit: 'PCE' })
  const five = ['A1', 'A2', 'A3', 'A4', 'A5'].map(article)
  await host.receive(post('articles', { records: [...five, article('A6')] }))
  await host.receive(post('articles', { records: five }))
  t.equal(host.records.get('article')?.get('A6')?.present, true)
  await host.receive(post('articles', { records: five, snapshot: true }))
  t.equal(host.records.get('article')?.get('A6')?.present, false)
  const { closed, held } = await host.receive(post('articles', { records: five.slice(2), snapshot: true }))
  t.same([closed, held], [0, 2], 'one that would close much waits for a person')
})

t.test('neutral-rest: feedback is a document with our record nested as it is, numbers stay numbers, codes go out as theirs', async t => {
  const host = open({ units: { ST: 'PCE' } })
  const key = host.enqueue('operationStatus', sampleExport('operationStatus', 2, 'WO1'), 'WO1')
  host.enqueue('labour', sampleExport('labour', 2, 'WO2'), 'WO2')
  await host.run()
  const documents = [...host.simulator.files.values()].map(body => JSON.parse(Buffer.from(body).toString('utf8')))
  t.match(documents[0], { key, kind: 'operationStatus', seq: 1, record: { workOrder: 'WO1', good: { value: '2.5', unit: 'ST' } } })
  t.notOk('rework' in documents[0].record, 'what is absent is left out')
  t.match(documents[1].record, { seconds: 120 })
})

t.test('neutral-rest: a unit without a way back is refused with its table', async t => {
  const host = open({ units: { ST: 'PCE', STK: 'PCE' } })
  const key = host.enqueue('productReceipt', sampleExport('productReceipt', 1, 'WO1'), 'WO1')
  await host.run()
  t.match(host.stateOf(key).reject, { code: 'code_ambiguous', table: { name: 'units', value: 'PCE' } })
})
