import { systemClock } from '../core/clock.ts'

const pad = (value: number): string => String(value).padStart(2, '0')

/** Wall time in the demo's zone, as its files carry it. */
export function wallTime(): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Amsterdam', dateStyle: 'short', timeStyle: 'medium' }).format(
    systemClock.now()
  )
}

export function dayFromNow(offset: number): string {
  const day = new Date(systemClock.now().getTime() + offset * 86_400_000)
  return `${day.getUTCFullYear()}-${pad(day.getUTCMonth() + 1)}-${pad(day.getUTCDate())}`
}
