import { Refusal, type RefusalSpec, refuse } from '../errors.ts'

interface PgError {
  readonly code?: string
  readonly constraint?: string
  readonly severity?: string
}

const byConstraint = new Map<string, { code: string; spec: RefusalSpec; detail: string }>()

/**
 * A module names what the violation of one of its constraints means to a person. Constraint names are unique over the house.
 * `constraintMeans('work_order_number_key', 'work_order_exists', spec, 'A work order with this number exists already.')`
 */
export function constraintMeans(constraint: string, code: string, spec: RefusalSpec, detail: string): void {
  byConstraint.set(constraint, { code, spec, detail })
}

/**
 * The one place where PostgreSQL errors become refusals, by SQLSTATE and constraint name, never by message text
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html). What is not known stays as it is: a bug.
 */
export function translate(error: unknown): unknown {
  if (error instanceof Refusal) return error
  const e = error as PgError
  if (isSocketError(error)) return unavailable(error)
  if (typeof e?.code !== 'string') return isConnectionLoss(error) ? unavailable(error) : error
  const known = e.constraint === undefined ? undefined : byConstraint.get(e.constraint)
  if (known) return new Refusal(known.spec.kind, known.code, known.detail, { cause: error })
  switch (e.code) {
    case '23505':
      return refuse('conflict', 'This exists already.', { cause: error, context: { constraint: e.constraint } })
    case '22021': // character_not_in_repertoire: a NUL that no schema caught
    case '22P05': // untranslatable_character: the same inside jsonb
      return refuse('invalid_request', 'The text holds a character that cannot be stored (NUL). Remove it.', { cause: error })
    case '22P02': // invalid_text_representation: a forged cursor that is no number
    case '22003': // numeric_value_out_of_range
    case '22007': // invalid_datetime_format
    case '22008': // datetime_field_overflow
      return refuse(
        'invalid_request',
        'A value in the address or the body is not of the form it must have, such as an `after` that no page gave.',
        {
          cause: error
        }
      )
    case '40001':
    case '40P01':
    case '55P03': // lock_not_available
    case '57014': // query_canceled: statement_timeout
      return unavailable(error)
  }
  // 08 connection, 53 resources (53300 too many connections, 53100 disk full), 57P shutdown and crash
  return /^(08|53|57P)/.test(e.code) ? unavailable(error) : error
}

const lossCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT'])
const isConnectionLoss = (error: unknown): boolean =>
  error instanceof Error &&
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/.test(error.message)

/** Whatever keeps us from getting a connection is "not now" to the caller; the log has the cause. */
export const notReached = (error: unknown): Refusal => (error instanceof Refusal ? error : unavailable(error))

const unavailable = (cause: unknown): Refusal =>
  refuse('unavailable', 'The database of this environment does not answer. Repeat in a moment with the same Idempotency-Key.', {
    cause,
    retryAfterSeconds: 2
  })

/** True for an error of the socket below the database, which carries a code that is no SQLSTATE. */
export const isSocketError = (error: unknown): boolean => lossCodes.has((error as { code?: string })?.code ?? '')
