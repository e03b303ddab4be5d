import { repeatable } from '../demo/factory.ts'
import { firstAdministrator } from '../demo/setup.ts'
import { install } from './crash/house.ts'
import { type Booked, readBooks, returnsThere } from './tryton/books.ts'
import { killNow } from './tryton/chaos.ts'
import { compare } from './tryton/compare.ts'
import { connectTryton, pullAll } from './tryton/connection.ts'
import { hireCrew } from './tryton/crew.ts'
import { drain } from './tryton/drain.ts'
import { everything, hand, type Reader } from './tryton/floor.ts'
import { compareImports, type Order, ordersHere } from './tryton/imported.ts'
import { type Booking, judge as judgeOrder, judging, placeOf, type Verdict } from './tryton/judge.ts'
import { type Lab, labFolder, startLab } from './tryton/lab.ts'
import { openLine } from './tryton/line.ts'
import { planOrders } from './tryton/planner.ts'
import { connect, type Rpc } from './tryton/rpc.ts'
import { keepStore, movedThere, newestMove } from './tryton/store.ts'
import { newTally, type OrderTally, plain } from './tryton/tally.ts'
import { type Shift, workOrder } from './tryton/work.ts'

/**
 * node proofs/tryton.ts [short]
 *
 * The product against a real Tryton server: everything is fetched and compared, people work orders while our processes and our database
 * are killed, and afterwards what the ERP has booked is compared with what they did. See docs/operations/proofs.md.
 */
const size = process.argv.includes('short')
  ? { orders: 6, planned: 2, kills: 3, seconds: 600, hurry: true }
  : { orders: 40, planned: 12, kills: 15, seconds: 3_600, hurry: false }
const customer = 'plant'
const pullSeconds = 30
const atOnce = 6
const say = (line: string) => void process.stdout.write(`${line}\n`)

const closers: (() => Promise<void>)[] = []
const t = { teardown: (fn: () => Promise<void>) => void closers.push(fn) }

/** @returns the last line, and whether all is equal */
async function prove(lab: Lab): Promise<{ readonly line: string; readonly holds: boolean }> {
  const erp = await connect(lab, 'admin')
  await planOrders(await connect(lab, 'planner'), lab.companyId, size.planned)
  const line = await openLine(lab.url)
  t.teardown(() => line.close())
  const house = await install(t, { WERKVLOER_ALLOW_PRIVATE_EGRESS: new URL(line.url).host })
  await house.start()
  const first = await firstAdministrator(house.baseUrl, customer, house.inviteToken)
  const admin = hand(house.baseUrl, customer, 'admin')
  const connection = await connectTryton(first, { ...lab, url: line.url })
  const kinds = await pullAll(admin, first.put, connection, pullSeconds)
  const newest = await newestMove(erp)
  const imports = await compareImports(admin, erp, newest, say)
  say(`  ${kinds.join(', ')} fetched: ${imports.compared} facts compared, ${imports.differ} differ`)

  const chosen = await choose(await ordersHere(admin), erp)
  const departments = [...new Set(chosen.flatMap(order => order.operations.map(one => one.department)))].sort()
  const crew = await hireCrew(first, house.baseUrl, customer, departments)
  const numbers = chosen.map(order => order.number)
  const before = await readBooks(erp, numbers)

  const pick = repeatable(lab.companyId + size.orders)
  const day = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Amsterdam', dateStyle: 'short' })
  const shift: Shift = { crew, pick, today: () => day.format(new Date()) }
  const tallies = chosen.map(order => newTally(order.number))
  const over = new AbortController()
  const killing = killNow(house, line, size.kills, over.signal, say)
  const queue = chosen.map((order, index) => ({ id: order.id, tally: tallies[index] ?? newTally(order.number), leave: index % 9 === 4 }))
  const lines = Array.from({ length: atOnce }, async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await workOrder(shift, next.id, next.tally, next.leave)
  })
  const storing = keepStore(crew.store, size.orders, pick)
  // A fault of either ends the other.
  await Promise.race([Promise.all([...lines, storing]), killing.then(() => new Promise(() => undefined))])
  const moved = await storing
  over.abort()
  const kills = await killing
  say(`  ${tallies.length} orders worked, ${kills} kills, ${line.broken()} calls cut off`)

  let differ = imports.differ
  const left = await drain(admin, size, say)
  for (const message of left.slice(0, 10)) say(`  HANGS: ${JSON.stringify(message)}`)
  differ += left.length
  const messages = await everything<{ key: string }>(admin, `/api/v1/outbox?connectionId=${connection}`)
  const verdict = judgeAll(
    tallies,
    before,
    await readBooks(erp, numbers),
    await bookingsHere(admin, shift.today()),
    await returnsThere(erp, newest)
  )
  differ += verdict.lost + verdict.doubled + verdict.other
  say(
    `  ${verdict.compared} figures of the ERP compared: ${verdict.lost} lost, ${verdict.doubled} doubled, ${verdict.other} otherwise wrong`
  )

  differ += compare('moves in the store', moved, await movedThere(erp, newest), say)

  // What the ERP has now comes back, once; after that it says nothing new.
  await pullAll(admin, first.put, connection, 3_600)
  const again = await compareImports(admin, erp, newest, say)
  const heldNow = await everythingHere(admin)
  await pullAll(admin, first.put, connection, 3_600)
  const changed = heldNow === (await everythingHere(admin)) ? 0 : 1
  if (changed > 0) say('  DIFFERS: a second fetch changed what is here')
  const rejects = await everything<unknown>(admin, '/api/v1/rejects?state=open')
  for (const reject of rejects.slice(0, 5)) say(`  REFUSED: ${JSON.stringify(reject)}`)
  const verified = await house.command('verify-journal')
  if (verified.code !== 0) say(`  the journal does not verify: ${verified.text}`)
  differ += again.differ + changed + rejects.length + (verified.code === 0 ? 0 : 1)
  say(
    `  fetched again: ${again.compared} facts compared, ${again.differ} differ; the journal ${verified.code === 0 ? 'verifies' : 'DOES NOT VERIFY'}`
  )
  await house.stop()

  const equal = differ === 0 ? 'equal in the ERP' : `${differ} DIFFER in the ERP`
  return {
    line: `tryton: ${tallies.length} orders, ${messages.length} feedback records, ${equal}, ${verdict.doubled} doubled`,
    holds: differ === 0
  }
}

