import { createHash } from 'node:crypto'
import t from 'tap'
import { withTx } from '../../core/db/tx.ts'
import { callingErp, type FileErp, fileErp, sftpHouse } from '../helpers/erp-side.ts'

type House = Awaited<ReturnType<typeof sftpHouse>>
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const status = { noSuchFile: 2, permission: 3, unsupported: 8 }

/** One message for the ERP, written into the outbox. @returns its key */
async function feedback(at: House, erp: Pick<FileErp, 'ctx'>, order: string): Promise<string> {
  const key = await withTx(erp.ctx, tx =>
    at.house.exchange.outbox.enqueue(tx, {
      kind: 'orderStatus',
      record: { workOrder: order, status: 'started', at: tx.clock.iso() },
      orderingKey: order
    })
  )
  await at.house.exchange.exportDue(erp.ctx, new AbortController().signal)
  return key
}
const refusal = async (running: Promise<unknown>): Promise<number | undefined> =>
  running.then(
    () => undefined,
    (error: { code?: number }) => error.code
  )

t.test('D12 feedback files', async t => {
  const at = await sftpHouse(t)
  const erp = await fileErp(t, at)
  const stored = () =>
    erp.query<{ name: string; sha256: string; size: string }>('select name, sha256, size from exchange.outbox_file order by seq')

  await t.test('D12: a file that nobody has fetched cannot be deleted, changed, replaced, renamed or dated otherwise', async t => {
    await feedback(at, erp, 'F1')
    const [name = ''] = await erp.sftp.names('outbox')
    const path = `outbox/${name}`
    const tries: readonly (readonly [string, Promise<unknown>])[] = [
      ['delete', erp.sftp.call('unlink', path)],
      ['overwrite', erp.sftp.put(path, 'changed')],
      ['append', erp.sftp.call('open', path, 'a')],
      ['open to change', erp.sftp.call('open', path, 'r+')],
      ['truncate', erp.sftp.call('setstat', path, { size: 0 })],
      ['date', erp.sftp.call('utimes', path, 1, 1)],
      ['rename', erp.sftp.call('rename', path, 'outbox/other.csv')],
      ['take into the inbox', erp.sftp.call('rename', path, 'inbox/WO_1.csv')],
      ['put beside it', erp.sftp.put('outbox/ORDERSTATUS_X.csv', 'x')],
      ['make a folder', erp.sftp.call('mkdir', 'outbox/folder')]
    ]
    for (const [what, running] of tries) t.ok([3, 4, 8].includes((await refusal(running)) ?? 0), `${what} is refused`)
    const bytes = await erp.sftp.get(path)
    t.match(await stored(), [{ name, sha256: sha256(bytes), size: String(bytes.length) }], 'the ledger has its digest')
    t.match(bytes.toString(), /F1/)
    t.same(await erp.sftp.names('outbox'), [name])
  })

  await t.test('D12: what was fetched may be taken away; asked for again, the same name holds the same bytes', async t => {
    const key = await feedback(at, erp, 'F2')
    const files = new Map<string, Buffer>()
    for (const one of await erp.sftp.names('outbox')) files.set(one, await erp.sftp.get(`outbox/${one}`))
    const [mine = ''] = [...files].find(([, bytes]) => bytes.includes(key)) ?? []
    await erp.sftp.call('unlink', `outbox/${mine}`)
    t.equal(await refusal(erp.sftp.get(`outbox/${mine}`)), status.noSuchFile)
    t.notOk((await erp.sftp.names('outbox')).includes(mine))
    // The ERP lost it, says no, and a person sends it again.
    await erp.file('ACK_1.csv', `Key;Result;Document;Message\n${key};ERROR;;File is lost\n`)
    const [message] = await erp.query<{ seq: string }>('select seq from exchange.outbox where key = $1', [key])
    await erp.api('POST', `/outbox/${message?.seq}/retry`, {})
    await at.house.exchange.exportDue(erp.ctx, new AbortController().signal)
    t.ok((await erp.sftp.names('outbox')).includes(mine), 'it is there again')
    const again = await erp.sftp.get(`outbox/${mine}`)
    t.equal(again.toString(), files.get(mine)?.toString(), 'byte for byte')
    t.equal((await stored()).find(one => one.name === mine)?.sha256, sha256(again))
  })

  await t.test("D12: names of others' files, guessed or known, are no files, and lists show the own outbox only", async t => {
    const other = await fileErp(t, at, { tenant: await at.newTenant() })
    await feedback(at, other, 'SECRET')
    const [theirs = ''] = await other.sftp.names('outbox')
    t.ok(theirs)
    const own = await erp.sftp.names('outbox')
    t.notOk(own.includes(theirs))
    const guesses = [
      theirs,
      theirs.toLowerCase(),
      `../${other.tenant.code}/outbox/${theirs}`,
      `../../${theirs}`,
      `${other.tenant.id}/${theirs}`
    ]
    for (const guess of guesses) {
      t.ok([2, 3].includes((await refusal(erp.sftp.get(`outbox/${guess}`))) ?? 0), `read ${guess}`)
      t.ok([2, 3].includes((await refusal(erp.sftp.call('stat', `outbox/${guess}`))) ?? 0), `look at ${guess}`)
      t.ok([2, 3].includes((await refusal(erp.sftp.call('unlink', `outbox/${guess}`))) ?? 0), `delete ${guess}`)
    }
    for (const place of ['/', '/..', 'outbox/..', '../..', '/outbox/../..'])
      t.same(await erp.sftp.names(place), ['archive', 'inbox', 'outbox', 'rejected'], place)
    for (const place of ['/etc', '../etc', `/${other.tenant.code}`, 'outbox/*', 'outbox/%'])
      t.ok([2, 3].includes((await refusal(erp.sftp.names(place))) ?? 0), `list ${place}`)
    t.same(await other.sftp.names('outbox'), [theirs], 'theirs is still there')
  })

  await t.test('D12: bytes that were changed or exchanged behind our back are not handed out', async t => {
    await feedback(at, erp, 'F3')
    await feedback(at, erp, 'F4')
    const rows = await erp.query<{ seq: string; name: string }>(
      'select seq, name from exchange.outbox_file where removed_at is null order by seq desc limit 2'
    )
    const [last, before] = rows
    await erp.query(
      'update exchange.outbox_file set body_sealed = (select body_sealed from exchange.outbox_file where seq = $1) where seq = $2',
      [before?.seq, last?.seq]
    )
    t.not(await refusal(erp.sftp.get(`outbox/${last?.name}`)), undefined, 'the bytes of another file')
    await erp.query(
      `update exchange.outbox_file set body_sealed = set_byte(body_sealed, octet_length(body_sealed) - 1, 255 - get_byte(body_sealed, octet_length(body_sealed) - 1)) where seq = $1`,
      [before?.seq]
    )
    t.not(await refusal(erp.sftp.get(`outbox/${before?.name}`)), undefined, 'a changed byte')
  })
})

