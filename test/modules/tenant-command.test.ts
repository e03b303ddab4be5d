import t from 'tap'
import { createTenant } from '../../core/commands/tenant.ts'
import { parts } from '../../parts.ts'
import { openTestHouse } from '../helpers/house.ts'
import { drop } from '../helpers/tenant.ts'

const wanted = { code: 'acme', name: 'Acme', zone: 'Europe/Amsterdam' }
const password = 'Een-lange-zin-voor-acme'

t.test('a customer being made', async t => {
  const at = await openTestHouse(t)
  const make = (given: { username?: string } = {}) => createTenant(at.house, { parts }, { ...wanted, ...given })
  const accept = (token: string) => at.call('POST', '/api/v1/invitations/accept', { body: { token, password } })
  t.teardown(async () => {
    const made = await at.house.tenants.byCode('acme')
    if (!made) return
    await at.house.tenants.drop(made.id)
    await drop(at.house.control, made.id)
  })

  await t.test('customer: a name nobody can sign in with is refused, and the same command with a good one finishes', async t => {
    for (const username of ['', 'x', 'two words', 'x'.repeat(61)]) {
      await t.rejects(make({ username }), { code: 'invalid_request', detail: /2 to 60 characters/ }, `"${username}"`)
    }
    t.match((await make()).inviteToken, /^wv_invite_/)
  })

  await t.test('customer: a link that was lost or ran out is replaced by running the command again, until somebody used it', async t => {
    const first = await make()
    const second = await make({ username: 'other' })
    t.equal(second.id, first.id)
    t.match(await accept(first.inviteToken), { status: 410, body: { code: 'invitation_invalid' } }, 'the one before stops working')
    t.match(await accept(second.inviteToken), { status: 200, body: { username: 'admin' } })
    await t.rejects(make(), { code: 'tenant_exists' })
    const token = await at.signIn({ ...second, code: 'acme' }, 'admin', password)
    const people = await at.call<{ items: unknown[] }>('GET', '/api/v1/users', { token })
    t.equal(people.body.items.length, 1, 'one administrator, not two')
  })
})
