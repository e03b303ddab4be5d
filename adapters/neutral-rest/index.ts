import {
  type AdapterCtx,
  type ConfigOf,
  defineAdapter,
  type ExportItem,
  type ExportOutcomeBody,
  eachInOrder,
  type Json
} from '../contract/index.ts'
import { importCall } from './imports.ts'
import { type config, manifest } from './manifest.ts'

/** The ERP calls us: it posts records and acknowledgements and fetches feedback. README.md has the calls. */
export default defineAdapter({
  manifest,
  import: { http: importCall },
  export: (batch, ctx) => eachInOrder(batch, item => writeDocument(item, ctx))
})

async function writeDocument(
  item: ExportItem,
  { config: settings, map, outbox }: AdapterCtx<ConfigOf<typeof config>>
): Promise<ExportOutcomeBody> {
  const mapped = map.out(item)
  if (!mapped.ok) return { status: 'rejected', reject: mapped.reject }
  const body = { key: item.key, kind: item.kind, orderingKey: item.orderingKey, seq: item.seq, record: nest(mapped.row, item.record) }
  const document = `${item.kind}-${item.shortKey(20)}.json`
  await outbox.write(document, JSON.stringify(body))
  return { status: 'delivered', ref: { document }, confirmWithinSeconds: settings.ackWithinMinutes * 60 }
}

/** { "quantity.value": "2" } -> { quantity: { value: "2" } }; what the mapping left as it was keeps its type, what is absent is left out. */
function nest(row: Readonly<Record<string, string>>, record: object): { [key: string]: Json } {
  const out: { [key: string]: Json } = {}
  for (const [path, text] of Object.entries(row)) {
    if (text === '') continue
    const steps = path.split('.')
    const last = steps.pop() ?? path
    let at = out
    for (const step of steps) {
      const inner = Object.hasOwn(at, step) ? at[step] : undefined
      const next: { [key: string]: Json } = typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? inner : {}
      at[step] = next
      at = next
    }
    const original = path.split('.').reduce<unknown>((value, step) => (value as Record<string, unknown> | undefined)?.[step], record)
    at[last] = typeof original === 'number' && String(original) === text ? original : text
  }
  return out
}
