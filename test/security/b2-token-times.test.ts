import t from 'tap'
import type { registerSession } from '../../core/http/session.ts'
import { openDoor } from '../helpers/door.ts'
import { mutantOf } from '../helpers/mutant.ts'
import { type Forge, forge } from '../helpers/tokens.ts'

/** Tokens signed by us whose times we would never write; numbers that JSON.stringify cannot write are put in as text. */
function mistimed({ header, claims, without, sign }: Forge): Readonly<Record<string, string>> {
  const now = Number(claims.iat)
  const timed = (times: object): string => sign(header, { ...claims, ...times })
  const text = (name: 'exp' | 'iat' | 'nbf', value: string): string =>
    sign(header, `${JSON.stringify(without(name)).slice(0, -1)},"${name}":${value}}`)
  return {
    'without an end': sign(header, without('exp')),
    'without a beginning': sign(header, without('iat')),
    'without either': sign(header, without('exp', 'iat')),
    'ran out': timed({ iat: now - 1_000, exp: now - 100 }),
    'ran out this second': timed({ iat: now - 100, exp: now - 1 }),
    'longer than we ever give': timed({ exp: now + 86_400 }),
    'one second longer than we ever give': timed({ iat: now, exp: now + 901 }),
    'ten years': timed({ exp: now + 315_360_000 }),
    'issued long ago and still good': timed({ iat: now - 86_400, exp: now + 60 }),
    'issued in an hour': timed({ iat: now + 3_600, exp: now + 4_200 }),
    'ends before it begins': timed({ iat: now + 50, exp: now + 40 }),
    'not yet': timed({ nbf: now + 600 }),
    'an end as text': text('exp', `"${now + 600}"`),
    'an end with a fraction': text('exp', `${now + 600}.5`),
    'an end before 1970': text('exp', '-1'),
    'an endless end': text('exp', '1e400'),
    'an end beyond all dates': text('exp', '1e300'),
    'no end at all': text('exp', 'null'),
    'an end that is a list': text('exp', `[${now + 600}]`),
    'an end that is an object': text('exp', '{}'),
    'a beginning as text': text('iat', `"${now}"`),
    'a beginning with a fraction': text('iat', `${now}.25`),
    'an endless beginning': text('iat', '1e400'),
    'a beginning that is true': text('iat', 'true'),
    'not before, as text': text('nbf', '"0"'),
    'not before, endless': text('nbf', '1e400')
  }
}

t.test('B2: a token lasts for the fifteen minutes that we gave it, whatever it says of itself', async t => {
  const door = await openDoor(t)
  const made = await forge(door.at.control, await door.admin())
  const ask = async (token: string): Promise<number> => (await door.call('GET', '/test/jobs', { token })).status
  const now = Number(made.claims.iat)
  t.equal(await ask(made.sign(made.header, { ...made.claims, iat: now - 800, exp: now + 100 })), 200, 'one of ours, thirteen minutes old')
  t.equal(await ask(made.sign(made.header, { ...made.claims, iat: now + 30, exp: now + 800 })), 200, 'of a node whose clock is ahead')
  const tokens = Object.entries(mistimed(made))
  for (const [what, token] of tokens) t.equal(await ask(token), 401, what)
  door.clock.advance(901)
  t.equal(await ask(made.good), 401, 'and one that was seen while it was good is not remembered past its end')
})

t.test('B2: the check notices a session that does not look at the times', async t => {
  const { registerSession: session } = await mutantOf<{ registerSession: typeof registerSession }>(
    'core/http/session.ts',
    'whole(iat) && whole(exp) && exp > iat && exp - iat <= accessSeconds && iat <= now + skewSeconds',
    'true'
  )
  const door = await openDoor(t, { session })
  const made = await forge(door.at.control, await door.admin())
  const taken: string[] = []
  for (const [what, token] of Object.entries(mistimed(made)))
    if ((await door.call('GET', '/test/jobs', { token })).status !== 401) taken.push(what)
  t.same(
    ['longer than we ever give', 'ten years', 'issued in an hour', 'an end with a fraction'].filter(what => !taken.includes(what)),
    [],
    `it would let in: ${taken.join(', ')}`
  )
})
