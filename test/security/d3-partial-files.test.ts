import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { fixedClock } from '../../core/clock.ts'
import { settleArrivals } from '../../core/exchange/arrivals.ts'
import { isTemporaryName } from '../../core/exchange/file-names.ts'
import { connectErp, firstAdministrator } from '../../demo/setup.ts'
import { openTestHouse } from '../helpers/house.ts'
import { type Edit, mutantSftp } from '../helpers/mutant.ts'
import { family, type Run, run } from '../helpers/process.ts'
import { portOf } from '../helpers/processes.ts'
import { connect, fileAdapters, newKeyPair, openSftpClient, type Sftp, type SftpGround, sftpGround } from '../helpers/sftp.ts'
import { root } from '../helpers/sources.ts'

const failure = 4

/** The line is cut, as by a killed client or a pulled plug. */
const cut = (client: unknown): void => (client as { _sock: { destroy(): void } })._sock.destroy()

async function enter(ground: SftpGround, name: string, adapter = 'plain') {
  const connectionId = await ground.connection(ground.ctx, adapter)
  const user = await ground.user(ground.ctx, connectionId, name)
  return async () => {
    const client = await connect(ground.server.port, { username: name, privateKey: user.key.private })
    return { client, sftp: await openSftpClient(client), connectionId }
  }
}

async function eventually<T>(what: () => Promise<T | undefined | false>): Promise<T | undefined> {
  for (let tries = 0; tries < 300; tries++) {
    const value = await what()
    if (value !== undefined && value !== false) return value
    await sleep(20)
  }
  return undefined
}

async function begin(sftp: Sftp, name: string, body: string): Promise<Buffer> {
  const handle = await sftp.call<Buffer>('open', `inbox/${name}`, 'w')
  await sftp.call('write', handle, Buffer.from(body), 0, body.length, 0)
  return handle
}

/** Everything that leaves a file half there. @returns the half files that were taken over */
async function halves(ground: SftpGround): Promise<string[]> {
  const { ctx } = ground
  const another = await enter(ground, 'acme-erp')
  const first = await another()
  const body = 'number\n1\n2\n'
  const half = body.slice(0, body.length / 2)

  // The line is cut at half of the file.
  const doomed = await another()
  await begin(doomed.sftp, 'cut.csv', half)
  cut(doomed.client)
  await eventually(async () => (await ground.rows()).find(row => row.name === 'cut.csv' && row.state !== 'arriving'))
  // A part of it is refused, and the client goes on.
  const gap = await begin(first.sftp, 'gap.csv', half)
  await first.sftp.call('write', gap, Buffer.from('x'), 0, 1, 2 ** 40).catch(() => {})
  await first.sftp.call('write', gap, Buffer.from('3\n'), 0, 2, half.length).catch(() => {})
  await first.sftp.call('close', gap).catch(() => {})
  // It is too large, and what fitted is closed.
  const large = await begin(first.sftp, 'large.csv', half)
  const piece = Buffer.alloc(32_000, 'a')
  for (let at = half.length; at < 400_000; at += piece.length)
    await first.sftp.call('write', large, piece, 0, piece.length, at).catch(() => {})
  await first.sftp.call('close', large).catch(() => {})
  // It is moved to its final name while it is being written.
  const moved = await begin(first.sftp, 'moved.tmp', half)
  const mover = await another()
  await mover.sftp.call('rename', 'inbox/moved.tmp', 'inbox/moved.csv').catch(() => {})
  await settleArrivals(ctx, ground.arrivals)
  // It lies under a temporary name for ever.
  await first.sftp.put('inbox/left.tmp', half)
  // Two write one name; the one who began first closes last.
  const early = await begin(first.sftp, 'both.csv', half)
  await mover.sftp.put('inbox/both.csv', body)
  await first.sftp.call('close', early).catch(() => {})
  // A reader asks for what is still being written.
  const read = await begin(first.sftp, 'read.csv', half)
  const seen = await mover.sftp.get('inbox/read.csv').catch(() => undefined)

  await settleArrivals({ ...ctx, clock: fixedClock('2036-01-01T00:00:00Z') }, ground.arrivals)
  const taken = (await ground.rows()).filter(row => row.state !== 'arriving' && row.state !== 'incomplete')
  const found = taken.filter(row => Number(row.size) !== body.length).map(row => String(row.name))
  if (seen !== undefined) found.push('a reader')
  if (!taken.some(row => row.name === 'both.csv')) found.push('nothing of both.csv')
  void moved
  void read
  first.client.end()
  mover.client.end()
  return found
}

