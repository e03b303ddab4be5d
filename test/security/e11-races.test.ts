import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { openFloor } from '../helpers/floor.ts'
import { order } from '../helpers/orders.ts'
import { levelsOf } from '../helpers/stock.ts'

const crowd = 50

interface Body {
  readonly code?: string
  readonly reportId?: string
  readonly actId?: string
}

t.test('E11: fifty at the same moment have one effect', async t => {
  // As many connections as a customer may have in one process: the fewer, the less at the same moment.
  const floor = await openFloor(t)
  const token = await floor.house.admin()
  const ann = await floor.employee()
  /** A busy machine answers "not now"; that is repeated as the answer says, under the same key. */
  async function post(path: string, body: unknown, key: string = randomUUID()) {
    for (let tries = 1; ; tries++) {
      const answer = await floor.house.call<Body>('POST', path, { token, body, headers: { 'idempotency-key': key } })
      if (answer.status !== 503 || tries === 10) return answer
      await sleep(1_000)
    }
  }
  const together = (one: (n: number) => ReturnType<typeof post>) => Promise.all(Array.from({ length: crowd }, (_, n) => one(n)))
  /** How many had which answer. */
  const tally = (answers: readonly { status: number; body: Body }[]): Record<string, number> => {
    const counts: Record<string, number> = {}
    for (const { status, body } of answers) {
      const what = status < 300 ? 'done' : (body.code ?? String(status))
      counts[what] = (counts[what] ?? 0) + 1
    }
    return counts
  }
  const count = async (text: string, ...values: unknown[]): Promise<number> => Number((await floor.rows<{ n: string }>(text, values))[0]?.n)
  const reportsOf = (job: string) => count('select count(*)::text as n from workorders.report where job_id = $1', job)
  await floor.receive('location', [{ code: 'H1', warehouse: 'HALL' }])
  await floor.receive('article', [
    { number: 'P-1', description: 'Frame', unit: 'pcs' },
    { number: 'B-1', description: 'Tube', unit: 'pcs' }
  ])

  await t.test('E11: fifty complete one operation, each under a key of its own', async t => {
    await floor.receive('workOrder', [order('E11-1')])
    const job = await floor.job('E11-1', '20')
    const answers = await together(() => post(`/api/v1/jobs/${job}/complete`, { good: '100', reason: 'counted' }))
    t.same(tally(answers), { done: 1, job_completed: crowd - 1 })
    t.equal(await reportsOf(job), 1)
    const [row] = await floor.rows<{ status: string; good: string }>(
      'select status, trim_scale(good)::text as good from workorders.job where id = $1',
      [job]
    )
    t.same(row, { status: 'completed', good: '100' })
    const finished = (await floor.sent('E11-1')).filter(({ kind, record }) => kind === 'operationStatus' && record.status === 'finished')
    t.equal(finished.length, 1, 'the ERP is told once')
  })

  await t.test('E11: fifty send one report under one key', async t => {
    await floor.receive('workOrder', [order('E11-2')])
    const job = await floor.job('E11-2', '10')
    const key = randomUUID()
    const answers = await together(() => post(`/api/v1/jobs/${job}/report`, { good: '3' }, key))
    t.same(tally(answers), { done: crowd })
    t.equal(new Set(answers.map(({ body }) => body.reportId)).size, 1, 'all are told of the same report')
    t.equal(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true').length, crowd - 1)
    t.equal(await reportsOf(job), 1)
  })

  await t.test('E11: one key with fifty bodies is good for one of them', async t => {
    await floor.receive('workOrder', [order('E11-3')])
    const job = await floor.job('E11-3', '10')
    const key = randomUUID()
    const answers = await together(n => post(`/api/v1/jobs/${job}/report`, { good: String(n + 1) }, key))
    t.same(tally(answers), { done: 1, idempotency_key_reused: crowd - 1 })
    const winner = answers.findIndex(({ status }) => status < 300)
    const [row] = await floor.rows<{ good: string }>('select trim_scale(good)::text as good from workorders.job where id = $1', [job])
    t.equal(row?.good, String(winner + 1), 'and that one counts')
    t.match(await post(`/api/v1/jobs/${await floor.job('E11-3', '20')}/report`, { good: '1' }, key), {
      status: 409,
      body: { code: 'idempotency_key_reused' }
    })
  })

  await t.test('E11: fifty take the last piece', async t => {
    await floor.receive('workOrder', [
      order('E11-4', { materials: [{ line: '1', operation: '10', article: 'B-1', quantity: { value: '9', unit: 'pcs' }, location: 'H1' }] })
    ])
    await floor.rows(`update inventory.setting set negative_stock = 'block'`)
    const adjusted = await post('/api/v1/stock/adjust', { article: 'B-1', location: 'H1', quantity: '1', reason: 'found one' })
    t.ok(adjusted.status < 300, JSON.stringify(adjusted.body))
    t.same(await levelsOf(floor, 'B-1'), { H1: '1' })
    const job = await floor.job('E11-4', '10')
    const answers = await together(() => post(`/api/v1/jobs/${job}/consume`, { items: [{ line: '1', quantity: '1' }] }))
    t.same(tally(answers), { done: 1, stock_too_low: crowd - 1 })
    t.same(await levelsOf(floor, 'B-1'), { H1: '0' })
    t.equal(await count(`select count(*)::text as n from inventory.ledger where kind = 'issue'`), 1)
  })

  await t.test('E11: fifty decide about one message, each as he likes', async t => {
    const [message] = await floor.rows<{ seq: string }>(
      `update exchange.outbox set state = 'parked', alarm = 'Nobody knows.' where ordering_key = 'E11-2' returning seq::text`
    )
    const decisions = [
      { decision: 'there', document: 'DOC-1', reason: 'seen there' },
      { decision: 'drop', reason: 'not wanted' }
    ]
    const answers = await together(n => post(`/api/v1/outbox/${message?.seq}/decide`, decisions[n % 2]))
    t.same(tally(answers), { done: 1, message_state: crowd - 1 })
    t.equal(
      await count(`select count(*)::text as n from journal.entry where act like 'message.%' and subject_id = $1`, message?.seq),
      1,
      'one decision is in the journal'
    )
  })

  await t.test('E11: whatever comes at the same moment ends as one after another would', async t => {
    let serial = 0
    const act = fc.record({
      verb: fc.constantFrom('report', 'report', 'complete', 'reopen', 'start', 'pause'),
      good: fc.integer({ min: 1, max: 5 }),
      key: fc.integer({ min: 0, max: 5 })
    })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(act, { minLength: 2, maxLength: 8 }), { minLength: 1, maxLength: 3 }), async rounds => {
        const number = `E11-P${++serial}`
        await floor.receive('workOrder', [order(number, { quantity: { value: '8', unit: 'pcs' } })])
        const job = await floor.job(number, '20')
        const run = randomUUID()
        const accepted = new Map<string, { body: string; answer: string }>()
        for (const round of rounds) {
          const answers = await Promise.all(
            round.map(async ({ verb, good, key }) => {
              const body =
                verb === 'report'
                  ? { good: String(good), reason: 'counted' }
                  : verb === 'complete'
                    ? { good: String(good), shortfall: 'lost', reason: 'counted' }
                    : verb === 'reopen'
                      ? { reason: 'not done after all' }
                      : { employeeIds: [ann] }
              const answer = await post(`/api/v1/jobs/${job}/${verb}`, body, `${run}-${key}`)
              return { key, text: `${verb} ${JSON.stringify(body)}`, answer }
            })
          )
          for (const { key, text, answer } of answers) {
            if (answer.status >= 500) throw new Error(`${text}: ${answer.status} ${JSON.stringify(answer.body)}`)
            if (answer.status >= 300) continue
            const before = accepted.get(String(key))
            const same = { body: text, answer: answer.body.reportId ?? '' }
            if (before && (before.body !== text || before.answer !== same.answer))
              throw new Error(`key ${key} is good for two: ${JSON.stringify(before)} and ${JSON.stringify(same)}`)
            accepted.set(String(key), same)
          }
        }
        // The serial model: the acts in the order in which they were journalled.
        const acts = await floor.rows<{ act: string }>(`select act from journal.entry where subject_id = $1 order by seq`, [job])
        const model = modelOf(acts.map(({ act: name }) => name))
        const [row] = await floor.rows<{ status: string; good: string }>(
          'select status, trim_scale(good)::text as good from workorders.job where id = $1',
          [job]
        )
        const sum = [...accepted.values()].reduce((n, { body }) => n + Number(/"good":"(\d+)"/.exec(body)?.[1] ?? 0), 0)
        if (model.wrong !== undefined) throw new Error(model.wrong)
        if (row?.status !== model.status) throw new Error(`the job is ${row?.status}, one after another it would be ${model.status}`)
        if (row?.good !== String(sum)) throw new Error(`the job has ${row?.good} pieces, ${sum} were acknowledged`)
        const reports = await count(`select count(*)::text as n from workorders.report where job_id = $1 and kind = 'report'`, job)
        if (reports !== model.reports) throw new Error(`${reports} reports, one after another there would be ${model.reports}`)
      }),
      { numRuns: 20, endOnFailure: true, includeErrorInReport: true }
    )
    t.ok(serial >= 20)
  })
})

