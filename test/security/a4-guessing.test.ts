import t from 'tap'
import { goodPassword, openDoor } from '../helpers/door.ts'
import { argon2id } from '../helpers/hashes.ts'

const wrong = 'niet-het-wachtwoord'

t.test('A4: guessing', async t => {
  const door = await openDoor(t)
  const { signIn, clock, rows } = door
  await door.person('victim', ['operator'])
  const failed = async (): Promise<number> =>
    Number((await rows("select count(*) as n from authz.sign_in_attempt where outcome = 'failed'"))[0]?.n)
  const home = '192.0.2.1'
  t.equal((await signIn('victim', goodPassword, { ip: home })).status, 200, 'home is known from now on')

  await t.test('A4: from the fourth wrong guess on one waits, and is told how long', async t => {
    const ip = '198.51.100.4'
    for (let i = 0; i < 3; i++) t.equal((await signIn('victim', wrong, { ip })).status, 401)
    const slowed = await signIn('victim', wrong, { ip })
    t.match(slowed, { status: 429, headers: { 'retry-after': '2' }, body: { code: 'too_many_requests' } })
    t.equal((await signIn('victim', goodPassword, { ip })).status, 429, 'the right password is not looked at either')
    clock.advance(2)
    t.equal((await signIn('victim', wrong, { ip })).status, 401)
    t.match(await signIn('victim', wrong, { ip }), { status: 429, headers: { 'retry-after': '4' } })
    t.match(
      await rows("select data from journal.entry where act = 'session.slowed'"),
      [{ data: { waitSeconds: 2 } }],
      'told in the journal, once an hour'
    )
  })

  await t.test('A4: fifty guesses at the same moment are counted before the password is looked at', async t => {
    clock.advance(3_700)
    const before = await failed()
    const answers = await Promise.all(Array.from({ length: 50 }, () => signIn('victim', wrong, { ip: '198.51.100.5' })))
    t.equal(answers.filter(answer => answer.status === 401).length, 3)
    t.equal(answers.filter(answer => answer.status === 429).length, 47)
    t.equal((await failed()) - before, 3)
  })

  await t.test('A4: a thousand guesses at one account within an hour reach the hash twenty times at most', async t => {
    clock.advance(3_700)
    const hashes = argon2id(t)
    let refused = 0
    for (let i = 0; i < 20; i++) {
      // Fifty at a time, from new addresses and from the one that is known.
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, n) => signIn('victim', wrong, { ip: n < 5 ? home : `203.0.113.${(i + n) % 250}` }))
      )
      refused += answers.filter(answer => answer.status === 429).length
      clock.advance(175)
    }
    t.ok(hashes.count() <= 20, `${hashes.count()} guesses reached the hash`)
    t.ok(hashes.count() >= 10, 'an empty count is not a pass')
    t.equal(refused, 1_000 - hashes.count())
  })

  await t.test('A4: who guesses elsewhere does not lock out the person at an address that is known', async t => {
    clock.advance(3_700)
    for (let i = 0; i < 12; i++) await signIn('victim', wrong, { ip: `203.0.113.${i}` })
    t.match(await signIn('victim', goodPassword, { ip: '203.0.113.99' }), { status: 429 }, 'a new address waits')
    t.equal((await signIn('victim', goodPassword, { ip: home })).status, 200)
    clock.advance(3_700)
    t.equal((await signIn('victim', goodPassword, { ip: '203.0.113.99' })).status, 200, 'and nobody is locked out for good')
  })

  await t.test('A4: one guess at each of many accounts is stopped at its address', async t => {
    clock.advance(3_700)
    const ip = '198.51.100.77'
    const statuses: number[] = []
    for (let i = 0; i < 12; i++) {
      statuses.push(
        ...(await Promise.all(Array.from({ length: 10 }, (_, n) => signIn(`somebody-${i}-${n}`, wrong, { ip })))).map(a => a.status)
      )
    }
    t.equal(statuses.filter(status => status === 401).length, 100)
    t.equal(statuses.filter(status => status === 429).length, 20)
    t.equal((await signIn('victim', goodPassword, { ip: home })).status, 200, 'others go on')
  })

  await t.test('A4: guesses at the current password with a stolen session are counted as well', async t => {
    clock.advance(3_700)
    const token = (await signIn('victim', goodPassword, { ip: home })).body.accessToken
    const guess = () =>
      door.call('POST', '/api/v1/session/password', { token, ip: home, body: { current: wrong, password: 'een heel andere lange zin' } })
    for (let i = 0; i < 3; i++) t.match(await guess(), { status: 403, body: { code: 'password_wrong' } })
    t.equal((await guess()).status, 429)
  })

  await t.test('A4: the tries are tidied away, known addresses later', async t => {
    clock.advance(90_000)
    await door.runDuties()
    t.match(await rows('select distinct outcome from authz.sign_in_attempt'), [{ outcome: 'ok' }])
    clock.advance(31 * 86_400)
    await door.runDuties()
    t.same(await rows('select seq from authz.sign_in_attempt'), [])
  })
})
