import { type Static, Type } from 'typebox'
import type { CodeTables, ExportKind, ImportKind, Manifest, MappingSet } from '../../adapters/contract/index.ts'
import { Id, Instant, named, Text } from '../http/schemas.ts'
import type { Connection, ConnectionLoad, KindOwner, MappingVersion } from './connections-store.ts'
import type { PullPlan } from './pull-store.ts'
import { secretNames } from './settings.ts'

const closed = { additionalProperties: false }
export const OrNull = <T extends Parameters<typeof Type.Union>[0][number]>(shape: T) => Type.Union([shape, Type.Null()])
const Kind = Type.String({ pattern: '^[a-zA-Z]{1,40}$' })
const Value = Type.Union([Type.String({ maxLength: 10_000 }), Type.Number(), Type.Boolean(), Type.Null()])

export const AdapterShape = named(
  'AdapterInfo',
  Type.Object(
    {
      id: Type.String(),
      version: Type.String(),
      displayName: Type.String(),
      vendor: Type.Object({ name: Type.String(), support: Type.String() }, closed),
      erp: Type.Object({ product: Type.String(), versions: Type.String() }, closed),
      config: Type.Unknown({ description: 'JSON Schema of the settings; `secret` marks what is never shown again' }),
      egress: Type.Array(Type.String(), { description: 'Settings that name the hosts which the adapter calls' }),
      imports: Type.Unknown({ description: 'Kinds of record it brings, and how' }),
      exports: Type.Unknown({ description: 'Kinds of record it takes, and how' }),
      codeTables: Type.Array(Type.String()),
      mapping: Type.Unknown({ description: 'The mapping that a new connection begins with' })
    },
    closed
  )
)
export const viewOfAdapter = (manifest: Manifest): Static<typeof AdapterShape> => ({
  id: manifest.id,
  version: manifest.version,
  displayName: manifest.displayName,
  vendor: { ...manifest.vendor },
  erp: { ...manifest.erp },
  config: manifest.config,
  egress: [...manifest.egress],
  imports: manifest.imports,
  exports: manifest.exports,
  codeTables: [...(manifest.codeTables ?? [])],
  mapping: manifest.mapping ?? {}
})

const StateShape = Type.Union([Type.Literal('draft'), Type.Literal('active'), Type.Literal('paused')])

export const ConnectionShape = named(
  'Connection',
  Type.Object(
    {
      id: Id,
      name: Type.String(),
      adapter: Type.String(),
      adapterVersion: Type.String(),
      state: StateShape,
      paused: OrNull(
        Type.Object(
          { code: OrNull(Type.String({ description: 'Set when the product paused it by itself' })), reason: Type.String() },
          closed
        )
      ),
      config: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
      secretsSet: Type.Array(Type.String(), { description: 'Secret settings that have a value; the values are never shown' }),
      timeZone: Type.String(),
      locale: Type.String(),
      kinds: Type.Object({ in: Type.Array(Type.String()), out: Type.Array(Type.String()) }, closed),
      pulls: Type.Array(
        Type.Object(
          {
            kind: Type.String(),
            everySeconds: OrNull(Type.Integer()),
            nextAt: OrNull(Instant),
            lastFinishedAt: OrNull(Instant),
            failures: Type.Integer({ description: 'In a row; 0 when the last fetch went well' }),
            reason: OrNull(Type.String())
          },
          closed
        )
      ),
      mappingVersion: Type.Integer(),
      openRejects: Type.Integer(),
      waitingDeliveries: Type.Integer(),
      deliveriesForSomebody: Type.Integer({ description: 'Parked or held: somebody has to decide' }),
      waitingOut: Type.Integer({ description: 'Messages that are not through to the ERP yet' }),
      outForSomebody: Type.Integer({ description: 'Messages of these that were refused, are set aside or have an unknown outcome' }),
      outUndecided: Type.Integer({ description: 'Of these those that are set aside or have an unknown outcome; a person decides' }),
      oldestOpenAt: OrNull(Instant),
      lastInAt: OrNull(Instant),
      lastOutAt: OrNull(Instant),
      version: Type.Integer({ description: 'Send it back with a change' }),
      createdAt: Instant,
      changedAt: Instant
    },
    closed
  )
)

export interface AroundConnection {
  readonly manifest: Manifest | undefined
  readonly secrets: readonly string[]
  readonly owners: readonly KindOwner[]
  readonly pulls: readonly PullPlan[]
  readonly mappingVersion: number
  readonly load: ConnectionLoad | undefined
}

