import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, globSync, readdirSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { newId } from '../../core/ids.ts'
import { newTenantKey, type TenantKeys, tenantKeys } from '../../core/keys/tenant-keys.ts'
import { BlobBroken, type Blobs, localBlobs } from '../../core/storage/blobs.ts'

const segment = 65_536
const head = 17
const stored = segment + 16

const newTenant = (): TenantKeys => tenantKeys(newId(), new Map([[1, newTenantKey()]]), 1)
const pathOf = (dir: string, tenant: TenantKeys, id: string): string => join(dir, tenant.tenantId, id.slice(-2), id)
const filesIn = (dir: string): string[] => globSync('**/*', { cwd: dir }).filter(name => statSync(join(dir, name)).isFile())

async function write(blobs: Blobs, tenant: TenantKeys, bytes: Buffer, piece = 32_768, id = newId()): Promise<string> {
  const writer = await blobs.create(tenant, id)
  for (let at = 0; at < bytes.length; at += piece) await writer.append(bytes.subarray(at, at + piece))
  await writer.finish()
  return id
}

async function read(blobs: Blobs, tenant: TenantKeys, id: string): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of blobs.read(tenant, id)) parts.push(part)
  return Buffer.concat(parts)
}

t.test('blob: what goes in comes out, at every edge of a segment and in pieces of any size', async t => {
  const blobs = localBlobs(t.testdir())
  const tenant = newTenant()
  for (const size of [0, 1, segment - 1, segment, segment + 1, 2 * segment, 4 * segment, 4 * segment + 1, 8 * segment, 5_000_000]) {
    const bytes = randomBytes(size)
    for (const piece of size > 1_000_000 ? [32_768] : [1000, 32_768, segment, 1_000_000]) {
      const id = newId()
      const writer = await blobs.create(tenant, id)
      for (let at = 0; at < size; at += piece) await writer.append(bytes.subarray(at, at + piece))
      t.equal(writer.size, size)
      t.strictSame(await writer.finish(), { size, sha256: createHash('sha256').update(bytes).digest('hex') })
      t.ok((await read(blobs, tenant, id)).equals(bytes), `${size} bytes in pieces of ${piece}`)
    }
  }
})

t.test('blob: pieces that are handed over without waiting keep their order', async t => {
  const blobs = localBlobs(t.testdir())
  const tenant = newTenant()
  const bytes = randomBytes(3_000_000)
  const writer = await blobs.create(tenant, 'a1b2c3d4-0000-7000-8000-000000000001')
  const appends: Promise<void>[] = []
  for (let at = 0; at < bytes.length; at += 32_768) {
    const piece = Buffer.from(bytes.subarray(at, at + 32_768))
    appends.push(writer.append(piece))
    piece.fill(0) // a socket's buffer is used again
  }
  await Promise.all([...appends, writer.finish()])
  t.ok((await read(blobs, tenant, 'a1b2c3d4-0000-7000-8000-000000000001')).equals(bytes))
})

t.test('blob: no plain text reaches the disk, not even of a part', async t => {
  const dir = t.testdir()
  const blobs = localBlobs(dir)
  const tenant = newTenant()
  const canary = 'CANARY-4711-Jansen'
  await write(blobs, tenant, Buffer.from(`${canary}\n`.repeat(40_000)))
  const open = await blobs.create(tenant, newId())
  await open.append(Buffer.from(`${canary}\n`.repeat(40_000)))
  const files = filesIn(dir)
  t.equal(files.length, 2)
  for (const file of files) {
    const bytes = readFileSync(join(dir, file))
    t.ok(bytes.length > segment, 'something stands in it')
    t.notOk(bytes.includes(canary.slice(0, 8)), file)
    t.equal(statSync(join(dir, file)).mode & 0o077, 0, 'for the service only')
  }
  await open.abort()
})

