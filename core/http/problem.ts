import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { translate } from '../db/sqlstate.ts'
import { coreErrors, type FieldProblem, Refusal, type RefusalSpecs, refuse, statusOf } from '../errors.ts'

export const problemType = 'application/problem+json; charset=utf-8'

/** RFC 9457 body of a refusal; `instance` is the request id, by which the log finds it. */
export function problemBody(refusal: Refusal, specs: RefusalSpecs, requestId: string): Record<string, unknown> {
  return {
    type: `/problems/${refusal.code}`,
    title: specs[refusal.code]?.title ?? refusal.code,
    status: statusOf[refusal.kind],
    detail: refusal.detail,
    instance: requestId,
    code: refusal.code,
    ...(refusal.errors.length > 0 ? { errors: refusal.errors } : {})
  }
}

/** Makes the one handler through which every error leaves. `specs` are the codes of core and of all modules. */
export function problemHandler(specs: RefusalSpecs) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const refusal = toRefusal(error)
    if (refusal === undefined) {
      request.log.error({ err: error, outcome: 'error' }, 'request failed')
      send(reply, 500, {
        type: '/problems/internal',
        title: 'Something went wrong on our side',
        status: 500,
        detail: `Nothing was stored. Repeat the request; if it fails again, tell the operator of the service the number ${request.id}.`,
        instance: request.id,
        code: 'internal'
      })
      return
    }
    // A database without room is the operator's business, every other refusal is the caller's; a flood must not fill the log as well.
    request.log[isFull(refusal.cause) ? 'error' : refusal.kind === 'too_many' ? 'debug' : 'info'](
      { code: refusal.code, outcome: 'refused', ...refusal.context, ...(refusal.cause ? { err: refusal.cause } : {}) },
      'refused'
    )
    if (refusal.retryAfterSeconds !== undefined) reply.header('retry-after', String(Math.ceil(refusal.retryAfterSeconds)))
    if (refusal.kind === 'unauthenticated') reply.header('www-authenticate', 'Bearer')
    send(reply, statusOf[refusal.kind], problemBody(refusal, specs, request.id))
  }
}

/** 53100: the disk is full. */
const isFull = (cause: unknown): boolean => (cause as { code?: unknown } | undefined)?.code === '53100'

// The serializer is set outright: a route's response schema would cut the problem's fields.
function send(reply: FastifyReply, status: number, body: Record<string, unknown>): void {
  reply.code(status).type(problemType).serializer(JSON.stringify).send(body)
}

/** The refusal that an error stands for; undefined where it is a bug. */
export function toRefusal(thrown: unknown): Refusal | undefined {
  const error = translate(thrown)
  if (error instanceof Refusal) return error
  const e = error as FastifyError
  if (e?.validation) return invalid(e)
  const code = e?.code ?? ''
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return refuse('body_too_large', 'The body is larger than this route takes. Split it.')
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return refuse('unsupported_media_type', 'This route takes application/json only, unless its description names another type.')
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return refuse('malformed_body', 'The body is not well-formed JSON, or its length is not what Content-Length says.')
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return refuse('malformed_address', 'The address holds a wrong %-encoding or a part that is too long.')
  }
  if (code.startsWith('FAST_JWT_') || code.startsWith('FST_JWT_'))
    return refuse('unauthenticated', 'The access token is not valid. Sign in again.')
  if (e?.statusCode === 400 || error instanceof SyntaxError) return refuse('malformed_body', 'The body could not be read.')
  if (e?.statusCode === 413) return refuse('body_too_large', 'The body is larger than this route takes.')
  return undefined
}

function invalid(error: FastifyError): Refusal {
  const part = error.validationContext ?? 'body'
  const prefix = part === 'body' ? '' : `/${part}`
  const errors: FieldProblem[] = (error.validation ?? []).slice(0, 20).map(v => {
    const params = (v.params ?? {}) as { missingProperty?: string; additionalProperty?: string }
    const extra = params.missingProperty ?? params.additionalProperty
    return {
      pointer: `${prefix}${v.instancePath}${extra === undefined ? '' : `/${extra}`}` || '/',
      detail:
        params.missingProperty !== undefined
          ? 'is required'
          : params.additionalProperty !== undefined
            ? 'is not known here'
            : (v.message ?? 'is wrong')
    }
  })
  const first = errors[0]
  return refuse('invalid_request', first ? `${first.pointer} ${first.detail}.` : 'The request does not fit the schema.', { errors })
}

export const coreSpecs: RefusalSpecs = {
  ...coreErrors,
  tenant_exists: { kind: 'conflict', title: 'There is such a tenant already', remedy: 'Choose another code.' },
  tenant_code_invalid: {
    kind: 'invalid',
    title: 'The code of the tenant is not usable',
    remedy: '2 to 31 lower-case letters, digits or hyphens.'
  },
  zone_unknown: { kind: 'invalid', title: 'Unknown time zone', remedy: 'Give an IANA name such as Europe/Amsterdam.' },
  internal: {
    kind: 'unavailable',
    title: 'Something went wrong on our side',
    remedy: 'Repeat the request; report the number in `instance` if it fails again.'
  }
}
