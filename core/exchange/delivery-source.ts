import { AdapterError, decodeLines, type InboundFile, type InboundRequest, type Json } from '../../adapters/contract/index.ts'
import type { Ctx } from '../context.ts'
import type { Blobs } from '../storage/blobs.ts'
import { openRaw } from './raw.ts'

/** The bytes of a delivery with what is known of them; `bytes` may be read more than once. */
export interface RawDelivery {
  readonly name: string
  readonly size: number
  readonly sha256: string
  readonly receivedAt: string
  bytes(): AsyncIterable<Uint8Array>
}

/** Largest body that is taken as one JSON value or text. */
const largestText = 64 * 1024 * 1024
const deepest = 64

export const rawOf = (
  ctx: Ctx,
  blobs: Blobs,
  delivery: { name: string; size: string; sha256: string | null; receivedAt: string; blobId: string | null }
): RawDelivery => ({
  name: delivery.name,
  size: Number(delivery.size),
  sha256: delivery.sha256 ?? '',
  receivedAt: delivery.receivedAt,
  bytes: () => openRaw(ctx, blobs, delivery.blobId)
})

export const rawFromBytes = (name: string, bytes: Uint8Array, sha256: string, receivedAt: string): RawDelivery => ({
  name,
  size: bytes.length,
  sha256,
  receivedAt,
  async *bytes() {
    yield bytes
  }
})

export const inboundFile = (raw: RawDelivery): InboundFile => ({
  name: raw.name,
  size: raw.size,
  sha256: raw.sha256,
  receivedAt: raw.receivedAt,
  bytes: () => raw.bytes(),
  lines: encoding => decodeLines(raw.bytes(), encoding)
})

/** Method and headers are not kept: what a call means stands in its body. */
export const inboundRequest = (raw: RawDelivery): InboundRequest => ({
  route: raw.name,
  method: 'POST',
  headers: {},
  sha256: raw.sha256,
  receivedAt: raw.receivedAt,
  text: () => textOf(raw),
  async json() {
    const text = await textOf(raw)
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      // The parser's own words quote the body.
      throw new AdapterError('payload', 'The body is not well-formed JSON.')
    }
    if (depthOf(value) > deepest) throw new AdapterError('payload', `The body is nested deeper than ${deepest} levels.`)
    return value as Json
  }
})

async function textOf(raw: RawDelivery): Promise<string> {
  if (raw.size > largestText) throw new AdapterError('payload', `The body is larger than ${largestText / 1024 / 1024} MB.`)
  const parts: string[] = []
  for await (const part of decoded(raw.bytes())) parts.push(part)
  return parts.join('')
}

function depthOf(value: unknown, depth = 0): number {
  if (value === null || typeof value !== 'object' || depth > deepest) return depth
  let most = depth
  for (const inner of Object.values(value)) most = Math.max(most, depthOf(inner, depth + 1))
  return most
}

/** UTF-8, strictly; the byte-order mark is dropped. */
async function* decoded(bytes: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    for await (const chunk of bytes) yield decoder.decode(chunk, { stream: true })
    yield decoder.decode()
  } catch (cause) {
    throw cause instanceof TypeError ? new AdapterError('payload', 'The body is not text in UTF-8.', { cause }) : cause
  }
}
