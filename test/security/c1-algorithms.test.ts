import ssh2 from 'ssh2'
import t from 'tap'
import { sftpAlgorithms } from '../../core/exchange/sftp-server.ts'
import { mutantSftp } from '../helpers/mutant.ts'
import { folder, opensshOptions, run, unless } from '../helpers/programs.ts'
import { connect, sftpGround } from '../helpers/sftp.ts'

// There is no exception for old ERPs, neither on this port nor on another: one that cannot speak these algorithms uses HTTP, or lets us
// fetch. So each legacy option is refused without more.
t.test('C1 algorithms', async t => {
  const ground = await sftpGround(t)
  const { ctx, server } = ground
  const connectionId = await ground.connection(ctx)
  const user = await ground.user(ctx, connectionId, 'acme-erp')
  const options = opensshOptions(folder(t), user.key.private)
  const openssh = (...extra: string[]) =>
    run('sftp', ['-b', '-', ...options, ...extra, '-P', String(server.port), 'acme-erp@127.0.0.1'], { input: 'ls inbox\n' })

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
      const tried = connect(server.port, { username: 'acme-erp', privateKey: user.key.private, algorithms: algorithms as never })
      await t.rejects(tried, /no matching|closed/i)
    })
  }

  await t.test('C1: OpenSSH gets in as it comes, so that what follows is refused for its algorithms', unless('sftp'), async t => {
    const { code, out } = await openssh()
    t.equal(code, 0, out)
  })

  for (const [what, settings, message] of [
    ['group14 with SHA-1', ['KexAlgorithms=diffie-hellman-group14-sha1'], /no matching key exchange method/],
    ['group-exchange with SHA-1', ['KexAlgorithms=diffie-hellman-group-exchange-sha1'], /no matching key exchange method/],
    ['NIST curves', ['KexAlgorithms=ecdh-sha2-nistp256'], /no matching key exchange method/],
    ['CBC', ['Ciphers=aes128-cbc'], /no matching cipher/],
    ['3DES', ['Ciphers=3des-cbc'], /no matching cipher/],
    ['SHA-1 for its MAC', ['Ciphers=aes128-ctr', 'MACs=hmac-sha1'], /no matching (cipher|MAC)/],
    ['host keys signed with SHA-1', ['HostKeyAlgorithms=ssh-rsa'], /no matching host key type/],
    ['DSA host keys', ['HostKeyAlgorithms=ssh-dss'], /no matching host key type|Bad key types|unsupported/i]
  ] as const) {
    await t.test(`C1: OpenSSH that only has ${what} is refused`, unless('sftp'), async t => {
      const { code, out } = await openssh(...settings.flatMap(setting => ['-o', setting]))
      t.not(code, 0)
      t.match(out, message)
    })
  }

  await t.test('C1: OpenSSH that asks for compression or a SHA-1 MAC gets neither', unless('sftp'), async t => {
    for (const setting of ['Compression=yes', 'MACs=hmac-sha1']) {
      const { code, out } = await openssh('-v', '-o', setting)
      t.equal(code, 0, setting)
      t.match(out, /server->client cipher: aes\d+-gcm@openssh\.com MAC: <implicit> compression: none/)
    }
  })

  await t.test('C1: ssh-audit sees no failure and no warning of ours', unless('ssh-audit'), async t => {
    const { out } = await run('ssh-audit', ['-n', '-p', String(server.port), '127.0.0.1'])
    const found = out.split('\n').filter(line => /\[(fail|warn)\]/.test(line) && !line.includes('kex-strict'))
    t.strictSame(found, [], 'ssh-audit 2.5 does not know kex-strict, which is the answer to Terrapin')
    t.match(out, /curve25519-sha256/, 'it saw the server')
  })

  await t.test('C1: ssh-audit sees failures where the library is left to its defaults', unless('ssh-audit'), async t => {
    const broken = await mutantSftp(t, [{ file: 'core/exchange/sftp-server.ts', from: 'algorithms: sftpAlgorithms as never,', to: '' }])
    const { server: open } = await broken.sftpGround(t)
    const { out } = await run('ssh-audit', ['-n', '-p', String(open.port), '127.0.0.1'])
    t.match(out, /\[fail\]/)
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
