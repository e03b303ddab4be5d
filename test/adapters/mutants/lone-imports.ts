import { AdapterError, type ImportItem, type InboundFile } from '../../../adapters/contract/index.ts'
import { type Ctx, changedRecords, fetching, goodCsv, type Mutant, mapped, reading, withoutFixtures } from './subjects.ts'

/** How many items of a delivery were handed out, by context: gone when a run comes to its end. */
const handedOut = new WeakMap<object, Map<string, number>>()

const { mapping = {} } = goodCsv.adapter.manifest

export const importMutants: readonly Mutant[] = [
  {
    check: 'K12',
    fault: 'a field that an article does not have',
    subject: changedRecords('article', record => ({ ...record, supplier: 'S1' }))
  },
  {
    check: 'K13',
    fault: 'barcodes no longer read',
    // The only mutant with recorded deliveries: these notice almost anything, and would be red for every other one too.
    subject: { ...changedRecords('article', ({ barcode: _, ...record }) => record), options: goodCsv.options }
  },
  {
    check: 'K14',
    fault: 'a cursor of time alone',
    subject: fetching(({ changedAt }) => `?since=${encodeURIComponent(String(changedAt))}&after=9999`, 'rows first')
  },
  {
    check: 'K15',
    fault: 'a checkpoint before its rows',
    subject: fetching(({ changedAt, id }) => `?since=${encodeURIComponent(String(changedAt))}&after=${String(id)}`, 'checkpoint first')
  },
  {
    check: 'K16',
    fault: 'one wrong day fails the whole delivery',
    subject: mapped(item => {
      if (item.type === 'reject' && item.reject.field === 'due') throw new AdapterError('payload', item.reject.message)
      return item
    })
  },
  {
    check: 'K17',
    fault: 'a missing code that does not say where',
    subject: mapped(item => (item.type === 'reject' ? { ...item, reject: { code: item.reject.code, message: item.reject.message } } : item))
  },
  { check: 'K18', fault: 'a missing quantity taken for one', subject: guessing() },
  {
    check: 'K19',
    fault: 'signs beyond sixteen bits lost',
    subject: changedRecords('article', record => ({
      ...record,
      description: String(record.description).replace(/[\u{10000}-\u{10ffff}]/gu, '?')
    }))
  },
  {
    check: 'K20',
    fault: 'a value cut off at its line break',
    subject: changedRecords('article', (record, { row }) => ({
      ...record,
      description: String(row?.Description ?? record.description).split('\n')[0]
    }))
  },
  {
    check: 'K21',
    fault: 'numbers read as floating point',
    subject: changedRecords('stock', record => {
      const quantity = record.quantity as { value: string }
      return { ...record, quantity: { ...quantity, value: String(Number(quantity.value)) } }
    })
  },
  {
    check: 'K22',
    fault: 'winter time all year',
    subject: changedRecords('stock', (record, { row }) => {
      const wall = String(row?.AsOf ?? '').replace(' ', 'T')
      return { ...record, asOf: new Date(Date.parse(`${wall}+01:00`)).toISOString().replace('.000Z', 'Z') }
    })
  },
  {
    check: 'K23',
    fault: 'everything that the ERP sends about a person kept beside the record',
    subject: mapped(item =>
      item.type === 'record' && item.kind === 'employee' && item.unknown
        ? { ...item, row: { ...item.row, ...Object.fromEntries(item.unknown.map(name => [name, 'as sent'])) } }
        : item
    )
  },
  {
    check: 'K24',
    fault: 'the time of reading in the record',
    subject: changedRecords('workOrder', (record, _item, { receivedAt }) => ({ ...record, erpStatus: `read ${receivedAt}` }))
  },
  {
    check: 'K25',
    fault: 'revisions thrown away',
    subject: mapped(item => (item.type === 'record' ? ({ ...item, revision: undefined } as unknown as ImportItem) : item))
  },
  {
    check: 'K26',
    fault: 'goes on by itself where it stopped, as the host does',
    subject: reading((items, file, ctx) => (file.name.startsWith('WO_') ? resumed(items, file, ctx) : items))
  }
].map(({ check, fault, subject }) => ({ check, fault, subject: check === 'K13' ? subject : withoutFixtures(subject) }))

async function* resumed(items: AsyncIterable<ImportItem>, file: InboundFile, ctx: Ctx): AsyncIterable<ImportItem> {
  const known = handedOut.get(ctx) ?? new Map<string, number>()
  handedOut.set(ctx, known)
  const skip = known.get(file.sha256) ?? 0
  let n = 0
  for await (const item of items) {
    if (++n <= skip) continue
    known.set(file.sha256, n)
    yield item
  }
  known.delete(file.sha256)
}

/** Fills in what the ERP does not say. */
function guessing() {
  const workOrder = {
    ...mapping.imports?.workOrder,
    quantity: { value: { from: 'Quantity', decimal: '.' as const, default: '1' }, unit: { from: 'Unit', code: 'units', default: 'PCE' } }
  }
  return { ...goodCsv, options: { ...goodCsv.options, mapping: { ...mapping, imports: { ...mapping.imports, workOrder } } } }
}
