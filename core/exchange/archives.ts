import { refuseExchange } from './errors.ts'

/** How much of a file tells what it is. */
const headBytes = 300

const at = (offset: number, ...bytes: readonly (number | string)[]) => ({
  offset,
  bytes: Buffer.concat(bytes.map(part => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.of(part))))
})

/** First bytes of packed files. No text begins so: each holds a control character, or more than chance would write. */
const signatures: readonly (ReturnType<typeof at> & { readonly what: string })[] = [
  { what: 'a ZIP archive, or an office document such as .xlsx', ...at(0, 'PK', 3, 4) },
  { what: 'an empty ZIP archive', ...at(0, 'PK', 5, 6) },
  { what: 'a part of a ZIP archive', ...at(0, 'PK', 7, 8) },
  { what: 'packed with gzip', ...at(0, 0x1f, 0x8b) },
  { what: 'packed with compress', ...at(0, 0x1f, 0x9d) },
  { what: 'packed with pack', ...at(0, 0x1f, 0xa0) },
  { what: 'packed with bzip2', ...at(4, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59) },
  { what: 'packed with bzip2', ...at(4, 0x17, 0x72, 0x45, 0x38, 0x50, 0x90) },
  { what: 'packed with xz', ...at(0, 0xfd, '7zXZ', 0) },
  { what: 'packed with zstd', ...at(0, 0x28, 0xb5, 0x2f, 0xfd) },
  { what: 'packed with lz4', ...at(0, 0x04, 0x22, 0x4d, 0x18) },
  { what: 'a 7z archive', ...at(0, '7z', 0xbc, 0xaf, 0x27, 0x1c) },
  { what: 'a RAR archive', ...at(0, 'Rar!', 0x1a, 7) },
  { what: 'a CAB archive', ...at(0, 'MSCF', 0, 0, 0, 0) },
  { what: 'a tar archive', ...at(257, 'ustar') },
  { what: 'an old office document such as .xls', ...at(0, 0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1) }
]

/** What kind of packed file begins with these bytes; undefined when it is none that we know. */
export const archiveOf = (head: Buffer): string | undefined =>
  signatures.find(({ offset, bytes }) => head.subarray(offset, offset + bytes.length).equals(bytes))?.what

/**
 * Refuses a packed file by its first bytes, whatever its name says. Nothing is ever unpacked: what such a file holds, and how much, is
 * known to nobody before it is too late, and an ERP can send it as it is.
 */
export async function refuseArchive(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  let head: Buffer = Buffer.alloc(0)
  for await (const chunk of bytes) {
    head = Buffer.concat([head, chunk.subarray(0, headBytes)])
    if (head.length >= headBytes) break
  }
  const what = archiveOf(head)
  if (what !== undefined)
    throw refuseExchange('delivery_archive', `The file is ${what}. Nothing is unpacked here: send the records themselves, as text.`)
}
