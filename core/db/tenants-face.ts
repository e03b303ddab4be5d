import type { Ctx, Tenant } from '../context.ts'
import type { Db } from './tx.ts'

/** A tenant as the control database knows it. */
export interface TenantEntry {
  readonly id: string
  readonly code: string
  readonly zone: string
  readonly state: 'provisioning' | 'active' | 'suspended'
  readonly schemaVersion: number
}

export interface OpenTenant {
  readonly tenant: Tenant
  readonly db: Db
}

/** The registry of tenants and their lazily opened, capped pools. */
export interface Tenants {
  /** Opens by id, known from a verified credential. Refuses `tenant_unavailable` (unknown, suspended, unknown schema version) and `unavailable` (too many waiting, with Retry-After). */
  open(tenantId: string): Promise<OpenTenant>
  /** What sign-in asks: the code only selects where to verify. */
  byCode(code: string): Promise<TenantEntry | undefined>
  list(): Promise<readonly TenantEntry[]>
  /** A context for work that no person asked for: whole scope, no permissions, principal `system`. */
  system(tenantId: string, actor: string): Promise<Ctx>
}

/** Kinds of credential that exist before there is a tenant. */
export type DirectoryKind = 'session' | 'api_key' | 'invite' | 'sftp_user' | 'sftp_key' | 'erp_token' | 'connection'

/**
 * The credential directory in control: which tenant (and connection) a credential's lookup part leads to. Keys and lookups only,
 * no names and no secrets. A lookup is unique per kind over all tenants; `add` answers false when it is taken.
 */
export interface Directory {
  add(entry: { kind: DirectoryKind; lookup: string; tenantId: string; connectionId?: string }): Promise<boolean>
  find(kind: DirectoryKind, lookup: string): Promise<{ readonly tenantId: string; readonly connectionId: string | null } | undefined>
  remove(kind: DirectoryKind, lookup: string): Promise<void>
}

/** Signs identity-only access tokens (EdDSA, at most 15 minutes). */
export interface AccessTokens {
  issue(identity: { tenantId: string; userId: string; sessionId: string }): { token: string; expiresAt: string }
}
