import type { Delivery, TextEncoding } from './erp.ts'

export interface TextShape {
  readonly encoding?: TextEncoding
  /** A byte-order mark in front. */
  readonly mark?: boolean
  readonly lineEnd?: '\r\n' | '\n' | '\r'
  /** Without the end of its last line. */
  readonly openEnd?: boolean
}

const euro = 0x80

/** A text file as another system would have written it. Calls stay as they are: JSON has one encoding and needs no lines. */
export function shaped(delivery: Delivery, { encoding = 'utf-8', mark = false, lineEnd, openEnd = false }: TextShape): Delivery {
  if (delivery.way !== 'file') return delivery
  let text = Buffer.from(delivery.body).toString('utf8')
  if (openEnd) text = text.replace(/(\r\n|\n|\r)$/, '')
  if (lineEnd !== undefined) text = text.replace(/\r\n|\n|\r/g, lineEnd)
  // Of Windows' own characters the kit sends the euro sign only; the others are those of Latin 1.
  const body =
    encoding === 'utf-8'
      ? Buffer.from(text, 'utf8')
      : Buffer.from([...text].map(sign => (sign === '€' ? euro : (sign.codePointAt(0) ?? 0))))
  return { ...delivery, body: mark ? Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), body]) : body }
}

/** A delivery without a single byte. */
export const emptied = (delivery: Delivery): Delivery =>
  delivery.way === 'file' ? { ...delivery, body: new Uint8Array() } : { ...delivery, body: '' }
