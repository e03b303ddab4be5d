import type { Clock } from '../clock.ts'
import type { Ctx } from '../context.ts'
import { listenTo } from '../db/listen.ts'
import type { Tenants } from '../db/tenants-face.ts'
import type { DueKind } from '../db/tx.ts'
import { Refusal } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Due, DueDesk } from './due.ts'

/** One kind of tenant work. `run` does what is due now; `more` says that something is left that only time will bring. */
export interface TenantWork {
  readonly kind: DueKind
  /** How many tenants at once in this process. Kinds have slots of their own, so a long import never delays feedback. */
  readonly slots: number
  readonly run: (ctx: Ctx, signal: AbortSignal) => Promise<{ readonly more: boolean }>
  /** Is done by the sweep, once a second at most, however often it becomes due: much at once costs little more than one. */
  readonly atSweep?: boolean
}

export interface Worker {
  /** Stops taking work, waits for what runs (its signal is aborted) and returns. */
  stop(): Promise<void>
  /** Resolves when nothing runs and nothing is marked; for tests and the demo. */
  idle(): Promise<void>
}

interface Item {
  running: boolean
  again: boolean
  /** Milliseconds of the clock before which the sweep leaves it alone. */
  notBefore: number
  emptyLooks: number
}

const sweepMs = 1_000
const longestPauseMs = 15_000

/**
 * Drives the work of all tenants: at once when a commit in this or another process announces it, otherwise by a sweep over
 * control's marks. Several processes run it side by side; leases keep them out of each other's way.
 */
export function startWorker(options: {
  desk: DueDesk
  controlUrl: string
  tenants: Tenants
  work: readonly TenantWork[]
  clock: Clock
  log: Log
  counted?: (kind: DueKind, outcome: 'done' | 'failed') => void
}): Worker {
  const { desk, tenants, clock, log } = options
  const stopping = new AbortController()
  const works = new Map(options.work.map(w => [w.kind, w]))
  const items = new Map<string, Item>()
  const running = new Set<Promise<void>>()
  const busy = new Map<DueKind, number>()
  const queued = new Map<DueKind, string[]>()

  const itemOf = (key: string): Item => {
    const there = items.get(key)
    if (there) return there
    const made: Item = { running: false, again: false, notBefore: 0, emptyLooks: 0 }
    items.set(key, made)
    return made
  }

  function nudge(tenantId: string, kind: DueKind): void {
    const work = works.get(kind)
    if (stopping.signal.aborted || !work) return
    const key = `${tenantId} ${kind}`
    const item = itemOf(key)
    item.emptyLooks = 0
    item.notBefore = 0
    if (item.running) item.again = true
    else if (!work.atSweep) enqueue(tenantId, kind, item)
  }

  function enqueue(tenantId: string, kind: DueKind, item: Item): void {
    item.running = true
    const list = queued.get(kind) ?? []
    list.push(tenantId)
    queued.set(kind, list)
    fill(kind)
  }

  function fill(kind: DueKind): void {
    const work = works.get(kind)
    const list = queued.get(kind)
    if (!work || !list) return
    while ((busy.get(kind) ?? 0) < work.slots) {
      const tenantId = list.shift()
      if (tenantId === undefined) return
      busy.set(kind, (busy.get(kind) ?? 0) + 1)
      const done = one(tenantId, work).finally(() => {
        busy.set(kind, (busy.get(kind) ?? 1) - 1)
        running.delete(done)
        if (!stopping.signal.aborted) fill(kind)
      })
      running.add(done)
    }
  }

  async function one(tenantId: string, work: TenantWork): Promise<void> {
    const item = itemOf(`${tenantId} ${work.kind}`)
    const seen = await seenMark(tenantId, work.kind)
    try {
      do {
        item.again = false
        const lookedAt = clock.now()
        const ctx = await tenants.system(tenantId, `worker:${work.kind}`)
        const { more } = await work.run(ctx, stopping.signal)
        item.emptyLooks++
        if (!more && seen && !item.again) await desk.clear([seen], lookedAt)
      } while (item.again && !work.atSweep && !stopping.signal.aborted)
      options.counted?.(work.kind, 'done')
    } catch (error) {
      options.counted?.(work.kind, 'failed')
      item.emptyLooks++
      const level = error instanceof Refusal ? 'warn' : 'error'
      if (!stopping.signal.aborted) log[level]({ err: error, tenantId, kind: work.kind }, 'tenant work failed, will be tried again')
    } finally {
      item.running = false
      item.notBefore = item.again ? 0 : clock.now().getTime() + Math.min(longestPauseMs, sweepMs * 2 ** Math.min(item.emptyLooks, 4))
    }
  }

  let marks: readonly Due[] = []
  const seenMark = async (tenantId: string, kind: DueKind): Promise<Due | undefined> =>
    marks.find(m => m.tenantId === tenantId && m.kind === kind)

  async function sweep(): Promise<void> {
    marks = await desk.list()
    const now = clock.now().getTime()
    const alive = new Set<string>()
    for (const mark of marks) {
      const key = `${mark.tenantId} ${mark.kind}`
      alive.add(key)
      if (!works.has(mark.kind)) continue
      const item = itemOf(key)
      if (!item.running && item.notBefore <= now) enqueue(mark.tenantId, mark.kind, item)
    }
    for (const [key, item] of items) if (!item.running && !alive.has(key)) items.delete(key)
  }

  const off = desk.onAnnounce(nudge)
  const timer = setInterval(() => {
    if (sweeping) return
    sweeping = true
    sweep()
      .catch(error => {
        if (!stopping.signal.aborted) log.warn({ err: error }, 'looking for due work failed, will be tried again')
      })
      .finally(() => {
        sweeping = false
      })
  }, sweepMs)
  let sweeping = false
  // What is missed while the connection is away is found by the sweep.
  const ears = listenTo({
    url: options.controlUrl,
    channel: 'werkvloer_due',
    heard: ([tenantId, ...kinds]) => {
      if (tenantId !== undefined) for (const kind of kinds) nudge(tenantId, kind as DueKind)
    },
    log,
    signal: stopping.signal
  })

  return {
    async stop() {
      off()
      clearInterval(timer)
      stopping.abort()
      await Promise.allSettled([...running, ears])
    },
    async idle() {
      for (;;) {
        await Promise.allSettled([...running])
        await sweep()
        if (running.size === 0 && [...queued.values()].every(list => list.length === 0)) return
      }
    }
  }
}
