import { randomBytes } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import { systemClock } from '../../core/clock.ts'
import type { Ctx } from '../../core/context.ts'
import { type Control, openControl, prepareControl } from '../../core/db/control.ts'
import { provisionTenant } from '../../core/db/provision.ts'
import { tenantRegistry } from '../../core/db/tenants.ts'
import { newSftpHostKey } from '../../core/exchange/host-key.ts'
import { loadRootKey } from '../../core/keys/root-key.ts'
import { silentLog } from '../../core/log.ts'
import { type DueDesk, dueDesk } from '../../core/tasks/due.ts'
import { freshDatabase, provisionerUrl, serverUrl, urlFor, withConnection } from './database.ts'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

export interface Ground {
  readonly control: Control
  readonly tenants: ReturnType<typeof tenantRegistry>
  readonly desk: DueDesk
  readonly url: string
  /** The root key as a setting says it, for commands run as processes of their own. */
  readonly rootKey: string
  /** Provisions a tenant as an installation does and gives a system context of it. */
  tenant(code: string): Promise<Ctx>
}

/** Control database and tenants without modules, web or workers: for tests of core itself. */
export async function ground(t: Teardown, options: { clock?: Clock; perTenant?: number; total?: number } = {}): Promise<Ground> {
  const clock = options.clock ?? systemClock
  const database = await freshDatabase(t, { owner: 'werkvloer' })
  const url = urlFor(provisionerUrl(), database.name)
  const rootKey = randomBytes(32).toString('base64')
  const root = loadRootKey({ text: rootKey })
  await prepareControl(url, root, clock, newSftpHostKey)
  const control = openControl({ url, root, max: 4, log: silentLog })
  const desk = dueDesk(control, clock)
  const tenants = tenantRegistry({
    control,
    clock,
    log: silentLog,
    board: desk,
    perTenant: options.perTenant ?? 4,
    total: options.total ?? 40,
    idleSeconds: 5
  })
  const made: string[] = []
  t.teardown(async () => {
    await tenants.end()
    for (const id of made) await drop(control, id)
    await control.end()
  })
  return {
    control,
    tenants,
    desk,
    url,
    rootKey,
    async tenant(code) {
      const { id } = await provisionTenant(control, clock, { code, name: code, zone: 'Europe/Amsterdam' })
      made.push(id)
      return tenants.system(id, 'test')
    }
  }
}

/** Takes a test tenant's database and roles away again. */
export async function drop(control: Control, id: string): Promise<void> {
  const row = await control.kysely
    .selectFrom('control.tenant')
    .select(['database', 'owner_role', 'app_role'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) return
  const { pool } = control.db
  // As superuser: an autovacuum worker that happens to be in it may not be ended by anybody else.
  await withConnection(serverUrl(), client => client.query(`drop database if exists "${row.database}" with (force)`))
  await pool.query(`drop role if exists "${row.app_role}"`)
  await pool.query(`drop role if exists "${row.owner_role}"`)
}
