import type { Done } from './floor.ts'

/** Quantities as whole millionths: the arithmetic of the proof is not that of the product. */
export const micro = (text: string): number => Math.round(Number(text) * 1e6)
export const plain = (value: number): string => String(value / 1e6)

/** Time of one person on one operation: what happened lies between the shortest and the longest that the clock here allows. */
export interface Stint {
  readonly employee: string
  readonly operation: string
  readonly least: number
  readonly most: number
}

/** What people did on one order, and the product acknowledged. */
export interface OrderTally {
  readonly number: string
  /** By operation: pieces, less what was taken back. */
  readonly good: Map<string, number>
  readonly scrap: Map<string, number>
  /** By operation: how often the ERP was to hear of it. */
  readonly told: Map<string, number>
  /** Good pieces of the last operation, each report. */
  readonly receipts: number[]
  /** Those of them that were taken back. */
  readonly returns: number[]
  /** Millionths by article. */
  readonly material: Map<string, number>
  readonly stints: Stint[]
  /** Time that an operation ran from a start to the next pause or its end. */
  readonly runs: Omit<Stint, 'employee'>[]
  finished: boolean
  tell(operation: string): void
  reported(operation: string, last: boolean, good: number, scrap: number): void
  takenBack(operation: string, last: boolean, good: number, scrap: number): void
  used(article: string, quantity: number): void
  worked(employee: string, operation: string, began: Moment, ended: Moment): void
  ran(operation: string, began: Moment, ended: Moment): void
}
type Moment = Pick<Done<unknown>, 'sent' | 'answered'>

const add = (to: Map<string, number>, key: string, more: number): void => void to.set(key, (to.get(key) ?? 0) + more)

/** Both ends are cut to whole seconds, which makes the difference up to a second shorter or longer. */
const between = (began: Moment, ended: Moment): { least: number; most: number } => ({
  least: Math.max(0, Math.floor((ended.sent - began.answered) / 1000)),
  most: Math.ceil((ended.answered - began.sent) / 1000) + 1
})

export function newTally(number: string): OrderTally {
  const tally: OrderTally = {
    number,
    good: new Map(),
    scrap: new Map(),
    told: new Map(),
    receipts: [],
    returns: [],
    material: new Map(),
    stints: [],
    runs: [],
    finished: false,
    tell: operation => add(tally.told, operation, 1),
    reported(operation, last, good, scrap) {
      tally.tell(operation)
      add(tally.good, operation, good)
      add(tally.scrap, operation, scrap)
      if (last && good > 0) tally.receipts.push(good)
    },
    takenBack(operation, last, good, scrap) {
      tally.tell(operation)
      add(tally.good, operation, -good)
      add(tally.scrap, operation, -scrap)
      if (last && good > 0) tally.returns.push(good)
    },
    used: (article, quantity) => add(tally.material, article, quantity),
    worked: (employee, operation, began, ended) => void tally.stints.push({ employee, operation, ...between(began, ended) }),
    ran: (operation, began, ended) => void tally.runs.push({ operation, ...between(began, ended) })
  }
  return tally
}
