/** What kind of "no" it is; the HTTP status follows from it (RFC 9457 problem details). */
export type RefusalKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'gone'
  | 'precondition'
  | 'too_large'
  | 'unsupported'
  | 'too_many'
  | 'unavailable'

export const statusOf: Record<RefusalKind, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  gone: 410,
  precondition: 412,
  too_large: 413,
  unsupported: 415,
  too_many: 429,
  unavailable: 503
}

/** One refusal code as data: its kind, a title that never changes and what the reader can do about it. */
export interface RefusalSpec {
  readonly kind: RefusalKind
  readonly title: string
  readonly remedy: string
}

export type RefusalSpecs = Readonly<Record<string, RefusalSpec>>

/** One wrong field: a JSON pointer into the body (or `/querystring/…`, `/params/…`) and a sentence. */
export interface FieldProblem {
  readonly pointer: string
  readonly detail: string
}

/**
 * A "no" that the caller can understand and act on. `detail` is public; `context` goes to the log only.
 * Whatever else is thrown is a bug and becomes a 500 that says nothing of the inside.
 */
export class Refusal extends Error {
  readonly kind: RefusalKind
  readonly code: string
  readonly detail: string
  readonly errors: readonly FieldProblem[]
  readonly retryAfterSeconds: number | undefined
  readonly context: Readonly<Record<string, unknown>>

  constructor(
    kind: RefusalKind,
    code: string,
    detail: string,
    extra: { errors?: readonly FieldProblem[]; retryAfterSeconds?: number; context?: Record<string, unknown>; cause?: unknown } = {}
  ) {
    super(`${code}: ${detail}`, extra.cause === undefined ? undefined : { cause: extra.cause })
    this.name = 'Refusal'
    this.kind = kind
    this.code = code
    this.detail = detail
    this.errors = extra.errors ?? []
    this.retryAfterSeconds = extra.retryAfterSeconds
    this.context = extra.context ?? {}
  }
}

/**
 * Makes the thrower for one module's codes, so that a code which is not declared does not compile.
 * `const refuse = refuser(errors); throw refuse('job_already_running', 'Job 10 already runs …')`
 */
export function refuser<const S extends RefusalSpecs>(specs: S) {
  return (
    code: keyof S & string,
    detail: string,
    extra: { errors?: readonly FieldProblem[]; retryAfterSeconds?: number; context?: Record<string, unknown>; cause?: unknown } = {}
  ): Refusal => {
    const spec = specs[code]
    if (!spec) throw new TypeError(`unknown refusal code ${code}`)
    return new Refusal(spec.kind, code, detail, extra)
  }
}

/** Codes that core itself answers with. */
export const coreErrors = {
  invalid_request: {
    kind: 'invalid',
    title: 'The request does not fit the schema',
    remedy: 'Correct the fields listed in `errors` and send the request again.'
  },
  malformed_body: {
    kind: 'invalid',
    title: 'The body is not readable',
    remedy: 'Send well-formed JSON in UTF-8 with a Content-Length that fits.'
  },
  malformed_request: {
    kind: 'invalid',
    title: 'The request is not readable',
    remedy: 'Send HTTP/1.1 as RFC 9112 says, with headers of less than 16 KB.'
  },
  malformed_address: { kind: 'invalid', title: 'The address is not readable', remedy: 'Encode the path and the query as RFC 3986 says.' },
  unauthenticated: { kind: 'unauthenticated', title: 'Not signed in', remedy: 'Sign in, or send a valid access token or API key.' },
  forbidden: { kind: 'forbidden', title: 'Permission missing', remedy: 'Ask an administrator for the permission named in the detail.' },
  not_found: {
    kind: 'not_found',
    title: 'Not found',
    remedy: 'Check the address or the id; what lies outside your groups is not shown.'
  },
  idempotency_key_reused: {
    kind: 'conflict',
    title: 'Idempotency-Key used for another request',
    remedy: 'Make a new key for a new request; repeat a request unchanged with its own key.'
  },
  conflict: { kind: 'conflict', title: 'Conflicts with what is stored', remedy: 'Read the current state and decide again.' },
  body_too_large: { kind: 'too_large', title: 'The body is too large', remedy: 'Split it; the limit is named in the detail.' },
  unsupported_media_type: {
    kind: 'unsupported',
    title: 'Media type not supported',
    remedy: 'Send application/json, or what the route names.'
  },
  too_many_requests: { kind: 'too_many', title: 'Too many requests', remedy: 'Wait for the seconds in Retry-After.' },
  unavailable: {
    kind: 'unavailable',
    title: 'Not available now',
    remedy: 'Repeat after the seconds in Retry-After with the same Idempotency-Key; nothing was lost.'
  },
  tenant_unavailable: {
    kind: 'unavailable',
    title: 'This environment is not available now',
    remedy: 'Repeat later; the operator of the service has been told.'
  }
} as const satisfies RefusalSpecs

export const refuse = refuser(coreErrors)
