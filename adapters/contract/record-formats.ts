import { parseInstant } from './values.ts'
import { parseWallTime } from './zoned-time.ts'

/** The formats that record schemas name: days and times that exist, from 1900 to 9999. For every validator of these schemas. */
export const recordFormats: Readonly<Record<string, (text: string) => boolean>> = {
  date: text => parseWallTime(text, 'yyyy-MM-dd') !== undefined,
  'date-time': text => !Number.isNaN(parseInstant(text))
}
