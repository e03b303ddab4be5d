import { sql } from 'kysely'
import type { ExportKind, MessageState as Machine } from '../../adapters/contract/index.ts'
import type { Ctx, TxCtx } from '../context.ts'
import { any, view } from '../db/tx.ts'

export interface OutboxRow {
  /** bigint as text */
  seq: string
  key: string
  connection_id: string | null
  kind: ExportKind
  record: unknown
  ordering_key: string
  ordering_seq: string
  reverses: string | null
  state: Machine['state']
  batch_id: string | null
  attempts: number
  lookups: number
  not_found_at: string[]
  previous: 'none' | 'not-sent' | 'unknown'
  next_attempt_at: string | null
  confirm_by: string | null
  document: string | null
  document_line: string | null
  reject_code: string | null
  reject_message: string | null
  alarm: string | null
  sent_at: string | null
  settled_at: string | null
  created_at: string
  changed_at: string
}
interface Tables {
  'exchange.outbox': OutboxRow
  'exchange.outbox_event': {
    seq: string
    outbox_seq: string
    at: string
    event: string
    state: string
    detail: string | null
    actor: string
  }
}
export const own = view<Tables>()

export const messageColumns = [
  'seq',
  'key',
  'connection_id',
  'kind',
  'record',
  'ordering_key',
  'ordering_seq',
  'reverses',
  'state',
  'batch_id',
  'attempts',
  'lookups',
  'not_found_at',
  'previous',
  'next_attempt_at',
  'confirm_by',
  'document',
  'document_line',
  'reject_code',
  'reject_message',
  'alarm',
  'sent_at',
  'settled_at',
  'created_at'
] as const satisfies readonly (keyof OutboxRow)[]
export type Stored = Pick<OutboxRow, (typeof messageColumns)[number]>

/**
 * Writes a message in one statement: finds its connection, takes the next sequence of its ordering key (the row lock, held until the
 * commit, makes sequence and commit order the same) and inserts it. Without a connection that takes the kind it is kept as `held`.
 */
export function insertMessage(
  tx: TxCtx,
  message: { key: string; kind: string; record: unknown; orderingKey: string; connectionId: string | null; reverses: string | null },
  adapters: readonly string[]
): void {
  const inserted = sql`
    with target as (
      select c.id, c.adapter = any(${adapters}::text[]) as takes from exchange.connection c
      where c.id = coalesce(${message.connectionId}::uuid,
        (select connection_id from exchange.kind_owner where direction = 'out' and kind = ${message.kind}))
    ), numbered as (
      insert into exchange.ordering (connection_id, ordering_key, last_seq) select id, ${message.orderingKey}, 1 from target where takes
      on conflict (connection_id, ordering_key) do update set last_seq = ordering.last_seq + 1, changed_at = excluded.changed_at
      returning last_seq
    )
    insert into exchange.outbox (key, connection_id, kind, record, ordering_key, ordering_seq, reverses, state, alarm, created_at)
    select ${message.key}, (select id from target where takes), ${message.kind}, ${JSON.stringify(message.record)}::jsonb, ${message.orderingKey},
      coalesce((select last_seq from numbered), 0), ${message.reverses}::text,
      case when exists (select 1 from numbered) then 'waiting' else 'held' end,
      case when exists (select 1 from target where not takes) then 'The adapter of the connection takes no such records.' end,
      ${tx.clock.iso()}::timestamptz`
  tx.tx.later(inserted.compile(own(tx)))
}

/** Gives held messages of a kind to the connection that takes them now, in the order in which they were made. @returns how many */
export async function routeHeldMessages(tx: TxCtx, kind: string, connectionId: string): Promise<number> {
  const { rows } = await sql<{ seq: string; ordering_key: string }>`
    select seq::text, ordering_key from exchange.outbox where state = 'held' and connection_id is null and kind = ${kind} order by seq for update`.execute(
    own(tx)
  )
  if (rows.length === 0) return 0
  const result = await sql`
    with held as (select n.seq, n.ordering_key, row_number() over (partition by n.ordering_key order by n.seq) as place
        from unnest(${rows.map(r => r.seq)}::bigint[], ${rows.map(r => r.ordering_key)}::text[]) as n (seq, ordering_key)),
      counted as (select ordering_key, count(*) as n from held group by ordering_key order by ordering_key),
      numbered as (insert into exchange.ordering (connection_id, ordering_key, last_seq)
        select ${connectionId}::uuid, ordering_key, n from counted
        on conflict (connection_id, ordering_key) do update set last_seq = ordering.last_seq + excluded.last_seq
        returning ordering_key, last_seq)
    update exchange.outbox o set connection_id = ${connectionId}::uuid, state = 'waiting', alarm = null,
      ordering_seq = numbered.last_seq - counted.n + held.place, changed_at = ${tx.clock.iso()}::timestamptz
    from held join counted using (ordering_key) join numbered using (ordering_key) where o.seq = held.seq`.execute(own(tx))
  return Number(result.numAffectedRows ?? 0)
}

export const statesByKey = (c: Ctx | TxCtx, keys: readonly string[]) =>
  own(c)
    .selectFrom('exchange.outbox')
    .select(['key', 'kind', 'state', 'document', 'reject_message', 'created_at', 'settled_at'])
    .where('key', '=', any(keys))
    .execute()

