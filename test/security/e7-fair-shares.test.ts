import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { fixedClock } from '../../core/clock.ts'
import { Refusal } from '../../core/errors.ts'
import { createShares } from '../../core/http/shares.ts'
import { openTestHouse, type TestTenant } from '../helpers/house.ts'

/** Requests per second; the flood is fifty times what a caller may. */
const perCaller = 4
const perCustomer = 16
const flood = perCaller * 50
const goal = 1.5
/** Times below count as this: in this process run the server, its clients and the flood, beside whatever else the machine does. */
const floorMs = 100

const refusedFor = (take: () => void): number | undefined => {
  try {
    take()
    return undefined
  } catch (error) {
    if (error instanceof Refusal && error.code === 'too_many_requests') return error.retryAfterSeconds
    throw error
  }
}

t.test('E7: a bucket holds two seconds, fills by itself, and one caller does not empty that of others', async t => {
  const clock = fixedClock('2026-03-02T08:00:00.000Z')
  const told: string[] = []
  const shares = createShares({ perCaller: 10, perCustomer: 30 }, clock, (by, tenant) => told.push(`${by} ${tenant}`))
  const taken = (tenant: string, caller: string, times: number) =>
    Array.from({ length: times }, () => refusedFor(() => shares.take(tenant, caller))).filter(one => one === undefined).length
  t.equal(taken('a', 'ann', 1_000), 20)
  t.equal(taken('a', 'bob', 1_000), 20)
  t.equal(taken('a', 'cy', 1_000), 20, 'what was refused took nothing of the customer')
  t.equal(taken('a', 'dan', 1_000), 0, 'the customer has used what is his')
  t.equal(taken('b', 'eve', 1_000), 20, 'another customer has not')
  t.ok((refusedFor(() => shares.take('a', 'dan')) ?? 0) >= 1, 'and is told when to come again')
  clock.advance(1)
  t.equal(taken('a', 'dan', 1_000), 20)
  t.equal(taken('a', 'ann', 1_000), 10)
  t.equal(taken('a', 'bob', 1_000), 0)
  clock.advance(3_600)
  t.equal(taken('a', 'ann', 1_000), 20, 'never more than two seconds')
  t.same(new Set(told), new Set(['caller a', 'customer a', 'caller b']))
})