t.test('blob: cut off, swapped, repeated, lengthened or flipped it is found, before a wrong byte is given out', async t => {
  const dir = t.testdir()
  const blobs = localBlobs(dir)
  const tenant = newTenant()
  const bytes = randomBytes(3 * segment + 100)
  const id = await write(blobs, tenant, bytes)
  const path = pathOf(dir, tenant, id)
  const good = readFileSync(path)
  const part = (n: number) => good.subarray(head + n * stored, head + (n + 1) * stored)
  const top = good.subarray(0, head)
  const flip = (at: number) => {
    const copy = Buffer.from(good)
    copy[at] = (copy[at] ?? 0) ^ 4
    return copy
  }
  const broken: Record<string, Buffer> = {
    'empty file': Buffer.alloc(0),
    'head only': top,
    'half a head': top.subarray(0, 9),
    'last segment gone': good.subarray(0, head + 3 * stored),
    'last byte gone': good.subarray(0, -1),
    'a few bytes of a segment': good.subarray(0, head + 2 * stored + 7),
    'first segment gone': Buffer.concat([top, part(1), part(2), part(3)]),
    'middle segment gone': Buffer.concat([top, part(0), part(2), part(3)]),
    'two segments swapped': Buffer.concat([top, part(1), part(0), part(2), part(3)]),
    'a segment twice': Buffer.concat([top, part(0), part(0), part(1), part(2), part(3)]),
    'last segment twice': Buffer.concat([good, part(3)]),
    'bytes behind it': Buffer.concat([good, randomBytes(40)]),
    'format flipped': flip(0),
    'salt flipped': flip(5),
    'first segment flipped': flip(head),
    'tag flipped': flip(head + stored - 1),
    'last segment flipped': flip(good.length - 20)
  }
  for (const [what, content] of Object.entries(broken)) {
    writeFileSync(path, content)
    const seen: Uint8Array[] = []
    await t.rejects(
      async () => {
        for await (const piece of blobs.read(tenant, id)) seen.push(piece)
      },
      BlobBroken,
      what
    )
    const given = Buffer.concat(seen)
    t.ok(bytes.subarray(0, given.length).equals(given), `${what}: what was given out was right`)
  }
  writeFileSync(path, good)
  t.ok((await read(blobs, tenant, id)).equals(bytes), 'put back, all is well')
})

t.test('blob: it opens for its own tenant and under its own id only', async t => {
  const dir = t.testdir()
  const blobs = localBlobs(dir)
  const [tenant, other] = [newTenant(), newTenant()]
  const [a, b] = [await write(blobs, tenant, Buffer.from('a')), await write(blobs, tenant, Buffer.from('b'))]
  writeFileSync(pathOf(dir, tenant, a), readFileSync(pathOf(dir, tenant, b)))
  await t.rejects(read(blobs, tenant, a), BlobBroken, 'the file of another id')
  await t.rejects(read(blobs, tenantKeys(tenant.tenantId, new Map([[1, newTenantKey()]]), 1), b), BlobBroken, 'another key')
  await t.rejects(read(blobs, other, b), { code: 'ENOENT' }, 'another tenant finds nothing')
})

t.test('blob: an id is written once, and a second try after an abort has a key of its own', async t => {
  const dir = t.testdir()
  const blobs = localBlobs(dir)
  const tenant = newTenant()
  const id = newId()
  const writer = await blobs.create(tenant, id)
  await t.rejects(blobs.create(tenant, id), { code: 'EEXIST' }, 'while it is being written')
  const bytes = Buffer.alloc(5 * segment, 1)
  await writer.append(bytes)
  const first = readFileSync(`${pathOf(dir, tenant, id)}.part`)
  await writer.abort()
  await writer.abort()
  await t.rejects(writer.append(bytes), /takes no more/)
  await write(blobs, tenant, bytes, segment, id)
  const second = readFileSync(pathOf(dir, tenant, id))
  t.notSame(second.subarray(head, head + segment), first.subarray(head, head + segment), 'equal bytes, another key')
  await t.rejects(blobs.create(tenant, id), /a blob is written once/)
})

t.test('blob: names that are no UUID are refused, so none leads out of the folder', async t => {
  const blobs = localBlobs(t.testdir())
  const tenant = newTenant()
  for (const id of ['', '..', '../../x', `${newId()}/..`, newId().toUpperCase(), `${newId()}\n`, `${newId()}.part`]) {
    await t.rejects(blobs.create(tenant, id), TypeError, JSON.stringify(id))
    await t.rejects(read(blobs, tenant, id), TypeError)
    await t.rejects(blobs.exists(tenant.tenantId, id), TypeError)
    await t.rejects(blobs.remove(tenant.tenantId, id), TypeError)
    if (id !== '')
      await t.rejects(
        blobs.sweep(id, async () => new Set(), new Date(0)),
        TypeError
      )
  }
})

t.test('blob: after a crash only a part is left, which nobody can read', async t => {
  const dir = t.testdir()
  const tenant = newTenant()
  const id = newId()
  const script = `
    const { localBlobs } = await import(${JSON.stringify(new URL('../../core/storage/blobs.ts', import.meta.url).href)})
    const tenant = { tenantId: '${tenant.tenantId}', blobKey: () => Buffer.alloc(32, 1) }
    const writer = await localBlobs(${JSON.stringify(dir)}).create(tenant, '${id}')
    await writer.append(Buffer.alloc(1_000_000, 'x'))
    process.kill(process.pid, 'SIGKILL')`
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  t.equal(run.signal, 'SIGKILL', run.stderr)
  t.strictSame(readdirSync(join(dir, tenant.tenantId, id.slice(-2))), [`${id}.part`])
  const blobs = localBlobs(dir)
  t.equal(await blobs.exists(tenant.tenantId, id), false)
  await t.rejects(read(blobs, tenant, id), { code: 'ENOENT' })
})

