import t from 'tap'
import { connect, openSftpClient, sftpGround } from '../helpers/sftp.ts'

t.test('uploads of which a part was refused', async t => {
  const ground = await sftpGround(t, { stabilitySeconds: 0 })
  const { ctx } = ground
  const user = await ground.user(ctx, await ground.connection(ctx), 'acme-erp')
  const client = await connect(ground.server.port, { username: user.username, privateKey: user.key.private })
  t.teardown(() => void client.end())
  const sftp = await openSftpClient(client)
  const state = async (name: string) => (await ground.rows()).filter(row => row.name === name).map(row => row.state)

  await t.test('upload: a file of which a write was refused is not taken for whole when its sender closes it', async t => {
    const handle = await sftp.call<Buffer>('open', 'inbox/orders.csv', 'w')
    await sftp.call('write', handle, Buffer.from('header\n1\n'), 0, 9, 0)
    await t.rejects(sftp.call('write', handle, Buffer.from('3\n'), 0, 2, 11), { message: /next byte is 9/ })
    await t.rejects(sftp.call('close', handle), { message: /not whole/ })
    await ground.settle()
    t.strictSame(await state('orders.csv'), ['incomplete'])
    await sftp.put('inbox/orders.csv', 'header\n1\n2\n3\n')
    await ground.settle()
    t.strictSame(await state('orders.csv'), ['incomplete', 'stored'])
  })

  await t.test('upload: a write that fails on our side makes no shorter file', async t => {
    const handle = await sftp.call<Buffer>('open', 'inbox/late.csv', 'w')
    await sftp.call('write', handle, Buffer.from('header\n'), 0, 7, 0)
    const { open } = ground.at.tenants
    ground.at.tenants.open = async () => {
      throw new Error('the database is away')
    }
    await t.rejects(sftp.call('write', handle, Buffer.from('1\n'), 0, 2, 7))
    ground.at.tenants.open = open
    await t.rejects(sftp.call('close', handle))
    await ground.settle()
    t.strictSame(await state('late.csv'), ['incomplete'])
  })
})
