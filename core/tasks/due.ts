import { EventEmitter } from 'node:events'
import { sql } from 'kysely'
import type { Clock } from '../clock.ts'
import type { Control } from '../db/control.ts'
import type { DueBoard, DueKind } from '../db/tx.ts'
import type { Changes } from './changes.ts'

/** Marks stay for at least this long after they were made: longer than the longest transaction may take. */
export const dueGraceSeconds = 60

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
  /** Clears marks that were looked at and found empty, unless they were made anew or are too young. */
  clear(seen: readonly Due[]): Promise<void>
  onAnnounce(listener: (tenantId: string, kind: DueKind) => void): () => void
}

export function dueDesk(control: Control, clock: Clock, changes: Pick<Changes, 'tell'> = { tell: () => {} }): DueDesk {
  const nudges = new EventEmitter()
  nudges.setMaxListeners(50)
  return {
    async mark(tenantId, kinds) {
      await sql`insert into control.tenant_due (tenant_id, kind, marked_at)
        select ${tenantId}::uuid, k, ${clock.iso()}::timestamptz from unnest(${[...kinds].sort()}::text[]) as k order by k
        on conflict (tenant_id, kind) do update
          set generation = control.tenant_due.generation + 1, marked_at = excluded.marked_at, changed_at = now()`.execute(control.kysely)
    },
    announce(tenantId, kinds) {
      for (const kind of kinds) nudges.emit('due', tenantId, kind)
      // Other processes: lost nudges are found by the sweep, so a failure here is no failure of the act.
      sql`select pg_notify('werkvloer_due', ${JSON.stringify([tenantId, ...kinds])})`.execute(control.kysely).catch(() => {})
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
    async clear(seen) {
      const before = new Date(clock.now().getTime() - dueGraceSeconds * 1000).toISOString()
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
