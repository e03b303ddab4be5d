import { decideRecord, type ExportOutcomeBody, type ImportKind, importOrder, type RecordDecision } from '../../adapters/contract/index.ts'
import type { TxCtx } from '../context.ts'
import { addCounts, type Counts, noCounts } from './apply-store.ts'
import {
  hashFields,
  type Prepared,
  type PreparedAck,
  type PreparedDelete,
  type PreparedRecord,
  type PreparedReject
} from './import-items.ts'
import type { Batch, ReceiveOutcome, Receivers } from './receivers.ts'
import {
  type KnownState,
  lockKind,
  markSeen,
  markUnchanged,
  moveRevisions,
  type StateUpsert,
  saveStates,
  statesOf
} from './record-state-store.ts'
import { insertRejects, type NewReject, resolveSubjects } from './rejects-store.ts'

/** What became of an acknowledgement; made by the way out of the house. */
export type AckResult = 'applied' | 'unchanged' | 'unknown_key' | 'contradiction'
export type ApplyAck = (tx: TxCtx, connectionId: string, exportKey: string, outcome: ExportOutcomeBody) => Promise<AckResult>

export interface ApplyDeps {
  readonly receivers: Receivers
  readonly applyAck: ApplyAck
  /** Where records go that did not get through; into the error bin, unless they came from there. */
  readonly bin?: (tx: TxCtx, rejects: readonly NewReject[], part: readonly Prepared[]) => Promise<void>
}

/** One run over a delivery, as the records of a chunk see it. */
export interface RunFacts {
  readonly connectionId: string
  readonly deliveryId: string | null
  /** Number of the run: marks what a snapshot has seen. */
  readonly seen: number
  /** Arrival that orders records without a revision: of a replay the arrival of what it repeats. */
  readonly arrival: number
  /** Kinds of which unchanged records must be marked as seen. */
  readonly snapshotKinds: ReadonlySet<ImportKind>
  /** False where the bin is empty: saves a statement per chunk. */
  readonly hasOpenRejects: boolean
}

/** What a record would do or did; for dry runs. Keys of people are left out. */
export interface Change {
  readonly kind: ImportKind
  readonly key: string | null
  readonly line: number | null
  readonly decision: RecordDecision | 'closed' | 'held' | 'rejected'
  /** Fields that differ from what we have. */
  readonly fields: readonly string[]
}

export interface PartResult {
  readonly counts: Counts
  readonly changes: readonly Change[]
  readonly rejects: readonly NewReject[]
}

/** A receiver that does not keep to its contract; never the fault of a record. */
export class ReceiverBug extends Error {
  constructor(kind: ImportKind, problem: string) {
    super(`the receiver of ${kind} ${problem}`)
    this.name = 'ReceiverBug'
  }
}

/**
 * Takes over part of a chunk in the caller's transaction: compares with what we have, gives what is new or changed to the modules kind
 * by kind, remembers what they took, and puts the rest into the error bin. Set-wise; the number of statements does not depend on the
 * number of records. Repeatable: nothing outside the transaction is touched.
 */
export async function applyPart(tx: TxCtx, deps: ApplyDeps, run: RunFacts, part: readonly Prepared[]): Promise<PartResult> {
  let counts = noCounts
  const changes: Change[] = []
  const rejects: NewReject[] = []
  for (const kind of importOrder) {
    const items = part.filter((p): p is PreparedRecord | PreparedDelete => (p.type === 'record' || p.type === 'delete') && p.kind === kind)
    if (items.length === 0) continue
    const done = await applyKind(tx, deps.receivers, run, kind, items)
    counts = addCounts(counts, done.counts)
    changes.push(...done.changes)
    rejects.push(...done.rejects)
  }
  const named = new Map<ImportKind, string[]>()
  for (const item of part) {
    if (item.type === 'reject') {
      counts = addCounts(counts, { rejected: item.stands })
      if (item.muted) continue
      rejects.push(binned(item))
      changes.push({ kind: item.kind, key: shownKey(item.kind, item.key), line: item.at?.line ?? null, decision: 'rejected', fields: [] })
      if (item.storedKey !== undefined && run.snapshotKinds.has(item.kind))
        named.set(item.kind, [...(named.get(item.kind) ?? []), item.storedKey])
    } else if (item.type === 'ack') {
      const refused = await takeAck(tx, deps.applyAck, run, item)
      counts = addCounts(counts, refused ? { rejected: 1 } : { acks: 1 })
      if (refused) rejects.push(refused)
    }
  }
  for (const [kind, storedKeys] of named) await markSeen(tx, run.connectionId, kind, storedKeys, run.seen)
  if (deps.bin) await deps.bin(tx, rejects, part)
  else await insertRejects(tx, { connectionId: run.connectionId, deliveryId: run.deliveryId, deliverySeq: String(run.seen) }, rejects)
  return { counts, changes, rejects }
}

