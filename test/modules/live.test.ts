import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { sql } from 'kysely'
import t from 'tap'
import { view, withTx, writtenSchemas } from '../../core/db/tx.ts'
import { openFloor } from '../helpers/floor.ts'
import { openTestHouse } from '../helpers/house.ts'
import { order } from '../helpers/orders.ts'

interface Following {
  readonly status: number
  readonly events: { event: string; id: string; parts: readonly string[] }[]
  readonly beats: () => number
  readonly ended: Promise<void>
  /** Waits until an event fits; fails after five seconds. */
  until(fits: (event: { event: string; parts: readonly string[] }) => boolean): Promise<void>
  stop(): void
}

async function follow(baseUrl: string, token: string | undefined, last?: string): Promise<Following> {
  const abort = new AbortController()
  const answer = await fetch(`${baseUrl}/api/v1/live`, {
    headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(last ? { 'last-event-id': last } : {}) },
    signal: abort.signal
  })
  const events: Following['events'] = []
  let beats = 0
  const ended = (async () => {
    if (answer.status !== 200 || !answer.body) return void (await answer.arrayBuffer())
    let rest = ''
    for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
      const blocks = (rest + chunk).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        if (block.startsWith(':')) {
          beats++
          continue
        }
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? ''
        events.push({ event: field('event'), id: field('id'), parts: JSON.parse(field('data')) })
      }
    }
  })().catch(() => {})
  return {
    status: answer.status,
    events,
    beats: () => beats,
    ended,
    async until(fits) {
      for (let tries = 0; tries < 200; tries++) {
        if (events.some(fits)) return
        await new Promise(resolve => setTimeout(resolve, 25))
      }
      throw new Error(`no such event among ${JSON.stringify(events)}`)
    },
    stop: () => abort.abort()
  }
}

/** Whether a stream has ended by itself within ten seconds. */
async function ends({ ended }: Following): Promise<boolean> {
  let over = false
  void ended.then(() => {
    over = true
  })
  for (let tries = 0; tries < 400 && !over; tries++) await new Promise(resolve => setTimeout(resolve, 25))
  return over
}

