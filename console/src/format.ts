import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useMe } from './session'

/** Times in the customer's zone, numbers with the comma of the chosen language. Quantities stay text: a float would change them. */
export function useFormat() {
  const { i18n } = useTranslation()
  const { zone } = useMe()
  const language = i18n.language
  return useMemo(() => {
    const locale = language === 'nl' ? 'nl-NL' : 'en-GB'
    const date = new Intl.DateTimeFormat(locale, { timeZone: zone, day: 'numeric', month: 'short', year: 'numeric' })
    const day = new Intl.DateTimeFormat(locale, { timeZone: zone, weekday: 'long', day: 'numeric', month: 'long' })
    // A calendar day is read as midnight UTC and shown there, so no zone moves it.
    const days = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', day: 'numeric', month: 'short' })
    const dateTime = new Intl.DateTimeFormat(locale, { timeZone: zone, day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' })
    const time = new Intl.DateTimeFormat(locale, { timeZone: zone, hour: '2-digit', minute: '2-digit' })
    const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 6 })
    const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
    const decimal = locale === 'nl-NL' ? ',' : '.'
    const at = (text: string) => new Date(text)
    return {
      date: (text: string | null | undefined) => (text ? date.format(at(text)) : ''),
      day: (text: string) => day.format(at(text)),
      /** "16 – 22 Nov 2026" from two calendar days. */
      days: (from: string, to: string) => days.formatRange(at(from), at(to)),
      dateTime: (text: string | null | undefined) => (text ? dateTime.format(at(text)) : ''),
      time: (text: string | null | undefined) => (text ? time.format(at(text)) : ''),
      count: (value: number) => number.format(value),
      /** Decimal text such as "1234.5". */
      quantity: (text: string | null | undefined) => {
        if (text === null || text === undefined) return ''
        const [whole = '0', fraction] = text.split('.')
        const digits = number.format(BigInt(whole === '-0' ? 0 : whole))
        return `${whole === '-0' ? '-' : ''}${digits}${fraction ? decimal + fraction : ''}`
      },
      decimal,
      /** "7 h 05" from seconds. */
      duration: (seconds: number) => {
        const minutes = Math.round(seconds / 60)
        const hours = Math.floor(minutes / 60)
        return hours === 0 ? `${minutes} min` : `${hours} ${locale === 'nl-NL' ? 'u' : 'h'} ${String(minutes % 60).padStart(2, '0')}`
      },
      /** "5 minutes ago". */
      ago: (text: string | null | undefined, now = Date.now()) => {
        if (!text) return ''
        const seconds = Math.round((at(text).getTime() - now) / 1000)
        const size = Math.abs(seconds)
        if (size < 60) return relative.format(seconds, 'second')
        if (size < 3600) return relative.format(Math.round(seconds / 60), 'minute')
        if (size < 86_400) return relative.format(Math.round(seconds / 3600), 'hour')
        return relative.format(Math.round(seconds / 86_400), 'day')
      }
    }
  }, [language, zone])
}

/** Reads what a person types as a quantity: comma or point, up to six decimals. @returns decimal text, or undefined when it is none */
export function readQuantity(typed: string): string | undefined {
  const text = typed.trim().replace(',', '.')
  return /^\d{1,12}(\.\d{1,6})?$/.test(text) ? text : undefined
}
