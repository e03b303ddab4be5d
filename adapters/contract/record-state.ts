import type { Revision } from './types.ts'

/** What the host remembers of a record it took over. `arrival` is the number of the delivery that brought it. */
export interface KnownRecord {
  readonly revision: Revision | undefined
  readonly hash: string
  readonly arrival: number
  readonly present: boolean
}

export type RecordDecision = 'new' | 'changed' | 'unchanged' | 'stale'

/**
 * Whether an incoming record counts. An older revision never overwrites a newer one. Where the ERP gives none, the arrival number plays
 * its part, so that the replay of an old delivery never undoes a later one.
 */
export function decideRecord(
  known: KnownRecord | undefined,
  incoming: { revision: Revision | undefined; hash: string; arrival: number }
): RecordDecision {
  if (!known) return 'new'
  const order = compareRevisions(incoming.revision, known.revision)
  if (order === undefined ? incoming.arrival < known.arrival : order < 0) return 'stale'
  if (incoming.hash === known.hash && known.present) return 'unchanged'
  // The same revision with another body: the ERP broke its own promise; the later arrival wins.
  if (order === 0 && incoming.arrival < known.arrival) return 'stale'
  return 'changed'
}

/** Negative when a is older; undefined when they cannot be compared. */
export function compareRevisions(a: Revision | undefined, b: Revision | undefined): number | undefined {
  if (!a || !b) return undefined
  if ('seq' in a && 'seq' in b) return a.seq - b.seq
  if ('changedAt' in a && 'changedAt' in b) return Date.parse(a.changedAt) - Date.parse(b.changedAt)
  return undefined
}

/** One text for equal values, whatever the order of their keys: what the host hashes. Absent and undefined are the same. */
export function canonical(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value ?? null)
  let text = ''
  if (Array.isArray(value)) {
    for (const item of value) text += `${text === '' ? '' : ','}${canonical(item)}`
    return `[${text}]`
  }
  const fields = value as Readonly<Record<string, unknown>>
  for (const name of Object.keys(fields).sort()) {
    const inner = fields[name]
    if (inner !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${canonical(inner)}`
  }
  return `{${text}}`
}

/** A snapshot that would close more than one in this many waits for a person. */
const closeOneIn = 5

/** Whether a snapshot may close what it does not name; one that would close everything, or much, waits for a person. */
export const snapshotMayClose = (unseen: number, present: number): boolean => unseen < present && unseen * closeOneIn <= present
