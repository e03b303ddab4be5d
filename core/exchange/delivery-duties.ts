import type { Ctx } from '../context.ts'
import { withTx } from '../db/tx.ts'
import { journal } from '../journal/append.ts'
import type { Blobs } from '../storage/blobs.ts'
import { removeRaw } from './raw.ts'
import { namedBlobs, releaseBlobs } from './raw-store.ts'

export interface RawRetention {
  /** Days for which raw bytes of finished deliveries are kept; and of those with records still in the error bin. */
  readonly doneDays: number
  readonly openDays: number
}
export const rawRetention: RawRetention = { doneDays: 30, openDays: 90 }

/** Deletes the raw bytes of old deliveries; their rows, counts and hashes stay. Idempotent. @returns how many were let go */
export async function expireRaw(ctx: Ctx, blobs: Blobs, { doneDays, openDays }: RawRetention = rawRetention): Promise<number> {
  const before = (days: number): string => new Date(ctx.clock.now().getTime() - days * 86_400_000).toISOString()
  let total = 0
  for (;;) {
    const ids = await withTx(ctx, async tx => {
      const released = await releaseBlobs(tx, { doneBefore: before(doneDays), openBefore: before(openDays), at: tx.clock.iso() })
      if (released.length > 0) {
        await journal.append(tx, {
          act: 'delivery.expire_raw',
          subject: 'exchange.delivery',
          subjectId: 'many',
          data: { count: released.length }
        })
      }
      return released
    })
    await removeRaw(ctx, blobs, ids)
    total += ids.length
    if (ids.length < 500) return total
  }
}

const orphanSeconds = 86_400

/** Deletes blobs that no row names a day after they were made: what a crash left between bytes and row. @returns how many */
export function sweepRaw(ctx: Ctx, blobs: Blobs): Promise<number> {
  const olderThan = new Date(ctx.clock.now().getTime() - orphanSeconds * 1000)
  return blobs.sweep(ctx.tenant.id, ids => namedBlobs(ctx, ids), olderThan)
}
