import { TextDecoder } from 'node:util'
import { AdapterError } from './errors.ts'

const declaredEncoding = /^<\?xml[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']/
const singleByte = ['iso-8859-1', 'windows-1252']
const sniffed = 200

/** The encoding that the first bytes tell: the byte-order mark, else the XML declaration, else UTF-8 (XML 1.0, appendix F). */
function encodingOf(first: Uint8Array): string {
  if (first[0] === 0xff && first[1] === 0xfe) return 'utf-16le'
  if (first[0] === 0xfe && first[1] === 0xff) return 'utf-16be'
  const declared = (declaredEncoding.exec(Buffer.from(first.subarray(0, sniffed)).toString('latin1'))?.[1] ?? 'utf-8').toLowerCase()
  if (declared === 'utf-8' || singleByte.includes(declared)) return declared
  throw new AdapterError(
    'payload',
    `The XML declares the encoding "${declared}"; read are UTF-8, UTF-16 with a byte-order mark, ISO-8859-1 and windows-1252.`
  )
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those that XML 1.0 (2.2) does not have
const forbidden = /[\0-\x08\x0B\x0C\x0E-\x1F\uFFFE\uFFFF]/

/** The characters of an XML file, line ends as LF (XML 1.0, 2.11), without what XML may not hold. @throws AdapterError `payload` */
export async function* xmlText(bytes: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  let decoder: TextDecoder | undefined
  let held = Buffer.alloc(0)
  let encoding = ''
  let afterReturn = false
  const decode = (chunk?: Uint8Array): string => {
    let text: string
    try {
      text = (chunk ? decoder?.decode(chunk, { stream: true }) : decoder?.decode()) ?? ''
    } catch {
      throw new AdapterError('payload', `The file holds bytes that are not ${encoding}, the encoding that it says it is in.`)
    }
    if (forbidden.test(text)) throw new AdapterError('payload', 'The file holds characters that XML does not have, such as a zero byte.')
    if (afterReturn && text.startsWith('\n')) text = text.slice(1)
    if (text !== '') afterReturn = text.endsWith('\r')
    return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
  }
  const begin = (): string => {
    encoding = encodingOf(held)
    decoder = new TextDecoder(encoding, { fatal: true })
    return decode(held)
  }
  for await (const chunk of bytes) {
    if (decoder) yield decode(chunk)
    else {
      held = Buffer.concat([held, chunk])
      if (held.length >= sniffed) yield begin()
    }
  }
  if (!decoder) yield begin()
  yield decode()
}

const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

function characterOf(code: number): string | undefined {
  const allowed = code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
  const character = allowed ? String.fromCodePoint(code) : ''
  return allowed && !forbidden.test(character) ? character : undefined
}

/** Puts in what the five entities of XML and character references stand for. @returns undefined when there is another one */
export function withoutReferences(text: string): string | undefined {
  if (!text.includes('&')) return text
  let known = true
  const plain = text.replace(
    /&(?:#x([0-9A-Fa-f]{1,8});|#([0-9]{1,10});|([a-z]{2,4});)?/g,
    (_, hex?: string, decimal?: string, name?: string) => {
      const character =
        name !== undefined && Object.hasOwn(named, name)
          ? named[name]
          : hex !== undefined
            ? characterOf(Number.parseInt(hex, 16))
            : decimal !== undefined
              ? characterOf(Number(decimal))
              : undefined
      known &&= character !== undefined
      return character ?? ''
    }
  )
  return known ? plain : undefined
}

const start =
  'A-Z_a-z\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C\\u200D\\u2070-\\u218F\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}'
const part = `[${start}][${start}.0-9\\u00B7\\u0300-\\u036F\\u203F\\u2040-]*`
const qualified = new RegExp(`^(?:(${part}):)?(${part})$`, 'u')

export interface XmlName {
  readonly prefix: string
  readonly local: string
}

/** Splits and checks a name (Namespaces in XML 1.0, 4). @returns undefined when it is none */
export function nameOf(text: string): XmlName | undefined {
  const [whole, prefix = '', local = ''] = qualified.exec(text) ?? []
  return whole === undefined ? undefined : { prefix, local }
}
