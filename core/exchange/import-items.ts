import { Ajv, type ValidateFunction } from 'ajv'
import {
  canonical,
  type ExportOutcomeBody,
  type ImportItem,
  type ImportKind,
  type ImportRecords,
  importKinds,
  importOrder,
  type Position,
  type Reject,
  type Revision,
  recordFormats,
  schemaOfImport
} from '../../adapters/contract/index.ts'
import type { TenantKeys } from '../keys/tenant-keys.ts'
import { storable } from './storable.ts'

/** What is kept, sealed, of a record that did not get through: its row before the mapping, or the record where there was none. */
export type Source = { readonly row: Readonly<Record<string, unknown>> } | { readonly record: Readonly<Record<string, unknown>> }

interface Common {
  /** Ordinal of the item in its delivery, from 1. */
  readonly n: number
  readonly kind: ImportKind
  readonly at: Position | undefined
}
export interface PreparedRecord extends Common {
  readonly type: 'record'
  readonly key: string
  /** The key as exchange.record_state holds it: of a person its blind index. */
  readonly storedKey: string
  readonly record: ImportRecords[ImportKind]
  readonly revision: Revision | undefined
  /** HMAC of the canonical record in hex. */
  readonly hash: string
  readonly scope: string | null
  readonly source: Source
}
export interface PreparedDelete extends Common {
  readonly type: 'delete'
  readonly key: string
  readonly storedKey: string
  readonly revision: Revision | undefined
}
export interface PreparedReject extends Common {
  readonly type: 'reject'
  readonly key: string | undefined
  readonly storedKey: string | undefined
  readonly reject: Reject
  readonly source: Source | undefined
  /** Records that this one entry stands for; a whole kind that this connection may not bring is one entry. */
  readonly stands: number
  /** Counted, but in the bin already. */
  readonly muted?: boolean
}
export interface PreparedAck {
  readonly type: 'ack'
  readonly n: number
  readonly exportKey: string
  readonly outcome: ExportOutcomeBody
  readonly at: Position | undefined
}
export type Prepared = PreparedRecord | PreparedDelete | PreparedReject | PreparedAck

/** An item with its ordinal, and the scope of the snapshot that it stands in. */
export interface NumberedItem {
  readonly n: number
  readonly item: Exclude<ImportItem, { type: 'checkpoint' } | { type: 'snapshot' }>
  readonly scope: string | null
}

export interface PreparedChunk {
  /** In the order in which they are applied: what others refer to comes first. */
  readonly list: readonly Prepared[]
  readonly read: number
  /** Rows of the chunk that a later row of the same key made void. */
  readonly duplicates: number
  /** Kinds that this connection does not own and that were seen here for the first time, or again. */
  readonly unowned: ReadonlyMap<ImportKind, number>
  /** `kind.column` -> times seen. */
  readonly unknown: ReadonlyMap<string, number>
}

const ajv = new Ajv({ strict: true, allErrors: false, formats: recordFormats })
const validators: ReadonlyMap<ImportKind, ValidateFunction> = new Map(importKinds.map(kind => [kind, ajv.compile(schemaOfImport(kind))]))
const fieldsOf: ReadonlyMap<ImportKind, ReadonlySet<string>> = new Map(
  importKinds.map(kind => [kind, new Set(Object.keys((schemaOfImport(kind) as unknown as { properties: object }).properties))])
)

/** The key as it is stored: keys of people are readable nowhere. */
export const storedKeyOf = (keys: TenantKeys, kind: ImportKind, key: string): string =>
  kind === 'employee' ? keys.blind(key, 'exchange.employee').toString('hex') : key

/** Checks, hashes and sorts one chunk; pure but for the tenant's keys. `owns` says which kinds this connection may bring. */
export function prepareChunk(
  keys: TenantKeys,
  items: readonly NumberedItem[],
  owns: (kind: ImportKind) => boolean,
  whyNot: (kind: ImportKind) => string
): PreparedChunk {
  const unowned = new Map<ImportKind, number>()
  const unknown = new Map<string, number>()
  const byKey = new Map<string, PreparedRecord | PreparedDelete>()
  const list: Prepared[] = []
  let duplicates = 0
  for (const numbered of items) {
    const { n, item } = numbered
    if (item.type === 'ack') {
      list.push({ type: 'ack', n, exportKey: storable(item.exportKey), outcome: item.outcome, at: item.at })
      continue
    }
    if (!owns(item.kind)) {
      const before = unowned.get(item.kind)
      unowned.set(item.kind, (before ?? 0) + 1)
      if (before === undefined) list.push(ofUnownedKind(n, item.kind, whyNot(item.kind)))
      continue
    }
    if (item.type === 'record' && item.unknown) for (const column of item.unknown) count(unknown, `${item.kind}.${column.slice(0, 100)}`)
    const made = prepare(keys, numbered, unknown)
    if (made.type === 'reject') {
      list.push(made)
      continue
    }
    const name = `${made.kind}\n${made.storedKey}`
    const earlier = byKey.get(name)
    if (earlier) {
      duplicates++
      // The later row wins, unless the ERP itself says that it is the older one.
      if (isOlder(made.revision, earlier.revision)) continue
    }
    byKey.set(name, made)
  }
  list.push(...byKey.values())
  const rank = (p: Prepared): number => (p.type === 'ack' ? importOrder.length : importOrder.indexOf(p.kind))
  list.sort((a, b) => rank(a) - rank(b) || a.n - b.n)
  // Each entry stands for all rows of its kind in this chunk.
  const counted = list.map(p => (p.type === 'reject' && p.stands === 0 ? { ...p, stands: unowned.get(p.kind) ?? 1 } : p))
  return { list: counted, read: items.length, duplicates, unowned, unknown }
}

