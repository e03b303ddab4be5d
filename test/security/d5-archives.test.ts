import { request } from 'node:http'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { foreignContent } from '../../adapters/contract/index.ts'
import { connectErp, firstAdministrator } from '../../demo/setup.ts'
import { openTestHouse } from '../helpers/house.ts'
import { mutantOf } from '../helpers/mutant.ts'
import { connect, newKeyPair, openSftpClient } from '../helpers/sftp.ts'

const mebibyte = 2 ** 20
const csv = Buffer.from(`Location;Warehouse;Description;Blocked\n${'R1;MAIN;Rack;N\n'.repeat(50)}`)

interface Entry {
  readonly name: string
  readonly body: Buffer
  /** What the archive says of its size, where that is a lie. */
  readonly claims?: number
  readonly flags?: number
}

/** A ZIP archive as an attacker writes it: entry after entry, and a directory that says the same. */
function zip(entries: readonly Entry[]): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const { name, body, claims = body.length, flags = 0 } of entries) {
    const packed = deflateRawSync(body)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(flags, 2)
    common.writeUInt16LE(8, 4)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(claims, 18)
    common.writeUInt16LE(name.length, 22)
    parts.push(Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed)
    const more = Buffer.alloc(14)
    more.writeUInt32LE(at, 10)
    directory.push(Buffer.from('PK\x01\x02'), Buffer.of(20, 3), common, more, Buffer.from(name))
    at += 30 + name.length + packed.length
  }
  const end = Buffer.alloc(18)
  end.writeUInt16LE(entries.length, 4)
  end.writeUInt16LE(entries.length, 6)
  end.writeUInt32LE(
    directory.reduce((all, part) => all + part.length, 0),
    8
  )
  end.writeUInt32LE(at, 12)
  return Buffer.concat([...parts, ...directory, Buffer.from('PK\x05\x06'), end])
}

/** A tar archive with one entry; `type` 2 is a link. */
function tar(name: string, body: Buffer, type = '0', link = ''): Buffer {
  const head = Buffer.alloc(512)
  head.write(name, 0)
  head.write('0000644\0', 100)
  head.write(body.length.toString(8).padStart(11, '0'), 124)
  head.write(type, 156)
  head.write(link, 157)
  head.write('ustar\x0000', 257)
  return Buffer.concat([head, body, Buffer.alloc((512 - (body.length % 512)) % 512), Buffer.alloc(1024)])
}

const bomb = gzipSync(Buffer.alloc(200 * mebibyte))
const flat = zip([{ name: 'LOC_1.csv', body: csv }])

/** What somebody sends who wants it unpacked. */
const packed: Readonly<Record<string, Buffer>> = {
  'an honest ZIP archive': flat,
  'a gzip of 200 MiB of nothing': bomb,
  'a gzip in a gzip': gzipSync(bomb),
  'nested ZIP archives': zip([{ name: 'inner.zip', body: zip([{ name: 'inner.zip', body: flat }]) }]),
  'a ZIP of 20,000 entries': zip(Array.from({ length: 20_000 }, (_, i) => ({ name: `${i}.csv`, body: Buffer.alloc(0) }))),
  'names that lead outside': zip([
    { name: '../../../../etc/cron.d/x', body: csv },
    { name: '/etc/passwd', body: csv },
    { name: '..\\..\\x', body: csv }
  ]),
  'the same entry twice': zip([
    { name: 'LOC_1.csv', body: csv },
    { name: 'LOC_1.csv', body: Buffer.alloc(10) }
  ]),
  'an encrypted entry': zip([{ name: 'LOC_1.csv', body: csv, flags: 1 }]),
  'a size that is a lie': zip([{ name: 'LOC_1.csv', body: Buffer.alloc(mebibyte), claims: 10 }]),
  'a size of ZIP64': zip([{ name: 'LOC_1.csv', body: csv, claims: 0xffff_ffff }]),
  'an empty ZIP archive': zip([]),
  'a tar archive': tar('LOC_1.csv', csv),
  'a tar archive with a link': tar('LOC_1.csv', Buffer.alloc(0), '2', '/etc/passwd'),
  'a packed tar archive': gzipSync(tar('LOC_1.csv', csv)),
  'a 7z archive': Buffer.concat([Buffer.of(0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c), Buffer.alloc(100)]),
  'a RAR archive': Buffer.concat([Buffer.from('Rar!\x1a\x07\x00', 'latin1'), Buffer.alloc(100)]),
  bzip2: Buffer.concat([Buffer.from('BZh9'), Buffer.of(0x31, 0x41, 0x59, 0x26, 0x53, 0x59), Buffer.alloc(100)]),
  xz: Buffer.concat([Buffer.of(0xfd), Buffer.from('7zXZ'), Buffer.alloc(100)]),
  zstd: Buffer.concat([Buffer.of(0x28, 0xb5, 0x2f, 0xfd), Buffer.alloc(100)]),
  'an old office document': Buffer.concat([Buffer.of(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1), Buffer.alloc(600)])
}

