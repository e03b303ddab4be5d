import type { Clock } from '../clock.ts'
import type { Ctx } from '../context.ts'
import { listenTo } from '../db/listen.ts'
import type { Tenants } from '../db/tenants-face.ts'
import type { DueKind } from '../db/tx.ts'
import { Refusal } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Due, DueDesk } from './due.ts'

/** One sort of tenant work. `run` does what is due now; `more` says that something is left that only time will bring. */
export interface TenantWork {
  readonly name: string
  /** The mark that makes it due; a mark goes when no work of its kind found anything. */
  readonly kind: DueKind
  /** How many tenants at once in this process. Each work has slots of its own, so a long import never delays feedback. */
  readonly slots: number
  /**
   * For work that mostly waits for a far side: what lasts longer than `slowMs` gives its slot back and goes on beside, as far as there is
   * room for as many. ERPs that do not answer then hold up nobody else.
   */
  readonly beside?: { readonly slowMs: number; readonly most: number }
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
  /** That which is queued or runs, unless it went on beside. */
  turn: Turn | undefined
  again: boolean
  /** Milliseconds of the clock before which the sweep leaves it alone. */
  notBefore: number
  emptyLooks: number
}

/** One run for one tenant. */
interface Turn {
  readonly tenantId: string
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
  counted?: (work: string, outcome: 'done' | 'failed') => void
}): Worker {
  const { desk, tenants, clock, log } = options
  const stopping = new AbortController()
  const worksOf = (kind: DueKind): readonly TenantWork[] => options.work.filter(work => work.kind === kind)
  const items = new Map<string, Item>()
  const running = new Set<Promise<void>>()
  const busy = new Map<TenantWork, number>()
  const beside = new Map<TenantWork, number>()
  const queued = new Map<TenantWork, Turn[]>()
  /** Works that looked at a mark of this generation and found nothing, with when they began to look. */
  const empty = new Map<string, { readonly generation: string; readonly looks: Map<TenantWork, Date> }>()

  const itemOf = (key: string): Item => {
    const there = items.get(key)
    if (there) return there
    const made: Item = { turn: undefined, again: false, notBefore: 0, emptyLooks: 0 }
    items.set(key, made)
    return made
  }

  function nudge(tenantId: string, kind: DueKind): void {
    if (stopping.signal.aborted) return
    for (const work of worksOf(kind)) {
      const item = itemOf(`${tenantId} ${work.name}`)
      item.emptyLooks = 0
      item.notBefore = 0
      if (item.turn) item.again = true
      else if (!work.atSweep) enqueue(tenantId, work, item)
    }
  }

  function enqueue(tenantId: string, work: TenantWork, item: Item): void {
    item.turn = { tenantId }
    const list = queued.get(work) ?? []
    list.push(item.turn)
    queued.set(work, list)
    fill(work)
  }

  const count = (of: Map<TenantWork, number>, work: TenantWork, by: number): void => void of.set(work, (of.get(work) ?? 0) + by)

  function fill(work: TenantWork): void {
    const list = queued.get(work)
    // What has begun is waited for by the stop; nothing may begin behind its back, for the databases are closed next.
    if (!list || stopping.signal.aborted) return
    while ((busy.get(work) ?? 0) < work.slots) {
      const turn = list.shift()
      if (!turn) return
      begin(turn, work)
    }
  }

  function begin(turn: Turn, work: TenantWork): void {
    let place = busy
    count(place, work, 1)
    const slow = work.beside
    const goBeside = (): void => {
      if ((beside.get(work) ?? 0) >= (slow?.most ?? 0)) return
      clearInterval(timer)
      count(place, work, -1)
      place = beside
      count(place, work, 1)
      const item = itemOf(`${turn.tenantId} ${work.name}`)
      if (item.turn === turn) {
        // Leases keep the next run from what this one holds; other connections of the tenant have their turn.
        item.turn = undefined
        if (item.again) enqueue(turn.tenantId, work, item)
      }
      fill(work)
    }
    const timer = slow && setInterval(goBeside, slow.slowMs)
    const done = one(turn, work).finally(() => {
      clearInterval(timer)
      count(place, work, -1)
      running.delete(done)
      fill(work)
    })
    running.add(done)
  }

  async function one(turn: Turn, work: TenantWork): Promise<void> {
    const { tenantId } = turn
    const item = itemOf(`${tenantId} ${work.name}`)
    const seen = seenMark(tenantId, work.kind)
    const mine = (): boolean => item.turn === turn
    try {
      do {
        if (mine()) item.again = false
        const lookedAt = clock.now()
        const ctx = await tenants.system(tenantId, `worker:${work.name}`)
        const { more } = await work.run(ctx, stopping.signal)
        item.emptyLooks++
        const since = !more && seen && mine() && !item.again && nothingLeft(seen, work, lookedAt)
        if (since) await desk.clear([seen], since)
      } while (mine() && item.again && !work.atSweep && !stopping.signal.aborted)
      options.counted?.(work.name, 'done')
    } catch (error) {
      options.counted?.(work.name, 'failed')
      item.emptyLooks++
      const level = error instanceof Refusal ? 'warn' : 'error'
      if (!stopping.signal.aborted) log[level]({ err: error, tenantId, work: work.name }, 'tenant work failed, will be tried again')
    } finally {
      if (mine()) {
        item.turn = undefined
        item.notBefore = item.again ? 0 : clock.now().getTime() + Math.min(longestPauseMs, sweepMs * 2 ** Math.min(item.emptyLooks, 4))
      }
    }
  }

  /** Since when every work that this mark makes due has found nothing; undefined as long as one of them has not looked or had something. */
  function nothingLeft(seen: Due, work: TenantWork, lookedAt: Date): Date | undefined {
    const key = `${seen.tenantId} ${seen.kind}`
    const before = empty.get(key)
    const looks = before?.generation === seen.generation ? before.looks : new Map<TenantWork, Date>()
    looks.set(work, lookedAt)
    empty.set(key, { generation: seen.generation, looks })
    if (looks.size < worksOf(seen.kind).length) return
    return new Date(Math.min(...[...looks.values()].map(at => at.getTime())))
  }

  let marks: readonly Due[] = []
  const seenMark = (tenantId: string, kind: DueKind): Due | undefined => marks.find(m => m.tenantId === tenantId && m.kind === kind)

  async function sweep(): Promise<void> {
    marks = await desk.list()
    const now = clock.now().getTime()
    const alive = new Set<string>()
    for (const mark of marks) {
      alive.add(`${mark.tenantId} ${mark.kind}`)
      for (const work of worksOf(mark.kind)) {
        const key = `${mark.tenantId} ${work.name}`
        alive.add(key)
        const item = itemOf(key)
        if (!item.turn && item.notBefore <= now) enqueue(mark.tenantId, work, item)
      }
    }
    for (const [key, item] of items) if (!item.turn && !alive.has(key)) items.delete(key)
    for (const key of empty.keys()) if (!alive.has(key)) empty.delete(key)
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