async function applyKind(
  tx: TxCtx,
  receivers: Receivers,
  run: RunFacts,
  kind: ImportKind,
  items: readonly (PreparedRecord | PreparedDelete)[]
): Promise<PartResult> {
  await lockKind(tx, run.connectionId, kind)
  const known = await statesOf(
    tx,
    run.connectionId,
    kind,
    items.map(item => item.storedKey)
  )
  const toApply: { item: PreparedRecord; decision: 'new' | 'changed'; hashed: Readonly<Record<string, string>>; fields: string[] }[] = []
  const toClose: PreparedDelete[] = []
  const unchanged: string[] = []
  const saved: StateUpsert[] = []
  // Named without being taken over, so a snapshot must not close them.
  const stay: string[] = []
  const moved: { storedKey: string; revision: NonNullable<PreparedRecord['revision']> }[] = []
  const settledKeys: string[] = []
  const changes: Change[] = []
  const rejects: NewReject[] = []
  let counts = noCounts
  const note = (item: PreparedRecord | PreparedDelete, decision: Change['decision'], fields: readonly string[] = []): void => {
    changes.push({ kind, key: shownKey(kind, item.key), line: item.at?.line ?? null, decision, fields })
  }

  for (const item of items) {
    const before = known.get(item.storedKey)
    const hash = item.type === 'record' ? item.hash : ''
    const decision = decideRecord(before, { revision: item.revision, hash, arrival: run.arrival })
    if (item.type === 'delete') {
      if (decision === 'stale') counts = addCounts(counts, { stale: 1 })
      else if (before?.present) toClose.push(item)
      else {
        // Never seen, or closed already: there is nothing to close. It is remembered, so that a replay of what came before brings nothing back.
        counts = addCounts(counts, { unchanged: 1 })
        note(item, 'unchanged')
        saved.push(gone(item, before))
        settledKeys.push(item.key)
      }
      continue
    }
    if (decision === 'new' || decision === 'changed') {
      const hashed = hashFields(tx.tenant.keys, item)
      toApply.push({ item, decision, hashed, fields: before ? differing(before.fields, hashed) : [] })
      continue
    }
    counts = addCounts(counts, { [decision]: 1 })
    note(item, decision)
    if (decision === 'stale') stay.push(item.storedKey)
    else {
      unchanged.push(item.storedKey)
      settledKeys.push(item.key)
      if (item.revision && JSON.stringify(item.revision) !== JSON.stringify(before?.revision))
        moved.push({ storedKey: item.storedKey, revision: item.revision })
    }
  }

  const outcomes = await receive(tx, receivers, run, kind, toApply, toClose)
  for (const { item, decision, hashed, fields } of toApply) {
    const outcome = outcomes.get(item.key)
    if (!outcome) throw new ReceiverBug(kind, 'gave no outcome for a record')
    if (outcome.status === 'applied') {
      counts = addCounts(counts, { [decision]: 1 })
      note(item, decision, fields)
      saved.push({
        storedKey: item.storedKey,
        keySealed: sealedKey(tx, run.connectionId, kind, item.storedKey, item.key),
        scope: item.scope,
        revision: item.revision,
        hash: item.hash,
        fields: JSON.stringify(hashed),
        present: true
      })
      settledKeys.push(item.key)
    } else {
      counts = addCounts(counts, outcome.status === 'held' ? { held: 1 } : { rejected: 1 })
      note(item, outcome.status, fields)
      rejects.push(notTaken(item, outcome))
      stay.push(item.storedKey)
    }
  }
  for (const item of toClose) {
    const outcome = outcomes.get(item.key)
    if (outcome !== undefined && outcome.status !== 'applied') {
      counts = addCounts(counts, outcome.status === 'held' ? { held: 1 } : { rejected: 1 })
      rejects.push(notTaken(item, outcome))
      continue
    }
    counts = addCounts(counts, { closed: 1 })
    note(item, 'closed')
    saved.push(gone(item, known.get(item.storedKey)))
    settledKeys.push(item.key)
  }
  await saveStates(tx, { connectionId: run.connectionId, kind, arrival: run.arrival, seen: run.seen }, saved)
  await moveRevisions(tx, run.connectionId, kind, moved)
  // Only a refused record can be replayed behind one that said the same; without one, writing each unchanged row anew buys nothing.
  if (run.hasOpenRejects) await markUnchanged(tx, { connectionId: run.connectionId, kind, arrival: run.arrival, seen: run.seen }, unchanged)
  else stay.push(...unchanged)
  if (run.snapshotKinds.has(kind)) await markSeen(tx, run.connectionId, kind, stay, run.seen)
  if (run.hasOpenRejects)
    await resolveSubjects(tx, run.connectionId, kind, settledKeys, `a later record got through (delivery ${run.seen})`)
  return { counts, changes, rejects }
}

