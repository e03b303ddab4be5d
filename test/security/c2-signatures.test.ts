import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import ssh2, { type Client, type ParsedKey } from 'ssh2'
import t from 'tap'
import { systemClock } from '../../core/clock.ts'
import { withTx } from '../../core/db/tx.ts'
import { readPublicKey, verifySignature } from '../../core/exchange/public-key.ts'
import { authenticator } from '../../core/exchange/sftp-auth.ts'
import { failureLog } from '../../core/exchange/sftp-limits.ts'
import { silentLog } from '../../core/log.ts'
import { type Edit, mutantSftp } from '../helpers/mutant.ts'
import { folder, opensshOptions, run, unless } from '../helpers/programs.ts'
import { connect, free, newKeyPair, type SftpGround, sftpGround } from '../helpers/sftp.ts'

const parsed = (text: string): ParsedKey => {
  const key = ssh2.utils.parseKey(text)
  if (key instanceof Error) throw key
  return key
}

type Sign = (data: Buffer, hash: string | undefined) => Buffer

/** A client that offers the public key of somebody else, as anybody can who has read it, and proves it with what `sign` makes. */
function offering(port: number, announced: string, sign: Sign): Promise<Client> {
  const agent = Object.assign(Object.create(ssh2.BaseAgent.prototype), {
    getIdentities: (done: (error: undefined, keys: unknown[]) => void) => done(undefined, [parsed(announced).getPublicSSH()]),
    sign: (_key: unknown, data: Buffer, options: unknown, done?: (error: undefined, signature: Buffer) => void) => {
      const callback = typeof options === 'function' ? (options as typeof done) : done
      callback?.(undefined, sign(data, (options as { hash?: string }).hash))
    }
  })
  return connect(port, { username: 'acme-erp', agent, authHandler: [{ type: 'agent', agent, username: 'acme-erp' }] as never })
}

// Made once: RSA keys take their time.
const rsaPair = newKeyPair('rsa', 3072)
const stranger = parsed(newKeyPair().private)
const strangerRsa = parsed(newKeyPair('rsa', 3072).private)

interface Keys {
  readonly ed25519: { readonly private: string; readonly public: string }
  readonly rsa: { readonly private: string; readonly public: string }
}

/** What is signed begins with the length and the 32 bytes of the session's id. */
const ofAnotherSession = (data: Buffer): Buffer => {
  const other = Buffer.from(data)
  randomBytes(32).copy(other, 4)
  return other
}
const flipped = (signature: Buffer): Buffer => {
  const other = Buffer.from(signature)
  other[7] = (other[7] ?? 0) ^ 1
  return other
}

const attacks = (keys: Keys): Readonly<Record<string, readonly [string, Sign]>> => {
  const mine = parsed(keys.ed25519.private)
  const rsa = parsed(keys.rsa.private)
  return {
    'signed with another key': [keys.ed25519.public, data => stranger.sign(data)],
    'signed with another RSA key': [keys.rsa.public, (data, hash) => strangerRsa.sign(data, hash)],
    'a signature over another session': [keys.ed25519.public, data => mine.sign(ofAnotherSession(data))],
    'an RSA signature over another session': [keys.rsa.public, (data, hash) => rsa.sign(ofAnotherSession(data), hash)],
    'a truncated signature': [keys.ed25519.public, data => mine.sign(data).subarray(0, 32)],
    'a truncated RSA signature': [keys.rsa.public, (data, hash) => rsa.sign(data, hash).subarray(0, 383)],
    'one flipped bit': [keys.ed25519.public, data => flipped(mine.sign(data))],
    'a signature of zeros': [keys.ed25519.public, () => Buffer.alloc(64)],
    'an empty signature': [keys.ed25519.public, () => Buffer.alloc(0)],
    'SHA-1 under the name of SHA-2': [keys.rsa.public, data => rsa.sign(data, 'sha1')],
    'an ed25519 signature of an RSA key': [keys.rsa.public, data => stranger.sign(data)]
  }
}

async function keysOf(ground: SftpGround): Promise<{ keys: Keys; connectionId: string }> {
  const connectionId = await ground.connection(ground.ctx)
  const { key } = await ground.user(ground.ctx, connectionId, 'acme-erp')
  const add = { connectionId, username: 'acme-erp', publicKey: rsaPair.public, label: 'rsa' }
  await withTx(ground.ctx, tx => ground.desk.addSftpKey(tx, add))
  return { keys: { ed25519: key, rsa: rsaPair }, connectionId }
}

