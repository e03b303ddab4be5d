import t from 'tap'
import { goodPassword, openDoor } from '../helpers/door.ts'

t.test('B4: refresh tokens', async t => {
  const door = await openDoor(t)
  const { call, signIn, clock, rows } = door
  const { id } = await door.person('ann', ['operator'])
  const enter = async (agent = 'browser'): Promise<string> => (await signIn('ann', goodPassword, { agent })).body.refreshToken
  const refresh = (refreshToken: string, { agent = 'browser', ip = '127.0.0.1' } = {}) =>
    call('POST', '/api/v1/session/refresh', { body: { refreshToken }, ip, headers: { 'x-refresh-in-body': 'yes', 'user-agent': agent } })
  const me = async (token: string): Promise<number> => (await call('GET', '/api/v1/session', { token })).status
  const reuses = async (): Promise<number> =>
    (await rows("select seq from journal.entry where act = 'session.reuse_detected' and subject_id = $1", [id])).length

  await t.test('B4: a token is exchanged once; the old one within ten seconds gives the same new one to the same client', async t => {
    const first = await enter()
    const second = await refresh(first)
    t.equal(second.status, 200)
    t.not(second.body.refreshToken, first)
    t.equal(await me(second.body.accessToken), 200)
    clock.advance(9)
    t.equal((await refresh(first)).body.refreshToken, second.body.refreshToken, 'an answer that was lost on the way')
    t.equal((await refresh(second.body.refreshToken)).status, 200)
  })

  await t.test('B4: fifty uses at the same moment have one winner, whom all of them get', async t => {
    const first = await enter()
    const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(first)))
    t.same(new Set(answers.map(answer => answer.status)), new Set([200]))
    t.equal(new Set(answers.map(answer => answer.body.refreshToken)).size, 1)
    t.match(await rows('select rotations from authz.session where lookup = $1', [first.split('_')[2]]), [{ rotations: 1 }])
  })

  await t.test('B4: an old token after ten seconds ends the session of whoever has the new one', async t => {
    const before = await reuses()
    const first = await enter()
    const second = (await refresh(first)).body
    clock.advance(11)
    t.match(await refresh(first), { status: 401, body: { code: 'session_ended' } })
    t.match(await refresh(second.refreshToken), { status: 401, body: { code: 'session_ended' } })
    t.equal(await me(second.accessToken), 401)
    t.equal((await reuses()) - before, 1)
  })

  await t.test('B4: within the ten seconds another client gets nothing and ends it', async t => {
    const first = await enter()
    const second = (await refresh(first)).body
    t.equal((await refresh(first, { agent: 'thief' })).status, 401)
    t.equal(await me(second.accessToken), 401)
    const other = await enter()
    const next = (await refresh(other)).body
    t.equal((await refresh(other, { ip: '203.0.113.9' })).status, 401)
    t.equal(await me(next.accessToken), 401)
  })

  await t.test('B4: a token from long before is recognised, however often the session was refreshed since', async t => {
    const first = await enter()
    let newest = first
    let access = ''
    for (let i = 0; i < 20; i++) {
      clock.advance(60)
      const answer = await refresh(newest)
      newest = answer.body.refreshToken
      access = answer.body.accessToken
    }
    t.equal(await me(access), 200)
    t.equal((await refresh(first)).status, 401)
    t.equal(await me(access), 401)
  })

  await t.test('B4: a made-up token ends nobody’s session', async t => {
    const first = await enter()
    const [, , lookup] = first.split('_')
    t.equal((await refresh(`wv_refresh_${lookup}_${'0'.repeat(64)}`)).status, 401)
    t.equal((await refresh(`wv_refresh_${'0'.repeat(18)}_${'0'.repeat(64)}`)).status, 401)
    t.equal((await refresh(first.replace('refresh', 'api'))).status, 401)
    t.equal((await refresh('nonsense')).status, 401)
    t.equal((await refresh(first)).status, 200)
  })

  await t.test('B7: a session ends after 8 hours without a refresh and after 14 hours in any case', async t => {
    const idle = await enter()
    clock.advance(8 * 3_600 + 1)
    t.equal((await refresh(idle)).status, 401)
    let busy = await enter()
    for (let hour = 0; hour < 13; hour++) {
      clock.advance(3_600)
      const answer = await refresh(busy)
      t.equal(answer.status, 200)
      busy = answer.body.refreshToken
    }
    clock.advance(3_600)
    t.equal((await refresh(busy)).status, 401)
  })
})