t.test('D3 partial files', async t => {
  const options = { stabilitySeconds: 0, config: { maxFileBytes: 200_000 } }

  await t.test('D3: whatever leaves a file half there, it is not taken over', async t => {
    t.strictSame(await halves(await sftpGround(t, options)), [])
  })

  const mutants: Readonly<Record<string, Edit & { readonly lets: string }>> = {
    'takes a cut line for an end': {
      file: 'core/exchange/uploads.ts',
      from: "state: 'incomplete', size, sha256, at: opened.clock.iso(), closed: false, reason, modifiedAt: null }",
      to: "state: 'arriving', size, sha256, at: opened.clock.iso(), closed: true, reason, modifiedAt: null }",
      lets: 'cut.csv'
    },
    'forgets that a part was refused': { file: 'core/exchange/uploads.ts', from: 'spoilt = true', to: '', lets: 'gap.csv' },
    'forgets that a file was too large': {
      file: 'core/exchange/uploads.ts',
      from: 'failure?.detail ?? (spoilt',
      to: '(spoilt',
      lets: 'large.csv'
    },
    'takes over what lies under a temporary name': {
      file: 'core/exchange/arrivals.ts',
      from: '.filter(delivery => !isTemporaryName(delivery.name))',
      to: '',
      lets: 'left.tmp'
    },
    'shows what is being written': {
      file: 'core/exchange/sftp-tree.ts',
      from: 'if (!delivery?.blob_id || delivery.sha256 === null) return undefined',
      to: "if (!delivery?.blob_id) return undefined\n        if (delivery.sha256 === null) return bufferSource(Buffer.from('half'), async () => {})",
      lets: 'a reader'
    }
  }
  for (const [what, { lets, ...edit }] of Object.entries(mutants)) {
    await t.test(`D3: a server that ${what} turns this check red`, async t => {
      // Here a refused part is forgotten in both ways, since either alone keeps the file out.
      const edits = lets === 'large.csv' ? [edit, { file: edit.file, from: 'spoilt = true', to: '' }] : [edit]
      const found = await halves((await (await mutantSftp(t, edits)).sftpGround(t, options)) as SftpGround)
      t.ok(found.includes(lets), found.join())
    })
  }

  await t.test('D3: what is half there is shown as such, and a whole file takes its place', async t => {
    const ground = await sftpGround(t, { stabilitySeconds: 3600 })
    const another = await enter(ground, 'acme-erp')
    const doomed = await another()
    await begin(doomed.sftp, 'half.csv', 'a'.repeat(1000))
    cut(doomed.client)
    const half = await eventually(async () => (await ground.rows()).find(row => row.name === 'half.csv' && row.state === 'incomplete'))
    t.match(half, { size: '1000', reason_code: 'upload_incomplete' })
    const { client, sftp } = await another()
    t.strictSame(await sftp.names('/inbox'), ['half.csv'])
    await sftp.put('inbox/half.csv', 'whole now')
    t.match(
      (await ground.rows()).filter(row => row.name === 'half.csv'),
      [
        { state: 'incomplete', inbox_name: null, blob_id: null },
        { state: 'arriving', size: '9' }
      ]
    )
    client.end()
  })

  await t.test('D3: of two sessions that write one name the later counts, and the other is told', async t => {
    const ground = await sftpGround(t, { stabilitySeconds: 3600 })
    const another = await enter(ground, 'acme-erp')
    const [first, second] = [await another(), await another()]
    const handle = await begin(first.sftp, 'both.csv', 'first')
    await second.sftp.put('inbox/both.csv', 'second')
    await t.rejects(first.sftp.call('close', handle), { code: failure, message: /later upload/ })
    t.equal((await second.sftp.get('inbox/both.csv')).toString(), 'second')
    first.client.end()
    second.client.end()
  })

  await t.test('D3: the same name again is another delivery, the same content again is not', async t => {
    const ground = await sftpGround(t, options)
    const { client, sftp } = await (await enter(ground, 'acme-erp'))()
    for (const body of ['A', 'B', 'A', 'A']) {
      await sftp.put('inbox/same.csv', body)
      await settleArrivals(ground.ctx, ground.arrivals)
    }
    t.strictSame(
      (await ground.rows()).map(row => row.state),
      ['stored', 'stored', 'stored', 'duplicate']
    )
    client.end()
  })

  await t.test('D3: who reads a file goes on with its bytes when it is renamed, removed or written anew', async t => {
    const ground = await sftpGround(t, { stabilitySeconds: 3600, config: { maxFileBytes: 1_000_000 } })
    const another = await enter(ground, 'acme-erp')
    const [reader, writer] = [await another(), await another()]
    for (const act of [
      () => writer.sftp.call('rename', 'inbox/r.csv', 'inbox/r2.csv'),
      () => writer.sftp.call('unlink', 'inbox/r.csv'),
      () => writer.sftp.put('inbox/r.csv', 'b'.repeat(500_000))
    ]) {
      await writer.sftp.put('inbox/r.csv', 'a'.repeat(500_000))
      const handle = await reader.sftp.call<Buffer>('open', 'inbox/r.csv', 'r')
      const buffer = Buffer.alloc(32_000)
      let all = ''
      let acted = false
      while (all.length < 500_000) {
        if (!acted && all.length > 100_000) {
          acted = true
          await act()
        }
        const at = all.length
        const count = await new Promise<number>((resolve, reject) =>
          reader.sftp.raw.read(handle, buffer, 0, 25_000, at, (error, read) => (error ? reject(error) : resolve(read)))
        )
        if (count === 0) break
        all += buffer.subarray(0, count).toString()
      }
      t.ok(all === 'a'.repeat(500_000), 'nothing is mixed')
      await reader.sftp.call('close', handle)
      await writer.sftp.call('unlink', 'inbox/r2.csv').catch(() => {})
    }
    reader.client.end()
    writer.client.end()
  })

  await t.test('D3: a file under a temporary name is never taken over by waiting', async t => {
    const ground = await sftpGround(t, options)
    const { client, sftp } = await (await enter(ground, 'acme-erp'))()
    const names = ['a.tmp', 'b.part', '.hidden', '.in.c.csv', 'd.filepart', 'e~']
    for (const name of names) await sftp.put(`inbox/${name}`, 'x')
    await settleArrivals({ ...ground.ctx, clock: fixedClock('2036-01-01T00:00:00Z') }, ground.arrivals)
    const rows = (await ground.rows()).filter(row => isTemporaryName(String(row.name)))
    t.equal(rows.length, names.length)
    t.ok(rows.every(row => row.state === 'arriving'))
    client.end()
  })

  await t.test('D3: a connection with done files takes nothing over without one', async t => {
    const adapters = fileAdapters({ done: { pattern: 'orders*.csv', done: '{name}.done' } })
    const ground = await sftpGround(t, { stabilitySeconds: 3600, adapters })
    const { client, sftp, connectionId } = await (await enter(ground, 'acme-done', 'done'))()
    const of = async (name: string) => (await ground.rows()).find(row => row.name === name)
    await sftp.put('inbox/orders-1.tmp', 'a')
    await sftp.call('rename', 'inbox/orders-1.tmp', 'inbox/orders-1.csv')
    await settleArrivals({ ...ground.ctx, clock: fixedClock('2036-01-01T00:00:00Z') }, ground.arrivals, connectionId)
    t.match(await of('orders-1.csv'), { state: 'arriving' }, 'neither a rename nor time makes it whole')
    await sftp.put('inbox/orders-1.csv.done', '')
    t.match(await of('orders-1.csv'), { state: 'stored' })
    t.match(await of('orders-1.csv.done'), { state: 'done', reason_code: 'done_file' })
    await sftp.put('inbox/orders-2.csv.done', '')
    t.match(await of('orders-2.csv.done'), { state: 'arriving' }, 'a done file that comes first waits')
    await sftp.put('inbox/orders-2.csv', 'b')
    t.match(await of('orders-2.csv'), { state: 'stored' })
    client.end()
  })
})

