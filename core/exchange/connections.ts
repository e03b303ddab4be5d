import {
  type CodeTables,
  type ExportKind,
  exportKinds,
  type ImportKind,
  importKinds,
  type MappingSet
} from '../../adapters/contract/index.ts'
import type { Ctx, TxCtx } from '../context.ts'
import { constraintMeans } from '../db/sqlstate.ts'
import type { Directory } from '../db/tenants-face.ts'
import { newId } from '../ids.ts'
import type { Journal } from '../journal/append.ts'
import {
  type Connection,
  findConnection,
  findMapping,
  insertConnection,
  insertMapping,
  kindOwners,
  listConnectionRows,
  lockConnectionRow,
  setKinds,
  updateConnectionRow
} from './connections-store.ts'
import { exchangeErrors, refuseExchange } from './errors.ts'
import { mappingComplaints } from './mapping-check.ts'
import { type PullPlan, schedulePull } from './pull-store.ts'
import type { AdapterRegistry } from './registry.ts'
import { openSecrets, secretsBound, settingsComplaints } from './runtime.ts'
import { type GivenSettings, mergeSettings, type Settings } from './settings.ts'

constraintMeans(
  'connection_name_key',
  'connection_name_taken',
  exchangeErrors.connection_name_taken,
  'There is a connection of this name already.'
)
constraintMeans(
  'kind_owner_pkey',
  'kind_owned_elsewhere',
  exchangeErrors.kind_owned_elsewhere,
  'Another connection took this kind at the same moment.'
)

export interface NewConnection {
  readonly name: string
  readonly adapter: string
  readonly config: GivenSettings
  readonly timeZone?: string
  readonly locale?: string
}

export interface ChangedConnection {
  readonly name?: string
  readonly config?: GivenSettings
  readonly timeZone?: string
  readonly locale?: string
}

/** Setting up connections to ERPs. All of it writes into the journal; values of secrets go in and never come out. */
export interface ConnectionDesk {
  /** A draft that owns every kind which nobody else owns yet, with the adapter's own mapping as version 1. @returns its id */
  create(tx: TxCtx, given: NewConnection): Promise<string>
  /** @param version as read; `connection_changed` when somebody was faster */
  update(tx: TxCtx, id: string, version: number, given: ChangedConnection): Promise<void>
  /** Stores a new version of mapping and code tables. @param basedOn the version it was made from @returns the new version */
  setMapping(tx: TxCtx, id: string, basedOn: number, given: { mapping: MappingSet; codeTables: CodeTables }): Promise<number>
  /** Which kinds this connection owns; a kind that another one owns is refused. */
  setKinds(tx: TxCtx, id: string, kinds: { in: readonly ImportKind[]; out: readonly ExportKind[] }): Promise<void>
  /** Seconds between two pulls of a kind; null stops pulling. */
  setPull(tx: TxCtx, id: string, kind: ImportKind, everySeconds: number | null): Promise<void>
  activate(tx: TxCtx, id: string): Promise<void>
  pause(tx: TxCtx, id: string, reason: string): Promise<void>
  resume(tx: TxCtx, id: string): Promise<void>
}

