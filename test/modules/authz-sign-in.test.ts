import t from 'tap'
import { goodPassword, newId, openDoor } from '../helpers/door.ts'

t.test('sign-in', async t => {
  const door = await openDoor(t)
  const { call, signIn, rows, write, tenant } = door

  await t.test('first administrator: the link sets a password once, and only then one can sign in', async t => {
    t.equal((await signIn('admin', goodPassword)).status, 401, 'no password yet')
    const weak = await call('POST', '/api/v1/invitations/accept', { body: { token: tenant.inviteToken, password: 'password1' } })
    t.match(weak, { status: 400, body: { code: 'password_weak' } })
    const answer = await call('POST', '/api/v1/invitations/accept', { body: { token: tenant.inviteToken, password: goodPassword } })
    t.match(answer, { status: 200, body: { customer: 'acme', username: 'admin' } })
    const again = await call('POST', '/api/v1/invitations/accept', { body: { token: tenant.inviteToken, password: `${goodPassword}2` } })
    t.match(again, { status: 410, body: { code: 'invitation_invalid' } })
    const me = await call('GET', '/api/v1/session', { token: (await signIn('ADMIN', goodPassword)).body.accessToken })
    t.match(me, {
      status: 200,
      body: { username: 'admin', customer: 'acme', groups: [{ name: 'Everything' }], roles: [{ name: 'administrator' }] }
    })
    t.notOk(me.body.permissions.includes('erp.write'), 'what an ERP may do belongs to no user')
  })
  await t.test('sign-in: an employee number does as well as the user name, as long as the employee is active', async t => {
    const { keys } = tenant.ctx.tenant
    const link = (id: string, number: string | null, active: boolean) =>
      write(tx =>
        door.face.linkEmployees(tx, [{ id, numberBlind: number === null ? null : keys.blind(number, 'employee.number'), active }])
      )
    const [ann, bob] = [newId(), newId()]
    await link(ann, '001042', true)
    const token = await door.admin()
    const body = { username: 'ann', employeeNumber: '001042', roleIds: [], groupIds: [], password: goodPassword, mustChangePassword: false }
    t.match(await call('POST', '/api/v1/users', { token, body }), { status: 201, body: { user: { employeeId: ann } } })
    t.match(await call('POST', '/api/v1/users', { token, body: { ...body, username: 'bob' } }), {
      status: 409,
      body: { code: 'employee_linked' }
    })
    t.match(await call('POST', '/api/v1/users', { token, body: { ...body, username: 'bob', employeeNumber: '77' } }), {
      status: 400,
      body: { code: 'employee_number_unknown' }
    })
    t.equal((await signIn('001042', goodPassword)).status, 200)
    t.equal((await signIn('1042', goodPassword)).status, 401, 'leading zeros count')
    await link(ann, '001042', false)
    t.equal((await signIn('001042', goodPassword)).status, 401)
    t.equal((await signIn('ann', goodPassword)).status, 200, 'the user is another matter')
    await link(bob, '001042', true)
    await link(ann, null, true)
    t.equal((await signIn('001042', goodPassword)).status, 401, 'the number moved to somebody without a user')
  })

  await t.test('sign-in: a browser gets the refresh token as a cookie that scripts do not see, others when they ask', async t => {
    const body = { customer: 'acme', username: 'ann', password: goodPassword }
    const browser = await call('POST', '/api/v1/sign-in', { body })
    t.equal(browser.body.refreshToken, undefined)
    t.match(browser.headers['set-cookie'], /^wv_refresh=wv_refresh_[0-9a-f_]+; Path=\/; HttpOnly; SameSite=Strict$/)
    const cookie = String(browser.headers['set-cookie']).split(';')[0] ?? ''
    const refresh = (headers: Record<string, string>) => call('POST', '/api/v1/session/refresh', { headers: { cookie, ...headers } })
    t.equal((await refresh({ 'sec-fetch-site': 'cross-site' })).status, 401, 'another site may not use it')
    t.equal((await refresh({ 'sec-fetch-site': 'same-site' })).status, 401)
    const answer = await refresh({ 'sec-fetch-site': 'same-origin' })
    t.equal(answer.status, 200)
    t.not(String(answer.headers['set-cookie']).split(';')[0], cookie)
    t.equal((await call('POST', '/api/v1/session/refresh', {})).status, 401)
    const other = await call('POST', '/api/v1/sign-in', { body, headers: { 'x-refresh-in-body': 'yes' } })
    t.match(other.body.refreshToken, /^wv_refresh_/)
  })

  await t.test('sign-in: a password that somebody else chose lets one choose another, and nothing else', async t => {
    const token = await door.admin()
    const body = { username: 'new', roleIds: [await door.roleId('operator')], groupIds: [], password: goodPassword }
    t.match(await call('POST', '/api/v1/users', { token, body }), {
      status: 201,
      body: { inviteLink: null, user: { mustChangePassword: true } }
    })
    const first = await signIn('new', goodPassword)
    t.match(first, { status: 200, body: { mustChangePassword: true } })
    const mine = { token: first.body.accessToken }
    t.match(await call('GET', '/test/jobs', mine), { status: 403 })
    t.match(await call('GET', '/api/v1/session', mine), { status: 200, body: { permissions: ['session.own'], mustChangePassword: true } })
    const change = (current: string, password: string) => call('POST', '/api/v1/session/password', { ...mine, body: { current, password } })
    t.match(await change(goodPassword, goodPassword), { status: 400, body: { code: 'password_weak' } })
    t.match(await change('niet-dit-wachtwoord', 'een eigen lange zin'), { status: 403, body: { code: 'password_wrong' } })
    t.equal((await change(goodPassword, 'een eigen lange zin')).status, 204)
    t.equal((await call('GET', '/test/jobs', mine)).status, 200, 'the same session goes on with its rights')
    t.match(await signIn('new', 'een eigen lange zin'), { status: 200, body: { mustChangePassword: false } })
  })

  await t.test('sessions: one sees where one is signed in, ends one elsewhere, and the eleventh ends the oldest', async t => {
    await door.person('eve', [])
    const all = []
    for (let i = 0; i < 10; i++) {
      door.clock.advance(1)
      all.push((await signIn('eve', goodPassword)).body.accessToken)
    }
    const list = (token: string) => call('GET', '/api/v1/session/list', { token })
    const shown = (await list(all[9])).body.items
    t.equal(shown.length, 10, 'ten, the first of eleven is gone')
    t.equal(shown.filter((item: { current: boolean }) => item.current).length, 1)
    const oldest = shown.at(-1).id
    t.equal((await list(all[0])).status, 200)
    t.equal((await call('DELETE', `/api/v1/session/list/${oldest}`, { token: all[9] })).status, 204)
    t.equal((await list(all[0])).status, 401)
    const stranger = (await signIn('ann', goodPassword)).body.accessToken
    await call('DELETE', `/api/v1/session/list/${shown[0].id}`, { token: stranger })
    t.equal((await list(all[9])).status, 200, 'nobody ends a session of somebody else by its id')
    await call('POST', '/api/v1/session/password', { token: all[9], body: { current: goodPassword, password: 'een heel nieuwe zin' } })
    t.equal((await list(all[9])).status, 200)
    t.equal((await list(all[8])).status, 401, 'a new password ends the others')
  })

  await t.test('invitations: a newer link makes the older one worthless, and one of three days is too old', async t => {
    const token = await door.admin()
    const made = await call('POST', '/api/v1/users', { token, body: { username: 'ina', roleIds: [], groupIds: [] } })
    t.match(made.body.inviteLink, /\/welcome#wv_invite_/)
    const tokenOf = (link: string): string => link.split('#')[1] ?? ''
    const accept = (invite: string) => call('POST', '/api/v1/invitations/accept', { body: { token: invite, password: goodPassword } })
    const again = await call('POST', `/api/v1/users/${made.body.user.id}/invitation`, { token: await door.admin() })
    t.equal((await accept(tokenOf(made.body.inviteLink))).status, 410)
    door.clock.advance(72 * 3_600 + 1)
    t.equal((await accept(tokenOf(again.body.inviteLink))).status, 410)
    const third = await call('POST', `/api/v1/users/${made.body.user.id}/invitation`, { token: await door.admin() })
    const answers = await Promise.all([accept(tokenOf(third.body.inviteLink)), accept(tokenOf(third.body.inviteLink))])
    t.same(answers.map(answer => answer.status).sort(), [200, 410], 'two at the same moment: one')
    t.equal((await accept(`wv_invite_${'0'.repeat(18)}_${'0'.repeat(64)}`)).status, 410)
  })

  await t.test('sign-in: neither names nor addresses nor secrets stand in the database in plain text', async t => {
    const dump = JSON.stringify(
      await Promise.all(
        ['authz."user"', 'authz.session', 'authz.invitation', 'authz.sign_in_attempt', 'journal.entry'].map(table =>
          rows(`select t::text from ${table} t`)
        )
      )
    )
    t.ok(dump.length > 5_000, 'an empty dump is not a pass')
    for (const secret of ['ann', 'eve', '001042', goodPassword, '127.0.0.1']) {
      t.notMatch(dump, new RegExp(`[^a-z0-9]${secret.replaceAll('.', '\\.')}[^a-z0-9]`, 'i'), secret)
      t.notMatch(dump, Buffer.from(secret).toString('hex'), `${secret} in hexadecimal`)
    }
  })

  await t.test('duties: ended sessions and used links go after thirty days, with their entries in the directory', async t => {
    door.clock.advance(31 * 86_400)
    const token = await door.admin()
    await door.runDuties()
    t.equal((await rows('select id from authz.session')).length, 1, 'the one of this moment')
    t.same(await rows('select id from authz.invitation'), [])
    const left = await door.at.control.kysely.selectFrom('control.credential').select(['kind']).execute()
    t.same(
      left.map(row => row.kind),
      ['session']
    )
    t.equal((await call('GET', '/api/v1/session', { token })).status, 200)
  })
})

t.test('sign-in: under https the cookie is bound to the host', async t => {
  const door = await openDoor(t, { settings: { WERKVLOER_PUBLIC_URL: 'https://floor.example.com' } })
  await door.admin()
  const answer = await door.signIn('admin', goodPassword)
  t.match(answer.headers['set-cookie'], /^__Host-wv_refresh=[^;]+; Path=\/; HttpOnly; SameSite=Strict; Secure$/)
})
