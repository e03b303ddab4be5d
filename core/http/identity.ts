import type { Grant, Principal, Tenant } from '../context.ts'
import type { Db } from '../db/tx.ts'

/** Who a verified credential belongs to and what they may do now. */
export interface Identified {
  readonly principal: Principal
  readonly grant: Grant
}

/**
 * What authz provides to core's session: one indexed query per request. Undefined means no (ended session, disabled user,
 * revoked key), without a reason.
 */
export interface Identity {
  ofSession(db: Db, tenant: Tenant, claims: { userId: string; sessionId: string }, at: Date): Promise<Identified | undefined>
  ofApiKey(db: Db, tenant: Tenant, key: { lookup: string; digest: Uint8Array; ip: string }, at: Date): Promise<Identified | undefined>
}
