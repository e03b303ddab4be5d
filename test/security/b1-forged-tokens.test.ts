import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import t from 'tap'
import { signingKeysOf } from '../../core/db/control.ts'
import { openTestHouse } from '../helpers/house.ts'

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const read = (token: string, at: number): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[at] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>

t.test('B1: only a token exactly as we issue it is taken; every other is 401, never a fault of ours', async t => {
  const at = await openTestHouse(t)
  const good = await at.admin()
  const [key] = await signingKeysOf(at.house.control)
  if (!key) throw new Error('an installation has a signing key')
  const [header, claims] = [read(good, 0), read(good, 1)]
  const eddsa = (head: object, body: object, pem = key.privatePem): string => {
    const text = `${part(head)}.${part(body)}`
    return `${text}.${sign(null, Buffer.from(text), pem).toString('base64url')}`
  }
  const hmac = (alg: string, digest: string): string => {
    const text = `${part({ ...header, alg })}.${part(claims)}`
    return `${text}.${createHmac(digest, key.publicPem).update(text).digest('base64url')}`
  }
  const now = Math.floor(Date.now() / 1000)
  const without = (name: string): object => Object.fromEntries(Object.entries(claims).filter(([each]) => each !== name))
  const stranger = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const [head = '', body = '', signature = ''] = good.split('.')

  const forged: Record<string, string> = {
    'no algorithm': `${part({ ...header, alg: 'none' })}.${body}.`,
    'no signature': `${head}.${body}.`,
    'a secret made of the public key, 256': hmac('HS256', 'sha256'),
    'a secret made of the public key, 512': hmac('HS512', 'sha512'),
    'the key of a stranger': eddsa(header, claims, stranger),
    'an unknown key id': eddsa({ ...header, kid: 'x' }, claims),
    'a key id that is no text': eddsa({ ...header, kid: { a: 1 } }, claims),
    'no key id': eddsa({ alg: 'EdDSA', typ: 'JWT' }, claims),
    'a name of every object as key id': eddsa({ ...header, kid: '__proto__' }, claims),
    'other claims under the same signature': `${head}.${part({ ...claims, sub: claims.sid })}.${signature}`,
    'another issuer': eddsa(header, { ...claims, iss: 'evil' }),
    'another audience': eddsa(header, { ...claims, aud: 'werkvloer-staff' }),
    'a refresh token as access': eddsa(header, { ...claims, use: 'refresh' }),
    'ran out': eddsa(header, { ...claims, iat: now - 1000, exp: now - 100 }),
    'longer than we ever give': eddsa(header, { ...claims, exp: now + 86_400 }),
    'issued long ago and still good': eddsa(header, { ...claims, iat: now - 86_400, exp: now + 60 }),
    'not yet': eddsa(header, { ...claims, nbf: now + 600 }),
    'an extension we must know and do not': eddsa({ ...header, crit: ['x'], x: 1 }, claims),
    'a customer that is no id': eddsa(header, { ...claims, tid: "' or true --" }),
    'a person that is no text': eddsa(header, { ...claims, sub: [claims.sub] }),
    'no token': 'x',
    'three empty parts': '..'
  }
  for (const name of ['exp', 'iat', 'jti', 'sub', 'tid', 'sid', 'use', 'iss', 'aud'])
    forged[`without ${name}`] = eddsa(header, without(name))

  const ask = (token: string) => at.call('GET', '/api/v1/jobs', { token })
  t.equal((await ask(eddsa(header, claims))).status, 200, 'made like ours it is taken: the rest is refused for what it says')
  for (const [what, token] of Object.entries(forged)) {
    t.match(await ask(token), { status: 401, body: { code: 'unauthenticated' } }, what)
  }
  t.equal((await ask(good)).status, 200, 'and ours still opens')
})
