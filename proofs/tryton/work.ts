import { setTimeout as sleep } from 'node:timers/promises'
import type { Crew, Person } from './crew.ts'
import { everything } from './floor.ts'
import { micro, type OrderTally, plain } from './tally.ts'

interface Job {
  readonly id: string
  readonly number: string
  readonly sequence: number
  readonly department: string
  readonly status: string
  readonly plannedQuantity: string
  readonly proposedQuantity: string
  readonly missingQuantity: string
}
interface Order {
  readonly id: string
  readonly number: string
  readonly quantity: string
  readonly operations: readonly Job[]
  readonly materials: readonly { readonly line: string; readonly article: string; readonly quantity: string; readonly consumed: string }[]
}
interface Reported {
  readonly reportId: string
  readonly job: Job
}
interface Booking {
  readonly id: string
  readonly orderNumber: string | null
  readonly operationNumber: string | null
  readonly seconds: number
  readonly reverses: string | null
}

export interface Shift {
  readonly crew: Crew
  /** A number below the given one. */
  readonly pick: (most: number) => number
  /** The day of the factory on which all this happens. */
  readonly today: () => string
}

/** Long enough that at least one whole second is booked, whatever the fractions. */
const turn = (pick: Shift['pick']): Promise<void> => sleep(2_100 + pick(900))

/**
 * Works one order from its first operation to its last as people do, and keeps the tally of what was acknowledged. Which of the variants
 * happen (a pause, a second person, scrap, a correction, material used or brought back) is drawn by `pick`.
 * @param leave its last operation is left for tomorrow
 */
export async function workOrder(shift: Shift, orderId: string, tally: OrderTally, leave: boolean): Promise<void> {
  const { crew, pick } = shift
  const order = await crew.lead.hand.get<Order>(`/api/v1/work-orders/${orderId}`)
  const jobs = order.operations
    .filter(job => job.status !== 'cancelled' && job.status !== 'completed')
    .sort((a, b) => a.sequence - b.sequence)
  for (const [index, job] of jobs.entries()) {
    const last = index === jobs.length - 1
    // Not everything is finished when the shift ends.
    if (last && jobs.length > 1 && leave) return
    const person = await crew.take(job.department)
    try {
      await workJob(shift, order, job, { first: index === 0, last }, person, tally)
    } finally {
      crew.free(person)
    }
  }
  tally.finished = true
  if (pick(4) === 0) await correctHours(shift, tally)
}

async function workJob(
  { crew, pick }: Shift,
  order: Order,
  { id, number, department }: Job,
  place: { readonly first: boolean; readonly last: boolean },
  person: Person,
  tally: OrderTally
): Promise<void> {
  const path = `/api/v1/jobs/${id}`
  const look = (): Promise<Job> => person.hand.get<Job>(path)
  let began = await person.hand.act(`${path}/start`, { activity: pick(4) === 0 ? 'setup' : 'run' })
  tally.tell(number)
  const second = pick(4) === 0 ? crew.another(department) : undefined
  const joined = second && (await second.hand.act(`${path}/start`))
  await turn(pick)
  if (!second && pick(3) === 0) {
    const paused = await person.hand.act(`${path}/pause`)
    tally.tell(number)
    tally.worked(person.number, number, began, paused)
    tally.ran(number, began, paused)
    await sleep(pick(500))
    began = await person.hand.act(`${path}/resume`)
    tally.tell(number)
    await turn(pick)
  }
  if (place.first) await useMaterial(order, path, person, tally, pick)

  // A part of it first, now and then with a piece that is no good.
  const { proposedQuantity } = await look()
  const whole = Math.floor(micro(proposedQuantity) / 1e6)
  const part = pick(2) === 0 && whole > 1 ? 1 + pick(whole - 1) : 0
  if (part > 0) {
    const scrap = pick(4) === 0 && whole > part ? 1 : 0
    const { body } = await person.hand.act<Reported>(`${path}/report`, {
      good: String(part),
      ...(scrap > 0 ? { scrap: String(scrap), scrapReason: 'MAAT' } : {})
    })
    tally.reported(number, place.last, part, scrap)
    if (pick(3) === 0) await thinkAgain(crew, pick, body.reportId, person, { number, last: place.last, good: part, scrap }, tally)
  }

  // Then what is left. Pieces that are missing have been lost.
  const rest = await look()
  const left = Math.floor(micro(rest.proposedQuantity) / 1e6)
  const spoiled = left > 1 && pick(6) === 0 ? 1 : 0
  const ended = await person.hand.act<Reported>(`${path}/complete`, {
    good: String(left - spoiled),
    ...(spoiled > 0 ? { scrap: String(spoiled), scrapReason: 'KRAS' } : {}),
    shortfall: 'lost'
  })
  if (ended.body.job.status !== 'completed') throw new Error(`operation ${number} of ${order.number} is ${ended.body.job.status}`)
  tally.reported(number, place.last, left - spoiled, spoiled)
  tally.worked(person.number, number, began, ended)
  tally.ran(number, began, ended)
  if (second && joined) {
    tally.worked(second.number, number, joined, ended)
    crew.free(second)
  }
}

/** Takes some of what the order needs, a little more of one of it, and now and then brings some back. */
async function useMaterial(order: Order, path: string, person: Person, tally: OrderTally, pick: Shift['pick']): Promise<void> {
  for (const { line, article, quantity } of order.materials) {
    const planned = micro(quantity)
    if (planned === 0 || pick(3) === 0) continue
    // Quarters, in whole thousandths: an ERP keeps fewer places than we do.
    const used = Math.max(1e6, Math.floor((planned * (1 + pick(6))) / 4 / 1e6) * 1e6)
    await person.hand.act(`${path}/consume`, { items: [{ line, quantity: plain(used) }] })
    tally.used(article, used)
    if (used > 1e6 && pick(5) === 0) {
      await person.hand.act(`${path}/return`, { items: [{ line, quantity: '1' }] })
      tally.used(article, -1e6)
    }
  }
}

/** A report taken back by who made it, or corrected by the team lead. */
async function thinkAgain(
  crew: Crew,
  pick: Shift['pick'],
  reportId: string,
  person: Person,
  was: { readonly number: string; readonly last: boolean; readonly good: number; readonly scrap: number },
  tally: OrderTally
): Promise<void> {
  if (pick(2) === 0 && (await person.hand.tryAct(`/api/v1/reports/${reportId}/undo`, 'undo_over')) !== undefined) {
    tally.takenBack(was.number, was.last, was.good, was.scrap)
    return
  }
  const good = was.good - 1
  await crew.lead.hand.act(`/api/v1/reports/${reportId}/correct`, { good: String(good), reason: 'counted again' })
  tally.takenBack(was.number, was.last, was.good, was.scrap)
  if (good > 0) tally.reported(was.number, was.last, good, 0)
}

/** The team lead takes a second off one of the bookings of the order, or all of it. */
async function correctHours({ crew, pick, today }: Shift, tally: OrderTally): Promise<void> {
  const bookings = (await everything<Booking>(crew.lead.hand, `/api/v1/hours?day=${today()}`)).filter(
    one => one.orderNumber === tally.number && one.reverses === null && one.seconds > 0
  )
  const one = bookings[pick(Math.max(1, bookings.length))]
  if (!one) return
  const seconds = pick(3) === 0 ? 0 : one.seconds - 1
  await crew.lead.hand.act(`/api/v1/hours/bookings/${one.id}/correct`, { seconds, reason: 'clock forgotten' })
}
