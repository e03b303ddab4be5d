import { deepStrictEqual } from 'node:assert'
import type { ExportKind, ImportKind } from '../contract/index.ts'
import type { Delivery, DeliveryOptions, JsonObject, Subject } from './erp.ts'

/** One promise of an adapter. The number never changes. */
export interface Check {
  readonly id: string
  readonly title: string
  /** Why it does not apply to this adapter; undefined when it does. */
  skip?(subject: Subject): string | undefined
  /** Throws `Broken` with a sentence when the promise is not kept. */
  run(subject: Subject): Promise<void>
}

/** What an adapter does wrong. */
export class Broken extends Error {
  constructor(sentence: string) {
    super(sentence)
    this.name = 'Broken'
  }
}

export function expect(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new Broken(sentence)
}

export function expectSame(found: unknown, wanted: unknown, sentence: string): void {
  try {
    deepStrictEqual(found, wanted)
  } catch (error) {
    throw new Broken(`${sentence}\n${error instanceof Error ? error.message : ''}`)
  }
}

/** Kinds that come as a file or a call, so that the ERP of the test can deliver them. */
export const deliveredKinds = ({ adapter }: Subject): ImportKind[] =>
  (Object.keys(adapter.manifest.imports) as ImportKind[]).filter(kind => adapter.manifest.imports[kind]?.via.some(via => via !== 'pull'))
export const pulledKinds = ({ adapter }: Subject): ImportKind[] =>
  (Object.keys(adapter.manifest.imports) as ImportKind[]).filter(kind => adapter.manifest.imports[kind]?.via.includes('pull'))
export const exportedKinds = ({ adapter }: Subject): ExportKind[] => Object.keys(adapter.manifest.exports) as ExportKind[]

export function deliver({ options }: Subject, kind: ImportKind, records: readonly JsonObject[], how?: DeliveryOptions): Delivery {
  if (!options.erp.deliver) throw new Broken('options.erp.deliver is missing: the kit cannot make deliveries of this ERP')
  return options.erp.deliver(kind, records, how)
}

export const withoutDeliveries = (subject: Subject): string | undefined =>
  deliveredKinds(subject).length > 0 ? undefined : 'this adapter takes neither files nor calls'
export const withoutPulls = (subject: Subject): string | undefined =>
  pulledKinds(subject).length > 0 ? undefined : 'this adapter fetches nothing'
export const withoutExports = (subject: Subject): string | undefined =>
  exportedKinds(subject).length > 0 ? undefined : 'this adapter sends nothing'
export const withoutLookup = ({ adapter }: Subject): string | undefined => (adapter.lookup ? undefined : 'this adapter has no lookup')
