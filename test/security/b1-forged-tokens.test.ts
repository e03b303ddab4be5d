import t from 'tap'
import type { registerSession } from '../../core/http/session.ts'
import { openDoor } from '../helpers/door.ts'
import { forgedTokens } from '../helpers/forged.ts'
import { openTestHouse } from '../helpers/house.ts'
import { mutantOf } from '../helpers/mutant.ts'
import { forge } from '../helpers/tokens.ts'

t.test('B1: only a token signed as we sign it is taken; every other is 401 with one and the same answer', async t => {
  const at = await openTestHouse(t)
  const made = await forge(at.house.control, await at.admin())
  const ask = (token: string) => at.call('GET', '/api/v1/jobs', { token })
  t.equal((await ask(made.sign(made.header, made.claims))).status, 200, 'made like ours it is taken: the rest is refused for what it says')
  const answers = new Set<string>()
  for (const [what, token] of Object.entries(forgedTokens(made))) {
    const answer = await ask(token)
    t.match(answer, { status: 401, body: { code: 'unauthenticated' } }, what)
    answers.add(JSON.stringify({ ...answer.body, instance: '' }))
  }
  t.equal(answers.size, 1, 'nobody learns what was wrong with the token')
  t.equal((await ask(made.good)).status, 200, 'and ours still opens')
  t.notMatch(at.logged.join(''), /request failed/)
})

/** One place of the session each, broken as a careless change would break it. */
const broken: readonly (readonly [what: string, from: string, to: string, taken: readonly string[]])[] = [
  [
    'reads the token without verifying it',
    'await verify(token, { clockTimestamp: now * 1000 })',
    'app.jwt.decode(token) as unknown',
    ['no algorithm', 'no signature', 'the key of a stranger', 'a secret made of the public key, 256', 'an unknown key id']
  ],
  [
    'takes the algorithm that the header names, and the public key as its secret',
    'await verify(token, { clockTimestamp: now * 1000 })',
    `await (async () => {
        const { createHmac } = await import('node:crypto')
        const [head = '', body = '', signature] = token.split('.')
        const { alg } = JSON.parse(Buffer.from(head, 'base64url').toString())
        if (alg !== 'HS256' && alg !== 'HS512') throw new Error('EdDSA is not what this mutant is about')
        const made = createHmac(alg === 'HS256' ? 'sha256' : 'sha512', signing.publicPem).update(head + '.' + body).digest('base64url')
        if (made !== signature) throw new Error('signature')
        return JSON.parse(Buffer.from(body, 'base64url').toString())
      })()`,
    ['a secret made of the public key, 256', 'a secret made of the public key, 512']
  ],
  [
    'takes any key for one it does not know',
    "typeof token.header?.kid === 'string' ? publicOf.get(token.header.kid) : undefined",
    'signing.publicPem',
    ['an unknown key id', 'a file as key id', 'a key id that is no text', 'no key id']
  ],
  [
    'does not look what the claims are',
    'fit(await verify(token, { clockTimestamp: now * 1000 }), now)',
    '((await verify(token, { clockTimestamp: now * 1000 })) as { payload: Claims }).payload',
    ['a customer that is no id', 'a person that is no text']
  ]
]

t.test('B1: the check notices a session that is broken', async t => {
  for (const [what, from, to, taken] of broken) {
    const { registerSession: session } = await mutantOf<{ registerSession: typeof registerSession }>('core/http/session.ts', from, to)
    const door = await openDoor(t, { session })
    const made = await forge(door.at.control, await door.admin())
    const noticed: string[] = []
    for (const [name, token] of Object.entries(forgedTokens(made)))
      if ((await door.call('GET', '/test/jobs', { token })).status !== 401) noticed.push(name)
    t.ok(
      taken.every(name => noticed.includes(name)),
      `a session that ${what} would let in: ${noticed.join(', ')}`
    )
  }
})
