import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Ctx, TxCtx } from '../context.ts'
import { view } from '../db/tx.ts'
import type { Shutdown } from '../shutdown.ts'
import { type Lease, LeaseLost, type WithLease } from './lease.ts'

interface LeaseTables {
  'core.lease': { name: string; holder: string; fence: string; expires_at: string }
}
const own = view<LeaseTables>()

/** A dead holder's work is free after this; a heartbeat renews it three times within. */
export const leaseSeconds = 30
const heartbeatSeconds = 8

/**
 * Leases in the tenant's own database. Time is the database's, so that clocks of processes do not matter. No advisory lock is held
 * across calls: a lease survives the loss of a connection and ends with its term.
 */
export function withLeases(
  shutdown: Pick<Shutdown, 'add'>,
  seconds: { lease: number; heartbeat: number } = { lease: leaseSeconds, heartbeat: heartbeatSeconds }
): WithLease {
  const holder = randomUUID()
  const stop = new AbortController()
  shutdown.add('leases', () => stop.abort())

  return async <R>(ctx: Ctx, name: string, fn: (lease: Lease) => Promise<R>): Promise<R | undefined> => {
    const asked = performance.now()
    const taken = await sql<{ fence: string }>`
      insert into core.lease (name, holder, fence, expires_at) values (${name}, ${holder}, 1, now() + make_interval(secs => ${seconds.lease}))
      on conflict (name) do update set holder = excluded.holder, fence = core.lease.fence + 1, expires_at = excluded.expires_at, changed_at = now()
        where core.lease.expires_at < now()
      returning fence::text`.execute(own(ctx))
    const row = taken.rows[0]
    if (!row) return undefined
    const fence = BigInt(row.fence)
    const lost = new AbortController()
    const signal = AbortSignal.any([lost.signal, stop.signal])
    // Counted from before the question: the database's term cannot have begun earlier.
    let until = asked + seconds.lease * 1000
    const timer = setInterval(() => {
      const from = performance.now()
      if (from >= until) lost.abort(new LeaseLost(name))
      renew(ctx, name, row.fence, seconds.lease).then(
        still => {
          if (still) until = Math.max(until, from + seconds.lease * 1000)
          else lost.abort(new LeaseLost(name))
        },
        // The database does not answer: when the term runs out another may have the work.
        () => {}
      )
    }, seconds.heartbeat * 1000)
    const lease: Lease = {
      name,
      fence,
      signal,
      held() {
        if (performance.now() >= until) lost.abort(new LeaseLost(name))
        signal.throwIfAborted()
      },
      async check(tx: TxCtx) {
        const held =
          await sql`select 1 from core.lease where name = ${name} and fence = ${row.fence}::bigint and holder = ${holder}::uuid for share`.execute(
            own(tx)
          )
        if (held.rows.length === 0) {
          lost.abort(new LeaseLost(name))
          throw new LeaseLost(name)
        }
      }
    }
    try {
      return await fn(lease)
    } finally {
      clearInterval(timer)
      // A database that was away when the work ended need not keep it from the next until the term runs out.
      if (!(await release(ctx, name, row.fence)) && !stop.signal.aborted) releaseLater(ctx, name, row.fence, seconds.lease)
    }
  }
}

/** @returns whether the database answered */
const release = (ctx: Ctx, name: string, fence: string): Promise<boolean> =>
  sql`update core.lease set expires_at = now() - interval '1 second', changed_at = now() where name = ${name} and fence = ${fence}::bigint`
    .execute(own(ctx))
    .then(
      () => true,
      () => false
    )

/** Each second until it worked, or the term is over anyway. */
function releaseLater(ctx: Ctx, name: string, fence: string, seconds: number): void {
  if (seconds <= 0) return
  setTimeout(() => {
    release(ctx, name, fence).then(done => {
      if (!done) releaseLater(ctx, name, fence, seconds - 1)
    })
  }, 1_000).unref()
}

async function renew(ctx: Ctx, name: string, fence: string, seconds: number): Promise<boolean> {
  const { rows } = await sql`update core.lease set expires_at = now() + make_interval(secs => ${seconds}), changed_at = now()
    where name = ${name} and fence = ${fence}::bigint returning 1 as one`.execute(own(ctx))
  return rows.length > 0
}
