import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Client } from 'ssh2'
import t from 'tap'
import { openTestHouse } from '../helpers/house.ts'
import { type Edit, mutantSftp } from '../helpers/mutant.ts'
import { family, run } from '../helpers/process.ts'
import { portOf } from '../helpers/processes.ts'
import { connect, free, newKeyPair, openSftpClient, type SftpGround, sftpGround } from '../helpers/sftp.ts'
import { field, handleOf, openFields, packet, type SftpWire, sftpWire, statusOf, u32, u64 } from '../helpers/sftp-wire.ts'
import { root } from '../helpers/sources.ts'

const failure = 4
const mebibyte = 2 ** 20

interface Inside {
  readonly client: Client
  readonly wire: SftpWire
}

async function enter(port: number, as: { username: string; privateKey: string }): Promise<Inside> {
  const client = await connect(port, as)
  return { client, wire: await sftpWire(client) }
}

async function upload(wire: SftpWire, path: string, body: Buffer): Promise<void> {
  const handle = handleOf(await wire.ask(packet.open, ...openFields(path, 2 | 8 | 16))) ?? Buffer.alloc(0)
  for (let at = 0; at < body.length; at += 32_768)
    await wire.ask(packet.write, field(handle), u64(BigInt(at)), field(body.subarray(at, at + 32_768)))
  await wire.ask(packet.close, field(handle))
}

/** Opens until it is refused. @returns how many there are, and how the next one was answered */
async function openMost(wire: SftpWire, most: number, what: () => Buffer[], type: number) {
  let open = 0
  for (; open < most; open++) {
    const answer = await wire.ask(type, ...what())
    if (handleOf(answer) === undefined) return { open, refusal: statusOf(answer) }
  }
  return { open, refusal: undefined }
}

/** What a client does who wants much. @returns what he got that is more than a client may have */
async function demands(ground: SftpGround): Promise<string[]> {
  const found: string[] = []
  const { ctx } = ground
  const connectionId = await ground.connection(ctx)
  const user = await ground.user(ctx, connectionId, 'acme-erp')
  const as = { username: user.username, privateKey: user.key.private }
  const { client, wire } = await enter(ground.server.port, as)
  const expect = (holds: boolean, what: string): void => {
    if (!holds) found.push(what)
  }

  const folders = await openMost(wire, 1_000, () => [field('/inbox')], packet.opendir)
  expect(
    folders.open === 64 && folders.refusal?.code === failure && /More than 64/.test(folders.refusal.message),
    `${folders.open} folders`
  )
  const { client: second, wire: other } = await enter(ground.server.port, as)
  let n = 0
  const uploads = await openMost(other, 1_000, () => openFields(`/inbox/${n++}.csv`, 2 | 8 | 16), packet.open)
  expect(uploads.open === 16 && uploads.refusal?.code === failure, `${uploads.open} uploads`)
  second.end()
  client.end()

  const { client: third, wire: here } = await enter(ground.server.port, as)
  const body = Buffer.alloc(3 * mebibyte, 'a')
  await sql`insert into exchange.outbox_file (connection_id, name, body_sealed, size, sha256) values (${connectionId}, 'big.json',
    ${ctx.tenant.keys.seal(body, { table: 'exchange.outbox_file', column: 'body_sealed', row: `${connectionId}/big.json` })},
    ${body.length}, 'x')`.execute(free(ctx))
  const big = handleOf(await here.ask(packet.open, ...openFields('/outbox/big.json', 1))) ?? Buffer.alloc(0)
  for (const [length, offset] of [
    [0xffff_ffff, 0n],
    [0x8000_0000, 5n],
    [262_144, 0n]
  ] as const) {
    const answer = await here.ask(packet.read, field(big), u64(offset), u32(length))
    expect(answer.type === packet.data && answer.body.length - 4 <= 131_072, `a read of ${length}: ${answer.body.length}`)
  }
  for (const offset of [2n ** 60n, 2n ** 63n, 2n ** 64n - 1n]) {
    const answer = await here.ask(packet.read, field(big), u64(offset), u32(0xffff_ffff))
    expect(statusOf(answer)?.code === 1, `a read at ${offset} is behind the end: ${JSON.stringify(statusOf(answer))}`)
  }

  for (const offset of [2n ** 60n, 2n ** 63n, 2n ** 64n - 1n, 1n]) {
    const handle = handleOf(await here.ask(packet.open, ...openFields('/inbox/sparse.csv', 2 | 8 | 16))) ?? Buffer.alloc(0)
    const answer = await here.ask(packet.write, field(handle), u64(offset), field('x'))
    expect(statusOf(answer)?.code === failure, `a write at ${offset}: ${JSON.stringify(statusOf(answer))}`)
    const closed = statusOf(await here.ask(packet.close, field(handle)))
    expect(closed?.code === failure, `a file with a gap at ${offset} was closed: ${JSON.stringify(closed)}`)
    const size = Number((await ground.rows()).at(-1)?.size)
    expect(size < 2, `a file with a gap has ${size} bytes`)
  }
  for (const guess of ['', 'x', '\0'.repeat(8), 'a'.repeat(256)])
    expect(statusOf(await here.ask(packet.readdir, field(guess)))?.code === failure, `the handle ${JSON.stringify(guess.slice(0, 9))}`)
  third.end()
  return found
}

