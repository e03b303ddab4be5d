import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { sftpHostKeyOf } from '../../core/db/control.ts'
import { demoBeside } from '../../demo/index.ts'
import { demoPassword } from '../../demo/setup.ts'
import { openTestHouse, type TestHouse } from './house.ts'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

export interface Factory {
  readonly at: TestHouse
  /** As `signIn` of a console wants it. */
  person(username: string): { customer: string; username: string; password: string }
}

/** The real house with the demo factory in it: people, stock, 24 orders of which some rows are wrong, and an ERP that collects feedback. */
export async function openFactory(t: Teardown, { clock, customer }: { clock?: Clock; customer?: string } = {}): Promise<Factory> {
  const at = await openTestHouse(t, { sftp: true, worker: true, ...(clock ? { clock } : {}), ...(customer ? { customer } : {}) })
  const dataDir = mkdtempSync(join(tmpdir(), 'wv-factory-'))
  t.teardown(async () => rmSync(dataDir, { recursive: true, force: true }))
  const { publicLine } = await sftpHostKeyOf(at.house.control)
  const place = {
    baseUrl: at.baseUrl,
    sftp: { host: '127.0.0.1', port: at.sftp?.port ?? 0, hostKeyLine: publicLine },
    dataDir,
    customer: at.tenant.code,
    inviteToken: at.tenant.inviteToken,
    say: () => {}
  }
  const demo = await demoBeside(place, clock)
  t.teardown(() => demo.stop())
  return { at, person: username => ({ customer: at.tenant.code, username, password: demoPassword }) }
}
