import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import type { Clock } from '../clock.ts'
import type { BareCtx, BareTxCtx } from '../context.ts'
import { Refusal } from '../errors.ts'
import { newId } from '../ids.ts'
import { journal } from '../journal/append.ts'
import { newTenantKey } from '../keys/tenant-keys.ts'
import { plainClient } from './client.ts'
import { type Control, controlCtx, inControl, tenantSeries } from './control.ts'
import { grantApp, type Migration, migrate, schemaVersion } from './migrate.ts'
import { withTx } from './tx.ts'

const grants = (): string => readFileSync(join(import.meta.dirname, '../../migrations/tenant/grants.sql'), 'utf8')
const quoted = pg.escapeIdentifier

export interface NewTenant {
  readonly id: string
  readonly code: string
  readonly database: string
}

/**
 * Makes a tenant: key, two roles, a database that only they may connect to, all migrations as its owner, then the app's rights.
 * Every step is recorded first and repeatable, so a run that was cut off is finished by running it again with the same code.
 * Names are opaque: every role of a server can read the names of all databases and roles.
 * @throws Refusal `tenant_exists`, `tenant_code_invalid`, `zone_unknown`
 */
export async function provisionTenant(
  control: Control,
  clock: Clock,
  wanted: { code: string; name: string; zone: string }
): Promise<NewTenant> {
  if (!/^[a-z0-9][a-z0-9-]{1,30}$/.test(wanted.code)) {
    throw new Refusal('invalid', 'tenant_code_invalid', `The code "${wanted.code}" must be 2 to 31 lower-case letters, digits or hyphens.`)
  }
  if (!isZone(wanted.zone)) throw new Refusal('invalid', 'zone_unknown', `"${wanted.zone}" is no IANA time zone, such as Europe/Amsterdam.`)
  const ctx = controlCtx(control, clock, 'tenant-create')
  const row = await reserve(control, ctx, wanted)
  const owner = { role: row.owner_role, password: control.root.unwrap(row.owner_password_wrapped, `owner_password/${row.id}`).toString() }
  const app = { role: row.app_role, password: control.root.unwrap(row.app_password_wrapped, `app_password/${row.id}`).toString() }
  await makeDatabase(control, row.database, owner, app)
  const version = await migrateDatabase(tenantUrl(control.url, row.database, owner), tenantSeries(), app.role)
  await withTx(ctx, async tx => {
    const changed = await inControl(tx)
      .updateTable('control.tenant')
      .set({ state: 'active', schema_version: version, changed_at: clock.iso() })
      .where('id', '=', row.id)
      .where('state', '=', 'provisioning')
      .returning('id')
      .executeTakeFirst()
    const data = { from: 'provisioning', to: 'active', schemaVersion: version }
    if (changed) await journal.append(tx, { act: 'tenant.state', subject: 'control.tenant', subjectId: row.id, data })
  })
  return { id: row.id, code: row.code, database: row.database }
}

export const tenantExists = (code: string): Refusal =>
  new Refusal('conflict', 'tenant_exists', `There is a tenant with the code "${code}" already.`)

async function reserve(control: Control, ctx: BareCtx, wanted: { code: string; name: string; zone: string }) {
  const columns = ['id', 'code', 'state', 'database', 'owner_role', 'app_role', 'owner_password_wrapped', 'app_password_wrapped'] as const
  const known = await control.kysely.selectFrom('control.tenant').select(columns).where('code', '=', wanted.code).executeTakeFirst()
  if (known && known.state !== 'provisioning') {
    throw tenantExists(wanted.code)
  }
  if (known) return known
  const id = newId()
  const opaque = `t_${randomBytes(8).toString('hex')}`
  return withTx(ctx, async tx => {
    const made = await inControl(tx)
      .insertInto('control.tenant')
      .values({
        id,
        code: wanted.code,
        name: wanted.name,
        zone: wanted.zone,
        state: 'provisioning',
        server: 'main',
        database: opaque,
        owner_role: `${opaque}_owner`,
        app_role: `${opaque}_app`,
        owner_password_wrapped: control.root.wrap(password(), `owner_password/${id}`),
        app_password_wrapped: control.root.wrap(password(), `app_password/${id}`),
        created_at: ctx.clock.iso(),
        changed_at: ctx.clock.iso()
      })
      .returning(columns)
      .executeTakeFirstOrThrow()
    await inControl(tx)
      .insertInto('control.tenant_key')
      .values({ tenant_id: id, version: 1, wrapped: control.root.wrap(newTenantKey(), `tenant_key/${id}/1`) })
      .execute()
    const data = { code: wanted.code, zone: wanted.zone, keyVersion: 1 }
    await journal.append(tx, { act: 'tenant.create', subject: 'control.tenant', subjectId: id, data })
    return made
  })
}

const password = (): Buffer => Buffer.from(randomBytes(24).toString('base64url'))

interface Login {
  readonly role: string
  readonly password: string
}