const count = (map: Map<string, number>, name: string): void => void map.set(storable(name), (map.get(storable(name)) ?? 0) + 1)

const isOlder = (a: Revision | undefined, b: Revision | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  (('seq' in a && 'seq' in b && a.seq < b.seq) ||
    ('changedAt' in a && 'changedAt' in b && Date.parse(a.changedAt) < Date.parse(b.changedAt)))

const ofUnownedKind = (n: number, kind: ImportKind, message: string): PreparedReject => ({
  type: 'reject',
  n,
  kind,
  at: undefined,
  key: undefined,
  storedKey: undefined,
  reject: { code: 'kind_not_owned', message },
  source: undefined,
  stands: 0
})

function prepare(
  keys: TenantKeys,
  { n, item, scope }: NumberedItem,
  unknown: Map<string, number>
): PreparedRecord | PreparedDelete | PreparedReject {
  if (item.type === 'ack') throw new TypeError('an acknowledgement is no record')
  const { kind, at } = item
  if (item.type === 'delete') {
    if (item.key === '' || item.key.length > 200 || storable(item.key) !== item.key)
      return refused(keys, n, kind, at, undefined, keyWrong(kind))
    return { type: 'delete', n, kind, at, key: item.key, storedKey: storedKeyOf(keys, kind, item.key), revision: item.revision }
  }
  if (item.type === 'reject') {
    return refused(keys, n, kind, at, item.key, item.reject, item.row === undefined ? undefined : { row: item.row })
  }
  const record = kind === 'employee' ? onlyKnown(kind, item.record, unknown) : (item.record as Readonly<Record<string, unknown>>)
  const source: Source = item.row === undefined ? { record } : { row: item.row }
  const validate = validators.get(kind)
  if (!validate) throw new TypeError(`no schema of ${kind}`)
  if (item.key === '' || item.key.length > 200) {
    return refused(keys, n, kind, at, undefined, keyWrong(kind), source)
  }
  if (!validate(record)) {
    const error = validate.errors?.[0]
    const field = (error?.instancePath ?? '').slice(1).replaceAll('/', '.')
    return refused(
      keys,
      n,
      kind,
      at,
      item.key,
      {
        code: 'field_wrong',
        message: `${field === '' ? kind : `"${field}" of ${kind}`} ${error?.message ?? 'is wrong'}.`,
        ...(field === '' ? {} : { field })
      },
      source
    )
  }
  return {
    type: 'record',
    n,
    kind,
    at,
    key: item.key,
    storedKey: storedKeyOf(keys, kind, item.key),
    record: record as ImportRecords[ImportKind],
    revision: item.revision,
    hash: keys.mac(canonical(record), 'exchange.record').toString('hex'),
    scope,
    source
  }
}

const keyWrong = (kind: ImportKind): Reject => ({ code: 'key_wrong', message: `A ${kind} needs a key of at most 200 plain characters.` })

function refused(
  keys: TenantKeys,
  n: number,
  kind: ImportKind,
  at: Position | undefined,
  given: string | undefined,
  reject: Reject,
  source?: Source
): PreparedReject {
  const key = given === undefined ? undefined : storable(given)
  return {
    type: 'reject',
    n,
    kind,
    at,
    key,
    storedKey: key === undefined ? undefined : storedKeyOf(keys, kind, key),
    reject,
    source,
    stands: 1
  }
}

/** The gate for people, a second time and for adapters that make records themselves: key, number, name, active, and nothing else. */
function onlyKnown(kind: ImportKind, record: object, unknown: Map<string, number>): Record<string, unknown> {
  const known = fieldsOf.get(kind)
  const entries = Object.entries(record)
  for (const [name] of entries) if (!known?.has(name)) count(unknown, `${kind}.${name.slice(0, 100)}`)
  return Object.fromEntries(entries.filter(([name]) => known?.has(name)))
}

/** Field -> shortened HMAC; made only for records that are handed over, since it costs one hash per field. */
export const hashFields = (keys: TenantKeys, { kind, record }: PreparedRecord): Record<string, string> =>
  Object.fromEntries(
    Object.entries(record)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [
        name,
        keys
          .mac(`${kind}.${name}\n${canonical(value)}`, 'exchange.field')
          .toString('base64url')
          .slice(0, 11)
      ])
  )
