import * as work from '../../core/exchange/apply-store.ts'
import * as archive from '../../core/exchange/archive-store.ts'
import * as batches from '../../core/exchange/batch-store.ts'
import * as deliveries from '../../core/exchange/deliveries-store.ts'
import * as deliveryRejects from '../../core/exchange/delivery-rejects-store.ts'
import * as inbox from '../../core/exchange/inbox-store.ts'
import * as pullDeliveries from '../../core/exchange/pull-delivery-store.ts'
import * as pulls from '../../core/exchange/pull-store.ts'
import * as raw from '../../core/exchange/raw-store.ts'
import * as states from '../../core/exchange/record-state-store.ts'
import { type StoreCases, storeCases } from './case.ts'
import { at, day, id, ids } from './values.ts'

const part = { connectionId: id, kind: 'article', scope: null, seen: 2, arrival: 1 } as const
const counts = work.noCounts

export const deliveryCases: readonly StoreCases[] = [
  storeCases(
    'core/exchange/apply-store.ts',
    work,
    {
      findWork: { always: [id] },
      lockWork: { always: [id] },
      nextWork: { always: [id] },
      connectionsWithWork: { always: [] },
      beginWork: { always: { args: [id, 1], rows: [[{ chunk_done: 0 }]] } },
      saveProgress: { always: [id, { position: null, chunkDone: 1, counts, unknown: null }] },
      settleWork: { always: [id, { state: 'done', finished: true, reasonCode: null, reason: null }] },
      countRejected: { always: [id] }
    },
    ['addCounts', 'withinSavepoint']
  ),
  storeCases('core/exchange/batch-store.ts', batches, {
    closeOpenBatches: { some: [id, ['WO-1']] },
    insertBatches: { one: [id, [{ id, orderingKey: 'WO-1', key: 'batch-1', sealed: Buffer.alloc(4) }]] },
    batchRows: { some: [ids] },
    closeBatches: { some: [ids] },
    unseal: { always: ['1'] }
  }),
  storeCases('core/exchange/delivery-rejects-store.ts', deliveryRejects, {
    deliveryRejects: { 'first page': [id, 50, '0'] },
    openRejectCount: { always: { args: [id], rows: [[{ n: '0' }]] } }
  }),
  storeCases('core/exchange/archive-store.ts', archive, {
    archiveDays: { always: [id, at] },
    archiveFiles: { always: [id, day, at, 50] },
    rejectedFiles: { always: [id, at, 50] },
    findFinished: { always: [id, { name: 'orders.csv' }, at] }
  }),
  storeCases(
    'core/exchange/deliveries-store.ts',
    deliveries,
    {
      insertDelivery: {
        always: {
          args: [{ id, connection_id: id, way: 'sftp', name: 'orders.csv', state: 'arriving', received_at: at }],
          rows: [[{ id }]]
        }
      },
      lockConnection: { always: [id] },
      adapterOf: { always: [id] },
      noteArrival: { always: [id, at] },
      findDelivery: { always: [id] },
      findByConnection: { always: [id, id] },
      latestOf: { always: [id, 'sftp', 'orders.csv'] },
      listDeliveries: { always: [{ limit: 50 }] }
    },
    ['own', 'read']
  ),
  storeCases('core/exchange/inbox-store.ts', inbox, {
    findInbox: { always: [id, 'orders.csv', at] },
    listInbox: { always: [id, 50] },
    loadOf: { always: { args: [id], rows: [[{ files: '0', bytes: '0' }]] } },
    freeName: { always: [id, 'orders.csv', at, 'replaced'] },
    endArrival: { always: [id, { state: 'arriving', size: 1, sha256: 'x', at, closed: true, reason: null, modifiedAt: null }] },
    unwaited: { always: [] },
    setFileTime: { always: [id, at] },
    renameArrival: { always: [id, 'orders.csv', at] },
    closedArrivals: { always: [] },
    noteProgress: { always: [id, 1, at] },
    abandonArrivals: { always: [at, at] },
    takeOver: { always: [id, { state: 'stored', at, reasonCode: null, reason: null }] }
  }),
  storeCases('core/exchange/pull-delivery-store.ts', pullDeliveries, {
    insertPull: { always: { args: [id, 'article', 1], rows: [[{ id }]] } },
    setRaw: { always: [id, { blobId: id, size: 1, sha256: 'x' }] },
    interruptPulls: { always: [id, 'article'] }
  }),
  storeCases(
    'core/exchange/pull-store.ts',
    pulls,
    {
      schedulePull: { always: [id, 'article', 60] },
      pullPlans: { always: [] },
      scheduledPulls: { always: [] },
      pullStarted: { always: [id, 'article'] },
      saveCheckpoint: { 'a full one': [id, 'article', 'x', '1.0.0'], 'an empty one': [id, 'article', null, '1.0.0'] },
      pullEnded: {
        well: [id, 'article', { nextAt: at, attempts: 0, reason: null }],
        badly: [id, 'article', { nextAt: at, attempts: 1, reason: 'x' }]
      }
    },
    ['isEmpty']
  ),
  storeCases('core/exchange/raw-store.ts', raw, {
    releaseBlobs: { always: [{ doneBefore: at, openBefore: at, at }] },
    namedBlobs: { always: [ids] }
  }),
  storeCases('core/exchange/record-state-store.ts', states, {
    statesOf: { some: [id, 'article', ['A-1']], none: [id, 'article', []] },
    saveStates: {
      one: [
        { connectionId: id, kind: 'article', arrival: 1, seen: 2 },
        [{ storedKey: 'A-1', keySealed: null, scope: null, revision: { seq: 1 }, hash: '01', fields: '{}', present: true }]
      ],
      none: [{ connectionId: id, kind: 'article', arrival: 1, seen: 2 }, []]
    },
    lockKind: { always: [id, 'article'] },
    markUnchanged: {
      some: [{ connectionId: id, kind: 'article', arrival: 1, seen: 2 }, ['A-1']],
      none: [{ connectionId: id, kind: 'article', arrival: 1, seen: 2 }, []]
    },
    markSeen: { some: [id, 'article', ['A-1'], 2], none: [id, 'article', [], 2] },
    moveRevisions: { one: [id, 'article', [{ storedKey: 'A-1', revision: { changedAt: at } }]], none: [id, 'article', []] },
    countUnseen: { always: [part] },
    unseenKeys: { always: [part, 50] },
    markClosed: { some: [id, 'article', ['A-1'], 1], none: [id, 'article', [], 1] }
  })
]
