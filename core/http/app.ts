import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyBaseLogger, FastifyInstance, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault } from 'fastify'
import type { Ctx } from '../context.ts'

/** The Fastify instance as modules see it: schemas are TypeBox, so handlers are typed by them. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression<RawServerDefault>,
  RawReplyDefaultExpression<RawServerDefault>,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

declare module 'fastify' {
  interface FastifyRequest {
    /** Context of the signed-in caller; reading it on a public route throws. */
    ctx: Ctx
  }
  interface FastifyContextConfig {
    /** Permission that the caller's roles must hold; `session.own` is held by everyone who is signed in. */
    permission?: string
    /** Says outright that nobody needs to be signed in. */
    public?: boolean
    /** The answer lasts for as long as somebody listens: how long says nothing about the server. */
    endless?: boolean
    /** Refusal codes this route may answer with, for the reference. */
    refuses?: readonly string[]
  }
}
