import { AdapterError, type ExportOutcomeBody, eachInOrder, type ImportItem } from '../../../adapters/contract/index.ts'
import csv from '../../../adapters/csv/index.ts'
import type { Subject } from '../../../adapters/kit/erp.ts'
import { restAdapter } from '../rest-adapter.ts'
import {
  changedOutcomes,
  exportOf,
  fetching,
  goodCsv,
  goodRest,
  type Mutant,
  mapped,
  nameOf,
  post,
  reading,
  rowOf,
  withAdapter,
  withManifest,
  without,
  withSetting,
  writing,
  writingFiles
} from './subjects.ts'

let counter = 0
const seenFiles = new Set<string>()

/** Adapters that are broken for good: others may notice them as well. */
export const wideMutants: readonly Mutant[] = [
  { check: 'K01', fault: 'an id without vendor', subject: withManifest(goodCsv, { id: 'CSV' }) },
  { check: 'K01', fault: 'a function in the manifest', subject: withManifest(goodCsv, { displayName: () => 'CSV' }) },
  { check: 'K02', fault: 'a setting without title', subject: withSetting('note', { type: 'string', title: '' }) },
  {
    check: 'K02',
    fault: 'a default that is not allowed',
    subject: withSetting('note', { type: 'integer', title: 'Note', minimum: 5, default: 1 })
  },
  { check: 'K03', fault: 'a token in plain sight', subject: withSetting('apiToken', { type: 'string', title: 'Token' }) },
  { check: 'K04', fault: 'egress that names no setting', subject: withManifest(goodRest, { egress: ['/host'] }) },
  {
    check: 'K04',
    fault: 'a call to a host of its own choice',
    subject: writing(goodRest, (batch, ctx) =>
      eachInOrder(batch, async item => {
        await ctx.http.request({ method: 'GET', url: 'https://metrics.elsewhere.example/' })
        return post(item, ctx)
      })
    )
  },
  { check: 'K05', fault: 'lookup promised and missing', subject: without(goodRest, 'lookup') },
  { check: 'K05', fault: 'a file promised, no reader', subject: without(goodCsv, 'import') },
  {
    check: 'K06',
    fault: 'settings that nobody checks',
    subject: withManifest(goodCsv, { config: { ...csv.manifest.config, additionalProperties: true } })
  },
  {
    check: 'K12',
    fault: 'keys counted up',
    subject: mapped(item => (item.type === 'record' ? { ...item, key: `${item.key}-${++counter}` } : item))
  },
  { check: 'K12', fault: 'empty keys', subject: mapped(item => (item.type === 'record' ? { ...item, key: '' } : item)) },
  {
    check: 'K12',
    fault: 'a field that the record does not have',
    subject: mapped(item =>
      item.type === 'record' ? ({ ...item, record: Object.assign({}, item.record, { birthDate: '1980-01-01' }) } as ImportItem) : item
    )
  },
  { check: 'K13', fault: 'the last record lost', subject: reading(withoutLast) },
  {
    check: 'K14',
    fault: 'a cursor of time alone',
    subject: fetching(({ changedAt }) => `?since=${String(changedAt)}&after=9999`, 'rows first')
  },
  {
    check: 'K15',
    fault: 'a checkpoint before its rows',
    subject: fetching(({ changedAt, id }) => `?since=${encodeURIComponent(String(changedAt))}&after=${String(id)}`, 'checkpoint first')
  },
  {
    check: 'K16',
    fault: 'one bad record fails all',
    subject: mapped(item => {
      if (item.type === 'reject') throw new AdapterError('payload', item.reject.message)
      return item
    })
  },
  { check: 'K16', fault: 'a bad record left out in silence', subject: mapped(item => (item.type === 'reject' ? undefined : item)) },
  {
    check: 'K16',
    fault: 'a reject without its place',
    subject: mapped(item => (item.type === 'reject' ? { type: 'reject', kind: item.kind, reject: item.reject } : item))
  },
  {
    check: 'K17',
    fault: 'a missing code that does not say where',
    subject: mapped(item => (item.type === 'reject' ? { ...item, reject: { code: item.reject.code, message: item.reject.message } } : item))
  },
  { check: 'K18', fault: 'a missing quantity taken for one', subject: guessing() },
  {
    check: 'K18',
    fault: 'a new column taken for a fault',
    subject: mapped(item => {
      if (item.type === 'record' && item.unknown) throw new AdapterError('payload', 'unexpected column')
      return item
    })
  },
  {
    check: 'K24',
    fault: 'the time of reading in the record',
    subject: mapped((item, file) =>
      item.type === 'record' ? ({ ...item, record: stamped(item.record, file.receivedAt) } as ImportItem) : item
    )
  },
  {
    check: 'K25',
    fault: 'a memory of contents seen before',
    subject: reading(async function* (items, file) {
      if (seenFiles.has(file.sha256)) return
      for await (const item of items) yield item
      seenFiles.add(file.sha256)
    })
  },
  {
    check: 'K25',
    fault: 'revisions thrown away',
    subject: mapped(item => (item.type === 'record' ? ({ ...item, revision: undefined } as unknown as ImportItem) : item))
  },
  {
    check: 'K26',
    fault: 'another order at every reading',
    subject: reading(async function* (items) {
      const all = await Array.fromAsync(items)
      yield* counter++ % 2 === 0 ? all : all.reverse()
    })
  },
  {
    check: 'K34',
    fault: 'success before the write',
    subject: writing(goodCsv, async function* (batch, ctx) {
      for (const item of batch.items)
        yield { key: item.key, status: 'delivered', ref: { document: nameOf(item) }, confirmWithinSeconds: 60 }
      for (const item of batch.items) await ctx.outbox.write(nameOf(item), rowOf(item))
    })
  },
  {
    check: 'K34',
    fault: 'two outcomes for one item',
    subject: writing(goodCsv, async function* (batch, ctx) {
      for await (const outcome of exportOf(goodCsv, batch, ctx)) {
        yield outcome
        yield outcome
      }
    })
  },
  {
    check: 'K34',
    fault: 'a key of its own making',
    subject: writing(goodCsv, (batch, ctx) =>
      changedOutcomes(exportOf(goodCsv, batch, ctx), outcome => ({ ...outcome, key: `${outcome.key}x` }))
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
    fault: 'a blind repetition called harmless',
    subject: withManifest(goodRest, { exports: { labour: { idempotency: 'native', confirms: 'sync', orderedBy: 'workOrder' } } })
  },
  {
    check: 'K36',
    fault: 'the attempt in the name of the file',
    subject: writingFiles(item => [`OUT_${item.shortKey(20)}_${item.attempt}.csv`, rowOf(item)])
  },
  {
    check: 'K37',
    fault: 'noted as sent before it was',
    subject: writing(goodRest, (batch, ctx) =>
      eachInOrder(batch, async item => {
        const sent = (await ctx.state.get()) as string[] | null
        if (sent?.includes(item.key)) return { status: 'duplicate', ref: { document: 'noted' } }
        await ctx.state.compareAndSet(sent, [...(sent ?? []), item.key])
        return post(item, ctx)
      })
    )
  },
  {
    check: 'K38',
    fault: 'later messages sent past one that is open',
    subject: writing(goodRest, async function* (batch, ctx) {
      for (const item of batch.items) {
        const body = await post(item, ctx).catch((): ExportOutcomeBody => ({ status: 'unknown', reason: 'lost' }))
        yield { key: item.key, ...body }
      }
    })
  },
  {
    check: 'K39',
    fault: 'every failure called not sent',
    subject: writing(goodRest, (batch, ctx) =>
      changedOutcomes(exportOf(goodRest, batch, ctx), outcome =>
        outcome.status === 'unknown' ? { key: outcome.key, status: 'not-sent', reason: outcome.reason } : outcome
      )
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
    check: 'K40',
    fault: 'a refusal taken for a loss',
    subject: writing(goodRest, (batch, ctx) =>
      changedOutcomes(exportOf(goodRest, batch, ctx), outcome =>
        outcome.status === 'rejected' ? { key: outcome.key, status: 'unknown', reason: '422' } : outcome
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
    check: 'K41',
    fault: 'a lookup that writes',
    subject: withAdapter(goodRest, {
      async *lookup(items, ctx) {
        for await (const answer of restAdapter.lookup?.(items, ctx) ?? []) {
          yield answer
          const [item] = items
          if (answer.found === false && item) await post(item, ctx)
        }
      }
    })
  },
  {
    check: 'K44',
    fault: 'the time of writing in the file',
    subject: writingFiles((item, ctx) => [nameOf(item), `${rowOf(item)}${ctx.clock.now().toISOString()}\r\n`])
  },
  { check: 'K44', fault: 'a temporary name', subject: writingFiles(item => [`${nameOf(item)}.tmp`, rowOf(item)]) },
  {
    check: 'K45',
    fault: 'every acknowledgement a good one',
    subject: mapped(item => (item.type === 'ack' ? { ...item, outcome: { status: 'accepted', ref: { document: 'D000001' } } } : item))
  },
  { check: 'K45', fault: 'acknowledgements overlooked', subject: mapped(item => (item.type === 'ack' ? undefined : item)) }
]

async function* withoutLast(items: AsyncIterable<ImportItem>): AsyncIterable<ImportItem> {
  yield* (await Array.fromAsync(items)).slice(0, -1)
}

/** Fills in what the ERP does not say. */
function guessing(): Subject {
  const { mapping = {} } = csv.manifest
  const workOrder = {
    ...mapping.imports?.workOrder,
    quantity: { value: { from: 'Quantity', default: '1' }, unit: { from: 'Unit', default: 'PCE' } }
  }
  return { ...goodCsv, options: { ...goodCsv.options, mapping: { ...mapping, imports: { ...mapping.imports, workOrder } } } }
}

const stamped = (record: object, at: string): object => ({
  ...record,
  ...('description' in record ? { description: `read at ${at}` } : {})
})
