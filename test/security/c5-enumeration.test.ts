import { connect as connectTcp } from 'node:net'
import ssh2 from 'ssh2'
import t from 'tap'
import { withTx } from '../../core/db/tx.ts'
import { larger, median } from '../helpers/distributions.ts'
import { type Edit, mutantSftp } from '../helpers/mutant.ts'
import { connect, newKeyPair, type SftpGround, sftpGround } from '../helpers/sftp.ts'

/** Another address of this machine for each connection, so that no address has to wait for its failures. */
let addresses = 0
const nextAddress = (): string => `127.9.${(++addresses >> 8) & 255}.${addresses & 255}`

/** What a client that may not come in gets to see, and how long each answer took. */
interface Seen {
  /** Of each try: the ways that are left, as the server lists them. */
  readonly answers: readonly string[]
  readonly end: string
  readonly milliseconds: readonly number[]
}

type Auth = { type: 'password'; password: string } | { type: 'publickey'; key: ssh2.ParsedKey }

/** Tries until the server ends the connection. */
function refusals(port: number, username: string, auth: Auth): Promise<Seen> {
  const client = new ssh2.Client()
  const answers: string[] = []
  const milliseconds: number[] = []
  let since = 0
  return new Promise((resolve, reject) => {
    let end = ''
    client.on('ready', () => reject(new Error(`${username} was let in`)))
    client.on('error', (error: Error & { level?: string }) => {
      end ||= `${error.level ?? ''} ${error.message}`
    })
    client.on('close', () => {
      // Without the answer to "none", which costs nothing.
      resolve({ answers, end, milliseconds: milliseconds.slice(1) })
    })
    client.connect({
      // Its own connection would wait 40 ms for an acknowledgement each time.
      sock: connectTcp({ host: '127.0.0.1', port, localAddress: nextAddress(), noDelay: true }),
      username,
      readyTimeout: 30_000,
      authHandler: ((left: string[] | null, partial: boolean | null, next: (answer: unknown) => void) => {
        if (since > 0) milliseconds.push(performance.now() - since)
        answers.push(`${left?.join() ?? 'first'} ${partial ?? ''}`)
        since = performance.now()
        // Answers to "none" are asked for first, as OpenSSH does; it is no try.
        next(answers.length === 1 ? { type: 'none', username } : { ...auth, username })
      }) as never
    })
  })
}

const parsed = (text: string): ssh2.ParsedKey => {
  const key = ssh2.utils.parseKey(text)
  if (key instanceof Error) throw key
  return key
}

/** Users who are there in every sense in which one can be, and the names that nobody has. */
async function people(ground: SftpGround) {
  const { ctx, other, desk, at } = ground
  const connectionId = await ground.connection(ctx)
  const password = (of: typeof ctx, id: string, username: string) =>
    withTx(of, tx => desk.addSftpPassword(tx, { connectionId: id, username, label: 'a' }))
  const mine = await ground.user(ctx, connectionId, 'acme-erp')
  await password(ctx, connectionId, 'acme-erp')
  await ground.user(ctx, connectionId, 'acme-keys-only')
  const gone = await ground.user(ctx, connectionId, 'acme-revoked')
  await withTx(ctx, tx => desk.revoke(tx, connectionId, gone.accessId))
  const theirs = await ground.connection(other)
  const neighbour = await ground.user(other, theirs, 'other-erp')
  await password(other, theirs, 'other-erp')
  const asleep = await at.tenant('sftp-asleep')
  const sleeping = await ground.user(asleep, await ground.connection(asleep), 'asleep-erp')
  await at.control.kysely.updateTable('control.tenant').set({ state: 'suspended' }).where('id', '=', asleep.tenant.id).execute()
  await at.tenants.drop(asleep.tenant.id)
  return { mine, gone, neighbour, sleeping }
}

const names = {
  'an unknown user': 'nobody-here',
  'a user with password and key': 'acme-erp',
  'a user with a key alone': 'acme-keys-only',
  'a user whose access was revoked': 'acme-revoked',
  'a user of another customer': 'other-erp',
  'a user of a suspended customer': 'asleep-erp',
  'a name that cannot be one': '../../etc/passwd'
} as const
type Who = keyof typeof names

