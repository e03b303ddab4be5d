import { type DestinationStream, type Logger, pino } from 'pino'
import { redacted, redactedKeys } from '../config/redaction.ts'
import type { LogLevel } from './config.ts'

export type Log = Logger

/** Longest text of one field; what is longer is cut and says so. */
const textLimit = 4000
const depthLimit = 5

/**
 * The log: one JSON line per event on standard output, `time` in ISO. Values under the keys of config/redaction.ts are replaced
 * at any depth, texts are capped, errors lose what may carry data (see `errorFields`), other objects show only their kind.
 */
export function createLog(config: { readonly logLevel: LogLevel }, out: DestinationStream = process.stdout): Log {
  const log = pino(
    {
      level: config.logLevel,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'msg',
      formatters: {
        level: label => ({ level: label }),
        log: fields => clean(fields) as Record<string, unknown>
      },
      serializers: { err: asIs, req: requestFields, res: replyFields },
      hooks: {
        logMethod(args, method) {
          const [first, ...rest] = args as unknown[]
          const fields = first instanceof Error ? { err: first } : first
          // Without a message of ours pino would take the error's own, past the allow-list of `errorFields`.
          const failed = typeof fields === 'object' && fields !== null && 'err' in fields && rest[0] === undefined
          const safe = [fields, ...(failed ? ['an error'] : rest)].map(arg => (typeof arg === 'string' ? cut(arg) : arg))
          method.apply(this, safe as typeof args)
        }
      }
    },
    { write: line => void out.write(oneLine(line)) }
  )
  // pino takes a child's fields as they are; children inherit this method from here.
  const child = log.child
  log.child = function (this: Log, fields: object, options?: object) {
    return child.call(this, clean(fields) as object, options)
  } as typeof log.child
  return log
}

/** Says nothing; for tests and for commands that print for people. */
export const silentLog: Log = pino({ level: 'silent' })

/** JSON leaves some characters alone that terminals and viewers obey or take for line ends. */
function oneLine(line: string): string {
  return line.replace(/[\u007f-\u009f\u2028\u2029]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

const asIs = (value: unknown) => value
const canonical = (key: string) => key.toLowerCase().replace(/[-_]/g, '')
const hidden: ReadonlySet<string> = new Set(redactedKeys.map(canonical))
const cut = (text: string) => (text.length > textLimit ? `${text.slice(0, textLimit)}… (${text.length} characters)` : text)

function clean(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return cut(value)
  if (typeof value === 'bigint') return value.toString()
  if (value === null || typeof value !== 'object') return typeof value === 'function' ? '[function]' : value
  if (value instanceof Error) return errorFields(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString()
  if (depth >= depthLimit) return '[deep]'
  if (Array.isArray(value)) {
    const shown = value.slice(0, 100).map(entry => clean(entry, depth + 1))
    return value.length > 100 ? [...shown, `… ${value.length} entries`] : shown
  }
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return `[${value.constructor?.name ?? 'object'}]`
  const fields: Record<string, unknown> = {}
  for (const [key, field] of Object.entries(value)) {
    // Request and reply of the web server have their own allow-list, applied after this.
    if (depth === 0 && (key === 'req' || key === 'res')) fields[key] = field
    else fields[key] = hidden.has(canonical(key)) && carriesText(field) ? redacted : clean(field, depth + 1)
  }
  return fields
}

/** Numbers and booleans pass, so that counts and row numbers can be logged under natural names. */
const carriesText = (value: unknown) => value !== null && value !== undefined && typeof value !== 'boolean' && typeof value !== 'number'

interface ErrorWithFields extends Error {
  readonly code?: unknown
  readonly detail?: unknown
  readonly severity?: unknown
  readonly [field: string]: unknown
}

/**
 * What may be known of an error: an allow-list. PostgreSQL's `detail`, `where` and the message of class 22 (bad data) quote
 * stored values, and a Refusal's private context is logged by the caller's own choice, so none of these stands here.
 */
function errorFields(error: Error, depth = 0): Record<string, unknown> {
  const source = error as ErrorWithFields
  const fromDatabase = typeof source.severity === 'string' && typeof source.code === 'string'
  const quotes = fromDatabase && /^(22|23502|23514|P0)/.test(String(source.code))
  const message = quotes ? `refused by PostgreSQL (${String(source.code)})` : cut(error.message)
  const fields: Record<string, unknown> = { type: error.name, message }
  for (const key of ['code', 'kind', 'errno', 'syscall', 'severity', 'schema', 'table', 'column', 'constraint', 'routine']) {
    const field = source[key]
    if (typeof field === 'string' || typeof field === 'number') fields[key] = field
  }
  // The stack begins with the message; only its frames are kept.
  const frames = error.stack?.split('\n').filter(line => /^\s+at /.test(line))
  if (frames && frames.length > 0) fields.stack = frames.slice(0, 20).map(line => line.trim())
  if (error.cause instanceof Error && depth < 5) fields.cause = errorFields(error.cause, depth + 1)
  if (error instanceof AggregateError && depth < 5) {
    fields.errors = error.errors.slice(0, 10).map(each => (each instanceof Error ? errorFields(each, depth + 1) : typeof each))
  }
  return fields
}

interface RequestLike {
  readonly id?: unknown
  readonly method?: unknown
  readonly routeOptions?: { readonly url?: unknown }
}

/** The pattern of the route, never the address: a query may hold what somebody searched for. */
function requestFields(request: RequestLike): Record<string, unknown> {
  return { id: request.id, method: request.method, route: request.routeOptions?.url }
}

const replyFields = (reply: { readonly statusCode?: unknown }): Record<string, unknown> => ({ status: reply.statusCode })
