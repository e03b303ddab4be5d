import t from 'tap'
import { withTx } from '../../core/db/tx.ts'
import { connect, openSftpClient, sftpGround } from '../helpers/sftp.ts'

t.test('sign-in', async t => {
  const ground = await sftpGround(t)
  const { ctx, server, desk } = ground
  const connectionId = await ground.connection(ctx)

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
})
