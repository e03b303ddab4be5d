import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { type Forge, part, strangersKey } from './tokens.ts'

/** Security check B1: tokens whose algorithm, key or signature is not ours. Each must be refused. */
export function forgedTokens({ good, header, claims, publicPem, sign: eddsa }: Forge): Readonly<Record<string, string>> {
  const [head = '', body = '', signature = ''] = good.split('.')
  const hmac = (alg: string, digest: string, secret: string | Buffer): string => {
    const text = `${part({ ...header, alg })}.${part(claims)}`
    return `${text}.${createHmac(digest, secret).update(text).digest('base64url')}`
  }
  const es256 = (): string => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const text = `${part({ ...header, alg: 'ES256' })}.${part(claims)}`
    return `${text}.${sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
  }
  const foreign = strangersKey()
  const jwk = createPublicKey(foreign).export({ format: 'jwk' })
  const der = createPublicKey(publicPem).export({ type: 'spki', format: 'der' })
  const last = signature.charCodeAt(0) === 65 ? 'B' : 'A'
  return {
    'no algorithm': `${part({ ...header, alg: 'none' })}.${body}.`,
    'no algorithm in capitals': `${part({ ...header, alg: 'NONE' })}.${body}.`,
    'no algorithm, but a signature': `${part({ ...header, alg: 'none' })}.${body}.${signature}`,
    'no signature': `${head}.${body}.`,
    'a signature changed in one letter': `${head}.${body}.${last}${signature.slice(1)}`,
    'a signature cut in half': `${head}.${body}.${signature.slice(0, 43)}`,
    'other claims under the same signature': `${head}.${part({ ...claims, sub: claims.sid })}.${signature}`,
    'a secret made of the public key, 256': hmac('HS256', 'sha256', publicPem),
    'a secret made of the public key with white space, 256': hmac('HS256', 'sha256', `\n ${publicPem}\n`),
    'a secret made of the public key as DER, 256': hmac('HS256', 'sha256', der),
    'a secret made of the public key, 512': hmac('HS512', 'sha512', publicPem),
    'an empty secret': hmac('HS256', 'sha256', ''),
    'another algorithm of a stranger': es256(),
    'the key of a stranger': eddsa(header, claims, foreign),
    'the key of a stranger in the header': eddsa({ ...header, jwk }, claims, foreign),
    'an address of the key of a stranger': eddsa(
      { ...header, jku: 'http://127.0.0.1/keys', x5u: 'http://127.0.0.1/cert' },
      claims,
      foreign
    ),
    'an unknown key id': eddsa({ ...header, kid: 'x' }, claims),
    'a file as key id': eddsa({ ...header, kid: '../../dev/null' }, claims),
    'a key id that is no text': eddsa({ ...header, kid: { a: 1 } }, claims),
    'a name of every object as key id': eddsa({ ...header, kid: '__proto__' }, claims),
    'no key id': eddsa({ alg: 'EdDSA', typ: 'JWT' }, claims),
    'an extension we must know and do not': eddsa({ ...header, crit: ['x'], x: 1 }, claims),
    'an extension that is not there': eddsa({ ...header, crit: ['exp'] }, claims),
    'a header that is a list': eddsa('[]', claims),
    'claims that are a list': eddsa(header, '[]'),
    'claims that are no JSON': eddsa(header, '{'),
    'a customer that is no id': eddsa(header, { ...claims, tid: "' or true --" }),
    'a person that is no text': eddsa(header, { ...claims, sub: [claims.sub] }),
    'no token': 'x',
    'three empty parts': '..',
    'four parts': `${good}.${signature}`,
    'a token with a line end in it': `${head}.${body}.${signature.slice(0, 9)}%0a${signature.slice(9)}`,
    'a megabyte of a token': `${head}.${'A'.repeat(12_000)}.${signature}`
  }
}
