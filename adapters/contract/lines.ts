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

  function decode(chunk?: Uint8Array): string {
    try {
      return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode()
    } catch {
      throw new AdapterError(
        'payload',
        `Line ${number} or one shortly after it holds bytes that are not ${encoding}. Was the file written in another encoding?`
      )
    }
  }

  function split(text: string): readonly string[] {
    if (text.includes('\0'))
      throw new AdapterError('payload', `Line ${number} or one shortly after it holds a zero byte: this is UTF-16 or no text at all.`)
    const lines: string[] = []
    let from = 0
    // A CR at the end of one chunk and the LF at the start of the next are one line end.
    if (afterReturn && text.startsWith('\n')) from = 1
    if (text !== '') afterReturn = false
    const returns = text.includes('\r')
    for (let end = lineEnd(text, from, returns); end >= 0; end = lineEnd(text, from, returns)) {
      lines.push(pieces.length === 0 ? text.slice(from, end) : pieces.join('') + text.slice(from, end))
      pieces = []
      length = 0
      from = end + (text[end] === '\r' && text[end + 1] === '\n' ? 2 : 1)
      afterReturn = text[end] === '\r' && from === text.length
    }
    number += lines.length
    if (from < text.length) {
      pieces.push(text.slice(from))
      length += text.length - from
    }
    return lines
  }

  for await (const chunk of bytes) {
    yield split(decode(chunk))
    if (length > mostCharacters) throw new AdapterError('payload', `Line ${number} is longer than a million characters.`)
  }
  yield split(decode())
  if (pieces.length > 0) yield [pieces.join('')]
}

/** Where the next line ends; most files have no CR at all, or one before each LF. */
function lineEnd(text: string, from: number, returns: boolean): number {
  const feed = text.indexOf('\n', from)
  if (!returns) return feed
  if (feed > from && text[feed - 1] === '\r' && text.indexOf('\r', from) === feed - 1) return feed - 1
  const back = text.indexOf('\r', from)
  return feed < 0 ? back : back < 0 ? feed : Math.min(feed, back)
}

function decoderOf(encoding: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true })
  } catch {
    throw new AdapterError('config', `The encoding "${encoding}" is not known here.`)
  }
}