const gone = (item: PreparedDelete, before: KnownState | undefined): StateUpsert => ({
  storedKey: item.storedKey,
  keySealed: null,
  scope: null,
  revision: item.revision,
  hash: before?.hash ?? '',
  fields: JSON.stringify(before?.fields ?? {}),
  present: false
})

async function receive(
  tx: TxCtx,
  receivers: Receivers,
  run: RunFacts,
  kind: ImportKind,
  toApply: readonly { item: PreparedRecord }[],
  toClose: readonly PreparedDelete[]
): Promise<ReadonlyMap<string, ReceiveOutcome>> {
  if (toApply.length === 0 && toClose.length === 0) return new Map()
  return callReceiver(tx, receivers, kind, {
    connectionId: run.connectionId,
    records: toApply.map(({ item }) => ({ key: item.key, record: item.record })) as never,
    closed: toClose.map(item => item.key)
  })
}

/** Hands a batch to the module that takes this kind. A key that is told twice keeps its worst outcome. */
export async function callReceiver(
  tx: TxCtx,
  receivers: Receivers,
  kind: ImportKind,
  batch: Batch<ImportKind>
): Promise<ReadonlyMap<string, ReceiveOutcome>> {
  // The record's kind chose the receiver, which the compiler cannot follow.
  const receiver = receivers[kind] as ((tx: TxCtx, batch: Batch<ImportKind>) => Promise<readonly ReceiveOutcome[]>) | undefined
  if (!receiver) throw new ReceiverBug(kind, 'is missing: no module takes this kind of record')
  const outcomes = new Map<string, ReceiveOutcome>()
  for (const outcome of await receiver(tx, batch)) {
    const before = outcomes.get(outcome.key)
    if (!before || before.status === 'applied') outcomes.set(outcome.key, outcome)
  }
  return outcomes
}

/** The key of a person is stored sealed, so that it can be named to the module when the person is gone from the ERP. */
export const keyBound = (connectionId: string, kind: ImportKind, storedKey: string) =>
  ({ table: 'exchange.record_state', column: 'key_sealed', row: `${connectionId}/${kind}/${storedKey}` }) as const

const sealedKey = (tx: TxCtx, connectionId: string, kind: ImportKind, storedKey: string, key: string): string | null =>
  kind === 'employee' ? tx.tenant.keys.seal(key, keyBound(connectionId, kind, storedKey)).toString('hex') : null

const shownKey = (kind: ImportKind, key: string | undefined): string | null => (kind === 'employee' ? null : (key ?? null))

const differing = (before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(name => before[name] !== after[name]).sort()

function notTaken(item: PreparedRecord | PreparedDelete, outcome: Exclude<ReceiveOutcome, { status: 'applied' }>): NewReject {
  const rejected = outcome.status === 'rejected' ? outcome : undefined
  return {
    item: item.n,
    kind: item.kind,
    key: item.key,
    at: item.at,
    code: outcome.code,
    message: outcome.message,
    field: outcome.field,
    value: rejected?.value,
    table: rejected?.table,
    source: item.type === 'record' ? item.source : undefined
  }
}

const binned = (item: PreparedReject): NewReject => ({
  item: item.n,
  kind: item.kind,
  key: item.key,
  at: item.at,
  code: item.reject.code,
  message: item.reject.message,
  field: item.reject.field,
  value: item.reject.value,
  table: item.reject.table,
  source: item.source
})

async function takeAck(tx: TxCtx, applyAck: ApplyAck, run: RunFacts, item: PreparedAck): Promise<NewReject | undefined> {
  const result = await applyAck(tx, run.connectionId, item.exportKey, item.outcome)
  if (result === 'applied' || result === 'unchanged') return undefined
  const unknown = result === 'unknown_key'
  return {
    item: item.n,
    kind: 'ack',
    key: item.exportKey,
    at: item.at,
    code: unknown ? 'ack_unknown_key' : 'ack_contradiction',
    message: unknown
      ? `The ERP acknowledges "${item.exportKey}", which we never sent over this connection.`
      : `The ERP's answer on "${item.exportKey}" contradicts its earlier one. Compare the document in the ERP.`,
    field: undefined,
    value: item.exportKey,
    table: undefined,
    source: undefined
  }
}
