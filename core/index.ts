/**
 * The face of core: the only file of core that modules import.
 */

import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import type { AccessTokens, Directory, Tenants } from './db/tenants-face.ts'
import type { Outbox } from './exchange/message.ts'
import type { Journal } from './journal/append.ts'
import type { Log } from './log.ts'
import type { Blobs } from './storage/blobs.ts'

/** What the platform offers to modules by name in `needs`. */
export interface Platform {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  readonly tenants: Tenants
  readonly directory: Directory
  readonly tokens: AccessTokens
  readonly journal: Journal
  readonly outbox: Outbox
  readonly blobs: Blobs
  /** Every permission of the house -> what it allows. */
  readonly catalogue: () => Readonly<Record<string, string>>
}

/** Faces of the modules; each module adds its own by declaration merging: `declare module '../../core/index.ts' { interface Faces { authz: Authz } }`. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by the modules
export interface Faces {}

export { type Clock, fixedClock, systemClock } from './clock.ts'
export type { Config } from './config.ts'
export type { Ctx, Grant, Principal, PrincipalKind, Scope, Tenant, TxCtx } from './context.ts'
export { wholeScope } from './context.ts'
export { constraintMeans } from './db/sqlstate.ts'
export type { AccessTokens, Directory, OpenTenant, TenantEntry, Tenants } from './db/tenants-face.ts'
export { any, type Db, view, withTx } from './db/tx.ts'
export { type FieldProblem, Refusal, type RefusalSpecs, refuse, refuser } from './errors.ts'
export type { Message, MessageState, Outbox } from './exchange/message.ts'
export type { Batch, ReceiveOutcome, Receivers } from './exchange/receivers.ts'
export { type Built, type Category, type Dictionary, type Duty, defineModule, type PersonalData, type Retention } from './host.ts'
export type { App } from './http/app.ts'
export { containing, cursorOf, readCursor } from './http/cursor.ts'
export { act } from './http/idempotency.ts'
export type { Identified, Identity } from './http/identity.ts'
export {
  errorResponses,
  Id,
  Instant,
  LocalDate,
  named,
  Page,
  PositiveQuantity,
  pageQuery,
  Quantity as QuantityText,
  ref,
  Text
} from './http/schemas.ts'
export { newId, newToken, type OpaqueToken, parseToken, sha256 } from './ids.ts'
export type { Journal } from './journal/append.ts'
export { dummyHash, hashPassword, passwordProblem, verifyPassword } from './keys/passwords.ts'
export type { Log } from './log.ts'
export * as quantity from './quantity.ts'
