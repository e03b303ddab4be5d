/** Parts of a wall clock. */
export interface WallTime {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

const names = { yyyy: 'year', MM: 'month', dd: 'day', HH: 'hour', mm: 'minute', ss: 'second' } as const
const parsers = new Map<string, { regex: RegExp; fields: (keyof WallTime)[] }>()

/** Reads text by a pattern of yyyy MM dd HH mm ss; undefined where it does not fit or there is no such day. */
export function parseWallTime(text: string, pattern: string): WallTime | undefined {
  const { regex, fields } = parserOf(pattern)
  const match = regex.exec(text)
  if (!match) return undefined
  const wall: Record<keyof WallTime, number> = { year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0 }
  for (const [index, field] of fields.entries()) wall[field] = Number(match[index + 1])
  const check = new Date(Date.UTC(wall.year, wall.month - 1, wall.day))
  const dayExists = check.getUTCFullYear() === wall.year && check.getUTCMonth() === wall.month - 1 && check.getUTCDate() === wall.day
  return dayExists && wall.year >= 1900 && wall.hour < 24 && wall.minute < 60 && wall.second < 60 ? wall : undefined
}

function parserOf(pattern: string): { regex: RegExp; fields: (keyof WallTime)[] } {
  const known = parsers.get(pattern)
  if (known) return known
  const fields: (keyof WallTime)[] = []
  const source = pattern.replace(/yyyy|MM|dd|HH|mm|ss|[\s\S]/g, part => {
    const field = names[part as keyof typeof names]
    if (field === undefined) return part.replace(/[^A-Za-z0-9]/g, '\\$&')
    fields.push(field)
    return part === 'yyyy' ? '(\\d{4})' : '(\\d{2})'
  })
  const made = { regex: new RegExp(`^${source}$`), fields }
  if (parsers.size > 200) parsers.clear()
  parsers.set(pattern, made)
  return made
}

const formats = new Map<string, Intl.DateTimeFormat>()

const dayLength = 86_400_000
/** Zone -> day since 1970 -> what the wall clock is ahead of UTC all day long, in milliseconds; NaN on a day on which that changes. */
const offsets = new Map<string, Map<number, number>>()
/** Days kept of a zone, 27 years. */
const mostDays = 10_000

/** The wall clock of a zone at an instant. Asking the platform takes microseconds, which a file has a million times. */
export function wallTimeAt(instant: number, zone: string): WallTime {
  let days = offsets.get(zone)
  if (!days) {
    days = new Map()
    offsets.set(zone, days)
  }
  const day = Math.floor(instant / dayLength)
  let ahead = days.get(day)
  if (ahead === undefined) {
    const [from, to] = [day, day + 1].map(at => asUtc(askedWallTime(at * dayLength, zone)) - at * dayLength)
    ahead = from === to && from !== undefined ? from : Number.NaN
    if (days.size >= mostDays) days.clear()
    days.set(day, ahead)
  }
  if (Number.isNaN(ahead)) return askedWallTime(instant, zone)
  const at = new Date(instant + ahead)
  return {
    year: at.getUTCFullYear(),
    month: at.getUTCMonth() + 1,
    day: at.getUTCDate(),
    hour: at.getUTCHours(),
    minute: at.getUTCMinutes(),
    second: at.getUTCSeconds()
  }
}

function askedWallTime(instant: number, zone: string): WallTime {
  let format = formats.get(zone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit'
    })
    formats.set(zone, format)
  }
  const parts = Object.fromEntries(format.formatToParts(instant).map(part => [part.type, Number(part.value)]))
  const part = (name: string): number => parts[name] ?? 0
  return { year: part('year'), month: part('month'), day: part('day'), hour: part('hour'), minute: part('minute'), second: part('second') }
}

const asUtc = (wall: WallTime): number => Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute, wall.second)

/**
 * The instant at which a zone's wall clock shows this time. Undefined where it never does (the hour that is left out in spring); the
 * first of the two where it does twice (autumn).
 */
export function instantOf(wall: WallTime, zone: string): string | undefined {
  const target = asUtc(wall)
  // The offset around that time is one of those a day before and a day after.
  const candidates = [-86_400_000, 86_400_000].map(shift => {
    const near = target + shift
    return target - (asUtc(wallTimeAt(near, zone)) - near)
  })
  const fits = [...new Set(candidates)].filter(at => asUtc(wallTimeAt(at, zone)) === target).sort((a, b) => a - b)
  const first = fits[0]
  return first === undefined ? undefined : new Date(first).toISOString().replace('.000Z', 'Z')
}

/** Writes an instant in a zone by a pattern of yyyy MM dd HH mm ss. */
export function formatInZone(instant: string, zone: string, pattern: string): string {
  const wall = wallTimeAt(Date.parse(instant), zone)
  const pad = (value: number, length: number): string => String(value).padStart(length, '0')
  return pattern.replace(/yyyy|MM|dd|HH|mm|ss/g, part => pad(wall[names[part as keyof typeof names]], part.length))
}
