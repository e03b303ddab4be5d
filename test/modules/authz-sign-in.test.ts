import t from 'tap'
import { goodPassword, openDoor } from '../helpers/door.ts'

t.test('sign-in', async t => {
  const door = await openDoor(t)
  const { call, signIn, tenant } = door

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
})
