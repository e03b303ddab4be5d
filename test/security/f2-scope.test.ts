import t from 'tap'
import { bodyFor, descriptionOf, type Operation, queryFor } from '../helpers/api.ts'
import { openFloor } from '../helpers/floor.ts'
import { adminPassword } from '../helpers/house.ts'
import { order } from '../helpers/orders.ts'

interface Role {
  readonly id: string
  readonly name: string
  readonly builtIn: boolean
  readonly permissions: readonly string[]
}
interface Order {
  readonly id: string
  readonly number: string
  readonly operations: readonly { readonly number: string }[]
}
interface List<T> {
  readonly items: readonly T[]
}
interface Work {
  readonly jobId: string
  readonly orderId: string
  readonly reportId: string
  readonly changeId: string
}

const paintOnly = { department: 'PAINT', operations: [{ number: '10', department: 'PAINT', workCentre: 'P1', description: 'Paint it' }] }
const weldOnly = { operations: [{ number: '10', department: 'WELD', workCentre: 'W1', description: 'Weld it' }] }
const more = { quantity: { value: '150', unit: 'pcs' } }

t.test('F2: whose groups select one department', async t => {
  const floor = await openFloor(t)
  const { house } = floor
  const admin = await house.admin()
  await floor.receive('workOrder', [order('W-WELD', weldOnly), order('W-PAINT', paintOnly), order('W-BOTH')])
  const asAdmin = async <T>(method: string, path: string, body: unknown): Promise<T> => {
    const answer = await house.call<T>(method, path, { token: admin, body })
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  /** Reports on the order's first job, and then the ERP wants another quantity, which waits for a person. */
  async function worked(number: string, parts: Parameters<typeof order>[1]): Promise<Work> {
    const jobId = await floor.job(number, '10')
    await asAdmin('POST', `/api/v1/jobs/${jobId}/report`, { good: '1' })
    await floor.receive('workOrder', [order(number, { ...parts, ...more })])
    const [row] = await floor.rows<{ orderId: string; reportId: string; changeId: string }>(
      `select j.order_id as "orderId", r.id as "reportId", c.id as "changeId" from workorders.job j
       join workorders.report r on r.job_id = j.id join workorders.order_change c on c.order_id = j.order_id where j.id = $1`,
      [jobId]
    )
    if (!row) throw new Error(`${number} has no report or no change`)
    return { jobId, ...row }
  }
  const weld = await worked('W-WELD', weldOnly)
  const paint = await worked('W-PAINT', paintOnly)

  const group = await asAdmin<{ id: string; version: number }>('POST', '/api/v1/groups', {
    name: 'Welding',
    rules: [{ kind: 'department', value: 'WELD' }]
  })
  const roles = (await house.call<List<Role>>('GET', '/api/v1/roles', { token: admin })).body.items.filter(role => role.builtIn)
  const tokens = new Map<string, string>()
  // Everybody is an employee, so that nobody is refused for acting on somebody else's clock.
  await floor.receive(
    'employee',
    roles.map(({ name }) => ({ key: name, number: name, active: true }))
  )
  for (const role of roles) {
    const body = {
      username: `user-${role.name}`,
      employeeNumber: role.name,
      roleIds: [role.id],
      groupIds: [group.id],
      password: adminPassword,
      mustChangePassword: false
    }
    await asAdmin('POST', '/api/v1/users', body)
    tokens.set(role.name, await house.signIn(house.tenant, `user-${role.name}`, adminPassword))
  }
  const tokenOf = (role: Role | string): string => tokens.get(typeof role === 'string' ? role : role.name) ?? ''

  const { operations, schemas } = await descriptionOf(house.house)
  const onJobs = operations.filter(({ path }) => /\{(?:jobId|orderId|reportId|changeId)\}/.test(path))
  const bodies: Readonly<Record<string, unknown>> = {
    consumeMaterial: { items: [{ article: 'P-1', quantity: '1' }] },
    returnMaterial: { items: [{ article: 'P-1', quantity: '1' }] }
  }
  const ask = (operation: Operation, work: Work, token: string) => {
    const path = operation.path.replace(/\{(\w+)\}/g, (_all, name: string) => work[name as keyof Work])
    const body = bodies[operation.operationId ?? ''] ?? bodyFor(operation, schemas)
    return house.call<{ code?: string }>(operation.method, path + queryFor(operation, schemas), {
      token,
      ...(body === undefined ? {} : { body })
    })
  }
  const stateOf = (number: string) =>
    floor.rows(
      `select o.status, o.version, o.quantity, j.status as job_status, j.version as job_version, j.good,
         (select count(*) from workorders.report r where r.job_id = j.id) as reports,
         (select string_agg(c.state, ',') from workorders.order_change c where c.order_id = o.id) as changes
       from workorders.work_order o join workorders.job j on j.order_id = o.id where o.number = $1`,
      [number]
    )

  await t.test('F2: on the work of another department every role is told that there is nothing', async t => {
    t.ok(onJobs.length >= 13 && roles.length >= 8, 'an empty scan is no pass')
    const before = await stateOf('W-PAINT')
    let missed = 0
    for (const operation of onJobs) {
      for (const role of roles) {
        const may = role.permissions.includes(operation.permission ?? '')
        const answer = await ask(operation, paint, tokenOf(role))
        if (may) missed++
        t.equal(answer.status, may ? 404 : 403, `${role.name}: ${operation.method} ${operation.path}: ${answer.status} ${answer.body.code}`)
      }
    }
    t.ok(missed > 40)
    t.same(await stateOf('W-PAINT'), before, 'and nothing of it changed')
  })

  await t.test('F2: on the work of the own department the permission decides', async t => {
    let met = 0
    // What is read first, what ends something last: after an act the next one may be in the wrong state, which is an answer too.
    for (const operation of onJobs.toSorted((a, b) => a.method.localeCompare(b.method))) {
      for (const role of roles) {
        const may = role.permissions.includes(operation.permission ?? '')
        const { status, body } = await ask(operation, weld, tokenOf(role))
        const what = `${role.name}: ${operation.method} ${operation.path}: ${status} ${body.code}`
        if (may) met++
        if (operation.method === 'GET' && may) t.equal(status, 200, what)
        else if (may) t.ok([200, 201, 400, 409].includes(status), what)
        else t.equal(status, 403, what)
      }
    }
    t.ok(met > 40)
  })

  await t.test('F2: lists, searches and scans show the own department only', async t => {
    for (const role of roles) {
      const token = tokenOf(role)
      for (const [path, permission] of [
        ['/api/v1/jobs', 'jobs.read'],
        ['/api/v1/jobs?search=W-', 'jobs.read'],
        ['/api/v1/work-orders', 'orders.read'],
        ['/api/v1/work-orders?search=W-', 'orders.read']
      ] as const) {
        if (!role.permissions.includes(permission)) continue
        const { status, body } = await house.call<List<{ number: string; orderNumber?: string; department?: string }>>('GET', path, {
          token
        })
        t.equal(status, 200, `${role.name}: ${path}`)
        const numbers = body.items.map(item => item.orderNumber ?? item.number)
        t.notOk(numbers.includes('W-PAINT'), `${role.name}: ${path}`)
        t.ok(numbers.includes('W-BOTH'), `${role.name}: ${path} shows the order of which one operation is theirs`)
      }
      for (const path of ['/api/v1/jobs?scan=W-PAINT', '/api/v1/jobs?department=PAINT', '/api/v1/jobs?search=W-PAINT']) {
        if (!role.permissions.includes('jobs.read')) continue
        t.same((await house.call<List<unknown>>('GET', path, { token })).body.items, [], `${role.name}: ${path}`)
      }
    }
  })

  await t.test('F2: of an order of two departments everybody sees and touches their own operations', async t => {
    const token = tokenOf('operator')
    const both = (await house.call<List<Order>>('GET', '/api/v1/work-orders?search=W-BOTH', { token })).body.items[0]
    const one = await house.call<Order>('GET', `/api/v1/work-orders/${both?.id}`, { token })
    t.same(
      one.body.operations.map(job => job.number),
      ['10']
    )
    const painting = await floor.job('W-BOTH', '20')
    t.equal((await house.call('GET', `/api/v1/jobs/${painting}`, { token })).status, 404)
    t.equal((await house.call('POST', `/api/v1/jobs/${painting}/report`, { token, body: { good: '1' } })).status, 404)
  })

  await t.test('F2: a group that takes a department in, or lets it go, counts on the next request', async t => {
    const token = tokenOf('operator')
    const status = async () => (await house.call('GET', `/api/v1/jobs/${paint.jobId}`, { token })).status
    const set = async (values: readonly string[]): Promise<void> => {
      const now = (await house.call<List<{ id: string; version: number }>>('GET', '/api/v1/groups', { token: admin })).body.items
      const version = now.find(({ id }) => id === group.id)?.version
      await asAdmin('PUT', `/api/v1/groups/${group.id}`, { version, rules: values.map(value => ({ kind: 'department', value })) })
    }
    t.equal(await status(), 404)
    await set(['WELD', 'PAINT'])
    t.equal(await status(), 200)
    await set(['WELD'])
    t.equal(await status(), 404)
  })

  await t.test('F2: who is in no group sees no job, whatever the role', async t => {
    const everything = roles.find(({ name }) => name === 'administrator')
    const body = { username: 'alone', roleIds: [everything?.id], groupIds: [], password: adminPassword, mustChangePassword: false }
    await asAdmin('POST', '/api/v1/users', body)
    const token = await house.signIn(house.tenant, 'alone', adminPassword)
    for (const path of ['/api/v1/jobs', '/api/v1/work-orders']) {
      t.same((await house.call<List<unknown>>('GET', path, { token })).body.items, [], path)
    }
    t.equal((await house.call('GET', `/api/v1/work-orders/${weld.orderId}`, { token })).status, 404)
  })
})
