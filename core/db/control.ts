import { join } from 'node:path'
import type { Kysely } from 'kysely'
import pg from 'pg'
import type { Clock } from '../clock.ts'
import { newId } from '../ids.ts'
import type { RootKey } from '../keys/root-key.ts'
import { newSigningKey } from '../keys/signing-keys.ts'
import type { Log } from '../log.ts'
import { type Migration, migrate, readSeries } from './migrate.ts'
import { openPool } from './pool.ts'
import type { ControlTables } from './tables.ts'
import type { DirectoryKind } from './tenants-face.ts'
import type { Db } from './tx.ts'

/** The control database, opened with the provisioner's role. */
export interface Control {
  readonly db: Db
  readonly kysely: Kysely<ControlTables>
  readonly url: string
  readonly root: RootKey
  end(): Promise<void>
}

const here = import.meta.dirname
export const controlSeries = (): readonly Migration[] => readSeries(join(here, '../../migrations/control'))
export const tenantSeries = (): readonly Migration[] => readSeries(join(here, '../../migrations/tenant'))

/** Opens the control database. It must have been prepared by `prepareControl` (command `migrate`). */
export function openControl(options: { url: string; root: RootKey; max: number; log: Log }): Control {
  const db = openPool({ connectionString: options.url, max: options.max, idleSeconds: 30, name: 'werkvloer control', log: options.log })
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
  const client = new pg.Client({ connectionString: url, application_name: 'werkvloer migrate' })
  await client.connect()
  try {
    await migrate(client, controlSeries())
    await client.query('begin')
    await client.query('lock table control.installation')
    const { rows } = await client.query<{ root_key_id: string }>('select root_key_id from control.installation')
    const installed = rows[0]
    if (!installed) {
      const host = sftpHostKey()
      const signing = newSigningKey()
      await client.query('insert into control.installation (id, root_key_id) values ($1, $2)', [newId(), root.id])
      await client.query('insert into control.sftp_host_key (algorithm, public_line, private_wrapped) values ($1, $2, $3)', [
        'ssh-ed25519',
        host.publicLine,
        root.wrap(Buffer.from(host.privatePem), 'sftp_host_key/ssh-ed25519')
      ])
      await client.query(
        'insert into control.signing_key (kid, realm, public_pem, private_wrapped, created_at) values ($1, $2, $3, $4, $5)',
        [signing.kid, 'tenant', signing.publicPem, root.wrap(Buffer.from(signing.privatePem), `signing_key/${signing.kid}`), clock.iso()]
      )
      const address = new URL(url)
      await client.query('insert into control.server (name, host, port) values ($1, $2, $3)', [
        'main',
        address.searchParams.get('host') ?? address.hostname,
        Number(address.port || 5432)
      ])
      await revokePublic(client)
    } else if (installed.root_key_id !== root.id) {
      throw new Error(
        `the root key does not belong to this installation (it was made with key ${installed.root_key_id}, given is ${root.id}): set WERKVLOER_ROOT_KEY to the original`
      )
    }
    await client.query('commit')
  } finally {
    await client.end()
  }
}

/** PostgreSQL lets every role connect to every database until this is said (measured on 15 to 18). */
async function revokePublic(client: pg.Client): Promise<void> {
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