/** @returns the attacks that got in. A true sign-in after each of them forgives the address, as an ERP's would. */
async function whoGotIn(port: number, keys: Keys): Promise<string[]> {
  const inside: string[] = []
  for (const [what, [announced, sign]] of Object.entries(attacks(keys))) {
    await offering(port, announced, sign).then(
      client => {
        inside.push(what)
        client.end()
      },
      () => {}
    )
    const honest = await connect(port, { username: 'acme-erp', privateKey: keys.ed25519.private })
    honest.end()
  }
  return inside
}

t.test('C2 the signature', async t => {
  const ground = await sftpGround(t)
  const { keys, connectionId } = await keysOf(ground)
  const { ctx, server, desk } = ground

  await t.test('C2: a key counts only with a signature made by it, now and over this session', async t => {
    t.strictSame(await whoGotIn(server.port, keys), [])
  })

  await t.test('C2: a refused signature stands in the journal of the customer', async t => {
    const { rows } = await sql<{ data: unknown }>`select data from journal.entry where act = 'access.refused'
      and subject_id = ${connectionId}`.execute(free(ctx))
    t.match(rows, [{ data: { method: 'publickey' } }], 'once a minute, so that nobody fills it from outside')
  })

  const mutants: Readonly<Record<string, Edit>> = {
    'does not verify': {
      file: 'core/exchange/sftp-auth.ts',
      from: 'if (verify(proof.public_key, credential.signed)) return',
      to: 'return'
    },
    'takes the error of a check for a yes': {
      file: 'core/exchange/public-key.ts',
      from: 'hashAlgo) === true',
      to: 'hashAlgo) !== undefined'
    },
    'takes whatever has the length of a signature': {
      file: 'core/exchange/public-key.ts',
      from: 'call(key, blob, signature, hashAlgo) === true',
      to: 'call(key, blob, signature, hashAlgo) === true || signature.length === 64'
    }
  }
  for (const [what, edit] of Object.entries(mutants)) {
    await t.test(`C2: a server that ${what} turns this check red`, async t => {
      const broken = await (await mutantSftp(t, [edit])).sftpGround(t)
      const { keys: theirs } = await keysOf(broken)
      t.not((await whoGotIn(broken.server.port, theirs)).length, 0)
    })
  }

  await t.test('C2: an RSA key works with SHA-2', async t => {
    const client = await connect(server.port, { username: 'acme-erp', privateKey: keys.rsa.private })
    client.end()
    const key = parsed(keys.rsa.private)
    const line = (readPublicKey(keys.rsa.public) as { line: string }).line
    const blob = Buffer.from('session')
    t.equal(verifySignature(line, { blob, signature: key.sign(blob, 'sha512'), hashAlgo: 'sha512' }), true)
    t.equal(verifySignature(line, { blob, signature: key.sign(blob, 'sha1'), hashAlgo: undefined }), false)
    t.equal(verifySignature(line, { blob, signature: key.sign(blob, 'sha1'), hashAlgo: 'sha1' }), false)
    t.equal(verifySignature(line, { blob, signature: key.sign(blob, 'sha1'), hashAlgo: 'sha512' }), false)
    t.equal(verifySignature(line, { blob, signature: key.sign(blob, 'sha256'), hashAlgo: 'sha512' }), false)
  })

  await t.test('C2: OpenSSH with an RSA key gets in with SHA-2 and not with SHA-1', unless('sftp'), async t => {
    const options = opensshOptions(folder(t), keys.rsa.private)
    const as = (algorithm: string) =>
      run(
        'sftp',
        ['-b', '-', '-v', ...options, '-o', `PubkeyAcceptedAlgorithms=${algorithm}`, '-P', String(server.port), 'acme-erp@127.0.0.1'],
        {
          input: 'ls inbox\n'
        }
      )
    // The library forgets a comma before rsa-sha2-512 in what it announces, so OpenSSH falls back to the other.
    for (const algorithm of ['rsa-sha2-256', 'rsa-sha2-512,rsa-sha2-256']) {
      const { code, out } = await as(algorithm)
      t.equal(code, 0, out)
    }
    const { code, out } = await as('ssh-rsa')
    t.not(code, 0)
    t.match(out, /no mutual signature (algorithm|supported)|Permission denied|Connection closed/i)
  })

  await t.test('C2: ecdsa keys work', async t => {
    const ecdsa = newKeyPair('ecdsa', 256)
    await withTx(ctx, tx => desk.addSftpKey(tx, { connectionId, username: 'acme-erp', publicKey: ecdsa.public, label: 'ecdsa' }))
    const client = await connect(server.port, { username: 'acme-erp', privateKey: ecdsa.private })
    client.end()
    t.pass()
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
