import { decodeLines, type ImportItem, type ImportKind, type Mapper } from '../../adapters/contract/index.ts'
import type { RawDelivery } from './delivery-source.ts'
import { toItem } from './replay.ts'

/** One line of a kept pull: enough to make the item again with today's mapping, in the same place. */
type Line =
  | { readonly t: 'row'; readonly kind: ImportKind; readonly row: Readonly<Record<string, unknown>>; readonly pointer?: string }
  | { readonly t: 'item'; readonly item: ImportItem }
  | { readonly t: 'gap' }

/** What is kept of a pulled item, as a line of JSON: the row before the mapping where there is one. */
export function lineOfPull(item: ImportItem): string {
  const line: Line =
    (item.type === 'record' || item.type === 'reject') && item.row !== undefined
      ? { t: 'row', kind: item.kind, row: item.row, ...(item.at?.pointer === undefined ? {} : { pointer: item.at.pointer }) }
      : item.type === 'checkpoint'
        ? { t: 'gap' }
        : { t: 'item', item }
  return `${JSON.stringify(line)}\n`
}

/** The items of a kept pull again; checkpoints keep their place in the count and mean nothing any more. */
export async function* rowsOfPull(raw: RawDelivery, mapper: Mapper): AsyncIterable<ImportItem> {
  for await (const text of decodeLines(raw.bytes())) {
    const line = JSON.parse(text) as Line
    if (line.t === 'row') yield toItem(mapper, line.kind, { row: line.row }, line.pointer === undefined ? {} : { pointer: line.pointer })
    else if (line.t === 'item') yield line.item
    else yield { type: 'checkpoint', state: null }
  }
}
