import { spawn } from 'node:child_process'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AdapterError, testVirus } from '../../adapters/contract/index.ts'
import { plainEnvironment } from '../config.ts'

/**
 * What a virus scanner calls what it found; undefined for clean bytes.
 * @throws AdapterError `transient` when it cannot tell: what is not known to be clean waits
 */
export type Scan = (bytes: AsyncIterable<Uint8Array>, signal: AbortSignal) => Promise<string | undefined>

const longestSeconds = 120
const mostOutput = 4_096

/**
 * Scans by a program that reads standard input and ends with 0 for clean, 1 for found and anything else for "could not scan", as
 * clamscan and clamdscan do. Started without a shell and without our settings; the bytes never lie on a disk in the clear.
 * @param command program and arguments
 */
export function commandScan([program = '', ...args]: readonly string[]): Scan {
  return async (bytes, signal) => {
    const ends = AbortSignal.any([signal, AbortSignal.timeout(longestSeconds * 1000)])
    const child = spawn(program, args, { env: plainEnvironment(), stdio: ['pipe', 'pipe', 'ignore'], signal: ends, killSignal: 'SIGKILL' })
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      said = (said + piece).slice(-mostOutput)
    })
    const ended = new Promise<number | Error>(resolve => child.once('error', resolve).once('close', code => resolve(code ?? -1)))
    // A scanner that has seen enough reads no further, and one that could not be started reads nothing.
    const given = pipeline(Readable.from(bytes), child.stdin).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET' && error.code !== 'ERR_STREAM_PREMATURE_CLOSE') return error
    })
    const [fault, code] = await Promise.all([given, ended])
    // Bytes that cannot be read are no matter of the scanner.
    if (fault && !ends.aborted) throw fault
    if (code === 0) return undefined
    if (code === 1) return nameIn(said)
    const why = code instanceof Error ? code.message : ends.aborted ? `no answer in ${longestSeconds} s` : `it ended with ${code}`
    throw new AdapterError('transient', 'The virus scanner cannot look at it now; it waits until the scanner can.', {
      cause: new Error(`scanning: ${why}`)
    })
  }
}

/** "stdin: Win.Test.EICAR_HDB-1 FOUND" -> "Win.Test.EICAR_HDB-1" */
const nameIn = (said: string): string => /: ([\x21-\x7e]{1,100}) FOUND/.exec(said)?.[1] ?? 'something that it does not name'

/** What is wrong with a scanner: it must find its test file and pass a clean one. Undefined when all is well. */
export async function scannerComplaint(scan: Scan): Promise<string | undefined> {
  async function* text(body: string): AsyncIterable<Uint8Array> {
    yield Buffer.from(body)
  }
  try {
    const never = new AbortController().signal
    if ((await scan(text(testVirus), never)) === undefined) return 'does not find the EICAR test file'
    const found = await scan(text('Article;Description;Unit\n'), never)
    return found === undefined ? undefined : `finds ${found} in a clean file`
  } catch (error) {
    return String(((error as Error).cause as Error | undefined)?.message ?? error)
  }
}