t.test('D5 archives', async t => {
  await t.test('D5: what is packed is known by its first bytes, and no text is taken for it', async t => {
    for (const [what, body] of Object.entries(packed)) t.match(foreignContent(body)?.content, /^(archive|compressed|document)$/, what)
    const texts = [
      '',
      'P',
      'PK',
      'PK;Name\n1;x\n',
      'BZh9 is a name\n',
      'Rar!\n',
      '7z\n',
      'MSCF\n',
      '!<arch>',
      '{"a":1}',
      '<?xml version="1.0"?>'
    ]
    for (const text of [...texts, '\ufeffPK;x', 'a'.repeat(257).concat('\nustar'), csv.toString()])
      t.equal(foreignContent(Buffer.from(text)), undefined, JSON.stringify(text.slice(0, 20)))
    t.equal(foreignContent(Buffer.from('PK;Größe\n', 'utf16le')), undefined)
  })

  const house = await openTestHouse(t, { sftp: true })
  const admin = await firstAdministrator(house.baseUrl, house.tenant.code, house.tenant.inviteToken)
  const key = newKeyPair()
  await connectErp(admin, { username: 'plant-erp', publicLine: key.public.trim() })
  const ctx = await house.ctx()
  const client = await connect(house.sftp?.port ?? 0, { username: 'plant-erp', privateKey: key.private })
  t.teardown(() => void client.end())
  const sftp = await openSftpClient(client)
  const work = () => house.house.exchange.importDue(ctx, new AbortController().signal)
  const rows = async (name: string) =>
    (await ctx.db.pool.query('select id, state, reason_code, reason, read_count, blob_id from exchange.delivery where name = $1', [name]))
      .rows
  const hand = async (name: string, body: Buffer): Promise<void> => {
    await sftp.put(`inbox/${name}.tmp`, body)
    await sftp.call('rename', `inbox/${name}.tmp`, `inbox/${name}`)
  }

  await t.test('D5: a packed file is refused with its reason, unread, under whatever name it comes', async t => {
    await hand('LOC_good.csv', csv)
    await work()
    t.match(await rows('LOC_good.csv'), [{ state: /^done/ }], 'the same way takes a text')
    const names = new Map(Object.keys(packed).map((what, i) => [what, `LOC_${i}.${['csv', 'zip', 'csv.gz', 'xlsx'][i % 4]}`]))
    for (const [what, body] of Object.entries(packed)) await hand(names.get(what) ?? '', body)
    const before = process.memoryUsage()
    await work()
    const after = process.memoryUsage()
    t.ok(after.rss - before.rss < 150 * mebibyte, `grown by ${Math.round((after.rss - before.rss) / mebibyte)} MiB`)
    for (const [what, name] of names) {
      t.match(
        await rows(name),
        [
          {
            state: 'rejected',
            reason_code: 'delivery_content',
            reason: /^This is (an archive|a compressed file|a document) \(/,
            read_count: '0'
          }
        ],
        what
      )
      t.not((await rows(name))[0]?.blob_id, null, 'its bytes are kept for whoever looks')
    }
    const held = await sftp.names('/rejected')
    t.equal(held.filter(name => !name.endsWith('.errors.csv')).length, names.size, 'the ERP sees them set aside')
    const { rows: entries } = await ctx.db.pool.query(
      `select count(*)::int as n from journal.entry where act = 'delivery.import' and data->>'code' = 'delivery_content'`
    )
    t.equal(entries[0]?.n, names.size, 'each stands in the journal')
  })

  await t.test('D5: without the look at the first bytes this check is red', async t => {
    const blind = await mutantOf<typeof import('../../core/exchange/import.ts')>(
      'core/exchange/import.ts',
      'await checkContent(raw, deps.scan, signal)',
      'void checkContent'
    )
    const opened: string[] = []
    const runtime = { adapter: { import: { file: (file: { name: string }) => opened.push(file.name) && [] } }, manifest: {} }
    const raw = {
      name: 'LOC_x.csv',
      size: bomb.length,
      sha256: '',
      receivedAt: '',
      bytes: async function* () {
        yield bomb
      }
    }
    const read = async (house: Pick<typeof blind, 'itemsOf'>): Promise<unknown> => {
      const items = await house.itemsOf(
        { adapterCtx: () => ({}) } as never,
        ctx,
        runtime as never,
        'sftp',
        raw as never,
        AbortSignal.timeout(5_000)
      )
      for await (const item of items) return item
      return undefined
    }
    const { itemsOf } = await import('../../core/exchange/import.ts')
    await t.rejects(read({ itemsOf }), { code: 'delivery_content' })
    t.strictSame(opened, [])
    await read(blind)
    t.strictSame(opened, ['LOC_x.csv'], 'the adapter would get to see it')
  })

  await t.test('D5: a packed body of the web service is refused before it is read', async t => {
    const token = await house.signIn(house.tenant, 'admin', 'Werkvloer-demo-2026')
    const made = await house.call<{ id: string }>('POST', '/api/v1/connections', {
      token,
      body: { name: 'REST', adapter: 'werkvloer.neutral-rest', config: {} }
    })
    const given = await house.call<{ token: string }>('POST', `/api/v1/connections/${made.body.id}/access/tokens`, {
      token,
      body: { label: 'x' }
    })
    await house.call('PATCH', `/api/v1/connections/${made.body.id}`, { token, body: {} })
    const post = (body: Buffer, headers: Record<string, string>) =>
      house.call('POST', `/erp/v1/${made.body.id}/articles`, {
        token: given.body.token,
        raw: body,
        headers: { 'content-type': 'application/json', ...headers }
      })
    const body = Buffer.from(JSON.stringify({ articles: [] }))
    t.equal((await post(body, { 'content-encoding': 'identity' })).status, 202)
    const count = async () => (await ctx.db.pool.query('select count(*)::int as n from exchange.delivery')).rows[0]?.n
    const before = await count()
    for (const [encoding, bytes] of [
      ['gzip', gzipSync(body)],
      ['gzip', bomb],
      ['x-gzip', gzipSync(body)],
      ['GZIP', gzipSync(body)],
      ['deflate', deflateSync(body)],
      ['br', brotliCompressSync(body)],
      ['gzip, gzip', gzipSync(gzipSync(body))],
      ['identity, gzip', gzipSync(body)],
      ['zstd', body]
    ] as const) {
      const answer = await post(bytes, { 'content-encoding': encoding })
      t.match(answer, { status: 415, body: { code: 'delivery_encoding', detail: /Nothing is unpacked/ } }, encoding)
      t.match(answer.headers.get('content-type'), /problem\+json/)
      t.equal(answer.headers.get('accept-encoding'), 'identity', 'RFC 9110, 15.5.16')
    }
    t.equal(await count(), before, 'nothing was stored')

    // Not a byte of the body is waited for.
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const asked = request(`${house.baseUrl}/erp/v1/${made.body.id}/articles`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${given.body.token}`,
          'content-type': 'application/json',
          'content-encoding': 'gzip',
          'content-length': '1000'
        }
      })
      asked.on('response', answer => {
        resolve(answer.statusCode)
        asked.destroy()
      })
      asked.on('error', reject)
      asked.flushHeaders()
    })
    t.equal(status, 415)

    // Elsewhere it is no JSON, and nothing more is tried.
    const elsewhere = await house.call('POST', '/api/v1/connections', {
      token,
      raw: gzipSync('{"name":"x"}'),
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    })
    t.match(elsewhere, { status: 400, body: { code: 'malformed_body' } })
  })
})
