import type { ErrorObject } from 'ajv'
import { isRow } from './fit.ts'
import { patterns } from './records.ts'
import type { Reject } from './types.ts'
import { cut } from './unmapped.ts'

const patternWords: Readonly<Record<string, string>> = {
  [patterns.text]: 'must be plain text without line breaks and control characters',
  [patterns.decimal]: 'must be a number written as text, such as "12.5", with at most 12 digits before and 6 after the point',
  [patterns.instant]: 'must be a time in UTC such as 2026-03-01T07:15:00Z',
  [patterns.day]: 'must be a day such as 2026-03-01'
}
const typeWords: Readonly<Record<string, string>> = {
  string: 'must be text',
  integer: 'must be a whole number',
  boolean: 'must be true or false',
  array: 'must be a list',
  object: 'must be an object'
}

/** The schema errors of a record (validated with `verbose`) as one sentence for the customer. */
export function sentenceOf(kind: string, made: unknown, errors: readonly ErrorObject[]): Reject {
  // Of a choice, the error of the choice itself says more than that of its first branch.
  const error = errors.find(e => e.keyword === 'anyOf') ?? errors[0]
  const params = (error?.params ?? {}) as { missingProperty?: string; additionalProperty?: string; limit?: number }
  const path = (error?.instancePath ?? '').slice(1).replaceAll('/', '.')
  const named = params.missingProperty ?? params.additionalProperty
  const field = [path, named].filter(part => part !== undefined && part !== '').join('.')
  if (params.missingProperty !== undefined) return { code: 'field_missing', message: `${kind} needs "${field}".`, field }
  if (params.additionalProperty !== undefined) return { code: 'field_unknown', message: `${kind} knows no "${field}".`, field }
  const value = path
    .split('.')
    .reduce<unknown>((at, step) => (isRow(at) || Array.isArray(at) ? (at as Record<string, unknown>)[step] : undefined), made)
  return {
    code: 'field_wrong',
    message: `"${field}" of ${kind} ${wordsOf(error, params.limit)}.`,
    field,
    ...(typeof value === 'string' || typeof value === 'number' ? { value: cut(String(value)) } : {})
  }
}

function wordsOf(error: ErrorObject | undefined, limit = 0): string {
  switch (error?.keyword) {
    case 'anyOf':
      return `must be one of ${(error.schema as { const?: unknown }[]).map(choice => String(choice.const)).join(', ')}`
    case 'pattern':
      return patternWords[String(error.schema)] ?? 'has a form that is not allowed'
    case 'format':
      return error.schema === 'date' ? 'must be a day that exists, from 1900 on' : 'must be a time that exists, from 1900 on'
    case 'type':
      return typeWords[String(error.schema)] ?? 'has the wrong type'
    case 'maxLength':
      return `is longer than ${limit} characters`
    case 'minLength':
      return 'is empty'
    case 'maxItems':
      return `has more than ${limit} entries`
    case 'minimum':
      return `must be at least ${limit}`
    case 'maximum':
      return `must be at most ${limit}`
    default:
      return error?.message ?? 'is wrong'
  }
}
