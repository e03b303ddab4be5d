import t from 'tap'
import type { Adapter } from '../contract/index.ts'
import type { Check } from './check.ts'
import { ackChecks } from './checks-acks.ts'
import { exportChecks } from './checks-export.ts'
import { importChecks } from './checks-import.ts'
import { manifestChecks } from './checks-manifest.ts'
import { pullChecks } from './checks-pull.ts'
import type { ConformanceOptions, Subject } from './erp.ts'

export type { Booked, Books, Offered } from './books.ts'
export { Broken, type Check } from './check.ts'
export { goldenOf } from './checks-import.ts'
export type { Answer, ConformanceOptions, Delivery, DeliveryOptions, Erp, JsonObject, Subject } from './erp.ts'
export { type Host, openHost, SettingsRefused } from './harness.ts'
export { sampleExport, sampleImport, sampleImports } from './samples.ts'
export {
  duplicateDelivery,
  openSimulator,
  partialFile,
  reorder,
  type Simulator,
  testClock,
  type WriteFault,
  writeFaults
} from './simulator.ts'

/** All checks by number. */
export const checks: readonly Check[] = [...manifestChecks, ...importChecks, ...pullChecks, ...exportChecks, ...ackChecks].sort((a, b) =>
  a.id < b.id ? -1 : 1
)

export type Verdict =
  | { readonly id: string; readonly verdict: 'kept' }
  | { readonly id: string; readonly verdict: 'skipped' | 'broken'; readonly why: string }

/** Runs one check; never throws. */
export async function judge(check: Check, subject: Subject): Promise<Verdict> {
  const { id } = check
  const why = check.skip?.(subject)
  if (why !== undefined) return { id, verdict: 'skipped', why }
  try {
    await check.run(subject)
    return { id, verdict: 'kept' }
  } catch (error) {
    return { id, verdict: 'broken', why: error instanceof Error ? error.message : String(error) }
  }
}

/** Makes one tap test of each check; one that does not apply to this adapter is skipped and says why. */
export function conformance(adapter: Adapter, options: ConformanceOptions): void {
  const subject: Subject = { adapter, options }
  for (const check of checks) {
    const why = check.skip?.(subject)
    t.test(`${adapter.manifest.id}: ${check.id} ${check.title}`, why === undefined ? {} : { skip: why }, async test => {
      const result = await judge(check, subject)
      test.equal(result.verdict, 'kept', result.verdict === 'broken' ? `${check.id}: ${result.why}` : check.id)
    })
  }
}
