import { type Generated, sql } from 'kysely'
import type { CodeTables, ExportKind, ImportKind, MappingSet } from '../../adapters/contract/index.ts'
import type { Ctx, TxCtx } from '../context.ts'
import { view } from '../db/tx.ts'
import type { Settings } from './settings.ts'

export type ConnectionState = 'draft' | 'active' | 'paused'

export interface ConnectionRow {
  id: string
  name: string
  adapter: string
  adapter_version: string
  config: Settings
  secrets_sealed: Buffer | null
  config_version: number
  time_zone: string
  locale: string
  state: ConnectionState
  paused_code: string | null
  paused_reason: string | null
  version: Generated<number>
  last_in_at: string | null
  last_out_at: string | null
  created_at: Generated<string>
  changed_at: Generated<string>
}

export interface MappingRow {
  connection_id: string
  version: number
  mapping: MappingSet
  code_tables: CodeTables
  created_by: string
  created_at: Generated<string>
}

export interface ConnectionTables {
  'exchange.connection': ConnectionRow
  'exchange.mapping': MappingRow
  'exchange.kind_owner': {
    direction: 'in' | 'out'
    kind: string
    connection_id: string
    created_at: Generated<string>
    changed_at: Generated<string>
  }
  'exchange.access': { id: string; connection_id: string; kind: string; revoked_at: string | null }
  'exchange.reject': { connection_id: string; state: string }
  'exchange.delivery': { connection_id: string; state: string }
}
const own = view<ConnectionTables>()

const columns = [
  'id',
  'name',
  'adapter',
  'adapter_version',
  'config',
  'secrets_sealed',
  'config_version',
  'time_zone',
  'locale',
  'state',
  'paused_code',
  'paused_reason',
  'version',
  'last_in_at',
  'last_out_at',
  'created_at',
  'changed_at'
] as const satisfies readonly (keyof ConnectionRow)[]

/** A connection as read. */
export type Connection = { readonly [K in (typeof columns)[number]]: ConnectionRow[K] extends Generated<infer T> ? T : ConnectionRow[K] }

const json = (value: unknown) => sql<never>`${JSON.stringify(value)}::jsonb`

export async function insertConnection(
  tx: TxCtx,
  row: Pick<
    Connection,
    'id' | 'name' | 'adapter' | 'adapter_version' | 'config' | 'secrets_sealed' | 'config_version' | 'time_zone' | 'locale'
  >
): Promise<void> {
  const at = tx.clock.iso()
  await own(tx)
    .insertInto('exchange.connection')
    .values({
      ...row,
      config: json(row.config),
      state: 'draft',
      paused_code: null,
      paused_reason: null,
      last_in_at: null,
      last_out_at: null,
      created_at: at,
      changed_at: at
    })
    .execute()
}

export async function findConnection(c: Ctx | TxCtx, id: string): Promise<Connection | undefined> {
  return (await own(c).selectFrom('exchange.connection').select(columns).where('id', '=', id).executeTakeFirst()) as Connection | undefined
}

export async function lockConnectionRow(tx: TxCtx, id: string): Promise<Connection | undefined> {
  return (await own(tx).selectFrom('exchange.connection').select(columns).where('id', '=', id).forNoKeyUpdate().executeTakeFirst()) as
    | Connection
    | undefined
}

/** By name; a customer has a handful. */
export async function listConnectionRows(c: Ctx | TxCtx): Promise<readonly Connection[]> {
  return (await own(c).selectFrom('exchange.connection').select(columns).orderBy('name').limit(500).execute()) as Connection[]
}

export async function updateConnectionRow(
  tx: TxCtx,
  id: string,
  set: Partial<
    Pick<
      Connection,
      | 'name'
      | 'config'
      | 'secrets_sealed'
      | 'config_version'
      | 'adapter_version'
      | 'time_zone'
      | 'locale'
      | 'state'
      | 'paused_code'
      | 'paused_reason'
    >
  >
): Promise<void> {
  const { config, ...rest } = set
  await own(tx)
    .updateTable('exchange.connection')
    .set({
      ...rest,
      ...(config === undefined ? {} : { config: json(config) }),
      version: sql<number>`version + 1`,
      changed_at: tx.clock.iso()
    })
    .where('id', '=', id)
    .execute()
}

export async function insertMapping(
  tx: TxCtx,
  row: { connectionId: string; version: number; mapping: MappingSet; codeTables: CodeTables }
): Promise<void> {
  await own(tx)
    .insertInto('exchange.mapping')
    .values({
      connection_id: row.connectionId,
      version: row.version,
      mapping: json(row.mapping),
      code_tables: json(row.codeTables),
      created_by: `${tx.principal.kind}:${tx.principal.id}`,
      created_at: tx.clock.iso()
    })
    .execute()
}

