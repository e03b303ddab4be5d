import { createHash } from 'node:crypto'
import { Ajv } from 'ajv'
import {
  type Adapter,
  AdapterError,
  canonical,
  decideRecord,
  decodeLines,
  type ExportOutcomeBody,
  type ImportItem,
  type ImportKind,
  type InboundFile,
  type InboundRequest,
  importKinds,
  type Json,
  type KnownRecord,
  type RejectItem,
  recordFormats,
  schemaOfImport,
  snapshotMayClose
} from '../contract/index.ts'
import type { Delivery, JsonObject, KitCtx } from './erp.ts'
import type { TestClock } from './simulator.ts'

export interface Stored extends KnownRecord {
  readonly record: unknown
}

/** What one run changed. */
export interface Report {
  new: number
  changed: number
  unchanged: number
  stale: number
  closed: number
  /** What a snapshot did not name and may not close without a person. */
  held: number
  rejected: number
  acks: number
  /** Acknowledgements of keys that nobody sent. */
  unknownAcks: number
  error: AdapterError | undefined
}

export interface RunOptions {
  /** The process dies behind this many items; the run is then resumed. */
  readonly crashAfter?: number
  /** A replay keeps the arrival number of the delivery that it repeats. */
  readonly arrival?: number
  /** The delivery breaks off: its nth reading fails behind that many of its bytes (of a call: at once). */
  readonly breaksOff?: { readonly reading: number; readonly afterBytes: number }
}

/** How often the source of a delivery was opened, and how often it was closed again. */
export interface Handles {
  opened: number
  closed: number
}

export interface ImportSide {
  receive(delivery: Delivery, options?: RunOptions): Promise<Report>
  pull(kind: ImportKind, options?: RunOptions): Promise<Report>
  /** The items of a delivery as the adapter yields them. */
  itemsOf(delivery: Delivery): Promise<ImportItem[]>
  /** The same one by one, for whoever stops early. */
  reading(delivery: Delivery, options?: RunOptions): AsyncIterable<ImportItem>
  readonly handles: Handles
  checkpointOf(kind: ImportKind): Json
  itemsOfPull(kind: ImportKind, checkpoint: Json): AsyncIterable<ImportItem>
  readonly records: ReadonlyMap<ImportKind, ReadonlyMap<string, Stored>>
  readonly rejects: readonly RejectItem[]
  /** Records that the adapter yielded and that break their schema or key. */
  readonly invalid: readonly string[]
  /** Everything taken over, as one text to compare. */
  imported(): string
}

class Crash extends Error {}

const ajv = new Ajv({ strict: true, formats: recordFormats })
const validators = new Map(importKinds.map(kind => [kind, ajv.compile(schemaOfImport(kind))]))
const mostAttempts = 3

