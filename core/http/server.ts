import type { Socket } from 'node:net'
import swagger from '@fastify/swagger'
import { Ajv, type ErrorObject } from 'ajv'
import addFormats from 'ajv-formats'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import type { RefusalSpecs } from '../errors.ts'
import { coreErrors, Refusal, refuse } from '../errors.ts'
import { newId } from '../ids.ts'
import type { Log } from '../log.ts'
import type { App } from './app.ts'
import { takeJsonOnly } from './json.ts'
import { problemBody, problemHandler, problemType } from './problem.ts'
import { namedSchemas } from './schemas.ts'
import { closeSlowReaders } from './slow-readers.ts'
import { closeQuery, refuseUnaskedBody } from './unasked.ts'
import { refuseUnkeepable } from './unkeepable.ts'

export interface ServerOptions {
  readonly log: Log
  readonly specs: RefusalSpecs
  /** Every permission of the catalogue; a route that names another one stops the boot. */
  readonly permissions: ReadonlySet<string>
  readonly bodyLimit: number
  /** Exact addresses of proxies whose X-Forwarded-For is believed; never a hop count (CVE-2026-16732). */
  readonly trustProxy: readonly string[]
  readonly version: string
  readonly publicUrl: string
  readonly patience?: Partial<Patience> | undefined
}

/** How long the server waits for a client, in milliseconds. Tests shorten it (security check E8). */
export interface Patience {
  /** For a whole header. */
  readonly headersMs: number
  /** For a whole request. */
  readonly requestMs: number
  /** For the next request on a connection. */
  readonly keepAliveMs: number
  /** For a client that takes its answer slower than a modem. */
  readonly readerMs: number
  /** How often is looked. */
  readonly everyMs: number
}

const usual: Patience = { headersMs: 20_000, requestMs: 30_000, keepAliveMs: 55_000, readerMs: 30_000, everyMs: 5_000 }
/** Of one process; well below the usual limit of open files. */
const mostConnections = 10_000

/**
 * The Fastify instance with everything that its defaults leave open closed: strict ajv without coercion of bodies, problem+json from
 * every path an error can take, time-outs, and a permission on every route.
 */
export async function createServer(options: ServerOptions): Promise<App> {
  const handler = problemHandler(options.specs)
  const patience = { ...usual, ...options.patience }
  const always = securityHeaders(options.publicUrl)
  const dress = (request: FastifyRequest, reply: FastifyReply): void => {
    reply.headers(always).header('x-request-id', request.id)
  }
  const app = fastify({
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => newId(),
    requestIdHeader: false,
    bodyLimit: options.bodyLimit,
    http: { headersTimeout: patience.headersMs, connectionsCheckingInterval: patience.everyMs },
    requestTimeout: patience.requestMs,
    connectionTimeout: 60_000,
    keepAliveTimeout: patience.keepAliveMs,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    trustProxy: options.trustProxy.length > 0 ? [...options.trustProxy] : false,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    routerOptions: { maxParamLength: 200 },
    // A bad URL encoding or a too long parameter reaches neither the hooks nor the error handler.
    frameworkErrors: (error, request, reply) => {
      dress(request as never, reply as never)
      handler(error, request as never, reply as never)
    },
    clientErrorHandler: (error, socket) => refuseBytes(error, socket, options.log, always)
  })
  takeJsonOnly(app as unknown as App)
  const strict = newAjv(false)
  const coercing = newAjv('array')
  for (const schema of namedSchemas()) {
    app.addSchema(schema)
    strict.addSchema(schema)
    coercing.addSchema(schema)
  }
  app.setValidatorCompiler(({ schema, httpPart }) => (httpPart === 'body' ? strict : coercing).compile(schema as object))
  app.setSchemaErrorFormatter((errors, context) =>
    Object.assign(new Error('validation'), { validation: errors as ErrorObject[], validationContext: context, statusCode: 400 })
  )
  app.setErrorHandler(handler)
  app.setNotFoundHandler(request => {
    throw refuse('not_found', `There is nothing at ${request.method} ${request.url.split('?')[0]?.slice(0, 200)}.`)
  })
  app.addHook('onRoute', closeQuery)
  app.addHook('onRoute', route => {
    const config = route.config ?? {}
    if (config.public === true) return
    if (!config.permission) throw new Error(`route ${route.method} ${route.url} declares neither a permission nor "public: true"`)
    if (!options.permissions.has(config.permission))
      throw new Error(`route ${route.method} ${route.url} names the unknown permission ${config.permission}`)
  })
  app.addHook('onRequest', async (request, reply) => {
    dress(request, reply)
    if (hasTwoHosts(request.raw.rawHeaders)) {
      reply.header('connection', 'close')
      throw refuse('malformed_request', 'The request names its Host twice.')
    }
    if (expects(request.headers.expect)) {
      reply.header('connection', 'close')
      throw refuse('malformed_request', 'Nothing but "100-continue" can be expected of this server.')
    }
  })
  // Node would answer by itself, without a body and without our headers.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))
  app.addHook('preValidation', async request => {
    refuseUnkeepable(request.body)
    refuseUnaskedBody(request)
  })
  app.addHook('onResponse', async (request, reply) => {
    request.log[reply.statusCode === 429 ? 'debug' : 'info'](
      {
        method: request.method,
        route: request.routeOptions.url ?? 'none',
        status: reply.statusCode,
        dur_ms: Math.round(reply.elapsedTime)
      },
      'request'
    )
  })
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Werkvloer', version: options.version, description: 'The API between an ERP and its shop floor.' },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }]
    },
    // Who may and what is refused belongs to the description as much as the shape does.
    transform: ({ schema, url, route }) => ({
      schema: {
        ...(schema as object),
        'x-permission': route.config?.public === true ? null : (route.config?.permission ?? null),
        ...(route.config?.refuses ? { 'x-refusals': [...route.config.refuses] } : {})
      } as never,
      url
    }),
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => (typeof json.$id === 'string' ? json.$id : `schema${i}`) }
  })
  app.server.maxConnections = mostConnections
  closeSilentSockets(app as unknown as FastifyInstance)
  closeSlowReaders(app as unknown as FastifyInstance, patience.readerMs)
  return app as unknown as App
}

