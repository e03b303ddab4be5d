import { type ForeignContent, foreignContent, headBytes } from '../../adapters/contract/index.ts'
import type { RawDelivery } from './delivery-source.ts'
import { refuseExchange } from './errors.ts'

const means: Readonly<Record<ForeignContent, string>> = {
  archive: 'an archive',
  compressed: 'a compressed file',
  database: 'a database',
  document: 'a document',
  executable: 'a program',
  image: 'an image',
  media: 'a recording',
  script: 'a program',
  'test-virus': 'the test of virus scanners',
  'web-page': 'a web page'
}

/**
 * Looks at what a delivery is before an adapter reads it. The original stays as it came, sealed. Refuses `delivery_content` for what
 * is no text with records at all, whatever its name or Content-Type says.
 */
export async function checkContent(raw: RawDelivery): Promise<void> {
  const found = foreignContent(await headOf(raw))
  if (!found) return
  throw refuseExchange(
    'delivery_content',
    `This is ${means[found.content]} (${found.format}), not records in text, whatever its name says. Nothing of it was taken over.`
  )
}

async function headOf(raw: RawDelivery): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of raw.bytes()) {
    parts.push(part)
    length += part.length
    if (length >= headBytes) break
  }
  return Buffer.concat(parts).subarray(0, headBytes)
}
