import { freshMessage } from '../../adapters/contract/index.ts'
import * as access from '../../core/exchange/access-store.ts'
import type { WorkDelivery } from '../../core/exchange/apply-store.ts'
import * as connections from '../../core/exchange/connections-store.ts'
import * as replays from '../../core/exchange/delivery-replays-store.ts'
import * as bin from '../../core/exchange/error-bin-store.ts'
import * as files from '../../core/exchange/outbox-files-store.ts'
import * as outbox from '../../core/exchange/outbox-store.ts'
import * as refused from '../../core/exchange/refused-store.ts'
import * as rejects from '../../core/exchange/rejects-store.ts'
import * as sending from '../../core/exchange/sending-store.ts'
import * as transport from '../../core/exchange/transport-store.ts'
import { type StoreCases, storeCases } from './case.ts'
import { keys } from './recorder.ts'
import { at, blind, id, ids } from './values.ts'

const origin: WorkDelivery = {
  id,
  seq: '1',
  connectionId: id,
  way: 'sftp',
  name: 'orders.csv',
  size: '1',
  sha256: null,
  blobId: null,
  state: 'done_with_rejects',
  position: 0,
  chunkDone: 0,
  replayOf: null,
  rejectsOnly: false,
  attempts: 0,
  reasonCode: null,
  nextAttemptAt: null,
  receivedAt: at,
  unknownColumns: {},
  pendingClose: null
}
const message: outbox.Stored = {
  seq: '1',
  key: 'k',
  connection_id: id,
  kind: 'operationStatus',
  record: {},
  ordering_key: 'WO-1',
  ordering_seq: '1',
  reverses: null,
  state: 'waiting',
  batch_id: null,
  attempts: 0,
  lookups: 0,
  not_found_at: [],
  previous: 'none',
  next_attempt_at: null,
  confirm_by: null,
  document: null,
  document_line: null,
  reject_code: null,
  reject_message: null,
  alarm: null,
  sent_at: null,
  settled_at: null,
  created_at: at
}
const anything = { connectionId: null, deliveryId: null, state: null, kind: null, code: null, cause: null, direction: null } as const
const reject: rejects.NewReject = {
  item: 1,
  kind: 'article',
  key: 'A-1',
  at: { line: 2 },
  code: 'unit_unknown',
  message: 'The unit is unknown.',
  field: 'unit',
  value: 'XX',
  table: undefined,
  source: { row: { unit: 'XX' } }
}
const stateSealed = keys.seal('null', { table: 'exchange.adapter_state', column: 'state_sealed', row: id })
const bodySealed = keys.seal('x', { table: 'exchange.outbox_file', column: 'body_sealed', row: `${id}/out.csv` })

