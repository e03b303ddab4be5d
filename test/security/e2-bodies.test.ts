import t from 'tap'
import { openTestHouse } from '../helpers/house.ts'

t.test('E2: a NUL character that no schema caught is a wrong request, never a fault of ours', async t => {
  const at = await openTestHouse(t)
  const token = await at.admin()
  const connection = { name: 'ERP', adapter: 'werkvloer.csv', config: { delimiter: ';', trailer: 'a\u0000b' } }
  const answer = await at.call('POST', '/api/v1/connections', { token, body: connection })
  t.match(answer, { status: 400, body: { code: 'invalid_request', detail: /NUL/ } })
})

t.test('E2: a body of a hundred thousand levels is refused, wherever a schema leaves the inside free', async t => {
  const at = await openTestHouse(t)
  const token = await at.admin()
  const made = await at.call<{ id: string }>('POST', '/api/v1/connections', {
    token,
    body: { name: 'ERP', adapter: 'werkvloer.csv', config: { delimiter: ';' } }
  })
  t.equal(made.status, 201)
  const nested = (levels: number) =>
    `{"version":0,"codeTables":{},"mapping":{"imports":{"workOrder":{"number":${'['.repeat(levels)}${']'.repeat(levels)}}}}}`
  for (const levels of [100_000, 5_000, 100]) {
    const answer = await at.call('PUT', `/api/v1/connections/${made.body.id}/mapping`, {
      token,
      raw: nested(levels),
      headers: { 'content-type': 'application/json', 'idempotency-key': `deep-body-${levels}` }
    })
    t.match(answer, { status: 400, body: { code: 'malformed_body', detail: /64 levels/ } }, `${levels} levels`)
  }
  const flat = await at.call('POST', '/api/v1/sign-in', { raw: `${'['.repeat(100_000)}`, headers: { 'content-type': 'application/json' } })
  t.match(flat, { status: 400, body: { code: 'malformed_body' } }, 'one that never closes')
})
