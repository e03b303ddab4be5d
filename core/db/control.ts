import { join } from 'node:path'
import { type Kysely, sql } from 'kysely'
import pg from 'pg'
import type { Clock } from '../clock.ts'
import type { BareCtx, BareTxCtx } from '../context.ts'
import { newId } from '../ids.ts'
import { journal } from '../journal/append.ts'
import type { RootKey } from '../keys/root-key.ts'
import { newSigningKey } from '../keys/signing-keys.ts'
import { type Log, silentLog } from '../log.ts'
import { plainClient } from './client.ts'
import { type Migration, type MigrationReport, migrate, readSeries } from './migrate.ts'
import { openPool } from './pool.ts'
import type { Pulse } from './pulse.ts'
import type { ControlTables } from './tables.ts'
import type { DirectoryKind } from './tenants-face.ts'
import { type Db, view, withTx } from './tx.ts'

/** The control database, opened with the provisioner's role. */
export interface Control {
  readonly db: Db
  readonly kysely: Kysely<ControlTables>
  readonly url: string
  readonly root: RootKey
  end(): Promise<void>
}

/** The tables of control in a transaction: `inControl(tx).updateTable('control.tenant')`. */
export const inControl = view<ControlTables>()

/** A context for acts on control: its database, and which command or duty acts. What is done with it goes into control's journal. */
export const controlCtx = (control: Pick<Control, 'db'>, clock: Clock, actor: string): BareCtx => ({
  db: control.db,
  clock,
  principal: { kind: 'system', id: actor },
  requestId: newId()
})

const here = import.meta.dirname
export const controlSeries = (): readonly Migration[] => readSeries(join(here, '../../migrations/control'))
export const tenantSeries = (): readonly Migration[] => readSeries(join(here, '../../migrations/tenant'))

/** Opens the control database. It must have been prepared by `prepareControl` (command `migrate`). */
export function openControl(options: { url: string; root: RootKey; max: number; log: Log; pulse?: Pulse }): Control {
  const { url, max, log, pulse } = options
  const db = openPool({ connectionString: url, max, idleSeconds: 30, name: 'werkvloer control', log, pulse })
  return { db, kysely: db.kysely as unknown as Kysely<ControlTables>, url: options.url, root: options.root, end: () => db.end() }
}

/**
 * Migrates control and makes what an installation has exactly once: its id, the SFTP host key, the signing key. Run again it
 * checks that the root key is the one this installation was made with, and never makes a lost key anew.
 * @throws Error naming what does not fit
 */
export async function prepareControl(
  url: string,
  root: RootKey,
  clock: Clock,
  sftpHostKey: () => { publicLine: string; privatePem: string }
): Promise<void> {
  const migrated = await migrateControl(url)
  const control = openControl({ url, root, max: 1, log: silentLog })
  try {
    await withTx(controlCtx(control, clock, 'migrate'), async tx => {
      await tx.tx.client.query('lock table control.installation')
      const installed = await inControl(tx).selectFrom('control.installation').select(['id', 'root_key_id']).executeTakeFirst()
      if (installed && installed.root_key_id !== root.id) {
        throw new Error(
          `the root key does not belong to this installation (it was made with key ${installed.root_key_id}, given is ${root.id}): set WERKVLOER_ROOT_KEY to the original`
        )
      }
      const id = installed?.id ?? (await install(tx, url, root, sftpHostKey()))
      if (migrated.applied.length > 0) {
        const data = { version: migrated.version, applied: migrated.applied.map(({ name }) => name) }
        await journal.append(tx, { act: 'control.migrate', subject: 'control.installation', subjectId: id, data })
      }
    })
  } finally {
    await control.end()
  }
}

async function migrateControl(url: string): Promise<MigrationReport> {
  const client = plainClient(url, 'werkvloer migrate')
  await client.connect()
  try {
    return await migrate(client, controlSeries())
  } finally {
    await client.end()
  }
}

