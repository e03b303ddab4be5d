import { sql } from 'kysely'
import type { ImportKind, Json } from '../../adapters/contract/index.ts'
import type { Ctx, TxCtx } from '../context.ts'
import { view } from '../db/tx.ts'

interface PullRow {
  connection_id: string
  kind: string
  checkpoint: Json | null
  adapter_version: string | null
  every_seconds: number | null
  next_at: string | null
  last_started_at: string | null
  last_finished_at: string | null
  attempts: number
  reason: string | null
  changed_at: string
}
const own = view<{ 'exchange.pull_state': PullRow; 'exchange.connection': { id: string; state: string } }>()

/** How a kind of a connection is fetched, and how that goes. */
export interface PullPlan {
  readonly connectionId: string
  readonly kind: ImportKind
  readonly checkpoint: Json
  readonly everySeconds: number | null
  readonly nextAt: string | null
  readonly lastStartedAt: string | null
  readonly lastFinishedAt: string | null
  readonly attempts: number
  readonly reason: string | null
}

const columns = [
  'connection_id',
  'kind',
  'checkpoint',
  'every_seconds',
  'next_at',
  'last_started_at',
  'last_finished_at',
  'attempts',
  'reason'
] as const satisfies readonly (keyof PullRow)[]
const planOf = (row: Pick<PullRow, (typeof columns)[number]>): PullPlan => ({
  connectionId: row.connection_id,
  kind: row.kind as ImportKind,
  checkpoint: row.checkpoint,
  everySeconds: row.every_seconds,
  nextAt: row.next_at,
  lastStartedAt: row.last_started_at,
  lastFinishedAt: row.last_finished_at,
  attempts: row.attempts,
  reason: row.reason
})

export async function schedulePull(tx: TxCtx, connectionId: string, kind: ImportKind, everySeconds: number | null): Promise<void> {
  const at = tx.clock.iso()
  await sql`insert into exchange.pull_state (connection_id, kind, every_seconds, next_at, created_at, changed_at)
    values (${connectionId}::uuid, ${kind}, ${everySeconds}::int, ${everySeconds === null ? null : at}::timestamptz, ${at}::timestamptz, ${at}::timestamptz)
    on conflict (connection_id, kind) do update
      set every_seconds = excluded.every_seconds, next_at = excluded.next_at, attempts = 0, reason = null, changed_at = excluded.changed_at`.execute(
    own(tx)
  )
}

export async function pullPlans(c: Ctx | TxCtx, connectionId?: string): Promise<readonly PullPlan[]> {
  const rows = await own(c)
    .selectFrom('exchange.pull_state')
    .select(columns)
    .where(sql<boolean>`(${connectionId ?? null}::uuid is null or connection_id = ${connectionId ?? null}::uuid)`)
    .orderBy('connection_id')
    .orderBy('kind')
    .execute()
  return rows.map(planOf)
}

/** Plans of active connections with a schedule, whenever they are due. */
export async function scheduledPulls(c: Ctx): Promise<readonly PullPlan[]> {
  const rows = await own(c)
    .selectFrom('exchange.pull_state as p')
    .innerJoin('exchange.connection as k', 'k.id', 'p.connection_id')
    .select(columns.map(column => `p.${column}` as const))
    .where('k.state', '=', 'active')
    .where('p.next_at', 'is not', null)
    .orderBy('p.next_at')
    .execute()
  return (rows as unknown as Pick<PullRow, (typeof columns)[number]>[]).map(planOf)
}

export async function pullStarted(tx: TxCtx, connectionId: string, kind: ImportKind): Promise<void> {
  await own(tx)
    .updateTable('exchange.pull_state')
    .set({ last_started_at: tx.clock.iso(), changed_at: tx.clock.iso() })
    .where('connection_id', '=', connectionId)
    .where('kind', '=', kind)
    .execute()
}

/** An empty checkpoint never replaces a full one: an ERP that answers nothing must not send us back to the beginning. */
export async function saveCheckpoint(
  tx: TxCtx,
  connectionId: string,
  kind: ImportKind,
  checkpoint: Json,
  adapterVersion: string
): Promise<void> {
  if (isEmpty(checkpoint)) return
  await own(tx)
    .updateTable('exchange.pull_state')
    .set({ checkpoint: sql`${JSON.stringify(checkpoint)}::jsonb`, adapter_version: adapterVersion, changed_at: tx.clock.iso() })
    .where('connection_id', '=', connectionId)
    .where('kind', '=', kind)
    .execute()
}

export const isEmpty = (checkpoint: Json): boolean =>
  checkpoint === null ||
  checkpoint === '' ||
  (typeof checkpoint === 'object' && Object.values(checkpoint).every(value => value === null || value === ''))

export async function pullEnded(
  tx: TxCtx,
  connectionId: string,
  kind: ImportKind,
  end: { nextAt: string | null; attempts: number; reason: string | null }
): Promise<void> {
  const at = tx.clock.iso()
  await own(tx)
    .updateTable('exchange.pull_state')
    .set({
      next_at: end.nextAt,
      attempts: end.attempts,
      reason: end.reason,
      changed_at: at,
      ...(end.attempts === 0 ? { last_finished_at: at } : {})
    })
    .where('connection_id', '=', connectionId)
    .where('kind', '=', kind)
    .execute()
}
