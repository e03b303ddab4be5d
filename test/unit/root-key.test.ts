import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, inspect } from 'node:util'
import t from 'tap'
import { loadRootKey } from '../../core/keys/root-key.ts'
import { newSigningKey } from '../../core/keys/signing-keys.ts'

const text = (): string => randomBytes(32).toString('base64')

t.test('root key: text that is missing, short, long or no base64 is refused with what to do', async t => {
  for (const [wrong, message] of [
    [undefined, /WERKVLOER_ROOT_KEY: the root key is missing; make one with: openssl rand/],
    ['  ', /is missing/],
    [randomBytes(31).toString('base64'), /is not 32 bytes in base64/],
    [randomBytes(33).toString('base64'), /is not 32 bytes in base64/],
    [randomBytes(32).toString('hex'), /is not 32 bytes in base64/],
    ['change me', /is not 32 bytes in base64/]
  ] as const) {
    t.throws(() => loadRootKey(wrong === undefined ? {} : { text: wrong }), { message }, String(wrong))
  }
})

t.test('root key: what somebody may have thought up is refused', async t => {
  for (const bytes of [
    Buffer.alloc(32),
    Buffer.alloc(32, 7),
    Buffer.from('abcdefgh'.repeat(4)),
    Buffer.from('correct horse battery staple 42!')
  ]) {
    t.equal(bytes.length, 32)
    t.throws(() => loadRootKey({ text: bytes.toString('base64') }), /guessable/, bytes.toString())
  }
})

t.test('root key: a refusal never shows the key', async t => {
  const weak = Buffer.from('correct horse battery staple 42!').toString('base64')
  try {
    loadRootKey({ text: weak })
    t.fail('taken')
  } catch (error) {
    t.notMatch(inspect(error), weak.slice(0, 12))
  }
})

t.test('root key: a file is taken from its owner only', async t => {
  const dir = t.testdir()
  const file = join(dir, 'key')
  writeFileSync(file, `${text()}\n`)
  for (const mode of [0o640, 0o604, 0o660, 0o620]) {
    chmodSync(file, mode)
    t.throws(() => loadRootKey({ file }), { message: `${file}: others may read the root key; write: chmod 600 ${file}` }, mode.toString(8))
  }
  for (const mode of [0o600, 0o400]) {
    chmodSync(file, mode)
    t.match(loadRootKey({ file }).id, /^[0-9a-f]{8}$/)
  }
  t.throws(() => loadRootKey({ file: join(dir, 'none') }), /none: the file of the root key does not exist; make it with/)
  mkdirSync(join(dir, 'folder'), { mode: 0o700 })
  t.throws(() => loadRootKey({ file: join(dir, 'folder') }), /must be in a plain file/)
})

t.test('root key: no way of printing shows it', async t => {
  const key = text()
  const root = loadRootKey({ text: key })
  t.equal(JSON.stringify({ root }), '{"root":"[root key]"}')
  t.equal(String(root), '[root key]')
  t.equal(inspect(root, { showHidden: true, depth: 9 }), '[root key]')
  t.equal(format('%s %o', root, { root }).includes(key.slice(0, 10)), false)
})

t.test('root key: what it wrapped opens with the same key and context only', async t => {
  const root = loadRootKey({ text: text() })
  const secret = randomBytes(32)
  const wrapped = root.wrap(secret, 'tenant_key/a/1')
  t.strictSame(root.unwrap(wrapped, 'tenant_key/a/1'), secret)
  t.notSame(root.wrap(secret, 'tenant_key/a/1'), wrapped, 'a new nonce each time')
  t.throws(() => root.unwrap(wrapped, 'tenant_key/b/1'), /does not open tenant_key\/b\/1/)
  t.throws(() => loadRootKey({ text: text() }).unwrap(wrapped, 'tenant_key/a/1'), /another key, or the stored value was changed/)
  t.throws(() => root.unwrap(wrapped.subarray(0, 20), 'tenant_key/a/1'), /cut off/)
  for (let at = 0; at < wrapped.length; at++) {
    const flipped = Buffer.from(wrapped)
    flipped[at] = (flipped[at] ?? 0) ^ 1
    t.throws(() => root.unwrap(flipped, 'tenant_key/a/1'), /does not open/, `byte ${at}`)
  }
})

t.test('root key: derived keys differ by purpose and by key, the fingerprint stays', async t => {
  const key = text()
  const root = loadRootKey({ text: key })
  t.strictSame(root.derive('a'), loadRootKey({ text: key }).derive('a'))
  t.equal(root.id, loadRootKey({ text: ` ${key}\n` }).id)
  t.notSame(root.derive('a'), root.derive('b'))
  t.notSame(root.derive('a'), loadRootKey({ text: text() }).derive('a'))
  t.equal(root.derive('a').length, 32)
})

t.test('signing key: each new pair is Ed25519 with an id of its own', async t => {
  const [a, b] = [newSigningKey(), newSigningKey()]
  t.not(a.kid, b.kid)
  t.match(a.publicPem, /^-----BEGIN PUBLIC KEY-----/)
  t.equal(Buffer.from(a.publicPem.split('\n')[1] ?? '', 'base64').length, 44, 'the length of an Ed25519 key in SPKI')
  t.not(a.privatePem, b.privatePem)
})