t.test('blob: remove takes it away and may be repeated', async t => {
  const blobs = localBlobs(t.testdir())
  const tenant = newTenant()
  const id = await write(blobs, tenant, Buffer.from('x'))
  t.equal(await blobs.exists(tenant.tenantId, id), true)
  await blobs.remove(tenant.tenantId, id)
  await blobs.remove(tenant.tenantId, id)
  t.equal(await blobs.exists(tenant.tenantId, id), false)
  await write(blobs, tenant, Buffer.from('y'))
})

t.test('blob: the sweep deletes what is old and has no row, parts too, and of one tenant only', async t => {
  const dir = t.testdir()
  const blobs = localBlobs(dir)
  const [tenant, other] = [newTenant(), newTenant()]
  const make = (of = tenant) => write(blobs, of, Buffer.from('x'))
  const [named, lost, young, foreign] = [await make(), await make(), await make(), await make(other)]
  const part = newId()
  await (await blobs.create(tenant, part)).append(Buffer.from('x'))
  const limit = new Date('2026-11-22T12:00:00Z')
  const old = new Date('2026-11-22T11:59:59Z')
  const later = new Date('2026-11-22T12:00:01Z')
  for (const id of [named, lost]) utimesSync(pathOf(dir, tenant, id), old, old)
  utimesSync(`${pathOf(dir, tenant, part)}.part`, old, old)
  utimesSync(pathOf(dir, tenant, young), later, later)
  utimesSync(pathOf(dir, other, foreign), old, old)
  const asked: string[] = []
  const known = async (ids: readonly string[]): Promise<ReadonlySet<string>> => {
    asked.push(...ids)
    return new Set([named])
  }
  t.equal(await blobs.sweep(tenant.tenantId, known, limit), 2)
  t.strictSame(asked.toSorted(), [named, lost].toSorted(), 'only old ones are asked for')
  t.ok(await blobs.exists(tenant.tenantId, named))
  t.ok(await blobs.exists(tenant.tenantId, young))
  t.ok(await blobs.exists(other.tenantId, foreign))
  t.notOk(await blobs.exists(tenant.tenantId, lost))
  t.notOk(existsSync(`${pathOf(dir, tenant, part)}.part`))
  t.equal(await blobs.sweep(tenant.tenantId, known, limit), 0)
  t.equal(await blobs.sweep(newId(), known, limit), 0, 'a tenant that never stored anything')
})

/** A file system of 1 MB, mounted for one process without rights on the machine. */
const small = (dir: string, script: string) =>
  spawnSync(
    'unshare',
    [
      '--user',
      '--map-root-user',
      '--mount',
      'sh',
      '-c',
      `mount -t tmpfs -o size=1m none "$0" && exec "$1" --input-type=module -e "$2"`
    ].concat([dir, process.execPath, script]),
    { encoding: 'utf8' }
  )
const canMount = small('/tmp', 'process.exit(0)').status === 0

t.test(
  'blob: a full disk is "not now", and nothing with a hole can be finished after it',
  { skip: canMount ? false : 'no mount here' },
  async t => {
    const dir = t.testdir()
    const id = newId()
    const script = `
    const { localBlobs } = await import(${JSON.stringify(new URL('../../core/storage/blobs.ts', import.meta.url).href)})
    const { rmSync, writeFileSync } = await import('node:fs')
    const dir = ${JSON.stringify(dir)}
    const tenant = { tenantId: '${newId()}', blobKey: () => Buffer.alloc(32, 1) }
    const blobs = localBlobs(dir)
    writeFileSync(dir + '/ballast', Buffer.alloc(700_000))
    const writer = await blobs.create(tenant, '${id}')
    const seen = []
    const tell = error => seen.push({ code: error.code, kind: error.kind, detail: error.detail, wait: error.retryAfterSeconds })
    await writer.append(Buffer.alloc(600_000)).catch(tell)
    rmSync(dir + '/ballast')
    await writer.append(Buffer.alloc(300_000)).catch(tell)
    await writer.finish().catch(tell)
    seen.push(await blobs.exists(tenant.tenantId, '${id}'))
    await writer.abort()
    const again = await blobs.create(tenant, '${id}')
    await again.append(Buffer.alloc(300_000))
    seen.push((await again.finish()).size)
    console.log(JSON.stringify(seen))`
    const run = small(dir, script)
    t.equal(run.status, 0, run.stderr)
    const refusal = { code: 'unavailable', kind: 'unavailable', detail: /no room to store the file/, wait: 60 }
    t.match(JSON.parse(run.stdout), [refusal, refusal, refusal, false, 300_000])
  }
)

t.test('blob: a blob cut by the file system is not served', async t => {
  const dir = t.testdir()
  const blobs = localBlobs(dir)
  const tenant = newTenant()
  const id = await write(blobs, tenant, randomBytes(2 * segment))
  truncateSync(pathOf(dir, tenant, id), head + stored)
  await t.rejects(read(blobs, tenant, id), { name: 'BlobBroken', message: `blob ${id} is cut off or was changed` })
})
