import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { newId } from '../../core/ids.ts'
import { newTenantKey, tenantKeys } from '../../core/keys/tenant-keys.ts'
import { createLog } from '../../core/log.ts'
import { localBlobs } from '../../core/storage/blobs.ts'
import { watchRoom } from '../../core/storage/room.ts'

// Not one of tap's folders, which it empties while the volume is still there.
const dir = mkdtempSync(join(tmpdir(), 'wv-room-'))
const mounted = process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', dir]).status === 0
t.teardown(() => {
  if (mounted) spawnSync('umount', ['-l', dir])
  rmSync(dir, { recursive: true, force: true })
})

t.test(
  'storage: a full disk refuses, raises the alarm, leaves nothing behind, and is forgotten when there is room',
  {
    skip: !mounted && 'a small volume cannot be mounted here'
  },
  async t => {
    const logged: string[] = []
    const log = createLog({ logLevel: 'info' }, { write: line => void logged.push(line) })
    const blobs = watchRoom(localBlobs(dir), { directory: dir, log })
    const tenant = tenantKeys(newId(), new Map([[1, newTenantKey()]]), 1)
    // As an upload ends whose writes were refused: closed all the same, and thrown away by nobody else.
    const store = async (size: number) => {
      const writer = await blobs.create(tenant, newId())
      for (let at = 0; at < size; at += 32_768) await writer.append(randomBytes(Math.min(32_768, size - at))).catch(() => undefined)
      return writer.finish()
    }
    await store(100_000)
    t.equal(blobs.room.full, false)
    writeFileSync(join(dir, 'ballast'), randomBytes(1_500_000))
    const before = await blobs.room.free()
    const refusal = { kind: 'unavailable', code: 'unavailable', retryAfterSeconds: 60 }
    // One that does not fit while it comes, and one that does not fit at its end.
    await t.rejects(store(3_000_000), refusal)
    for (let n = 0; n < 3; n++) await t.rejects(store(1_000_000), refusal)
    t.equal(blobs.room.full, true)
    t.equal(logged.filter(line => line.includes('there is no room for files')).length, 1, 'said once, not for each')
    t.match(logged.join(''), /"level":"error".*ENOSPC/)
    t.same(globSync('**/*.part', { cwd: dir }), [], 'nothing of them takes up room')
    t.equal(await blobs.room.free(), before)

    rmSync(join(dir, 'ballast'))
    await store(1_000_000)
    t.equal(blobs.room.full, false)
    t.match(logged.at(-1), /there is room for files again/)
  }
)
