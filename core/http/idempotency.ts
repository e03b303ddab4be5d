import type { FastifyReply, FastifyRequest } from 'fastify'
import { sql } from 'kysely'
import type { Ctx, TxCtx } from '../context.ts'
import { view, withTx } from '../db/tx.ts'
import { refuse } from '../errors.ts'
import { sha256 } from '../ids.ts'

interface IdempotencyTables {
  'core.idempotency': { principal: string; key: string; fingerprint: Buffer; status: number | null; result: unknown; created_at: string }
}
const own = view<IdempotencyTables>()

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

/**
 * Every writing route goes through here. `run` does the work in one transaction and returns the ids of what it made; `show` renders
 * the answer from them after the commit. With an Idempotency-Key header the key is inserted first in the same transaction, so a
 * repeat finds it (waiting for the first if it still runs) and gets the answer rendered again, with `Idempotency-Replayed: true`.
 * Refusals: `idempotency_key_reused` when the key came with another method, address or body.
 */
export async function act<R extends Json, B>(
  request: FastifyRequest,
  reply: FastifyReply,
  steps: { status?: number; run: (tx: TxCtx) => Promise<R>; show: (ctx: Ctx, result: R) => Promise<B> | B }
): Promise<B> {
  const key = keyOf(request)
  const status = steps.status ?? 200
  const principal = `${request.ctx.principal.kind}:${request.ctx.principal.id}`
  const outcome = await withTx(request.ctx, async tx => {
    if (key === undefined) return { replayed: false, status, result: await steps.run(tx) }
    const fingerprint = sha256(`${request.method}\n${request.url}\n${JSON.stringify(request.body ?? null)}`)
    const mine = await own(tx)
      .insertInto('core.idempotency')
      .values({ principal, key, fingerprint, status: null, result: null, created_at: tx.clock.iso() })
      .onConflict(c => c.columns(['principal', 'key']).doNothing())
      .returning('key')
      .executeTakeFirst()
    if (!mine) {
      const first = await own(tx)
        .selectFrom('core.idempotency')
        .select(['fingerprint', 'status', 'result'])
        .where('principal', '=', principal)
        .where('key', '=', key)
        .executeTakeFirstOrThrow()
      if (!fingerprint.equals(first.fingerprint)) {
        throw refuse('idempotency_key_reused', `The Idempotency-Key ${key} was used for another request. Make a new key for this one.`)
      }
      return { replayed: true, status: first.status ?? status, result: first.result as R }
    }
    const result = await steps.run(tx)
    const answered = own(tx)
      .updateTable('core.idempotency')
      .set({ status, result: sql`${JSON.stringify(result)}::jsonb` })
      .where('principal', '=', principal)
      .where('key', '=', key)
    tx.tx.later(answered.compile())
    return { replayed: false, status, result }
  })
  if (outcome.replayed) reply.header('idempotency-replayed', 'true')
  reply.code(outcome.status)
  return steps.show(request.ctx, outcome.result)
}

/** A terminal that was switched off for the summer may repeat what it never heard about; after that a key is free again. */
export const keyDays = 30

/** Takes away keys nobody repeats any more. Idempotent. @returns how many */
export async function forgetKeys(ctx: Ctx): Promise<number> {
  const before = new Date(ctx.clock.now().getTime() - keyDays * 86_400_000).toISOString()
  return withTx(ctx, async tx => {
    const gone = await own(tx).deleteFrom('core.idempotency').where('created_at', '<', before).executeTakeFirst()
    return Number(gone.numDeletedRows)
  })
}

function keyOf(request: FastifyRequest): string | undefined {
  const value = request.headers['idempotency-key']
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !/^[\x21-\x7e]{8,200}$/.test(value)) {
    throw refuse('invalid_request', 'The Idempotency-Key must be 8 to 200 printable characters without spaces, for instance a UUID.', {
      errors: [{ pointer: '/headers/idempotency-key', detail: '8 to 200 printable characters without spaces' }]
    })
  }
  return value
}
