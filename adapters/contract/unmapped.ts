import type { Reject } from './types.ts'

/** A row that cannot become a record; carries the reject. Never leaves the mapper. */
export class Unmapped extends Error {
  readonly reject: Reject

  constructor(reject: Reject) {
    super(reject.message)
    this.name = 'Unmapped'
    this.reject = reject
  }
}

/** The beginning of a text. Not a mere slice, which is a view that keeps the whole text in memory for as long as it is there itself. */
export const beginning = (text: string, length: number): string => Buffer.from(text.slice(0, length), 'utf16le').toString('utf16le')

/** Shortens a value for a sentence. */
export const cut = (text: string): string => (text.length > 60 ? `${beginning(text, 60)}…` : text)

/** A refusal that shows the value. */
export const wrong = (code: string, text: string, rest: string): Unmapped =>
  new Unmapped({ code, message: `"${cut(text)}" ${rest}`, value: cut(text) })
