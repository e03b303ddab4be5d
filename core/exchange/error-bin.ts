import type { ImportKind } from '../../adapters/contract/index.ts'
import type { Ctx, TxCtx } from '../context.ts'
import type { Journal } from '../journal/append.ts'
import { countRejected, findWork, lockWork, saveProgress, settleWork, type WorkDelivery } from './apply-store.ts'
import type { ConnectionDesk } from './connections.ts'
import { findMapping } from './connections-store.ts'
import { insertReplay, replayUnderway } from './delivery-replays-store.ts'
import { type BinEntry, closeEntries, findEntry, lockEntry, openOfCause, saveEdit, setReplaying } from './error-bin-store.ts'
import { refuseExchange } from './errors.ts'
import type { Source } from './import-items.ts'
import type { Receivers } from './receivers.ts'
import { bound, shownMessage } from './rejects-store.ts'
import { closeUnseen } from './snapshot-close.ts'

/** What people do with records that did not get through. Each act is in the journal; replays are done by the worker. */
export interface ErrorBin {
  /** Replays one entry, or all open ones of its cause. @returns how many */
  replay(tx: TxCtx, id: string, which: 'one' | 'same_cause'): Promise<number>
  /** Puts another row in the place of the one that failed and replays it; the original is kept. */
  edit(tx: TxCtx, id: string, row: Readonly<Record<string, unknown>>): Promise<void>
  skip(tx: TxCtx, id: string, which: 'one' | 'same_cause', reason: string): Promise<number>
  /** Adds the translation whose absence is the cause and replays everything that it held up. @returns how many */
  translate(tx: TxCtx, id: string, ours: string): Promise<number>
  /** Runs a stored delivery again with today's mapping. @returns the id of the replay, a delivery of its own */
  replayDelivery(tx: TxCtx, deliveryId: string, only: 'all' | 'rejects'): Promise<string>
  /** Decides what a snapshot may close that was held. Call it under the connection's import lease. */
  decideClosing(tx: TxCtx, receivers: Receivers, deliveryId: string, decision: 'close' | 'keep'): Promise<void>
}

