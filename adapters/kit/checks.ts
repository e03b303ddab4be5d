import type { Check } from './check.ts'
import { ackChecks } from './checks-acks.ts'
import { breakChecks } from './checks-breaks.ts'
import { documentChecks } from './checks-documents.ts'
import { exportChecks } from './checks-export.ts'
import { faultChecks } from './checks-faults.ts'
import { importChecks } from './checks-import.ts'
import { manifestChecks } from './checks-manifest.ts'
import { pullChecks } from './checks-pull.ts'
import { secrecyChecks } from './checks-secrecy.ts'
import { valueChecks } from './checks-values.ts'
import type { Subject } from './erp.ts'

/** All checks by number. */
export const checks: readonly Check[] = [
  ...manifestChecks,
  ...importChecks,
  ...valueChecks,
  ...breakChecks,
  ...pullChecks,
  ...exportChecks,
  ...faultChecks,
  ...documentChecks,
  ...ackChecks,
  ...secrecyChecks
].sort((a, b) => (a.id < b.id ? -1 : 1))

export type Verdict =
  | { readonly id: string; readonly verdict: 'kept' }
  | { readonly id: string; readonly verdict: 'skipped' | 'broken'; readonly why: string }

/** Runs one check; never throws. `skipped`: it does not apply to this adapter, which is no pass. */
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
