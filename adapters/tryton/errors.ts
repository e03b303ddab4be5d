import { AdapterError } from '../contract/index.ts'

/** Tryton said no and rolled back: that call had no effect. */
export class ErpRefusal extends Error {
  /** UserError, UserWarning, ConcurrencyException, or none where Python's own message came. */
  readonly type: string
  readonly words: string

  constructor(type: string, words: string) {
    super(words)
    this.name = 'ErpRefusal'
    this.type = type
    this.words = words
  }
}

/** Too many at once: that call was not carried out. */
export class TooMany extends AdapterError {
  constructor(retryAfterSeconds: number | undefined) {
    super('rate-limit', 'Tryton wants to be left alone for a while.', retryAfterSeconds === undefined ? {} : { retryAfterSeconds })
    this.name = 'TooMany'
  }
}

/** What Tryton's answer with an error says. */
export function refusalOf(error: unknown): ErpRefusal {
  const [type, payload] = Array.isArray(error) ? (error as unknown[]) : [undefined, undefined]
  if (type === 'UserError') return new ErpRefusal('UserError', sentence(payload))
  // The first part of a warning is the name by which one could say yes to it; that is for people.
  if (type === 'UserWarning') return new ErpRefusal('UserWarning', sentence(Array.isArray(payload) ? payload.slice(1) : payload))
  if (type === 'ConcurrencyException') return new ErpRefusal('ConcurrencyException', sentence(payload))
  if (type === 'LoginException') return new ErpRefusal('LoginException', 'Tryton asks for one more factor of this user.')
  return new ErpRefusal('', sentence(type ?? error))
}

const sentence = (payload: unknown): string =>
  (Array.isArray(payload) ? payload.slice(0, 2) : [payload])
    .filter(part => typeof part === 'string' && part.trim() !== '')
    .join(' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 500) || 'Tryton gave no reason.'
