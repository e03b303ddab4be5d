import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import t from 'tap'
import { fixedClock } from '../../core/clock.ts'
import { settleArrivals } from '../../core/exchange/arrivals.ts'
import { type Edit, mutantOf, mutantSftp } from '../helpers/mutant.ts'
import { connect, fileAdapters, free, openSftpClient, type SftpGround, sftpGround } from '../helpers/sftp.ts'

const failure = 4
const most = 200_000
const options = { stabilitySeconds: 3600, waitingFiles: 40, config: { maxFileBytes: most } }

async function enter(ground: SftpGround, name: string, of = ground.ctx) {
  const connectionId = await ground.connection(of)
  const user = await ground.user(of, connectionId, name)
  const client = await connect(ground.server.port, { username: name, privateKey: user.key.private })
  return { connectionId, sftp: await openSftpClient(client), end: () => void client.end() }
}

const outcome = (work: Promise<unknown>): Promise<{ code?: number; message?: string }> =>
  work.then(
    () => ({}),
    (error: { code?: number; message?: string }) => error
  )

async function bytesWaiting(ground: SftpGround): Promise<number> {
  return (await ground.rows()).filter(row => row.removed_at === null).reduce((all, row) => all + Number(row.size), 0)
}

/** @returns what a greedy client got that is more than its share */
async function greed(ground: SftpGround): Promise<string[]> {
  const found: string[] = []
  const refused = (what: string, error: { code?: number; message?: string }, words: RegExp): void => {
    if (error.code !== failure || !words.test(error.message ?? '')) found.push(`${what}: ${error.code} ${error.message}`)
  }
  const greedy = await enter(ground, 'acme-erp')
  const { sftp } = greedy

  // One file of a byte more than is allowed.
  refused('a file that is too large', await outcome(sftp.put('inbox/large.csv', Buffer.alloc(most + 1))), /larger than 200000/)
  const large = (await ground.rows()).find(row => row.name === 'large.csv')
  if (large?.state !== 'incomplete') found.push(`the large file is ${large?.state}`)
  const exact = await outcome(sftp.put('inbox/exact.csv', Buffer.alloc(most)))
  if (exact.code !== undefined) found.push(`a file of the largest size: ${exact.message}`)

  // Uploads that begin while there is room and grow together: 16 of them, each within the limit of a file.
  const handles: Buffer[] = []
  for (let i = 0; i < 16; i++) handles.push(await sftp.call<Buffer>('open', `inbox/grow-${i}.csv`, 'w'))
  const piece = Buffer.alloc(20_000, 'a')
  const refusals: { code?: number; message?: string }[] = []
  for (let at = 0; at < most; at += piece.length)
    for (const handle of handles) {
      const error = await outcome(sftp.call('write', handle, piece, 0, piece.length, at))
      if (error.code !== undefined) refusals.push(error)
    }
  for (const handle of handles) await outcome(sftp.call('close', handle))
  const bytes = await bytesWaiting(ground)
  if (bytes > most * 10) found.push(`${bytes} bytes wait`)
  if (refusals.length === 0) found.push('no upload was stopped')
  else refused('an upload beyond the share', refusals[0] ?? {}, /wait already/)

  // Deep folders: there are none at all.
  for (const path of [`inbox/${'d/'.repeat(1_000)}x.csv`, 'inbox/d/x.csv'])
    if ((await outcome(sftp.put(path, ''))).code !== 3) found.push('a file in a deep folder')
  if ((await outcome(sftp.call('mkdir', 'inbox/d'))).code !== 3) found.push('a folder was made')
  for (const name of await sftp.names('inbox')) await sftp.call('unlink', `inbox/${name}`)

  // Empty files without end.
  let empty = 0
  let last: { code?: number; message?: string } = {}
  for (; empty < 60 && last.code === undefined; empty++) last = await outcome(sftp.put(`inbox/empty-${empty}.csv`, ''))
  if (empty !== 41) found.push(`${empty - 1} empty files`)
  refused('one empty file too many', last, /40 files .* wait already/)
  if ((await sftp.names('inbox')).length > 40) found.push('more are shown than were taken')

  // Who has nothing to do with it is not touched, another connection of the same customer included.
  for (const [name, of] of [
    ['acme-wms', ground.ctx],
    ['other-erp', ground.other]
  ] as const) {
    const neighbour = await enter(ground, name, of)
    const error = await outcome(neighbour.sftp.put('inbox/fine.csv', 'x'))
    if (error.code !== undefined) found.push(`${name}: ${error.message}`)
    neighbour.end()
  }
  // And one file less is room for one more.
  await sftp.call('unlink', 'inbox/empty-0.csv')
  const again = await outcome(sftp.put('inbox/again.csv', 'x'))
  if (again.code !== undefined) found.push(`after a file was taken away: ${again.message}`)
  greedy.end()
  return found
}

