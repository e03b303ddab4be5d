import type { Ctx, TxCtx } from '../context.ts'
import { newId } from '../ids.ts'
import { journal } from '../journal/append.ts'
import type { ArrivalOptions } from './arrivals.ts'
import { type Delivery, insertDelivery, latestOf, lockConnection, noteArrival } from './deliveries-store.ts'
import { refuseExchange } from './errors.ts'
import { rawWriter } from './raw.ts'

export interface Raw {
  readonly blobId: string
  readonly size: number
  readonly sha256: string
}

/** Bytes to an encrypted blob, on the disk when it returns. Without a row soon after, they are swept a day later. */
export async function writeRaw(
  ctx: Ctx,
  options: Pick<ArrivalOptions, 'blobs' | 'maxFileBytes'>,
  body: Buffer | AsyncIterable<Uint8Array>
): Promise<Raw> {
  const writer = await rawWriter(ctx, options.blobs)
  try {
    for await (const chunk of Buffer.isBuffer(body) ? [body] : body) {
      if (writer.size + chunk.length > options.maxFileBytes) {
        throw refuseExchange('delivery_too_large', `The body is larger than ${options.maxFileBytes} bytes.`)
      }
      await writer.append(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    }
    const { size, sha256 } = await writer.finish()
    return { blobId: writer.id, size, sha256 }
  } catch (error) {
    await writer.abort()
    throw error
  }
}

/**
 * The row of something that came whole; `duplicate` when it equals the newest delivery of its name, unless its sender says by a key of
 * its own (`keyed`) that it is another one.
 */
export async function recordDelivery(
  tx: TxCtx,
  given: Raw & { connectionId: string; way: 'http' | 'pull' | 'sftp'; name: string; keyed?: boolean }
): Promise<{ readonly delivery: Delivery; readonly sameAs: Delivery | undefined }> {
  if ((await lockConnection(tx, given.connectionId)) === undefined)
    throw refuseExchange('connection_unknown', 'There is no such connection.')
  const at = tx.clock.iso()
  const latest = given.keyed ? undefined : await latestOf(tx, given.connectionId, given.way, given.name)
  const same = latest !== undefined && latest.sha256 === given.sha256 && Number(latest.size) === given.size
  const delivery = await insertDelivery(tx, {
    id: newId(),
    connection_id: given.connectionId,
    way: given.way,
    name: given.name,
    size: given.size,
    sha256: given.sha256,
    blob_id: given.blobId,
    state: same ? 'duplicate' : 'stored',
    received_at: at,
    stored_at: at,
    ...(same
      ? { finished_at: at, reason_code: 'same_as_latest', reason: `Same content as delivery ${latest.seq}; not processed again.` }
      : {})
  })
  await noteArrival(tx, given.connectionId, at)
  await journal.append(tx, {
    act: 'delivery.receive',
    subject: 'exchange.delivery',
    subjectId: delivery.id,
    data: { way: given.way, duplicate: same }
  })
  if (!same) tx.tx.due.add('import')
  return { delivery, sameAs: same ? latest : undefined }
}
