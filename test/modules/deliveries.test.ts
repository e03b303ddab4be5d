import { sql } from 'kysely'
import t from 'tap'
import { fixedClock } from '../../core/clock.ts'
import { withTx } from '../../core/db/tx.ts'
import { settleArrivals } from '../../core/exchange/arrivals.ts'
import { recordDelivery, writeRaw } from '../../core/exchange/bodies.ts'
import { expireRaw, sweepRaw } from '../../core/exchange/delivery-duties.ts'
import { uploadsOf } from '../../core/exchange/uploads.ts'
import { connect, free, openSftpClient, sftpGround } from '../helpers/sftp.ts'

t.test('deliveries', async t => {
  const clock = fixedClock('2026-03-01T08:00:00Z')
  const ground = await sftpGround(t, { clock, stabilitySeconds: 10 })
  const { ctx, arrivals } = ground
  const fresh = async () => {
    const connectionId = await ground.connection(ctx)
    const username = `erp-${connectionId.slice(-12)}`
    const user = await ground.user(ctx, connectionId, username)
    const client = await connect(ground.server.port, { username, privateKey: user.key.private })
    t.teardown(() => void client.end())
    return {
      connectionId,
      client,
      sftp: await openSftpClient(client),
      rows: async () => (await ground.rows()).filter(row => row.connection_id === connectionId)
    }
  }
  const settle = () => settleArrivals(ctx, arrivals)
  /** As the web service does: bytes first, then the row. */
  const handIn = async (connectionId: string, name: string, body: Buffer | AsyncIterable<Uint8Array>) => {
    const raw = await writeRaw(ctx, arrivals, body)
    return (await withTx(ctx, tx => recordDelivery(tx, { connectionId, way: 'http', name, ...raw }))).delivery
  }

  await t.test('delivery: a file is stored when it was closed and quiet for ten seconds, not before', async t => {
    const { sftp, rows } = await fresh()
    t.strictSame(await sftp.names('/'), ['archive', 'inbox', 'outbox', 'rejected'])
    await sftp.put('inbox/orders.csv', 'a;b\n1;2\n')
    t.strictSame(await sftp.names('/inbox'), ['orders.csv'])
    clock.advance(9)
    t.match(await settle(), { settled: 0, more: true })
    t.match(await rows(), [{ name: 'orders.csv', state: 'arriving', size: '8', way: 'sftp' }])
    clock.advance(1)
    t.match(await settle(), { settled: 1 })
    t.match(await rows(), [{ state: 'stored', sha256: /^[0-9a-f]{64}$/ }])
    t.match(await settle(), { settled: 0 }, 'once')
    t.equal((await sftp.get('inbox/orders.csv')).toString(), 'a;b\n1;2\n')
    const journal = await sql<{ act: string }>`select act from journal.entry where act = 'delivery.receive'`.execute(free(ctx))
    t.equal(journal.rows.length, 1)
  })

  await t.test('delivery: storing it makes import work due for the tenant', async t => {
    const { sftp } = await fresh()
    await ground.at.control.db.pool.query('delete from control.tenant_due')
    // Longer than a mark that was made before serves.
    clock.advance(10)
    await sftp.put('inbox/x.tmp', 'x')
    await sftp.call('rename', 'inbox/x.tmp', 'inbox/x.csv')
    t.ok((await ground.at.desk.list()).some(due => due.tenantId === ctx.tenant.id && due.kind === 'import'))
  })

  await t.test('delivery: A, A, B, A under one name is three deliveries and one duplicate', async t => {
    const { sftp, rows } = await fresh()
    for (const body of ['A', 'A', 'B', 'A']) {
      await sftp.put('inbox/state.tmp', body)
      await sftp.call('rename', 'inbox/state.tmp', 'inbox/state.csv')
    }
    t.strictSame(
      (await rows()).map(row => row.state),
      ['stored', 'duplicate', 'stored', 'stored']
    )
    t.match((await rows())[1], { reason_code: 'same_as_latest', reason: /Same content as delivery \d+/ })
  })

  await t.test('delivery: the same file after a refusal is no duplicate', async t => {
    const { sftp, rows, connectionId } = await fresh()
    const send = async () => {
      await sftp.put('inbox/a.tmp', 'A')
      await sftp.call('rename', 'inbox/a.tmp', 'inbox/a.csv')
    }
    await send()
    await sql`update exchange.delivery set state = 'rejected', finished_at = ${clock.iso()} where connection_id = ${connectionId}`.execute(
      free(ctx)
    )
    await send()
    t.strictSame(
      (await rows()).map(row => row.state),
      ['rejected', 'stored']
    )
  })

  await t.test('delivery: an upload may be replaced or removed until it is taken over', async t => {
    const { sftp, rows } = await fresh()
    await sftp.put('inbox/a.csv', 'first')
    await sftp.put('inbox/a.csv', 'second')
    await sftp.put('inbox/b.csv', 'gone')
    await sftp.call('unlink', 'inbox/b.csv')
    clock.advance(10)
    await settle()
    t.match(await rows(), [
      { name: 'a.csv', state: 'incomplete', reason_code: 'withdrawn', blob_id: null },
      { name: 'a.csv', state: 'stored', size: '6' },
      { name: 'b.csv', state: 'incomplete', reason_code: 'withdrawn' }
    ])
    await t.rejects(sftp.call('unlink', 'inbox/a.csv'), { code: 2 }, 'too late')
    await sftp.put('inbox/a.csv', 'third')
    clock.advance(10)
    await settle()
    t.equal((await rows()).filter(row => row.state === 'stored').length, 2, 'the next one under the name is a delivery of its own')
  })

  await t.test('delivery: after it was taken over its name answers for ten minutes and is no longer listed when it is done', async t => {
    const { sftp, connectionId } = await fresh()
    await sftp.put('inbox/seen.csv', '12345')
    clock.advance(10)
    await settle()
    await sql`update exchange.delivery set state = 'done', finished_at = ${clock.iso()} where connection_id = ${connectionId}`.execute(
      free(ctx)
    )
    t.strictSame(await sftp.names('/inbox'), [])
    t.match(await sftp.call('stat', 'inbox/seen.csv'), { size: 5 })
    clock.advance(601)
    await t.rejects(sftp.call('stat', 'inbox/seen.csv'), { code: 2 })
  })

  await t.test('delivery: size and time of a file are what the sender set', async t => {
    const { sftp } = await fresh()
    await sftp.put('inbox/time.csv', 'x')
    await sftp.call('utimes', 'inbox/time.csv', 1_700_000_000, 1_700_000_000)
    t.match(await sftp.call('stat', 'inbox/time.csv'), { size: 1, mtime: 1_700_000_000 })
    await sftp.call('chmod', 'inbox/time.csv', 0o600)
    await t.rejects(sftp.call('setstat', 'inbox/time.csv', { size: 99 }), { code: 4 })
  })

  await t.test('archive: done deliveries stand under their day with their number, rejected ones beside their errors', async t => {
    const { sftp, connectionId, rows } = await fresh()
    for (const name of ['done.csv', 'mixed.csv', 'bad.csv']) await sftp.put(`inbox/${name}`, `body of ${name}`)
    clock.advance(10)
    await settle()
    const [done, mixed, bad] = await rows()
    const set = (id: unknown, state: string, code: string | null = null) =>
      sql`update exchange.delivery set state = ${state}, finished_at = '2026-03-01T23:30:00Z', reason_code = ${code}, reason = ${code && 'The header is missing.'}, rejected_count = 1
        where id = ${id}`.execute(free(ctx))
    await set(done?.id, 'done')
    await set(mixed?.id, 'done_with_rejects')
    await set(bad?.id, 'rejected', 'file.header')
    await sql`insert into exchange.reject (id, connection_id, direction, delivery_id, item, kind, record_key, line, code, message, field, cause)
      values (gen_random_uuid(), ${connectionId}, 'in', ${mixed?.id}, 3, 'workOrder', '=HYPERLINK("x")', 4, 'unit.unknown', 'There is no unit "KG,", add it', 'Unit', '\\x00')`.execute(
      free(ctx)
    )
    clock.set('2026-03-02T08:00:00Z')
    t.strictSame(await sftp.names('/archive'), ['2026-03-02'], 'the day in the zone of the customer')
    t.strictSame(await sftp.names('/archive/2026-03-02'), [`${done?.seq}-done.csv`, `${mixed?.seq}-mixed.csv`].sort())
    t.equal((await sftp.get(`/archive/2026-03-02/${done?.seq}-done.csv`)).toString(), 'body of done.csv')
    t.strictSame(
      await sftp.names('/rejected'),
      [`${bad?.seq}-bad.csv`, `${bad?.seq}-bad.csv.errors.csv`, `${mixed?.seq}-mixed.csv.errors.csv`].sort()
    )
    t.equal(
      (await sftp.get(`/rejected/${mixed?.seq}-mixed.csv.errors.csv`)).toString(),
      'line,column,code,message,kind,key\r\n4,Unit,unit.unknown,"There is no unit ""KG,"", add it",workOrder,"\'=HYPERLINK(""x"")"\r\n'
    )
    t.match(
      (await sftp.get('/rejected/bad.csv.errors.csv')).toString(),
      /\r\n,,file\.header,The header is missing\.,,\r\n$/,
      'also by the plain name'
    )
    t.equal((await sftp.get(`/rejected/${bad?.seq}-bad.csv`)).toString(), 'body of bad.csv')
    await t.rejects(sftp.get(`/archive/2026-03-02/${bad?.seq}-bad.csv`), { code: 2 })
    await t.rejects(sftp.call('unlink', `/archive/2026-03-02/${done?.seq}-done.csv`), { code: 3 })
    clock.set('2026-04-15T08:00:00Z')
    t.strictSame(await sftp.names('/archive'), [])
    t.strictSame(await sftp.names('/rejected'), [])
  })

  await t.test('delivery: what came whole is stored at once, and the same again is a duplicate', async t => {
    const { connectionId } = await fresh()
    const give = (body: string) => handIn(connectionId, 'orders', Buffer.from(body))
    t.match(await give('one'), { state: 'stored', size: '3', way: 'http' })
    t.match(await give('one'), { state: 'duplicate' })
    async function* pieces() {
      yield Buffer.from('t')
      yield Buffer.from('wo')
    }
    t.match(await handIn(connectionId, 'orders', pieces()), {
      state: 'stored',
      size: '3'
    })
    await t.rejects(give('x'.repeat(arrivals.maxFileBytes + 1)), { code: 'delivery_too_large' })
  })

  await t.test('delivery: an upload whose process died is given up after a while', async t => {
    const { connectionId, rows } = await fresh()
    const upload = await uploadsOf(arrivals).open(ctx, connectionId, 'lost.csv')
    await upload.append(ctx, Buffer.from('half'))
    clock.advance(901)
    await settle()
    t.match(await rows(), [{ state: 'incomplete', reason_code: 'upload_incomplete' }])
    await t.rejects(upload.close(ctx, undefined), { code: 'upload_replaced' }, 'and if it lives after all, it is told')
  })

  await t.test('retention: raw bytes go after thirty days, those with open rejects after ninety, rows stay', async t => {
    const { connectionId, rows } = await fresh()
    clock.set('2026-06-01T00:00:00Z')
    for (const name of ['plain', 'open', 'waiting']) await handIn(connectionId, name, Buffer.from(name))
    const [plain, open] = await rows()
    await sql`update exchange.delivery set state = 'done', finished_at = ${clock.iso()} where id in (${plain?.id}, ${open?.id})`.execute(
      free(ctx)
    )
    await sql`insert into exchange.reject (id, connection_id, direction, delivery_id, item, kind, code, message, cause)
      values (gen_random_uuid(), ${connectionId}, 'in', ${open?.id}, 1, 'workOrder', 'x', 'x', '\\x00')`.execute(free(ctx))
    const kept = async () => (await rows()).map(row => row.blob_id !== null)
    clock.set('2026-06-30T00:00:00Z')
    await expireRaw(ctx, arrivals.blobs)
    t.strictSame(await kept(), [true, true, true])
    clock.set('2026-07-02T00:00:00Z')
    await expireRaw(ctx, arrivals.blobs)
    t.strictSame(await kept(), [false, true, true])
    t.equal(await arrivals.blobs.exists(ctx.tenant.id, String(plain?.blob_id)), false)
    clock.set('2026-09-02T00:00:00Z')
    await expireRaw(ctx, arrivals.blobs)
    t.strictSame(await kept(), [false, false, true], 'what still waits is never let go')
    t.equal((await rows()).length, 3)
  })

  await t.test('retention: bytes without a row are swept after a day, bytes with one stay', async t => {
    const { connectionId } = await fresh()
    const named = await handIn(connectionId, 'x', Buffer.from('x'))
    const orphan = await writeRaw(ctx, arrivals, Buffer.from('orphan'))
    const exists = (id: string) => arrivals.blobs.exists(ctx.tenant.id, id)
    clock.set('2020-01-01T00:00:00Z')
    await sweepRaw(ctx, arrivals.blobs)
    t.ok(await exists(orphan.blobId), 'too young')
    clock.set('2099-01-01T00:00:00Z')
    await sweepRaw(ctx, arrivals.blobs)
    t.notOk(await exists(orphan.blobId))
    t.ok(await exists(named.blob_id ?? ''))
  })
})
