import { TextDecoder } from 'node:util'
import { AdapterError } from './errors.ts'

/** A line longer than this is an accident or an attack. */
const mostCharacters = 1_048_576

/**
 * Lines of a file without their ends (LF, CRLF or CR), decoded strictly, without byte-order mark. What host and kit give as
 * `InboundFile.lines`.
 * @param encoding utf-8 (default), windows-1252 and the other labels of the WHATWG Encoding Standard
 * @throws AdapterError `payload` for bytes that the encoding does not have, `config` for an encoding that nobody knows
 */
export async function* decodeLines(bytes: AsyncIterable<Uint8Array>, encoding = 'utf-8'): AsyncIterable<string> {
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

  function* split(text: string): Iterable<string> {
    if (text.includes('\0'))
      throw new AdapterError('payload', `Line ${number} or one shortly after it holds a zero byte: this is UTF-16 or no text at all.`)
    let from = 0
    // A CR at the end of one chunk and the LF at the start of the next are one line end.
    if (afterReturn && text.startsWith('\n')) from = 1
    if (text !== '') afterReturn = false
    const ends = /\r\n|\n|\r/g
    ends.lastIndex = from
    for (let end = ends.exec(text); end; end = ends.exec(text)) {
      const line = pieces.join('') + text.slice(from, end.index)
      pieces = []
      length = 0
      from = end.index + end[0].length
      afterReturn = end[0] === '\r' && from === text.length
      yield line
      number++
    }
    if (from < text.length) {
      pieces.push(text.slice(from))
      length += text.length - from
    }
    if (length > mostCharacters) throw new AdapterError('payload', `Line ${number} is longer than a million characters.`)
  }

  for await (const chunk of bytes) yield* split(decode(chunk))
  yield* split(decode())
  if (pieces.length > 0) yield pieces.join('')
}

function decoderOf(encoding: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true })
  } catch {
    throw new AdapterError('config', `The encoding "${encoding}" is not known here.`)
  }
}