t.test('D3 a killed server', async t => {
  const house = await openTestHouse(t)
  const admin = await firstAdministrator(house.baseUrl, house.tenant.code, house.tenant.inviteToken)
  const key = newKeyPair()
  await connectErp(admin, { username: 'plant-erp', publicLine: key.public.trim() })
  const ctx = await house.ctx()
  const serve = async (): Promise<{ served: Run; port: number }> => {
    const served = run(t, join(root, 'node_modules/.bin/node'), ['main.ts', 'serve', '--only', 'sftp'], house.settings)
    return { served, port: await portOf(served, 'sftp') }
  }
  const enterAt = async (port: number) => {
    const client = await connect(port, { username: 'plant-erp', privateKey: key.private })
    return { client, sftp: await openSftpClient(client) }
  }
  const work = (at = ctx) => house.house.exchange.importDue(at, new AbortController().signal)
  const places = async (): Promise<number> =>
    Number(
      (await ctx.db.pool.query<{ n: string }>("select count(*) as n from inventory.location where description like 'Rack %'")).rows[0]?.n
    )
  const state = async (name: string): Promise<string[]> =>
    (await ctx.db.pool.query<{ state: string }>('select state from exchange.delivery where name = $1 order by seq', [name])).rows.map(
      row => row.state
    )
  const lines = (count: number): string =>
    `Location;Warehouse;Description;Blocked\n${Array.from({ length: count }, (_, i) => `R${i};MAIN;Rack ${i};N\n`).join('')}`

  await t.test('D3: a server that is killed in the middle of an upload leaves nothing that is imported', async t => {
    const { served, port } = await serve()
    const { sftp } = await enterAt(port)
    const whole = Buffer.from(lines(4_000))
    const handle = await sftp.call<Buffer>('open', 'inbox/LOC_1.csv.tmp', 'w')
    const piece = 32_000
    for (let at = 0; at < whole.length / 2; at += piece) await sftp.call('write', handle, whole, at, Math.min(piece, whole.length - at), at)
    for (const pid of family(served.pid)) process.kill(pid, 'SIGKILL')
    await served.ended
    await work()
    await work({ ...ctx, clock: fixedClock(new Date(Date.now() + 3_600_000).toISOString()) })
    t.equal(await places(), 0)
    t.strictSame([await state('LOC_1.csv.tmp'), await state('LOC_1.csv')], [['incomplete'], []])

    const next = await serve()
    const again = await enterAt(next.port)
    await again.sftp.put('inbox/LOC_1.csv.tmp', whole)
    await again.sftp.call('rename', 'inbox/LOC_1.csv.tmp', 'inbox/LOC_1.csv')
    // All that was answered counts, whatever happens now.
    for (const pid of family(next.served.pid)) process.kill(pid, 'SIGKILL')
    await next.served.ended
    await work()
    t.equal(await places(), 4_000)
    t.strictSame([await state('LOC_1.csv.tmp'), await state('LOC_1.csv')], [['incomplete'], ['done']])
  })

  await t.test('D3: one that is killed between the last byte and the answer imports all of the file or nothing', async t => {
    const { served, port } = await serve()
    const { sftp } = await enterAt(port)
    const whole = lines(6_000)
    const uploaded = sftp.put('inbox/LOC_2.csv', whole).catch(() => {})
    await eventually(async () => (await state('LOC_2.csv')).length > 0)
    for (const pid of family(served.pid)) process.kill(pid, 'SIGKILL')
    await Promise.all([served.ended, Promise.race([uploaded, sleep(2_000)])])
    await work({ ...ctx, clock: fixedClock(new Date(Date.now() + 3_600_000).toISOString()) })
    t.ok([4_000, 6_000].includes(await places()), `${await places()} places`)
  })
})
