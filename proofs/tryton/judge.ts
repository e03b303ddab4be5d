import type { Booked } from './books.ts'
import { type OrderTally, plain, type Stint } from './tally.ts'

/** A booking of time as the product tells it. */
export interface Booking {
  readonly employeeId: string
  readonly orderNumber: string | null
  readonly operationNumber: string | null
  readonly seconds: number
  readonly reverses: string | null
  readonly reason: string | null
}

export interface Verdict {
  /** Facts compared. */
  readonly compared: number
  readonly lost: number
  readonly doubled: number
  readonly other: number
}

interface Judged {
  readonly before: Booked
  readonly after: Booked
  /** Bookings by "operation by employee's number". */
  readonly bookings: ReadonlyMap<string, readonly Booking[]>
}

/**
 * Holds the ERP's books against what people did. The rule for material is that of the connection's setting `beyond-plan`: starting a
 * production consumes what was planned, and what was used beyond that is booked as well.
 */
export function judge(tally: OrderTally, { before, after, bookings }: Judged, say: (line: string) => void): Verdict {
  let [compared, lost, doubled, other] = [0, 0, 0, 0]
  const { number } = tally
  const amount = (what: string, erp: number, said: number, show: (value: number) => string = String): void => {
    compared++
    if (erp === said) return
    if (erp > said) doubled++
    else lost++
    say(`  ${erp > said ? 'DOUBLED' : 'LOST'}: ${number}: ${what}: the ERP has ${show(erp)}, people reported ${show(said)}`)
  }
  const word = (what: string, erp: string, said: string): void => {
    compared++
    if (erp === said) return
    other++
    say(`  DIFFERS: ${number}: ${what} is ${erp} in the ERP, ${said} was to be`)
  }

  word('its state', after.state, tally.finished ? 'done' : 'running')
  amount('pieces made', after.made - before.made, tally.made * 1e6, plain)
  amount('pieces lost', after.scrapped - before.scrapped, sum(tally.scrap.values()) * 1e6, plain)
  if (tally.finished) word('number of moves that are open', String(after.openMoves), '0')
  for (const article of new Set([...after.consumed.keys(), ...before.planned.keys(), ...tally.material.keys()]))
    amount(
      `${article} used`,
      after.consumed.get(article) ?? 0,
      Math.max(before.planned.get(article) ?? 0, tally.material.get(article) ?? 0),
      plain
    )

  for (const [operation, state] of after.works) {
    const touched = tally.good.has(operation)
    if (touched) word(`operation ${operation}`, state, tally.finished ? 'done' : 'finished')
    const running = (after.cycles.get(operation) ?? []).filter(one => one.state !== 'done').length
    if (touched) word(`number of cycles of operation ${operation} that still run`, String(running), '0')
  }

  const places = new Set([...after.hours.keys(), ...bookings.keys(), ...tally.stints.map(placeOf)])
  for (const place of places) {
    const there = added(before.hours.get(place) ?? [], after.hours.get(place) ?? [])
    const here = bookings.get(place) ?? []
    amount(`seconds of ${place}`, sum(there), sum(here.map(one => one.seconds)))
    for (const line of judgeStints(
      place,
      tally.stints.filter(one => placeOf(one) === place),
      here
    )) {
      other++
      say(`  DIFFERS: ${number}: ${line}`)
    }
  }
  return { compared, lost, doubled, other }
}

export const placeOf = (stint: Pick<Stint, 'employee' | 'operation'>): string => `${stint.operation} by ${stint.employee}`
const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0)

/** What is new in a list of lines. */
function added(before: readonly number[], after: readonly number[]): number[] {
  const left = [...after]
  for (const seconds of before) {
    const at = left.indexOf(seconds)
    if (at >= 0) left.splice(at, 1)
  }
  return left
}

/** Each time that somebody worked is one booking, as long as the clock here allows. */
function* judgeStints(place: string, stints: readonly Stint[], bookings: readonly Booking[]): Iterable<string> {
  const first = bookings.filter(one => one.reverses === null && one.reason === null).map(one => one.seconds)
  if (first.length !== stints.length) yield `${place}: ${stints.length} times worked, ${first.length} bookings`
  const left = first.sort((a, b) => a - b)
  // The one with the least room takes first.
  for (const { least, most } of [...stints].sort((a, b) => a.most - b.most)) {
    const at = left.findIndex(seconds => seconds >= least && seconds <= most)
    if (at < 0) yield `${place}: no booking of ${least} to ${most} s`
    else left.splice(at, 1)
  }
}