/** Answer times of users who are there and one who is not, in turns, so that what the machine does meanwhile meets all alike. */
async function times(port: number, who: readonly Who[], auth: Auth, rounds: number): Promise<Map<Who, number[]>> {
  const found = new Map<Who, number[]>(who.map(one => [one, []]))
  for (let round = 0; round < rounds; round++) {
    const turn = who.map((_, i) => who[(i + round) % who.length] as Who)
    await Promise.all(
      turn.map(async one => {
        found.get(one)?.push(...(await refusals(port, names[one], auth)).milliseconds)
      })
    )
  }
  return found
}

/** How far the answer times of who is there lie apart from those of who is not: 0 not at all, 1 altogether. */
function telling(found: Map<Who, number[]>): number {
  const unknown = found.get('an unknown user') ?? []
  return Math.max(...[...found].filter(([who]) => who !== 'an unknown user').map(([, of]) => Math.abs(larger(of, unknown) - 0.5) * 2))
}

/** By chance thirty answers lie apart by 0.15 or so, and by this much once in a million times; a user who is given away, by nearly 1. */
const tellsNothing = 0.7

const timed: readonly Who[] = ['an unknown user', 'a user with password and key', 'a user of another customer']
const wrongPassword: Auth = { type: 'password', password: 'not it' }

t.test('C5 enumeration', async t => {
  const ground = await sftpGround(t, { config: { maxUnauthenticated: 50 } })
  const { port } = ground.server
  const { mine, gone, neighbour, sleeping } = await people(ground)
  const strangerKey: Auth = { type: 'publickey', key: parsed(newKeyPair().private) }

  await t.test('C5: whoever may not come in gets the same answers, whether he is there or not', async t => {
    const tried: Record<string, Auth> = {
      'a wrong password': wrongPassword,
      'a key of nobody': strangerKey,
      'a key that was revoked': { type: 'publickey', key: parsed(gone.key.private) },
      'the key of a suspended customer': { type: 'publickey', key: parsed(sleeping.key.private) }
    }
    const all = Object.entries(names)
    const by = Object.entries(tried).map(async ([what, auth]) => {
      return { what, auth, seen: await Promise.all(all.map(([, name]) => refusals(port, name, auth))) }
    })
    for (const { what, auth, seen } of await Promise.all(by)) {
      for (const [i, one] of seen.entries()) {
        const { answers, end } = one
        t.strictSame({ answers, end }, { answers: seen[0]?.answers, end: seen[0]?.end }, `${what}: ${all[i]?.[0]}`)
      }
      const tries = auth.type === 'password' ? 3 : 9
      t.equal(seen[0]?.milliseconds.length, tries, `${what} is listened to ${tries} times`)
    }
  })

  await t.test('C5: a key that fits somebody else is no better than a key of nobody', async t => {
    const expected = await refusals(port, 'nobody-here', strangerKey)
    for (const [name, key] of [
      ['acme-keys-only', mine.key],
      ['other-erp', mine.key],
      ['acme-erp', neighbour.key],
      ['nobody-here', neighbour.key]
    ] as const) {
      const { answers, end } = await refusals(port, name, { type: 'publickey', key: parsed(key.private) })
      t.strictSame({ answers, end }, { answers: expected.answers, end: expected.end }, name)
    }
  })

  await t.test('C5: the time of an answer does not tell who is there', async t => {
    const [passwords, keys] = await Promise.all([times(port, timed, wrongPassword, 10), times(port, timed, strangerKey, 3)])
    for (const [what, found] of Object.entries({ passwords, keys })) {
      t.ok(
        [...found.values()].every(of => of.length >= 27),
        'enough answers to compare'
      )
      const medians = [...found.values()].map(median)
      t.ok(Math.max(...medians) < Math.min(...medians) * 1.25, `${what}: medians ${medians.map(Math.round)}`)
      t.ok(telling(found) < tellsNothing, `${what}: ${telling(found).toFixed(2)}`)
    }
  })

  const floor: Edit = { file: 'core/exchange/sftp-auth.ts', from: 'const slowestMs = 250', to: 'const slowestMs = 0' }
  const mutants: Readonly<Record<string, { edits: readonly Edit[]; auth: Auth }>> = {
    'hashes only for who is there': {
      auth: wrongPassword,
      edits: [
        floor,
        {
          file: 'core/exchange/sftp-auth.ts',
          from: 'const { ok } = await verifyPassword(credential.password, proof?.password_phc ?? (await dummyHash()))',
          to: `const { ok } = proof?.password_phc ? await verifyPassword(credential.password, proof.password_phc) : { ok: false }
      void dummyHash`
        }
      ]
    },
    'slows down only who guesses at somebody': {
      auth: strangerKey,
      edits: [
        floor,
        {
          file: 'core/exchange/sftp-auth.ts',
          from: "await note(ctx, connectionId, 'publickey')",
          to: "if (ctx) await sleep(100); await note(ctx, connectionId, 'publickey')"
        }
      ]
    }
  }
  for (const [what, { edits, auth }] of Object.entries(mutants)) {
    await t.test(`C5: a server that ${what} turns this check red`, async t => {
      const broken = (await (await mutantSftp(t, edits)).sftpGround(t)) as SftpGround
      await people(broken)
      const found = await times(broken.server.port, timed, auth, auth.type === 'password' ? 10 : 3)
      t.ok(telling(found) >= tellsNothing, `${telling(found).toFixed(2)}`)
    })
  }
})

