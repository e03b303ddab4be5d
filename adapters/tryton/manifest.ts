import type { ConfigSchema, ExportCapability, ImportCapability, Manifest } from '../contract/index.ts'
import { mapping } from './mapping.ts'

export const config = {
  type: 'object',
  additionalProperties: false,
  required: ['url', 'database', 'user', 'password'],
  properties: {
    url: {
      type: 'string',
      title: 'Address of the Tryton server',
      description: 'Without the database, such as https://tryton.example:8000',
      format: 'uri',
      maxLength: 200
    },
    database: { type: 'string', title: 'Database', minLength: 1, maxLength: 63, pattern: '^[A-Za-z0-9_.-]+$' },
    user: {
      type: 'string',
      title: 'User',
      description: 'A user of its own, with the rights that the README names',
      minLength: 1,
      maxLength: 100
    },
    password: { type: 'string', title: 'Password', secret: true, minLength: 1, maxLength: 200 },
    company: { type: 'integer', title: 'Company (number of its record)', description: 'Absent: the company of the user', minimum: 1 },
    department: {
      type: 'string',
      title: 'Department where Tryton names none',
      description: 'For an order or operation without work center',
      minLength: 1,
      maxLength: 40,
      default: 'PRODUCTION'
    },
    consumption: {
      type: 'string',
      title: 'Consumption that the floor reports',
      description:
        'beyond-plan: starting an order consumes its planned inputs in Tryton; what is reported beyond them is booked as well. ' +
        'all: every report is booked, and an order that has planned inputs is not started.',
      enum: ['beyond-plan', 'all'],
      default: 'beyond-plan'
    },
    output: {
      type: 'string',
      title: 'Output when an order is finished',
      description: 'reported: what the floor reported and nothing else. planned: the planned output where the floor reported none.',
      enum: ['reported', 'planned'],
      default: 'reported'
    },
    indirectWork: {
      type: 'string',
      title: 'Timesheet work of hours without an operation',
      description: 'Its name in Tryton; empty: such hours are refused',
      maxLength: 100,
      default: ''
    },
    overlapMinutes: {
      type: 'integer',
      title: 'Fetch again what changed within (minutes)',
      description: 'Longer than the longest transaction in Tryton: what it stamps when it begins shows when it ends',
      minimum: 1,
      maximum: 120,
      default: 5
    }
  }
} as const satisfies ConfigSchema

const minutes = (every: number): ImportCapability => ({
  via: ['pull'],
  mode: ['delta'],
  schedule: { defaultSeconds: every * 60, minSeconds: 30 }
})
const looked = (orderedBy: ExportCapability['orderedBy']): ExportCapability => ({ idempotency: 'lookup', confirms: 'sync', orderedBy })

export const manifest: Manifest<typeof config> = {
  api: 1,
  id: 'werkvloer.tryton',
  version: '1.0.0',
  displayName: 'Tryton',
  vendor: { name: 'Werkvloer', support: 'support@werkvloer.example' },
  erp: { product: 'Tryton', versions: '6.0 - 7.x' },
  config,
  configVersion: 1,
  egress: ['/url'],
  imports: {
    workOrder: minutes(2),
    article: minutes(15),
    location: minutes(60),
    employee: minutes(60),
    stock: minutes(5)
  },
  exports: {
    materialConsumption: looked('workOrder'),
    productReceipt: looked('workOrder'),
    operationStatus: looked('workOrder'),
    orderStatus: looked('workOrder'),
    labour: { idempotency: 'native', confirms: 'sync', orderedBy: 'workOrder' },
    stockTransaction: looked('article')
  },
  codeTables: ['units', 'departments', 'orderStatus', 'scrapReasons', 'activities'],
  limits: { requestsPerMinute: 6_000, concurrency: 4, maxBatch: 50 },
  mapping
}
