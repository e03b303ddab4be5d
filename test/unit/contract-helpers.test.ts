import { inspect } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import {
  AdapterError,
  type ConfigSchema,
  canonical,
  checkManifest,
  decideRecord,
  derivedSecret,
  type ExportBatch,
  type ExportOutcomeBody,
  eachInOrder,
  formatInZone,
  fromStored,
  importKinds,
  instantOf,
  isSecret,
  type KnownRecord,
  keyOf,
  parseWallTime,
  readSettings,
  revealed,
  secret,
  shortKey,
  TransportError,
  toStored
} from '../../adapters/contract/index.ts'
import csv from '../../adapters/csv/index.ts'
import neutralRest from '../../adapters/neutral-rest/index.ts'
import tryton from '../../adapters/tryton/index.ts'

t.test('secret: no way of printing shows it, revealing does', async t => {
  const hidden = secret('hunter2')
  const shown = [
    String(hidden),
    `${hidden}`,
    JSON.stringify({ hidden }),
    inspect({ hidden }),
    inspect(hidden, { showHidden: true, depth: 9 }),
    `${[hidden]}`,
    JSON.stringify(Object.entries(hidden)),
    JSON.stringify({ ...hidden })
  ]
  for (const text of shown) t.notMatch(text, 'hunter2')
  t.equal(hidden.reveal(), 'hunter2')
  t.equal(JSON.stringify(hidden), '"[secret]"')
})

t.test('zoned time: every instant that exists is found again, in zones with and without summer time', async _t => {
  const zones = ['Europe/Amsterdam', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'Pacific/Apia', 'UTC']
  const pattern = 'yyyy-MM-dd HH:mm:ss'
  fc.assert(
    fc.property(fc.integer({ min: 1_262_304_000, max: 2_208_988_800 }), fc.constantFrom(...zones), (second, zone) => {
      const instant = new Date(second * 1000).toISOString().replace('.000Z', 'Z')
      const wall = parseWallTime(formatInZone(instant, zone, pattern), pattern)
      const back = wall && instantOf(wall, zone)
      // In the doubled hour of autumn the first of the two comes back.
      return (
        back === instant ||
        (back !== undefined && back < instant && formatInZone(back, zone, pattern) === formatInZone(instant, zone, pattern))
      )
    }),
    { numRuns: 2_000 }
  )
})

t.test('zoned time: the left-out hour has no instant, also where the clock moves by half an hour or a whole day', async t => {
  const at = (text: string, zone: string) => {
    const wall = parseWallTime(text, 'yyyy-MM-dd HH:mm')
    return wall && instantOf(wall, zone)
  }
  t.equal(at('2026-03-29 02:00', 'Europe/Amsterdam'), undefined)
  t.equal(at('2026-03-29 03:00', 'Europe/Amsterdam'), '2026-03-29T01:00:00Z')
  t.equal(at('2026-10-04 02:15', 'Australia/Lord_Howe'), undefined)
  t.equal(at('2026-10-04 02:30', 'Australia/Lord_Howe'), '2026-10-03T15:30:00Z')
  t.equal(at('2011-12-30 12:00', 'Pacific/Apia'), undefined)
  t.equal(at('2026-10-25 02:59', 'Europe/Amsterdam'), '2026-10-25T00:59:00Z')
})

