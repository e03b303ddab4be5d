import t, { type Test as T } from 'tap'
import { bodyFor, descriptionOf, type Operation, queryFor } from '../helpers/api.ts'
import { openTestHouse } from '../helpers/house.ts'

const someId = '0190ffff-ffff-7fff-8fff-ffffffffffff'
const filled = (path: string): string => path.replace(/\{(?:number|seq)\}/g, '1').replace(/\{[^}]+\}/g, someId)

t.test('E3', async t => {
  const at = await openTestHouse(t)
  const token = await at.admin()
  const { operations, schemas } = await descriptionOf(at.house)
  const made = await at.call<{ id: string }>('POST', '/api/v1/connections', {
    token,
    body: { name: 'ERP', adapter: 'werkvloer.neutral-rest', config: {} }
  })
  const erp = await at.call<{ token: string }>('POST', `/api/v1/connections/${made.body.id}/access/tokens`, {
    token,
    body: { label: 'ERP' }
  })
  const described = operations.filter(({ path, operationId }) => !path.startsWith('/health/') && operationId !== 'signOut')

  const ask = (operation: Operation, more: readonly string[], body = bodyFor(operation, schemas)) => {
    const given = queryFor(operation, schemas).slice(1)
    const query = [...(given === '' ? [] : [given]), ...more].join('&')
    return at.call<{ code?: string }>(operation.method, `${filled(operation.path)}?${query}`, {
      ...(operation.permission === null ? {} : { token: operation.permission.startsWith('erp.') ? erp.body.token : token }),
      ...(body === undefined ? {} : { body })
    })
  }
  const isRefused = (t: T, operation: Operation, what: string, answer: { status: number; body: { code?: string } }): void =>
    void t.match(answer, { status: 400, body: { code: 'invalid_request' } }, `${operation.operationId}: ${what}`)

  await t.test('E3: a parameter that comes twice is refused, and so are its other ways of writing', async t => {
    let asked = 0
    for (const operation of described) {
      for (const { name, schema } of operation.parameters.filter(one => one.in === 'query')) {
        const value = encodeURIComponent(
          String(schema?.enum?.[0] ?? (schema?.type === 'integer' ? 1 : schema?.type === 'boolean' ? true : 'x'))
        )
        const ways: readonly (readonly [what: string, query: readonly string[]])[] = [
          ['twice, not the same', [`${name}=${value}`, `${name}=2`]],
          ['twice, the same', [`${name}=${value}`, `${name}=${value}`]],
          ['with brackets', [`${name}[]=${value}`]],
          ['with a number in brackets', [`${name}[0]=${value}`]],
          ['with brackets that are encoded', [`${name}%5B%5D=${value}`]],
          ['in other letters', [`${name.toUpperCase()}=${value}`]],
          ['behind a semicolon', [`no_such=1;${name}=${value}`]]
        ]
        // Each parameter twice and in two of the other ways, each way with many parameters.
        for (const [what, query] of ways.filter((_, n) => n === 0 || (n + asked) % 3 === 0)) {
          isRefused(t, operation, `${name} ${what}`, await ask(operation, query))
          asked++
        }
      }
    }
    t.ok(asked > 200, `an empty scan is no pass (${asked})`)
  })

  await t.test('E3: what belongs into the body or the address is not taken from the query', async t => {
    let asked = 0
    for (const operation of described) {
      const names = [
        ...Object.keys(operation.body?.['application/json']?.schema?.properties ?? {}),
        ...operation.parameters.filter(one => one.in === 'path').map(one => one.name),
        asked % 2 === 0 ? 'tenant' : '_method'
      ].filter(name => !operation.parameters.some(one => one.in === 'query' && one.name === name))
      for (const name of names.filter((_, n) => n < 2 || (n + asked) % 3 === 0)) {
        isRefused(t, operation, `${name} in the query`, await ask(operation, [`${name}=1`]))
        asked++
      }
    }
    t.ok(asked > 200, `an empty scan is no pass (${asked})`)
  })

  await t.test('E3: what belongs into the address or the query is not taken from the body', async t => {
    let asked = 0
    for (const operation of described.filter(({ method, path }) => method !== 'GET' && !path.startsWith('/erp/'))) {
      const wanted = bodyFor(operation, schemas)
      if (wanted !== undefined && (wanted === null || typeof wanted !== 'object')) continue
      for (const name of [['id', 'tenantId', '_method'][asked % 3] ?? '', ...operation.parameters.map(one => one.name)]) {
        if (operation.body?.['application/json']?.schema?.properties?.[name]) continue
        isRefused(t, operation, `${name} in the body`, await ask(operation, [], { ...(wanted as object | undefined), [name]: someId }))
        asked++
      }
    }
    t.ok(asked > 80, `an empty scan is no pass (${asked})`)
  })

  await t.test('E3: a header does not change the method', async t => {
    const { body } = await at.call<{ id: string; version: number }>('POST', '/api/v1/roles', {
      token,
      body: { name: 'kept', permissions: ['jobs.read'] }
    })
    const override = Object.fromEntries(['x-http-method-override', 'x-http-method', 'x-method-override'].map(name => [name, 'DELETE']))
    const address = `/api/v1/roles/${body.id}?version=${body.version}`
    t.match(await at.call('POST', address, { token, headers: override, body: {} }), { status: 404, body: { code: 'not_found' } })
    t.match(await at.call('POST', `${address}&_method=DELETE`, { token, body: { _method: 'DELETE' } }), { status: 404 })
    t.equal((await at.call('GET', '/api/v1/roles', { token, headers: override })).status, 200)
    const { items } = (await at.call<{ items: { id: string }[] }>('GET', '/api/v1/roles', { token })).body
    t.ok(
      items.some(role => role.id === body.id),
      'the role is still there'
    )
    t.equal((await at.call('DELETE', address, { token })).status, 204, 'and goes by the method that takes it away')
  })
})
