import type { ImportKind, Json } from '../../adapters/contract/index.ts'
import type { Erp, JsonObject } from '../../adapters/kit/erp.ts'

const routes = {
  workOrder: 'work-orders',
  article: 'articles',
  location: 'locations',
  employee: 'employees',
  stock: 'stock',
  pickList: 'pick-lists'
} as const satisfies Record<ImportKind, string>

function without(record: JsonObject, path: string): JsonObject {
  const copy = structuredClone(record) as Record<string, Json>
  const [first = '', second] = path.split('.')
  if (second === undefined) delete copy[first]
  else delete (copy[first] as Record<string, Json>)[second]
  return copy
}

/** An ERP that calls our web service as adapters/neutral-rest/README.md asks. */
export const neutralRestErp: Erp = {
  revisions: ['workOrder', 'article', 'location', 'employee', 'stock', 'pickList'],
  // A JSON document that was cut is none.
  complete: {},
  deliver(kind, records, { revision, extra, omit, more, snapshot } = {}) {
    const rows = records.map(record => ({
      ...(omit === undefined ? record : without(record, omit)),
      ...more,
      ...(revision === undefined ? {} : { revision: { seq: revision } }),
      ...(extra ? { createdBy: 'nobody asked', custom: { deep: [1, 2, 3] } } : {})
    }))
    return { way: 'http', route: routes[kind], body: JSON.stringify({ records: rows, ...(snapshot ? { snapshot } : {}) }) }
  },
  ack: answers => ({ way: 'http', route: 'acks', body: JSON.stringify({ acks: answers }) }),
  read: (_name, body) => (JSON.parse(Buffer.from(body).toString('utf8')) as { key: string }).key
}
