import type { Ctx } from '../context.ts'
import type { Delivery } from './deliveries-store.ts'
import { type DeliveryRejectRow, deliveryRejects } from './delivery-rejects-store.ts'
import { messageOfEntry } from './error-bin.ts'

export type DeliveryReject = Omit<DeliveryRejectRow, 'id' | 'value_sealed'>

/** Most rows of one errors file; the error bin shows all of them. */
const mostRows = 10_000

/** Records of a delivery that did not get through, in the order of the delivery. */
export async function rejectsOf(c: Ctx, deliveryId: string, limit: number, afterSeq = '0'): Promise<readonly DeliveryReject[]> {
  const rows = await deliveryRejects(c, deliveryId, limit, afterSeq)
  // The value stands sealed beside its sentence and is put back here; of people it stays away.
  return rows.map(row => ({ ...row, message: messageOfEntry(c, row) }))
}

/**
 * `<name>.errors.csv`: one row per refused record, or one for the file as a whole. RFC 4180 with comma and CRLF, UTF-8. For people
 * in a spreadsheet, so what a spreadsheet would take for a formula is disarmed.
 */
export async function errorsCsv(c: Ctx, delivery: Delivery): Promise<Buffer> {
  const rejects = (await rejectsOf(c, delivery.id, mostRows)).filter(reject => reject.state === 'open' || reject.state === 'replaying')
  const rows = rejects.map(r => [
    r.line === null ? '' : String(r.line),
    r.field ?? r.pointer ?? '',
    r.code,
    r.message,
    r.kind,
    r.record_key ?? ''
  ])
  if (rows.length === 0) rows.push(['', '', delivery.reason_code ?? delivery.state, delivery.reason ?? '', '', ''])
  const header = ['line', 'column', 'code', 'message', 'kind', 'key']
  return Buffer.from(`${[header, ...rows].map(row => row.map(cell).join(',')).join('\r\n')}\r\n`)
}

/**
 * Where a spreadsheet begins to see a formula: at the start of a cell, behind blanks, quotes and what cannot be seen, in both widths. A
 * spreadsheet of another country cuts at another separator, so also behind each of those and behind a line break. What is looked ahead at
 * ends at the next place of that kind, so that a long run of them is read once.
 */
const formula = /(?<=^|[,;|\t\r\n])(?=(?:(?![\t\r\n])[\s\p{C}"])*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\0])/gu

function cell(text: string): string {
  const safe = text.replace(formula, "'")
  return /[",;|\t\r\n]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe
}
