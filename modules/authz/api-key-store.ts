import type { Ctx, TxCtx } from '../../core/index.ts'
import { own } from './tables.ts'

export const listApiKeys = (ctx: Ctx) =>
  own(ctx)
    .selectFrom('authz.api_key')
    .select(['id', 'name', 'permissions', 'group_ids', 'addresses', 'expires_at', 'revoked_at', 'created_at'])
    .orderBy('created_at')
    .execute()

export async function insertApiKey(
  tx: TxCtx,
  row: {
    id: string
    name: string
    lookup: string
    digest: Buffer
    permissions: string[]
    group_ids: string[]
    addresses: string[]
    expires_at: string
  }
): Promise<void> {
  await own(tx)
    .insertInto('authz.api_key')
    .values({ ...row, revoked_at: null })
    .execute()
}

export const revokeApiKey = (tx: TxCtx, id: string) =>
  own(tx)
    .updateTable('authz.api_key')
    .set({ revoked_at: tx.clock.iso(), changed_at: tx.clock.iso() })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .returning('lookup')
    .executeTakeFirst()