export function errorBin({ journal, desk }: { journal: Journal; desk: Pick<ConnectionDesk, 'setMapping'> }): ErrorBin {
  async function openEntry(tx: TxCtx, id: string): Promise<BinEntry> {
    const entry = await lockEntry(tx, id)
    if (!entry) throw refuseExchange('reject_unknown', 'There is no such entry in the error bin.')
    if (entry.state !== 'open') throw refuseExchange('reject_state', `The entry is ${entry.state}; only an open one can be changed.`)
    if (entry.direction === 'out')
      throw refuseExchange('reject_state', 'This entry is a message to the ERP: decide on it on the page of the messages.')
    return entry
  }

  async function sameCause(tx: TxCtx, entry: BinEntry, which: 'one' | 'same_cause'): Promise<readonly BinEntry[]> {
    return which === 'one' ? [entry] : openOfCause(tx, entry.connection_id, entry.cause)
  }

  const noted = (tx: TxCtx, act: string, id: string, data: Parameters<Journal['append']>[1]['data'] = {}): Promise<void> =>
    journal.append(tx, { act, subject: 'exchange.reject', subjectId: id, data })

  /** Entries with a row of their own are replayed alone; for the others their delivery is read again, once. */
  async function replayAll(tx: TxCtx, entries: readonly BinEntry[]): Promise<void> {
    const alone = entries.filter(entry => entry.row_sealed !== null || entry.edited_sealed !== null)
    await setReplaying(
      tx,
      alone.map(entry => entry.id)
    )
    const origins = new Set(entries.filter(entry => !alone.includes(entry)).map(entry => (entry.item === null ? null : entry.origin_id)))
    for (const origin of origins) {
      if (origin === null)
        throw refuseExchange(
          'delivery_not_replayable',
          'Nothing of this entry is kept that could be replayed. Let the ERP send it again, or skip it.'
        )
      await replayOf(tx, origin, true)
    }
    tx.tx.due.add('import')
  }

  async function replayOf(tx: TxCtx, originId: string, rejectsOnly: boolean): Promise<string> {
    const origin = await lockWork(tx, originId)
    if (!origin) throw refuseExchange('delivery_unknown', 'There is no such delivery.')
    // A replay of a replay repeats the same bytes, and their arrival orders the records.
    if (origin.replayOf !== null) return replayOf(tx, origin.replayOf, rejectsOnly)
    if (!['done', 'done_with_rejects', 'rejected', 'parked', 'held', 'duplicate'].includes(origin.state)) {
      throw refuseExchange('delivery_not_replayable', `The delivery is ${origin.state}; it can be replayed when it is finished.`)
    }
    if (origin.blobId === null)
      throw refuseExchange('delivery_not_replayable', 'The bytes of this delivery are no longer kept. Let the ERP send it again.')
    const underway = await replayUnderway(tx, originId)
    if (underway !== undefined) return underway
    const id = await insertReplay(tx, origin, rejectsOnly)
    await journal.append(tx, {
      act: 'delivery.replay',
      subject: 'exchange.delivery',
      subjectId: originId,
      data: { replay: id, only: rejectsOnly ? 'rejects' : 'all' }
    })
    tx.tx.due.add('import')
    return id
  }

  return {
    async replay(tx, id, which) {
      const entries = await sameCause(tx, await openEntry(tx, id), which)
      await replayAll(tx, entries)
      await noted(tx, 'reject.replay', id, { count: entries.length })
      return entries.length
    },
    async edit(tx, id, row) {
      const entry = await openEntry(tx, id)
      if (entry.row_sealed === null)
        throw refuseExchange('reject_without_row', 'The row of this entry is not kept, so there is nothing to edit.')
      const { keys } = tx.tenant
      const original = JSON.parse(keys.openText(entry.row_sealed, bound('row_sealed', id))) as Source
      const edited: Source = 'row' in original ? { row } : { record: row }
      await saveEdit(tx, id, keys.seal(JSON.stringify(edited), bound('edited_sealed', id)))
      await setReplaying(tx, [id])
      tx.tx.due.add('import')
      await noted(tx, 'reject.edit', id, { fields: changedFields('row' in original ? original.row : original.record, row) })
    },
    async skip(tx, id, which, reason) {
      const entries = await sameCause(tx, await openEntry(tx, id), which)
      await closeEntries(
        tx,
        entries.map(entry => entry.id),
        'skipped',
        `${tx.principal.kind}:${tx.principal.id}`,
        reason
      )
      await noted(tx, 'reject.skip', id, { count: entries.length })
      return entries.length
    },
    async translate(tx, id, ours) {
      const entry = await openEntry(tx, id)
      if (entry.code_table === null || entry.value_sealed === null) {
        throw refuseExchange('reject_without_table', 'A missing translation is not the cause of this entry.')
      }
      const theirs = tx.tenant.keys.openText(entry.value_sealed, bound('value_sealed', id))
      const newest = await findMapping(tx, entry.connection_id)
      const table = newest?.codeTables[entry.code_table] ?? {}
      const before = Object.hasOwn(table, theirs) ? table[theirs] : undefined
      if (before !== undefined && before !== ours) {
        throw refuseExchange(
          'code_entry_exists',
          `The table "${entry.code_table}" translates this value to "${before}" by now. Replay the entry.`
        )
      }
      if (before === undefined) {
        await desk.setMapping(tx, entry.connection_id, newest?.version ?? 0, {
          mapping: newest?.mapping ?? {},
          codeTables: { ...newest?.codeTables, [entry.code_table]: { ...table, [theirs]: ours } }
        })
      }
      const entries = await openOfCause(tx, entry.connection_id, entry.cause)
      await replayAll(tx, entries)
      await noted(tx, 'reject.translate', id, { table: entry.code_table, count: entries.length })
      return entries.length
    },
    replayDelivery: (tx, deliveryId, only) => replayOf(tx, deliveryId, only === 'rejects'),
    async decideClosing(tx, receivers, deliveryId, decision) {
      const delivery = await lockWork(tx, deliveryId)
      if (!delivery) throw refuseExchange('delivery_unknown', 'There is no such delivery.')
      if (delivery.state !== 'held' || delivery.pendingClose === null) {
        throw refuseExchange('delivery_not_held', `The delivery is ${delivery.state}: nothing waits for a decision.`)
      }
      if (decision === 'close') await closeHeld(tx, receivers, delivery)
      const rejects = (await countRejected(tx, deliveryId)) > 0
      await settleWork(tx, deliveryId, {
        state: rejects ? 'done_with_rejects' : 'done',
        finished: true,
        reasonCode: decision === 'close' ? 'snapshot_confirmed' : 'snapshot_kept',
        reason:
          decision === 'close' ? 'A person let the snapshot close what it did not name.' : 'A person kept what the snapshot did not name.'
      })
      await journal.append(tx, {
        act: 'delivery.closing',
        subject: 'exchange.delivery',
        subjectId: deliveryId,
        data: { decision, kinds: delivery.pendingClose.map(pending => pending.kind) }
      })
    }
  }
}

