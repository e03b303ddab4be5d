import t from 'tap'
import { mutantSftp } from '../helpers/mutant.ts'
import { type SftpGround, sftpGround } from '../helpers/sftp.ts'
import { between, clearPacket, ignorePacket, message, sealedExtInfo, text, tryIn } from '../helpers/ssh-wire.ts'

const chacha = 'chacha20-poly1305@openssh.com'
const weak = { cipher: [chacha, 'aes128-cbc', 'aes128-gcm@openssh.com'], hmac: ['hmac-sha2-256-etm@openssh.com'] }

async function credentials(ground: SftpGround) {
  const user = await ground.user(ground.ctx, await ground.connection(ground.ctx), 'acme-erp')
  return { username: 'acme-erp', privateKey: user.key.private }
}

/**
 * Terrapin itself: somebody in between slips a packet in before the keys, so that the counters of both sides still agree when he
 * takes away the first sealed packet of the server. The attack worked when the client is in and never heard that packet.
 */
async function attack(t: { teardown(fn: () => Promise<void>): void }, port: number, config: object, block: number) {
  const there = await between(t, port, { toClient: { before: message.newKeys, slipIn: [ignorePacket], cut: sealedExtInfo(block) } })
  return tryIn(there, config as never, { strict: false })
}

t.test('C3 Terrapin', async t => {
  const ground = await sftpGround(t)
  const { port } = ground.server
  const mine = await credentials(ground)

  await t.test('C3: a client without the strict key exchange gets AES-GCM, whatever it would rather have', async t => {
    for (const strict of [true, false]) {
      const tried = await tryIn(port, { ...mine, algorithms: weak as never }, { strict })
      t.match(tried, { in: true, told: true, cipher: 'aes128-gcm@openssh.com' }, `strict ${strict}`)
    }
    for (const algorithms of [
      { cipher: [chacha] },
      { cipher: ['aes128-cbc'], hmac: ['hmac-sha2-256-etm@openssh.com'] },
      { cipher: ['aes256-ctr'], hmac: ['hmac-sha2-512-etm@openssh.com'] }
    ]) {
      const tried = await tryIn(port, { ...mine, algorithms: algorithms as never }, { strict: false })
      t.match(tried, { in: false, error: /no matching/ }, algorithms.cipher[0] ?? '')
    }
  })

  await t.test('C3: a packet that is slipped in and one that is taken away end the connection', async t => {
    const clean = await between(t, port, {})
    t.match(await tryIn(clean, mine, { strict: false }), { in: true, told: true }, 'nothing else is in the way')
    const tried = await attack(t, port, { ...mine, algorithms: { cipher: ['aes128-gcm@openssh.com'] } }, 16)
    t.match(tried, { in: false, told: false, error: String, cipher: 'aes128-gcm@openssh.com' })
  })

  await t.test('C3: a server that takes ChaCha20 turns this check red', async t => {
    const broken = await mutantSftp(t, [
      { file: 'core/exchange/sftp-server.ts', from: "cipher: ['aes128-gcm@openssh.com',", to: `cipher: ['${chacha}',` }
    ])
    const open = (await broken.sftpGround(t)) as SftpGround
    const theirs = await credentials(open)
    t.match(await tryIn(open.server.port, { ...theirs, algorithms: { cipher: [chacha] } as never }, { strict: false }), {
      in: true,
      told: true
    })
    const tried = await attack(t, open.server.port, { ...theirs, algorithms: { cipher: [chacha] } }, 8)
    t.match(tried, { in: true, told: false, cipher: chacha }, 'the attack worked and nobody noticed')
  })

  await t.test('C3: with the strict key exchange any packet that does not belong there closes the connection', async t => {
    for (const before of [message.kexInit, message.newKeys]) {
      const there = await between(t, port, { toServer: { before, slipIn: [ignorePacket] } })
      t.match(await tryIn(there, mine, { strict: true }), { in: false }, `IGNORE before message ${before}`)
      t.match(await tryIn(there, mine, { strict: false }), { in: true, cipher: /gcm/ }, 'without it RFC 4253 allows it, and it is in vain')
    }
  })

  await t.test('C3: what belongs behind the keys is not listened to before them, by anybody', async t => {
    const user = Buffer.concat([Buffer.from([message.userAuth]), text('acme-erp'), text('ssh-connection'), text('none')])
    const early: Readonly<Record<string, Buffer>> = {
      'a service request': Buffer.concat([Buffer.from([message.serviceRequest]), text('ssh-userauth')]),
      'a sign-in': user,
      'a global request': Buffer.concat([Buffer.from([message.globalRequest]), text('tcpip-forward'), Buffer.from([1])]),
      'a channel': Buffer.concat([Buffer.from([message.channelOpen]), text('session'), Buffer.alloc(12)]),
      'an EXT_INFO': Buffer.from([message.extInfo, 0, 0, 0, 0]),
      'a second KEXINIT': Buffer.concat([Buffer.from([message.kexInit]), Buffer.alloc(16), Buffer.alloc(45)]),
      'a packet without an end': Buffer.alloc(0)
    }
    for (const [what, payload] of Object.entries(early)) {
      const endless = Buffer.alloc(8)
      endless.writeUInt32BE(0x7fffffff)
      const there = await between(t, port, {
        toServer: { before: message.newKeys, slipIn: [payload.length === 0 ? endless : clearPacket(payload)] }
      })
      for (const strict of [true, false]) t.match(await tryIn(there, mine, { strict }), { in: false }, `${what}, strict ${strict}`)
    }
    t.match(await tryIn(port, mine, { strict: true }), { in: true }, 'the server lives')
  })
})