t.test('D4 quota', async t => {
  await t.test('D4: a connection gets its share and no more, with a reason, and its neighbours get theirs', async t => {
    const ground = await sftpGround(t, options)
    t.strictSame(await greed(ground), [])
    const { rows } = await sql<{ data: Record<string, number> }>`select data from journal.entry where act = 'inbox.full'`.execute(
      free(ground.ctx)
    )
    t.equal(rows.length, 1, 'it stands in the journal, and once, however often it happens')
    t.ok((rows[0]?.data.bytes ?? 0) > 0)
  })

  const mutants: Readonly<Record<string, Edit & { readonly finds: RegExp }>> = {
    'looks at no size': {
      file: 'core/exchange/uploads.ts',
      from: 'writer.size + data.length > options.maxFileBytes',
      to: 'writer.size + data.length > 1e12',
      finds: /a file that is too large/
    },
    'counts only what is in the books': {
      file: 'core/exchange/uploads.ts',
      from: 'failure ??= await room.full(ctx, growing, data.length)',
      to: '',
      finds: /bytes wait; no upload was stopped/
    },
    'counts no files': {
      file: 'core/exchange/inbox-room.ts',
      from: 'if (load.files >= limits.maxWaitingFiles || load.bytes',
      to: 'if (load.bytes',
      finds: /59 empty files/
    },
    'counts all customers together': {
      file: 'core/exchange/inbox-store.ts',
      from: `    .where('connection_id', '=', connectionId)
    .where('state', '=', any(waiting))
    .where('removed_at', 'is', null)
    .executeTakeFirstOrThrow()`,
      to: `    .where('state', '=', any(waiting))
    .where('removed_at', 'is', null)
    .executeTakeFirstOrThrow()`,
      finds: /acme-wms/
    }
  }
  for (const [what, { finds, ...edit }] of Object.entries(mutants)) {
    await t.test(`D4: a server that ${what} turns this check red`, async t => {
      t.match((await greed((await (await mutantSftp(t, [edit])).sftpGround(t, options)) as SftpGround)).join('; '), finds)
    })
  }

  await t.test('D4: ten thousand files in one inbox do not hold up the others', async t => {
    const ground = await sftpGround(t, {
      stabilitySeconds: 3600,
      waitingFiles: 20_000,
      adapters: fileAdapters({ plain: { pattern: '*.csv', done: '{name}.done' } })
    })
    const { ctx } = ground
    const connectionId = await ground.connection(ctx)
    await sql`insert into exchange.delivery (id, connection_id, way, name, inbox_name, state, size, sha256, received_at, closed_at)
      select gen_random_uuid(), ${connectionId}, 'sftp', 'empty-' || n || '.csv', 'empty-' || n || '.csv', 'arriving', 0, 'x', now(), now()
      from generate_series(1, 10000) n`.execute(free(ctx))
    const stoodStill = async (settle: typeof settleArrivals): Promise<number> => {
      const delay = monitorEventLoopDelay({ resolution: 5 })
      delay.enable()
      await settle({ ...ctx, clock: fixedClock('2036-01-01T00:00:00Z') }, ground.arrivals, connectionId)
      // It is written down by a timer, which had no turn until now.
      await sleep(50)
      delay.disable()
      return delay.max / 1e6
    }
    const longest = await stoodStill(settleArrivals)
    const pairwise = await mutantOf<{ settleArrivals: typeof settleArrivals }>(
      'core/exchange/arrivals.ts',
      'const signal = doneName === undefined ? undefined : byName.get(',
      'const signal = closed.find(other => other.connection_id === delivery.connection_id && other.name.toLowerCase() === doneName) ?? byName.get('
    )
    const slow = await stoodStill(pairwise.settleArrivals)
    t.ok(
      longest < slow / 3,
      `the process stood still for ${Math.round(longest)} ms; looking through all for each, for ${Math.round(slow)} ms`
    )
  })
})