t.test('D12 documents', async t => {
  const at = await sftpHouse(t)
  const erp = await callingErp(at)
  const other = await callingErp(at, { tenant: await at.newTenant() })
  interface Item {
    readonly seq: string
    readonly name: string
    readonly sha256: string
    readonly body: object
  }
  const outbox = (connection: string, token: string, query = '') =>
    at.call<{ items: Item[]; next: string }>('GET', `/erp/v1/${connection}/outbox${query}`, { token })

  await t.test('D12: documents are read again the same, with the digest of their bytes, and only by their own ERP', async t => {
    await feedback(at, erp, 'D1')
    await feedback(at, other, 'SECRET')
    const first = await outbox(erp.connectionId, erp.erpToken)
    t.equal(first.body.items.length, 1)
    t.same((await outbox(erp.connectionId, erp.erpToken)).body, first.body)
    const [item] = first.body.items
    t.equal(item?.sha256, sha256(Buffer.from(JSON.stringify(item?.body))))
    t.notMatch(JSON.stringify(first.body), /SECRET/)
    for (const query of ['?after=0', '?after=999999999999999999', '?limit=200'])
      t.notMatch(JSON.stringify((await outbox(erp.connectionId, erp.erpToken, query)).body), /SECRET/, query)
    t.equal((await outbox(other.connectionId, erp.erpToken)).status, 404)
    for (const query of ['?after=-1', '?after=1%20or%201=1', '?limit=0', '?limit=201', '?name=x'])
      t.equal((await outbox(erp.connectionId, erp.erpToken, query)).status, 400, query)
    for (const method of ['DELETE', 'PUT', 'POST', 'PATCH'])
      t.ok([404, 405, 415].includes((await at.call(method, `/erp/v1/${erp.connectionId}/outbox`, { token: erp.erpToken })).status), method)
    t.equal((await outbox(erp.connectionId, erp.erpToken)).body.items.length, 1)
  })
})
