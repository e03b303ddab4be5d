import { TransportError } from './errors.ts'
import type { Adapter, ConfigSchema, ExportBatch, ExportItem, ExportOutcome, ExportOutcomeBody } from './types.ts'

/** Types an adapter by its own settings schema, and forgets them again for the host, which checks settings before any code runs. */
export function defineAdapter<const S extends ConfigSchema>(adapter: Adapter<S>): Adapter {
  return adapter as unknown as Adapter
}

/**
 * One record at a time in the order given; after one that did not get through, the later ones of the same ordering key are answered
 * `not-sent` without being tried.
 */
export async function* eachInOrder(
  batch: ExportBatch,
  send: (item: ExportItem) => Promise<ExportOutcomeBody>
): AsyncIterable<ExportOutcome> {
  const stopped = new Set<string>()
  for (const item of batch.items) {
    if (stopped.has(item.orderingKey)) {
      yield { key: item.key, status: 'not-sent', reason: `an earlier record of ${item.orderingKey} is open` }
      continue
    }
    const body = await attempt(item, send)
    if (body.status === 'not-sent' || body.status === 'unknown' || body.status === 'rejected') stopped.add(item.orderingKey)
    yield { key: item.key, ...body }
  }
}

async function attempt(item: ExportItem, send: (item: ExportItem) => Promise<ExportOutcomeBody>): Promise<ExportOutcomeBody> {
  try {
    return await send(item)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return error instanceof TransportError && error.effect === 'none' ? { status: 'not-sent', reason } : { status: 'unknown', reason }
  }
}
