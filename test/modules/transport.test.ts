import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import ssh2 from 'ssh2'
import t from 'tap'
import { secret } from '../../adapters/contract/index.ts'
import { fixedClock } from '../../core/clock.ts'
import { sftpHostKeyOf } from '../../core/db/control.ts'
import { view } from '../../core/db/tx.ts'
import { findOutboxFile, readOutboxFile } from '../../core/exchange/outbox-files-store.ts'
import type { ConnectionRuntime } from '../../core/exchange/runtime.ts'
import { sftpClient } from '../../core/exchange/sftp-client.ts'
import { adapterCtx } from '../../core/exchange/transport.ts'
import { newId } from '../../core/ids.ts'
import { sftpGround } from '../helpers/sftp.ts'
import { ground } from '../helpers/tenant.ts'

const own = view<Record<never, never>>()

async function scene(t: Parameters<typeof ground>[0]) {
  const clock = fixedClock('2026-03-02T08:00:00.000Z')
  const ctx = await (await ground(t, { clock })).tenant('transport')
  const id = newId()
  await sql`insert into exchange.connection (id, name, adapter, adapter_version, config, config_version, time_zone, locale, state)
    values (${id}::uuid, 'Far', 'test.far', '1', '{}', 1, 'Europe/Amsterdam', 'nl-NL', 'active')`.execute(own(ctx))
  const runtime = {
    id,
    manifest: { id: 'test.far', egress: [] },
    config: {},
    timeZone: 'UTC',
    locale: 'nl-NL'
  } as unknown as ConnectionRuntime
  const stop = new AbortController()
  return {
    ctx,
    id,
    clock,
    stop,
    adapter: adapterCtx(ctx, runtime, stop.signal, { allowPrivateEgress: [] } as unknown as Parameters<typeof adapterCtx>[3])
  }
}

t.test('outbox files: the same name with the same bytes is there already, with other bytes it is a mistake', async t => {
  const s = await scene(t)
  t.equal(await s.adapter.outbox.write('labour-1.csv', 'a;b\r\n'), 'written')
  t.equal(await s.adapter.outbox.write('labour-1.csv', Buffer.from('a;b\r\n')), 'same-already-there')
  await t.rejects(s.adapter.outbox.write('labour-1.csv', 'a;c\r\n'), { name: 'AdapterError', cls: 'bug' })
  t.equal((await readOutboxFile(s.ctx, s.id, 'labour-1.csv')).toString(), 'a;b\r\n')
  t.match(await findOutboxFile(s.ctx, s.id, 'labour-1.csv'), { size: '5' })
  const { rows } = await sql<{ body: Buffer }>`select body_sealed as body from exchange.outbox_file`.execute(own(s.ctx))
  t.notMatch(rows[0]?.body.toString('latin1'), 'a;b')
  for (const name of ['../up.csv', 'a/b', '.hidden', '', 'nul\0'])
    await t.rejects(s.adapter.outbox.write(name, 'x'), { name: 'AdapterError', cls: 'bug' }, name)
})

t.test('adapter memory: of two who compare and set the same, one wins', async t => {
  const s = await scene(t)
  t.equal(await s.adapter.state.get(), null)
  const both = await Promise.all([s.adapter.state.compareAndSet(null, { token: 'a' }), s.adapter.state.compareAndSet(null, { token: 'b' })])
  t.strictSame([...both].sort(), [false, true])
  t.equal(await s.adapter.state.compareAndSet({ token: 'x' }, null), false)
  const { rows } = await sql<{ body: Buffer }>`select state_sealed as body from exchange.adapter_state`.execute(own(s.ctx))
  t.notMatch(rows[0]?.body.toString('latin1'), 'token')
})

t.test('adapter memory: a token goes in as a secret, comes back as one, and stands nowhere in plain text', async t => {
  const s = await scene(t)
  const kept = { user: 8, session: secret('canary-token-7f31') }
  t.equal(await s.adapter.state.compareAndSet(null, kept), true)
  const back = (await s.adapter.state.get()) as typeof kept
  t.equal(back.session.reveal(), 'canary-token-7f31')
  t.same(JSON.parse(JSON.stringify(back)), { user: 8, session: '[secret]' })
  t.equal(await s.adapter.state.compareAndSet({ user: 8, session: secret('another') }, null), false, 'another secret is another state')
  t.equal(await s.adapter.state.compareAndSet(back, { user: 9 }), true)
  const { rows } = await sql<{ body: Buffer }>`select state_sealed as body from exchange.adapter_state`.execute(own(s.ctx))
  t.notMatch(rows[0]?.body.toString('latin1'), 'canary')
  await t.rejects(s.adapter.state.compareAndSet({ user: 9 }, { $secret: 'forged' }), /\$secret/, 'nobody forges the mark of a secret')
})

t.test('adapter clock: a pause ends with the work', async t => {
  const s = await scene(t)
  const pause = s.adapter.clock.sleep(3_600_000)
  s.stop.abort(new Error('closing'))
  await t.rejects(pause, /closing/)
})

t.test('sftp: files go to and come from a server whose host key is the pinned one', async t => {
  const s = await sftpGround(t)
  const connectionId = await s.connection(s.ctx)
  const user = await s.user(s.ctx, connectionId, 'far-side')
  const hostKey = await sftpHostKeyOf(s.at.control)
  const parsed = ssh2.utils.parseKey(hostKey.publicLine)
  if (parsed instanceof Error) throw parsed
  const pinned = createHash('sha256')
    .update((Array.isArray(parsed) ? parsed[0] : parsed).getPublicSSH())
    .digest('base64')
    .replace(/=+$/, '')
  const target = {
    host: '127.0.0.1',
    port: s.server.port,
    username: user.username,
    privateKey: secret(user.key.private),
    hostKeySha256: `SHA256:${pinned}`
  }
  const options = { hosts: new Set(['127.0.0.1']), allowPrivate: [`127.0.0.1:${s.server.port}`], signal: new AbortController().signal }

  const session = await sftpClient(target, options)
  t.equal(await session.writeAtomic('/inbox/orders.csv', 'Order\r\n1\r\n'), 'written')
  t.equal(await session.writeAtomic('/inbox/orders.csv', 'Order\r\n1\r\n'), 'same-already-there')
  t.strictSame(
    (await session.list('/inbox')).map(file => [file.name, file.size]),
    [['orders.csv', 10]]
  )
  const parts: Uint8Array[] = []
  for await (const part of session.read('/inbox/orders.csv')) parts.push(part)
  t.equal(Buffer.concat(parts).toString(), 'Order\r\n1\r\n')
  await session.close()

  await t.rejects(sftpClient({ ...target, hostKeySha256: `SHA256:${'A'.repeat(43)}` }, options), {
    cls: 'config',
    message: /another host key/
  })
  await t.rejects(sftpClient({ ...target, username: 'nobody' }, options), { name: 'AdapterError', cls: 'auth' })
  await t.rejects(sftpClient(target, { ...options, allowPrivate: [] }), { cls: 'config', message: /private network/ })
  await t.rejects(sftpClient({ ...target, host: 'elsewhere.example' }, options), { cls: 'config', message: /may not call/ })
})
