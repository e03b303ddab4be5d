import type { Customer } from './customers.ts'
import type { SlowErp } from './erp.ts'
import type { Installation } from './house.ts'
import type { Load } from './load.ts'

/** What the faults happen to. */
export interface Scene {
  readonly house: Installation
  readonly load: Load
  /** Those whose ERP takes files; the first of them is the one to whom something happens alone. */
  readonly filing: readonly [Customer, ...Customer[]]
  /** Those whose ERP is called. */
  readonly calling: readonly Customer[]
  readonly erp: SlowErp
  readonly short: boolean
  teardown(fn: () => Promise<void>): void
  say(line: string): void
}

/** How one fault went: what did not hold, as sentences; none for a fault that was survived. */
export interface Survival {
  readonly fault: string
  readonly broken: readonly string[]
  /** Times of the others, with the fault against without. */
  readonly ratio?: number
  /** Why it could not be made here. */
  readonly notRun?: string
}

/** Collects what does not hold. */
export function checks() {
  const broken: string[] = []
  return {
    broken,
    holds(ok: boolean, sentence: string): void {
      if (!ok) broken.push(sentence)
    }
  }
}