export function openImports(
  adapter: Adapter,
  ctx: KitCtx,
  clock: TestClock,
  acknowledge: (key: string, outcome: ExportOutcomeBody) => boolean
): ImportSide {
  const records = new Map<ImportKind, Map<string, Stored>>()
  const rejects: RejectItem[] = []
  const invalid: string[] = []
  const checkpoints = new Map<ImportKind, Json>()
  const handles: Handles = { opened: 0, closed: 0 }
  let arrivals = 0

  const tableOf = (kind: ImportKind): Map<string, Stored> => {
    const table = records.get(kind) ?? new Map<string, Stored>()
    records.set(kind, table)
    return table
  }

  function take(item: Extract<ImportItem, { type: 'record' }>, arrival: number, report: Report): void {
    const validate = validators.get(item.kind)
    if (!validate?.(item.record)) invalid.push(`${item.kind} ${item.key}: ${ajv.errorsText(validate?.errors ?? [])}`)
    if (item.key === '') invalid.push(`${item.kind}: an empty key`)
    const table = tableOf(item.kind)
    const known = table.get(item.key)
    const hash = canonical(item.record)
    const decision = decideRecord(known, { revision: item.revision, hash, arrival })
    report[decision]++
    if (decision === 'stale') return
    table.set(item.key, {
      record: item.record,
      revision: item.revision ?? known?.revision,
      hash,
      arrival: Math.max(arrival, known?.arrival ?? 0),
      present: true
    })
  }

  function close(kind: ImportKind, keys: Iterable<string>, arrival: number, report: Report): void {
    const table = tableOf(kind)
    for (const key of keys) {
      const known = table.get(key)
      if (!known?.present || known.arrival > arrival) continue
      table.set(key, { ...known, present: false, arrival })
      report.closed++
    }
  }

  /** Commits item by item. After a crash, what was committed is read again and skipped, as the host does with its position. */
  async function run(open: () => AsyncIterable<ImportItem>, arrival: number, options: RunOptions, kind?: ImportKind): Promise<Report> {
    const report: Report = {
      new: 0,
      changed: 0,
      unchanged: 0,
      stale: 0,
      closed: 0,
      held: 0,
      rejected: 0,
      acks: 0,
      unknownAcks: 0,
      error: undefined
    }
    let committed = 0
    let crashAfter = options.crashAfter
    for (let attempt = 1; attempt <= mostAttempts; attempt++) {
      try {
        let n = 0
        let snapshot: { kind: ImportKind; seen: Set<string>; keyless: boolean } | undefined
        for await (const item of open()) {
          n++
          if (item.type === 'snapshot') snapshot = item.phase === 'begin' ? { kind: item.kind, seen: new Set(), keyless: false } : snapshot
          if (snapshot && item.type === 'record') snapshot.seen.add(item.key)
          if (snapshot && item.type === 'reject') {
            if (item.key === undefined) snapshot.keyless = true
            else snapshot.seen.add(item.key)
          }
          // A pull that resumes begins at its checkpoint, a delivery at its start.
          if (kind === undefined && n <= committed) continue
          if (n === crashAfter) throw new Crash()
          commit(item, snapshot)
          committed = n
        }
        return report
      } catch (error) {
        if (!(error instanceof Crash)) {
          report.error = error instanceof AdapterError ? error : new AdapterError('bug', String(error), { cause: error })
          return report
        }
        crashAfter = undefined
      }
    }
    return report

    function commit(item: ImportItem, snapshot: { kind: ImportKind; seen: Set<string>; keyless: boolean } | undefined): void {
      if (item.type === 'record') take(item, arrival, report)
      else if (item.type === 'delete') close(item.kind, [item.key], arrival, report)
      else if (item.type === 'reject') {
        rejects.push(item)
        report.rejected++
      } else if (item.type === 'checkpoint') {
        if (kind !== undefined) checkpoints.set(kind, structuredClone(item.state))
      } else if (item.type === 'ack') {
        if (acknowledge(item.exportKey, item.outcome)) report.acks++
        else report.unknownAcks++
      } else if (item.phase === 'end' && snapshot && !snapshot.keyless) {
        const present = [...tableOf(item.kind)].filter(([, known]) => known.present).map(([key]) => key)
        const unseen = present.filter(key => !snapshot.seen.has(key))
        if (snapshotMayClose(unseen.length, present.length)) close(item.kind, unseen, arrival, report)
        else report.held += unseen.length
      }
    }
  }

  function open(delivery: Delivery, options: RunOptions = {}): AsyncIterable<ImportItem> {
    if (delivery.way === 'file') {
      if (!adapter.import?.file) throw new AdapterError('bug', 'the adapter takes no files')
      return adapter.import.file(inboundFile(delivery, clock, handles, options.breaksOff), ctx)
    }
    if (!adapter.import?.http) throw new AdapterError('bug', 'the adapter takes no calls')
    return adapter.import.http(inboundRequest(delivery, clock, options.breaksOff), ctx)
  }

  const openPull = (kind: ImportKind, checkpoint: Json): AsyncIterable<ImportItem> => {
    if (!adapter.import?.pull) throw new AdapterError('bug', 'the adapter fetches nothing')
    return adapter.import.pull({ kind, mode: 'delta', checkpoint: structuredClone(checkpoint) }, ctx)
  }

  return {
    records,
    rejects,
    invalid,
    handles,
    reading: open,
    checkpointOf: kind => checkpoints.get(kind) ?? null,
    receive: (delivery, options = {}) => run(() => open(delivery, options), options.arrival ?? ++arrivals, options),
    pull: (kind, options = {}) => run(() => openPull(kind, checkpoints.get(kind) ?? null), options.arrival ?? ++arrivals, options, kind),
    itemsOf: delivery => Array.fromAsync(open(delivery)),
    itemsOfPull: openPull,
    imported() {
      const kinds = [...records].map(([kind, table]) => {
        const rows = [...table].map(([key, { hash, present }]) => [key, hash, present] as const)
        return [kind, rows.sort(([a], [b]) => (a < b ? -1 : 1))] as const
      })
      return canonical(kinds.sort(([a], [b]) => (a < b ? -1 : 1)))
    }
  }
}

type BreaksOff = RunOptions['breaksOff']
const brokenOff = (): AdapterError => new AdapterError('transient', 'The delivery broke off while it was read.')

/** The records of a kind that are there, in the order of their arrival. */
export const recordsOf = (side: ImportSide, kind: ImportKind): JsonObject[] =>
  [...(side.records.get(kind)?.values() ?? [])].filter(({ present }) => present).map(({ record }) => record as JsonObject)

const sha256 = (body: Uint8Array | string): string => createHash('sha256').update(body).digest('hex')

function inboundFile(
  { name, body }: Extract<Delivery, { way: 'file' }>,
  clock: TestClock,
  handles: Handles,
  breaksOff: BreaksOff
): InboundFile {
  let readings = 0
  async function* bytes(): AsyncIterable<Uint8Array> {
    const breaks = ++readings === breaksOff?.reading
    const end = breaks ? breaksOff.afterBytes : body.length
    handles.opened++
    try {
      // Odd pieces, so that characters and line ends are cut in two.
      for (let at = 0; at < end; at += 997) yield body.subarray(at, Math.min(end, at + 997))
      if (breaks) throw brokenOff()
    } finally {
      handles.closed++
    }
  }
  return {
    name,
    size: body.length,
    sha256: sha256(body),
    receivedAt: clock.now().toISOString(),
    bytes,
    lines: encoding => decodeLines(bytes(), encoding)
  }
}

function inboundRequest({ route, body }: Extract<Delivery, { way: 'http' }>, clock: TestClock, breaksOff: BreaksOff): InboundRequest {
  let readings = 0
  const text = (): string => {
    if (++readings === breaksOff?.reading) throw brokenOff()
    return body
  }
  return {
    route,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    sha256: sha256(body),
    receivedAt: clock.now().toISOString(),
    text: async () => text(),
    async json() {
      const whole = text()
      try {
        return JSON.parse(whole) as Json
      } catch {
        throw new AdapterError('payload', 'The body is no JSON.')
      }
    }
  }
}