export const lockMessage = (tx: TxCtx, connectionId: string, key: string): Promise<Stored | undefined> =>
  own(tx)
    .selectFrom('exchange.outbox')
    .select(messageColumns)
    .where('key', '=', key)
    .where('connection_id', '=', connectionId)
    .forUpdate()
    .executeTakeFirst()

/** In the order of their numbers, so that two transactions never wait for each other. */
export const lockMessages = (tx: TxCtx, seqs: readonly string[]): Promise<Stored[]> =>
  own(tx).selectFrom('exchange.outbox').select(messageColumns).where('seq', '=', any(seqs)).orderBy('seq').forUpdate().execute()

export const lockMessageBySeq = (tx: TxCtx, seq: string): Promise<Stored | undefined> =>
  own(tx).selectFrom('exchange.outbox').select(messageColumns).where('seq', '=', seq).forUpdate().executeTakeFirst()

export const messageBySeq = (c: Ctx | TxCtx, seq: string): Promise<Stored | undefined> =>
  own(c).selectFrom('exchange.outbox').select(messageColumns).where('seq', '=', seq).executeTakeFirst()

export const eventsOf = (c: Ctx, seq: string) =>
  own(c)
    .selectFrom('exchange.outbox_event')
    .select(['seq', 'at', 'event', 'state', 'detail', 'actor'])
    .where('outbox_seq', '=', seq)
    .orderBy('seq')
    .execute()

/** A list for people, newest last; `state` `open` means everything that is not through. */
export async function listMessages(
  c: Ctx,
  filter: { connectionId: string | null; state: string | null; orderingKey: string | null; after: string; limit: number }
): Promise<Stored[]> {
  const { rows } = await sql<Stored>`
    select ${sql.join(messageColumns.map(column => sql.ref(column)))} from exchange.outbox
    where (${filter.connectionId}::uuid is null or connection_id = ${filter.connectionId}::uuid)
      and (${filter.state}::text is null or state = ${filter.state}::text or ${filter.state}::text = 'open' and state not in ('accepted', 'dropped'))
      and (${filter.orderingKey}::text is null or ordering_key = ${filter.orderingKey}::text) and seq > ${filter.after}::bigint
    order by seq limit ${filter.limit}`.execute(own(c))
  return rows
}

export interface Changed {
  readonly row: Stored
  readonly to: Machine
  readonly event: string
  readonly detail: string | null
  /** The batch that it was sealed in just now. */
  readonly batchId?: string
}

/** Stores new states and their events, set-wise. The numbers come a second time, so that the planner never reads the whole table for them. */
export async function saveStates(tx: TxCtx, changes: readonly Changed[], actor: string): Promise<void> {
  if (changes.length === 0) return
  const now = tx.clock.iso()
  const instant = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())
  const json = JSON.stringify(
    changes.map(({ row, to, event, detail, batchId }) => ({
      seq: row.seq,
      batch_id: batchId ?? row.batch_id,
      state: to.state,
      attempts: to.attempts,
      lookups: to.lookups,
      not_found_at: to.notFoundAt.map(ms => new Date(ms).toISOString()),
      previous: to.previous,
      next_attempt_at: instant(to.nextAttemptAt),
      confirm_by: instant(to.confirmBy),
      document: to.ref?.document ?? null,
      document_line: to.ref?.line ?? null,
      reject_code: to.reject?.code ?? null,
      reject_message: to.reject?.message ?? null,
      alarm: to.alarm,
      event,
      detail: detail?.slice(0, 1_000) ?? null
    }))
  )
  await sql`
    with n as materialized (select * from jsonb_to_recordset(${json}::jsonb) as n (seq bigint, batch_id uuid, state text, attempts integer, lookups integer,
        not_found_at timestamptz[], previous text, next_attempt_at timestamptz, confirm_by timestamptz, document text, document_line text,
        reject_code text, reject_message text, alarm text, event text, detail text)),
      saved as (update exchange.outbox o set batch_id = n.batch_id, state = n.state, attempts = n.attempts, lookups = n.lookups, not_found_at = n.not_found_at,
        previous = n.previous, next_attempt_at = n.next_attempt_at, confirm_by = n.confirm_by, document = n.document,
        document_line = n.document_line, reject_code = n.reject_code, reject_message = n.reject_message, alarm = n.alarm,
        sent_at = case when n.state = 'sending' then coalesce(o.sent_at, ${now}::timestamptz) else o.sent_at end,
        settled_at = case when n.state in ('accepted', 'dropped') then ${now}::timestamptz end, changed_at = ${now}::timestamptz
        from n where o.seq = n.seq and o.seq = any(${changes.map(({ row }) => row.seq)}::bigint[]))
    insert into exchange.outbox_event (outbox_seq, at, event, state, detail, actor)
    select seq, ${now}::timestamptz, event, state, detail, ${actor}::text from n`.execute(own(tx))
}

/** The stored row as the machine reads it. */
export const machineOf = (row: Stored): Machine => ({
  state: row.state,
  attempts: row.attempts,
  lookups: row.lookups,
  notFoundAt: row.not_found_at.map(text => Date.parse(text)),
  previous: row.previous,
  nextAttemptAt: row.next_attempt_at === null ? null : Date.parse(row.next_attempt_at),
  confirmBy: row.confirm_by === null ? null : Date.parse(row.confirm_by),
  ref: row.document === null ? null : { document: row.document, ...(row.document_line === null ? {} : { line: row.document_line }) },
  reject: row.reject_code === null ? null : { code: row.reject_code, message: row.reject_message ?? '' },
  alarm: row.alarm
})
