import { createHash } from 'node:crypto'
import t from 'tap'
import { openRaw } from '../../core/exchange/raw.ts'
import { type Edit, mutantSftp } from '../helpers/mutant.ts'
import { connect, openSftpClient, type Sftp, type SftpGround, sftpGround } from '../helpers/sftp.ts'
import { field, openFields, packet, type SftpWire, sftpWire, statusOf, u32, u64 } from '../helpers/sftp-wire.ts'

const unsupported = 8
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

async function enter(ground: SftpGround, name: string, of = ground.ctx) {
  const connectionId = await ground.connection(of)
  const user = await ground.user(of, connectionId, name)
  const again = async (): Promise<{ sftp: Sftp; end: () => void }> => {
    const client = await connect(ground.server.port, { username: name, privateKey: user.key.private })
    return { sftp: await openSftpClient(client), end: () => void client.end() }
  }
  const wire = async (): Promise<{ wire: SftpWire; end: () => void }> => {
    const client = await connect(ground.server.port, { username: name, privateKey: user.key.private })
    return { wire: await sftpWire(client), end: () => void client.end() }
  }
  return { connectionId, again, wire }
}

t.test('D2 links', async t => {
  const ground = await sftpGround(t, { stabilitySeconds: 3600 })
  const mine = await enter(ground, 'acme-erp')
  const theirs = await enter(ground, 'other-erp', ground.other)
  const { sftp, end } = await mine.again()
  const { sftp: stranger, end: endStranger } = await theirs.again()
  await stranger.put('inbox/secret.csv', 'of the stranger')
  await sftp.put('inbox/a.csv', 'a')
  await sftp.put('inbox/b.csv', 'b')
  const books = async () => JSON.stringify([await ground.rows(), await ground.rows(ground.other)])

  await t.test('D2: links, and every extension that could make or follow one, are not supported', async t => {
    const before = await books()
    const { wire, end } = await mine.wire()
    const paths = [
      ['inbox/a.csv', 'inbox/b.csv'],
      ['/etc/passwd', 'inbox/link.csv'],
      [`/${ground.other.tenant.id}/inbox/secret.csv`, 'inbox/link.csv'],
      ['inbox/a.csv', 'outbox/link.csv']
    ] as const
    for (const [from, to] of paths) {
      t.equal(statusOf(await wire.ask(packet.symlink, field(from), field(to)))?.code, unsupported, `SYMLINK ${from}`)
      for (const name of [
        'hardlink@openssh.com',
        'posix-rename@openssh.com',
        'copy-data',
        'expand-path@openssh.com',
        'lsetstat@openssh.com'
      ])
        t.equal(
          statusOf(await wire.ask(packet.extended, field(name), field(from), field(to), u32(0)))?.code,
          unsupported,
          `${name} ${from}`
        )
    }
    await t.rejects(sftp.call('readlink', 'inbox/a.csv'), { code: unsupported })
    end()
    t.equal(await books(), before)
    t.strictSame(await sftp.names('/inbox'), ['a.csv', 'b.csv'])
  })

  await t.test('D2: nothing is renamed over a file, and folders cannot be swapped for others', async t => {
    const before = await books()
    await t.rejects(sftp.call('rename', 'inbox/a.csv', 'inbox/b.csv'), { code: 4, message: /exists/ })
    for (const [from, to] of [
      ['inbox', 'outbox'],
      ['inbox', 'inbox2'],
      ['outbox', 'inbox'],
      ['archive', 'inbox'],
      ['/', 'inbox/x'],
      ['inbox/a.csv', 'inbox'],
      ['inbox/a.csv', '/'],
      ['inbox/a.csv', 'rejected/a.csv'],
      ['inbox/secret.csv', 'inbox/c.csv']
    ] as const)
      await t.rejects(sftp.call('rename', from, to), { code: /^[238]$/ }, `${from} to ${to}`)
    for (const folder of ['inbox', 'outbox', '/']) await t.rejects(sftp.call('rmdir', folder), { code: 3 })
    await t.rejects(sftp.call('mkdir', 'inbox/sub'), { code: 3 })
    t.equal(await books(), before)
  })

  await t.test('D2: a file that is still being written cannot be moved, read or taken from under its writer', async t => {
    const { wire, end } = await mine.wire()
    const answer = await wire.ask(packet.open, ...openFields('/inbox/open.tmp', 2 | 8 | 16))
    const handle = field(answer.body.subarray(4))
    await wire.ask(packet.write, handle, u64(0n), field('half'))
    await t.rejects(sftp.call('rename', 'inbox/open.tmp', 'inbox/open.csv'), { code: 4, message: /still being written/ })
    await t.rejects(sftp.get('inbox/open.tmp'), { code: 2 })
    await wire.ask(packet.write, handle, u64(4n), field(' and half'))
    t.equal(statusOf(await wire.ask(packet.close, handle))?.code, 0)
    t.equal((await sftp.get('inbox/open.tmp')).toString(), 'half and half')
    await sftp.call('unlink', 'inbox/open.tmp')
    end()
  })
  end()
  endStranger()
})