/** Asks for far more than it reads. @returns whether the server gave up on it */
async function deaf(port: number, as: { username: string; privateKey: string }): Promise<boolean> {
  const { client, wire } = await enter(port, as)
  await upload(wire, '/inbox/deaf.csv', Buffer.alloc(100_000, 'a'))
  const handle = handleOf(await wire.ask(packet.open, ...openFields('/inbox/deaf.csv', 1))) ?? Buffer.alloc(0)
  let over = false
  void wire.ended.then(() => {
    over = true
  })
  wire.channel.pause()
  for (let i = 0; i < 100_000 && !over; i += 1_000) {
    const many = Buffer.concat(Array.from({ length: 1_000 }, () => wire.request(packet.read, field(handle), u64(0n), u32(0xffff_ffff))))
    if (!wire.channel.write(many))
      await Promise.race([new Promise(resolve => wire.channel.once('drain', resolve)), wire.ended, sleep(3_000)])
  }
  for (let tries = 0; tries < 100 && !over; tries++) await sleep(20)
  client.destroy()
  return over
}

t.test('C9 resources', async t => {
  await t.test('C9: handles, reads and writes are capped, with a status that says why', async t => {
    t.strictSame(await demands(await sftpGround(t)), [])
  })

  await t.test('C9: who asks 100,000 times and reads no answer is cut off', async t => {
    const ground = await sftpGround(t)
    const user = await ground.user(ground.ctx, await ground.connection(ground.ctx), 'acme-erp')
    const before = process.memoryUsage().rss
    t.equal(await deaf(ground.server.port, { username: 'acme-erp', privateKey: user.key.private }), true)
    t.ok(process.memoryUsage().rss - before < 256 * mebibyte, 'client included')
  })

  await t.test('C9: sessions of a connection and channels of a session are capped', async t => {
    const ground = await sftpGround(t, { config: { maxUnauthenticated: 50 } })
    const user = await ground.user(ground.ctx, await ground.connection(ground.ctx), 'acme-erp')
    const as = { username: 'acme-erp', privateKey: user.key.private }
    const client = await connect(ground.server.port, as)
    const channels = await Promise.allSettled(Array.from({ length: 30 }, () => openSftpClient(client)))
    t.equal(channels.filter(({ status }) => status === 'fulfilled').length, 8)
    const clients = [client]
    let live = 1
    for (let i = 0; i < 30; i++) {
      const next = await connect(ground.server.port, as)
      live++
      next.on('close', () => live--)
      clients.push(next)
    }
    for (let tries = 0; tries < 100 && live > 24; tries++) await sleep(20)
    t.equal(live, 24)
    for (const one of clients) one.end()
  })

  await t.test('C9: a session that opens and closes channels for hours leaves nothing behind', async t => {
    const ground = await sftpGround(t)
    const user = await ground.user(ground.ctx, await ground.connection(ground.ctx), 'acme-erp')
    const warnings: string[] = []
    const hear = (warning: Error): void => void warnings.push(warning.message)
    process.on('warning', hear)
    const client = await connect(ground.server.port, { username: 'acme-erp', privateKey: user.key.private })
    for (let i = 0; i < 40; i++) {
      const { raw } = await openSftpClient(client)
      const closed = new Promise(resolve => raw.once('close', resolve))
      raw.end()
      await closed
    }
    const channels = await Promise.all(Array.from({ length: 8 }, () => openSftpClient(client)))
    t.equal(channels.length, 8)
    await sleep(10)
    process.off('warning', hear)
    t.strictSame(warnings, [])
    client.end()
  })

  const mutants: Readonly<Record<string, Edit & { readonly finds: RegExp }>> = {
    'counts no handles': {
      file: 'core/exchange/sftp-handles.ts',
      from: 'const mostHandles = 64',
      to: 'const mostHandles = 10_000',
      finds: /1000 folders/
    },
    'gives as much as is asked for': {
      file: 'core/exchange/sftp-session.ts',
      from: 'Math.min(length, mostRead)',
      to: 'length',
      finds: /a read of 4294967295: 31/
    },
    'appends wherever it should go': {
      file: 'core/exchange/sftp-handles.ts',
      from: 'if (!flags.append && offset !== upload.size()) throw gap(offset, upload.size())',
      to: '',
      finds: /a write at 1152921504606846976/
    }
  }
  for (const [what, { finds, ...edit }] of Object.entries(mutants)) {
    await t.test(`C9: a server that ${what} turns this check red`, async t => {
      t.match((await demands((await (await mutantSftp(t, [edit])).sftpGround(t)) as SftpGround)).join('; '), finds)
    })
  }

  await t.test('C9: a server that lets requests wait without end turns this check red', async t => {
    const file = 'core/exchange/sftp-queue.ts'
    const broken = await mutantSftp(t, [
      { file, from: 'const mostRequests = 16_384', to: 'const mostRequests = 1e9' },
      { file, from: 'const mostBytes = 16 * 1024 * 1024', to: 'const mostBytes = 1e12' }
    ])
    const ground = (await broken.sftpGround(t)) as SftpGround
    const user = await ground.user(ground.ctx, await ground.connection(ground.ctx), 'acme-erp')
    t.equal(await deaf(ground.server.port, { username: 'acme-erp', privateKey: user.key.private }), false)
  })
})