t.test('record state: newer wins, older is stale, equal is unchanged; without revisions the arrival decides', async t => {
  const known = (fields: Partial<KnownRecord>): KnownRecord => ({ revision: undefined, hash: 'a', arrival: 5, present: true, ...fields })
  const come = (hash: string, arrival: number, revision?: KnownRecord['revision']) => ({ hash, arrival, revision })
  const table: [KnownRecord | undefined, ReturnType<typeof come>, string][] = [
    [undefined, come('a', 1), 'new'],
    [known({}), come('a', 6), 'unchanged'],
    [known({}), come('b', 6), 'changed'],
    [known({}), come('b', 4), 'stale'],
    [known({ present: false }), come('a', 6), 'changed'],
    [known({ revision: { seq: 3 } }), come('b', 6, { seq: 2 }), 'stale'],
    [known({ revision: { seq: 3 } }), come('b', 2, { seq: 4 }), 'changed'],
    [known({ revision: { seq: 3 } }), come('a', 6, { seq: 3 }), 'unchanged'],
    [known({ revision: { seq: 3 } }), come('b', 4, { seq: 3 }), 'stale'],
    [known({ revision: { seq: 3 } }), come('b', 6, { seq: 3 }), 'changed'],
    [known({ revision: { changedAt: '2026-03-01T10:00:00Z' } }), come('b', 9, { changedAt: '2026-03-01T09:59:59.5Z' }), 'stale'],
    [known({ revision: { changedAt: '2026-03-01T10:00:00Z' } }), come('b', 6, { seq: 1 }), 'changed']
  ]
  for (const [before, incoming, wanted] of table) t.equal(decideRecord(before, incoming), wanted, JSON.stringify([before, incoming]))
})

t.test('record state: equal values have one canonical text, different ones do not', async t => {
  t.equal(canonical({ b: 1, a: { d: [1, 2], c: undefined } }), canonical({ a: { d: [1, 2] }, b: 1 }))
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.jsonValue(),
      (a, b) => (canonical(a) === canonical(b)) === (canonical(JSON.parse(JSON.stringify(a))) === canonical(JSON.parse(JSON.stringify(b))))
    )
  )
  t.not(canonical({ a: '1' }), canonical({ a: 1 }))
  t.not(canonical(['a', 'b']), canonical(['a,b']))
})

t.test('keys: short ones are the same for the same key, legal in any field, and unique over many', async t => {
  const keys = new Set(Array.from({ length: 100_000 }, (_, n) => shortKey(`key-${n}`, 12)))
  t.equal(keys.size, 100_000)
  t.equal(shortKey('key-1', 20), shortKey('key-1', 20))
  t.ok(shortKey('key-1', 20).startsWith(shortKey('key-1', 12)))
  t.match(shortKey('key-1', 32), /^[0-9A-HJKMNP-TV-Z]{32}$/)
  t.equal(shortKey('key-1', 99).length, 32)
  t.throws(() => shortKey('key-1', 7), RangeError)
})

t.test('keys: no two places of stock share one', async t => {
  const place = (article: string, location: string, lot?: string) =>
    keyOf.stock({ article, location, quantity: { value: '1', unit: 'P' }, asOf: '', ...(lot === undefined ? {} : { lot }) })
  t.not(place('a|b', 'c'), place('a', 'b|c'))
  t.not(place('a\\', 'b'), place('a', '\\b'))
  t.equal(place('A', 'L', 'X'), 'A|L|X')
})

const batch = (...keys: [key: string, order: string][]): ExportBatch => ({
  key: 'b',
  shortKey: n => shortKey('b', n),
  items: keys.map(([key, orderingKey]) => ({ key, orderingKey })) as unknown as ExportBatch['items']
})

t.test('each in order: after one that did not get through, later ones of the same order are not tried, others are', async t => {
  const bodies: Record<string, () => ExportOutcomeBody> = {
    lost: () => {
      throw new TransportError('possible', 'reset')
    },
    refused: () => {
      throw new TransportError('none', 'refused')
    },
    bug: () => {
      throw new TypeError('oops')
    },
    rejected: () => ({ status: 'rejected', reject: { code: 'x', message: 'no' } }),
    good: () => ({ status: 'accepted', ref: { document: 'D' } })
  }
  const wanted: Record<string, [string, string]> = {
    lost: ['unknown', 'not-sent'],
    refused: ['not-sent', 'not-sent'],
    bug: ['unknown', 'not-sent'],
    rejected: ['rejected', 'not-sent'],
    good: ['accepted', 'accepted']
  }
  for (const [first, [one, two]] of Object.entries(wanted)) {
    const tried: string[] = []
    const send = async ({ key }: { key: string }): Promise<ExportOutcomeBody> => {
      tried.push(key)
      return (bodies[key === '1' ? first : 'good'] ?? (() => ({ status: 'unknown', reason: '' })))()
    }
    const outcomes = await Array.fromAsync(eachInOrder(batch(['1', 'A'], ['2', 'A'], ['3', 'B']), send))
    t.same(
      outcomes.map(({ key, status }) => [key, status]),
      [
        ['1', one],
        ['2', two],
        ['3', 'accepted']
      ],
      first
    )
    t.same(tried, first === 'good' ? ['1', '2', '3'] : ['1', '3'], first)
  }
})