async function closeHeld(tx: TxCtx, receivers: Receivers, delivery: WorkDelivery): Promise<void> {
  const origin = delivery.replayOf === null ? delivery : await findWork(tx, delivery.replayOf)
  for (const { kind, scope } of delivery.pendingClose ?? []) {
    await closeUnseen(
      {
        ctx: tx,
        receivers,
        connectionId: delivery.connectionId,
        deliveryId: delivery.id,
        seen: Number(delivery.seq),
        arrival: Number(origin?.seq ?? delivery.seq),
        inTx: fn => fn(tx),
        save: (inner, progress) => saveProgress(inner, delivery.id, progress)
      },
      { kind: kind as ImportKind, scope }
    )
  }
}

const changedFields = (before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter(name => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .sort()

/** Row and edited row of an entry as they are; for those who may read raw data. */
export async function rowsOfEntry(
  c: Ctx | TxCtx,
  id: string
): Promise<{ original: Readonly<Record<string, unknown>> | null; edited: Readonly<Record<string, unknown>> | null; mapped: boolean }> {
  const entry = await findEntry(c, id)
  if (!entry) throw refuseExchange('reject_unknown', 'There is no such entry in the error bin.')
  const open = (sealed: Buffer | null, column: 'row_sealed' | 'edited_sealed'): Source | null =>
    sealed === null ? null : (JSON.parse(c.tenant.keys.openText(sealed, bound(column, id))) as Source)
  const plain = (source: Source | null): Readonly<Record<string, unknown>> | null =>
    source === null ? null : 'row' in source ? source.row : source.record
  if (entry.direction === 'out') {
    // A message to the ERP is kept as it is, and decided on where messages are shown.
    const record =
      entry.row_sealed === null
        ? null
        : (JSON.parse(c.tenant.keys.openText(entry.row_sealed, bound('row_sealed', id))) as Record<string, unknown>)
    return { original: record, edited: null, mapped: false }
  }
  const original = open(entry.row_sealed, 'row_sealed')
  return {
    original: plain(original),
    edited: plain(open(entry.edited_sealed, 'edited_sealed')),
    mapped: original !== null && 'row' in original
  }
}

/** The value that an entry is about: of people for those who may read raw data only. */
export function valueOfEntry(c: Ctx | TxCtx, entry: Pick<BinEntry, 'id' | 'kind' | 'value_sealed'>): string | undefined {
  if (entry.value_sealed === null) return undefined
  if (entry.kind === 'employee' && !c.grant.permissions.has('exchange.read_raw')) return undefined
  return c.tenant.keys.openText(entry.value_sealed, bound('value_sealed', entry.id))
}

/** The sentence of an entry as this reader may see it. */
export const messageOfEntry = (c: Ctx | TxCtx, entry: Pick<BinEntry, 'id' | 'kind' | 'value_sealed' | 'message'>): string =>
  shownMessage(entry.message, valueOfEntry(c, entry))
