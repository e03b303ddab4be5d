import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { Client } from 'ssh2'
import t from 'tap'
import { fixedClock } from '../../core/clock.ts'
import { withTx } from '../../core/db/tx.ts'
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
