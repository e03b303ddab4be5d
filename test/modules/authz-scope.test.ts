import fc from 'fast-check'
import { sql } from 'kysely'
import t from 'tap'
import { type Ctx, newId, type Scope, withTx } from '../../core/index.ts'
import { visible } from '../../modules/authz/grant.ts'
import { own } from '../../modules/authz/tables.ts'
import { openDoor } from '../helpers/door.ts'

interface Job {
  readonly jobId: string
  readonly orderNumber: string
  readonly department: string
  readonly workCentre: string | null
}

/** The rule in words: all, or one of the four ways in which a group selects. */
function reference(scope: Scope, job: Job): boolean {
  const like = (pattern: string): boolean =>
    new RegExp(`^${[...pattern].map(c => (c === '%' ? '.*' : c === '_' ? '.' : c)).join('')}$`).test(job.orderNumber)
  return (
    scope.all ||
    scope.departments.includes(job.department) ||
    (job.workCentre !== null && scope.workCentres.includes(job.workCentre)) ||
    scope.orders.includes(job.orderNumber) ||
    scope.orderPatterns.some(like)
  )
}

const nothing: Scope = { all: false, departments: [], workCentres: [], orders: [], orderPatterns: [] }

t.test('scope', async t => {
  const door = await openDoor(t)
  const { face, write, rows, tenant, call } = door
  const as = (scope: Partial<Scope>): Ctx => ({ ...tenant.ctx, grant: { permissions: new Set(), scope: { ...nothing, ...scope } } })
  const seen = async (ctx: Ctx): Promise<string[]> => {
    const { rows: found } = await sql<{ job_id: string }>`select j.job_id from authz.job_scope j where ${visible(ctx, 'j.job_id')}`.execute(
      own(ctx)
    )
    return found.map(row => row.job_id).sort()
  }

  await t.test('visible: no groups mean no jobs, and `all` is said outright', async t => {
    await write(tx => face.scopeJobs(tx, [{ jobId: newId(), orderNumber: '1', department: 'X', workCentre: null }]))
    t.equal((await seen(as({}))).length, 0)
    t.equal((await seen(as({ all: true }))).length, 1)
    await rows('delete from authz.job_scope')
    t.throws(() => visible(as({}), 'job_id'), /with its table/, 'it would name the scope row’s own column, and cover everything')
  })

  await t.test('visible: says what the rule in words says, whatever the groups and the jobs', async t => {
    const text = fc.constantFrom('A', 'B', 'C1')
    const number = fc.constantFrom('100', '101', '2001', 'A-7', 'a-7', 'A_7')
    const pattern = fc.constantFrom('10%', '_-7', '%', '1_1', '', '%0', 'A_7', '___')
    const jobs = fc.uniqueArray(
      fc.record({ jobId: fc.uuid(), orderNumber: number, department: text, workCentre: fc.option(text, { nil: null }) }),
      { minLength: 1, maxLength: 12, selector: job => job.jobId }
    )
    const list = <T>(item: fc.Arbitrary<T>) => fc.array(item, { maxLength: 2 })
    const scope = fc.record({
      all: fc.constantFrom(false, false, false, true),
      departments: list(text),
      workCentres: list(text),
      orders: list(number),
      orderPatterns: list(pattern)
    })
    let hits = 0
    await fc.assert(
      fc.asyncProperty(jobs, scope, async (given, wanted) => {
        const ctx = as(wanted)
        const found = await withTx(tenant.ctx, async tx => {
          await sql`delete from authz.job_scope`.execute(own(tx))
          await face.scopeJobs(tx, given)
        }).then(() => seen(ctx))
        const expected = given.filter(job => reference(wanted, job)).map(job => job.jobId)
        hits += expected.length
        return JSON.stringify(found) === JSON.stringify(expected.sort())
      }),
      { numRuns: 300 }
    )
    t.ok(hits > 100, 'an empty comparison is not a pass')
  })

  await t.test('scopeJobs: a job that moves is found at its new place only, and one that goes at none', async t => {
    const job: Job = { jobId: newId(), orderNumber: '000500', department: 'WELD', workCentre: 'W1' }
    await write(tx => face.scopeJobs(tx, [job]))
    t.same(await seen(as({ departments: ['WELD'] })), [job.jobId])
    await write(tx => face.scopeJobs(tx, [{ ...job, department: 'PAINT', workCentre: null }]))
    t.same(await seen(as({ departments: ['WELD'], workCentres: ['W1'] })), [])
    t.same(await seen(as({ departments: ['PAINT'] })), [job.jobId])
    t.same(await seen(as({ orders: ['500'] })), [], 'leading zeros count')
    await write(tx => face.unscopeJobs(tx, [job.jobId]))
    t.same(await seen(as({ departments: ['PAINT'] })), [])
    t.match(
      await rows("select code, department_code from authz.work_centre where code = 'W1'"),
      [{ department_code: 'WELD' }],
      'known for rules'
    )
  })

  await t.test('scopeJobs: what a rolled back transaction wrote was never there', async t => {
    const job: Job = { jobId: newId(), orderNumber: '9', department: 'GONE', workCentre: null }
    await t.rejects(
      write(async tx => {
        await face.scopeJobs(tx, [job])
        throw new Error('the rest failed')
      }),
      /the rest failed/
    )
    t.same(await seen(as({ departments: ['GONE'] })), [])
  })

  await t.test('noteDepartments: new codes are taken in, or refused when the customer says so', async t => {
    const note = (...codes: string[]) => write(tx => face.noteDepartments(tx, codes))
    t.same([...(await note('NEW1', 'NEW2', 'NEW1'))], [])
    const token = await door.admin()
    const list = async () => (await call('GET', '/api/v1/departments', { token })).body.items.map((item: { code: string }) => item.code)
    t.ok((await list()).includes('NEW2'))
    const before = (await call('GET', '/api/v1/settings/authz', { token })).body
    t.match(before, { unknownDepartments: 'create', version: 1 })
    const set = (version: number) => call('PUT', '/api/v1/settings/authz', { token, body: { version, unknownDepartments: 'reject' } })
    t.match(await set(1), { status: 200, body: { unknownDepartments: 'reject', version: 2 } })
    t.match(await set(1), { status: 412, body: { code: 'access_setting_changed' } })
    t.same([...(await note('NEW1', 'NEW3'))], ['NEW3'])
    t.notOk((await list()).includes('NEW3'))
    t.equal((await call('PUT', '/api/v1/departments/NEW3', { token, body: { name: 'Third hall' } })).status, 200)
    t.same([...(await note('NEW1', 'NEW3'))], [])
  })

  await t.test('why: names the role and the group, or what is lacking', async t => {
    const token = await door.admin()
    const job: Job = { jobId: newId(), orderNumber: 'WO-1', department: 'WELD', workCentre: 'W1' }
    await write(tx => face.scopeJobs(tx, [job]))
    const group = (
      await call('POST', '/api/v1/groups', { token, body: { name: 'Welders', rules: [{ kind: 'order_pattern', value: 'WO-%' }] } })
    ).body
    const { id, token: own } = await door.person('ann', ['operator', 'planner'], [group.id])
    const why = async (permission: string, jobId?: string, by = token) =>
      (await call('GET', `/api/v1/why?userId=${id}&permission=${permission}${jobId ? `&jobId=${jobId}` : ''}`, { token: by })).body
    t.match(await why('jobs.read', job.jobId), {
      answer: true,
      role: { ok: true, roles: ['operator', 'planner'] },
      group: { ok: true, groups: ['Welders'], sentence: /Welders covers the job \(order WO-1, department WELD, work centre W1\)/ }
    })
    t.match(await why('users.manage', job.jobId), {
      answer: false,
      role: { ok: false, sentence: /None of the user's roles gives "users.manage"/ }
    })
    t.match(await why('jobs.read'), { answer: true, group: null })
    await call('PUT', `/api/v1/groups/${group.id}`, { token, body: { version: group.version, rules: [{ kind: 'order', value: 'WO-2' }] } })
    t.match(await why('jobs.read', job.jobId), {
      answer: false,
      role: { ok: true },
      group: { ok: false, sentence: /The user's one group does not cover/ }
    })
    t.match(await why('jobs.read', newId()), { answer: false, group: { sentence: 'There is no such job.' } })
    const auditor = await door.person('audit', ['auditor'])
    t.match(
      await why('jobs.read', job.jobId, auditor.token),
      { group: { sentence: 'There is no such job.' } },
      'not told to who may not see the job'
    )
    t.match(await why('jobs.read', job.jobId, own), { status: 403, code: 'forbidden' })
    await call('PATCH', `/api/v1/users/${id}`, { token, body: { active: false } })
    t.match(await why('jobs.read'), { answer: false, role: { sentence: 'The user is switched off.' } })
  })

  await t.test('groups: the jobs a group covers now are counted and listed, those of the asker only', async t => {
    const token = await door.admin()
    await rows('delete from authz.job_scope')
    const jobs: Job[] = Array.from({ length: 5 }, (_, i) => ({
      jobId: newId(),
      orderNumber: `A-${i}`,
      department: i < 3 ? 'ONE' : 'TWO',
      workCentre: null
    }))
    await write(tx => face.scopeJobs(tx, jobs))
    const group = (
      await call('POST', '/api/v1/groups', { token, body: { name: 'A orders', rules: [{ kind: 'order_pattern', value: 'A-%' }] } })
    ).body
    const covered = (by: string, limit = 100) => call('GET', `/api/v1/groups/${group.id}/jobs?limit=${limit}`, { token: by })
    t.match((await covered(token, 2)).body, { count: 5, items: [{ orderNumber: 'A-0', department: 'ONE' }, { orderNumber: 'A-1' }] })
    const two = (await call('POST', '/api/v1/groups', { token, body: { name: 'Hall two', rules: [{ kind: 'department', value: 'TWO' }] } }))
      .body
    const auditor = await door.person('audit-two', ['auditor'], [two.id])
    t.match((await covered(auditor.token)).body, { count: 2, items: [{ orderNumber: 'A-3' }, { orderNumber: 'A-4' }] })
    t.match(await call('GET', `/api/v1/groups/${newId()}/jobs`, { token }), { status: 404, body: { code: 'group_missing' } })
  })

  await t.test('groups: rules that would select nothing or could not be read are refused with their place', async t => {
    const token = await door.admin()
    const make = (value: string, kind: string) =>
      call('POST', '/api/v1/groups', {
        token,
        body: {
          name: `Bad ${kind}`,
          rules: [
            { kind: 'all', value: '' },
            { kind, value }
          ]
        }
      })
    const refused = { status: 400, body: { code: 'group_rule_invalid', errors: [{ pointer: '/rules/1/value' }] } }
    t.match(await make('', 'department'), refused)
    t.match(await make('A\\', 'order_pattern'), refused, 'PostgreSQL refuses a pattern that ends with its escape character')
    t.match(await make('x', 'warehouse'), { status: 400, body: { code: 'invalid_request' } })
  })
})
