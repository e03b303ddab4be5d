import t from 'tap'
import { fixedClock } from '../../core/clock.ts'
import { forgetKeys } from '../../core/http/idempotency.ts'
import { openTestHouse } from '../helpers/house.ts'

t.test('request keys: a key is kept for a month, and then free again', async t => {
  const clock = fixedClock('2027-03-01T08:00:00.000Z')
  const at = await openTestHouse(t, { clock })
  let token = await at.admin()
  const put = (name: string) =>
    at.call('POST', '/api/v1/groups', { token, body: { name, rules: [] }, headers: { 'idempotency-key': 'a-key-of-one-request' } })
  t.equal((await put('Turning')).status, 201)

  clock.advance(29 * 86_400)
  token = await at.admin()
  t.equal(await forgetKeys(await at.ctx()), 0)
  const again = await put('Turning')
  t.equal(again.headers.get('idempotency-replayed'), 'true', 'a repeat within the month gets the first answer')

  clock.advance(2 * 86_400)
  token = await at.admin()
  t.equal(await forgetKeys(await at.ctx()), 1)
  t.equal((await put('Milling')).status, 201, 'the key may stand for another request')
})