/** Most memory that a process has held so far. */
const peakOf = (pid: number): number => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024

t.test('C9 memory', process.platform === 'linux' ? {} : { skip: 'memory of another process is read from /proc' }, async t => {
  const house = await openTestHouse(t)
  const token = await house.admin()
  const make = async (name: string) => {
    const { body } = await house.call<{ id: string }>('POST', '/api/v1/connections', {
      token,
      body: { name, adapter: 'werkvloer.csv', config: {} }
    })
    const key = newKeyPair()
    const answer = await house.call('POST', `/api/v1/connections/${body.id}/access/sftp-keys`, {
      token,
      body: { username: name, publicKey: key.public, label: 'x' }
    })
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
    return { username: name, privateKey: key.private }
  }
  const greedy = await make('greedy-erp')
  const neighbour = await make('neighbour-erp')
  const served = run(t, join(root, 'node_modules/.bin/node'), ['main.ts', 'serve', '--only', 'sftp'], {
    ...house.settings,
    // Otherwise it measures how long a machine with much memory puts off collecting.
    NODE_OPTIONS: '--max-old-space-size=160 --max-semi-space-size=8'
  })
  const port = await portOf(served, 'sftp')
  const pid = family(served.pid).at(-1) ?? served.pid

  const calm = await enter(port, neighbour)
  let beats = 0
  let beating = true
  const heart = (async () => {
    while (beating) {
      await upload(calm.wire, `/inbox/beat-${beats++ % 50}.csv`, Buffer.from('number\n1\n'))
      await sleep(50)
    }
  })()
  /** 100,000 reads, each of 4 GiB, as fast as they go out. @returns whether all were answered, or the server gave up on it */
  const storm = async (): Promise<boolean> => {
    const { client, wire } = await enter(port, greedy)
    let over = false
    void wire.ended.then(() => {
      over = true
    })
    await upload(wire, '/inbox/small.csv', Buffer.from('number\n1\n'))
    const handle = handleOf(await wire.ask(packet.open, ...openFields('/inbox/small.csv', 1))) ?? Buffer.alloc(0)
    for (let i = 0; i < 100_000 && !over; i += 1_000) {
      const many = Buffer.concat(Array.from({ length: 1_000 }, () => wire.request(packet.read, field(handle), u64(0n), u32(0xffff_ffff))))
      if (!wire.channel.write(many)) await Promise.race([new Promise(resolve => wire.channel.once('drain', resolve)), wire.ended])
    }
    for (let tries = 0; tries < 1_200 && wire.unasked < 100_000 && !over; tries++) await sleep(50)
    const done = wire.unasked === 100_000 || (over && wire.unasked > 64)
    client.destroy()
    return done
  }
  // What the process takes anyway: keys, pools, buffers.
  for (let i = 0; i < 3; i++) {
    const { client, wire } = await enter(port, greedy)
    await upload(wire, '/inbox/warm.csv', Buffer.alloc(4 * mebibyte, 'a'))
    client.end()
  }
  const before = peakOf(pid)
  const grown = (): number => Math.round((peakOf(pid) - before) / mebibyte)

  await t.test('C9: 100,000 outstanding reads, of 4 GiB each, cost the server no memory', async t => {
    t.ok(await storm())
    for (let i = 0; i < 2; i++) t.ok(await deaf(port, greedy))
    t.ok(grown() < 64, `grown by ${grown()} MiB`)
  })

  await t.test('C9: a storm of new keys ends the connection and costs no memory', async t => {
    const { client, wire } = await enter(port, greedy)
    let over = false
    void wire.ended.then(() => {
      over = true
    })
    let keys = 0
    const protocol = (client as unknown as { _protocol: { rekey(): void } })._protocol
    client.on('handshake', () => keys++)
    for (; keys < 1_000 && !over; ) {
      const now = keys
      protocol.rekey()
      for (let tries = 0; tries < 1_000 && keys === now && !over; tries++) await sleep(2)
    }
    t.ok(over, `the server ended it after ${keys} key exchanges`)
    t.ok(keys >= 5, 'an honest client may change its keys')
    t.ok(grown() < 64, `grown by ${grown()} MiB`)
    client.end()
  })

  await t.test('C9: meanwhile the neighbour goes on', async t => {
    const then = beats
    for (let tries = 0; tries < 200 && beats < then + 5; tries++) await sleep(50)
    t.ok(beats >= then + 5 && beats > 10, `${beats} uploads`)
    beating = false
    await heart
    calm.client.end()
  })
})
