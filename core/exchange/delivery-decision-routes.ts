import { Type } from 'typebox'
import type { Ctx } from '../context.ts'
import type { App } from '../http/app.ts'
import { act } from '../http/idempotency.ts'
import { errorResponses, Id } from '../http/schemas.ts'
import type { WithLease } from '../tasks/lease.ts'
import { findDelivery } from './deliveries-store.ts'
import { DeliveryShape, viewOfDelivery } from './delivery-views.ts'
import type { ErrorBin } from './error-bin.ts'
import { refuseExchange } from './errors.ts'
import type { Receivers } from './receivers.ts'

const closed = { additionalProperties: false }
const tags = ['error bin']
const One = Type.Object({ id: Id }, closed)

export interface DeliveryDecisionsOptions {
  readonly bin: ErrorBin
  readonly withLease: WithLease
  /** Known after the modules are built. */
  readonly receivers: () => Receivers
}

/** What people decide on whole deliveries: replay them, and let a held snapshot close what it did not name. */
export function deliveryDecisionRoutes({ bin, withLease, receivers }: DeliveryDecisionsOptions): (app: App) => void {
  async function delivery(ctx: Ctx, id: string) {
    const row = await findDelivery(ctx, id)
    if (!row) throw refuseExchange('delivery_unknown', 'There is no such delivery.')
    return viewOfDelivery(row)
  }

  return app => {
    app.post(
      '/api/v1/deliveries/:id/replays',
      {
        config: { permission: 'exchange.operate', refuses: ['delivery_unknown', 'delivery_not_replayable'] },
        schema: {
          operationId: 'replayDelivery',
          tags,
          summary: "Runs a stored delivery again with today's mapping",
          description: 'Records that came later stay as they are: the delivery keeps the place of its arrival.',
          params: One,
          body: Type.Object(
            { only: Type.Optional(Type.Union([Type.Literal('all'), Type.Literal('rejects')], { default: 'all' })) },
            closed
          ),
          response: { 202: DeliveryShape, ...errorResponses }
        }
      },
      async (request, reply) =>
        act(request, reply, {
          status: 202,
          run: async tx => ({ id: await bin.replayDelivery(tx, request.params.id, request.body.only ?? 'all') }),
          show: (ctx, made) => delivery(ctx, made.id)
        })
    )

    app.post(
      '/api/v1/deliveries/:id/closing',
      {
        config: { permission: 'exchange.operate', refuses: ['delivery_unknown', 'delivery_not_held', 'import_running'] },
        schema: {
          operationId: 'decideClosing',
          tags,
          summary: 'Lets a held snapshot close what it did not name, or keeps it',
          params: One,
          body: Type.Object({ decision: Type.Union([Type.Literal('close'), Type.Literal('keep')]) }, closed),
          response: { 200: DeliveryShape, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { id } = request.params
        const held = await delivery(request.ctx, id)
        // Not beside a running import of the same connection, which may be about to name what would be closed.
        const done = await withLease(request.ctx, `import:${held.connectionId}`, lease =>
          act(request, reply, {
            run: async tx => {
              await lease.check(tx)
              await bin.decideClosing(tx, receivers(), id, request.body.decision)
              return { id }
            },
            show: ctx => delivery(ctx, id)
          })
        )
        if (!done)
          throw refuseExchange('import_running', 'An import of this connection is running. Repeat in a moment.', { retryAfterSeconds: 5 })
        return done
      }
    )
  }
}
