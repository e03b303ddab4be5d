import ssh2, { type Client, type ConnectConfig } from 'ssh2'
import t from 'tap'
import { systemClock } from '../../core/clock.ts'
import { sftpHostKeyOf } from '../../core/db/control.ts'
import { withTx } from '../../core/db/tx.ts'
import { readPublicKey, type VerifySignature } from '../../core/exchange/public-key.ts'
import { authenticator, sftpAuthentication } from '../../core/exchange/sftp-auth.ts'
import { failureLog } from '../../core/exchange/sftp-limits.ts'
import { startSftpServer } from '../../core/exchange/sftp-server.ts'
import { silentLog } from '../../core/log.ts'
import { connect, newKeyPair, openSftpClient, type SftpGround, sftpDefaults, sftpGround } from '../helpers/sftp.ts'

/** A client that offers `announced` and signs with `held`: what somebody can do who read the public key. */
function impostor(port: number, announced: string, held: string): Promise<Client> {
  const real = ssh2.utils.parseKey(held)
  const shown = ssh2.utils.parseKey(announced)
  if (real instanceof Error || shown instanceof Error) throw new Error('keys')
  const agent = Object.assign(Object.create(ssh2.BaseAgent.prototype), {
    getIdentities: (done: (error: undefined, keys: unknown[]) => void) => done(undefined, [shown.getPublicSSH()]),
    sign: (_key: unknown, data: Buffer, options: unknown, done?: (error: undefined, signature: Buffer) => void) => {
      const callback = typeof options === 'function' ? (options as typeof done) : done
      callback?.(undefined, real.sign(data))
    }
  })
  return connect(port, { username: 'acme-erp', agent, authHandler: [{ type: 'agent', agent, username: 'acme-erp' }] as never })
}

/** Server that decides with `verify` instead of the real check. */
async function serverWith(t: { teardown(fn: () => Promise<void>): void }, ground: SftpGround, verify: VerifySignature) {
  const server = await startSftpServer({
    config: sftpDefaults,
    hostKey: await sftpHostKeyOf(ground.at.control),
    clock: systemClock,
    log: silentLog,
    door: {
      enter: async () => ground.ctx,
      treeOf: () => ({ find: async () => undefined, list: async () => [], open: async () => undefined }),
      uploads: {} as never
    },
    authenticate: sftpAuthentication({
      tenants: ground.at.tenants,
      directory: ground.directory,
      clock: systemClock,
      log: silentLog,
      verify
    })
  })
  t.teardown(() => server.close())
  return server
}

