import { generateKeyPairSync } from 'node:crypto'
import { sql } from 'kysely'
import t from 'tap'
import { withTx } from '../../core/db/tx.ts'
import { openTestHouse } from '../helpers/house.ts'
import { type Edit, mutantSftp } from '../helpers/mutant.ts'
import { connect, free, newKeyPair, type SftpGround, sftpGround } from '../helpers/sftp.ts'
import { text } from '../helpers/ssh-wire.ts'

const bytes = (value: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(value.length)
  return Buffer.concat([length, value])
}
/** A number as SSH writes it: with a zero in front where it would look negative. */
const number = (value: Buffer): Buffer => bytes((value[0] ?? 0) > 127 ? Buffer.concat([Buffer.alloc(1), value]) : value)
const line = (type: string, ...fields: Buffer[]): string => `${type} ${Buffer.concat([text(type), ...fields]).toString('base64')}`

function rsaLine(bits: number, exponent?: Buffer): string {
  const jwk = generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({ format: 'jwk' })
  return line('ssh-rsa', number(exponent ?? Buffer.from(jwk.e ?? '', 'base64url')), number(Buffer.from(jwk.n ?? '', 'base64url')))
}

const good = newKeyPair().public.trim()
const [type = '', data = ''] = good.split(' ')

/** Keys that nobody may bring, and what each would mean. */
const bad: Readonly<Record<string, string>> = {
  'RSA of 1024 bits': rsaLine(1024),
  'RSA of 2048 bits': rsaLine(2048),
  'RSA with the exponent 1, for which everybody can sign': rsaLine(3072, Buffer.from([1])),
  'RSA with an even exponent': rsaLine(3072, Buffer.from([2])),
  'RSA of 17,000 bits, of which each check takes long': line('ssh-rsa', number(Buffer.of(1, 0, 1)), number(Buffer.alloc(2125, 255))),
  DSA: line('ssh-dss', ...[1, 2, 3, 4].map(n => number(Buffer.alloc(128, n)))),
  'a security key': line('sk-ssh-ed25519@openssh.com', bytes(Buffer.alloc(32, 7)), text('ssh:')),
  'a certificate': line('ssh-ed25519-cert-v01@openssh.com', bytes(Buffer.alloc(32, 7))),
  'ed25519 of 31 bytes': line('ssh-ed25519', bytes(Buffer.alloc(31, 7))),
  'ed25519 of zeros, for which everybody can sign': line('ssh-ed25519', bytes(Buffer.alloc(32))),
  'ed25519 of the neutral point, for which everybody can sign': line('ssh-ed25519', bytes(Buffer.concat([Buffer.of(1), Buffer.alloc(31)]))),
  'a point that is not on the curve': line(
    'ecdsa-sha2-nistp256',
    text('nistp256'),
    bytes(Buffer.concat([Buffer.of(4), Buffer.alloc(64, 9)]))
  ),
  'the curve of another type': line('ecdsa-sha2-nistp256', text('nistp384'), bytes(Buffer.concat([Buffer.of(4), Buffer.alloc(96, 9)]))),
  'another type in front': good.replace('ssh-ed25519', 'ssh-rsa'),
  'base64 that ends too early': `${type} ${data.slice(0, 20)}`,
  'base64 with a foreign letter': `${type} ${data.slice(0, 20)}*${data.slice(21)}`,
  base64url: `${type} ${Buffer.concat([text('ssh-ed25519'), bytes(Buffer.alloc(32, 255))]).toString('base64url')}`,
  'bytes behind the key': `${type} ${Buffer.concat([Buffer.from(data, 'base64'), Buffer.from('more')]).toString('base64')}`,
  'a second spelling of the same bytes': `${type} ${data}=`,
  'a command in front': `command="id" ${good}`,
  'a from in front': `from="10.0.0.0/8" ${good}`,
  'options without a value in front': `no-pty,restrict ${good}`,
  'an authority': `cert-authority ${good}`,
  'two keys': `${good}\n${newKeyPair().public}`,
  'a key behind a comment line': `# mine\n${good}`,
  'a comment that goes on in another line': `${good} me\nssh-rsa AAAA`,
  'a comment with a line separator': `${good} me\u2028ssh-rsa AAAA`,
  'a private key': newKeyPair().private,
  nothing: 'hello'
}

