import { TextDecoder } from 'node:util'
import { batched } from './batches.ts'
import { AdapterError } from './errors.ts'

/** A line longer than this is an accident or an attack. */
const mostCharacters = 1_048_576

/**
 * Lines of a file without their ends (LF, CRLF or CR), decoded strictly, without byte-order mark. What host and kit give as
 * `InboundFile.lines`.
 * @param encoding utf-8 (default), windows-1252 and the other labels of the WHATWG Encoding Standard
 * @throws AdapterError `payload` for bytes that the encoding does not have, `config` for an encoding that nobody knows
 */
export const decodeLines = (bytes: AsyncIterable<Uint8Array>, encoding = 'utf-8'): AsyncIterable<string> =>
  batched(() => linesOf(bytes, encoding))

/** The lines that end in each chunk; what is right before a fault is given out before it is thrown. */
async function* linesOf(bytes: AsyncIterable<Uint8Array>, encoding: string): AsyncIterable<readonly string[]> {
  const decoder = decoderOf(encoding)
  let pieces: string[] = []
  let length = 0
  let number = 1
  let afterReturn = false

  const otherwise = utf8Beside(decoder.encoding)

  function decode(chunk?: Uint8Array): string {
    try {
      const text = chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode()
      otherwise?.look(chunk, text)
      return text
    } catch {
      const where = chunk ? lineOfFault(chunk, decoder.encoding, number, afterReturn) : `Line ${number}`
      throw new AdapterError('payload', `${where} holds bytes that are not ${encoding}. Was the file written in another encoding?`)
    }
  }

  function split(text: string): readonly string[] {
    const zero = text.indexOf('\0')
    if (zero >= 0) {
      const line = number + lineEnds(afterReturn && text.startsWith('\n') ? text.slice(1, zero) : text.slice(0, zero))
      throw new AdapterError('payload', `Line ${line} holds a zero byte: this is UTF-16 or no text at all.`)
    }
    if (text === '') return []
    // A CR at the end of one chunk and the LF at the start of the next are one line end.
    const parts = (afterReturn && text.startsWith('\n') ? text.slice(1) : text).split('\n')
    const rest = (parts.pop() ?? '').split('\r')
    afterReturn = text.endsWith('\r')
    const lines = text.includes('\r')
      ? [...parts.flatMap(part => (part.includes('\r') ? atReturns(part) : part)), ...rest.slice(0, -1)]
      : parts
    if (lines.length > 0) {
      lines[0] = pieces.join('') + lines[0]
      pieces = []
      length = 0
      number += lines.length
    }
    const open = rest.at(-1) ?? ''
    if (open !== '') {
      pieces.push(open)
      length += open.length
    }
    return lines
  }

  for await (const chunk of bytes) {
    yield split(decode(chunk))
    if (length > mostCharacters) throw new AdapterError('payload', `Line ${number} is longer than a million characters.`)
  }
  yield split(decode())
  if (otherwise?.isUtf8())
    throw new AdapterError('payload', `The file is UTF-8, and this connection reads ${encoding}: every é in it would be wrong.`)
  if (pieces.length > 0) yield [pieces.join('')]
}

const lineEnds = (text: string): number => text.match(/\r\n|\n|\r/g)?.length ?? 0

/** In UTF-8 the first byte that is none can be found; other encodings may have stopped in the middle of a character. */
function lineOfFault(chunk: Uint8Array, encoding: string, number: number, afterReturn: boolean): string {
  if (encoding !== 'utf-8') return `Line ${number} or one shortly after it`
  // What continues a character of the chunk before.
  let at = 0
  while (at < 3 && ((chunk[at] ?? 0) & 0xc0) === 0x80) at++
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(chunk.subarray(at))
  const fault = text.indexOf('\ufffd')
  return `Line ${number + lineEnds(text.slice(afterReturn && text.startsWith('\n') ? 1 : 0, Math.max(0, fault)))}`
}

/**
 * Encodings of one byte take any bytes, so a file in UTF-8 would be read without a complaint and every special character of it stored
 * as two or three wrong ones. A text in them is never by chance whole UTF-8 with more than ASCII in it.
 */
function utf8Beside(encoding: string): { look(chunk: Uint8Array | undefined, text: string): void; isUtf8(): boolean } | undefined {
  if (!/^(?:windows-|iso-8859-|macintosh|ibm|koi8)/.test(encoding)) return undefined
  let decoder: TextDecoder | undefined = new TextDecoder('utf-8', { fatal: true })
  let special = false
  return {
    look(chunk, text) {
      special ||= /[\u0080-\uffff]/.test(text)
      try {
        if (chunk) decoder?.decode(chunk, { stream: true })
        else decoder?.decode()
      } catch {
        decoder = undefined
      }
    },
    isUtf8: () => decoder !== undefined && special
  }
}

/** The lines in what stood before an LF: a CR at its end belongs to that, any other ends a line of its own. */
const atReturns = (part: string): string | readonly string[] => {
  const first = part.indexOf('\r')
  return first === part.length - 1 ? part.slice(0, first) : (part.endsWith('\r') ? part.slice(0, -1) : part).split('\r')
}

function decoderOf(encoding: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true })
  } catch {
    throw new AdapterError('config', `The encoding "${encoding}" is not known here.`)
  }
}
