import { begin, personOf, type Started, type Unit } from './attempts.ts'
import type { ExportRun } from './export-run.ts'
import type { Stored } from './outbox-store.ts'
import { outcomeQueue } from './outcome-queue.ts'
import { batchesById } from './seal.ts'
import { send } from './send.ts'

const defaultConcurrency = 4
const mostUnderWay = 500
/** Work of about this long is marked as under way ahead: a fast adapter shares its transactions, a slow one leaves little open in a crash. */
const aheadSeconds = 0.25

/** How many messages went lately, to know how many to mark ahead. */
export interface Pace {
  perSecond: number
}

/**
 * Sends what may go next of several ordering keys, several batches at once. Attempts and outcomes of all of them share their transactions.
 * @returns whether looking for more makes sense: something was found to send, and the ERP takes it
 */
export async function sendRound(run: ExportRun, groups: readonly (readonly Stored[])[], pace: Pace): Promise<boolean> {
  const { runtime, lease, stop } = run
  const concurrency = runtime.manifest.limits?.concurrency ?? defaultConcurrency
  const units = await unitsOf(run, groups)
  const refs = await namesOf(run, units)
  const outcomes = outcomeQueue(run)
  const ready: Started[] = []
  let found = false
  let ended = false
  let misses = 0
  let starting: Promise<void> | undefined
  let failure: { readonly error: unknown } | undefined
  const over = (): boolean => ended || outcomes.failed || lease.signal.aborted || stop.aborted

  /** Of what is begun while others are under way nobody waits for the end. */
  const fail = (error: unknown): void => {
    failure ??= { error }
    ended = true
  }

  async function startMore(): Promise<void> {
    const taken: Unit[] = []
    for (let messages = 0; units.length > 0 && (taken.length < concurrency || messages < ahead(run, pace)); ) {
      const unit = units.shift()
      if (!unit) break
      taken.push(unit)
      messages += unit.rows.length
    }
    const result = await begin(run, taken, refs)
    ready.push(...result.started)
    if (result.started.length > 0 || result.refused) found = true
  }
  function startOnce(): Promise<void> {
    starting ??= startMore().finally(() => {
      starting = undefined
    })
    return starting
  }
  async function next(): Promise<Started | undefined> {
    while (!over()) {
      const one = ready.shift()
      if (one) {
        if (ready.length < concurrency && units.length > 0 && ahead(run, pace) > 0) startOnce().catch(fail)
        return one
      }
      if (units.length === 0 && starting === undefined) return undefined
      await startOnce()
    }
    return undefined
  }
  async function worker(): Promise<void> {
    try {
      for (let one = await next(); one; one = await next()) {
        const began = performance.now()
        const result = await send(run, one, outcomes)
        pace.perSecond = (pace.perSecond + (concurrency * one.rows.length * 1000) / Math.max(0.1, performance.now() - began)) / 2
        misses = result === 'went' ? 0 : misses + 1
        // One order that the ERP has locked keeps no other from it; an ERP that takes nothing of several is not there.
        if (result === 'broken' || misses > concurrency) ended = true
      }
    } catch (error) {
      ended = true
      throw error
    }
  }

  // All of them end before the lease does, also when one fails.
  const workers = await Promise.allSettled(Array.from({ length: concurrency }, worker))
  await starting?.catch(fail)
  const reason = 'Its turn had not come when the sending ended.'
  for (const { rows } of ready)
    for (const row of rows) outcomes.push({ row, event: { type: 'outcome', outcome: { status: 'not-sent', reason } }, detail: reason })
  await outcomes.settled()
  for (const result of workers) if (result.status === 'rejected') throw result.reason
  if (failure !== undefined) throw failure.error
  return found && !over()
}

/** Where nobody can find out whether a message arrived, nothing is marked before its turn: after a crash each would wait for a person. */
const ahead = ({ runtime }: ExportRun, pace: Pace): number =>
  Object.values(runtime.manifest.exports).some(capability => capability.idempotency === 'none')
    ? 0
    : Math.min(mostUnderWay, pace.perSecond * aheadSeconds)

async function unitsOf({ ctx }: ExportRun, groups: readonly (readonly Stored[])[]): Promise<Unit[]> {
  const sealed = await batchesById(
    ctx,
    groups.flatMap(([head]) => head?.batch_id ?? [])
  )
  return groups.flatMap((rows): Unit[] => {
    const id = rows[0]?.batch_id ?? null
    const batch = id === null ? undefined : sealed.get(id)
    return id === null || batch ? [{ rows, batch }] : []
  })
}

/** What the ERP calls the people of new batches; sealed ones carry it already. */
async function namesOf({ ctx, deps }: ExportRun, units: readonly Unit[]): Promise<ReadonlyMap<string, string>> {
  const people = new Set(units.flatMap(({ rows, batch }) => (batch ? [] : rows.flatMap(row => personOf(row) ?? []))))
  return people.size === 0 ? new Map() : deps.employeeRefs(ctx, [...people])
}
