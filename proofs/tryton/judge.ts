import type { Booked } from './books.ts'
import { type OrderTally, plain, type Stint } from './tally.ts'

/** A booking of time as the product tells it. */
export interface Booking {
  readonly id: string
  readonly employeeId: string
  readonly orderNumber: string | null
  readonly operationNumber: string | null
  readonly seconds: number
  readonly reverses: string | null
  readonly reason: string | null
}

export interface Verdict {
  /** Facts compared. */
  compared: number
  lost: number
  doubled: number
  /** Neither: another state, another time. */
  other: number
}

export interface Judging {
  readonly verdict: Verdict
  /** A sum: what is more was doubled, what is less was lost. */
  amount(what: string, erp: number, said: number, show?: (value: number) => string): void
  /** Things that are each there once. */
  list(what: string, erp: readonly number[], said: readonly number[], show?: (value: number) => string): void
  word(what: string, erp: string, said: string): void
  wrong(what: string): void
}

export function judging(say: (line: string) => void): Judging {
  const verdict = { compared: 0, lost: 0, doubled: 0, other: 0 }
  const differs = (kind: 'lost' | 'doubled' | 'other', line: string): void => {
    verdict[kind]++
    say(`  ${kind === 'other' ? 'DIFFERS' : kind.toUpperCase()}: ${line}`)
  }
  return {
    verdict,
    amount(what, erp, said, show = String) {
      verdict.compared++
      if (erp !== said) differs(erp > said ? 'doubled' : 'lost', `${what}: ${show(erp)} in the ERP, people reported ${show(said)}`)
    },
    list(what, erp, said, show = String) {
      verdict.compared++
      const [there, here] = [erp, said].map(values => [...values].sort((a, b) => a - b))
      if (there?.join() === here?.join()) return
      const shown = (values: readonly number[] = []): string => values.map(show).join(' + ') || 'nothing'
      const kind = erp.length > said.length ? 'doubled' : erp.length < said.length ? 'lost' : 'other'
      differs(kind, `${what}: ${shown(there)} in the ERP, people reported ${shown(here)}`)
    },
    word(what, erp, said) {
      verdict.compared++
      if (erp !== said) differs('other', `${what} is ${erp} in the ERP, ${said} was to be`)
    },
    wrong: what => differs('other', what)
  }
}

export const placeOf = (stint: Pick<Stint, 'employee' | 'operation'>): string => `${stint.operation} by ${stint.employee}`

/**
 * Holds the ERP's books of one order against what people did. The rule for material is that of the connection's setting `beyond-plan`:
 * starting a production consumes what was planned, and what was used beyond that is booked as well.
 * @param bookings by "operation by employee's number"
 */
export function judge(
  judging: Judging,
  tally: OrderTally,
  {
    before,
    after,
    bookings
  }: { readonly before: Booked; readonly after: Booked; readonly bookings: ReadonlyMap<string, readonly Booking[]> }
): void {
  const { amount, list, word, wrong } = judging
  const of = (what: string): string => `${tally.number}: ${what}`
  word(of('its state'), after.state, tally.finished ? 'done' : 'running')
  if (tally.finished) word(of('number of open moves'), String(after.openMoves), '0')
  list(
    of('pieces made'),
    without(after.receipts, before.receipts),
    tally.receipts.map(pieces => pieces * 1e6),
    plain
  )
  for (const article of new Set([...after.consumed.keys(), ...before.planned.keys(), ...tally.material.keys()]))
    amount(
      of(`${article} used`),
      after.consumed.get(article) ?? 0,
      Math.max(before.planned.get(article) ?? 0, tally.material.get(article) ?? 0),
      plain
    )

  for (const [operation, is] of after.operations) {
    const was = before.operations.get(operation)
    if (!tally.told.has(operation)) continue
    word(of(`operation ${operation}`), is.state, tally.finished ? 'done' : 'finished')
    amount(of(`messages on operation ${operation}`), is.notes - (was?.notes ?? 0), tally.told.get(operation) ?? 0)
    amount(of(`good pieces of operation ${operation}`), is.good, tally.good.get(operation) ?? 0)
    amount(of(`scrap of operation ${operation}`), is.scrap, tally.scrap.get(operation) ?? 0)
    word(of(`number of running cycles of operation ${operation}`), String(is.cycles.filter(one => one.state !== 'done').length), '0')
    // Where one ran in the ERP already, no other was begun.
    const runs = was?.cycles.some(one => one.state === 'running') ? [] : tally.runs.filter(one => one.operation === operation)
    const known = new Set(was?.cycles.map(one => one.id))
    const cycles = is.cycles.filter(one => !known.has(one.id)).map(one => one.seconds)
    amount(of(`cycles of operation ${operation}`), cycles.length, runs.length)
    for (const line of misfits(cycles, runs)) wrong(of(`cycles of operation ${operation}: ${line}`))
  }

  for (const place of new Set([...after.hours.keys(), ...bookings.keys(), ...tally.stints.map(placeOf)])) {
    const known = before.hours.get(place)
    const lines = [...(after.hours.get(place) ?? [])].flatMap(([id, seconds]) => (known?.has(id) ? [] : [seconds]))
    const here = bookings.get(place) ?? []
    // What is taken back makes its line shorter.
    const booked = here.flatMap(one =>
      one.seconds > 0 ? [one.seconds + sum(here.flatMap(other => (other.reverses === one.id ? [other.seconds] : [])))] : []
    )
    list(of(`seconds of ${place}`), lines, booked)
    const first = here.flatMap(one => (one.reverses === null && one.reason === null ? [one.seconds] : []))
    const stints = tally.stints.filter(one => placeOf(one) === place)
    amount(of(`bookings of ${place}`), first.length, stints.length)
    for (const line of misfits(first, stints)) wrong(of(`hours of ${place}: ${line}`))
  }
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

/** What is new in a list. */
function without(all: readonly number[], known: readonly number[]): number[] {
  const left = [...all]
  for (const one of known) {
    const at = left.indexOf(one)
    if (at >= 0) left.splice(at, 1)
  }
  return left
}

/** Times worked for which there is no booking as long as the clock here allows. */
function* misfits(seconds: readonly number[], stints: readonly Pick<Stint, 'least' | 'most'>[]): Iterable<string> {
  const left = [...seconds].sort((a, b) => a - b)
  // The one with the least room takes first.
  for (const { least, most } of [...stints].sort((a, b) => a.most - b.most)) {
    const at = left.findIndex(one => one >= least && one <= most)
    if (at < 0) yield `nothing of ${least} to ${most} s among ${seconds.join(', ') || 'nothing'}`
    else left.splice(at, 1)
  }
}
