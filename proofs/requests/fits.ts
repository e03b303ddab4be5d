import { Ajv, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import type { Description, Operation, Schema } from '../../test/helpers/api.ts'
import type { Answer } from './client.ts'

/** What the frame around every route may refuse with; anything else a route must announce. */
const general = new Set([
  'invalid_request',
  'malformed_body',
  'malformed_request',
  'malformed_address',
  'unauthenticated',
  'forbidden',
  'idempotency_key_reused',
  'body_too_large',
  'unsupported_media_type'
])

interface Problem {
  readonly status: number
  readonly code: string
  readonly type: string
  readonly instance: string
}

export interface Fits {
  /** What is wrong with an answer by the description; undefined when nothing is. */
  misfit(operation: Operation, answer: Answer): string | undefined
  /** Whether a value is one that the schema takes. `coerced`: as a query is read, where everything is text. */
  takes(schema: Schema, value: unknown, coerced?: boolean): boolean
}

/** Holds answers against the description of the API, by validators of its own made from that description alone. */
export function fitsOf({ schemas }: Pick<Description, 'schemas'>): Fits {
  const compilers = [false, true].map(coerceTypes => {
    const ajv = new Ajv({ strict: false, coerceTypes: coerceTypes && 'array', allErrors: false })
    ;(addFormats as unknown as (ajv: Ajv) => void)(ajv)
    ajv.addSchema({ $id: 'api', components: { schemas } })
    const known = new Map<Schema, ValidateFunction>()
    return (schema: Schema): ValidateFunction => {
      const made =
        known.get(schema) ?? ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"api#/components/')) as Schema)
      known.set(schema, made)
      return made
    }
  })
  const [strict, coercing] = compilers as [(schema: Schema) => ValidateFunction, (schema: Schema) => ValidateFunction]

  function misfit(operation: Operation, { status, headers, text }: Answer): string | undefined {
    const declared = operation.responses[String(status)] ?? operation.responses[`${Math.floor(status / 100)}XX`]
    if (!declared) return `status ${status} is not declared`
    if (declared.content === undefined) return text === '' ? undefined : `a body where none is declared: ${text.slice(0, 80)}`
    const type = (headers['content-type'] ?? '').split(';')[0]?.trim() ?? ''
    const content = declared.content[type]
    if (!content) return `content type "${type}" is not declared for ${status}, only ${Object.keys(declared.content).join(', ')}`
    if (!/json$/.test(type)) return undefined
    let body: unknown
    try {
      body = JSON.parse(text)
    } catch {
      return `no JSON: ${text.slice(0, 80)}`
    }
    if (content.schema) {
      const fits = strict(content.schema)
      if (!fits(body)) {
        const [error] = fits.errors ?? []
        return `${status} does not fit its schema: ${error?.instancePath || '/'} ${error?.message}: ${text.slice(0, 300)}`
      }
    }
    return type === 'application/problem+json' ? problemMisfit(operation, status, headers['x-request-id'], body as Problem) : undefined
  }

  const wrappers = new Map<Schema, Schema>()
  const wrapped = (schema: Schema): Schema => {
    const made = wrappers.get(schema) ?? { type: 'object', properties: { value: schema } }
    wrappers.set(schema, made)
    return made
  }
  return {
    misfit,
    // Coercion writes into what it is given.
    takes: (schema, value, coerced = false) =>
      Boolean(coerced ? coercing(wrapped(schema))({ value: structuredClone(value) }) : strict(schema)(value))
  }
}

function problemMisfit(operation: Operation, status: number, requestId: unknown, problem: Problem): string | undefined {
  if (problem.status !== status) return `a problem that says ${problem.status} in an answer that says ${status}`
  if (problem.type !== `/problems/${problem.code}`) return `the type ${problem.type} is not that of ${problem.code}`
  if (problem.instance !== requestId) return 'the problem names another request'
  if (status < 500 && !general.has(problem.code) && !operation.refusals.includes(problem.code))
    return `${status} ${problem.code} is not among the refusals that the route announces`
  return undefined
}