export function viewOfConnection(row: Connection, around: AroundConnection): Static<typeof ConnectionShape> {
  const owned = (direction: 'in' | 'out') =>
    around.owners
      .filter(owner => owner.connectionId === row.id && owner.direction === direction)
      .map(owner => owner.kind)
      .sort()
  const hidden = new Set(around.manifest ? secretNames(around.manifest.config) : [])
  return {
    id: row.id,
    name: row.name,
    adapter: row.adapter,
    adapterVersion: row.adapter_version,
    state: row.state,
    paused: row.state === 'paused' ? { code: row.paused_code, reason: row.paused_reason ?? '' } : null,
    config: Object.fromEntries(Object.entries(row.config).filter(([name]) => !hidden.has(name))),
    secretsSet: [...around.secrets].sort(),
    timeZone: row.time_zone,
    locale: row.locale,
    kinds: { in: owned('in'), out: owned('out') },
    pulls: around.pulls
      .filter(plan => plan.connectionId === row.id)
      .map(plan => ({
        kind: plan.kind,
        everySeconds: plan.everySeconds,
        nextAt: plan.nextAt,
        lastFinishedAt: plan.lastFinishedAt,
        failures: plan.attempts,
        reason: plan.reason
      })),
    mappingVersion: around.mappingVersion,
    openRejects: around.load?.openRejects ?? 0,
    waitingDeliveries: around.load?.waiting ?? 0,
    deliveriesForSomebody: around.load?.needsSomebody ?? 0,
    waitingOut: around.load?.waitingOut ?? 0,
    outForSomebody: around.load?.outForSomebody ?? 0,
    outUndecided: around.load?.outUndecided ?? 0,
    oldestOpenAt: around.load?.oldestOpenAt ?? null,
    lastInAt: row.last_in_at,
    lastOutAt: row.last_out_at,
    version: row.version,
    createdAt: row.created_at,
    changedAt: row.changed_at
  }
}

export const SettingsShape = Type.Record(Type.String({ pattern: '^[A-Za-z][A-Za-z0-9]{0,59}$' }), Value, {
  maxProperties: 100,
  description: 'By the schema of the adapter. A secret that is left out stays as it is; null takes a setting away.'
})
export const NewConnectionBody = Type.Object(
  {
    name: Text(80),
    adapter: Text(80),
    config: SettingsShape,
    timeZone: Type.Optional(Text(60, { description: "IANA name; absent: the environment's own" })),
    locale: Type.Optional(Text(35))
  },
  closed
)
export const ChangeConnectionBody = Type.Object(
  {
    version: Type.Integer({ minimum: 1, description: 'The version that was read' }),
    name: Type.Optional(Text(80)),
    config: Type.Optional(SettingsShape),
    timeZone: Type.Optional(Text(60)),
    locale: Type.Optional(Text(35))
  },
  closed
)

export const MappingRules = Type.Unsafe<MappingSet>({
  type: 'object',
  additionalProperties: false,
  properties: {
    imports: { type: 'object', additionalProperties: true },
    exports: { type: 'object', additionalProperties: true },
    units: { type: 'object', additionalProperties: true }
  },
  description: 'imports: kind -> field -> rule; exports: kind -> column -> path or rule; units: factors. See the guide of mappings.'
})
export const CodeTablesShape = Type.Unsafe<CodeTables>({
  type: 'object',
  additionalProperties: { type: 'object', additionalProperties: { type: 'string', minLength: 1, maxLength: 120 } },
  description: "Table -> the ERP's value -> ours"
})
export const MappingShape = named(
  'ConnectionMapping',
  Type.Object(
    { version: Type.Integer(), mapping: MappingRules, codeTables: CodeTablesShape, createdBy: Type.String(), createdAt: Instant },
    closed
  )
)
export const viewOfMapping = (row: MappingVersion): Static<typeof MappingShape> => ({
  version: row.version,
  mapping: row.mapping,
  codeTables: row.codeTables,
  createdBy: row.createdBy,
  createdAt: row.createdAt
})
export const MappingBody = Type.Object(
  {
    version: Type.Integer({ minimum: 0, description: 'The version that this one was made from' }),
    mapping: MappingRules,
    codeTables: CodeTablesShape
  },
  closed
)
export const KindsBody = Type.Object(
  {
    in: Type.Array(Type.Unsafe<ImportKind>(Kind), { maxItems: 20, uniqueItems: true }),
    out: Type.Array(Type.Unsafe<ExportKind>(Kind), { maxItems: 20, uniqueItems: true })
  },
  closed
)
export const CheckShape = named(
  'ConnectionCheck',
  Type.Object(
    {
      ok: Type.Boolean(),
      steps: Type.Array(
        Type.Object(
          {
            step: Type.String(),
            ok: Type.Boolean(),
            detail: OrNull(Type.String()),
            field: OrNull(Type.String()),
            cause: OrNull(Type.String({ description: 'config, auth, network, permission or remote' }))
          },
          closed
        )
      )
    },
    closed
  )
)
