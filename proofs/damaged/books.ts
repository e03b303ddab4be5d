import { signIn, until } from '../../demo/api.ts'
import { demoPassword } from '../../demo/setup.ts'
import { orderNumbers } from './deliveries.ts'

export interface Delivery {
  readonly id: string
  readonly name: string
  readonly state: string
  readonly reason: { readonly code: string; readonly detail: string } | null
  readonly counts: Readonly<
    Record<'read' | 'new' | 'changed' | 'unchanged' | 'stale' | 'closed' | 'rejected' | 'held' | 'duplicate' | 'acks', number>
  >
}
interface Reject {
  readonly code: string
  readonly message: string
}
export interface Result {
  readonly delivery: Delivery
  readonly rejects: readonly Reject[]
  readonly moreRejects: boolean
}
interface Page<T> {
  readonly items: readonly T[]
  readonly next?: string | null
}

/** What the product tells the people of one customer. */
export interface Books {
  /** Waits until nothing is on its way. */
  drained(seconds: number): Promise<void>
  deliveries(): Promise<readonly Delivery[]>
  result(id: string): Promise<Result>
  /** Numbers of orders that should be there whole and are not. */
  missing(files: readonly number[]): Promise<readonly string[]>
}

/** Does the work for each of a list, eight at a time. */
export async function each<T>(list: readonly T[], work: (one: T) => Promise<void>, atOnce = 8): Promise<void> {
  const left = [...list]
  const worker = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

/** States in which a delivery still has to be worked on, or is not whole. */
const underWay = ['arriving', 'incomplete', 'stored', 'processing']

export function booksOf(baseUrl: string, customer: string): Books {
  let office: { readonly api: Awaited<ReturnType<typeof signIn>>; readonly since: number } | undefined
  /** Signs in anew before a token can run out. */
  async function get<T>(path: string): Promise<T> {
    if (!office || performance.now() - office.since > 240_000)
      office = { api: await signIn(baseUrl, customer, 'admin', demoPassword), since: performance.now() }
    return office.api.get<T>(path)
  }
  async function all<T>(path: string): Promise<readonly T[]> {
    const found: T[] = []
    for (let after: string | null | undefined = ''; after !== null && after !== undefined; ) {
      const page: Page<T> = await get(
        `${path}${path.includes('?') ? '&' : '?'}limit=500${after === '' ? '' : `&after=${encodeURIComponent(after)}`}`
      )
      found.push(...page.items)
      after = page.next
    }
    return found
  }
  return {
    drained: seconds =>
      until(`nothing of ${customer} is on its way`, seconds, async () => {
        for (const state of underWay)
          if ((await get<Page<Delivery>>(`/api/v1/deliveries?state=${state}&limit=1`)).items.length > 0) return undefined
        return true
      }).then(() => undefined),
    deliveries: () => all<Delivery>('/api/v1/deliveries'),
    result: id => get<Result>(`/api/v1/deliveries/${id}`),
    async missing(files) {
      const listed = new Map(
        (await all<{ id: string; number: string }>('/api/v1/work-orders?search=GOOD-')).map(({ id, number }) => [number, id])
      )
      const missing: string[] = []
      await each(files.flatMap(orderNumbers), async number => {
        const id = listed.get(number)
        const order =
          id && (await get<{ status: string; quantity: string; operations: unknown[]; materials: unknown[] }>(`/api/v1/work-orders/${id}`))
        const whole =
          order && order.status === 'released' && order.quantity === '7' && order.operations.length === 2 && order.materials.length === 1
        if (!whole) missing.push(number)
      })
      return missing
    }
  }
}

/**
 * What is wrong with the account of a delivery: every record that was read became something, and what was refused has a reason.
 * `undefined` when it adds up.
 */
export function complaintOf({ delivery, rejects, moreRejects }: Result): string | undefined {
  const { read, closed, rejected, ...became } = delivery.counts
  const { new: fresh, changed, unchanged, stale, held, duplicate, acks } = became
  const known = fresh + changed + unchanged + stale + held + duplicate + acks + rejected
  if (['rejected', 'parked'].includes(delivery.state)) {
    if (!delivery.reason || delivery.reason.code === '' || delivery.reason.detail === '') return 'it was refused without a reason'
    if (delivery.state === 'parked') return `it is parked: ${delivery.reason.detail}`
  }
  // A full list closes what it does not name, beside the records that it has; a deletion is a record that closes one.
  if (known > read || known + closed < read) return `${read} records were read, and what became of them are ${known} and ${closed} closed`
  if (rejects.length !== rejected && !moreRejects) return `${rejected} records were refused, and ${rejects.length} have an entry`
  const without = rejects.find(({ code, message }) => code === '' || message === '')
  if (without) return 'a record was refused without a reason'
  const unforeseen = rejects.find(({ code }) => code === 'record_failed')
  return unforeseen && `a record failed for a reason that nobody foresaw: ${unforeseen.message}`
}
