/** What a delivery is that pretends to be records. */
export type ForeignContent =
  | 'archive'
  | 'compressed'
  | 'document'
  | 'executable'
  | 'image'
  | 'media'
  | 'script'
  | 'test-virus'
  | 'database'
  | 'web-page'

export interface Foreign {
  readonly content: ForeignContent
  /** Its format as people call it, such as "ZIP". */
  readonly format: string
}

/** Bytes from the beginning that are enough to know what something is. */
export const headBytes = 1_024

/** [what it is, its format, the bytes as Latin-1, where they stand] */
type Signature = readonly [content: ForeignContent, format: string, bytes: string, at?: number]

/** Beginnings that no text has: each holds a byte that is none in any of our encodings, or a whole phrase. */
const signatures: readonly Signature[] = [
  ['archive', 'ZIP', 'PK\x03\x04'],
  ['archive', 'ZIP', 'PK\x05\x06'],
  ['archive', 'ZIP', 'PK\x07\x08'],
  ['archive', '7z', '7z\xbc\xaf\x27\x1c'],
  ['archive', 'RAR', 'Rar!\x1a\x07'],
  ['archive', 'Cabinet', 'MSCF\0\0\0\0'],
  ['compressed', 'gzip', '\x1f\x8b'],
  ['compressed', 'compress', '\x1f\x9d'],
  ['compressed', 'xz', '\xfd7zXZ\0'],
  ['compressed', 'Zstandard', '\x28\xb5\x2f\xfd'],
  ['compressed', 'pack', '\x1f\xa0'],
  ['compressed', 'bzip2', '1AY&SY', 4],
  // An empty one.
  ['compressed', 'bzip2', '\x17rE8P\x90', 4],
  ['compressed', 'LZ4', '\x04\x22\x4d\x18'],
  ['executable', 'ELF', '\x7fELF'],
  ['executable', 'Mach-O', '\xfe\xed\xfa\xce'],
  ['executable', 'Mach-O', '\xfe\xed\xfa\xcf'],
  ['executable', 'Mach-O', '\xce\xfa\xed\xfe'],
  ['executable', 'Mach-O', '\xcf\xfa\xed\xfe'],
  ['executable', 'Java class', '\xca\xfe\xba\xbe'],
  ['executable', 'WebAssembly', '\0asm'],
  ['executable', 'Windows shortcut', 'L\0\0\0\x01\x14\x02\0'],
  ['document', 'PDF', '%PDF-'],
  ['document', 'PostScript', '%!PS'],
  ['document', 'RTF', '{\\rtf'],
  // Old Excel and Word, and installers.
  ['document', 'Microsoft Office', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'],
  ['image', 'PNG', '\x89PNG\r\n\x1a\n'],
  ['image', 'JPEG', '\xff\xd8\xff'],
  ['image', 'GIF', 'GIF87a'],
  ['image', 'GIF', 'GIF89a'],
  ['image', 'TIFF', 'II*\0'],
  ['image', 'TIFF', 'MM\0*'],
  ['image', 'icon', '\0\0\x01\0'],
  ['media', 'Ogg', 'OggS\0'],
  ['media', 'MP3', 'ID3\x03'],
  ['media', 'MP3', 'ID3\x04'],
  ['media', 'Matroska', '\x1a\x45\xdf\xa3'],
  ['script', 'script', '#!/'],
  ['script', 'script', '#! /'],
  ['database', 'SQLite', 'SQLite format 3\0'],
  ['database', 'Access', '\0\x01\0\0Standard ']
]

/** Letters that a column name or a row may have too ("Stofftyp"): they count only beside a zero byte, which no text of ours holds. */
const withZero: readonly Signature[] = [
  ['archive', 'tar', 'ustar', 257],
  ['media', 'MPEG-4', 'ftyp', 4],
  ['executable', 'Windows program', 'MZ'],
  ['image', 'BMP', 'BM'],
  ['image', 'WebP or sound', 'RIFF']
]

/** The harmless string by which every virus scanner is tried (EICAR), in two parts: whole, it would be found in our own source. */
export const testVirus = ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$', 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join('')

/** Not by `head` or `body` alone: an ERP may call the root of its records so. */
const webPage = /^<(?:!doctype\s+html|html|script|iframe|svg)[\s>/]/i
/** What may stand before the root of an XHTML page. */
const prolog = /^(?:\s|<\?xml[^>]*\?>|<!--[\s\S]*?-->)*/

/**
 * What bytes are by their beginning, whatever their name says; undefined for what may be records in text. A sender that exported the
 * wrong thing gets a clear word instead of a complaint about a missing column, and nothing that a person could start by opening it
 * passes for data.
 * @param head the first `headBytes` bytes, or all there are
 */
export function foreignContent(head: Uint8Array): Foreign | undefined {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, headBytes)).toString('latin1')
  const has = ([, , bytes, at = 0]: Signature): boolean => text.startsWith(bytes, at)
  const found = signatures.find(has) ?? (text.includes('\0') ? withZero.find(has) : undefined)
  if (found) return { content: found[0], format: found[1] }
  // Behind a byte-order mark and blank space, as browsers, readers and scanners look too.
  const visible = text.replace(/^(?:\xef\xbb\xbf)?\s*/, '')
  if (visible.startsWith(testVirus)) return { content: 'test-virus', format: 'EICAR test file' }
  if (visible.startsWith('%PDF-')) return { content: 'document', format: 'PDF' }
  if (visible.startsWith('#!/')) return { content: 'script', format: 'script' }
  return webPage.test(visible.replace(prolog, '')) ? { content: 'web-page', format: 'HTML' } : undefined
}
