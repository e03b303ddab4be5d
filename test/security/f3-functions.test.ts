import t from 'tap'
import { builtInRoles } from '../../modules/authz/roles.ts'
import { sameAsFile } from '../helpers/golden.ts'
import { adminPassword, openTestHouse } from '../helpers/house.ts'

interface Operation {
  readonly method: string
  readonly path: string
  readonly permission: string | null
}

const id = '00000000-0000-7000-8000-000000000000'

t.test('F3: every route and every role', async t => {
  const house = await openTestHouse(t)
  const { call, tenant, signIn } = house
  const admin = await house.admin()
  const description = (
    await call<{ paths: Record<string, Record<string, { 'x-permission': string | null }>> }>('GET', '/api/v1/openapi.json')
  ).body
  const operations: Operation[] = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, permission: operation['x-permission'] }))
  )
  const roles = (
    await call<{ items: { id: string; name: string; builtIn: boolean; permissions: string[] }[] }>('GET', '/api/v1/roles', { token: admin })
  ).body.items
  const built = roles.filter(role => role.builtIn)
  const holders = (permission: string | null): string =>
    permission === null
      ? '(public)'
      : permission === 'session.own'
        ? '(everybody who is signed in)'
        : permission.startsWith('erp.')
          ? '(token of an ERP)'
          : built
              .filter(role => role.permissions.includes(permission))
              .map(role => role.name)
              .join(' ') || '(nobody)'

  await t.test('F3: who may call what is the reviewed table', async t => {
    t.ok(operations.length > 60, 'an empty table is not a pass')
    const lines = operations.map(({ method, path, permission }) => `${path} ${method}: ${permission ?? '-'} -> ${holders(permission)}`)
    sameAsFile(t, 'test/security/authz-matrix.txt', `${lines.sort().join('\n')}\n`)
    t.notMatch(lines.join('\n'), /\(nobody\)/, 'a permission that no role gives is a mistake')
  })

  await t.test('F3: every pattern of a built-in role gives something', async t => {
    const catalogue = Object.keys(house.house.permissions)
    for (const [role, patterns] of Object.entries(builtInRoles)) {
      for (const pattern of patterns) {
        const fits = catalogue.some(p => pattern === '*' || p === pattern || (pattern.endsWith('.*') && p.startsWith(pattern.slice(0, -1))))
        t.ok(fits, `${role}: ${pattern}`)
      }
    }
    t.same(new Set(built.map(role => role.name)), new Set(Object.keys(builtInRoles)))
  })

  await t.test('F3: each route answers each role as the table says', async t => {
    const tokens = new Map<string, string>()
    for (const role of built) {
      const body = { username: role.name, roleIds: [role.id], groupIds: [], password: adminPassword, mustChangePassword: false }
      t.equal((await call('POST', '/api/v1/users', { token: admin, body })).status, 201)
      tokens.set(role.name, await signIn(tenant, role.name, adminPassword))
    }
    let refused = 0
    let admitted = 0
    for (const { method, path, permission } of operations) {
      if (permission === null) continue
      const url = path.replaceAll(/\{[^}]+\}/g, id)
      t.equal((await call(method, url)).status, 401, `${method} ${path} without a token`)
      // Nobody's session ends here while it is still needed.
      if (permission === 'session.own') continue
      for (const role of built) {
        const answer = await call<{ code?: string }>(method, url, { token: tokens.get(role.name) ?? '' })
        const forbidden = answer.status === 403 && answer.body.code === 'forbidden'
        const expected = !role.permissions.includes(permission)
        if (forbidden !== expected || answer.status === 401)
          t.fail(`${method} ${path} answers ${role.name} with ${answer.status} ${answer.body.code}`)
        if (forbidden) refused++
        else admitted++
        if (answer.status >= 500) t.fail(`${method} ${path} answers ${role.name} with ${answer.status}`)
      }
    }
    t.ok(refused > 100 && admitted > 100, `${refused} refused, ${admitted} let in`)
  })
})
