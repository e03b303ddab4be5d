import { type ConfigSchema, type ExportCapability, type ExportKind, exportKinds, type Manifest } from '../contract/index.ts'
import { mapping } from './mapping.ts'

export const config = {
  type: 'object',
  additionalProperties: false,
  required: ['delimiter'],
  properties: {
    delimiter: { type: 'string', title: 'Column separator', enum: [';', ',', '\t', '|'], default: ';' },
    encoding: { type: 'string', title: 'Encoding, both ways', enum: ['utf-8', 'windows-1252'], default: 'utf-8' },
    trailer: {
      type: 'string',
      title: 'First cell of the closing line',
      description: 'When set, each record file must end with a line of this word and the number of rows, or it counts as cut off.',
      maxLength: 40,
      default: ''
    },
    orderColumn: { type: 'string', title: 'Column that groups the rows of a work order', minLength: 1, maxLength: 100, default: 'Order' },
    pickListColumn: {
      type: 'string',
      title: 'Column that groups the rows of a pick list',
      minLength: 1,
      maxLength: 100,
      default: 'PickList'
    },
    typeColumn: { type: 'string', title: 'Column that tells operations from materials', minLength: 1, maxLength: 100, default: 'Type' },
    materialType: { type: 'string', title: 'What that column says for a material', minLength: 1, maxLength: 40, default: 'M' },
    operationColumn: {
      type: 'string',
      title: 'Column with the number of the operation',
      description: 'A row of a work order that leaves it empty and is no material brings no operation.',
      minLength: 1,
      maxLength: 100,
      default: 'Operation'
    },
    plantColumn: { type: 'string', title: 'Column that names the plant', maxLength: 100, default: '' },
    plant: {
      type: 'string',
      title: 'The plant whose files are taken',
      description: 'When both are set, a file with a row of another plant is refused as a whole: it was sent to the wrong place.',
      maxLength: 40,
      default: ''
    },
    ackWithinMinutes: { type: 'integer', title: 'The ERP acknowledges within (minutes)', minimum: 1, maximum: 10_080, default: 60 }
  }
} as const satisfies ConfigSchema

const orderedBy = (kind: ExportKind): ExportCapability['orderedBy'] => (kind === 'stockTransaction' ? 'article' : 'workOrder')

export const manifest: Manifest<typeof config> = {
  api: 1,
  id: 'werkvloer.csv',
  version: '1.0.0',
  displayName: 'CSV files over SFTP',
  vendor: { name: 'Werkvloer', support: 'support@werkvloer.example' },
  erp: { product: 'Any ERP that reads and writes CSV files', versions: '*' },
  config,
  configVersion: 1,
  egress: [],
  imports: {
    workOrder: { via: ['file'], mode: ['delta'], files: { pattern: 'WO_*.csv' } },
    pickList: { via: ['file'], mode: ['delta'], files: { pattern: 'PCK_*.csv' } },
    article: { via: ['file'], mode: ['snapshot'], files: { pattern: 'ART_*.csv' } },
    location: { via: ['file'], mode: ['snapshot'], files: { pattern: 'LOC_*.csv' } },
    employee: { via: ['file'], mode: ['snapshot'], files: { pattern: 'EMP_*.csv' } },
    stock: { via: ['file'], mode: ['snapshot'], files: { pattern: 'STK_*.csv' } }
  },
  exports: Object.fromEntries(
    exportKinds.map(kind => [kind, { idempotency: 'deterministic-file', confirms: 'async', orderedBy: orderedBy(kind) }])
  ),
  acks: { via: ['file'], files: { pattern: 'ACK_*.csv' } },
  codeTables: ['units', 'departments', 'orderStatus', 'scrapReasons'],
  limits: { maxBatch: 200 },
  mapping
}