/** What a job is after these acts, one after another, and whether each of them was allowed where it stands. */
function modelOf(acts: readonly string[]): { status: string; reports: number; wrong?: string } {
  let status = 'released'
  let reports = 0
  // Whether the one person's clock runs: a report starts the job, but no clock.
  let running = false
  const may: Record<string, readonly string[]> = {
    'job.start': ['released', 'started', 'paused'],
    'job.pause': ['started'],
    'job.report': ['released', 'started', 'paused'],
    'job.complete': ['released', 'started', 'paused'],
    'job.reopen': ['completed']
  }
  for (const act of acts) {
    if (!may[act]) return { status, reports, wrong: `the journal has ${act}` }
    if (!may[act].includes(status)) return { status, reports, wrong: `${act} while ${status}: ${acts.join(', ')}` }
    if (act === 'job.start' && running) return { status, reports, wrong: `the clock started twice: ${acts.join(', ')}` }
    if (act !== 'job.report') running = act === 'job.start'
    if (act === 'job.report' || act === 'job.complete') reports++
    if (act === 'job.start') status = 'started'
    if (act === 'job.report' && status === 'released') status = 'started'
    if (act === 'job.pause' || act === 'job.reopen') status = 'paused'
    if (act === 'job.complete') status = 'completed'
  }
  return { status, reports }
}
