const dayMs = 86_400_000
const text = (at: number): string => new Date(at).toISOString().slice(0, 10)

/** Monday to Sunday around a day, both as YYYY-MM-DD, with the number of the week (ISO 8601). */
export function weekOf(day: string): { readonly from: string; readonly to: string; readonly number: number } {
  const at = Date.parse(day)
  const monday = at - ((new Date(at).getUTCDay() + 6) % 7) * dayMs
  // A week belongs to the year of its Thursday.
  const thursday = new Date(monday + 3 * dayMs)
  const number = Math.floor((thursday.getTime() - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / dayMs / 7) + 1
  return { from: text(monday), to: text(monday + 6 * dayMs), number }
}

export const moveDays = (day: string, days: number): string => text(Date.parse(day) + days * dayMs)

/** The calendar day where the customer is. */
export const todayIn = (zone: string): string => new Intl.DateTimeFormat('sv-SE', { timeZone: zone }).format(new Date())

export const isDay = (day: string): boolean => /^\d{4}-\d\d-\d\d$/.test(day) && !Number.isNaN(Date.parse(day))
