import type { ExportOutcomeBody } from '../../adapters/contract/index.ts'

/** Text as the database can hold it: zero bytes and lone halves of characters, which only an ERP by mistake sends, become a mark. */
export const storable = (text: string): string => text.toWellFormed().replaceAll('\0', '\ufffd')

const mostCharacters = 1_000
const longestWaitSeconds = 86_400
const longestConfirmSeconds = 366 * 86_400

const short = (text: string): string => storable(text).slice(0, mostCharacters).toWellFormed()
const seconds = (given: number, most: number): number => (given > 0 ? Math.min(given, most) : 0)

/**
 * What an ERP said of a message, with texts and times that can be stored: an answer may look odd, but it has to count, and may not keep
 * those of other messages from being stored beside it.
 */
export function storableOutcome<T extends ExportOutcomeBody>(outcome: T): ExportOutcomeBody {
  switch (outcome.status) {
    case 'accepted':
    case 'duplicate':
      return { ...outcome, ref: refOf(outcome.ref) }
    case 'delivered':
      return { ...outcome, ref: refOf(outcome.ref), confirmWithinSeconds: seconds(outcome.confirmWithinSeconds, longestConfirmSeconds) }
    case 'rejected':
      return { ...outcome, reject: { ...outcome.reject, ...textsOf(outcome.reject) } }
    case 'not-sent':
      return {
        ...outcome,
        reason: short(outcome.reason),
        ...(outcome.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: seconds(outcome.retryAfterSeconds, longestWaitSeconds) })
      }
    case 'unknown':
      return { ...outcome, reason: short(outcome.reason) }
  }
}

/** A document of the ERP's. */
export const refOf = <R extends { readonly document: string; readonly line?: string }>(ref: R): R => ({
  ...ref,
  document: short(ref.document),
  ...(ref.line === undefined ? {} : { line: short(ref.line) })
})

const textsOf = ({ code, message, field }: { code: string; message: string; field?: string }) => ({
  code: short(code),
  message: short(message),
  ...(field === undefined ? {} : { field: short(field) })
})