/** Orders that can be worked, turn by turn of those that run in the ERP and those that are assigned; none whose product needs a lot. */
async function choose(orders: readonly Order[], erp: Rpc): Promise<Order[]> {
  const productions = await erp.rows(
    'production',
    [['state', 'in', ['running', 'assigned']]],
    ['number', 'state', 'product.template.lot_required']
  )
  const workable = productions.filter(row => !((row['product.template.lot_required'] ?? []) as readonly unknown[]).length)
  const ready = new Map(orders.filter(order => order.status === 'released').map(order => [order.number, order]))
  const of = (state: string): Order[] => workable.filter(row => row.state === state).flatMap(row => ready.get(String(row.number)) ?? [])
  const [running, assigned] = [of('running'), of('assigned').reverse()]
  const chosen: Order[] = []
  while (chosen.length < size.orders) {
    const [one, other] = [running.shift(), assigned.shift()]
    if (!one && !other) throw new Error(`only ${chosen.length} orders can be worked, ${size.orders} are wanted`)
    for (const order of [one, other]) if (order && chosen.length < size.orders) chosen.push(order)
  }
  return chosen
}

/** Bookings of time by "order: operation by employee's number". */
async function bookingsHere(admin: Reader, day: string): Promise<Map<string, Map<string, Booking[]>>> {
  const people = await everything<{ id: string; number: string | null }>(admin, '/api/v1/employees')
  const numberOf = new Map(people.map(one => [one.id, one.number ?? '']))
  const orders = new Map<string, Map<string, Booking[]>>()
  for (const booking of await everything<Booking>(admin, `/api/v1/hours?day=${day}`)) {
    const places = orders.get(booking.orderNumber ?? '') ?? new Map<string, Booking[]>()
    orders.set(booking.orderNumber ?? '', places)
    const place = placeOf({ operation: booking.operationNumber ?? '', employee: numberOf.get(booking.employeeId) ?? '' })
    places.set(place, [...(places.get(place) ?? []), booking])
  }
  return orders
}

function judgeAll(
  tallies: readonly OrderTally[],
  before: ReadonlyMap<string, Booked>,
  after: ReadonlyMap<string, Booked>,
  bookings: ReadonlyMap<string, ReadonlyMap<string, readonly Booking[]>>,
  returned: ReadonlyMap<string, readonly number[]>
): Verdict {
  const judge = judging(say)
  const returns = new Map<string, number[]>()
  for (const tally of tallies) {
    const [was, is] = [before.get(tally.number), after.get(tally.number)]
    if (!was || !is) throw new Error(`the ERP has no production ${tally.number} any more`)
    judgeOrder(judge, tally, { before: was, after: is, bookings: bookings.get(tally.number) ?? new Map() })
    returns.set(is.article, [...(returns.get(is.article) ?? []), ...tally.returns.map(pieces => pieces * 1e6)])
  }
  for (const article of new Set([...returns.keys(), ...returned.keys()]))
    judge.list(`${article} taken back`, returned.get(article) ?? [], returns.get(article) ?? [], plain)
  return judge.verdict
}

/** All that we hold of the ERP's, as one text. */
async function everythingHere(admin: Reader): Promise<string> {
  const lists = ['/api/v1/articles', '/api/v1/locations', '/api/v1/employees', '/api/v1/stock', '/api/v1/rejects']
  const held = await Promise.all(lists.map(path => everything<object>(admin, path)))
  // When a figure was read is new each time; what it says is not.
  return JSON.stringify([await ordersHere(admin), held], (name, value: unknown) => (name === 'asOf' ? undefined : value))
}

async function main(): Promise<number> {
  const where = labFolder()
  if ('wrong' in where) throw new Error(where.wrong)
  const lab = 'none' in where ? { failed: where.none } : await startLab(where.folder)
  if ('failed' in lab) {
    say(`tryton: not run: ${lab.failed}`)
    return 0
  }
  try {
    const { line, holds } = await prove(lab)
    say(line)
    return holds ? 0 : 1
  } finally {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close()
  }
}

process.exitCode = await main().catch((error: unknown) => {
  say(`  ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  say('tryton: came to no end')
  return 1
})
process.exit()