async function makeDatabase(control: Control, database: string, owner: Login, app: Login): Promise<void> {
  const client = plainClient(control.url, 'werkvloer provision')
  await client.connect()
  try {
    // Nothing of this counts before control says so, on the same server and so on the disk behind it: one wait instead of a dozen.
    await client.query('set synchronous_commit to off')
    await role(client, owner, 'connection limit 4')
    await role(client, app, 'connection limit 40')
    // From 16 on CREATEROLE gives ADMIN only; before, a member may not exist with these options.
    const { rows } = await client.query<{ v: number }>(`select current_setting('server_version_num')::int as v`)
    const withSet = (rows[0]?.v ?? 0) >= 160_000 ? ' with inherit true, set true' : ''
    await client.query(`grant ${quoted(owner.role)} to current_user${withSet}`)
    const there = await client.query('select 1 from pg_database where datname = $1', [database])
    if (there.rowCount === 0) await client.query(`create database ${quoted(database)} owner ${quoted(owner.role)} template template0`)
    await client.query(`revoke all on database ${quoted(database)} from public`)
    await client.query(`grant connect, temporary on database ${quoted(database)} to ${quoted(app.role)}`)
    const settings = {
      statement_timeout: '15s',
      lock_timeout: '5s',
      idle_in_transaction_session_timeout: '30s',
      search_path: 'pg_catalog, pg_temp'
    }
    for (const [name, value] of Object.entries(settings)) {
      const literal = name === 'search_path' ? value : pg.escapeLiteral(value)
      await client.query(`alter role ${quoted(app.role)} in database ${quoted(database)} set ${name} = ${literal}`)
    }
  } finally {
    await client.end()
  }
}

async function role(client: pg.Client, login: Login, options: string): Promise<void> {
  const there = await client.query('select 1 from pg_roles where rolname = $1', [login.role])
  const verb = there.rowCount === 0 ? 'create' : 'alter'
  await client.query(`${verb} role ${quoted(login.role)} login ${options} password ${pg.escapeLiteral(login.password)}`)
}

/** Migrates one tenant database as its owner and gives the app its rights. @returns the schema version */
export async function migrateDatabase(ownerUrl: string, series: readonly Migration[], appRole: string): Promise<number> {
  const client = plainClient(ownerUrl, 'werkvloer migrate')
  await client.connect()
  try {
    if ((await schemaVersion(client)) === 0) await client.query('revoke all on schema public from public')
    // What is lost in a power cut is done again: the ledger is lost with it. The rights, given last, are waited for, and all before them.
    await client.query('set synchronous_commit to off')
    const report = await migrate(client, series)
    await client.query('reset synchronous_commit')
    await grantApp(client, grants(), appRole)
    return report.version
  } finally {
    await client.end()
  }
}

/** The control URL with another database and role: tenants are placed on the same server for now. */
export function tenantUrl(controlUrl: string, database: string, login: Login): string {
  const url = new URL(controlUrl)
  url.pathname = `/${database}`
  url.username = encodeURIComponent(login.role)
  url.password = encodeURIComponent(login.password)
  return url.toString()
}

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

export interface FleetReport {
  readonly migrated: readonly { code: string; from: number; to: number }[]
  readonly upToDate: number
  readonly failed: readonly { code: string; error: string }[]
}

/**
 * Migrates all tenants, four at a time, and says what happened to each. The first failure stops the start of further ones: a
 * surprise in one is likely a surprise in all. Running it again goes on where it stopped.
 */
export async function migrateFleet(control: Control, clock: Clock, series: readonly Migration[] = tenantSeries()): Promise<FleetReport> {
  const ctx = controlCtx(control, clock, 'migrate')
  const rows = await control.kysely
    .selectFrom('control.tenant')
    .select(['id', 'code', 'database', 'owner_role', 'app_role', 'owner_password_wrapped', 'schema_version'])
    .where('state', '<>', 'provisioning')
    .orderBy('code')
    .execute()
  const migrated: { code: string; from: number; to: number }[] = []
  const failed: { code: string; error: string }[] = []
  let upToDate = 0
  const queue = [...rows]
  const one = async (): Promise<void> => {
    for (let row = queue.shift(); row && failed.length === 0; row = queue.shift()) {
      try {
        const owner = {
          role: row.owner_role,
          password: control.root.unwrap(row.owner_password_wrapped, `owner_password/${row.id}`).toString()
        }
        const to = await migrateDatabase(tenantUrl(control.url, row.database, owner), series, row.app_role)
        await withTx(ctx, tx => recordVersion(tx, row, to))
        if (to === row.schema_version) upToDate++
        else migrated.push({ code: row.code, from: row.schema_version, to })
      } catch (error) {
        failed.push({ code: row.code, error: chain(error) })
      }
    }
  }
  await Promise.all([one(), one(), one(), one()])
  await withTx(ctx, tx => recordRun(tx, { version: series.length, migrated: migrated.length, upToDate, failed: failed.map(f => f.code) }))
  return { migrated, upToDate, failed }
}

async function recordVersion(tx: BareTxCtx, row: { id: string; schema_version: number }, to: number): Promise<void> {
  await inControl(tx)
    .updateTable('control.tenant')
    .set({ schema_version: to, changed_at: tx.clock.iso() })
    .where('id', '=', row.id)
    .execute()
  if (to === row.schema_version) return
  const data = { from: row.schema_version, to }
  await journal.append(tx, { act: 'tenant.migrate', subject: 'control.tenant', subjectId: row.id, data })
}

/** Of what failed only the codes: the database's sentence may hold a value of a row. */
async function recordRun(
  tx: BareTxCtx,
  data: { version: number; migrated: number; upToDate: number; failed: readonly string[] }
): Promise<void> {
  const { id } = await inControl(tx).selectFrom('control.installation').select('id').executeTakeFirstOrThrow()
  await journal.append(tx, { act: 'fleet.migrate', subject: 'control.installation', subjectId: id, data })
}

const chain = (error: unknown): string =>
  error instanceof Error ? error.message + (error.cause === undefined ? '' : `: ${chain(error.cause)}`) : String(error)