function newAjv(coerceTypes: false | 'array'): Ajv {
  const ajv = new Ajv({ coerceTypes, removeAdditional: false, useDefaults: true, allErrors: false, strict: true, allowUnionTypes: true })
  // The package's types and its module form disagree under nodenext.
  ;(addFormats as unknown as (ajv: Ajv, formats: readonly string[]) => void)(ajv, ['uuid', 'date', 'date-time', 'uri'])
  return ajv
}

/** RFC 9112, 3.2. Node takes the first one; a proxy that takes the last would have let the request through for another host. */
const hasTwoHosts = (rawHeaders: readonly string[]): boolean =>
  rawHeaders.filter((name, index) => index % 2 === 0 && name.length === 4 && name.toLowerCase() === 'host').length > 1

/** RFC 9110, 10.1.1; where a proxy and a server disagree on it, one of them waits for a body that the other takes for a request. */
const expects = (header: string | undefined): boolean => header !== undefined && header.trim().toLowerCase() !== '100-continue'

/** Bytes that are no HTTP: Fastify's own answer is not problem+json. */
function refuseBytes(error: Error & { code?: string }, socket: Socket, log: Log, always: Readonly<Record<string, string>>): void {
  if (!socket.writable) return
  const requestId = newId()
  const spec = coreErrors.malformed_request
  const detail = 'The bytes sent are no HTTP/1.1 request, or its header is too large or came too slowly.'
  const problem = problemBody(new Refusal(spec.kind, 'malformed_request', detail), coreErrors, requestId)
  log.info({ reqId: requestId, code: 'malformed_request', reason: error.code ?? 'unknown', outcome: 'refused' }, 'refused')
  const body = JSON.stringify(problem)
  const headers = { 'content-type': problemType, 'content-length': Buffer.byteLength(body), ...always, 'x-request-id': requestId }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 400 Bad Request\r\n${lines.join('')}connection: close\r\n\r\n${body}`)
}

/** Security check H2. Pages set their own Content-Security-Policy; what is no page may load nothing at all. */
function securityHeaders(publicUrl: string): Record<string, string> {
  return {
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
    ...(publicUrl.startsWith('https:') ? { 'strict-transport-security': 'max-age=63072000; includeSubDomains' } : {})
  }
}

/** `close()` waits for ever on a connection that never sent a request (browsers connect ahead): those are destroyed first. */
function closeSilentSockets(app: FastifyInstance): void {
  const silent = new Set<Socket>()
  app.server.on('connection', socket => {
    silent.add(socket)
    socket.once('close', () => silent.delete(socket))
  })
  app.server.on('request', request => silent.delete(request.socket))
  app.addHook('preClose', async () => {
    for (const socket of silent) socket.destroy()
  })
}
