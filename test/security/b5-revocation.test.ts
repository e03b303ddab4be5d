import t from 'tap'
import { goodPassword, openDoor } from '../helpers/door.ts'

t.test('B5: what is taken away is gone on the next request', async t => {
  const door = await openDoor(t)
  const { call, signIn, rows } = door
  const admin = await door.admin()
  const jobs = async (token: string) => call('GET', '/test/jobs', { token })
  const patch = (id: string, body: object) => call('PATCH', `/api/v1/users/${id}`, { token: admin, body })

  await t.test('B5: after signing out the access token and the refresh token are worth nothing', async t => {
    await door.person('ann', ['operator'])
    const { accessToken, refreshToken } = (await signIn('ann', goodPassword)).body
    t.equal((await jobs(accessToken)).status, 200)
    t.match(await call('POST', '/api/v1/session/sign-out', { token: accessToken }), { status: 204, headers: { 'clear-site-data': String } })
    t.equal((await jobs(accessToken)).status, 401)
    t.equal((await call('POST', '/api/v1/session/refresh', { body: { refreshToken } })).status, 401)
  })

  await t.test('B5: a user that is switched off is out at once and stays out', async t => {
    const { id, token } = await door.person('bob', ['operator'])
    t.equal((await jobs(token)).status, 200)
    t.equal((await patch(id, { active: false })).status, 200)
    t.equal((await jobs(token)).status, 401)
    t.equal((await patch(id, { active: true })).status, 200)
    t.equal((await jobs(token)).status, 401, 'the old session does not come back')
    t.equal((await signIn('bob', goodPassword)).status, 200)
  })

  await t.test('B5: a role that is taken away counts on the next request, and so does one that is given', async t => {
    const { id, token } = await door.person('carl', ['operator'])
    t.equal((await jobs(token)).status, 200)
    await patch(id, { roleIds: [] })
    t.match(await jobs(token), { status: 403, body: { code: 'forbidden' } })
    await patch(id, { roleIds: [await door.roleId('planner')] })
    t.equal((await jobs(token)).status, 200)
  })

  await t.test('B5: a permission that leaves an own role counts on the next request', async t => {
    const role = (
      await call('POST', '/api/v1/roles', { token: admin, body: { name: 'Viewers', permissions: ['jobs.read', 'orders.read'] } })
    ).body
    const { token } = await door.person('dina', ['Viewers'])
    t.equal((await jobs(token)).status, 200)
    const changed = await call('PUT', `/api/v1/roles/${role.id}`, {
      token: admin,
      body: { version: role.version, permissions: ['orders.read'] }
    })
    t.equal(changed.status, 200)
    t.equal((await jobs(token)).status, 403)
    const stale = await call('PUT', `/api/v1/roles/${role.id}`, {
      token: admin,
      body: { version: role.version, permissions: ['jobs.read'] }
    })
    t.match(stale, { status: 412, body: { code: 'role_changed' } })
    t.equal((await call('DELETE', `/api/v1/roles/${role.id}?version=${changed.body.version}`, { token: admin })).status, 204)
    t.same((await call('GET', '/api/v1/session', { token })).body.permissions, ['session.own'])
  })

  await t.test('B5: a group that changes changes the jobs of the next request', async t => {
    const body = { name: 'Welding', rules: [{ kind: 'department', value: 'WELD' }] }
    const group = (await call('POST', '/api/v1/groups', { token: admin, body })).body
    const { id, token } = await door.person('emma', ['operator'], [group.id])
    t.match((await jobs(token)).body.scope, { all: false, departments: ['WELD'] })
    const rules = [
      { kind: 'work_centre', value: 'W1' },
      { kind: 'order', value: '000123' }
    ]
    t.equal((await call('PUT', `/api/v1/groups/${group.id}`, { token: admin, body: { version: group.version, rules } })).status, 200)
    t.match((await jobs(token)).body.scope, { all: false, departments: [], workCentres: ['W1'], orders: ['000123'] })
    await patch(id, { groupIds: [] })
    t.match((await jobs(token)).body.scope, { all: false, departments: [], workCentres: [], orders: [], orderPatterns: [] })
  })

  await t.test('B5: an API key stops when it is revoked, when it is too old, and from another address', async t => {
    const body = { name: 'Board in the hall', permissions: ['jobs.read'], groupIds: [], addresses: ['192.0.2.10'], days: 2 }
    const { key, apiKey } = (await call('POST', '/api/v1/api-keys', { token: admin, body })).body
    const from = (ip: string) => call('GET', '/test/jobs', { token: key, ip })
    t.equal((await from('192.0.2.10')).status, 200)
    t.equal((await from('::ffff:192.0.2.10')).status, 200)
    t.equal((await from('192.0.2.11')).status, 401)
    t.equal(
      (await call('GET', '/test/jobs', { token: `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`, ip: '192.0.2.10' })).status,
      401
    )
    t.match(await call('GET', '/api/v1/session', { token: key, ip: '192.0.2.10' }), { status: 403 }, 'a key is no person')
    t.equal((await call('DELETE', `/api/v1/api-keys/${apiKey.id}`, { token: admin })).status, 204)
    t.equal((await from('192.0.2.10')).status, 401)
    t.match(await call('DELETE', `/api/v1/api-keys/${apiKey.id}`, { token: admin }), { status: 404, body: { code: 'api_key_unknown' } })
    const second = (await call('POST', '/api/v1/api-keys', { token: admin, body })).body
    door.clock.advance(2 * 86_400 + 1)
    t.equal((await call('GET', '/test/jobs', { token: second.key, ip: '192.0.2.10' })).status, 401)
    t.notMatch(JSON.stringify(await rows('select digest::text, lookup from authz.api_key')), key.split('_')[3], 'the secret is nowhere')
  })
})
