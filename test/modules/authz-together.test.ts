import t from 'tap'
import { demoPassword } from '../../demo/setup.ts'
import { identity } from '../../modules/authz/grant.ts'
import { openTestHouse } from '../helpers/house.ts'

interface Named {
  readonly id: string
  readonly name: string
}

/** Whoever asks together is read together; what one may must never become another's. */
t.test('grants read together', async t => {
  const at = await openTestHouse(t)
  const token = await at.admin()
  const { db, tenant } = await at.ctx()
  const items = async (path: string): Promise<readonly Named[]> =>
    (await at.call<{ items: readonly Named[] }>('GET', path, { token })).body.items
  const roles = await items('/api/v1/roles')
  const tokens: string[] = []
  for (const [n, role] of ['operator', 'warehouse', 'operator', 'team_lead'].entries()) {
    const rules = [{ kind: 'department', value: `DEP${n}` }]
    const group = await at.call<Named>('POST', '/api/v1/groups', { token, body: { name: `Group ${n}`, rules } })
    const body = {
      ...{ username: `person${n}`, name: `Person ${n}`, password: demoPassword, mustChangePassword: false },
      ...{ roleIds: roles.filter(({ name }) => name === role).map(({ id }) => id), groupIds: [group.body.id] }
    }
    await at.call('POST', '/api/v1/users', { token, body })
    tokens.push(await at.signIn(at.tenant, `person${n}`, demoPassword))
  }
  const claims = tokens.map(one => {
    const { sub, sid } = JSON.parse(Buffer.from(one.split('.')[1] ?? '', 'base64url').toString()) as { sub: string; sid: string }
    return { userId: sub, sessionId: sid }
  })
  const ask = (one: { userId: string; sessionId: string }) => identity.ofSession(db, tenant, one, new Date())

  await t.test('grants: each of many that ask in one moment gets its own, as when it asks alone', async t => {
    const alone: Awaited<ReturnType<typeof ask>>[] = []
    for (const one of claims) alone.push(await ask(one))
    t.strictSame(
      alone.map(one => one?.grant.scope.departments),
      [['DEP0'], ['DEP1'], ['DEP2'], ['DEP3']]
    )
    const many = Array.from({ length: 40 }, (_, n) => n % claims.length)
    const together = await Promise.all(many.map(n => ask(claims[n] ?? { userId: '', sessionId: '' })))
    t.strictSame(
      together,
      many.map(n => alone[n])
    )
  })

  await t.test('grants: a session of somebody else gives nothing, though its own user asks in the same moment', async t => {
    const [mine, theirs] = claims
    if (!mine || !theirs) throw new Error('two people were made')
    const mixed = { userId: mine.userId, sessionId: theirs.sessionId }
    const answers = await Promise.all([ask(theirs), ask(mixed), ask(mine)])
    t.strictSame(
      answers.map(one => one?.principal.id),
      [theirs.userId, undefined, mine.userId]
    )
  })

  await t.test('grants: whose session ends while others go on is out at the next question', async t => {
    const others = () => claims.slice(1).map(ask)
    const first = claims[0] ?? { userId: '', sessionId: '' }
    t.ok((await Promise.all([ask(first), ...others()]))[0])
    t.ok((await at.call('DELETE', `/api/v1/session/list/${first.sessionId}`, { token: tokens[0] ?? '' })).status < 300)
    const [ended, ...rest] = await Promise.all([ask(first), ...others()])
    t.equal(ended, undefined)
    t.ok(rest.every(one => one !== undefined))
  })

  await t.test('grants: what keeps the question from being answered is told to each who asked', async t => {
    const broken = { pool: db.pool, kysely: { getExecutor: () => fails() } as never }
    const fails = (): never => {
      throw new Error('the database is away')
    }
    const answers = await Promise.allSettled(claims.map(one => identity.ofSession(broken, tenant, one, new Date())))
    t.ok(answers.every(one => one.status === 'rejected'))
  })
})