export function connectionDesk(deps: { adapters: AdapterRegistry; directory: Directory; journal: Journal }): ConnectionDesk {
  const { adapters, directory, journal } = deps

  const noted = (tx: TxCtx, act: string, id: string, data: Parameters<Journal['append']>[1]['data'] = {}): Promise<void> =>
    journal.append(tx, { act, subject: 'exchange.connection', subjectId: id, data })

  async function lock(tx: TxCtx, id: string): Promise<Connection> {
    const row = await lockConnectionRow(tx, id)
    if (!row) throw refuseExchange('connection_unknown', 'There is no such connection.')
    return row
  }

  function adapterOf(id: string) {
    const adapter = adapters.get(id)
    if (!adapter)
      throw refuseExchange('adapter_unknown', `There is no adapter "${id}".`, {
        errors: [{ pointer: '/adapter', detail: 'is no adapter of this installation' }]
      })
    return adapter
  }

  function settingsFor(adapterId: string, given: GivenSettings, formerSecrets: Settings): { plain: Settings; secrets: Settings } {
    const merged = mergeSettings(adapterOf(adapterId), given, formerSecrets)
    if ('problems' in merged) {
      throw refuseExchange('connection_settings_invalid', merged.problems.map(problem => problem.detail).join('; '), {
        errors: merged.problems
      })
    }
    return merged
  }

  const sealed = (tx: TxCtx, id: string, secrets: Settings): Buffer | null =>
    Object.keys(secrets).length === 0 ? null : tx.tenant.keys.seal(JSON.stringify(secrets), secretsBound(id))

  /** Names of settings only: the journal is read by people who may not see their values. */
  const changedNames = (before: Settings, after: Settings): string[] =>
    [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(name => before[name] !== after[name]).sort()

  return {
    async create(tx, given) {
      const adapter = adapterOf(given.adapter)
      const { plain, secrets } = settingsFor(given.adapter, given.config, {})
      checkZone(given.timeZone)
      checkLocale(given.locale)
      const id = newId()
      await insertConnection(tx, {
        id,
        name: given.name,
        adapter: given.adapter,
        adapter_version: adapter.manifest.version,
        config: plain,
        secrets_sealed: sealed(tx, id, secrets),
        config_version: adapter.manifest.configVersion,
        time_zone: given.timeZone ?? tx.tenant.zone,
        locale: given.locale ?? 'nl-NL'
      })
      await insertMapping(tx, { connectionId: id, version: 1, mapping: adapter.manifest.mapping ?? {}, codeTables: {} })
      const owners = await kindOwners(tx)
      const free = (direction: 'in' | 'out', kinds: readonly string[]): string[] =>
        kinds.filter(kind => !owners.some(owner => owner.direction === direction && owner.kind === kind))
      await setKinds(tx, id, 'in', free('in', Object.keys(adapter.manifest.imports)))
      await setKinds(tx, id, 'out', free('out', Object.keys(adapter.manifest.exports)))
      for (const [kind, capability] of Object.entries(adapter.manifest.imports)) {
        if (!capability.via.includes('pull')) continue
        await schedulePull(tx, id, kind as ImportKind, capability.schedule?.defaultSeconds ?? 300)
      }
      // Control is another database: an entry that a rollback leaves behind leads to a connection that does not exist, so nowhere.
      await directory.add({ kind: 'connection', lookup: id, tenantId: tx.tenant.id, connectionId: id })
      await noted(tx, 'connection.create', id, { adapter: given.adapter, settings: Object.keys({ ...plain, ...secrets }).sort() })
      return id
    },

    async update(tx, id, version, given) {
      const row = await lock(tx, id)
      if (row.version !== version)
        throw refuseExchange(
          'connection_changed',
          `The connection is at version ${row.version} by now, and you changed version ${version}.`
        )
      checkZone(given.timeZone)
      checkLocale(given.locale)
      const before = openSecrets(tx, row)
      const merged = given.config === undefined ? undefined : settingsFor(row.adapter, given.config, before)
      const { manifest } = adapterOf(row.adapter)
      await updateConnectionRow(tx, id, {
        ...(given.name === undefined ? {} : { name: given.name }),
        ...(given.timeZone === undefined ? {} : { time_zone: given.timeZone }),
        ...(given.locale === undefined ? {} : { locale: given.locale }),
        ...(merged === undefined
          ? {}
          : {
              config: merged.plain,
              secrets_sealed: sealed(tx, id, merged.secrets),
              config_version: manifest.configVersion,
              adapter_version: manifest.version
            })
      })
      await noted(tx, 'connection.update', id, {
        ...(given.name === undefined ? {} : { renamed: true }),
        ...(given.timeZone === undefined ? {} : { timeZone: given.timeZone }),
        ...(given.locale === undefined ? {} : { locale: given.locale }),
        ...(merged === undefined ? {} : { settings: changedNames({ ...row.config, ...before }, { ...merged.plain, ...merged.secrets }) })
      })
    },

    async setMapping(tx, id, basedOn, given) {
      const row = await lock(tx, id)
      const newest = await findMapping(tx, id)
      const current = newest?.version ?? 0
      if (current !== basedOn)
        throw refuseExchange('connection_changed', `The mapping is at version ${current} by now, and you changed version ${basedOn}.`)
      const problems = mappingComplaints(adapterOf(row.adapter).manifest, given.mapping, given.codeTables)
      if (problems.length > 0) {
        throw refuseExchange('mapping_invalid', problems.map(problem => `${problem.pointer} ${problem.detail}`).join('; '), {
          errors: problems.slice(0, 50)
        })
      }
      const version = current + 1
      await insertMapping(tx, { connectionId: id, version, ...given })
      await noted(tx, 'connection.mapping', id, { version })
      return version
    },

    async setKinds(tx, id, kinds) {
      const row = await lock(tx, id)
      const { manifest } = adapterOf(row.adapter)
      const owners = await kindOwners(tx)
      for (const [direction, wanted, offered] of [
        ['in', kinds.in, manifest.imports],
        ['out', kinds.out, manifest.exports]
      ] as const) {
        for (const kind of wanted) {
          const pointer = `/${direction}`
          if (!Object.hasOwn(offered, kind)) {
            throw refuseExchange(
              'kind_not_offered',
              `The adapter of "${row.name}" does not ${direction === 'in' ? 'bring' : 'take'} ${kind}.`,
              {
                errors: [{ pointer, detail: `${kind} is not offered` }]
              }
            )
          }
          const other = owners.find(owner => owner.direction === direction && owner.kind === kind && owner.connectionId !== id)
          if (other) {
            const name = (await findConnection(tx, other.connectionId))?.name ?? other.connectionId
            throw refuseExchange('kind_owned_elsewhere', `${kind} belongs to the connection "${name}". Take it away there first.`, {
              errors: [{ pointer, detail: `${kind} belongs to "${name}"` }]
            })
          }
        }
        await setKinds(tx, id, direction, [...new Set(wanted)])
      }
      await noted(tx, 'connection.kinds', id, { in: [...kinds.in], out: [...kinds.out] })
      tx.tx.due.add('export')
    },

    async setPull(tx, id, kind, everySeconds) {
      const row = await lock(tx, id)
      const capability = adapterOf(row.adapter).manifest.imports[kind]
      if (!capability?.via.includes('pull'))
        throw refuseExchange('kind_not_offered', `The adapter of "${row.name}" does not fetch ${kind} by itself.`)
      const least = capability.schedule?.minSeconds ?? 10
      if (everySeconds !== null && everySeconds < least) {
        throw refuseExchange('connection_settings_invalid', `${kind} may be fetched every ${least} seconds at most often.`, {
          errors: [{ pointer: '/everySeconds', detail: `must be at least ${least}` }]
        })
      }
      await schedulePull(tx, id, kind, everySeconds)
      await noted(tx, 'connection.pull', id, { kind, everySeconds })
      if (everySeconds !== null) tx.tx.due.add('import')
    },

    async activate(tx, id) {
      const row = await lock(tx, id)
      if (row.state !== 'draft') throw refuseExchange('connection_state', `The connection is ${row.state} already.`)
      await ready(tx, row)
      await updateConnectionRow(tx, id, { state: 'active' })
      await noted(tx, 'connection.activate', id)
      tx.tx.due.add('import').add('export')
    },

    async pause(tx, id, reason) {
      const row = await lock(tx, id)
      if (row.state !== 'active')
        throw refuseExchange('connection_state', `The connection is ${row.state}; only an active one can be paused.`)
      await updateConnectionRow(tx, id, { state: 'paused', paused_code: null, paused_reason: reason })
      await noted(tx, 'connection.pause', id, { by: 'person' })
    },

    async resume(tx, id) {
      const row = await lock(tx, id)
      if (row.state !== 'paused')
        throw refuseExchange('connection_state', `The connection is ${row.state}; only a paused one can be resumed.`)
      await ready(tx, row)
      await updateConnectionRow(tx, id, { state: 'active', paused_code: null, paused_reason: null })
      await noted(tx, 'connection.resume', id)
      tx.tx.due.add('import').add('export')
    }
  }

  async function ready(tx: TxCtx, row: Connection): Promise<void> {
    const adapter = adapterOf(row.adapter)
    const complaints = [...settingsComplaints(tx, adapter, row)]
    const owns = (await kindOwners(tx)).some(owner => owner.connectionId === row.id)
    if (!owns) complaints.push('It owns no kind of record yet: choose the kinds that this ERP brings and takes.')
    if (complaints.length > 0) throw refuseExchange('connection_not_ready', complaints.join(' '))
  }
}

/**
 * Pauses a connection because its ERP or its settings refuse us (errors `config` and `auth`). In its own transaction, after the work
 * that failed. Does nothing when it is not active any more. @returns whether it was paused now
 */
export async function pauseByHost(tx: TxCtx, journal: Journal, id: string, code: string, reason: string): Promise<boolean> {
  const row = await lockConnectionRow(tx, id)
  if (row?.state !== 'active') return false
  await updateConnectionRow(tx, id, { state: 'paused', paused_code: code, paused_reason: reason.slice(0, 500) })
  await journal.append(tx, { act: 'connection.pause', subject: 'exchange.connection', subjectId: id, data: { by: 'host', code } })
  return true
}

function checkZone(zone: string | undefined): void {
  if (zone === undefined) return
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
  } catch {
    throw refuseExchange('connection_settings_invalid', `"${zone}" is no IANA time zone such as Europe/Amsterdam.`, {
      errors: [{ pointer: '/timeZone', detail: 'is no IANA time zone' }]
    })
  }
}

function checkLocale(locale: string | undefined): void {
  if (locale === undefined) return
  try {
    Intl.getCanonicalLocales(locale)
  } catch {
    throw refuseExchange('connection_settings_invalid', `"${locale}" is no language tag such as nl-NL.`, {
      errors: [{ pointer: '/locale', detail: 'is no language tag' }]
    })
  }
}

/** For lists: all connections in the order of their names. */
export const listConnections = (c: Ctx): Promise<readonly Connection[]> => listConnectionRows(c)
export const isImportKind = (kind: string): kind is ImportKind => (importKinds as readonly string[]).includes(kind)
export const isExportKind = (kind: string): kind is ExportKind => (exportKinds as readonly string[]).includes(kind)
export type { PullPlan }