/** @returns the id of the new installation */
async function install(tx: BareTxCtx, url: string, root: RootKey, host: { publicLine: string; privatePem: string }): Promise<string> {
  const own = inControl(tx)
  const id = newId()
  const algorithm = 'ssh-ed25519'
  const signing = newSigningKey()
  const address = new URL(url)
  await own.insertInto('control.installation').values({ id, root_key_id: root.id }).execute()
  await own
    .insertInto('control.sftp_host_key')
    .values({
      algorithm,
      public_line: host.publicLine,
      private_wrapped: root.wrap(Buffer.from(host.privatePem), `sftp_host_key/${algorithm}`)
    })
    .execute()
  await own
    .insertInto('control.signing_key')
    .values({
      kid: signing.kid,
      realm: 'tenant',
      public_pem: signing.publicPem,
      private_wrapped: root.wrap(Buffer.from(signing.privatePem), `signing_key/${signing.kid}`),
      created_at: tx.clock.iso()
    })
    .execute()
  await own
    .insertInto('control.server')
    .values({ name: 'main', host: address.searchParams.get('host') ?? address.hostname, port: Number(address.port || 5432) })
    .execute()
  await revokePublic(tx.tx.client)
  const data = { rootKey: root.id }
  await journal.append(tx, { act: 'installation.create', subject: 'control.installation', subjectId: id, data })
  await journal.append(tx, {
    act: 'sftp_host_key.set',
    subject: 'control.sftp_host_key',
    subjectId: algorithm,
    data: { publicLine: host.publicLine }
  })
  await journal.append(tx, { act: 'signing_key.create', subject: 'control.signing_key', subjectId: signing.kid, data: { realm: 'tenant' } })
  return id
}

/** PostgreSQL lets every role connect to every database until this is said (measured on 15 to 18). */
async function revokePublic(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ name: string }>('select current_database() as name')
  const name = rows[0]?.name
  if (name) await client.query(`revoke all on database ${pg.escapeIdentifier(name)} from public`)
}

export interface SftpHostKey {
  readonly publicLine: string
  readonly privatePem: string
}

/** The SFTP host key of this installation; its absence is an error, never a reason to make one. */
export async function sftpHostKeyOf(control: Control): Promise<SftpHostKey> {
  const row = await control.kysely
    .selectFrom('control.sftp_host_key')
    .select(['algorithm', 'public_line', 'private_wrapped'])
    .executeTakeFirst()
  if (!row) throw new Error('the SFTP host key is missing from the control database: restore it from the backup, it is never made anew')
  const set = await sql<{ line: string | null }>`select data ->> 'publicLine' as line from journal.entry
    where act = 'sftp_host_key.set' and subject_id = ${row.algorithm} order by at desc, id desc limit 1`.execute(control.kysely)
  const line = set.rows[0]?.line
  if (line !== undefined && line !== row.public_line)
    throw new Error('the SFTP host key is another one than the journal knows: somebody replaced it; restore it from the backup')
  return {
    publicLine: row.public_line,
    privatePem: control.root.unwrap(row.private_wrapped, `sftp_host_key/${row.algorithm}`).toString()
  }
}

export interface SigningKey {
  readonly kid: string
  readonly publicPem: string
  readonly privatePem: string
}

/** Keys that verify tenant access tokens, newest first; the first one signs. */
export async function signingKeysOf(control: Control): Promise<readonly SigningKey[]> {
  const rows = await control.kysely
    .selectFrom('control.signing_key')
    .select(['kid', 'public_pem', 'private_wrapped'])
    .where('realm', '=', 'tenant')
    .where('retired_at', 'is', null)
    .orderBy('created_at', 'desc')
    .execute()
  return rows.map(row => ({
    kid: row.kid,
    publicPem: row.public_pem,
    privatePem: control.root.unwrap(row.private_wrapped, `signing_key/${row.kid}`).toString()
  }))
}

/** See `Directory`. */
export function directoryOf(control: Control) {
  return {
    async add(entry: { kind: DirectoryKind; lookup: string; tenantId: string; connectionId?: string }): Promise<boolean> {
      const row = await control.kysely
        .insertInto('control.credential')
        .values({ kind: entry.kind, lookup: entry.lookup, tenant_id: entry.tenantId, connection_id: entry.connectionId ?? null })
        .onConflict(c => c.columns(['kind', 'lookup']).doNothing())
        .returning('lookup')
        .executeTakeFirst()
      return row !== undefined
    },
    async find(kind: DirectoryKind, lookup: string) {
      const row = await control.kysely
        .selectFrom('control.credential')
        .select(['tenant_id', 'connection_id'])
        .where('kind', '=', kind)
        .where('lookup', '=', lookup)
        .executeTakeFirst()
      return row && { tenantId: row.tenant_id, connectionId: row.connection_id }
    },
    async remove(kind: DirectoryKind, lookup: string): Promise<void> {
      await control.kysely.deleteFrom('control.credential').where('kind', '=', kind).where('lookup', '=', lookup).execute()
    }
  }
}
