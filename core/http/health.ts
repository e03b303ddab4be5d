import { Type } from 'typebox'
import { refuse } from '../errors.ts'
import type { App } from './app.ts'
import { errorResponses } from './schemas.ts'

export interface HealthCheck {
  readonly name: string
  /** Throws when the part is not usable. */
  readonly check: () => Promise<void>
}

/** Liveness says the process answers; readiness says that what it needs answers too. */
export function healthRoutes(app: App, checks: readonly HealthCheck[], stopping: () => boolean): void {
  const Healthy = Type.Object({ status: Type.Literal('ok') })
  app.get('/health/live', {
    config: { public: true },
    schema: { operationId: 'live', tags: ['health'], security: [], response: { 200: Healthy, ...errorResponses } },
    handler: async () => ({ status: 'ok' as const })
  })
  app.get('/health/ready', {
    config: { public: true },
    schema: { operationId: 'ready', tags: ['health'], security: [], response: { 200: Healthy, ...errorResponses } },
    handler: async request => {
      if (stopping()) throw refuse('unavailable', 'This process is stopping.', { retryAfterSeconds: 5 })
      for (const { name, check } of checks) {
        try {
          await check()
        } catch (error) {
          request.log.warn({ err: error, check: name }, 'not ready')
          throw refuse('unavailable', `Not ready: ${name} does not answer.`, { retryAfterSeconds: 2 })
        }
      }
      return { status: 'ok' as const }
    }
  })
}
