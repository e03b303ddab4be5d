import t from 'tap'
import { goodPassword, openDoor, type Reply } from '../helpers/door.ts'
import { argon2id } from '../helpers/hashes.ts'

const wrong = 'niet-het-wachtwoord'

t.test('A3: who is there', async t => {
  const door = await openDoor(t)
  const { call, signIn } = door
  await door.person('ann', ['operator'])
  const bob = await door.person('bob', ['operator'])
  await call('PATCH', `/api/v1/users/${bob.id}`, { token: await door.admin(), body: { active: false } })
  await call('POST', '/api/v1/users', { token: await door.admin(), body: { username: 'invited', roleIds: [], groupIds: [] } })
  await door.newTenant('asleep')
  await door.at.control.kysely.updateTable('control.tenant').set({ state: 'suspended' }).where('code', '=', 'asleep').execute()

  const seen = ({ status, headers, body }: Reply) => ({
    status,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !['x-request-id', 'date'].includes(name))),
    body: { ...body, instance: '' }
  })
  const cases: Record<string, () => Promise<Reply>> = {
    'a wrong password': () => signIn('ann', wrong),
    'an unknown user': () => signIn('nobody', wrong),
    'a user that is switched off': () => signIn('bob', goodPassword),
    'a user without a password yet': () => signIn('invited', goodPassword),
    'an unknown customer': () => signIn('ann', goodPassword, { customer: 'nowhere' }),
    'a customer that is suspended': () => signIn('admin', goodPassword, { customer: 'asleep' })
  }

  await t.test('A3: unknown, switched off and wrong are one answer after the same work', async t => {
    const expected = seen(await signIn('ann', wrong, { ip: '192.0.2.200' }))
    t.match(expected, { status: 401, body: { code: 'sign_in_failed' } })
    for (const [what, attempt] of Object.entries(cases)) {
      const hashes = argon2id(t)
      t.same(seen(await attempt()), expected, what)
      t.equal(hashes.count(), 1, `${what} costs one hash`)
    }
  })

  await t.test('A3: the brake works for what does not exist as for what does', async t => {
    const waits = async (username: string, customer: string): Promise<string[]> => {
      const out: string[] = []
      for (let i = 0; i < 5; i++) {
        const answer = await signIn(username, wrong, { customer, ip: '192.0.2.201' })
        out.push(`${answer.status} ${answer.headers['retry-after'] ?? ''} ${answer.body.code} ${answer.body.detail}`)
      }
      return out
    }
    const known = await waits('ann', 'acme')
    t.match(known[4], /^429 2 /)
    t.same(await waits('somebody', 'acme'), known)
    t.same(await waits('ann', 'nowhere'), known)
    t.same(await waits('ann', 'asleep'), known)
  })

  await t.test('A3: user names that are taken are told only to those who manage users', async t => {
    const operator = await door.person('carl', ['operator'])
    const body = { username: 'ann', roleIds: [], groupIds: [] }
    t.match(await call('POST', '/api/v1/users', { token: operator.token, body }), { status: 403, body: { code: 'forbidden' } })
    t.match(await call('POST', '/api/v1/users', { token: await door.admin(), body }), { status: 409, body: { code: 'username_taken' } })
  })
})
