import { AdapterError, xmlRecords } from '../../adapters/contract/index.ts'
import { chanceOf } from './chance.ts'
import { damage } from './damage.ts'
import { documents } from './deliveries.ts'

/** The reader of XML on damaged documents, cut anywhere: it reads or refuses, and nothing else. @returns what went wrong */
export async function damagedXml(seed: number, count: number): Promise<{ read: number; refused: number; faults: readonly string[] }> {
  let [read, refused] = [0, 0]
  const faults: string[] = []
  for (let n = 0; n < count; n++) {
    const chance = chanceOf(seed + 1, n)
    const { body, how } = damage(chance.pick(documents), chance, documents)
    const size = 1 + chance.below(chance.pick([8, 100, 70_000]))
    async function* pieces(): AsyncIterable<Uint8Array> {
      for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size)
    }
    try {
      // Small pieces of a large document would measure the loop here, not the reader.
      for await (const _ of xmlRecords(body.length / size > 20_000 ? single(body) : pieces(), 'order'));
      read++
    } catch (error) {
      if (error instanceof AdapterError && error.cls === 'payload' && error.message !== '') refused++
      else faults.push(`document ${n} (${how.join(', ')}): ${(error as Error).stack ?? error}`)
    }
  }
  return { read, refused, faults }
}

async function* single(body: Uint8Array): AsyncIterable<Uint8Array> {
  yield body
}
