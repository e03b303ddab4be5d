import {
  type Adapter,
  type AdapterCtx,
  AdapterError,
  type ConfigOf,
  type ConfigSchema,
  csvLine,
  type ExportBatch,
  type ExportItem,
  type ExportOutcome,
  type ExportOutcomeBody,
  eachInOrder,
  type ImportItem,
  type InboundFile,
  type RecordItem
} from '../../../adapters/contract/index.ts'
import csv from '../../../adapters/csv/index.ts'
import type { Subject } from '../../../adapters/kit/erp.ts'
import neutralRest from '../../../adapters/neutral-rest/index.ts'
import tryton from '../../../adapters/tryton/index.ts'
import { csvErp } from '../csv-erp.ts'
import { neutralRestErp } from '../neutral-rest-erp.ts'
import { restAdapter, restConfig, restErp } from '../rest-adapter.ts'
import { trytonConfig, trytonErp } from '../tryton-erp.ts'

export interface Mutant {
  readonly check: string
  readonly fault: string
  readonly subject: Subject
}

export type Ctx = AdapterCtx<ConfigOf<ConfigSchema>>
export type Row = Readonly<Record<string, unknown>>

export const goodCsv: Subject = {
  adapter: csv,
  options: { config: { delimiter: ';' }, erp: csvErp(), fixtures: new URL('../../../adapters/csv/fixtures/', import.meta.url) }
}
export const goodNeutral: Subject = {
  adapter: neutralRest,
  options: { config: {}, erp: neutralRestErp, fixtures: new URL('../../../adapters/neutral-rest/fixtures/', import.meta.url) }
}
export const goodTryton: Subject = { adapter: tryton, options: { config: trytonConfig, erp: trytonErp() } }
export const goodRest: Subject = { adapter: restAdapter, options: { config: restConfig, erp: restErp } }

export const withAdapter = (subject: Subject, change: Partial<Adapter>): Subject => ({
  ...subject,
  adapter: { ...subject.adapter, ...change }
})
export const withManifest = (subject: Subject, change: object): Subject =>
  withAdapter(subject, { manifest: { ...subject.adapter.manifest, ...change } as Adapter['manifest'] })
export const withSetting = (name: string, field: object): Subject => {
  const { config } = csv.manifest
  return withManifest(goodCsv, { config: { ...config, properties: { ...config.properties, [name]: field } } })
}

/** The CSV adapter with its items passed through a fault. */
export const reading = (fault: (items: AsyncIterable<ImportItem>, file: InboundFile, ctx: Ctx) => AsyncIterable<ImportItem>): Subject =>
  withAdapter(goodCsv, { import: { file: (file, ctx) => fault(csv.import?.file?.(file, ctx) ?? nothing(), file, ctx) } })
export const mapped = (change: (item: ImportItem, file: InboundFile, ctx: Ctx) => ImportItem | undefined): Subject =>
  reading(async function* (items, file, ctx) {
    for await (const item of items) {
      const made = change(item, file, ctx)
      if (made) yield made
    }
  })
export async function* nothing(): AsyncIterable<ImportItem> {}

export const writing = (subject: Subject, send: (batch: ExportBatch, ctx: Ctx) => AsyncIterable<ExportOutcome>): Subject =>
  withAdapter(subject, { export: send })
export const writingFiles = (file: (item: ExportItem, ctx: Ctx) => [name: string, body: string]): Subject =>
  writing(goodCsv, (batch, ctx) =>
    eachInOrder(batch, async item => {
      const [document, body] = file(item, ctx)
      await ctx.outbox.write(document, body)
      return { status: 'delivered', ref: { document }, confirmWithinSeconds: 60 }
    })
  )
export const rowOf = (item: ExportItem): string => csvLine(['Key', 'Kind'], ';') + csvLine([item.key, item.kind], ';')
export const nameOf = (item: ExportItem): string => `OUT_${item.shortKey(20)}.csv`

export async function post(item: ExportItem, ctx: Ctx): Promise<ExportOutcomeBody> {
  const response = await ctx.http.request({ method: 'POST', url: `${restConfig.baseUrl}/documents`, json: { key: item.key } })
  const body = (await response.json()) as { document?: string; error?: string } | null
  if (response.status === 201) return { status: 'accepted', ref: { document: body?.document ?? '' } }
  if (response.status === 422) return { status: 'rejected', reject: { code: 'erp_rejected', message: body?.error ?? '' } }
  return { status: 'unknown', reason: `HTTP ${response.status}` }
}
export async function* changedOutcomes(
  outcomes: AsyncIterable<ExportOutcome>,
  change: (outcome: ExportOutcome) => ExportOutcome
): AsyncIterable<ExportOutcome> {
  for await (const outcome of outcomes) yield change(outcome)
}
export const exportOf = (subject: Subject, batch: ExportBatch, ctx: Ctx): AsyncIterable<ExportOutcome> =>
  subject.adapter.export?.(batch, ctx) ?? none()
export async function* none(): AsyncIterable<ExportOutcome> {}

/** Fetches pages by a cursor of one's own making. */
export const fetching = (cursor: (last: Row) => string, order: 'rows first' | 'checkpoint first'): Subject =>
  withAdapter(goodRest, {
    import: {
      async *pull({ kind, checkpoint }, ctx) {
        let query = String(checkpoint ?? '')
        for (;;) {
          const response = await ctx.http.request({ method: 'GET', url: `${restConfig.baseUrl}/orders${query}` })
          if (response.status !== 200) throw new AdapterError('transient', `HTTP ${response.status}`)
          const { value } = (await response.json()) as { value: { changedAt: string; id: string; fields: Row }[] }
          const last = value.at(-1)
          if (!last) return
          query = cursor(last as unknown as Row)
          if (order === 'checkpoint first') yield { type: 'checkpoint', state: query }
          for (const row of value) yield ctx.map.row(kind, row.fields, { pointer: `/${row.id}` })
          if (order === 'rows first') yield { type: 'checkpoint', state: query }
        }
      }
    }
  })

/** The outbox of an adapter with its documents passed through a fault. */
export const writingThrough = (change: (name: string, body: string, ctx: Ctx) => readonly [name: string, body: string]): Subject =>
  writing(goodCsv, (batch, ctx) => {
    const outbox: Ctx['outbox'] = {
      write: (name, body) => ctx.outbox.write(...change(name, Buffer.from(body).toString('utf8'), ctx))
    }
    return exportOf(goodCsv, batch, { ...ctx, outbox })
  })

/** Records of one kind passed through a fault. */
export const changedRecords = (
  kind: string,
  change: (record: Record<string, unknown>, item: RecordItem, file: InboundFile) => object
): Subject =>
  mapped((item, file) =>
    item.type === 'record' && item.kind === kind
      ? ({ ...item, record: change({ ...item.record }, item, file) } as unknown as ImportItem)
      : item
  )

/** An adapter that brings no recorded deliveries. */
export function withoutFixtures({ adapter, options: { fixtures: _, ...options } }: Subject): Subject {
  return { adapter, options }
}

/** An adapter that lacks a part of itself. */
export function without(subject: Subject, part: 'lookup' | 'import'): Subject {
  const adapter: Partial<Adapter> = { ...subject.adapter }
  delete (adapter as { [key: string]: unknown })[part]
  return { ...subject, adapter: adapter as Adapter }
}
