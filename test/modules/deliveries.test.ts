import t from 'tap'
import { connect, openSftpClient, sftpGround } from '../helpers/sftp.ts'

t.test('deliveries by SFTP', async t => {
  const ground = await sftpGround(t)
  const { ctx } = ground
  const connectionId = await ground.connection(ctx)
  const user = await ground.user(ctx, connectionId, 'acme-erp')
  const client = await connect(ground.server.port, { username: user.username, privateKey: user.key.private })
  t.teardown(() => void client.end())
  const sftp = await openSftpClient(client)

  await t.test('delivery: a file that was closed and stayed quiet is stored', async t => {
    t.strictSame(await sftp.names('/'), ['archive', 'inbox', 'outbox', 'rejected'])
    await sftp.put('inbox/orders.csv', 'a;b\n1;2\n')
    t.strictSame(await sftp.names('/inbox'), ['orders.csv'])
    await ground.settle()
    t.match(await ground.rows(), [{ name: 'orders.csv', state: 'stored', size: '8', way: 'sftp' }])
    t.equal((await sftp.get('inbox/orders.csv')).toString(), 'a;b\n1;2\n')
  })
})
