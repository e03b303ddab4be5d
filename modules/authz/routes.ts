import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { type App, type Config, type Ctx, errorResponses, Id, Text } from '../../core/index.ts'
import {
  AcceptBody,
  AcceptedShape,
  List,
  MeShape,
  PasswordBody,
  RefreshBody,
  SessionShape,
  SignInBody,
  TokensShape,
  WhyShape
} from './schemas.ts'
import { liveSessions } from './session-store.ts'
import { type Client, endOwnSession, refreshSession, type SignedIn } from './sessions.ts'
import { acceptInvitation, changePassword, type DoorServices, signIn } from './sign-in.ts'
import { userById, userGroups, userRoles } from './user-store.ts'
import { openUser } from './users.ts'
import { why } from './why.ts'

const closed = { additionalProperties: false }
const tags = ['sign-in']

/** Sign-in, own session, and the question why somebody may or may not. */
export function doorRoutes(services: DoorServices, config: Config) {
  const cookieName = config.http.secure ? '__Host-wv_refresh' : 'wv_refresh'
  const cookieRules = `Path=/; HttpOnly; SameSite=Strict${config.http.secure ? '; Secure' : ''}`
  const clientOf = (request: FastifyRequest): Client => ({ ip: request.ip, userAgent: request.headers['user-agent'] ?? '' })

  function handOver(request: FastifyRequest, reply: FastifyReply, signedIn: SignedIn) {
    const { refreshToken, ...rest } = signedIn
    reply.header('set-cookie', `${cookieName}=${refreshToken}; ${cookieRules}`)
    return request.headers['x-refresh-in-body'] === 'yes' ? { ...rest, refreshToken } : rest
  }

  return (app: App): void => {
    app.post(
      '/api/v1/sign-in',
      {
        config: { public: true, refuses: ['sign_in_failed', 'too_many_requests'] },
        schema: {
          operationId: 'signIn',
          tags,
          security: [],
          summary: 'Sign in with user name or employee number',
          body: SignInBody,
          response: { 200: TokensShape, ...errorResponses }
        }
      },
      async (request, reply) => handOver(request, reply, await signIn(services, request.body, clientOf(request)))
    )

    app.post(
      '/api/v1/session/refresh',
      {
        config: { public: true, refuses: ['session_ended'] },
        schema: {
          operationId: 'refreshSession',
          tags,
          security: [],
          summary: 'Exchange the refresh token (cookie, or body) for a new pair',
          body: RefreshBody,
          response: { 200: TokensShape, ...errorResponses }
        }
      },
      async (request, reply) => {
        // A browser says where a request comes from; a page of somebody else's may not use the cookie (security check H4).
        const site = request.headers['sec-fetch-site']
        const ours = site === undefined || site === 'same-origin' || site === 'none'
        const token = request.body?.refreshToken ?? (ours ? cookie(request.headers.cookie, cookieName) : undefined)
        return handOver(request, reply, await refreshSession(services, token, clientOf(request)))
      }
    )

    app.post(
      '/api/v1/session/sign-out',
      {
        config: { permission: 'session.own' },
        schema: { operationId: 'signOut', tags, summary: 'End this session', response: { 204: Type.Null(), ...errorResponses } }
      },
      async (request, reply) => {
        const { sessionId } = request.ctx.principal
        if (sessionId !== undefined) await endOwnSession(services, request.ctx, sessionId, 'signed out')
        reply.code(204).header('set-cookie', `${cookieName}=; Max-Age=0; ${cookieRules}`).header('clear-site-data', '"cache", "storage"')
        return null
      }
    )

    app.get(
      '/api/v1/session',
      {
        config: { permission: 'session.own' },
        schema: { operationId: 'me', tags, summary: 'Who am I and what may I do', response: { 200: MeShape, ...errorResponses } }
      },
      async request => me(request.ctx)
    )

    app.get(
      '/api/v1/session/list',
      {
        config: { permission: 'session.own' },
        schema: {
          operationId: 'mySessions',
          tags,
          summary: 'Where I am signed in',
          response: { 200: List(SessionShape), ...errorResponses }
        }
      },
      async request => {
        const { ctx } = request
        return {
          items: (await liveSessions(ctx, ctx.principal.id)).map(row => ({
            id: row.id,
            current: row.id === ctx.principal.sessionId,
            createdAt: row.created_at,
            lastUsedAt: row.rotated_at,
            expiresAt: row.expires_at
          }))
        }
      }
    )

    app.delete(
      '/api/v1/session/list/:id',
      {
        config: { permission: 'session.own' },
        schema: {
          operationId: 'endMySession',
          tags,
          summary: 'Sign out there',
          params: Type.Object({ id: Id }, closed),
          response: { 204: Type.Null(), ...errorResponses }
        }
      },
      async (request, reply) => {
        await endOwnSession(services, request.ctx, request.params.id, 'ended by the user')
        reply.code(204)
        return null
      }
    )

    app.post(
      '/api/v1/session/password',
      {
        config: { permission: 'session.own', refuses: ['password_weak', 'password_wrong', 'too_many_requests'] },
        schema: {
          operationId: 'changePassword',
          tags,
          summary: 'Change my password; other sessions end',
          body: PasswordBody,
          response: { 204: Type.Null(), ...errorResponses }
        }
      },
      async (request, reply) => {
        await changePassword(services, request.ctx, request.body, clientOf(request))
        reply.code(204)
        return null
      }
    )

    app.post(
      '/api/v1/invitations/accept',
      {
        config: { public: true, refuses: ['invitation_invalid', 'password_weak'] },
        schema: {
          operationId: 'acceptInvitation',
          tags,
          security: [],
          summary: 'Choose the first password with a one-time link',
          body: AcceptBody,
          response: { 200: AcceptedShape, ...errorResponses }
        }
      },
      async request => acceptInvitation(services, request.body)
    )

    app.get(
      '/api/v1/why',
      {
        config: { permission: 'access.explain', refuses: ['user_unknown'] },
        schema: {
          operationId: 'why',
          tags: ['access'],
          summary: 'Why somebody may or may not: role part and group part',
          querystring: Type.Object({ userId: Id, permission: Text(60), jobId: Type.Optional(Id) }, closed),
          response: { 200: WhyShape, ...errorResponses }
        }
      },
      async request => {
        const { userId, permission, jobId } = request.query
        return why(request.ctx, { userId, permission, jobId })
      }
    )
  }
}

async function me(ctx: Ctx) {
  const user = await userById(ctx, ctx.principal.id)
  const [roles, groups] = await Promise.all([userRoles(ctx, [ctx.principal.id]), userGroups(ctx, [ctx.principal.id])])
  const opened = user ? openUser(ctx, user) : { username: '', name: null }
  const ref = (row: { id: string; name: string }) => ({ id: row.id, name: row.name })
  return {
    id: ctx.principal.id,
    customer: ctx.tenant.code,
    zone: ctx.tenant.zone,
    username: opened.username,
    name: opened.name,
    employeeId: user?.employee_id ?? null,
    roles: roles.map(ref),
    groups: groups.map(ref),
    permissions: [...ctx.grant.permissions].sort(),
    mustChangePassword: user?.must_change ?? false
  }
}

function cookie(header: string | undefined, name: string): string | undefined {
  for (const part of (header ?? '').split(';')) {
    const at = part.indexOf('=')
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim()
  }
  return undefined
}
