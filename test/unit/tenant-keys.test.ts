import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import t from 'tap'
import { newId } from '../../core/ids.ts'
import { type Bound, newTenantKey, SealBroken, tenantKeys } from '../../core/keys/tenant-keys.ts'

const at: Bound = { table: 'timekeeping.employee', column: 'name', row: '7' }

t.test('sealed field: it opens where it stands, bytes as text', async t => {
  const keys = tenantKeys(newId(), new Map([[1, newTenantKey()]]), 1)
  for (const plain of ['', 'Jansen', 'Зоя 李 👷', 'x'.repeat(100_000)]) t.equal(keys.openText(keys.seal(plain, at), at), plain)
  const bytes = randomBytes(1000)
  t.strictSame(keys.open(keys.seal(bytes, at), at), bytes)
  const sealed = keys.seal('Jansen', at)
  t.equal(sealed.length, 1 + 2 + 12 + 6 + 16)
  t.notOk(sealed.includes('Jansen'))
  t.notSame(keys.seal('Jansen', at), sealed, 'equal values do not look equal')
  const padded = Buffer.concat([Buffer.from('xx'), sealed])
  t.equal(
    keys.openText(new Uint8Array(padded.buffer, padded.byteOffset + 2, sealed.length), at),
    'Jansen',
    'also from a view on a larger buffer'
  )
})

t.test('sealed field: moved to another table, column, row or tenant it does not open', async t => {
  const key = newTenantKey()
  const tenant = newId()
  const keys = tenantKeys(tenant, new Map([[1, key]]), 1)
  const sealed = keys.seal('Jansen', at)
  for (const other of [
    { ...at, table: 'authz.user' },
    { ...at, column: 'number' },
    { ...at, row: '8' }
  ]) {
    t.throws(() => keys.open(sealed, other), SealBroken, JSON.stringify(other))
  }
  t.throws(() => tenantKeys(newId(), new Map([[1, key]]), 1).open(sealed, at), SealBroken, 'another tenant with the same key')
  t.throws(() => tenantKeys(tenant, new Map([[1, newTenantKey()]]), 1).open(sealed, at), SealBroken, 'another key')
  const split = keys.seal('Jansen', { table: 'a', column: 'bc', row: 'd' })
  t.throws(() => keys.open(split, { table: 'ab', column: 'c', row: 'd' }), SealBroken, 'the same letters cut elsewhere')
})

t.test('sealed field: a flipped bit or a missing end is found at every byte', async t => {
  const keys = tenantKeys(newId(), new Map([[1, newTenantKey()]]), 1)
  const sealed = keys.seal('Jansen', at)
  for (let i = 0; i < sealed.length; i++) {
    const flipped = Buffer.from(sealed)
    flipped[i] = (flipped[i] ?? 0) ^ 0x80
    t.throws(() => keys.open(flipped, at), SealBroken, `byte ${i}`)
    t.throws(() => keys.open(sealed.subarray(0, i), at), SealBroken, `cut to ${i}`)
  }
  t.throws(() => keys.open(Buffer.concat([sealed, Buffer.alloc(1)]), at), SealBroken, 'a byte more')
})

t.test('sealed field: a new key version seals, the older one still opens', async t => {
  const tenant = newId()
  const [first, second] = [newTenantKey(), newTenantKey()]
  const before = tenantKeys(tenant, new Map([[1, first]]), 1)
  const after = tenantKeys(tenant, new Map([[1, first], [2, second]]), 2) // biome-ignore format: two pairs
  const old = before.seal('Jansen', at)
  t.equal(after.openText(old, at), 'Jansen')
  const renewed = after.seal('Jansen', at)
  t.equal(renewed.readUInt16BE(1), 2)
  t.throws(() => before.open(renewed, at), SealBroken, 'a version that is not there')
  const relabelled = Buffer.from(old)
  relabelled.writeUInt16BE(2, 1)
  t.throws(() => after.open(relabelled, at), SealBroken)
  t.strictSame(after.blind('x', 'p'), before.blind('x', 'p'), 'indexes stay')
  t.strictSame(after.blobKey('b'), before.blobKey('b'), 'and blobs')
})

t.test('tenant keys: a missing, short or misnumbered key is refused at once', async t => {
  t.throws(() => tenantKeys('t', new Map([[1, newTenantKey()]]), 2), /no key version 2/)
  t.throws(() => tenantKeys('t', new Map(), 1), /no key version 1/)
  t.throws(() => tenantKeys('t', new Map([[1, randomBytes(16)]]), 1), /not 32 bytes/)
  t.throws(() => tenantKeys('t', new Map([[70_000, newTenantKey()]]), 70_000), /number from 1 to 65535/)
})

t.test('blind index: what people hold equal is equal, the rest is not', async t => {
  const keys = tenantKeys(newId(), new Map([[1, newTenantKey()]]), 1)
  const is = (value: string, purpose = 'user.username') => keys.blind(value, purpose).toString('hex')
  t.equal(keys.blind('a', 'p').length, 32)
  t.equal(is(' Jansen '), is('jansen'))
  t.equal(is('１２３'), is('123'), 'full-width digits')
  t.equal(is('Zoe\u0308'), is('zoë'), 'accent as a sign of its own')
  t.not(is('jan sen'), is('jansen'))
  t.not(is('jansen'), is('jansen', 'employee.number'), 'another purpose')
  t.not(
    is('jansen'),
    tenantKeys(newId(), new Map([[1, newTenantKey()]]), 1)
      .blind('jansen', 'user.username')
      .toString('hex'),
    'another tenant'
  )
})

t.test('mac: it takes exactly the bytes, per purpose and tenant', async t => {
  const key = newTenantKey()
  const keys = tenantKeys('t1', new Map([[1, key]]), 1)
  t.strictSame(keys.mac('a', 'p'), keys.mac(Buffer.from('a'), 'p'))
  t.notSame(keys.mac('a', 'p'), keys.mac('A', 'p'))
  t.notSame(keys.mac('a', 'p'), keys.mac(' a', 'p'))
  t.notSame(keys.mac('a', 'p'), keys.mac('a', 'q'))
  t.notSame(keys.mac('a', 'p'), keys.blind('a', 'p'))
  t.notSame(keys.mac('a', 'p'), tenantKeys('t2', new Map([[1, key]]), 1).mac('a', 'p'))
  t.notSame(keys.blobKey('a'), keys.blobKey('b'))
})

t.test('tenant keys: no way of printing shows them', async t => {
  const key = newTenantKey()
  const keys = tenantKeys('t1', new Map([[1, key]]), 1)
  keys.seal('x', at)
  t.equal(JSON.stringify({ keys }), '{"keys":"[tenant keys]"}')
  t.equal(inspect({ keys }, { showHidden: true, depth: 9 }), '{ keys: [tenant keys] }')
  t.equal(`${keys}`, '[tenant keys]')
})