t.test('sign-in', async t => {
  const ground = await sftpGround(t)
  const { ctx, other, server, desk } = ground
  const connectionId = await ground.connection(ctx)
  const user = await ground.user(ctx, connectionId, 'acme-erp')

  await t.test('C2: a key counts only with a signature made by it', async t => {
    const stranger = newKeyPair()
    await t.rejects(impostor(server.port, user.key.public, stranger.private), /authentication methods failed|closed|ECONNRESET/i)
    const honest = await connect(server.port, { username: 'acme-erp', privateKey: user.key.private })
    honest.end()
  })

  await t.test('C2: without the check of the signature the same client gets in, so the test above can fail', async t => {
    const mutant = await serverWith(t, ground, () => true)
    const client = await impostor(mutant.port, user.key.public, newKeyPair().private)
    t.pass('the mutant lets it in')
    client.end()
  })

  await t.test('C2: an RSA key works with SHA-2 and not with SHA-1', async t => {
    const rsa = newKeyPair('rsa', 3072)
    await withTx(ctx, tx => desk.addSftpKey(tx, { connectionId, username: 'acme-erp', publicKey: rsa.public, label: 'rsa' }))
    const client = await connect(server.port, { username: 'acme-erp', privateKey: rsa.private })
    client.end()
    const parsed = ssh2.utils.parseKey(rsa.private)
    if (parsed instanceof Error) throw parsed
    const { verifySignature } = await import('../../core/exchange/public-key.ts')
    const line = (readPublicKey(rsa.public) as { line: string }).line
    const blob = Buffer.from('session')
    t.equal(verifySignature(line, { blob, signature: parsed.sign(blob, 'sha512'), hashAlgo: 'sha512' }), true)
    t.equal(verifySignature(line, { blob, signature: parsed.sign(blob, 'sha1'), hashAlgo: undefined }), false)
    t.equal(verifySignature(line, { blob, signature: parsed.sign(blob, 'sha1'), hashAlgo: 'sha512' }), false)
    t.equal(verifySignature(line, { blob, signature: parsed.sign(blob, 'sha512').subarray(0, 100), hashAlgo: 'sha512' }), false)
    t.equal(verifySignature(line, { blob: Buffer.from('other'), signature: parsed.sign(blob, 'sha512'), hashAlgo: 'sha512' }), false)
  })

  await t.test('C2: ecdsa keys work', async t => {
    const ecdsa = newKeyPair('ecdsa', 256)
    await withTx(ctx, tx => desk.addSftpKey(tx, { connectionId, username: 'acme-erp', publicKey: ecdsa.public, label: 'ecdsa' }))
    const client = await connect(server.port, { username: 'acme-erp', privateKey: ecdsa.private })
    client.end()
    t.pass()
  })

  await t.test('C4: a connection is cut after three wrong passwords', async t => {
    t.equal(await triesOf(server.port, { username: 'acme-erp' }), 3)
    const honest = await connect(server.port, { username: 'acme-erp', privateKey: user.key.private })
    honest.end()
  })

  await t.test('C5: an unknown user is refused like a known one', async t => {
    t.equal(await triesOf(server.port, { username: 'nobody-here' }), 3)
    const honest = await connect(server.port, { username: 'acme-erp', privateKey: user.key.private })
    honest.end()
    t.equal(await triesOf(server.port, { username: '../../etc' }), 3)
    const again = await connect(server.port, { username: 'acme-erp', privateKey: user.key.private })
    again.end()
  })

  await t.test('C4: an address with many failures is not listened to for a while', async t => {
    const lonely = await sftpGround(t)
    const id = await lonely.connection(lonely.ctx)
    const known = await lonely.user(lonely.ctx, id, 'acme-erp')
    for (let i = 0; i < 3; i++) await triesOf(lonely.server.port, { username: 'acme-erp' }).catch(() => {})
    await t.rejects(connect(lonely.server.port, { username: 'acme-erp', privateKey: known.key.private }))
  })

  await t.test('sign-in: a password that we made works, the former one ends', async t => {
    const first = await withTx(ctx, tx => desk.addSftpPassword(tx, { connectionId, username: 'acme-erp', label: 'a' }))
    const client = await connect(server.port, { username: 'acme-erp', password: first.password })
    t.strictSame(await (await openSftpClient(client)).names('/inbox'), [])
    client.end()
    const second = await withTx(ctx, tx => desk.addSftpPassword(tx, { connectionId, username: 'acme-erp', label: 'b' }))
    await t.rejects(connect(server.port, { username: 'acme-erp', password: first.password }))
    const again = await connect(server.port, { username: 'acme-erp', password: second.password })
    again.end()
    t.equal((await desk.list(ctx, connectionId)).filter(access => access.kind === 'sftp_password' && access.revokedAt === null).length, 1)
  })

  await t.test('sign-in: a revoked access ends the next sign-in', async t => {
    const temporary = await ground.user(ctx, connectionId, 'acme-temp')
    const client = await connect(server.port, { username: 'acme-temp', privateKey: temporary.key.private })
    client.end()
    await withTx(ctx, tx => desk.revoke(tx, connectionId, temporary.accessId))
    await t.rejects(connect(server.port, { username: 'acme-temp', privateKey: temporary.key.private }))
  })

  await t.test('C7: keys that are weak, foreign, restricted or no keys are refused', async t => {
    const good = newKeyPair().public.trim()
    const add = (publicKey: string) => withTx(ctx, tx => desk.addSftpKey(tx, { connectionId, username: 'acme-erp', publicKey, label: 'x' }))
    for (const [what, key] of Object.entries({
      'RSA of 1024 bits': newKeyPair('rsa', 1024).public,
      'RSA of 2048 bits': newKeyPair('rsa', 2048).public,
      'a command in front': `command="id" ${good}`,
      'a from in front': `from="10.0.0.0/8" ${good}`,
      'another type in front': good.replace('ssh-ed25519', 'ssh-rsa'),
      DSA: 'ssh-dss AAAAB3NzaC1kc3MAAACBAP',
      'broken base64': `${good.split(' ')[0]} AAAA`,
      'a private key': user.key.private,
      'two keys': `${good}\n${newKeyPair().public}`,
      nothing: 'hello'
    })) {
      await t.rejects(add(key), { code: 'public_key_invalid' }, what)
    }
    const commented = readPublicKey(`${good} <b>someone</b>@host`)
    t.ok('line' in commented && commented.line.split(' ').length === 2, 'the comment is dropped')
  })

  await t.test('C7: a key or user name of another customer is refused, and the limit of ten holds', async t => {
    const theirs = await ground.connection(other)
    const add = (username: string, publicKey: string) =>
      withTx(other, tx => desk.addSftpKey(tx, { connectionId: theirs, username, publicKey, label: 'x' }))
    await t.rejects(add('acme-two', user.key.public), { code: 'public_key_known' })
    await t.rejects(add('acme-erp', newKeyPair().public), { code: 'sftp_user_taken' })
    await t.rejects(add('Acme', newKeyPair().public), { code: 'sftp_user_invalid' })
    for (let i = 0; i < 10; i++) await add('acme-two', newKeyPair().public)
    await t.rejects(add('acme-two', newKeyPair().public), { code: 'access_limit' })
  })

  await t.test('C7: a revoked key may be used again, elsewhere too', async t => {
    const mine = await ground.user(ctx, connectionId, 'acme-gone')
    await withTx(ctx, tx => desk.revoke(tx, connectionId, mine.accessId))
    const theirs = await ground.connection(other)
    await until(async () => (await ground.directory.find('sftp_key', (await fingerprintsOf(mine.key.public))[0] ?? '')) === undefined)
    await withTx(other, tx => desk.addSftpKey(tx, { connectionId: theirs, username: 'other-gone', publicKey: mine.key.public, label: 'x' }))
    await t.rejects(
      withTx(other, tx => desk.addSftpKey(tx, { connectionId: theirs, username: 'acme-gone', publicKey: newKeyPair().public, label: 'x' })),
      { code: 'sftp_user_taken' },
      'the user name stays with whom it belonged to'
    )
  })

  await t.test('C2: half a proof never passes for a question', async t => {
    let asked = 0
    const answers: string[] = []
    const sign = authenticator({
      authenticate: async () => {
        asked++
        return { tenantId: 't', connectionId: 'c', accessId: 'a' }
      },
      ip: '203.0.113.7',
      session: 's',
      failures: failureLog(systemClock),
      log: silentLog,
      letIn: () => answers.push('in'),
      close: () => answers.push('closed')
    })
    const context = {
      method: 'publickey',
      username: 'acme-erp',
      key: { algo: 'ssh-ed25519', data: Buffer.alloc(4) },
      accept: () => answers.push('accept'),
      reject: () => answers.push('no')
    }
    await sign.answer({ ...context, signature: Buffer.alloc(0) } as never)
    t.strictSame([asked, answers], [0, ['no']])
  })
})

const until = async (true_: () => Promise<boolean>): Promise<void> => {
  for (let i = 0; i < 100 && !(await true_()); i++) await new Promise(resolve => setTimeout(resolve, 20))
}
const fingerprintsOf = async (line: string): Promise<string[]> => {
  const read = readPublicKey(line)
  return 'line' in read ? [read.fingerprint] : []
}

/** Tries wrong passwords until the server ends the connection. @returns how many it listened to */
function triesOf(port: number, config: ConnectConfig): Promise<number> {
  const client = new ssh2.Client()
  let tries = 0
  return new Promise((resolve, reject) => {
    client.on('ready', () => reject(new Error('a wrong password was taken')))
    client.on('error', () => {})
    client.on('close', () => resolve(tries - 1))
    client.connect({
      host: '127.0.0.1',
      port,
      ...config,
      authHandler: ((_left: unknown, _partial: unknown, next: (answer: unknown) => void) => {
        tries++
        next(tries > 20 ? false : { type: 'password', username: config.username, password: `wrong ${tries}` })
      }) as never
    })
  })
}
