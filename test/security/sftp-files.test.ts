import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { Client } from 'ssh2'
import t from 'tap'
import { fixedClock } from '../../core/clock.ts'
import { withTx } from '../../core/db/tx.ts'
import { checkName, doneNameOf, isTemporaryName, matchesGlob } from '../../core/exchange/file-names.ts'
import { placeOf } from '../../core/exchange/sftp-tree.ts'
import { connect, fileAdapters, free, openSftpClient, type SftpGround, sftpGround } from '../helpers/sftp.ts'

const status = { ok: 0, eof: 1, noSuchFile: 2, permission: 3, failure: 4, unsupported: 8 }
const signIn = async (ground: SftpGround, user: { username: string; key: { private: string } }): Promise<Client> =>
  connect(ground.server.port, { username: user.username, privateKey: user.key.private })

t.test('files', async t => {
  const ground = await sftpGround(t, {
    stabilitySeconds: 3600,
    waitingFiles: 30,
    config: { maxFileBytes: 200_000 },
    adapters: fileAdapters({ plain: { pattern: '*.csv' }, done: { pattern: 'orders*.csv', done: '{name}.done' } })
  })
  const { ctx, other } = ground
  const connectionId = await ground.connection(ctx)
  const theirs = await ground.connection(other)
  const user = await ground.user(ctx, connectionId, 'acme-erp')
  const stranger = await ground.user(other, theirs, 'other-erp')
  const client = await signIn(ground, user)
  t.teardown(() => void client.end())
  const sftp = await openSftpClient(client)

  const hostile = [
    '../../etc/passwd',
    '/etc/passwd',
    'inbox/../../etc/passwd',
    'inbox/..%2f..%2fetc',
    '....//....//etc/passwd',
    'inbox/a\u0000b',
    'inbox/a\\..\\b',
    `inbox/${'x'.repeat(201)}`,
    `inbox/${'é'.repeat(101)}`,
    'inbox/name\u202ecsv.exe',
    'inbox/a\u200bb',
    'inbox/line\nbreak',
    'inbox/ends.',
    'inbox/ends ',
    'inbox/ starts',
    'inbox/CON',
    'inbox/nul.csv',
    'inbox/deep/er/file.csv',
    'archive/2026-01-01/x.csv',
    'archive/../inbox/../../x',
    'rejected/x.csv',
    'outbox/x.csv',
    'x.csv',
    '/inbox/\u0007bell'
  ]

  await t.test('D1: no path, however made, writes or reads outside the own tree', async t => {
    for (const path of hostile) {
      await t.rejects(sftp.put(path, 'x'), { code: status.permission }, `write ${encodeURIComponent(path)}`)
      await t.rejects(sftp.get(path), { code: status.noSuchFile }, `read ${encodeURIComponent(path)}`)
    }
    t.equal((await ground.rows()).length, 0)
    t.strictSame(await sftp.call('realpath', '/inbox/../../../..'), '/')
    t.strictSame(await sftp.call('realpath', 'inbox/./../archive'), '/archive')
    await t.rejects(sftp.call('realpath', '/etc'), { code: status.noSuchFile })
  })

  await t.test('D1: answers name no place on our machine', async t => {
    for (const path of ['inbox/none.csv', '../../etc/passwd', 'archive/none']) {
      const error = await sftp.get(path).then(
        () => new Error('read'),
        (e: Error) => e
      )
      t.notMatch(error.message, /\/(tmp|var|etc|proc|blobs)|core\/|\.ts/)
    }
  })

  await t.test('D1: two spellings of one name are one file', async t => {
    await sftp.put('inbox/caf\u00e9.csv', 'one')
    t.equal((await sftp.get('inbox/cafe\u0301.csv')).toString(), 'one')
    t.strictSame(await sftp.names('/inbox'), ['caf\u00e9.csv'])
    await sftp.call('unlink', 'inbox/cafe\u0301.csv')
    t.strictSame(await sftp.names('/inbox'), [])
  })

  await t.test('D1: the files of another customer do not exist, by any name', async t => {
    const foreign = await signIn(ground, stranger)
    const mine = await openSftpClient(foreign)
    await mine.put('inbox/secret.csv', 'theirs')
    const id = String((await ground.rows(other))[0]?.id)
    for (const path of [
      'inbox/secret.csv',
      `/${id}`,
      `inbox/${id}`,
      `/${other.tenant.id}/inbox/secret.csv`,
      `../${other.tenant.id}/secret.csv`
    ]) {
      await t.rejects(sftp.get(path), { code: status.noSuchFile }, path)
    }
    t.strictSame(await sftp.names('/inbox'), [])
    foreign.end()
  })

  await t.test('D2: links and extensions are not supported', async t => {
    await t.rejects(sftp.call('symlink', '/etc/passwd', 'inbox/link'), { code: status.unsupported })
    await t.rejects(sftp.call('readlink', 'inbox/link'), { code: status.unsupported })
    await t.rejects(sftp.call('ext_openssh_hardlink', 'inbox/a', 'inbox/b'), /not support/)
  })

  await t.test('D3: a killed upload stays visible as incomplete and is never stored', async t => {
    const doomed = await signIn(ground, user)
    const channel = await openSftpClient(doomed)
    const handle = await channel.call<Buffer>('open', 'inbox/half.csv', 'w')
    await channel.call('write', handle, Buffer.alloc(1000, 'a'), 0, 1000, 0)
    ;(doomed as unknown as { _sock: { destroy(): void } })._sock.destroy()
    const half = await found(ground, row => row.name === 'half.csv' && row.state === 'incomplete')
    t.match(half, { size: '1000', reason_code: 'upload_incomplete' })
    await ground.settle()
    t.match(await found(ground, row => row.name === 'half.csv'), { state: 'incomplete' })
    t.ok((await sftp.names('/inbox')).includes('half.csv'))
    await sftp.put('inbox/half.csv', 'whole now')
    t.match(
      (await ground.rows()).filter(row => row.name === 'half.csv'),
      [
        { state: 'incomplete', inbox_name: null, blob_id: null },
        { state: 'arriving', size: '9' }
      ]
    )
  })

  await t.test('D3: of two sessions that write one name, the later upload counts', async t => {
    const second = await signIn(ground, user)
    const theirChannel = await openSftpClient(second)
    const first = await sftp.call<Buffer>('open', 'inbox/both.csv', 'w')
    await sftp.call('write', first, Buffer.from('first'), 0, 5, 0)
    await theirChannel.put('inbox/both.csv', 'second')
    await t.rejects(sftp.call('close', first), { code: status.failure, message: /later upload/ })
    t.equal((await sftp.get('inbox/both.csv')).toString(), 'second')
    second.end()
  })

  await t.test('D3: a file is written from its beginning to its end, a gap is refused and the file is not whole', async t => {
    const handle = await sftp.call<Buffer>('open', 'inbox/gap.csv', 'w')
    await sftp.call('write', handle, Buffer.from('abc'), 0, 3, 0)
    await t.rejects(sftp.call('write', handle, Buffer.from('x'), 0, 1, 2 ** 60), { code: status.failure })
    await t.rejects(sftp.call('write', handle, Buffer.from('x'), 0, 1, 1), { code: status.failure })
    await sftp.call('write', handle, Buffer.from('def'), 0, 3, 3)
    await t.rejects(sftp.call('close', handle), { code: status.failure, message: /not whole/ })
    t.equal((await sftp.get('inbox/gap.csv')).toString(), 'abcdef')
    t.match((await ground.rows()).at(-1), { name: 'gap.csv', state: 'incomplete' })
  })

  await t.test('D3: a file under a temporary name is never taken over by waiting', async t => {
    const clock = fixedClock('2026-03-01T08:00:00Z')
    for (const name of ['a.tmp', 'b.part', '.hidden', '.in.c.csv', 'd.filepart']) await sftp.put(`inbox/${name}`, 'x')
    clock.set('2036-01-01T00:00:00Z')
    const { settleArrivals } = await import('../../core/exchange/arrivals.ts')
    await settleArrivals({ ...ctx, clock }, ground.arrivals)
    const rows = (await ground.rows()).filter(row => isTemporaryName(String(row.name)))
    t.equal(rows.length, 5)
    t.ok(rows.every(row => row.state === 'arriving'))
    for (const name of ['a.tmp', 'b.part', '.hidden', '.in.c.csv', 'd.filepart']) await sftp.call('unlink', `inbox/${name}`)
  })

  await t.test('D3: a connection with done files takes nothing over without one', async t => {
    const id = await ground.connection(ctx, 'done')
    const doneUser = await ground.user(ctx, id, 'acme-done')
    const done = await signIn(ground, doneUser)
    const channel = await openSftpClient(done)
    const of = async (name: string) => (await ground.rows()).find(row => row.name === name && row.connection_id === id)
    const later = { ...ctx, clock: fixedClock('2036-01-01T00:00:00Z') }
    const { settleArrivals } = await import('../../core/exchange/arrivals.ts')
    await channel.put('inbox/orders-1.tmp', 'a')
    await channel.call('rename', 'inbox/orders-1.tmp', 'inbox/orders-1.csv')
    await settleArrivals(later, ground.arrivals, id)
    t.match(await of('orders-1.csv'), { state: 'arriving' }, 'neither a rename nor time makes it whole')
    await channel.put('inbox/orders-1.csv.done', '')
    t.match(await of('orders-1.csv'), { state: 'stored' })
    t.match(await of('orders-1.csv.done'), { state: 'done', reason_code: 'done_file' })
    await channel.put('inbox/orders-2.csv.done', '')
    t.match(await of('orders-2.csv.done'), { state: 'arriving' }, 'a done file that comes first waits')
    await channel.put('inbox/orders-2.csv', 'b')
    t.match(await of('orders-2.csv'), { state: 'stored' })
    done.end()
  })

  await t.test('D4: a file above the limit is refused while it comes, and not kept as whole', async t => {
    await t.rejects(sftp.put('inbox/large.csv', Buffer.alloc(200_001)), { code: status.failure, message: /larger than 200000/ })
    const row = await found(ground, r => r.name === 'large.csv')
    t.equal(row?.state, 'incomplete')
    await sftp.put('inbox/exact.csv', Buffer.alloc(200_000))
    t.match(await found(ground, r => r.name === 'exact.csv'), { state: 'arriving', size: '200000' })
  })

  await t.test('D4: when too much waits, no more is taken, and other customers are not touched', async t => {
    let refused: { message?: string } = {}
    for (let i = 0; i < 40 && refused.message === undefined; i++) {
      await sftp.put(`inbox/many-${i}.csv`, `${i}`).catch(error => {
        refused = error
      })
    }
    t.match(refused, { code: status.failure, message: /wait already/ })
    const foreign = await signIn(ground, stranger)
    await (await openSftpClient(foreign)).put('inbox/fine.csv', 'x')
    foreign.end()
  })

  await t.test('D12: a file for the ERP is fetched unchanged, and goes only after it was fetched', async t => {
    const body = Buffer.from('{"key":"k1","secret":"canary-7f3a"}')
    const write = (name: string) =>
      sql`insert into exchange.outbox_file (connection_id, name, body_sealed, size, sha256) values (${connectionId}, ${name},
        ${ctx.tenant.keys.seal(body, { table: 'exchange.outbox_file', column: 'body_sealed', row: `${connectionId}/${name}` })}, ${body.length}, 'x')`.execute(
        free(ctx)
      )
    await write('LABOUR_1.json')
    await write('LABOUR_2.json')
    t.strictSame(await sftp.names('/outbox'), ['LABOUR_1.json', 'LABOUR_2.json'])
    await t.rejects(sftp.call('unlink', '/outbox/LABOUR_1.json'), { code: status.permission, message: /fetch/ })
    t.strictSame(await sftp.get('/outbox/LABOUR_1.json'), body)
    await t.rejects(sftp.put('/outbox/LABOUR_1.json', 'changed'), { code: status.permission })
    await sftp.call('unlink', '/outbox/LABOUR_1.json')
    await sftp.get('/outbox/LABOUR_2.json')
    await sftp.call('rename', '/outbox/LABOUR_2.json', '/outbox/done-LABOUR_2.json')
    t.strictSame(await sftp.names('/outbox'), [])
    await t.rejects(sftp.get('/outbox/LABOUR_1.json'), { code: status.noSuchFile })
  })

  await t.test('I1: bytes on the disk are not the bytes that came', async t => {
    await sql`update exchange.delivery set state = 'done', finished_at = now() where state = 'arriving'`.execute(free(ctx))
    await sftp.put('inbox/canary.csv', 'canary-52aa91')
    const files = readdirSync(ground.blobDir, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
    t.ok(files.length > 5)
    t.strictSame(
      files.filter(file => readFileSync(join(file.parentPath, file.name)).includes('canary-52aa91')),
      []
    )
  })

  await t.test('B5: an access that is revoked ends an open session within seconds', async t => {
    const clock = fixedClock('2026-03-01T08:00:00Z')
    const own = await sftpGround(t, { clock })
    const id = await own.connection(own.ctx)
    const person = await own.user(own.ctx, id, 'acme-short')
    const open = await signIn(own, person)
    const channel = await openSftpClient(open)
    t.strictSame(await channel.names('/inbox'), [])
    await withTx(own.ctx, tx => own.desk.revoke(tx, id, person.accessId))
    clock.advance(6)
    const ended = new Promise<void>(resolve => open.once('close', () => resolve()))
    await t.rejects(channel.names('/inbox'))
    await ended
  })
})

async function found(ground: SftpGround, fits: (row: Record<string, unknown>) => boolean): Promise<Record<string, unknown> | undefined> {
  for (let i = 0; i < 100; i++) {
    const row = (await ground.rows()).find(fits)
    if (row) return row
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  return undefined
}

t.test('names', async t => {
  await t.test('D1: a place is found by its name alone', async t => {
    t.strictSame(placeOf('/'), { at: 'root' })
    t.strictSame(placeOf('.'), { at: 'root' })
    t.strictSame(placeOf('inbox//./a.csv'), { at: 'file', folder: 'inbox', name: 'a.csv' })
    t.strictSame(placeOf('/archive/2026-03-01/7-a.csv'), { at: 'file', folder: 'archive', day: '2026-03-01', name: '7-a.csv' })
    t.strictSame(placeOf('/../../inbox'), { at: 'folder', folder: 'inbox' })
    t.match(placeOf('/archive/../../etc/passwd'), { at: 'nowhere' })
    t.match(placeOf('/archive/2026-3-1'), { at: 'nowhere' })
  })
  await t.test('D1: names are kept as NFC, and what cannot be shown or stored elsewhere is refused', async t => {
    t.strictSame(checkName('cafe\u0301'), { name: 'caf\u00e9' })
    for (const name of ['', '.', '..', 'a/b', 'a\\b', '\ufffd', 'com1.csv', 'a\u2028b', 'x'.repeat(201)])
      t.match(checkName(name), { problem: String }, encodeURIComponent(name))
    for (const name of ['orders 2026-03-01T07:15.csv', 'Größe.xml', '订单.csv', 'console.csv']) t.match(checkName(name), { name }, name)
  })
  await t.test('names: globs and done files', async t => {
    t.ok(matchesGlob('orders*.csv', 'ORDERS-1.CSV'))
    t.notOk(matchesGlob('orders*.csv', 'orders.csv.done'))
    t.notOk(matchesGlob('a.csv', 'aXcsv'))
    t.ok(matchesGlob('a?.(b).csv', 'a1.(b).csv'))
    t.equal(doneNameOf('{name}.done', 'orders.csv'), 'orders.csv.done')
    t.equal(doneNameOf('{stem}.rdy', 'orders.csv'), 'orders.rdy')
  })
})
