import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { folder, opensshOptions, run, unless } from '../helpers/programs.ts'
import { connect, openSftpClient, sftpGround } from '../helpers/sftp.ts'

t.test('C8 no shell', async t => {
  const ground = await sftpGround(t)
  const { ctx, server } = ground
  const user = await ground.user(ctx, await ground.connection(ctx), 'acme-erp')
  const dir = folder(t)
  const options = opensshOptions(dir, user.key.private)
  const port = String(server.port)

  // Whoever got a way through the server would arrive here.
  let reached = 0
  const canary = createServer(socket => {
    reached++
    socket.end('canary')
  })
  await new Promise<void>(resolve => canary.listen(0, '127.0.0.1', () => resolve()))
  t.teardown(() => void canary.close())
  const address = canary.address()
  const target = typeof address === 'object' && address !== null ? address.port : 0

  await t.test('C8: there is no shell, no command, no terminal, no forwarding and no other subsystem', async t => {
    const client = await connect(server.port, { username: 'acme-erp', privateKey: user.key.private })
    const refused = (name: string, ...args: unknown[]): Promise<unknown> =>
      new Promise(resolve => {
        ;(client as unknown as Record<string, (...all: unknown[]) => void>)[name]?.call(client, ...args, (error: Error | undefined) =>
          resolve(error)
        )
      })
    t.match(await refused('exec', 'id'), Error)
    t.match(await refused('exec', 'scp -t inbox'), Error)
    t.match(await refused('exec', 'sftp'), Error)
    t.match(await refused('exec', 'id', { pty: true }), Error)
    t.match(await refused('exec', 'id', { x11: true }), Error)
    t.match(await refused('exec', 'id', { env: { LD_PRELOAD: '/tmp/x.so', PATH: '/tmp' } }), Error)
    t.match(await refused('shell'), Error)
    t.match(await refused('subsys', 'netconf'), Error)
    t.match(await refused('forwardOut', '127.0.0.1', 1, '127.0.0.1', target), Error)
    t.match(await refused('forwardIn', '127.0.0.1', 0), Error)
    t.match(await refused('openssh_forwardOutStreamLocal', '/tmp/x'), Error)
    t.match(await refused('openssh_forwardInStreamLocal', '/tmp/x'), Error)
    const sftp = await openSftpClient(client)
    t.strictSame(await sftp.names('/inbox'), [], 'and SFTP still works beside all that')
    client.end()
  })

  const ssh = (...args: string[]) => run('ssh', [...options, '-p', port, ...args])
  const host = 'acme-erp@127.0.0.1'
  for (const [what, args] of [
    ['a command', [host, 'id']],
    ['a command on a terminal', ['-tt', host, 'id']],
    ['a shell', [host]],
    ['a command with variables', ['-o', 'SetEnv=LD_PRELOAD=/tmp/x.so', host, 'id']],
    ['a command with X11', ['-Y', host, 'id']],
    ['a command with the agent', ['-A', host, 'id']],
    ['the subsystem netconf', ['-s', host, 'netconf']],
    ['the subsystem "sftp; id"', ['-s', host, 'sftp; id']],
    ['a connection to elsewhere (-W, -L and -D ask for the same)', ['-W', `127.0.0.1:${target}`, host]],
    ['a listener on our side (-R)', ['-N', '-o', 'ExitOnForwardFailure=yes', '-R', `127.0.0.1:0:127.0.0.1:${target}`, host]],
    ['a listener on a socket file', ['-N', '-o', 'ExitOnForwardFailure=yes', '-R', `${join(dir, 'sock')}:127.0.0.1:${target}`, host]],
    ['a network interface (-w)', ['-N', '-o', 'ExitOnForwardFailure=yes', '-w', '0:0', host]]
  ] as const) {
    await t.test(`C8: OpenSSH that asks for ${what} is refused`, unless('ssh'), async t => {
      const { code, out } = await ssh(...args)
      t.not(code, 0, out)
      t.notMatch(out, /uid=|canary|Permission denied/, 'signed in, and nothing came of it')
    })
  }

  await t.test('C8: scp in its old mode finds no program to talk to, in its new one it is SFTP', unless('scp'), async t => {
    writeFileSync(join(dir, 'orders.csv'), 'number\n1\n')
    const scp = (mode: string) => run('scp', [mode, ...options, '-P', port, join(dir, 'orders.csv'), `${host}:inbox/orders.csv`])
    t.not((await scp('-O')).code, 0)
    t.strictSame(await ground.rows(), [])
    const copied = await scp('-s')
    t.equal(copied.code, 0, copied.out)
  })

  await t.test('C8: nothing went through the server to another place', async t => {
    t.equal(reached, 0)
  })
})