export const exchangeCases: readonly StoreCases[] = [
  storeCases('core/exchange/access-store.ts', access, {
    connectionExists: { always: [id] },
    lockAccessOf: { always: [id] },
    insertAccess: { always: [{ id, connection_id: id, kind: 'token', label: 'x', lookup: 'x', digest: blind, at }] },
    listAccess: { always: [id] },
    findAccess: { always: [id, id] },
    activeAccess: { always: [id, 'token'] },
    keyInUse: { always: ['x'] },
    revokeRow: { always: [id, at] },
    proofsOf: { always: [id, ['token'], 'x'] },
    isActive: { always: [id] },
    noteUse: { always: [id, at] }
  }),
  storeCases('core/exchange/connections-store.ts', connections, {
    insertConnection: {
      always: [
        {
          id,
          name: 'x',
          adapter: 'x',
          adapter_version: '1.0.0',
          config: {},
          secrets_sealed: null,
          config_version: 1,
          time_zone: 'Europe/Amsterdam',
          locale: 'nl-NL'
        }
      ]
    },
    findConnection: { always: [id] },
    lockConnectionRow: { always: [id] },
    listConnectionRows: { always: [] },
    updateConnectionRow: { state: [id, { state: 'active' }], settings: [id, { config: {}, secrets_sealed: blind, config_version: 1 }] },
    insertMapping: { always: [{ connectionId: id, version: 1, mapping: {}, codeTables: {} }] },
    findMapping: { 'the newest': [id], 'one version': [id, 1] },
    kindOwners: { always: [] },
    setKinds: { one: [id, 'in', ['article']], none: [id, 'in', []] },
    activeAccessKinds: { always: [id] },
    loadOfConnections: { always: [] },
    touchOut: { always: [id] }
  }),
  storeCases('core/exchange/error-bin-store.ts', bin, {
    findEntry: { always: [id] },
    lockEntry: { always: [id] },
    listEntries: { always: [anything, { before: null, limit: 50 }] },
    listCauses: { always: [anything, 50] },
    openOfCause: { always: [id, blind] },
    setReplaying: { always: [ids] },
    saveEdit: { always: [id, blind] },
    closeEntries: { some: [ids, 'skipped', id, 'x'], none: [[], 'skipped', id, 'x'] },
    closeReplaying: { always: [ids] },
    reopen: { one: [[{ id, code: 'x', message: 'x', field: null, value: null, codeTable: null, cause: blind }]], none: [[]] },
    waitingReplays: { always: [id, 50] },
    keptRows: { always: [ids] }
  }),
  storeCases('core/exchange/delivery-replays-store.ts', replays, {
    itemsToReplay: { always: [id, at] },
    resolveReplayed: { always: [id, { id, seq: '2' }] },
    insertReplay: { always: [origin, true] },
    replayUnderway: { always: [id] }
  }),
  storeCases('core/exchange/outbox-files-store.ts', files, {
    listOutboxFiles: { always: [id, '0', 50] },
    setFileAside: {
      one: { args: [id, 'out.csv'], rows: [[{ seq: '1', body_sealed: bodySealed, removed_at: null }]] },
      none: [id, 'out.csv']
    },
    findOutboxFile: { always: [id, 'out.csv'] },
    readOutboxFile: { always: { args: [id, 'out.csv'], rows: [[{ body_sealed: bodySealed }]] } },
    noteFetched: { always: [id, 'out.csv'] },
    removeOutboxFile: { always: [id, 'out.csv'] }
  }),
  storeCases(
    'core/exchange/outbox-store.ts',
    outbox,
    {
      insertMessage: {
        always: [{ key: 'k', kind: 'operationStatus', record: {}, orderingKey: 'WO-1', connectionId: null, reverses: null }, ['x']]
      },
      routeHeldMessages: {
        some: { args: ['operationStatus', id], rows: [[{ seq: '1', ordering_key: 'WO-1' }]] },
        none: ['operationStatus', id]
      },
      statesByKey: { always: [['k']] },
      lockMessage: { always: [id, 'k'] },
      lockMessages: { always: [['1']] },
      lockMessageBySeq: { always: ['1'] },
      messageBySeq: { always: ['1'] },
      eventsOf: { always: ['1'] },
      listMessages: { always: [{ connectionId: null, state: null, orderingKey: null, after: '0', limit: 50 }] },
      saveStates: { one: [[{ row: message, to: freshMessage, event: 'x', detail: null }], 'host'], none: [[], 'host'] }
    },
    ['own', 'machineOf']
  ),
  storeCases('core/exchange/refused-store.ts', refused, {
    noteRefused: {
      'for the first time': { args: [id, message, freshMessage], affected: 0 },
      'once more': [id, message, freshMessage]
    },
    resolveRefused: { always: [['1']] }
  }),
  storeCases(
    'core/exchange/rejects-store.ts',
    rejects,
    {
      insertRejects: {
        one: [{ connectionId: id, deliveryId: id, deliverySeq: '1' }, [reject]],
        none: [{ connectionId: id, deliveryId: id, deliverySeq: '1' }, []]
      },
      resolveSubjects: { some: [id, 'article', ['A-1'], 'x'], none: [id, 'article', [], 'x'] },
      putBack: { always: [[id]] },
      hasOpenRejects: { always: [id] },
      unreadable: { always: [id] }
    },
    ['subjectOf', 'causeOf', 'bound', 'withoutValues', 'shownMessage']
  ),
  storeCases('core/exchange/sending-store.ts', sending, {
    sendable: { always: [id, at, { after: '', perKey: 50, limit: 1_000 }] },
    messagesIn: { always: [id, ['waiting']] },
    messagesByKey: { always: [['k']] },
    overdue: { always: [id, at] },
    waitsForTime: { always: [id] },
    activeConnections: { always: [] },
    isActive: { always: [id] },
    heldWithOwner: { always: [] }
  }),
  storeCases('core/exchange/transport-store.ts', transport, {
    insertOutboxFile: { always: [{ connectionId: id, name: 'out.csv', sealed: blind, size: 1, sha256: 'x' }] },
    outboxFileHash: { always: [id, 'out.csv'] },
    adapterState: { always: { args: [id], rows: [[{ state_sealed: stateSealed }]] } },
    casAdapterState: {
      'first of all': { args: [id, null, 'next'], rows: [[], [{ state_sealed: stateSealed }]] },
      'somebody was first': { args: [id, 'other', 'next'], rows: [[], [{ state_sealed: stateSealed }]] }
    }
  })
]