/** Asks `most` times whether a key would do and never proves to have it. @returns how often the answer was yes */
function questions(port: number, key: string, most: number, localAddress: string): Promise<number> {
  const known = parsed(key)
  let yes = 0
  const agent = Object.assign(Object.create(ssh2.BaseAgent.prototype), {
    getIdentities: (done: (error: undefined, keys: unknown[]) => void) => done(undefined, Array(most).fill(known.getPublicSSH())),
    sign: (_key: unknown, _data: Buffer, options: unknown, done?: (error: Error) => void) => {
      yes++
      const callback = (typeof options === 'function' ? options : done) as (error: Error) => void
      callback(new Error('does not have it'))
    }
  })
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client()
    client.on('ready', () => reject(new Error('was let in without a proof')))
    client.on('error', () => {})
    client.on('close', () => resolve(yes))
    client.connect({
      host: '127.0.0.1',
      localAddress,
      port,
      username: 'acme-erp',
      agent,
      authHandler: [{ type: 'agent', agent, username: 'acme-erp' }] as never
    })
  })
}

t.test('C5 questions', async t => {
  await t.test('C5: a client may not ask for ever whether a key would do', async t => {
    const ground = await sftpGround(t)
    const user = await ground.user(ground.ctx, await ground.connection(ground.ctx), 'acme-erp')
    const { port } = ground.server
    t.equal(await questions(port, user.key.private, 200, '127.8.0.1'), 9, 'on one connection')
    let all = 0
    for (let i = 0; i < 10; i++) all += await questions(port, user.key.private, 9, '127.8.0.2')
    t.ok(all <= 45, `${all} of 90 questions from one address were answered with yes`)
    const address = { localAddress: '127.8.0.3' } as object
    for (let i = 0; i < 12; i++) {
      const client = await connect(port, { username: 'acme-erp', privateKey: user.key.private, ...address })
      client.end()
    }
    t.pass('who has the key comes in as often as he likes')
  })

  await t.test('C5: a server that answers such questions for nothing turns this check red', async t => {
    const broken = (await (
      await mutantSftp(t, [
        {
          file: 'core/exchange/sftp-auth.ts',
          from: 'unproven = asked',
          to: 'unproven = false'
        }
      ])
    ).sftpGround(t)) as SftpGround
    const user = await broken.user(broken.ctx, await broken.connection(broken.ctx), 'acme-erp')
    t.equal(await questions(broken.server.port, user.key.private, 200, '127.8.0.1'), 200)
  })
})
