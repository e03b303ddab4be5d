import t from 'tap'
import type { Adapter } from '../contract/index.ts'
import { checks, judge } from './checks.ts'
import type { ConformanceOptions, Subject } from './erp.ts'

export type { Booked, Books, Offered } from './books.ts'
export { Broken, type Check } from './check.ts'
export { checks, judge, type Verdict } from './checks.ts'
export { goldenOf } from './checks-import.ts'
export type { Answer, ConformanceOptions, Delivery, DeliveryOptions, Effort, Erp, JsonObject, Subject, TextEncoding } from './erp.ts'
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
