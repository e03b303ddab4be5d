import {
  type ConfigSchema,
  type ExportCapability,
  type ExportKind,
  exportKinds,
  identityMapping,
  identityTables,
  importKinds,
  type Manifest
} from '../contract/index.ts'

export const config = {
  type: 'object',
  additionalProperties: false,
  properties: {
    plantField: { type: 'string', title: 'Field of a record that names the plant', maxLength: 100, default: '' },
    plant: {
      type: 'string',
      title: 'The plant whose records are taken',
      description: 'When both are set, a body with a record of another plant is refused as a whole: it was sent to the wrong place.',
      maxLength: 40,
      default: ''
    },
    ackWithinMinutes: { type: 'integer', title: 'The ERP acknowledges within (minutes)', minimum: 1, maximum: 10_080, default: 60 }
  }
} as const satisfies ConfigSchema

/** Route -> what it brings. */
export const routes = {
  'work-orders': 'workOrder',
  articles: 'article',
  locations: 'location',
  employees: 'employee',
  stock: 'stock',
  'pick-lists': 'pickList'
} as const
export const ackRoute = 'acks'

const orderedBy = (kind: ExportKind): ExportCapability['orderedBy'] => (kind === 'stockTransaction' ? 'article' : 'workOrder')

export const manifest: Manifest<typeof config> = {
  api: 1,
  id: 'werkvloer.neutral-rest',
  version: '1.0.0',
  displayName: 'Our web service',
  vendor: { name: 'Werkvloer', support: 'support@werkvloer.example' },
  erp: { product: 'Any ERP that calls a web service with JSON', versions: '*' },
  config,
  configVersion: 1,
  egress: [],
  imports: Object.fromEntries(
    Object.entries(routes).map(([route, kind]) => [kind, { via: ['http'], mode: ['delta', 'snapshot'], routes: [route] }])
  ),
  exports: Object.fromEntries(
    exportKinds.map(kind => [kind, { idempotency: 'deterministic-file', confirms: 'async', orderedBy: orderedBy(kind) }])
  ),
  acks: { via: ['http'], routes: [ackRoute] },
  codeTables: [...identityTables],
  limits: { maxBatch: 200 },
  mapping: identityMapping(importKinds, exportKinds)
}
