import type { ImportItem, Secret } from '../../../adapters/contract/index.ts'
import { type Ctx, changedOutcomes, exportOf, goodCsv, goodRest, type Mutant, mapped, withoutFixtures, writing } from './subjects.ts'

/** Set by whoever comes last: what a module remembers of a connection. */
let last: Ctx | undefined

export const secrecyMutants: readonly Mutant[] = [
  {
    check: 'K49',
    fault: 'the headers of a failed call in the log, encoded as they were sent',
    subject: writing(goodRest, (batch, ctx) =>
      changedOutcomes(exportOf(goodRest, batch, ctx), outcome => {
        const { token } = ctx.config as { readonly token?: Secret }
        const basic = Buffer.from(`erp:${token?.reveal() ?? ''}`).toString('base64')
        if (outcome.status === 'unknown') ctx.log.warn({ authorization: `Basic ${basic}` }, 'no answer')
        return outcome
      })
    )
  },
  {
    check: 'K50',
    fault: 'refused rows in the log',
    subject: withoutFixtures(
      mapped((item: ImportItem, _file, ctx): ImportItem => {
        if (item.type === 'reject') ctx.log.warn({ row: JSON.stringify(item.row ?? {}) }, 'refused')
        return item
      })
    )
  },
  {
    check: 'K51',
    fault: 'the connection remembered by the module',
    subject: withoutFixtures(
      writing(goodCsv, (batch, ctx) => {
        last = ctx
        const outbox: Ctx['outbox'] = { write: (name, body) => (last ?? ctx).outbox.write(name, body) }
        return exportOf(goodCsv, batch, { ...ctx, outbox })
      })
    )
  }
]
