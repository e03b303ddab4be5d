import { refuse } from './errors.ts'

/** Calendar days, first and last included. */
export interface Period {
  readonly from: string
  readonly to: string
}

export const longestDays = 92
const defaultDays = 7

/** The calendar day of an instant in a zone, YYYY-MM-DD. */
export const dayIn = (zone: string, at: Date): string =>
  new Intl.DateTimeFormat('sv-SE', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(at)

const dayMs = 86_400_000
const move = (day: string, days: number): string => new Date(Date.parse(day) + days * dayMs).toISOString().slice(0, 10)

/** The days that were asked for; what is left out makes it the last seven, today included. Refuses `period_wrong`. */
export function periodOf(asked: { readonly from?: string | undefined; readonly to?: string | undefined }, today: string): Period {
  const to = asked.to ?? today
  const from = asked.from ?? move(to, 1 - defaultDays)
  const days = (Date.parse(to) - Date.parse(from)) / dayMs + 1
  if (days < 1 || days > longestDays) {
    throw refuse('period_wrong', `From ${from} to ${to} is no period of 1 to ${longestDays} days.`)
  }
  return { from, to }
}
