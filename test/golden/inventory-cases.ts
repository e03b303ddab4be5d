import * as lists from '../../modules/inventory/list-store.ts'
import * as picks from '../../modules/inventory/pick-store.ts'
import * as receive from '../../modules/inventory/receive-store.ts'
import * as stock from '../../modules/inventory/store.ts'
import { type StoreCases, storeCases } from './case.ts'
import { at, id, ids } from './values.ts'

const place = { articleId: id, locationId: id, lot: '' }

export const inventoryCases: readonly StoreCases[] = [
  storeCases('modules/inventory/list-store.ts', lists, {
    listArticles: {
      all: [{ search: null, scan: null, after: null, limit: 50 }],
      searched: [{ search: '%bolt%', scan: null, after: 'A-1', limit: 50 }]
    },
    findArticle: { always: ['A-1'] },
    saveBackflush: { always: ['A-1', 'on_report'] },
    listLocations: { all: [{ search: null, warehouse: null, after: null, limit: 50 }] },
    listStock: {
      'first page': [{ article: null, location: null, warehouse: null, negative: false, after: null, limit: 50 }],
      'next page': [{ article: null, location: null, warehouse: null, negative: true, after: ['A-1', 'L-1', ''], limit: 50 }]
    },
    listLedger: { all: [{ article: null, location: null, order: null, act: null, before: null, limit: 50 }] },
    getSetting: { always: { args: [], rows: [[{ version: 1, negative_stock: 'warn' }]] } },
    saveSetting: { always: [1, 'block'] }
  }),
  storeCases('modules/inventory/pick-store.ts', picks, {
    savePickLists: {
      one: {
        args: [
          [
            {
              number: 'P-1',
              connectionId: id,
              orderNumber: 'WO-1',
              lines: [{ line: '10', article: 'A-1', quantity: '2', unit: 'PCE', location: null }]
            }
          ]
        ],
        rows: [[{ id, number: 'P-1', status: 'open' }]]
      },
      none: [[]]
    },
    closePickLists: { one: [['P-1']], none: [[]] },
    listPickLists: {
      all: [{ status: null, order: null, after: '0', limit: 50 }],
      filtered: [{ status: 'open', order: 'WO-1', after: '0', limit: 50 }]
    },
    pickListById: { always: [id] },
    lockPickList: { always: [id] },
    linesOfLists: { always: [ids] },
    savePickLine: { always: [{ id, picked: '1', shortReason: null }] },
    savePickListStatus: { always: [id, 'picking'] },
    pickMove: { always: [id, id] }
  }),
  storeCases('modules/inventory/receive-store.ts', receive, {
    saveArticles: {
      one: [[{ id, number: 'A-1', description: 'Bolt', unit: 'PCE', barcode: null, blocked: false }]],
      none: [[]]
    },
    blockArticles: { one: [['A-1']], none: [[]] },
    saveLocations: { one: [[{ id, code: 'L-1', warehouse: 'W', description: null, blocked: false }]], none: [[]] },
    blockLocations: { one: [['L-1']], none: [[]] }
  }),
  storeCases(
    'modules/inventory/store.ts',
    stock,
    {
      articlesByNumber: { one: [['A-1']], none: [[]] },
      addUnknownArticles: { one: [[{ number: 'A-1', unit: 'PCE' }]], none: [[]] },
      locationsByCode: { one: [['L-1']], none: [[]] },
      addUnknownLocations: { one: [['L-1']], none: [[]] },
      fullestLocations: { one: [[{ articleId: id, lot: '' }]], none: [[]] },
      addToLevels: { one: [[{ ...place, quantity: '1' }]] },
      appendMoves: {
        one: [
          id,
          [
            {
              ...place,
              id,
              kind: 'issue',
              quantity: '-1',
              unit: 'PCE',
              orderNumber: 'WO-1',
              operationNumber: '10',
              line: '10',
              pickLineId: null,
              reverses: null,
              reason: null,
              outboxKey: null
            }
          ]
        ],
        none: [id, []]
      },
      moveOfMessage: { always: ['k'] },
      negativeStock: { always: { args: [], rows: [[{ negative_stock: 'warn' }]] } },
      lockLevels: { one: [[place]] },
      pendingOf: { one: [[place]] },
      unplacedOf: { always: [ids] },
      saveSnapshots: { one: [id, [{ ...place, level: '1', snapshot: '1', asOf: at, key: null }], ids] },
      placesOfKeys: { one: [id, ['k']], none: [id, []] },
      consumedOfOrder: { always: ['WO-1'] }
    },
    ['own']
  )
]