/** @returns which of the bad keys were taken, by somebody who may add keys */
async function taken(ground: SftpGround): Promise<string[]> {
  const { ctx, desk } = ground
  const found: string[] = []
  for (const [what, publicKey] of Object.entries(bad)) {
    const connectionId = await ground.connection(ctx)
    await withTx(ctx, tx =>
      desk.addSftpKey(tx, { connectionId, username: `user-${found.length}-${connectionId.slice(-12)}`, publicKey, label: 'x' })
    ).then(
      () => found.push(what),
      (error: { code?: string }) => {
        if (error.code !== 'public_key_invalid') found.push(`${what}: ${error}`)
      }
    )
  }
  // A key belongs to one customer.
  const key = newKeyPair()
  const mine = await ground.connection(ctx)
  await withTx(ctx, tx => desk.addSftpKey(tx, { connectionId: mine, username: 'acme-one', publicKey: key.public, label: 'x' }))
  const theirs = await ground.connection(ground.other)
  await withTx(ground.other, tx =>
    desk.addSftpKey(tx, { connectionId: theirs, username: 'other-one', publicKey: key.public, label: 'x' })
  ).then(
    () => found.push('the key of another customer'),
    (error: { code?: string }) => {
      if (error.code !== 'public_key_known') found.push(`the key of another customer: ${error}`)
    }
  )
  return found
}

