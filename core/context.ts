import type { Clock } from './clock.ts'
import type { Db, Tx } from './db/tx.ts'
import type { TenantKeys } from './keys/tenant-keys.ts'
import type { Log } from './log.ts'

/** The tenant a verified credential led to. Its name is not here: it is nobody's business in the code. */
export interface Tenant {
  readonly id: string
  /** What people type at sign-in; also the only name that may appear in a log. */
  readonly code: string
  /** IANA zone in which days, shifts and terms are counted. */
  readonly zone: string
  readonly keys: TenantKeys
}

export type PrincipalKind = 'user' | 'api_key' | 'connection' | 'system'

/** Who acts: an id, never a name. */
export interface Principal {
  readonly kind: PrincipalKind
  readonly id: string
  readonly sessionId?: string
}

/** For which jobs somebody may act. `all` is said outright; empty lists mean no jobs. */
export interface Scope {
  readonly all: boolean
  readonly departments: readonly string[]
  readonly workCentres: readonly string[]
  readonly orders: readonly string[]
  /** LIKE patterns on the order number. */
  readonly orderPatterns: readonly string[]
}

/** Role decides what (permissions), operational groups decide for which jobs (scope). Read fresh on every request. */
export interface Grant {
  readonly permissions: ReadonlySet<string>
  readonly scope: Scope
}

/** What every act carries, also one on the control database, where there is no tenant yet: who, when, for which request. */
interface Acting {
  readonly principal: Principal
  readonly clock: Clock
  readonly requestId: string
}

/** The least with which something is read: what transactions and the journal need, no more. A tenant's context is one too. */
export interface BareCtx extends Acting {
  readonly db: Db
}

/** The same inside a transaction. */
export interface BareTxCtx extends Acting {
  readonly tx: Tx
}

interface Common extends Acting {
  readonly tenant: Tenant
  readonly grant: Grant
  readonly log: Log
}

/** First argument of everything that reads. */
export interface Ctx extends Common {
  readonly db: Db
}

/** First argument of everything that writes: a context with an open transaction and without the pool. */
export interface TxCtx extends Common {
  readonly tx: Tx
}

export const noScope: Scope = { all: false, departments: [], workCentres: [], orders: [], orderPatterns: [] }
export const wholeScope: Scope = { all: true, departments: [], workCentres: [], orders: [], orderPatterns: [] }