export interface MappingVersion {
  readonly version: number
  readonly mapping: MappingSet
  readonly codeTables: CodeTables
  readonly createdBy: string
  readonly createdAt: string
}

/** The newest mapping, or the one of a version. */
export async function findMapping(c: Ctx | TxCtx, connectionId: string, version?: number): Promise<MappingVersion | undefined> {
  const row = await own(c)
    .selectFrom('exchange.mapping')
    .select(['version', 'mapping', 'code_tables', 'created_by', 'created_at'])
    .where('connection_id', '=', connectionId)
    .where(sql<boolean>`(${version ?? null}::int is null or version = ${version ?? null}::int)`)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst()
  return (
    row && { version: row.version, mapping: row.mapping, codeTables: row.code_tables, createdBy: row.created_by, createdAt: row.created_at }
  )
}

export interface KindOwner {
  readonly direction: 'in' | 'out'
  readonly kind: ImportKind | ExportKind
  readonly connectionId: string
}

export async function kindOwners(c: Ctx | TxCtx): Promise<readonly KindOwner[]> {
  const rows = await own(c).selectFrom('exchange.kind_owner').select(['direction', 'kind', 'connection_id']).execute()
  return rows.map(row => ({ direction: row.direction, kind: row.kind as ImportKind | ExportKind, connectionId: row.connection_id }))
}

/** Sets which kinds of one direction a connection owns. The primary key refuses a second owner, also of one who came at the same moment. */
export async function setKinds(tx: TxCtx, connectionId: string, direction: 'in' | 'out', kinds: readonly string[]): Promise<void> {
  const at = tx.clock.iso()
  await own(tx).deleteFrom('exchange.kind_owner').where('connection_id', '=', connectionId).where('direction', '=', direction).execute()
  if (kinds.length === 0) return
  await own(tx)
    .insertInto('exchange.kind_owner')
    .values(kinds.map(kind => ({ direction, kind, connection_id: connectionId, created_at: at, changed_at: at })))
    .execute()
}

export async function activeAccessKinds(c: Ctx | TxCtx, connectionId: string): Promise<ReadonlySet<string>> {
  const rows = await own(c)
    .selectFrom('exchange.access')
    .select('kind')
    .distinct()
    .where('connection_id', '=', connectionId)
    .where('revoked_at', 'is', null)
    .execute()
  return new Set(rows.map(row => row.kind))
}

export interface ConnectionLoad {
  openRejects: number
  /** Deliveries on their way. */
  waiting: number
  /** Deliveries about which somebody has to decide. */
  needsSomebody: number
  /** Messages not through to the ERP yet. */
  waitingOut: number
  outForSomebody: number
  /** Of these those that stand in the error bin nowhere: set aside, or with an unknown outcome. */
  outUndecided: number
  /** Of all the above, the one that came first. */
  oldestOpenAt: string | null
}

/** What waits at each connection, both ways; one without anything is not in it. */
export async function loadOfConnections(c: Ctx): Promise<ReadonlyMap<string, ConnectionLoad>> {
  const { rows } = await sql<ConnectionLoad & { connection_id: string }>`
    select connection_id,
        coalesce(sum(n) filter (where what = 'reject'), 0)::int as "openRejects",
        coalesce(sum(n) filter (where what in ('stored', 'processing')), 0)::int as waiting,
        coalesce(sum(n) filter (where what in ('parked', 'held')), 0)::int as "needsSomebody",
        coalesce(sum(n) filter (where what like 'out%'), 0)::int as "waitingOut",
        coalesce(sum(n) filter (where what in ('out_rejected', 'out_undecided')), 0)::int as "outForSomebody",
        coalesce(sum(n) filter (where what = 'out_undecided'), 0)::int as "outUndecided",
        min(oldest) as "oldestOpenAt"
      from (
        select connection_id, 'reject' as what, count(*) as n, min(created_at) as oldest
          from exchange.reject where state = 'open' group by connection_id
        union all
        select connection_id, state, count(*), min(received_at)
          from exchange.delivery where state in ('stored', 'processing', 'parked', 'held') group by connection_id, state
        union all
        select connection_id, case when state = 'rejected' then 'out_rejected' when state in ('unknown', 'parked') then 'out_undecided' else 'out' end, count(*), min(created_at)
          from exchange.outbox where connection_id is not null and state not in ('accepted', 'dropped') group by 1, 2
      ) as open
      group by connection_id`.execute(own(c))
  return new Map(rows.map(({ connection_id, ...load }) => [connection_id, load]))
}

/** Last contact outwards, for people; at most every few seconds, since every message would write the row. */
export async function touchOut(tx: TxCtx, id: string): Promise<void> {
  const at = tx.clock.iso()
  await sql`update exchange.connection set last_out_at = ${at}::timestamptz
    where id = ${id}::uuid and (last_out_at is null or last_out_at < ${at}::timestamptz - interval '5 seconds')`.execute(own(tx))
}
