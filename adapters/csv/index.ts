import { csvLine, defineAdapter, type ExportItem, type ExportOutcomeBody, eachInOrder } from '../contract/index.ts'
import { encodeText } from './encoding.ts'
import { type CsvCtx, importFile } from './imports.ts'
import { manifest } from './manifest.ts'

/** CSV both ways: record files and acknowledgements come in, feedback goes out as one file per record. README.md has the columns. */
export default defineAdapter({
  manifest,
  import: { file: importFile },
  export: (batch, ctx) => eachInOrder(batch, item => writeFile(item, ctx))
})

/** The name comes from the key and the bytes from the record: writing it again changes nothing. */
async function writeFile(item: ExportItem, { config, map, outbox }: CsvCtx): Promise<ExportOutcomeBody> {
  const mapped = map.out(item)
  if (!mapped.ok) return { status: 'rejected', reject: mapped.reject }
  const row: Readonly<Record<string, string>> = { Key: item.key, Seq: String(item.seq), ...mapped.row }
  const text = csvLine(Object.keys(row), config.delimiter) + csvLine(Object.values(row), config.delimiter)
  const body = encodeText(text, config.encoding)
  if ('missing' in body) {
    const message = `The character "${body.missing}" does not exist in ${config.encoding}. Choose UTF-8 for this connection, or change the text.`
    return { status: 'rejected', reject: { code: 'not_encodable', message } }
  }
  const document = `${item.kind.toUpperCase()}_${item.shortKey(20)}.csv`
  await outbox.write(document, body)
  return { status: 'delivered', ref: { document }, confirmWithinSeconds: config.ackWithinMinutes * 60 }
}
