import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

export type Encoding = 'br' | 'gzip'

/** In the order of preference: brotli makes the console about a tenth smaller; proxies and old clients know gzip only. */
const encodings: readonly Encoding[] = ['br', 'gzip']

/**
 * What to send to a client with this `Accept-Encoding` (RFC 9110, 12.5.3): the one it likes best, brotli among equals, undefined for the
 * bytes as they are. A `q=0` forbids, `*` stands for each that is not named, and what cannot be read counts as not accepted.
 */
export function encodingFor(accept: string | undefined): Encoding | undefined {
  const weights = new Map<string, number>()
  for (const part of (accept ?? '').toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map(text => text.trim())
    const given = parameters.find(text => text.startsWith('q='))?.slice(2) ?? '1'
    if (name !== '') weights.set(name === 'x-gzip' ? 'gzip' : name, /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(given) ? Number(given) : 0)
  }
  const weight = (name: string): number => weights.get(name) ?? weights.get('*') ?? 0
  const best = encodings.reduce((a, b) => (weight(b) > weight(a) ? b : a))
  return weight(best) > 0 && weight(best) >= (weights.get('identity') ?? 0) ? best : undefined
}

const brotli = promisify(brotliCompress)
const zip = promisify(gzip)

/** Off the main thread. Quality 9 of 11 for brotli: some milliseconds per file, instead of a second. */
export const compress = (bytes: Buffer, encoding: Encoding): Promise<Buffer> =>
  encoding === 'br' ? brotli(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }) : zip(bytes, { level: 9 })