t.test('C7 keys', async t => {
  const ground = await sftpGround(t)

  await t.test('C7: keys that are weak, foreign, restricted, broken or no keys are refused', async t => {
    t.strictSame(await taken(ground), [])
  })

  const file = 'core/exchange/public-key.ts'
  const mutants: Readonly<Record<string, Edit & { readonly lets: RegExp }>> = {
    'takes short RSA keys': { file, from: 'const fewestRsaBits = 3072', to: 'const fewestRsaBits = 1024', lets: /RSA of 2048/ },
    'passes over options': {
      file,
      from: 'const line = text.trim()',
      to: "const line = text.trim().replace(/^.* (?=ssh-)/, '')",
      lets: /a from/
    },
    'looks for no other line': {
      file,
      from: 'const line = text.trim()',
      to: "const line = text.trim().split(/\\s*[\\r\\n\\u2028]\\s*/)[0] ?? ''",
      lets: /two keys/
    },
    'does not know keys of other customers': {
      file: 'core/exchange/access.ts',
      from: "if ((await reserve(tx, 'sftp_key', key.fingerprint, connectionId)) === 'taken') {",
      to: "if ((await reserve(tx, 'sftp_key', key.fingerprint + connectionId, connectionId)) === 'taken') {",
      lets: /the key of another customer/
    }
  }
  for (const [what, { lets, ...edit }] of Object.entries(mutants)) {
    await t.test(`C7: a server that ${what} turns this check red`, async t => {
      t.match((await taken((await (await mutantSftp(t, [edit])).sftpGround(t)) as SftpGround)).join('; '), lets)
    })
  }

  await t.test('C7: of a comment nothing is kept', async t => {
    const { ctx, desk } = ground
    const connectionId = await ground.connection(ctx)
    const key = newKeyPair()
    const publicKey = `${key.public.trim()} <img src=x onerror=alert(1)>@host "quoted" ${'c'.repeat(300)}\r\n`
    const id = await withTx(ctx, tx => desk.addSftpKey(tx, { connectionId, username: 'acme-comment', publicKey, label: 'x' }))
    t.equal((await desk.get(ctx, connectionId, id)).publicKey, key.public.trim().split(' ').slice(0, 2).join(' '))
    const { rows } = await sql<{ entry: string }>`select to_jsonb(a)::text as entry from exchange.access a where id = ${id}`.execute(
      free(ctx)
    )
    t.notMatch(rows[0]?.entry, /onerror|quoted|ccc/)
    const client = await connect(ground.server.port, { username: 'acme-comment', privateKey: key.private })
    client.end()
  })

  await t.test('C7: 200 keys at once make ten', async t => {
    const { ctx, desk } = ground
    const connectionId = await ground.connection(ctx)
    const keys = Array.from({ length: 200 }, () => newKeyPair().public)
    const outcomes: string[] = []
    for (let i = 0; i < 200; i += 20)
      outcomes.push(
        ...(await Promise.all(
          keys.slice(i, i + 20).map(publicKey =>
            withTx(ctx, tx => desk.addSftpKey(tx, { connectionId, username: 'acme-many', publicKey, label: 'x' })).then(
              () => 'taken',
              (error: { code?: string }) => error.code ?? String(error)
            )
          )
        ))
      )
    t.equal(outcomes.filter(outcome => outcome === 'taken').length, 10)
    t.strictSame(new Set(outcomes), new Set(['taken', 'access_limit']))
  })

  await t.test('C7: a revoked key may be used again, elsewhere too; its user name stays with whom it belonged to', async t => {
    const { ctx, other, desk } = ground
    const connectionId = await ground.connection(ctx)
    const mine = await ground.user(ctx, connectionId, 'acme-gone')
    await withTx(ctx, tx => desk.revoke(tx, connectionId, mine.accessId))
    const theirs = await ground.connection(other)
    const add = (username: string, publicKey: string) =>
      withTx(other, tx => desk.addSftpKey(tx, { connectionId: theirs, username, publicKey, label: 'x' }))
    // The directory forgets it after the commit.
    for (let tries = 100; tries > 0; tries--) {
      const done = await add('other-gone', mine.key.public).then(
        () => true,
        () => false
      )
      if (done) break
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    const client = await connect(ground.server.port, { username: 'other-gone', privateKey: mine.key.private })
    client.end()
    await t.rejects(add('acme-gone', newKeyPair().public), { code: 'sftp_user_taken' })
    await t.rejects(add('Acme', newKeyPair().public), { code: 'sftp_user_invalid' })
  })
})

t.test('C7 over HTTP', async t => {
  const house = await openTestHouse(t)
  const token = await house.admin()
  const second = await house.newTenant()
  const theirs = await house.admin(second)
  const connection = async (as: string): Promise<string> =>
    (
      await house.call<{ id: string }>('POST', '/api/v1/connections', {
        token: as,
        body: { name: 'ERP', adapter: 'werkvloer.csv', config: {} }
      })
    ).body.id
  const [mine, other] = [await connection(token), await connection(theirs)]
  const add = (id: string, as: string, username: string, publicKey: string, label = 'x') =>
    house.call('POST', `/api/v1/connections/${id}/access/sftp-keys`, { token: as, body: { username, publicKey, label } })

  await t.test('C7: each refusal is problem+json that says what to do', async t => {
    for (const [what, publicKey] of Object.entries(bad)) {
      const answer = await add(mine, token, 'acme-http', publicKey)
      t.equal(answer.status, 400, what)
      t.match(answer.headers.get('content-type'), /^application\/problem\+json/)
      t.match(answer.body, { code: 'public_key_invalid', errors: [{ pointer: '/publicKey', detail: /\w{3,}/ }] }, what)
      t.notMatch(JSON.stringify(answer.body), /node_modules|Error:|ASN|openssl|stack/i)
    }
    t.match(await add(mine, token, 'acme-http', `${good}${'x'.repeat(5000)}`), { status: 400, body: { code: 'invalid_request' } })
  })

  await t.test('C7: the same key for two customers is refused to the second, who learns nothing of the first', async t => {
    const hostile = '<script>alert(1)</script>'
    t.match(await add(mine, token, 'acme-http', `${good} ${hostile}`, hostile), {
      status: 201,
      body: { label: hostile, publicKey: good.split(' ').slice(0, 2).join(' ') }
    })
    const answer = await add(other, theirs, 'other-http', good)
    t.match(answer, { status: 409, body: { code: 'public_key_known' } })
    t.notMatch(JSON.stringify(answer.body), new RegExp(`${house.tenant.code}|${house.tenant.id}|${mine}|acme-http`))
    const list = await house.call('GET', `/api/v1/connections/${mine}/access`, { token })
    t.match(list.headers.get('content-type'), /^application\/json/, 'whoever opens it in a browser sees text')
  })
})