/**
 * Two clients of one connection write, move, remove and read the same few names as fast as they can. Each content says under which
 * hash it is known. @returns what is in the books that no client handed in whole
 */
async function race(ground: SftpGround, rounds: number): Promise<string[]> {
  const { ctx, other } = ground
  const one = await enter(ground, 'acme-erp')
  const stranger = await enter(ground, 'other-erp', other)
  const whole = new Set<string>()
  const found: string[] = []
  const theirs = await stranger.again()
  await theirs.sftp.put('inbox/secret.csv', 'of the stranger')
  const names = ['x.csv', 'y.csv', 'x.tmp']
  let serial = 0
  const work = async (seed: number): Promise<void> => {
    const { sftp, end } = await one.again()
    let random = seed
    const pick = (most: number): number => {
      random = (random * 1103515245 + 12345) % 2147483648
      return Math.floor((random / 2147483648) * most)
    }
    for (let i = 0; i < rounds; i++) {
      const [a = '', b = ''] = [names[pick(3)], names[pick(3)]]
      const body = `${++serial};`.repeat(1 + pick(4000))
      const act = pick(5)
      // What is refused is refused; what counts is what stays.
      if (act < 2) {
        whole.add(sha256(body))
        await sftp.put(`inbox/${a}`, body).catch(() => {})
      } else if (act === 2) await sftp.call('rename', `inbox/${a}`, `inbox/${b}`).catch(() => {})
      else if (act === 3) await sftp.call('unlink', `inbox/${a}`).catch(() => {})
      else
        await sftp.get(`inbox/${a}`).then(
          read => {
            if (read.length > 0 && !whole.has(sha256(read.toString()))) found.push(`read a mixture of ${read.length} bytes`)
          },
          () => {}
        )
    }
    end()
  }
  await Promise.all([work(1), work(2), work(3)])
  await ground.settle()
  for (const row of await ground.rows(ctx)) {
    const taken = row.state === 'stored' || row.state === 'duplicate'
    if (taken && !whole.has(String(row.sha256))) found.push(`${row.name} was taken over with content that nobody handed in`)
    if (row.state !== 'stored') continue
    const hash = createHash('sha256')
    for await (const bytes of openRaw(ctx, ground.arrivals.blobs, row.blob_id as string)) hash.update(bytes)
    if (hash.digest('hex') !== row.sha256) found.push(`${row.name}: other bytes than the row says`)
  }
  const [secret] = await ground.rows(other)
  if ((await ground.rows(other)).length !== 1 || secret?.sha256 !== sha256('of the stranger')) found.push('the stranger was touched')
  theirs.end()
  return found
}

t.test('D2 races', async t => {
  await t.test('D2: whatever two clients do to the same names at once, only whole files of theirs are taken over', async t => {
    t.strictSame(await race(await sftpGround(t, { stabilitySeconds: 0 }), 150), [])
  })

  const mutants: Readonly<Record<string, readonly Edit[]>> = {
    'takes a name for a file, not the upload that was begun': [
      {
        file: 'core/exchange/inbox-store.ts',
        from: `    .where('id', '=', id)
    .where('state', '=', 'arriving')
    .where('removed_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

export async function setFileTime`,
        to: `    .where('inbox_name', '=', (eb: any) => eb.selectFrom('exchange.delivery').select('name').where('id', '=', id))
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

export async function setFileTime`
      }
    ],
    'takes over what is still being written': [
      {
        file: 'core/exchange/uploads.ts',
        from: "if (source.state === 'arriving' && source.closed_at === null) return 'open'",
        to: ''
      },
      { file: 'core/exchange/inbox-store.ts', from: "    .where('d.closed_at', 'is not', null)\n", to: '' },
      { file: 'core/exchange/arrivals.ts', from: "Date.parse(delivery.closed_at ?? '') <=", to: '0 <=' }
    ]
  }
  for (const [what, edits] of Object.entries(mutants)) {
    await t.test(`D2: a server that ${what} turns this check red`, async t => {
      const broken = (await (await mutantSftp(t, edits)).sftpGround(t, { stabilitySeconds: 0 })) as SftpGround
      t.not((await race(broken, 150)).length, 0)
    })
  }
})
