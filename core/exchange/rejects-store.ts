import { sql } from 'kysely'
import { canonical, type ImportKind, type Position } from '../../adapters/contract/index.ts'
import type { Ctx, TxCtx } from '../context.ts'
import { view } from '../db/tx.ts'
import { newId } from '../ids.ts'
import type { TenantKeys } from '../keys/tenant-keys.ts'
import type { Source } from './import-items.ts'
import { storable } from './storable.ts'

const own = view<Record<string, never>>()
const table = 'exchange.reject'

/** One record for the error bin, before it is sealed. */
export interface NewReject {
  /** Ordinal in the delivery; null for a record of a pull that has none. */
  readonly item: number | null
  /** Kind of record, or `ack`. */
  readonly kind: string
  readonly key: string | undefined
  readonly at: Position | undefined
  readonly code: string
  readonly message: string
  readonly field: string | undefined
  readonly value: string | undefined
  readonly table: { readonly name: string; readonly value: string } | undefined
  readonly source: Source | undefined
}

const placeholder = '{value}'

/**
 * Which record an entry of the bin stands for: kind and key, or the row itself where no key could be read. An HMAC, since keys of
 * people are readable nowhere.
 */
export const subjectOf = (keys: TenantKeys, kind: string, key: string): Buffer =>
  keys.mac(`${kind}\n${kind === 'employee' ? keys.blind(key, 'exchange.employee').toString('hex') : key}`, 'exchange.subject')

export const causeOf = (keys: TenantKeys, reject: Pick<NewReject, 'code' | 'field' | 'value' | 'table'>): Buffer =>
  keys.mac(
    JSON.stringify([reject.code, reject.field ?? null, reject.table?.value ?? reject.value ?? null, reject.table?.name ?? null]),
    'exchange.cause'
  )

export const bound = (column: 'value_sealed' | 'row_sealed' | 'edited_sealed', row: string) => ({ table, column, row })

/**
 * The sentence without what the ERP sent: the value stands sealed beside it and is put back where it is shown. Of people nothing of the
 * row may stay, whatever the sentence quotes.
 */
export function withoutValues(reject: NewReject): string {
  const value = reject.table?.value ?? reject.value
  let message = storable(reject.message)
  if (value !== undefined && value !== '') message = message.replaceAll(`"${value}"`, `"${placeholder}"`)
  const source = reject.source
  if (source === undefined) return message.slice(0, 500)
  const texts = textsIn('row' in source ? source.row : source.record)
    .filter(text => text.length >= (reject.kind === 'employee' ? 1 : 3))
    .sort((a, b) => b.length - a.length)
  for (const text of texts) {
    // Quoted always; elsewhere only of people, where a word too many in a sentence costs nothing.
    message = message.replaceAll(`"${text}"`, `"${placeholder}"`)
    if (reject.kind === 'employee' && text.length >= 2) message = message.replaceAll(text, placeholder)
    if (text.length > 60) message = message.replaceAll(`"${text.slice(0, 60)}…"`, `"${placeholder}"`)
  }
  return message.slice(0, 500)
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value]
  if (typeof value === 'number') return [String(value)]
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(textsIn) : []
}

/** The sentence as people read it. */
export const shownMessage = (message: string, value: string | undefined): string => message.replaceAll(placeholder, value ?? '…')

interface OfDelivery {
  readonly connectionId: string
  readonly deliveryId: string | null
  readonly deliverySeq: string
}

/** Rows of one statement together, in characters of their JSON: sealed, in hex and as a parameter each is there five times over. */
const mostAtOnce = 4_000_000

/** An earlier open entry of the same record is replaced, so that a nightly file with the same bad row does not pile up. */
export async function insertRejects(tx: TxCtx, of: OfDelivery, rejects: readonly NewReject[]): Promise<void> {
  let some: (NewReject & { readonly text: string | null })[] = []
  let size = 0
  for (const reject of rejects) {
    const text = reject.source === undefined ? null : JSON.stringify(reject.source)
    some.push({ ...reject, text })
    size += text?.length ?? 0
    if (size > mostAtOnce) {
      await insertSome(tx, of, some)
      some = []
      size = 0
    }
  }
  await insertSome(tx, of, some)
}

