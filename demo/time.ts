import type { Clock } from '../core/clock.ts'

const pad = (value: number): string => String(value).padStart(2, '0')

/** Wall time in the demo's zone, as its files carry it. */
export function wallTime(clock: Clock): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Amsterdam', dateStyle: 'short', timeStyle: 'medium' }).format(clock.now())
}

export function dayFromNow(clock: Clock, offset: number): string {
  const day = new Date(clock.now().getTime() + offset * 86_400_000)
  return `${day.getUTCFullYear()}-${pad(day.getUTCMonth() + 1)}-${pad(day.getUTCDate())}`
}
