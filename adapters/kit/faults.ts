import { canonical, type ExportKind } from '../contract/index.ts'
import { exportedKinds } from './check.ts'
import type { Subject } from './erp.ts'
import { type Host, openHost } from './harness.ts'
import { sampleExport } from './samples.ts'
import { type ReadFault, type WriteFault, writeFaults } from './simulator.ts'

/** What became of three messages under one sequence of faults. */
export interface Ended {
  /** The faults, as a sentence shows them. */
  readonly when: string
  readonly keys: readonly [first: string, second: string, other: string]
  /** Keys of the documents in the ERP, in the order in which it booked them. */
  readonly booked: readonly string[]
  readonly states: readonly string[]
  /** What differs in the ERP from a run in which nothing went wrong. */
  readonly difference: string | undefined
  /** Why nothing ended at all. */
  readonly failure: string | undefined
}

export const firstKind = (subject: Subject): ExportKind => exportedKinds(subject)[0] ?? 'orderStatus'

/** Two messages of one order and one of another. */
export function threeMessages(host: Host, kind: ExportKind): [string, string, string] {
  return [
    host.enqueue(kind, sampleExport(kind, 1, 'WO0001'), 'WO0001'),
    host.enqueue(kind, sampleExport(kind, 2, 'WO0001'), 'WO0001'),
    host.enqueue(kind, sampleExport(kind, 1, 'WO0002'), 'WO0002')
  ]
}

/** Every sequence of up to `length` faults. */
export function sequences(length: number): WriteFault[][] {
  let longest: WriteFault[][] = [[]]
  const all: WriteFault[][] = []
  for (let n = 1; n <= length; n++) {
    longest = longest.flatMap(sequence => writeFaults.map(fault => [...sequence, fault]))
    all.push(...longest)
  }
  return all
}

/** Sequences of four to twelve faults, the same at every run. */
export function randomSequences(count: number): WriteFault[][] {
  // xorshift32: good enough to mix six faults, and the same everywhere.
  let state = 0x9e3779b9
  const draw = (below: number): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
  return Array.from({ length: count }, () => Array.from({ length: 4 + draw(9) }, () => writeFaults[draw(writeFaults.length)] ?? 'ok'))
}

/** Reads that go wrong, for an adapter that reads while it sends; drawn like the faults of writes. */
const readFaultsFor = (faults: readonly WriteFault[]): ReadFault[] =>
  faults.flatMap((fault, place): ReadFault[] => [
    ...Array.from({ length: (place * 5 + fault.length) % 4 }, () => 'ok' as const),
    fault.length % 2 === 0 ? 'drop' : '503'
  ])

interface Trouble {
  readonly kind?: ExportKind
  /** The process dies behind that many outcomes, once. */
  readonly crashAfter?: number
  readonly readFaults?: readonly ReadFault[]
  /** The process dies at that call, once. */
  readonly dies?: { readonly call: number; readonly when: 'before' | 'behind' }
}

/** Sends three messages under a sequence of faults. */
export async function underFaults(
  subject: Subject,
  faults: readonly WriteFault[],
  { kind = firstKind(subject), crashAfter, readFaults = [], dies }: Trouble = {}
): Promise<Ended> {
  const host = openHost(subject)
  const keys = threeMessages(host, kind)
  host.simulator.faults.push(...faults)
  host.simulator.readFaults.push(...readFaults)
  if (dies) host.simulator.dieAt(dies.call, dies.when)
  let failure: string | undefined
  try {
    await host.run(crashAfter === undefined ? {} : { crashAfter })
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error)
  }
  return {
    when: [
      `${kind}:`,
      ...(crashAfter === undefined ? [] : [`crash behind outcome ${crashAfter},`]),
      ...(dies === undefined ? [] : [`death ${dies.when} call ${dies.call},`]),
      faults.join(', '),
      ...(readFaults.length > 0 ? [`(reads: ${readFaults.join(', ')})`] : [])
    ].join(' '),
    keys,
    booked: host.simulator.books.booked.map(({ key }) => key),
    states: keys.map(key => host.stateOf(key).state),
    difference: await differenceOf(subject, kind, host),
    failure
  }
}

const clean = new WeakMap<Subject, Map<ExportKind, string>>()
const factsOf = ({ options }: Subject, host: Host): string => canonical(options.erp.facts?.(host.simulator.books) ?? null)

async function differenceOf(subject: Subject, kind: ExportKind, host: Host): Promise<string | undefined> {
  if (!subject.options.erp.facts) return undefined
  const known = clean.get(subject) ?? new Map<ExportKind, string>()
  clean.set(subject, known)
  let wanted = known.get(kind)
  if (wanted === undefined) {
    const undisturbed = openHost(subject)
    threeMessages(undisturbed, kind)
    await undisturbed.run()
    wanted = factsOf(subject, undisturbed)
    known.set(kind, wanted)
  }
  const found = factsOf(subject, host)
  return found === wanted ? undefined : `the ERP holds ${found} instead of ${wanted}`
}

const ended = new WeakMap<Subject, Promise<Ended[]>>()

/** Every sequence of up to three faults, and many longer ones; run once for all checks that look at the end of them. Other kinds get shorter ones. */
export function underEveryFault(subject: Subject): Promise<Ended[]> {
  const known = ended.get(subject)
  if (known) return known
  const made = (async () => {
    const all: Ended[] = []
    for (const faults of sequences(3)) all.push(await underFaults(subject, faults))
    for (const faults of randomSequences(subject.options.effort?.randomSequences ?? 200)) {
      all.push(await underFaults(subject, faults))
      if (subject.options.erp.isRead) all.push(await underFaults(subject, faults, { readFaults: readFaultsFor(faults) }))
    }
    for (const kind of exportedKinds(subject).slice(1)) {
      for (const faults of sequences(subject.options.effort?.otherKinds ?? 1)) all.push(await underFaults(subject, faults, { kind }))
    }
    return all
  })()
  ended.set(subject, made)
  return made
}

/** Why a message does not stand exactly once in the ERP, and known as such to the host; undefined when it does. */
export function notOnce({ when, keys, booked, states, failure, difference }: Ended): string | undefined {
  if (failure !== undefined) return `${when}: ${failure}`
  for (const [index, key] of keys.entries()) {
    const times = booked.filter(one => one === key).length
    if (times !== 1) return `${when}: ${key} stands ${times} times in the ERP`
    const state = states[index]
    if (state !== 'accepted' && state !== 'delivered') return `${when}: ${key} ends as ${state}`
  }
  const surplus = booked.find(key => !keys.includes(key))
  if (surplus !== undefined) return `${when}: the ERP holds what nobody sent: ${surplus}`
  return difference === undefined ? undefined : `${when}: ${difference}`
}

/** How many calls three messages take when nothing goes wrong. */
export async function callsOf(subject: Subject, kind: ExportKind): Promise<number> {
  const host = openHost(subject)
  threeMessages(host, kind)
  await host.run()
  return host.simulator.calls.length
}

/** Why the messages of one order reached the ERP in another order; undefined when they did not. */
export function notInOrder({ when, keys: [first, second], booked }: Ended): string | undefined {
  const [one, two] = [booked.indexOf(first), booked.indexOf(second)]
  return one >= 0 && two >= 0 && two < one ? `${when}: the ERP got ${second} before ${first}` : undefined
}