t.test('live', async t => {
  const at = await openTestHouse(t, { liveBeatMs: 100 })
  const token = await at.admin()
  const other = await at.newTenant()
  const otherToken = await at.admin(other)
  const newCode = (code: string, as = token) => at.call('POST', '/api/v1/activity-codes', { token: as, body: { code, name: code } })
  const changed = (part: string) => (event: { event: string; parts: readonly string[] }) =>
    event.event === 'changed' && event.parts.includes(part)

  await t.test('live: a commit names the parts it wrote to, for this customer alone', async t => {
    const mine = await follow(at.baseUrl, token)
    const theirs = await follow(at.baseUrl, otherToken)
    await mine.until(({ event }) => event === 'open')
    t.equal((await newCode('CLEAN')).status, 201)
    await mine.until(changed('timekeeping'))
    t.same(mine.events.at(-1)?.parts, ['timekeeping'], 'neither the journal nor request keys')
    await newCode('SWEEP', otherToken)
    await theirs.until(changed('timekeeping'))
    t.equal(mine.events.filter(({ event }) => event === 'changed').length, 1)
    mine.stop()
    theirs.stop()
  })

  await t.test('live: what was rolled back, or wrote nothing, tells nothing', async t => {
    const mine = await follow(at.baseUrl, token)
    await mine.until(({ event }) => event === 'open')
    t.equal((await newCode('CLEAN')).status, 409)
    const ctx = await at.ctx()
    // In other parts than the last act: what comes close together is told as one.
    const write = sql`update authz."user" set changed_at = now()`
    const undone = withTx(ctx, async tx => {
      await write.execute(view<Record<never, never>>()(tx))
      throw new Error('no')
    })
    await t.rejects(undone, { message: 'no' })
    await withTx(ctx, async tx => {
      await sql`select 1`.execute(view<Record<never, never>>()(tx))
      await sql`update workorders.job set changed_at = now() where false`.execute(view<Record<never, never>>()(tx))
    })
    await at.call('GET', '/api/v1/jobs', { token })
    await newCode('LAST')
    await mine.until(changed('timekeeping'))
    t.same(
      mine.events.flatMap(({ parts }) => parts),
      ['timekeeping']
    )
    mine.stop()
  })

  await t.test('live: a change in another process is told too', async () => {
    const second = await at.again()
    const { port } = await second.house.listenHttp()
    const mine = await follow(`http://127.0.0.1:${port}`, token)
    await mine.until(({ event }) => event === 'open')
    // The ear of the second process may still be connecting.
    for (let n = 0; n < 20 && !mine.events.some(changed('timekeeping')); n++) {
      await newCode(`P${n}`)
      await new Promise(resolve => setTimeout(resolve, 300))
    }
    await mine.until(changed('timekeeping'))
    mine.stop()
    await second.shutdown.stop('test')
  })

  await t.test('live: after a break it goes on with what was missed; a place it does not know means all', async t => {
    const first = await follow(at.baseUrl, token)
    await first.until(({ event }) => event === 'open')
    first.stop()
    await first.ended
    await newCode('MISSED')
    await new Promise(resolve => setTimeout(resolve, 400))
    const place = first.events.at(-1)?.id ?? ''
    const again = await follow(at.baseUrl, token, place)
    await again.until(changed('timekeeping'))
    t.equal(again.events.length, 1)
    again.stop()
    for (const unknown of [`${place}999`, '00000000-0000-7000-8000-000000000000-1', 'nonsense', `${place.slice(0, -1)}x`]) {
      const lost = await follow(at.baseUrl, token, unknown)
      await lost.until(({ event }) => event === 'reset')
      lost.stop()
    }
  })

  await t.test('live: only for who is signed in, and not without end', async t => {
    t.equal((await follow(at.baseUrl, undefined)).status, 401)
    const open = await Promise.all(Array.from({ length: 20 }, () => follow(at.baseUrl, token)))
    const refused = await follow(at.baseUrl, token)
    t.equal(refused.status, 429)
    for (const one of open) one.stop()
    await Promise.all(open.map(({ ended }) => ended))
    const theirs = await follow(at.baseUrl, otherToken)
    t.equal(theirs.status, 200, 'another customer is not concerned')
    theirs.stop()
  })

  await t.test('live: a quiet stream shows that the server is there; it ends with the session, and with the token', async t => {
    const own = await at.admin()
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, string>
    const { sub, tid, sid, use, jti } = claims
    const short = (at.house.app.jwt.sign as (claims: object, options: object) => string)({ sub, tid, sid, use, jti }, { expiresIn: 2 })
    const [leaves, stays] = [await follow(at.baseUrl, own), await follow(at.baseUrl, token)]
    const runsOut = await follow(at.baseUrl, short)
    t.equal(runsOut.status, 200)
    for (let tries = 0; tries < 200 && leaves.beats() < 3; tries++) await new Promise(resolve => setTimeout(resolve, 25))
    t.ok(leaves.beats() >= 3)
    t.equal((await at.call('POST', '/api/v1/session/sign-out', { token: own })).status, 204)
    t.ok(await ends(leaves))
    t.ok(await ends(runsOut))
    t.equal((await follow(at.baseUrl, short)).status, 401)
    const before = stays.beats()
    for (let tries = 0; tries < 200 && stays.beats() < before + 2; tries++) await new Promise(resolve => setTimeout(resolve, 25))
    t.ok(stays.beats() > before, 'another window goes on')
    stays.stop()
  })

  await t.test('live: time-outs of the server do not cut a quiet stream', async t => {
    const second = await at.again()
    const { port } = await second.house.listenHttp()
    const { server } = second.house.app
    server.timeout = 400
    server.keepAliveTimeout = 100
    const mine = await follow(`http://127.0.0.1:${port}`, token)
    for (let tries = 0; tries < 400 && mine.beats() < 12; tries++) await new Promise(resolve => setTimeout(resolve, 25))
    t.ok(mine.beats() >= 12, 'beats until three times the time-out')
    const silent = connect(port, '127.0.0.1')
    await new Promise(resolve => silent.once('close', resolve).resume())
    t.pass('while a connection that says nothing is cut')
    mine.stop()
  })

  await t.test('live: when hints may have been lost, every screen is told to ask for everything', async t => {
    const mine = await follow(at.baseUrl, token)
    await mine.until(({ event }) => event === 'open')
    const place = mine.events[0]?.id ?? ''
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'werkvloer listen' and datname = current_database()`.execute(at.house.control.kysely)
    await mine.until(({ event }) => event === 'reset')
    mine.stop()
    const again = await follow(at.baseUrl, token, place)
    await again.until(() => true)
    t.equal(again.events[0]?.event, 'reset', 'also who was away then')
    again.stop()
  })

  await t.test('live: open streams are counted, and are no slow requests', async t => {
    const open = async () => (await at.house.metrics.liveStreams.get()).values[0]?.value
    const soon = async (count: number) => {
      for (let tries = 0; tries < 200 && (await open()) !== count; tries++) await new Promise(resolve => setTimeout(resolve, 25))
      return open()
    }
    await soon(0)
    const mine = await follow(at.baseUrl, await at.admin())
    t.equal(await soon(1), 1)
    mine.stop()
    t.equal(await soon(0), 0)
    const figures = await at.house.metrics.registry.metrics()
    t.match(figures, /route="\/api\/v1\/live",status="429"/)
    t.notMatch(figures, /route="\/api\/v1\/live",status="200"/)
  })

  await t.test('live: the stop of the server ends the streams at once', async t => {
    const second = await at.again()
    const { port } = await second.house.listenHttp()
    const mine = await follow(`http://127.0.0.1:${port}`, token)
    await mine.until(({ event }) => event === 'open')
    t.equal(await second.shutdown.stop('test'), 0)
    t.ok(await ends(mine))
  })
})

