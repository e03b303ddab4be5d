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

/** Shortens a value for a sentence. */
export const cut = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text)

/** A refusal that shows the value. */
export const wrong = (code: string, text: string, rest: string): Unmapped =>
  new Unmapped({ code, message: `"${cut(text)}" ${rest}`, value: cut(text) })
