import { createMapper, type ExportOutcomeBody, eachInOrder, type ImportItem, TransportError } from '../../../adapters/contract/index.ts'
import { restAdapter, restConfig } from '../rest-adapter.ts'
import {
  type Ctx,
  changedOutcomes,
  exportOf,
  goodCsv,
  goodRest,
  type Mutant,
  mapped,
  post,
  withAdapter,
  withoutFixtures,
  writing,
  writingThrough
} from './subjects.ts'

/** The document of a key, as a search in the ERP gives it. */
async function search(key: string, ctx: Ctx): Promise<string | null> {
  const response = await ctx.http.request({ method: 'GET', url: `${restConfig.baseUrl}/documents?key=${encodeURIComponent(key)}` })
  return ((await response.json()) as { document: string | null } | null)?.document ?? null
}

/** `post`, with the ERP's wish to be left alone heard. */
async function send(item: Parameters<typeof post>[0], ctx: Ctx): Promise<ExportOutcomeBody> {
  const body = await post(item, ctx)
  return body.status === 'unknown' && body.reason === 'HTTP 429' ? { status: 'not-sent', reason: body.reason } : body
}

export const exportMutants: readonly Mutant[] = [
  {
    check: 'K34',
    fault: 'two outcomes for one item',
    subject: withoutFixtures(
      writing(goodCsv, async function* (batch, ctx) {
        for await (const outcome of exportOf(goodCsv, batch, ctx)) {
          yield outcome
          yield outcome
        }
      })
    )
  },
  {
    check: 'K35',
    fault: 'a reference made up',
    subject: writing(goodRest, (batch, ctx) =>
      changedOutcomes(exportOf(goodRest, batch, ctx), outcome =>
        outcome.status === 'accepted' ? { ...outcome, ref: { document: 'OK' } } : outcome
      )
    )
  },
  {
    check: 'K36',
    fault: 'at the third attempt a lost answer is repeated at once',
    subject: writing(goodRest, (batch, ctx) =>
      eachInOrder(batch, async item => {
        const first = await send(item, ctx)
        return first.status === 'unknown' && item.attempt >= 3 ? send(item, ctx) : first
      })
    )
  },
  {
    check: 'K37',
    fault: 'what was begun and not ended is taken for sent',
    subject: writing(goodRest, async function* (batch, ctx) {
      const keys = batch.items.map(({ key }) => key)
      const begun = ((await ctx.state.get()) as string[] | null) ?? []
      await ctx.state.compareAndSet(await ctx.state.get(), [...begun, ...keys])
      yield* eachInOrder(batch, async item =>
        begun.includes(item.key) ? { status: 'duplicate', ref: { document: 'begun' } } : send(item, ctx)
      )
      const left = ((await ctx.state.get()) as string[] | null) ?? []
      await ctx.state.compareAndSet(
        left,
        left.filter(key => !keys.includes(key))
      )
    })
  },
  {
    check: 'K38',
    fault: 'later messages sent past one that is open',
    subject: writing(goodRest, async function* (batch, ctx) {
      for (const item of batch.items) {
        const body = await send(item, ctx).catch((error: Error): ExportOutcomeBody => {
          const harmless = error instanceof TransportError && error.effect === 'none'
          return { status: harmless ? 'not-sent' : 'unknown', reason: error.message }
        })
        yield { key: item.key, ...body }
      }
    })
  },
  {
    check: 'K39',
    fault: 'an error of the ERP taken for nothing happened, made good by a search before the next attempt',
    subject: writing(goodRest, (batch, ctx) =>
      eachInOrder(batch, async item => {
        const document = item.attempt > 1 ? await search(item.key, ctx) : null
        if (document !== null) return { status: 'duplicate', ref: { document } }
        const body = await send(item, ctx)
        return body.status === 'unknown' ? { status: 'not-sent', reason: body.reason } : body
      })
    )
  },
  {
    check: 'K40',
    fault: 'the reason of the ERP lost',
    subject: writing(goodRest, (batch, ctx) =>
      changedOutcomes(exportOf(goodRest, batch, ctx), outcome =>
        outcome.status === 'rejected' ? { ...outcome, reject: { code: 'failed', message: 'Failed.' } } : outcome
      )
    )
  },
  {
    check: 'K41',
    fault: 'a search that failed taken for "not there"',
    subject: withAdapter(goodRest, {
      async *lookup(items, ctx) {
        for await (const answer of restAdapter.lookup?.(items, ctx) ?? []) {
          yield answer.found === 'cannot-tell' ? { key: answer.key, found: false } : answer
        }
      }
    })
  },
  {
    check: 'K42',
    fault: 'waits a while, searches once and sends again',
    subject: writing(goodRest, (batch, ctx) =>
      eachInOrder(batch, async item => {
        try {
          return await send(item, ctx)
        } catch (error) {
          if (error instanceof TransportError && error.effect === 'none') throw error
          await ctx.clock.sleep(50_000)
          const document = await search(item.key, ctx)
          return document === null ? send(item, ctx) : { status: 'duplicate', ref: { document } }
        }
      })
    )
  },
  {
    check: 'K43',
    fault: 'six characters of the key in the name of the file',
    subject: withoutFixtures(
      writing(goodCsv, (batch, ctx) => {
        const names = new Map(batch.items.map(item => [item.shortKey(20), item.shortKey(20).slice(0, 6)]))
        const short = (name: string): string => name.replace(/[0-9A-Z]{20}/, long => names.get(long) ?? long)
        const outbox: Ctx['outbox'] = { write: (name, body) => ctx.outbox.write(short(name), body) }
        return changedOutcomes(exportOf(goodCsv, batch, { ...ctx, outbox }), outcome =>
          outcome.status === 'delivered' ? { ...outcome, ref: { document: short(outcome.ref.document) } } : outcome
        )
      })
    )
  },
  {
    check: 'K44',
    fault: 'the time of writing in the file',
    subject: withoutFixtures(writingThrough((name, body, ctx) => [name, `${body}${ctx.clock.now().toISOString()}\r\n`]))
  },
  {
    check: 'K45',
    fault: "the ERP's document number lost",
    subject: withoutFixtures(
      mapped(
        (item): ImportItem =>
          item.type === 'ack' && item.outcome.status === 'accepted'
            ? { ...item, outcome: { status: 'accepted', ref: { document: item.exportKey } } }
            : item
      )
    )
  },
  {
    check: 'K46',
    fault: "our own codes sent, the customer's tables forgotten",
    subject: withoutFixtures(
      writing(goodCsv, (batch, ctx) => {
        const { mapping = {} } = goodCsv.adapter.manifest
        const out = createMapper({ mapping, codeTables: {}, timeZone: ctx.connection.timeZone })
        return exportOf(goodCsv, batch, { ...ctx, map: { ...ctx.map, out: out.out } })
      })
    )
  }
]
