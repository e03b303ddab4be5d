import { type ForeignContent, foreignContent, headBytes } from '../../adapters/contract/index.ts'
import type { RawDelivery } from './delivery-source.ts'
import { refuseExchange } from './errors.ts'
import type { Scan } from './scanner.ts'

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
 * is no text with records at all, whatever its name or Content-Type says, and `delivery_infected` for what the operator's virus scanner
 * finds, where there is one.
 * @throws AdapterError `transient` while the scanner cannot tell
 */
export async function checkContent(raw: RawDelivery, scan: Scan | undefined, signal: AbortSignal): Promise<void> {
  const foreign = foreignContent(await headOf(raw))
  if (foreign) {
    throw refuseExchange(
      'delivery_content',
      `This is ${means[foreign.content]} (${foreign.format}), not records in text, whatever its name says. Nothing of it was taken over.`
    )
  }
  const found = await scan?.(raw.bytes(), signal)
  if (found !== undefined)
    throw refuseExchange('delivery_infected', `The virus scanner found ${found} in it. Nothing of it was taken over.`)
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
