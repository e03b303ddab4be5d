import { connect as connectTcp, type Socket } from 'node:net'
import t from 'tap'
import { fixedClock } from '../../core/clock.ts'
import { withTx } from '../../core/db/tx.ts'
import { failureLog, site, waitingRoom } from '../../core/exchange/sftp-limits.ts'
import { connect, openSftpClient, sftpGround, triesOf } from '../helpers/sftp.ts'

/** A connection that never fails this side; `ended` when the server hung up. */
async function dial(port: number): Promise<{ socket: Socket; ended: Promise<void> }> {
  const socket = connectTcp(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.resume()
  const ended = new Promise<void>(resolve => socket.once('close', () => resolve()))
  await Promise.race([new Promise<void>(resolve => socket.once('connect', () => resolve())), ended])
  return { socket, ended }
}

t.test('C4 attempts', async t => {
  const ground = await sftpGround(t)
  const { ctx, server, desk } = ground
  const connectionId = await ground.connection(ctx)
  const user = await ground.user(ctx, connectionId, 'acme-erp')

  await t.test('C4 attempt limits: a connection that wants to try 500 passwords is cut after three', async t => {
    t.equal(await triesOf(server.port, { username: 'acme-erp' }, 500), 3)
    const honest = await connect(server.port, { username: 'acme-erp', privateKey: user.key.private })
    honest.end()
  })

  await t.test('C4 attempt limits: passwords and signatures count together', async t => {
    const { password } = await withTx(ctx, tx => desk.addSftpPassword(tx, { connectionId, username: 'acme-erp', label: 'a' }))
    const tries: object[] = ['1', '2'].map(wrong => ({ type: 'password', username: 'acme-erp', password: wrong }))
    const handler = (list: object[]) => (_left: unknown, _partial: unknown, next: (answer: unknown) => void) => next(list.shift() ?? false)
    const right = { type: 'password', username: 'acme-erp', password }
    const third = await connect(server.port, { username: 'acme-erp', authHandler: handler([...tries, right]) as never })
    third.end()
    const wrong = { type: 'password', username: 'acme-erp', password: '3' }
    await t.rejects(
      connect(server.port, { username: 'acme-erp', authHandler: handler([...tries, wrong, right]) as never }),
      'the right one comes too late'
    )
    const honest = await connect(server.port, { username: 'acme-erp', privateKey: user.key.private })
    honest.end()
  })

  await t.test('C4 attempt limits: 200 connections with three tries each reach the password check a handful of times', async t => {
    const lonely = await sftpGround(t, { config: { maxUnauthenticated: 300, maxConnections: 400 } })
    const known = await lonely.user(lonely.ctx, await lonely.connection(lonely.ctx), 'acme-erp')
    const open = await connect(lonely.server.port, { username: 'acme-erp', privateKey: known.key.private })
    const sftp = await openSftpClient(open)
    let listened = 0
    for (let batch = 0; batch < 10; batch++)
      for (const tries of await Promise.all(
        Array.from({ length: 20 }, () => triesOf(lonely.server.port, { username: 'acme-erp' }, 3).catch(() => 0))
      ))
        listened += Math.max(0, tries)
    t.ok(listened <= 80, `${listened} of 600 were listened to; the first twenty connections came at once`)
    await t.rejects(connect(lonely.server.port, { username: 'acme-erp', privateKey: known.key.private }), 'the address has to wait')
    await sftp.put('inbox/meanwhile.csv', 'x')
    t.pass('and who was inside goes on')
    open.end()
  })
})

t.test('C4 half-open connections', async t => {
  const ground = await sftpGround(t, { config: { loginGraceSeconds: 2, maxUnauthenticated: 6, maxConnections: 200, idleSeconds: 2 } })
  const { ctx, other, server } = ground
  const user = await ground.user(ctx, await ground.connection(ctx), 'acme-erp')
  const neighbour = await ground.user(other, await ground.connection(other), 'other-erp')
  const signIn = () => connect(server.port, { username: 'acme-erp', privateKey: user.key.private })

  await t.test('C4: a connection that never signs in is ended', async t => {
    const { ended } = await dial(server.port)
    await ended
    t.pass('the server hung up')
  })

  await t.test('C4: a banner that comes byte by byte gets no more time than silence', async t => {
    const { socket, ended } = await dial(server.port)
    let sent = 0
    const drip = setInterval(() => socket.write('SSH-2.0-slow'[sent++ % 12] ?? 'x'), 100)
    await ended
    clearInterval(drip)
    t.ok(sent > 1 && sent < 200)
  })

  await t.test('C4: half-open connections are capped, the oldest go, and a sign-in gets through', async t => {
    const dialled = []
    let closed = 0
    for (let i = 0; i < 12; i++) {
      const one = await dial(server.port)
      void one.ended.then(() => closed++)
      dialled.push(one)
    }
    const client = await signIn()
    t.ok(closed >= 6, `${closed} of 12 were dropped for newer ones`)
    client.end()
    for (const { socket } of dialled) socket.destroy()
  })

  await t.test('C4: under a flood of 5,000 half-open connections the uploads of a neighbour all arrive', async t => {
    const client = await connect(server.port, { username: 'other-erp', privateKey: neighbour.key.private })
    const sftp = await openSftpClient(client)
    let flooding = true
    const uploads = (async () => {
      let done = 0
      while (flooding || done < 20) await sftp.put(`inbox/under-flood-${done++}.csv`, 'number\n1\n')
      return done
    })()
    for (let i = 0; i < 5_000; i += 50) {
      const sockets = await Promise.all(Array.from({ length: 50 }, () => dial(server.port)))
      if (i % 1_000 === 0) for (const { socket } of sockets) socket.write('x'.repeat(1000))
      if (i >= 4_900) continue
      for (const { socket } of sockets) socket.destroy()
    }
    flooding = false
    const done = await uploads
    t.ok(done >= 20)
    const names = new Set((await ground.rows(other)).map(row => row.name))
    t.equal(names.size, done, 'each of them stands in the books')
    client.end()
    const again = await signIn()
    again.end()
    t.pass('and a new sign-in gets through')
  })

  await t.test('C4: a signed-in connection that asks for nothing is ended', async t => {
    const client = await signIn()
    await openSftpClient(client)
    await new Promise<void>(resolve => client.once('close', () => resolve()))
    t.pass('the server hung up')
  })

  await t.test('C4: bytes that are no SSH end the connection and nothing else', async t => {
    for (const bytes of ['GET / HTTP/1.1\r\n\r\n', 'SSH-2.0-x\r\n\u0000\u0000\u0000\u0001', 'x'.repeat(100_000)]) {
      const { socket, ended } = await dial(server.port)
      socket.write(bytes)
      await ended
    }
    const client = await signIn()
    client.end()
    t.pass('the server lives')
  })
})

t.test('C4 limits', async t => {
  await t.test('C4: failures of an address cost it growing pauses, and are forgiven', async t => {
    const clock = fixedClock('2026-03-01T08:00:00Z')
    const log = failureLog(clock)
    for (let i = 0; i < 5; i++) log.failed('203.0.113.7', 1)
    t.equal(log.pauseOf('203.0.113.7'), 0)
    log.failed('203.0.113.7', 1)
    t.equal(log.pauseOf('203.0.113.7'), 2)
    for (let i = 0; i < 20; i++) log.failed('203.0.113.7', 1)
    t.equal(log.pauseOf('203.0.113.7'), 300)
    t.equal(log.pauseOf('203.0.113.8'), 0, 'its neighbour is not meant')
    clock.advance(301)
    t.equal(log.pauseOf('203.0.113.7'), 0)
    log.succeeded('203.0.113.7')
    log.failed('203.0.113.7', 1)
    t.equal(log.pauseOf('203.0.113.7'), 0)
  })

  await t.test('C4: an IPv6 site counts as one address', async t => {
    t.equal(site('2001:db8:1:2::9'), site('2001:0db8:0001:2:ffff::1'))
    t.not(site('2001:db8:1:2::9'), site('2001:db8:1:3::9'))
    t.equal(site('::ffff:203.0.113.7'), '203.0.113.7')
    t.equal(site('::1'), '0:0:0:0')
  })

  await t.test('C4: a flood from one address pushes out its own connections first', async t => {
    const room = waitingRoom<string>(3)
    room.add('honest', '198.51.100.1')
    room.add('f1', '203.0.113.7')
    room.add('f2', '203.0.113.7')
    t.equal(room.add('f3', '203.0.113.7'), 'f1')
    t.equal(room.add('f4', '203.0.113.7'), 'f2')
    room.remove('honest')
    t.equal(room.size, 2)
  })
})
