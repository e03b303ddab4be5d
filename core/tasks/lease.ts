import type { Ctx, TxCtx } from '../context.ts'

/**
 * A right to do one piece of tenant work, held while a heartbeat renews it. A worker that was frozen and wakes late has lost it:
 * `check` in the transaction of each commit refuses it by its fencing number.
 */
export interface Lease {
  readonly name: string
  readonly fence: bigint
  /** Aborted when the lease is lost or the process stops. */
  readonly signal: AbortSignal
  /** Throws LeaseLost when the term may be over by our own clock, or the signal was aborted: for acts that no transaction guards. */
  held(): void
  /** Locks the lease row for share and throws LeaseLost unless it is still ours. Call first in every transaction of the work. */
  check(tx: TxCtx): Promise<void>
}

export class LeaseLost extends Error {
  constructor(name: string) {
    super(`the lease ${name} was taken over by another worker`)
    this.name = 'LeaseLost'
  }
}

/** Runs `fn` while holding the lease; undefined when somebody else holds it. */
export type WithLease = <R>(ctx: Ctx, name: string, fn: (lease: Lease) => Promise<R>) => Promise<R | undefined>
