import { EventEmitter } from 'node:events'
import { sql } from 'kysely'
import type { Clock } from '../clock.ts'
import type { Control } from '../db/control.ts'
import type { DueBoard, DueKind } from '../db/tx.ts'
import type { Changes } from './changes.ts'

/** Marks stay for at least this long after they were made: longer than they serve and the longest transaction may take, together. */
export const dueGraceSeconds = 60
/**
 * So long a mark serves further commits of this process: nobody may take it away before they are through, and each would cost a commit
 * of its own and a place in the row's queue.
 */
const servesSeconds = 5
/** Other processes hear of a tenant at once, and after that at most this often. */
const announceMs = 100
const mostMarks = 1_000

export interface Due {
  readonly tenantId: string
  readonly kind: DueKind
  readonly generation: string
  readonly markedAt: string
}

/** The board of tenants with work waiting, and the nudges between processes (LISTEN on control, in memory within one). */
export interface DueDesk extends DueBoard {
  /** All marks, oldest first. */
  list(): Promise<readonly Due[]>
  /** Clears marks behind which a look found nothing, unless they were made anew or were too young when it began. */
  clear(seen: readonly Due[], lookedAt?: Date): Promise<void>
  onAnnounce(listener: (tenantId: string, kind: DueKind) => void): () => void
}

export function dueDesk(control: Control, clock: Clock, changes: Pick<Changes, 'tell'> = { tell: () => {} }): DueDesk {
  const nudges = new EventEmitter()
  nudges.setMaxListeners(50)
  const marks = new Map<string, { readonly at: number; readonly made: Promise<void> }>()
  /** Tenants that the others heard of just now, with what is to be told next. */
  const told = new Map<string, Set<DueKind>>()

  async function insertMarks(tenantId: string, kinds: readonly DueKind[]): Promise<void> {
    await sql`insert into control.tenant_due (tenant_id, kind, marked_at)
      select ${tenantId}::uuid, k, ${clock.iso()}::timestamptz from unnest(${kinds}::text[]) as k order by k
      on conflict (tenant_id, kind) do update
        set generation = control.tenant_due.generation + 1, marked_at = excluded.marked_at, changed_at = now()`.execute(control.kysely)
  }

  /** Lost ones are found by the sweep, so a failure here is no failure of the act. */
  function tellOthers(tenantId: string, kinds: ReadonlySet<DueKind>): void {
    told.set(tenantId, new Set())
    sql`select pg_notify('werkvloer_due', ${JSON.stringify([tenantId, ...kinds])})`.execute(control.kysely).catch(() => {})
    setTimeout(() => {
      const next = told.get(tenantId)
      told.delete(tenantId)
      if (next && next.size > 0) tellOthers(tenantId, next)
    }, announceMs).unref()
  }

  return {
    async mark(tenantId, kinds) {
      const now = clock.now().getTime()
      const keyOf = (kind: DueKind): string => `${tenantId} ${kind}`
      const stale = [...kinds].sort().filter(kind => {
        const mark = marks.get(keyOf(kind))
        return mark === undefined || now < mark.at || now >= mark.at + servesSeconds * 1_000
      })
      if (stale.length > 0) {
        if (marks.size > mostMarks) marks.clear()
        const mark = { at: now, made: insertMarks(tenantId, stale) }
        for (const kind of stale) marks.set(keyOf(kind), mark)
        mark.made.catch(() => {
          for (const kind of stale) if (marks.get(keyOf(kind)) === mark) marks.delete(keyOf(kind))
        })
      }
      await Promise.all([...kinds].map(kind => marks.get(keyOf(kind))?.made))
    },
    announce(tenantId, kinds) {
      for (const kind of kinds) nudges.emit('due', tenantId, kind)
      const next = told.get(tenantId)
      if (next) for (const kind of kinds) next.add(kind)
      else tellOthers(tenantId, kinds)
    },
    changed: (tenantId, schemas) => changes.tell(tenantId, schemas),
    async list() {
      const rows = await control.kysely
        .selectFrom('control.tenant_due')
        .select(['tenant_id', 'kind', 'generation', 'marked_at'])
        .orderBy('marked_at')
        .execute()
      return rows.map(row => ({ tenantId: row.tenant_id, kind: row.kind as DueKind, generation: row.generation, markedAt: row.marked_at }))
    },
    async clear(seen, lookedAt = clock.now()) {
      const before = new Date(lookedAt.getTime() - dueGraceSeconds * 1000).toISOString()
      for (const due of seen) {
        await control.kysely
          .deleteFrom('control.tenant_due')
          .where('tenant_id', '=', due.tenantId)
          .where('kind', '=', due.kind)
          .where('generation', '=', due.generation)
          .where('marked_at', '<', before)
          .execute()
      }
    },
    onAnnounce(listener) {
      nudges.on('due', listener)
      return () => nudges.off('due', listener)
    }
  }
}
