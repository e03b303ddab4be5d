import t from 'tap'
import { builtInRoles, expand } from '../../modules/authz/roles.ts'
import { goodPassword, newId, openDoor } from '../helpers/door.ts'

t.test('people', async t => {
  const door = await openDoor(t)
  const { call, rows, roleId } = door
  const token = await door.admin()
  const key = (): Record<string, string> => ({ 'idempotency-key': newId() })

  await t.test('users: made, read, searched by name, changed, in the order of their user names', async t => {
    for (const [username, name] of [
      ['zoe', 'Zoë de Wit'],
      ['Bram', 'Bram Visser'],
      ['carla', 'Carla Wit']
    ]) {
      const answer = await call('POST', '/api/v1/users', {
        token,
        body: { username, name, roleIds: [await roleId('operator')], groupIds: [] }
      })
      t.match(answer, { status: 201, body: { user: { username, name, active: true, invited: true, roles: [{ name: 'operator' }] } } })
    }
    const names = async (query = '') => {
      const { body } = await call('GET', `/api/v1/users${query}`, { token })
      return { names: body.items.map((item: { username: string }) => item.username), next: body.next, items: body.items }
    }
    t.same((await names()).names, ['admin', 'Bram', 'carla', 'zoe'])
    t.same((await names('?search=WIT')).names, ['carla', 'zoe'])
    const page = await names('?limit=3')
    t.same(page.names, ['admin', 'Bram', 'carla'])
    t.same((await names(`?limit=3&after=${page.next}`)).names, ['zoe'])
    const carla = page.items[2]
    const changed = await call('PATCH', `/api/v1/users/${carla.id}`, { token, body: { name: 'Carla Zwart', roleIds: [] } })
    t.match(changed, { status: 200, body: { name: 'Carla Zwart', roles: [] } })
    t.match(await call('PATCH', `/api/v1/users/${carla.id}`, { token, body: {} }), { status: 400 })
    t.match(await call('GET', `/api/v1/users/${newId()}`, { token }), { status: 404, body: { code: 'user_unknown' } })
  })

  await t.test('users: a name is taken once, whatever its capitals', async t => {
    const make = (username: string) => call('POST', '/api/v1/users', { token, body: { username, roleIds: [], groupIds: [] } })
    t.match(await make('BRAM'), { status: 409, body: { code: 'username_taken' } })
    t.match(await make('ｂｒａｍ'), { status: 409 }, 'nor in full-width letters')
    t.match(await make('two words'), { status: 400, body: { code: 'invalid_request' } })
    const answers = await Promise.all([make('same'), make('same'), make('same')])
    t.same(answers.map(answer => answer.status).sort(), [201, 409, 409])
  })

  await t.test('users: a repeat with the same key makes no second one and does not show the link again', async t => {
    const headers = key()
    const body = { username: 'repeat', roleIds: [], groupIds: [] }
    const first = await call('POST', '/api/v1/users', { token, headers, body })
    const second = await call('POST', '/api/v1/users', { token, headers, body })
    t.match(first.body.inviteLink, /#wv_invite_/)
    t.match(second, {
      status: 201,
      headers: { 'idempotency-replayed': 'true' },
      body: { inviteLink: null, user: { id: first.body.user.id } }
    })
    const made = { name: 'Hall', permissions: ['jobs.read'], groupIds: [], days: 1 }
    const keys = key()
    const one = await call('POST', '/api/v1/api-keys', { token, headers: keys, body: made })
    const two = await call('POST', '/api/v1/api-keys', { token, headers: keys, body: made })
    t.match(one.body.key, /^wv_api_/)
    t.match(two.body, { key: null, apiKey: { id: one.body.apiKey.id } })
    for (const address of ['10.0.0.0/8', '256.1.1.1', '1.2.3', 'localhost', '::1]/x[', 'fe80::1%eth0', ':::']) {
      const answer = await call('POST', '/api/v1/api-keys', { token, body: { ...made, addresses: ['192.0.2.1', address] } })
      t.match(answer, { status: 400, body: { code: 'address_invalid', errors: [{ pointer: '/addresses/1' }] } }, address)
    }
    const six = await call('POST', '/api/v1/api-keys', { token, body: { ...made, addresses: ['2001:0DB8:0::0001'] } })
    t.same(six.body.apiKey.addresses, ['2001:db8::1'], 'as requests show it')
    t.equal((await call('GET', '/test/jobs', { token: six.body.key, ip: '2001:db8::1' })).status, 200)
  })

  await t.test('roles: built-in ones give exactly what is written, and the catalogue names what may be given', async t => {
    const { items } = (await call('GET', '/api/v1/roles', { token })).body
    const catalogue = Object.keys(door.permissions)
    for (const [name, patterns] of Object.entries(builtInRoles)) {
      const role = items.find((item: { name: string }) => item.name === name)
      t.match(role, { builtIn: true }, name)
      t.same(role.permissions, expand(patterns, catalogue))
    }
    const listed = (await call('GET', '/api/v1/permissions', { token })).body.items.map((item: { permission: string }) => item.permission)
    t.ok(listed.includes('jobs.read'))
    t.notOk(listed.includes('erp.write') || listed.includes('session.own'))
    t.same(expand(['jobs.*'], ['jobs.read', 'jobsite.read', 'erp.jobs.x', 'jobs.work']), ['jobs.read', 'jobs.work'])
    t.same(expand(['*'], ['erp.write', 'session.own', 'a.b']), ['a.b'])
  })

  await t.test('roles: seeding again with a longer catalogue gives the new permission and makes no second role', async t => {
    const before = await rows("select id from authz.role where name = 'administrator'")
    await door.write(tx => door.face.seed(tx, [...Object.keys(door.permissions), 'jobs.new']))
    t.same(await rows("select id from authz.role where name = 'administrator'"), before)
    t.match(await rows("select name from authz.role where 'jobs.new' = any(permissions) order by name"), [
      { name: 'administrator' },
      { name: 'team_lead' }
    ])
    await door.runDuties()
    t.same(
      await rows("select name from authz.role where 'jobs.new' = any(permissions)"),
      [],
      'the duty goes by the catalogue of this version'
    )
  })

  await t.test('employeeOfUser: says which employee a person is, and nothing for a key', async t => {
    const employee = newId()
    const { keys } = door.tenant.ctx.tenant
    await door.write(tx => door.face.linkEmployees(tx, [{ id: employee, numberBlind: keys.blind('7', 'employee.number'), active: true }]))
    const body = { username: 'linked', employeeNumber: '7', roleIds: [], groupIds: [], password: goodPassword }
    const { id } = (await call('POST', '/api/v1/users', { token, body })).body.user
    const ctx = (kind: 'user' | 'api_key') => ({ ...door.tenant.ctx, principal: { kind, id } })
    t.equal(await door.face.employeeOfUser(ctx('user')), employee)
    t.equal(await door.face.employeeOfUser(ctx('api_key')), null)
    t.throws(() => door.face.require(ctx('user'), 'jobs.work'), { code: 'forbidden' })
  })

  await t.test('journal: every change is in it, with ids and without names', async t => {
    const acts = (await rows<{ act: string }>('select distinct act from journal.entry order by act')).map(row => row.act)
    for (const act of [
      'api_key.create',
      'group.create',
      'session.start',
      'user.change',
      'user.create',
      'user.invite',
      'user.password_set'
    ]) {
      t.ok(acts.includes(act), act)
    }
    const text = JSON.stringify(await rows('select subject_id, data, actor_id from journal.entry'))
    for (const name of ['Zoë', 'Bram', 'Carla', 'repeat', 'linked']) t.notMatch(text, name)
  })
})
