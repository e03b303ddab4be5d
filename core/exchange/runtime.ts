import {
  type Adapter,
  type CodeTables,
  type ConfigOf,
  type ConfigSchema,
  createMapper,
  type Manifest,
  type Mapper,
  type MappingSet
} from '../../adapters/contract/index.ts'
import type { Ctx, TxCtx } from '../context.ts'
import { type Connection, type ConnectionState, findConnection, findMapping } from './connections-store.ts'
import { refuseExchange } from './errors.ts'
import type { AdapterRegistry } from './registry.ts'
import { configOf, type Settings, settingProblems } from './settings.ts'

/** A connection ready for work: its adapter, settings with opaque secrets, and mapper. */
export interface ConnectionRuntime {
  readonly id: string
  readonly name: string
  readonly adapter: Adapter
  readonly manifest: Manifest
  readonly config: ConfigOf<ConfigSchema>
  readonly mapper: Mapper
  readonly mapping: MappingSet
  readonly mappingVersion: number
  readonly codeTables: CodeTables
  readonly timeZone: string
  readonly locale: string
  readonly state: ConnectionState
}

export const secretsBound = (row: string) => ({ table: 'exchange.connection', column: 'secrets_sealed', row }) as const

export const openSecrets = (c: Ctx | TxCtx, connection: Pick<Connection, 'id' | 'secrets_sealed'>): Settings =>
  connection.secrets_sealed === null
    ? {}
    : (JSON.parse(c.tenant.keys.openText(connection.secrets_sealed, secretsBound(connection.id))) as Settings)

/** Loads a connection with today's mapping. Refuses `connection_unknown`, and `adapter_unknown` for an adapter that is no longer part of the house. */
export async function openConnection(c: Ctx | TxCtx, adapters: AdapterRegistry, id: string): Promise<ConnectionRuntime> {
  const row = await findConnection(c, id)
  if (!row) throw refuseExchange('connection_unknown', 'There is no such connection.')
  const adapter = adapters.get(row.adapter)
  if (!adapter)
    throw refuseExchange('adapter_unknown', `The adapter "${row.adapter}" of connection "${row.name}" is not part of this installation.`)
  const newest = await findMapping(c, id)
  const mapping = newest?.mapping ?? {}
  const codeTables = newest?.codeTables ?? {}
  const { plain, secrets } = currentSettings(c, adapter, row)
  return {
    id,
    name: row.name,
    adapter,
    manifest: adapter.manifest,
    config: configOf(plain, secrets),
    mapper: createMapper({ mapping, codeTables, timeZone: row.time_zone }),
    mapping,
    mappingVersion: newest?.version ?? 0,
    codeTables,
    timeZone: row.time_zone,
    locale: row.locale,
    state: row.state
  }
}

/** Settings of an older version of the adapter are brought to today's form each time they are read, until somebody saves them. */
function currentSettings(c: Ctx | TxCtx, adapter: Adapter, row: Connection): { plain: Settings; secrets: Settings } {
  const secrets = openSecrets(c, row)
  if (row.config_version === adapter.manifest.configVersion || !adapter.migrateConfig) return { plain: row.config, secrets }
  const migrated = adapter.migrateConfig(row.config_version, { ...row.config, ...secrets }) as Record<string, string>
  const names = new Set(
    Object.entries(adapter.manifest.config.properties).flatMap(([name, field]) => (field.type === 'string' && field.secret ? [name] : []))
  )
  const pick = (hidden: boolean): Settings => Object.fromEntries(Object.entries(migrated).filter(([name]) => names.has(name) === hidden))
  return { plain: pick(false), secrets: pick(true) }
}

/** What is wrong with the stored settings under today's schema of the adapter; sentences. */
export function settingsComplaints(c: Ctx | TxCtx, adapter: Adapter, row: Connection): readonly string[] {
  const { plain, secrets } = currentSettings(c, adapter, row)
  return settingProblems(adapter, { ...plain, ...secrets })
}
