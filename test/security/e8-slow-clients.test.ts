import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { until } from '../../demo/api.ts'
import { openTestHouse } from '../helpers/house.ts'

/** Less than what the server grants: what it does after ten times that is the same. */
const patience = { headersMs: 1_000, requestMs: 6_000, keepAliveMs: 1_500, readerMs: 2_000, everyMs: 250 }
/** The machine may be busy: closed at all, and not after minutes, is what counts. */
const boundSeconds = 20

t.test('E8: slow clients are closed in bounded time and cost bounded memory', async t => {
  const house = await openTestHouse(t, { patience })
  const { port } = new URL(house.baseUrl)
  const sockets = new Set<Socket>()
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
  })

  interface Client {
    readonly socket: Socket
    readonly heard: () => string
    readonly closedAt: () => number | undefined
  }
  function open(): Client {
    const socket = connect(Number(port), '127.0.0.1')
    sockets.add(socket)
    let [heard, closedAt]: [string, number | undefined] = ['', undefined]
    socket.on('data', part => {
      if (heard.length < 2_000) heard += part.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      closedAt = performance.now()
      sockets.delete(socket)
    })
    return { socket, heard: () => heard, closedAt: () => closedAt }
  }
  const closed = (client: Client, what: string) => until(what, boundSeconds, async () => client.closedAt() !== undefined || undefined)
  /** Somebody else meanwhile. */
  const served = async (): Promise<number> => (await house.call('GET', '/health/live')).status

  /** A byte now and then, for as long as the connection stands. */
  async function drip(client: Client, text: string, everyMs: number): Promise<void> {
    for (const byte of text) {
      if (client.closedAt() !== undefined) return
      client.socket.write(byte)
      await sleep(everyMs)
    }
  }

  await t.test('E8: a header that comes byte by byte', async t => {
    const client = open()
    const dripping = drip(client, `GET /health/live HTTP/1.1\r\nhost: x\r\nx-slow: ${'a'.repeat(1_000)}`, 100)
    await closed(client, 'the connection is closed')
    await dripping
    t.match(client.heard(), /^(HTTP\/1\.1 4\d\d |$)/)
    t.equal(await served(), 200)
  })

  await t.test('E8: a connection that never says a word, and one that stops in the middle of a header', async () => {
    const [silent, half] = [open(), open()]
    half.socket.write('GET /health/live HTTP/1.1\r\nhost:')
    await closed(half, 'the half header is closed')
    await closed(silent, 'the silent one is closed')
  })

  await t.test('E8: a body that comes byte by byte', async t => {
    const client = open()
    client.socket.write('POST /api/v1/sign-in HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n')
    const dripping = drip(client, `{"customer": "${'a'.repeat(4_000)}`, 100)
    await closed(client, 'the connection is closed')
    await dripping
    t.match(client.heard(), /^(HTTP\/1\.1 4\d\d |$)/)
    t.notMatch(client.heard(), /HTTP\/1\.1 (200|5\d\d)/)
  })

  await t.test('E8: a thousand quiet connections are let go, and hold little', async t => {
    const before = process.memoryUsage().rss
    const clients = Array.from({ length: 1_000 }, open)
    for (const { socket } of clients) socket.write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n')
    await until('all are answered', 30, async () => clients.every(({ heard }) => heard().includes('200 OK')) || undefined)
    t.equal(await served(), 200, 'one more is served')
    const held = process.memoryUsage().rss - before
    await until('all are closed', boundSeconds, async () => clients.every(({ closedAt }) => closedAt() !== undefined) || undefined)
    // Both ends are in this process.
    t.ok(held < 128 * 2 ** 20, `${Math.round(held / 2 ** 20)} MB for a thousand`)
    t.equal(await served(), 200)
  })

  await t.test('E8: a large answer that is taken a little at a time', async t => {
    const token = await house.admin()
    const ok = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
      const answer = await house.call<T>(method, path, { token, ...(body === undefined ? {} : { body }) })
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
      return answer.body
    }
    const { id } = await ok<{ id: string }>('POST', '/api/v1/connections', { name: 'Web', adapter: 'werkvloer.neutral-rest', config: {} })
    await ok('POST', `/api/v1/connections/${id}/activate`, {})
    const erp = await ok<{ token: string }>('POST', `/api/v1/connections/${id}/access/tokens`, { label: 'test' })
    const raw = randomBytes(12 * 2 ** 20).toString('hex')
    const made = await fetch(`${house.baseUrl}/erp/v1/${id}/articles`, {
      method: 'POST',
      headers: { authorization: `Bearer ${erp.token}`, 'content-type': 'application/json' },
      body: raw
    })
    t.equal(made.status, 202)
    const { delivery } = (await made.json()) as { delivery: string }
    const ask = (client: Client): void =>
      void client.socket.write(`GET /api/v1/deliveries/${delivery}/raw HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`)
    global.gc?.()
    const before = process.memoryUsage().rss

    const slow = Array.from({ length: 20 }, open)
    for (const one of slow) {
      ask(one)
      one.socket.pause()
    }
    // A read of a few bytes now and then keeps a connection from being quiet.
    const sipping = setInterval(() => {
      for (const { socket } of slow) socket.read(16)
    }, 200)
    await sleep(1_000)
    const held = process.memoryUsage().rss - before
    t.ok(held < 128 * 2 ** 20, `${Math.round(held / 2 ** 20)} MB for twenty answers of 24 MB`)
    // A socket that is not read does not see its own end: writing to one that was closed does.
    await until('all of them are closed', boundSeconds, async () => (await connectionsOf(house.house.app.server)) <= 1 || undefined)
    clearInterval(sipping)
    for (const { socket } of slow) socket.destroy()

    const quick = open()
    let taken = 0
    quick.socket.on('data', part => {
      taken += part.length
    })
    ask(quick)
    await until('one that reads has all of it', 60, async () => taken > raw.length || undefined)
    t.equal(await served(), 200)
  })
})

const connectionsOf = (server: { getConnections(callback: (error: Error | null, count: number) => void): unknown }): Promise<number> =>
  new Promise((resolve, reject) => server.getConnections((error, count) => (error ? reject(error) : resolve(count))))
