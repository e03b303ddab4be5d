import { sql } from 'kysely'
import type { Ctx } from '../context.ts'
import { any } from '../db/tx.ts'
import { type Delivery, type DeliveryState, own, read } from './deliveries-store.ts'

const finished: readonly DeliveryState[] = ['done', 'done_with_rejects', 'duplicate', 'held']
/** Day of a delivery in the tenant's zone. */
const dayIn = (zone: string) => sql<string>`to_char(finished_at at time zone ${zone}, 'YYYY-MM-DD')`

/** Days that archive/ shows. */
export async function archiveDays(c: Ctx, connectionId: string, since: string): Promise<readonly string[]> {
  const rows = await own(c)
    .selectFrom('exchange.delivery')
    .select(dayIn(c.tenant.zone).as('day'))
    .distinct()
    .where('connection_id', '=', connectionId)
    .where('state', '=', any(finished))
    .where('finished_at', '>=', since)
    .where('blob_id', 'is not', null)
    .where('way', '<>', 'replay')
    .orderBy('day')
    .execute()
  return rows.map(row => row.day)
}

export async function archiveFiles(c: Ctx, connectionId: string, day: string, since: string, limit: number): Promise<readonly Delivery[]> {
  return (await read(c)
    .where('connection_id', '=', connectionId)
    .where('state', '=', any(finished))
    .where('finished_at', '>=', since)
    .where(dayIn(c.tenant.zone), '=', day)
    .where('blob_id', 'is not', null)
    .where('way', '<>', 'replay')
    .orderBy('seq')
    .limit(limit)
    .execute()) as Delivery[]
}

/** Deliveries that rejected/ shows: refused whole, or with records in the error bin. */
export async function rejectedFiles(c: Ctx, connectionId: string, since: string, limit: number): Promise<readonly Delivery[]> {
  return (await read(c)
    .where('connection_id', '=', connectionId)
    .where('state', '=', any(['rejected', 'done_with_rejects', 'parked'] as const))
    .where('finished_at', '>=', since)
    .where('way', '<>', 'replay')
    .orderBy('seq')
    .limit(limit)
    .execute()) as Delivery[]
}

/** By number, for the names `<seq>-<name>`; without one the newest delivery of the name. */
export async function findFinished(
  c: Ctx,
  connectionId: string,
  wanted: { seq?: string; name: string },
  since: string
): Promise<Delivery | undefined> {
  return (await read(c)
    .where('connection_id', '=', connectionId)
    .where('name', '=', wanted.name)
    .where(sql<boolean>`(${wanted.seq ?? null}::bigint is null or seq = ${wanted.seq ?? null}::bigint)`)
    .where('finished_at', '>=', since)
    .where('way', '<>', 'replay')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()) as Delivery | undefined
}
