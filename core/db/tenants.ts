import type { Clock } from '../clock.ts'
import { type Ctx, type Tenant, wholeScope } from '../context.ts'
import { refuse } from '../errors.ts'
import { newId } from '../ids.ts'
import { tenantKeys } from '../keys/tenant-keys.ts'
import type { Log } from '../log.ts'
import { type Control, tenantSeries } from './control.ts'
import { type OwnedDb, openPool } from './pool.ts'
import { tenantUrl } from './provision.ts'
import type { Pulse } from './pulse.ts'
import type { TenantEntry, Tenants } from './tenants-face.ts'
import { attachDueBoard, type DueBoard } from './tx.ts'

export interface TenantsOptions {
  readonly perTenant: number
  readonly total: number
  readonly idleSeconds: number
}

interface Open {
  readonly tenant: Tenant
  readonly db: OwnedDb
  usedAt: number
  readonly checkedAt: number
}

/** Seconds after which a tenant's state and schema version are read again from control. */
const recheckSeconds = 10

/**
 * The registry: opens a tenant's pool when it is first needed, keeps at most `total` connections over all tenants and closes the
 * pools that nobody used for longest. When even that does not help it refuses with 503 and Retry-After.
 */
export function tenantRegistry(
  options: TenantsOptions & { control: Control; clock: Clock; log: Log; board: DueBoard; pulse?: Pulse }
): Tenants & {
  end(): Promise<void>
  /** Closes a tenant's pool, so that its next use reads everything anew (after a migration, at the end of a contract). */
  drop(tenantId: string): Promise<void>
} {
  const { control, clock, log } = options
  const open = new Map<string, Open>()
  const opening = new Map<string, Promise<Open>>()
  const known = tenantSeries().length
  const seconds = (): number => clock.now().getTime() / 1000

  async function load(tenantId: string): Promise<Open> {
    const row = await control.kysely
      .selectFrom('control.tenant')
      .select(['id', 'code', 'zone', 'state', 'database', 'app_role', 'app_password_wrapped', 'schema_version'])
      .where('id', '=', tenantId)
      .executeTakeFirst()
    if (row?.state !== 'active') throw refuse('tenant_unavailable', 'This environment is not available.', { context: { tenantId } })
    if (row.schema_version !== known) {
      throw refuse('tenant_unavailable', 'This environment is being upgraded. Repeat in a few minutes.', {
        retryAfterSeconds: 60,
        context: { tenantId, schemaVersion: row.schema_version, known }
      })
    }
    const current = open.get(tenantId)
    if (current) {
      const fresh = { ...current, checkedAt: seconds(), usedAt: seconds() }
      open.set(tenantId, fresh)
      return fresh
    }
    const keys = await control.kysely
      .selectFrom('control.tenant_key')
      .select(['version', 'wrapped'])
      .where('tenant_id', '=', tenantId)
      .execute()
    const versions = new Map(keys.map(key => [key.version, control.root.unwrap(key.wrapped, `tenant_key/${tenantId}/${key.version}`)]))
    const newest = Math.max(...versions.keys())
    const db = openPool({
      connectionString: tenantUrl(control.url, row.database, {
        role: row.app_role,
        password: control.root.unwrap(row.app_password_wrapped, `app_password/${tenantId}`).toString()
      }),
      max: options.perTenant,
      idleSeconds: options.idleSeconds,
      name: 'werkvloer',
      log,
      pulse: options.pulse,
      // A context may be held for minutes while its connections come and go, so the cap is kept here and not where it is made.
      room: makeRoom
    })
    attachDueBoard(db, tenantId, options.board)
    const made: Open = {
      tenant: { id: row.id, code: row.code, zone: row.zone, keys: tenantKeys(row.id, versions, newest) },
      db,
      usedAt: seconds(),
      checkedAt: seconds()
    }
    open.set(tenantId, made)
    return made
  }

  /** Lets the longest unused connections go until the house is under its cap again; refuses where all are in use. */
  function makeRoom(): void {
    const count = (): number => [...open.values()].reduce((n, o) => n + o.db.connections, 0)
    if (count() < options.total) return
    const byAge = [...open.values()].sort((a, b) => a.usedAt - b.usedAt)
    for (const candidate of byAge) if (candidate.db.recycle() && count() < options.total) return
    if (count() >= options.total) {
      throw refuse('unavailable', 'All database connections are in use. Repeat in a moment.', { retryAfterSeconds: 2 })
    }
  }

  async function get(tenantId: string): Promise<Open> {
    const there = open.get(tenantId)
    if (there && seconds() - there.checkedAt < recheckSeconds) {
      there.usedAt = seconds()
      return there
    }
    const already = opening.get(tenantId)
    if (already) return already
    const loading = load(tenantId).finally(() => opening.delete(tenantId))
    opening.set(tenantId, loading)
    return loading
  }

  return {
    async open(tenantId) {
      const { tenant, db } = await get(tenantId)
      if (db.waiting > options.perTenant * 25) {
        throw refuse('unavailable', 'This environment has too many requests waiting. Repeat in a moment.', { retryAfterSeconds: 1 })
      }
      return { tenant, db }
    },
    async byCode(code) {
      const row = await control.kysely.selectFrom('control.tenant').select(entryColumns).where('code', '=', code).executeTakeFirst()
      return row && entry(row)
    },
    async list() {
      return (await control.kysely.selectFrom('control.tenant').select(entryColumns).orderBy('code').execute()).map(entry)
    },
    async system(tenantId, actor): Promise<Ctx> {
      const { tenant, db } = await get(tenantId)
      return {
        tenant,
        db,
        principal: { kind: 'system', id: actor },
        grant: { permissions: new Set(), scope: wholeScope },
        log: log.child({ tenant: tenant.code }),
        clock,
        requestId: newId()
      }
    },
    async drop(tenantId) {
      const there = open.get(tenantId)
      open.delete(tenantId)
      await there?.db.end()
    },
    async end() {
      const all = [...open.values()]
      open.clear()
      await Promise.all(all.map(o => o.db.end()))
    }
  }
}

const entryColumns = ['id', 'code', 'zone', 'state', 'schema_version'] as const
const entry = (row: {
  id: string
  code: string
  zone: string
  state: 'provisioning' | 'active' | 'suspended'
  schema_version: number
}): TenantEntry => ({ id: row.id, code: row.code, zone: row.zone, state: row.state, schemaVersion: row.schema_version })
