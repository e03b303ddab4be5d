import t from 'tap'
import type { registerSession } from '../../core/http/session.ts'
import { goodPassword, openDoor } from '../helpers/door.ts'
import { openTestHouse, type TestHouse } from '../helpers/house.ts'
import { mutantOf } from '../helpers/mutant.ts'
import { type Forge, forge } from '../helpers/tokens.ts'

/** Tokens signed by us and in time, but made for something else or for somebody else. */
function misplaced({ header, claims, without, sign }: Forge): Readonly<Record<string, string>> {
  const tokens: Record<string, string> = {
    'a refresh token as access': sign(header, { ...claims, use: 'refresh' }),
    'a step-up token as access': sign(header, { ...claims, use: 'step_up' }),
    'several purposes': sign(header, { ...claims, use: ['access'] }),
    'another issuer': sign(header, { ...claims, iss: 'evil' }),
    'the issuer in capitals': sign(header, { ...claims, iss: 'WERKVLOER' }),
    'another audience': sign(header, { ...claims, aud: 'werkvloer-staff' }),
    'no audience among several': sign(header, { ...claims, aud: ['werkvloer-staff', 'werkvloer-portal'] }),
    'an empty audience': sign(header, { ...claims, aud: [] }),
    'a session that there is not': sign(header, { ...claims, sid: '0190ffff-ffff-7fff-8fff-ffffffffffff' }),
    'a person who is not of the session': sign(header, { ...claims, sub: '0190ffff-ffff-7fff-8fff-ffffffffffff' })
  }
  for (const name of ['jti', 'sub', 'tid', 'sid', 'use', 'iss', 'aud']) tokens[`without ${name}`] = sign(header, without(name))
  return tokens
}

t.test('B3: a token serves only what it was issued for', async t => {
  const door = await openDoor(t)
  const made = await forge(door.at.control, await door.admin())
  const ask = async (token: string): Promise<number> => (await door.call('GET', '/test/jobs', { token })).status
  t.equal(await ask(made.sign(made.header, made.claims)), 200, 'with our claims it is taken')
  for (const [what, token] of Object.entries(misplaced(made))) t.equal(await ask(token), 401, what)

  const { accessToken, refreshToken } = (await door.signIn('admin', goodPassword)).body
  t.equal(await ask(refreshToken), 401, 'a refresh token opens nothing')
  const refresh = async (token: string): Promise<number> =>
    (await door.call('POST', '/api/v1/session/refresh', { body: { refreshToken: token } })).status
  t.equal(await refresh(accessToken), 401, 'an access token refreshes nothing')
  t.equal(await refresh(refreshToken), 200)
})

t.test('B3: the check notices a session that does not ask what a token is for', async t => {
  const broken = [
    ["|| use !== 'access'", '', 'a refresh token as access'],
    ['allowedAud: audience,', '', 'another audience'],
    ['allowedIss: issuer,', '', 'another issuer'],
    ["requiredClaims: ['iss', 'aud', 'exp', 'iat', 'jti', 'sub', 'tid', 'sid', 'use'],", '', 'without aud']
  ] as const
  for (const [from, to, taken] of broken) {
    const { registerSession: session } = await mutantOf<{ registerSession: typeof registerSession }>('core/http/session.ts', from, to)
    const door = await openDoor(t, { session })
    const made = await forge(door.at.control, await door.admin())
    t.equal((await door.call('GET', '/test/jobs', { token: misplaced(made)[taken] ?? '' })).status, 200, `${taken}, without ${from}`)
  }
})

t.test('B3: a person, an API key and an ERP each stay on their own side', async t => {
  const at = await openTestHouse(t)
  const person = await at.admin()
  const { key, erp, connection, invite } = await credentials(at, person)
  const ask = async (method: string, path: string, token: string): Promise<number> => (await at.call(method, path, { token })).status

  t.equal(await ask('GET', `/erp/v1/${connection}/outbox`, erp), 200)
  t.equal(await ask('GET', `/erp/v1/${connection}/outbox`, person), 403, 'nobody signs in as the ERP, an administrator neither')
  t.equal(await ask('GET', `/erp/v1/${connection}/outbox`, key), 403, 'an API key is no ERP')
  t.equal(await ask('GET', '/api/v1/work-orders', key), 200)
  for (const path of ['/api/v1/session', '/api/v1/session/list', '/api/v1/live', '/api/v1/hours/today'])
    for (const token of [key, erp]) t.equal(await ask('GET', path, token), 403, `${path} is for a person`)
  for (const path of ['/api/v1/work-orders', '/api/v1/users', '/api/v1/connections', '/api/v1/outbox'])
    t.equal(await ask('GET', path, erp), 403, `${path} is not for an ERP`)
  t.equal(await ask('GET', '/api/v1/work-orders', invite), 401, 'an invitation is no credential')

  for (const token of [person, key, erp]) {
    for (const [kind, answer] of [
      ['invitation', await at.call('POST', '/api/v1/invitations/accept', { body: { token, password: 'Een-andere-lange-zin' } })],
      ['refresh', await at.call('POST', '/api/v1/session/refresh', { body: { refreshToken: token } })]
    ] as const)
      t.ok([400, 401, 404, 410].includes(answer.status), `as ${kind}: ${answer.status}`)
    for (const headers of [{ cookie: `access_token=${token}` }, { authorization: `Basic ${token}` }, { 'x-api-key': token }])
      t.equal((await at.call('GET', '/api/v1/work-orders', { headers })).status, 401, Object.keys(headers)[0] ?? '')
    t.ok([400, 401].includes((await at.call('GET', `/api/v1/work-orders?access_token=${token}`)).status), 'in the address')
  }
})

t.test('B3: the token of one connection serves no other', async t => {
  const at = await openTestHouse(t)
  const person = await at.admin()
  const one = await credentials(at, person)
  const two = await credentials(at, person)
  t.equal((await at.call('GET', `/erp/v1/${one.connection}/outbox`, { token: one.erp })).status, 200)
  t.equal((await at.call('GET', `/erp/v1/${two.connection}/outbox`, { token: one.erp })).status, 404)
  t.equal((await at.call('POST', `/erp/v1/${two.connection}/articles`, { token: one.erp, body: { records: [] } })).status, 404)
})

let made = 0
async function credentials(at: TestHouse, token: string): Promise<{ key: string; erp: string; connection: string; invite: string }> {
  const api = async <T>(path: string, body: object): Promise<T> => (await at.call<T>('POST', `/api/v1${path}`, { token, body })).body
  const name = `B3 ${++made}`
  const { id } = await api<{ id: string }>('/connections', { name, adapter: 'werkvloer.neutral-rest', config: {} })
  await api(`/connections/${id}/activate`, {})
  const { token: erp } = await api<{ token: string }>(`/connections/${id}/access/tokens`, { label: name })
  const { key } = await api<{ key: string }>('/api-keys', { name, permissions: ['orders.read'], groupIds: [], days: 1 })
  const { inviteToken } = await at.newTenant()
  return { key, erp, connection: id, invite: inviteToken }
}