async function insertSome(tx: TxCtx, of: OfDelivery, rejects: readonly (NewReject & { readonly text: string | null })[]): Promise<void> {
  if (rejects.length === 0) return
  const { keys } = tx.tenant
  const at = tx.clock.iso()
  const rows = rejects.map(reject => {
    const id = newId()
    const value = reject.table?.value ?? reject.value
    const subject =
      reject.key !== undefined
        ? subjectOf(keys, reject.kind, reject.key)
        : reject.source === undefined
          ? null
          : keys.mac(`${reject.kind}\n${canonical(reject.source)}`, 'exchange.row')
    return {
      id,
      item: reject.item,
      kind: reject.kind,
      recordKey: reject.kind === 'employee' || reject.key === undefined ? null : storable(reject.key.slice(0, 200)),
      line: reject.at?.line ?? null,
      pointer: storable((reject.at?.pointer ?? reject.at?.column)?.slice(0, 200) ?? '') || null,
      code: storable(reject.code.slice(0, 80)),
      message: withoutValues(reject),
      field: storable(reject.field?.slice(0, 80) ?? '') || null,
      value: value === undefined ? null : keys.seal(value, bound('value_sealed', id)).toString('hex'),
      row: reject.text === null ? null : keys.seal(reject.text, bound('row_sealed', id)).toString('hex'),
      subject: subject?.toString('hex') ?? null,
      // A rejected acknowledgement names no record, so it stands in the way of no snapshot.
      keyless: reject.key === undefined && reject.kind !== 'ack' && reject.code !== 'kind_not_owned',
      codeTable: reject.table?.name ?? null,
      cause: causeOf(keys, reject).toString('hex')
    }
  })
  const subjects = rows.flatMap(row => (row.subject === null ? [] : [row.subject]))
  if (subjects.length > 0) {
    await sql`update exchange.reject set state = 'resolved', resolution = ${`replaced by delivery ${of.deliverySeq}`}, resolved_by = 'host',
        resolved_at = ${at}::timestamptz, changed_at = ${at}::timestamptz
      where connection_id = ${of.connectionId}::uuid and state = 'open' and direction = 'in'
        and subject_mac = any(array(select decode(s, 'hex') from unnest(${subjects}::text[]) s))`.execute(own(tx))
  }
  const column = <K extends keyof (typeof rows)[number]>(name: K) => rows.map(row => row[name])
  await sql`insert into exchange.reject (id, connection_id, direction, delivery_id, item, kind, record_key, line, pointer, code, message, field,
      value_sealed, row_sealed, subject_mac, keyless, code_table, cause, created_at, changed_at)
    select id, ${of.connectionId}::uuid, 'in', ${of.deliveryId}::uuid, item, kind, record_key, line, pointer, code, message, field,
      decode(value, 'hex'), decode(source, 'hex'), decode(subject, 'hex'), keyless, code_table, decode(cause, 'hex'), ${at}::timestamptz, ${at}::timestamptz
    from unnest(${column('id')}::uuid[], ${column('item')}::bigint[], ${column('kind')}::text[], ${column('recordKey')}::text[], ${column('line')}::int[],
      ${column('pointer')}::text[], ${column('code')}::text[], ${column('message')}::text[], ${column('field')}::text[], ${column('value')}::text[],
      ${column('row')}::text[], ${column('subject')}::text[], ${column('keyless')}::boolean[], ${column('codeTable')}::text[], ${column('cause')}::text[])
      as r(id, item, kind, record_key, line, pointer, code, message, field, value, source, subject, keyless, code_table, cause)
    on conflict (delivery_id, item) do nothing`.execute(own(tx))
}

/** Records that got through: what waited for them in the bin is done. @returns how many */
export async function resolveSubjects(
  tx: TxCtx,
  connectionId: string,
  kind: ImportKind,
  keys: readonly string[],
  why: string
): Promise<number> {
  if (keys.length === 0) return 0
  const at = tx.clock.iso()
  const subjects = keys.map(key => subjectOf(tx.tenant.keys, kind, key).toString('hex'))
  const result =
    await sql`update exchange.reject set state = 'resolved', resolution = ${why}, resolved_by = 'host', resolved_at = ${at}::timestamptz,
      changed_at = ${at}::timestamptz
    where connection_id = ${connectionId}::uuid and state = 'open' and direction = 'in'
      and subject_mac = any(array(select decode(s, 'hex') from unnest(${subjects}::text[]) s))`.execute(own(tx))
  return Number(result.numAffectedRows ?? 0n)
}

/** Entries whose replay did not come to its end: they wait in the bin as before. */
export async function putBack(tx: TxCtx, ids: readonly string[]): Promise<void> {
  await sql`update exchange.reject set state = 'open', attempts = attempts + 1, changed_at = ${tx.clock.iso()}::timestamptz
    where id = any(${ids}::uuid[]) and state = 'replaying'`.execute(own(tx))
}

/** Whether a connection has open entries at all: most runs then save a statement per chunk. */
export async function hasOpenRejects(c: Ctx | TxCtx, connectionId: string): Promise<boolean> {
  const { rows } = await sql<{ there: boolean }>`select exists (
    select 1 from exchange.reject where connection_id = ${connectionId}::uuid and state = 'open' and direction = 'in') as there`.execute(
    own(c)
  )
  return rows[0]?.there === true
}

/** Rows of a delivery whose key could not be read, by kind; and kinds that were refused as a whole. */
export async function unreadable(
  c: Ctx | TxCtx,
  deliveryId: string
): Promise<{ keyless: ReadonlyMap<string, number>; unowned: ReadonlySet<string> }> {
  const { rows } = await sql<{ kind: string; n: string; unowned: boolean }>`
    select kind, count(*) filter (where keyless) as n, bool_or(code = 'kind_not_owned') as unowned
    from exchange.reject where delivery_id = ${deliveryId}::uuid group by kind`.execute(own(c))
  return {
    keyless: new Map(rows.filter(row => Number(row.n) > 0).map(row => [row.kind, Number(row.n)])),
    unowned: new Set(rows.filter(row => row.unowned).map(row => row.kind))
  }
}
