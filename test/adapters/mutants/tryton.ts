import { type HttpRequest, type HttpResponse, revealed, TransportError } from '../../../adapters/contract/index.ts'
import { type Ctx, changedOutcomes, exportOf, goodTryton, type Mutant, nothing, withAdapter, writing } from './subjects.ts'

type Request = Ctx['http']['request']
const methodOf = ({ json }: HttpRequest): string => String((json as { method?: string } | undefined)?.method)

/** The Tryton adapter with each call passed through a fault. */
const calling = (fault: (call: HttpRequest, request: Request) => Promise<HttpResponse>): Mutant['subject'] =>
  writing(goodTryton, (batch, ctx) => exportOf(goodTryton, batch, { ...ctx, http: { request: call => fault(call, ctx.http.request) } }))

/** The same for its pulls, which sign in first. */
const signingIn = (fault: (ctx: Ctx) => Ctx): Mutant['subject'] =>
  withAdapter(goodTryton, { import: { pull: (request, ctx) => goodTryton.adapter.import?.pull?.(request, fault(ctx)) ?? nothing() } })

/** Faults of an adapter that takes many calls for one message. */
export const trytonMutants: readonly Mutant[] = [
  {
    check: 'K36',
    fault: 'a draft whose making got no answer is made again at once',
    subject: calling(async (call, request) => {
      try {
        return await request(call)
      } catch (error) {
        const lost = error instanceof TransportError && error.effect === 'possible'
        if (!lost || methodOf(call) !== 'model.stock.move.create') throw error
        return request(call)
      }
    })
  },
  {
    check: 'K36',
    fault: 'a write whose answer was lost is taken for not sent',
    subject: writing(goodTryton, (batch, ctx) =>
      changedOutcomes(exportOf(goodTryton, batch, ctx), outcome =>
        outcome.status === 'unknown' ? { key: outcome.key, status: 'not-sent', reason: outcome.reason } : outcome
      )
    )
  },
  {
    check: 'K37',
    fault: 'nothing is looked for at the second attempt',
    subject: writing(goodTryton, (batch, ctx) => {
      const items = batch.items.map(item => ({ ...item, attempt: 1, previous: 'none' as const }))
      return exportOf(goodTryton, { ...batch, items }, ctx)
    })
  },
  {
    check: 'K39',
    fault: 'a write whose outcome could not be read back is taken for not sent',
    subject: writing(goodTryton, (batch, ctx) =>
      changedOutcomes(exportOf(goodTryton, batch, ctx), outcome =>
        outcome.status === 'unknown' && outcome.reason.includes('503')
          ? { key: outcome.key, status: 'not-sent', reason: outcome.reason }
          : outcome
      )
    )
  },
  {
    check: 'K41',
    fault: 'a lookup that writes what it misses',
    subject: withAdapter(goodTryton, {
      async *lookup(items, ctx) {
        for await (const answer of goodTryton.adapter.lookup?.(items, ctx) ?? []) {
          if (answer.found === false)
            await ctx.http.request({ method: 'POST', url: 'https://tryton.kit.example:8000/kit/', json: { id: 1 } })
          yield answer
        }
      }
    })
  },
  {
    check: 'K49',
    fault: 'the password in plain text in the body of the sign-in',
    subject: signingIn(ctx => ({
      ...ctx,
      http: { request: call => ctx.http.request(call.json === undefined ? call : { ...call, json: revealed(call.json) }) }
    }))
  },
  {
    check: 'K49',
    fault: 'the token of the session in the log',
    subject: signingIn(ctx => ({
      ...ctx,
      state: {
        get: ctx.state.get,
        compareAndSet(expected, next) {
          ctx.log.info({ kept: JSON.stringify(revealed(next)) }, 'signed in')
          return ctx.state.compareAndSet(expected, next)
        }
      }
    }))
  }
]