t.test('E7: one customer floods with starts and stops, others notice nothing', async t => {
  const house = await openTestHouse(t, {
    settings: { WERKVLOER_REQUESTS_PER_CALLER: String(perCaller), WERKVLOER_REQUESTS_PER_CUSTOMER: String(perCustomer) }
  })
  const others = [await house.newTenant(), await house.newTenant()]
  const tokens = new Map<TestTenant, string>()
  for (const tenant of [house.tenant, ...others]) tokens.set(tenant, await house.admin(tenant))
  const of = (tenant: TestTenant) => ({ token: tokens.get(tenant) ?? '' })
  await sleep(1_000)

  let serial = 0
  interface Sample {
    readonly status: number
    readonly ms: number
  }
  async function ask(tenant: TestTenant): Promise<Sample> {
    const began = performance.now()
    const { status } = await house.call('GET', '/api/v1/jobs?limit=20', of(tenant))
    return { status, ms: performance.now() - began }
  }
  /** Does it so often a second for a while, whatever becomes of those before. */
  async function steady(perSecond: number, seconds: number, one: () => void): Promise<void> {
    const began = performance.now()
    for (let done = 0; performance.now() - began < seconds * 1_000; await sleep(5)) {
      const due = Math.floor(((performance.now() - began) / 1_000) * perSecond)
      // A machine that stood still for a moment does not make up for it all at once.
      for (let n = 0; done < due && n < perSecond / 10; n++, done++) one()
      done = due
    }
  }
  const p99 = (samples: readonly Sample[]): number => {
    const sorted = samples.map(({ ms }) => ms).sort((a, b) => a - b)
    return Math.max(floorMs, sorted[Math.max(0, Math.ceil(sorted.length * 0.99) - 1)] ?? 0)
  }
  async function light(): Promise<Sample[]> {
    const asked: Promise<Sample>[] = []
    await steady(8, 1.2, () => asked.push(ask(others[serial++ % 2] ?? house.tenant)))
    return Promise.all(asked)
  }
  const flooder = openFlood(t, house.baseUrl, tokens.get(house.tenant) ?? '')

  // On a busy machine any flood slows everything, if only by what its bytes cost. So as many requests that ask for nothing are sent in turn
  // with the flood, and the slower of quiet and these is what the flood is held against.
  const idle = openFlood(t, house.baseUrl)
  const [without, withFlood]: [number[], number[]] = [[], []]
  const served: Sample[] = []
  let floodSeconds = 0
  for (let turn = 0; turn < 3; turn++) {
    const quiet = await light()
    const [empty] = await Promise.all([light(), steady(flood, 1.2, idle.act)])
    const began = performance.now()
    const [during] = await Promise.all([light(), steady(flood, 1.2, flooder.act)])
    floodSeconds += (performance.now() - began) / 1_000
    without.push(p99(quiet), p99(empty))
    withFlood.push(p99(during))
    served.push(...quiet, ...empty, ...during)
  }
  const flooded = await flooder.answers()

  await t.test('E7: the one who floods gets 429 with Retry-After for what is above his share', async t => {
    const refused = flooded.filter(({ status }) => status === 429)
    t.ok(flooded.length > perCaller * 50, `${flooded.length} were sent`)
    const through = flooded.length - refused.length
    // What the pauses between the floods gave back is his, too.
    t.ok(
      through <= perCaller * (2 + floodSeconds + 5 * 1.5) * 1.5,
      `${through} of ${flooded.length} came through in ${floodSeconds.toFixed(1)} s`
    )
    t.ok(through >= perCaller, 'his share is served')
    t.ok(refused.every(({ text }) => /\r\nretry-after: [1-9]/i.test(text) && text.includes('"code":"too_many_requests"')))
    t.same(
      flooded.filter(({ status }) => status !== 429 && status !== 404).map(({ text }) => text),
      [],
      'the rest is answered as ever'
    )
  })

  await t.test('E7: others are all served, and as fast', async t => {
    t.same(
      served.filter(({ status }) => status !== 200),
      []
    )
    const middle = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
    // By what the turns without the flood differ among each other, the machine differs; on one that has nothing else to do it is nothing.
    const noise = Math.max(...without) / Math.min(...without)
    const ratio = middle(withFlood) / middle(without)
    const words = (values: readonly number[]): string => values.map(Math.round).join(', ')
    t.ok(ratio <= goal * noise, `${words(withFlood)} ms with the flood, ${words(without)} ms without`)
  })

  await t.test('E7: an API key and an ERP token have shares of their own, and are told the same', async t => {
    const [tenant] = others
    if (!tenant) return t.fail('there is no other customer')
    const ok = async <T>(path: string, body: unknown): Promise<T> => {
      for (;;) {
        const answer = await house.call<T>('POST', path, { ...of(tenant), body })
        if (answer.status < 300) return answer.body
        if (answer.status !== 429) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
        await sleep(1_000)
      }
    }
    const groups = await house.call<{ items: { id: string }[] }>('GET', '/api/v1/groups', of(tenant))
    const { key } = await ok<{ key: string }>('/api/v1/api-keys', {
      name: 'test',
      permissions: ['jobs.read'],
      groupIds: groups.body.items.map(({ id }) => id),
      days: 1
    })
    const { id } = await ok<{ id: string }>('/api/v1/connections', { name: 'Web', adapter: 'werkvloer.neutral-rest', config: {} })
    await ok(`/api/v1/connections/${id}/activate`, {})
    const { token } = await ok<{ token: string }>(`/api/v1/connections/${id}/access/tokens`, { label: 'test' })
    await sleep(1_500)
    const programs = [
      [`/erp/v1/${id}/outbox`, token],
      ['/api/v1/jobs?limit=1', key]
    ] as const
    for (const [path, credential] of programs) {
      const answers = await Promise.all(Array.from({ length: perCaller * 4 }, () => house.call('GET', path, { token: credential })))
      const good = answers.filter(({ status }) => status === 200).length
      const refused = answers.filter(({ status }) => status === 429)
      t.ok(good >= perCaller && good <= perCaller * 3.5, `${path}: ${good} of ${answers.length} served`)
      t.ok(refused.length > 0 && refused.every(({ headers }) => Number(headers.get('retry-after')) >= 1))
      t.equal(good + refused.length, answers.length)
    }
  })
})

interface Answer {
  readonly status: number
  readonly text: string
}

/**
 * Starts, pauses and reports one after another over some connections, or without a token requests for nothing; as bytes: a client like any other would use more of the processor for
 * its questions than the server for its answers, and both share it here.
 */
function openFlood(t: { teardown(fn: () => void): void }, baseUrl: string, token?: string) {
  const { port } = new URL(baseUrl)
  const answers: Answer[] = []
  let [sent, heard] = [0, '']
  const sockets = Array.from({ length: 8 }, () => {
    const socket = connect(Number(port), '127.0.0.1')
    let rest = ''
    socket.on('data', part => {
      rest += part.toString('latin1')
      for (;;) {
        const head = rest.indexOf('\r\n\r\n')
        const length = /\r\ncontent-length: (\d+)/i.exec(rest.slice(0, head))?.[1]
        if (head < 0 || length === undefined || rest.length < head + 4 + Number(length)) return
        const text = rest.slice(0, head + 4 + Number(length))
        rest = rest.slice(text.length)
        answers.push({ status: Number(text.slice(9, 12)), text })
      }
    })
    socket.on('error', error => {
      heard = error.message
    })
    t.teardown(() => void socket.destroy())
    return socket
  })
  const acts = ['start', 'pause', 'report']
  return {
    act(): void {
      if (token === undefined) return void sockets[sent++ % 8]?.write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n')
      const body = sent % 3 === 2 ? '{"good":"1"}' : '{}'
      const path = `/api/v1/jobs/0190ffff-ffff-7fff-8fff-ffffffffffff/${acts[sent % 3]}`
      const head = `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\nidempotency-key: ${randomUUID()}`
      sockets[sent++ % 8]?.write(`${head}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    },
    /** All of them, once the last has come. */
    async answers(): Promise<readonly Answer[]> {
      for (let tries = 0; answers.length < sent && tries < 600; tries++) await sleep(50)
      if (answers.length < sent) throw new Error(`${sent - answers.length} of ${sent} have no answer: ${heard}`)
      return answers
    }
  }
}
