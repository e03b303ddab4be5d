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
  /** Pieces by operation number. */
  readonly good: Map<string, number>
  readonly scrap: Map<string, number>
  /** Good pieces of the last operation. */
  made: number
  /** Millionths by article. */
  readonly material: Map<string, number>
  readonly stints: Stint[]
  readonly corrections: { readonly booking: string; readonly operation: string; readonly from: number; readonly to: number }[]
  finished: boolean
  reported(operation: string, last: boolean, good: number, scrap: number): void
  used(article: string, quantity: number): void
  worked(
    employee: string,
    operation: string,
    began: Pick<Done<unknown>, 'sent' | 'answered'>,
    ended: Pick<Done<unknown>, 'sent' | 'answered'>
  ): void
}

const add = (to: Map<string, number>, key: string, more: number): void => void to.set(key, (to.get(key) ?? 0) + more)

export function newTally(number: string): OrderTally {
  const good = new Map<string, number>()
  const scrap = new Map<string, number>()
  const material = new Map<string, number>()
  const stints: Stint[] = []
  const tally: OrderTally = {
    number,
    good,
    scrap,
    material,
    stints,
    made: 0,
    corrections: [],
    finished: false,
    reported(operation, last, goodPieces, scrapPieces) {
      add(good, operation, goodPieces)
      add(scrap, operation, scrapPieces)
      if (last) tally.made += goodPieces
    },
    used: (article, quantity) => add(material, article, quantity),
    worked(employee, operation, began, ended) {
      // Both ends are cut to whole seconds, which makes the difference up to a second shorter or longer.
      const least = Math.max(0, Math.floor((ended.sent - began.answered) / 1000))
      stints.push({ employee, operation, least, most: Math.ceil((ended.answered - began.sent) / 1000) + 1 })
    }
  }
  return tally
}
