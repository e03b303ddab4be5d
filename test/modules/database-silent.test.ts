import { randomUUID } from 'node:crypto'
import t from 'tap'
import { until } from '../../demo/api.ts'
import { provisionerUrl } from '../helpers/database.ts'
import { gateTo } from '../helpers/gate.ts'
import { openTestHouse } from '../helpers/house.ts'

t.test('a database that says nothing any more: who waits is refused soon, and all goes on when it speaks again', async t => {
  const gate = await gateTo(t, provisionerUrl())
  const before = process.env.TEST_CONTROL_URL
  process.env.TEST_CONTROL_URL = gate.url
  t.teardown(async () => {
    gate.open()
    process.env.TEST_CONTROL_URL = before
  })
  const house = await openTestHouse(t)
  const token = await house.admin()
  const ask = async (path = '/api/v1/departments') => {
    const began = performance.now()
    const { status, headers, body } = await house.call(path.endsWith('departments') ? 'GET' : 'POST', path, {
      token,
      ...(path.endsWith('departments') ? {} : { body: { name: randomUUID() } })
    })
    return { status, body, retryAfter: headers.get('retry-after'), ms: performance.now() - began }
  }
  t.equal((await ask()).status, 200)

  // Some are in the middle of a question, some wait for a connection, some come while it is silent.
  gate.shut()
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask()))
  const later = [await ask(), await ask()]
  for (const answer of [...answers, ...later]) {
    t.match(answer, { status: 503, retryAfter: '2', body: { code: 'unavailable' } })
    // Far below the fifteen seconds of a statement and the five of a connection; a busy machine has its own seconds.
    t.ok(answer.ms < 4_500, `after ${Math.round(answer.ms)} ms`)
  }
  t.ok(Math.max(...later.map(({ ms }) => ms)) < 1_000, 'who comes later need not wait')
  t.equal((await house.call('GET', '/health/ready')).status, 503)
  t.equal((await house.call('GET', '/health/live')).status, 200)
  const metrics = await house.house.metrics.registry.metrics()
  t.match(metrics, /^werkvloer_database_silent 1$/m)

  gate.open()
  await until('it is served again', 30, async () => (await ask()).status === 200 || undefined)
  t.equal(house.logged.filter(line => line.includes('the database does not answer: what waits')).length, 1, 'said once')
  t.equal(house.logged.filter(line => line.includes('the database answers again')).length, 1)
  t.match(await house.house.metrics.registry.metrics(), /^werkvloer_database_silent 0$/m)
})
