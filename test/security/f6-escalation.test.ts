import t from 'tap'
import { goodPassword, openDoor } from '../helpers/door.ts'

t.test('F6: nobody lifts themselves', async t => {
  const door = await openDoor(t)
  const { call, rows, roleId, tenant } = door
  const admin = await door.admin()
  const root = (await call('GET', '/api/v1/session', { token: admin })).body.id
  const administrator = await roleId('administrator')
  const make = (name: string, permissions: string[]) => call('POST', '/api/v1/roles', { token: admin, body: { name, permissions } })
  const keepers = (
    await make('People keepers', [
      'users.read',
      'users.manage',
      'roles.read',
      'roles.manage',
      'groups.read',
      'groups.manage',
      'api_keys.manage'
    ])
  ).body
  const welding = (
    await call('POST', '/api/v1/groups', { token: admin, body: { name: 'Welding', rules: [{ kind: 'department', value: 'WELD' }] } })
  ).body
  const painting = (
    await call('POST', '/api/v1/groups', { token: admin, body: { name: 'Painting', rules: [{ kind: 'department', value: 'PAINT' }] } })
  ).body
  const everything = (await rows<{ id: string }>("select id from authz.operational_group where name = 'Everything'"))[0]?.id
  const keeper = await door.person('keeper', ['People keepers'], [welding.id])
  const worker = await door.person('worker', ['operator'], [welding.id])
  const as = (method: string, path: string, body?: unknown) =>
    call(method, path, { token: keeper.token, ...(body === undefined ? {} : { body }) })
  const notHeld = { status: 403, body: { code: 'permission_not_held' } }
  const notTheirJobs = { status: 403, body: { code: 'jobs_not_held' } }

  await t.test('F6: who manages users gives themselves and others only what they hold', async t => {
    t.match(await as('PATCH', `/api/v1/users/${keeper.id}`, { roleIds: [administrator, keepers.id] }), notHeld)
    t.match(await as('PATCH', `/api/v1/users/${keeper.id}`, { roleIds: [await roleId('operator'), keepers.id] }), notHeld)
    t.match(
      await as('POST', '/api/v1/users', { username: 'puppet', roleIds: [administrator], groupIds: [], password: goodPassword }),
      notHeld
    )
    t.match(await as('POST', '/api/v1/users', { username: 'colleague', roleIds: [keepers.id], groupIds: [welding.id] }), { status: 201 })
    t.same(
      await rows('select user_id from authz.user_role where role_id = $1', [administrator]),
      [{ user_id: root }],
      'nobody became administrator'
    )
  })

  await t.test('F6: a new link for the administrator is made by nobody below', async t => {
    t.match(await as('POST', `/api/v1/users/${root}/invitation`), notHeld)
    t.match(await as('PATCH', `/api/v1/users/${root}`, { active: false }), notHeld)
    t.match(await as('PATCH', `/api/v1/users/${root}`, { roleIds: [] }), notHeld)
    t.match(await as('PATCH', `/api/v1/users/${root}`, { employeeNumber: null }), notHeld)
    t.match(await as('POST', `/api/v1/users/${worker.id}/invitation`), notHeld, 'an operator holds what the keeper does not')
  })

  await t.test('F6: who edits roles gives and takes only what they hold, and built-in roles stay', async t => {
    t.match(await as('POST', '/api/v1/roles', { name: 'More', permissions: ['users.read', 'jobs.work'] }), notHeld)
    t.match(
      await as('PUT', `/api/v1/roles/${keepers.id}`, { version: keepers.version, permissions: [...keepers.permissions, 'journal.read'] }),
      notHeld
    )
    const readers = (await make('Readers', ['jobs.read', 'users.read'])).body
    t.match(await as('PUT', `/api/v1/roles/${readers.id}`, { version: 1, permissions: ['users.read'] }), notHeld, 'taking away counts too')
    t.match(await as('DELETE', `/api/v1/roles/${readers.id}?version=1`), notHeld)
    t.match(await as('POST', '/api/v1/roles', { name: 'Odd', permissions: ['erp.write'] }), {
      status: 400,
      body: { code: 'permission_unknown' }
    })
    t.match(await as('POST', '/api/v1/roles', { name: 'Odd', permissions: ['session.own'] }), {
      status: 400,
      body: { code: 'permission_unknown' }
    })
    t.match(await call('PUT', `/api/v1/roles/${administrator}`, { token: admin, body: { version: 1, permissions: [] } }), {
      status: 409,
      body: { code: 'role_built_in' }
    })
    t.match(await call('DELETE', `/api/v1/roles/${administrator}?version=1`, { token: admin }), {
      status: 409,
      body: { code: 'role_built_in' }
    })
  })

  await t.test('F6: who manages groups gives nobody more jobs than their own', async t => {
    t.match(await as('PATCH', `/api/v1/users/${keeper.id}`, { groupIds: [welding.id, everything] }), notTheirJobs)
    t.match(await as('PATCH', `/api/v1/users/${keeper.id}`, { groupIds: [painting.id] }), notTheirJobs)
    t.match(await as('POST', '/api/v1/groups', { name: 'Mine', rules: [{ kind: 'all', value: '' }] }), notTheirJobs)
    t.match(await as('POST', '/api/v1/groups', { name: 'Mine', rules: [{ kind: 'order_pattern', value: '%' }] }), notTheirJobs)
    const rules = [...welding.rules, { kind: 'department', value: 'PAINT' }]
    t.match(await as('PUT', `/api/v1/groups/${welding.id}`, { version: welding.version, rules }), notTheirJobs)
    t.match(await as('PUT', `/api/v1/groups/${painting.id}`, { version: painting.version, rules: [] }), notTheirJobs)
    t.match(await as('DELETE', `/api/v1/groups/${painting.id}?version=${painting.version}`), notTheirJobs)
    t.match(await as('POST', '/api/v1/groups', { name: 'Welders too', rules: welding.rules }), { status: 201 })
  })

  await t.test('F6: an API key does no more than whoever made it', async t => {
    const key = (permissions: string[], groupIds: string[]) =>
      as('POST', '/api/v1/api-keys', { name: 'key', permissions, groupIds, days: 1 })
    t.match(await key(['jobs.read'], [welding.id]), notHeld)
    t.match(await key(['users.read'], [everything ?? '']), notTheirJobs)
    t.match(await key(['erp.write'], []), { status: 400, body: { code: 'permission_unknown' } })
    const made = (await key(['users.read', 'users.manage'], [welding.id])).body.key
    t.match(await call('PATCH', `/api/v1/users/${keeper.id}`, { token: made, body: { roleIds: [administrator] } }), notHeld)
  })

  await t.test('F6: the last administrator stays, also when two remove each other at the same moment', async t => {
    const last = { status: 409, body: { code: 'last_administrator' } }
    t.match(await call('PATCH', `/api/v1/users/${root}`, { token: admin, body: { active: false } }), last)
    t.match(await call('PATCH', `/api/v1/users/${root}`, { token: admin, body: { roleIds: [keepers.id] } }), last)
    await call('POST', '/api/v1/users', { token: admin, body: { username: 'invited', roleIds: [administrator], groupIds: [] } })
    t.match(
      await call('PATCH', `/api/v1/users/${root}`, { token: admin, body: { active: false } }),
      last,
      'one who never came in does not count'
    )
    for (let round = 0; round < 5; round++) {
      const other = await door.person(`second-${round}`, ['administrator'], everything ? [everything] : [])
      const answers = await Promise.all([
        call('PATCH', `/api/v1/users/${other.id}`, { token: admin, body: { roleIds: [] } }),
        call('PATCH', `/api/v1/users/${root}`, { token: other.token, body: { roleIds: [] } })
      ])
      t.ok(answers.some(answer => answer.status === 200))
      const left = await rows<{ user_id: string }>(
        'select ur.user_id from authz.user_role ur join authz."user" u on u.id = ur.user_id where ur.role_id = $1 and u.active and u.password_phc is not null',
        [administrator]
      )
      t.equal(left.length, 1, 'exactly one is left')
      await rows('insert into authz.user_role (user_id, role_id) values ($1, $2) on conflict do nothing', [root, administrator])
      await rows('delete from authz.user_role where user_id = $1', [other.id])
    }
  })

  await t.test('F6: fields that nobody offers are refused', async t => {
    for (const extra of [
      { permissions: ['*'] },
      { mustChangePassword: false },
      { tenantId: tenant.ctx.tenant.id },
      { password: goodPassword }
    ]) {
      t.match(await as('PATCH', `/api/v1/users/${keeper.id}`, { name: 'K', ...extra }), { status: 400, body: { code: 'invalid_request' } })
    }
  })

  await t.test('F1: an id of another customer is no id here', async t => {
    const other = await door.newTenant('other')
    const [foreign] = await rows<{ id: string }>('select id from authz."user"', [], other.ctx)
    const [foreignRole] = await rows<{ id: string }>("select id from authz.role where name = 'administrator'", [], other.ctx)
    t.match(await call('GET', `/api/v1/users/${foreign?.id}`, { token: admin }), { status: 404, body: { code: 'user_unknown' } })
    t.match(await call('PATCH', `/api/v1/users/${foreign?.id}`, { token: admin, body: { active: false } }), { status: 404 })
    t.match(await call('PATCH', `/api/v1/users/${keeper.id}`, { token: admin, body: { roleIds: [foreignRole?.id] } }), {
      status: 400,
      body: { code: 'role_unknown' }
    })
  })
})
