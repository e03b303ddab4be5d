import { TextDecoder } from 'node:util'

let codes: ReadonlyMap<string, number> | undefined

function windows1252(): ReadonlyMap<string, number> {
  if (!codes) {
    const decoder = new TextDecoder('windows-1252')
    codes = new Map(Array.from({ length: 256 }, (_, byte) => [decoder.decode(Uint8Array.of(byte)), byte]))
  }
  return codes
}

/** Text as bytes of an encoding; the first character that it does not have instead. */
export function encodeText(text: string, encoding: 'utf-8' | 'windows-1252'): Uint8Array | { readonly missing: string } {
  if (encoding === 'utf-8') return Buffer.from(text, 'utf8')
  const table = windows1252()
  const bytes: number[] = []
  for (const character of text) {
    const byte = table.get(character)
    if (byte === undefined) return { missing: character }
    bytes.push(byte)
  }
  return Uint8Array.from(bytes)
}
