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
  if (pieces.length > 0) yield [pieces.join('')]
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
