import { spawn, spawnSync } from 'node:child_process'
import { connect as connectTcp, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import ssh2 from 'ssh2'
import t from 'tap'
import { fixedClock } from '../../core/clock.ts'
import { failureLog, site, waitingRoom } from '../../core/exchange/sftp-limits.ts'
import { sftpAlgorithms } from '../../core/exchange/sftp-server.ts'
import { connect, openSftpClient, sftpGround } from '../helpers/sftp.ts'

const installed = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
const unless = (program: string) => (installed(program) ? {} : { skip: `${program} is not installed` })
const output = (program: string, args: readonly string[]): Promise<{ code: number; out: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { PATH: process.env.PATH ?? '', HOME: tmpdir(), LC_ALL: 'C' }, timeout: 30_000 })
    let out = ''
    child.stdout.on('data', data => {
      out += data
    })
    child.stderr.on('data', data => {
      out += data
    })
    child.on('error', reject)
    child.on('close', code => resolve({ code: code ?? -1, out }))
    child.stdin.end()
  })

t.test('transport', async t => {
  const ground = await sftpGround(t, { config: { loginGraceSeconds: 2, maxUnauthenticated: 6, idleSeconds: 1 } })
  const { ctx, server } = ground
  const connectionId = await ground.connection(ctx)
  const user = await ground.user(ctx, connectionId, 'acme-erp')
  const signIn = (algorithms: object = {}) => connect(server.port, { username: 'acme-erp', privateKey: user.key.private, algorithms })

  await t.test('C1: the server speaks the pinned algorithms', async t => {
    const client = new ssh2.Client()
    const negotiated = await new Promise<{ kex: string; serverHostKey: string; cs: { cipher: string; compress: string } }>(
      (resolve, reject) => {
        client.on('handshake', found => resolve(found as never))
        client.on('error', reject)
        client.connect({ host: '127.0.0.1', port: server.port, username: 'acme-erp', privateKey: user.key.private })
      }
    )
    client.end()
    t.match(negotiated.kex, /^curve25519-sha256/)
    t.equal(negotiated.serverHostKey, 'ssh-ed25519')
    t.match(negotiated.cs.cipher, /^aes(128|256)-gcm@openssh\.com$/)
    t.equal(negotiated.cs.compress, 'none')
  })

  for (const [what, algorithms] of [
    ['group14 with SHA-1', { kex: ['diffie-hellman-group14-sha1'] }],
    ['NIST curves', { kex: ['ecdh-sha2-nistp256'] }],
    ['CBC', { cipher: ['aes128-cbc'] }],
    ['CTR with its separate MAC', { cipher: ['aes128-ctr'] }],
    ['ChaCha20', { cipher: ['chacha20-poly1305@openssh.com'] }],
    ['a host key signed with SHA-1', { serverHostKey: ['ssh-rsa'] }],
    ['compression', { compress: ['zlib@openssh.com'] }]
  ] as const) {
    await t.test(`C1: a client that only has ${what} is refused`, async t => {
      await t.rejects(signIn(algorithms), /no matching|closed/i)
    })
  }

  await t.test('C1: ssh-audit sees no failure and no warning of ours', unless('ssh-audit'), async t => {
    const { out } = await output('ssh-audit', ['-n', '-p', String(server.port), '127.0.0.1'])
    const found = out.split('\n').filter(line => /\[(fail|warn)\]/.test(line) && !line.includes('kex-strict'))
    t.strictSame(found, [], 'ssh-audit 2.5 does not know kex-strict, which is the answer to Terrapin')
    t.match(out, /curve25519-sha256/, 'it saw the server')
  })

  await t.test('C8: there is no shell, no command, no terminal, no forwarding and no other subsystem', async t => {
    const client = await signIn()
    const refused = (name: string, ...args: unknown[]): Promise<unknown> =>
      new Promise(resolve => {
        ;(client as unknown as Record<string, (...all: unknown[]) => void>)[name]?.call(client, ...args, (error: Error | undefined) =>
          resolve(error)
        )
      })
    t.match(await refused('exec', 'id'), Error)
    t.match(await refused('exec', 'scp -t inbox'), Error)
    t.match(await refused('exec', 'id', { pty: true }), Error)
    t.match(await refused('exec', 'id', { x11: true }), Error)
    t.match(await refused('shell'), Error)
    t.match(await refused('subsys', 'netconf'), Error)
    t.match(await refused('forwardOut', '127.0.0.1', 1, '127.0.0.1', 22), Error)
    t.match(await refused('forwardIn', '127.0.0.1', 0), Error)
    t.match(await refused('openssh_forwardOutStreamLocal', '/tmp/x'), Error)
    t.match(await refused('openssh_forwardInStreamLocal', '/tmp/x'), Error)
    const sftp = await openSftpClient(client)
    t.strictSame(await sftp.names('/inbox'), [], 'and SFTP still works beside all that')
    client.end()
  })

  await t.test('C4: a connection that never signs in is ended', async t => {
    const silent = connectTcp(server.port, '127.0.0.1')
    silent.on('error', () => {})
    silent.resume()
    await new Promise(resolve => silent.once('close', resolve))
    t.pass('the server hung up')
  })

  await t.test('C4: half-open connections are capped, the oldest go, and a sign-in gets through', async t => {
    const sockets: Socket[] = []
    let closed = 0
    for (let i = 0; i < 12; i++) {
      const socket = connectTcp(server.port, '127.0.0.1')
      socket.on('error', () => {})
      socket.on('close', () => {
        closed++
      })
      socket.resume()
      sockets.push(socket)
      await new Promise<void>(resolve => socket.once('connect', () => resolve()))
    }
    const client = await signIn()
    t.ok(closed >= 6, `${closed} of 12 were dropped for newer ones`)
    client.end()
    for (const socket of sockets) socket.destroy()
  })

  await t.test('C4: a signed-in connection that asks for nothing is ended', async t => {
    const client = await signIn()
    await openSftpClient(client)
    await new Promise<void>(resolve => client.once('close', () => resolve()))
    t.pass('the server hung up')
  })

  await t.test('C4: bytes that are no SSH end the connection and nothing else', async t => {
    for (const bytes of ['GET / HTTP/1.1\r\n\r\n', 'SSH-2.0-x\r\n\u0000\u0000\u0000\u0001', 'x'.repeat(100_000)]) {
      const socket = connectTcp(server.port, '127.0.0.1')
      socket.on('error', () => {})
      socket.resume()
      socket.write(bytes)
      await new Promise(resolve => socket.once('close', resolve))
    }
    const client = await signIn()
    client.end()
    t.pass('the server lives')
  })
})

t.test('limits', async t => {
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

  await t.test('C1: the list of algorithms holds nothing with SHA-1, CBC or a NIST curve', async t => {
    const all = Object.values(sftpAlgorithms).flat()
    t.ok(all.length >= 8)
    t.strictSame(
      all.filter(name => /sha1|cbc|nist|md5|arcfour|zlib|dss|ssh-rsa|3des/.test(name)),
      []
    )
  })
})
