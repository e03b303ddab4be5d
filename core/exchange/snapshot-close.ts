import { type ImportKind, importOrder, snapshotMayClose } from '../../adapters/contract/index.ts'
import type { Ctx, TxCtx } from '../context.ts'
import { callReceiver, keyBound } from './apply.ts'
import { noCounts, type PendingClose } from './apply-store.ts'
import type { Receivers } from './receivers.ts'
import { countUnseen, markClosed, markSeen, unseenKeys } from './record-state-store.ts'
import { insertRejects, type NewReject } from './rejects-store.ts'
import type { EndedSnapshot, PartRunner, Progress } from './run.ts'

const closeAtOnce = 500

export interface CloseOptions {
  readonly ctx: Pick<Ctx, 'tenant'>
  readonly receivers: Receivers
  readonly connectionId: string
  readonly deliveryId: string | null
  readonly seen: number
  readonly arrival: number
  readonly inTx: PartRunner
  readonly save: (tx: TxCtx, progress: Progress) => Promise<void>
}

export interface ClosePlan {
  readonly close: readonly EndedSnapshot[]
  /** Waiting for a person. */
  readonly held: readonly PendingClose[]
  /** Not closed, because rows that nobody could read may name any record. */
  readonly skipped: readonly ImportKind[]
  /** Everything that these snapshots did not name. */
  readonly all: readonly PendingClose[]
}

/** Decides what may be closed after a run that read its delivery to the end. */
export async function planClosing(
  options: CloseOptions,
  snapshots: readonly EndedSnapshot[],
  keyless: ReadonlyMap<string, number>
): Promise<ClosePlan> {
  const close: EndedSnapshot[] = []
  const held: PendingClose[] = []
  const skipped: ImportKind[] = []
  const all: PendingClose[] = []
  // What others refer to is closed last.
  const ordered = [...snapshots].sort((a, b) => importOrder.indexOf(b.kind) - importOrder.indexOf(a.kind))
  for (const snapshot of ordered) {
    const { present, unseen } = await options.inTx(tx => countUnseen(tx, { ...options, ...snapshot }))
    if (unseen === 0) continue
    all.push({ ...snapshot, count: unseen, of: present })
    if ((keyless.get(snapshot.kind) ?? 0) > 0) skipped.push(snapshot.kind)
    else if (!snapshotMayClose(unseen, present)) held.push({ ...snapshot, count: unseen, of: present })
    else close.push(snapshot)
  }
  return { close, held, skipped, all }
}

/** Closes what a snapshot did not name, some hundreds per transaction; a crash goes on with what is left. @returns how many */
export async function closeUnseen(options: CloseOptions, snapshot: EndedSnapshot): Promise<number> {
  const { ctx, connectionId } = options
  const { kind } = snapshot
  let closed = 0
  for (;;) {
    const step = await options.inTx(async tx => {
      const rows = await unseenKeys(tx, { ...options, ...snapshot }, closeAtOnce)
      if (rows.length === 0) return undefined
      const named = rows.map(row => ({
        storedKey: row.storedKey,
        key: row.keySealed === null ? row.storedKey : ctx.tenant.keys.openText(row.keySealed, keyBound(connectionId, kind, row.storedKey))
      }))
      const outcomes = await callReceiver(tx, options.receivers, kind, { connectionId, records: [], closed: named.map(row => row.key) })
      const gone: string[] = []
      const stay: string[] = []
      const rejects: NewReject[] = []
      for (const row of named) {
        const outcome = outcomes.get(row.key)
        if (outcome === undefined || outcome.status === 'applied') gone.push(row.storedKey)
        else {
          stay.push(row.storedKey)
          const { code, message, field } = outcome
          rejects.push({
            item: null,
            kind,
            key: row.key,
            at: undefined,
            code,
            message,
            field,
            value: undefined,
            table: undefined,
            source: undefined
          })
        }
      }
      await markClosed(tx, connectionId, kind, gone, options.arrival)
      // The module keeps it: as far as this snapshot is concerned it was seen, or it would be tried for ever.
      await markSeen(tx, connectionId, kind, stay, options.seen)
      await insertRejects(tx, { connectionId, deliveryId: options.deliveryId, deliverySeq: String(options.seen) }, rejects)
      await options.save(tx, {
        position: null,
        chunkDone: 0,
        counts: { ...noCounts, closed: gone.length, rejected: stay.length },
        unknown: null
      })
      return gone.length
    })
    if (step === undefined) return closed
    closed += step
  }
}