t.test('live: who starts a job is seen by everybody; who is no longer let in sees nothing more', async t => {
  const floor = await openFloor(t, { liveBeatMs: 100 })
  const { house } = floor
  const token = await house.admin()
  const ann = await floor.employee()
  await floor.receive('workOrder', [order('W-1')])
  const job = await floor.job('W-1', '10')
  const password = 'Een-andere-lange-zin'
  const made = await house.call<{ user: { id: string } }>('POST', '/api/v1/users', {
    token,
    body: { username: 'frezen', roleIds: [], groupIds: [], password }
  })
  const other = await follow(house.baseUrl, await house.signIn(house.tenant, 'frezen', password))
  await other.until(({ event }) => event === 'open')
  const started = await house.call('POST', `/api/v1/jobs/${job}/start`, {
    token,
    body: { employeeIds: [ann] },
    headers: { 'idempotency-key': randomUUID() }
  })
  t.equal(started.status, 200)
  await other.until(({ parts }) => parts.includes('workorders') && parts.includes('timekeeping'))
  t.same(Object.keys(other.events.at(-1) ?? {}), ['event', 'id', 'parts'], 'names of parts, and nothing of the job')
  const off = await house.call('PATCH', `/api/v1/users/${made.body.user.id}`, { token, body: { active: false } })
  t.equal(off.status, 200, JSON.stringify(off.body))
  t.ok(await ends(other))
})

t.test('live: statements tell where they write, also in their CTEs', async t => {
  t.same(writtenSchemas('insert into "workorders"."job" (id) values ($1)'), ['workorders'])
  t.same(writtenSchemas('with gone as (delete from inventory.level where x = $1 returning 1) update exchange.outbox set a = 1'), [
    'inventory',
    'exchange'
  ])
  t.same(writtenSchemas('select 1 from authz.user for update of u'), [])
  t.same(writtenSchemas('insert into journal.entry (a) values (1)'), [])
  t.same(writtenSchemas('insert into core.idempotency values (1) on conflict (a) do update set b = 1'), [])
})

t.test('live: looking after open streams takes nothing of what people may ask', async t => {
  const limit = { WERKVLOER_REQUESTS_PER_CALLER: '10', WERKVLOER_REQUESTS_PER_CUSTOMER: '10' }
  const at = await openTestHouse(t, { liveBeatMs: 50, settings: limit })
  const token = await at.admin()
  const screens = []
  for (let n = 0; n < 6; n++) screens.push(await follow(at.baseUrl, token))
  for (const screen of screens) await screen.until(({ event }) => event === 'open')
  // Thirty beats: each looks after six streams.
  await new Promise(resolve => setTimeout(resolve, 1_500))
  const answers = []
  for (let n = 0; n < 8; n++) answers.push((await at.call('GET', '/api/v1/jobs', { token })).status)
  t.same(new Set(answers), new Set([200]))
  for (const screen of screens) screen.stop()
})
