import { quantity } from '../../core/index.ts'

export type Backflush = 'none' | 'on_report' | 'on_completion'
export type MoveKind = 'issue' | 'return' | 'receipt' | 'transfer_out' | 'transfer_in' | 'adjustment' | 'count' | 'reversal' | 'snapshot'
export type PickListStatus = 'open' | 'picking' | 'picked' | 'short' | 'closed'

/** Where stock lies: the three parts in the order in which they are locked. */
export interface Place {
  readonly articleId: string
  readonly locationId: string
  /** empty text: no lot */
  readonly lot: string
}

export const placeKey = (place: Place): string => `${place.articleId} ${place.locationId} ${place.lot}`

/** Ids and lots are compared byte by byte, as PostgreSQL compares uuid and text under collation C. */
export const inLockOrder = <T extends Place>(places: readonly T[]): T[] =>
  [...places].sort((a, b) => byBytes(a.articleId, b.articleId) || byBytes(a.locationId, b.locationId) || byBytes(a.lot, b.lot))
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** Movements of one act added up per place, since one statement touches a level once. */
export function perPlace(moves: readonly (Place & { readonly quantity: string })[]): readonly (Place & { quantity: string })[] {
  const sums = new Map<string, Place & { quantity: string }>()
  for (const move of moves) {
    const key = placeKey(move)
    const sum = sums.get(key)
    if (sum) sum.quantity = quantity.add(sum.quantity, move.quantity)
    else sums.set(key, { articleId: move.articleId, locationId: move.locationId, lot: move.lot, quantity: move.quantity })
  }
  return inLockOrder([...sums.values()])
}

/** A transaction of ours that no snapshot is known to contain. */
export interface PendingMove {
  readonly id: string
  /** signed */
  readonly quantity: string
  readonly at: string
  readonly outboxKey: string | null
}

/** What became of a transaction's message. */
export interface Settlement {
  readonly state: string
  readonly settledAt: string | null
}

/**
 * Whether the ERP's stock as of an instant contains one of our transactions: yes once the ERP had accepted it by then, or a person
 * had decided by then that it is not sent. What is rejected, unknown or under way is not in the ERP's figure. A transaction that
 * has no message counts from its own time.
 */
export function isContained(move: PendingMove, settlement: Settlement | undefined, asOf: string): boolean {
  if (move.outboxKey === null) return instant(move.at) <= instant(asOf)
  if (!settlement || settlement.settledAt === null) return false
  return (settlement.state === 'accepted' || settlement.state === 'dropped') && instant(settlement.settledAt) <= instant(asOf)
}

const instant = (text: string): number => Date.parse(text)

export interface SnapshotResult {
  /** the level from now on: the ERP's figure plus what it does not contain */
  readonly level: string
  /** what the level changed by; written to the ledger, so that the sum of a place's rows stays its level */
  readonly difference: string
  /** transactions that the snapshot contains: no longer pending */
  readonly contained: readonly string[]
}

/** Level = snapshot of the ERP + our transactions that the snapshot does not contain yet. */
export function applySnapshot(
  before: { readonly level: string; readonly pending: readonly PendingMove[] },
  snapshot: { readonly quantity: string; readonly asOf: string },
  settlementOf: (outboxKey: string) => Settlement | undefined
): SnapshotResult {
  const contained = new Set(
    before.pending
      .filter(move => isContained(move, move.outboxKey === null ? undefined : settlementOf(move.outboxKey), snapshot.asOf))
      .map(move => move.id)
  )
  const open = before.pending.filter(move => !contained.has(move.id)).map(move => move.quantity)
  const level = quantity.add(snapshot.quantity, quantity.sum(open))
  return { level, difference: quantity.subtract(level, before.level), contained: [...contained] }
}

/** An older snapshot that arrives late says nothing new. */
export const isStale = (asOf: string, last: string | null): boolean => last !== null && instant(asOf) < instant(last)

/** What a picker scanned against what the line asks for. */
export type PickCheck = 'ok' | 'wrong_article' | 'wrong_location'

export function checkPick(
  line: { readonly article: string; readonly barcode: string | null; readonly location: string | null },
  scanned: { readonly article: string; readonly location: string }
): PickCheck {
  if (scanned.article !== line.article && (line.barcode === null || scanned.article !== line.barcode)) return 'wrong_article'
  return line.location !== null && scanned.location !== line.location ? 'wrong_location' : 'ok'
}

/** The state of a pick list from its lines: picked when every line is full, short when what is missing was given a reason. */
export function pickListStatusOf(
  lines: readonly { readonly requested: string; readonly picked: string; readonly shortReason: string | null }[]
): Exclude<PickListStatus, 'closed'> {
  const full = (line: { requested: string; picked: string }) => quantity.compare(line.picked, line.requested) >= 0
  const open = lines.filter(line => !full(line) && line.shortReason === null)
  if (open.length > 0) return lines.some(line => !quantity.isZero(line.picked) || line.shortReason !== null) ? 'picking' : 'open'
  return lines.every(full) ? 'picked' : 'short'
}