const schema = {
  type: 'object',
  additionalProperties: false,
  required: ['url', 'token'],
  properties: {
    url: { type: 'string', title: 'Address', format: 'uri' },
    token: { type: 'string', title: 'Token', secret: true },
    size: { type: 'integer', title: 'Size', minimum: 1, default: 10 }
  }
} as const satisfies ConfigSchema

t.test('settings: defaults are filled in and secrets wrapped; problems name the field and never the value', async t => {
  const read = readSettings(schema, { url: 'https://erp.example', token: 'hunter2' })
  t.match(read, { ok: true, settings: { url: 'https://erp.example', size: 10 } })
  t.notMatch(JSON.stringify(read), 'hunter2')
  const wrong = readSettings(schema, { url: 'nowhere', size: 0, colour: 'hunter2' })
  t.same(!wrong.ok && wrong.problems.map(({ field }) => field).sort(), ['/colour', '/size', '/token', '/url'])
  t.notMatch(JSON.stringify(wrong), 'hunter2')
})

t.test('manifest: both adapters of this house are in order, bring every kind, and take no part of each other', async t => {
  for (const adapter of [csv, neutralRest]) {
    t.same(checkManifest(adapter), [], adapter.manifest.id)
    t.same(Object.keys(adapter.manifest.imports).sort(), [...importKinds].sort())
    t.equal(Object.keys(adapter.manifest.exports).length, 6)
    t.same(JSON.parse(JSON.stringify(adapter.manifest)), adapter.manifest, 'survives JSON')
  }
})

t.test('manifest: the Tryton adapter is in order', async t => {
  t.same(checkManifest(tryton), [])
  t.same(JSON.parse(JSON.stringify(tryton.manifest)), tryton.manifest, 'survives JSON')
})

t.test('secrets: what is made of one is one, and data keeps its secrets through being stored', async t => {
  const token = derivedSecret(secret('hunter2'), plain => `Bearer ${plain}`)
  t.equal(token.reveal(), 'Bearer hunter2')
  const data = { list: [1, token, null], deep: { token }, plain: 'text' }
  t.same(revealed(data), { list: [1, 'Bearer hunter2', null], deep: { token: 'Bearer hunter2' }, plain: 'text' })
  const back = fromStored(JSON.parse(JSON.stringify(toStored(data)))) as unknown as typeof data
  t.equal(back.deep.token.reveal(), 'Bearer hunter2')
  t.notMatch(JSON.stringify(back), 'hunter2')
  t.ok(isSecret(back.list[1]) && !isSecret(back.plain))
  t.throws(() => toStored({ $secret: 'x' }), /\$secret/)
})

t.test('errors: the class and what a host needs stand in fields of their own', async t => {
  const cause = new Error('inner')
  t.match(new AdapterError('rate-limit', 'busy', { retryAfterSeconds: 7, field: '/a', cause }), {
    cls: 'rate-limit',
    retryAfterSeconds: 7,
    field: '/a',
    cause,
    name: 'AdapterError'
  })
  t.match(new TransportError('possible', 'reset'), { cls: 'transient', effect: 'possible', name: 'TransportError' })
})
