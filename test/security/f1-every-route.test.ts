import t from 'tap'
import { describeApi } from '../../core/http/openapi.ts'
import { openTestHouse } from '../helpers/house.ts'

interface Operation {
  readonly operationId?: string
  readonly security?: readonly unknown[]
  readonly responses?: Readonly<Record<string, unknown>>
}
interface Route {
  readonly method: string
  readonly path: string
  readonly operation: Operation
}

const random = '0190ffff-ffff-7fff-8fff-ffffffffffff'
/** What may be asked without being signed in, outright. */
const open = ['live', 'ready', 'signIn', 'refreshSession', 'acceptInvitation']

t.test('F1', async t => {
  const at = await openTestHouse(t)
  const other = await at.newTenant()
  const admin = await at.admin()
  const foreign = await at.admin(other)
  const document = JSON.parse(await describeApi(at.house.app)) as { paths: Record<string, Record<string, Operation>> }
  const routes: Route[] = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation }))
  )
  const at_ = (path: string, id = random): string => path.replace(/\{number\}|\{seq\}/g, '999999').replace(/\{[^}]+\}/g, id)
  const guarded = routes.filter(route => !open.includes(route.operation.operationId ?? ''))

  await t.test('F1: the routes without a sign-in are exactly those that are meant to be', async t => {
    t.ok(routes.length > 60, 'an empty scan is no pass')
    t.strictSame(
      routes
        .filter(route => route.operation.security?.length === 0)
        .map(route => route.operation.operationId)
        .toSorted(),
      open.toSorted()
    )
    for (const route of routes) t.ok(route.operation.operationId, `${route.method} ${route.path} has an operationId`)
    t.equal(new Set(routes.map(route => route.operation.operationId)).size, routes.length, 'each of its own')
  })

  await t.test('F1: without a token every other route answers 401, and a made-up one does not help', async t => {
    for (const route of guarded) {
      for (const token of [undefined, 'x.y.z', `wv_api_${'0'.repeat(18)}_${'0'.repeat(64)}`]) {
        const answer = await at.call(route.method, at_(route.path), token === undefined ? {} : { token })
        t.equal(answer.status, 401, `${route.method} ${route.path}`)
        t.match(answer.headers.get('content-type'), /problem\+json/)
      }
    }
  })

  await t.test('F1: a person without any permission gets 403, whatever the id', async t => {
    const made = await at.call<{ user: { id: string } }>('POST', '/api/v1/users', {
      token: admin,
      body: { username: 'nobody', roleIds: [], groupIds: [], password: 'Een-andere-lange-zin' }
    })
    t.equal(made.status, 201)
    const token = await at.signIn(at.tenant, 'nobody', 'Een-andere-lange-zin')
    const own = new Set(['followChanges', 'me', 'mySessions', 'endMySession', 'changePassword', 'signOut', 'today', 'listActivityCodes'])
    for (const route of guarded) {
      if (own.has(route.operation.operationId ?? '')) continue
      t.equal((await at.call(route.method, at_(route.path), { token })).status, 403, `${route.method} ${route.path}`)
    }
  })

  await t.test('F1: an id of another customer is as unknown as a random one', async t => {
    const mine = await at.call<{ items: { id: string }[] }>('GET', '/api/v1/users', { token: admin })
    const id = mine.body.items[0]?.id ?? ''
    for (const route of routes.filter(r => r.method === 'GET' && r.path.startsWith('/api/v1/') && /\{/.test(r.path))) {
      const [theirs, none] = [
        await at.call('GET', at_(route.path, id), { token: foreign }),
        await at.call('GET', at_(route.path), { token: foreign })
      ]
      t.equal(theirs.status, none.status, `${route.path}: ${theirs.status} and ${none.status}`)
      t.ok(
        [400, 404].includes(theirs.status) || (theirs.body as { items?: unknown[] }).items?.length === 0,
        `${route.path} answers ${theirs.status}`
      )
    }
  })

  await t.test('F1: no route answers with 5xx to an administrator who sends nonsense', async t => {
    for (const route of guarded.filter(r => !['signOut', 'endMySession'].includes(r.operation.operationId ?? ''))) {
      for (const body of [undefined, {}, [], { x: 1 }, 'text', { id: '\u0000' }]) {
        const answer = await at.call(route.method, at_(route.path), {
          token: admin,
          ...(body === undefined || route.method === 'GET' ? {} : { body })
        })
        t.ok(answer.status < 500, `${route.method} ${route.path} ${JSON.stringify(body)}: ${answer.status}`)
        if (route.method === 'GET') break
      }
    }
    for (const [path, status] of [
      ['/nothing/here', 404],
      ['/api/v1/jobs/%E0%A4%A', 400],
      ['/api/v1/jobs?limit=x', 400],
      ['/api/v1/jobs?limit=1000000', 400]
    ] as const) {
      const answer = await at.call('GET', path, { token: admin })
      t.equal(answer.status, status, path)
      t.match(answer.headers.get('content-type'), /problem\+json/)
    }
  })
})
