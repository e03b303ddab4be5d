import type { FastifyRequest, RouteOptions } from 'fastify'
import { Type } from 'typebox'
import { refuse } from '../errors.ts'

const noQuery = Type.Object({}, { additionalProperties: false })

/** A described route that declares no query takes none: what is sent and not read is a mistake of who sends it, or a trick. */
export function closeQuery(route: RouteOptions): void {
  const { schema } = route
  // Who watches a server may add to the address of the health checks whatever they like.
  if (!schema || schema.hide || schema.querystring || route.url.startsWith('/health/')) return
  route.schema = { ...schema, querystring: noQuery }
}

/** The same for a body. An empty object is let through: some clients cannot send a POST without one. */
export function refuseUnaskedBody(request: FastifyRequest): void {
  const { schema } = request.routeOptions
  if (!schema || schema.body || isEmpty(request.body)) return
  throw refuse('invalid_request', 'This route takes no body.', { errors: [{ pointer: '/', detail: 'is not known here' }] })
}

/** A stream is taken by the route itself. */
const isEmpty = (body: unknown): boolean => {
  if (body === undefined || body === null) return true
  if (typeof body !== 'object') return false
  if (Array.isArray(body)) return false
  return Object.getPrototypeOf(body) !== Object.prototype || Object.keys(body).length === 0
}
