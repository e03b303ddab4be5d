import { setTimeout as sleep } from 'node:timers/promises'
import { signIn, until } from '../demo/api.ts'
import { simulatedErp } from '../demo/erp.ts'
import { connectErp, demoPassword, firstAdministrator, makePeople, masterData } from '../demo/setup.ts'
import { newLogin } from '../demo/sftp.ts'
import { install } from './crash/house.ts'
import { type Acknowledged, bring, collect, work } from './crash/load.ts'

/**
 * node proofs/crash.ts [short]
 *
 * The product is killed at random moments, every fifth time its PostgreSQL with it, while an ERP brings files and collects feedback and
 * people report. Afterwards the ERP's own books are compared with what was acknowledged. See docs/operations/proofs.md.
 */
const kills = process.argv.includes('short') ? 6 : 100
const databaseEvery = 5
const say = (line: string) => void process.stdout.write(`${line}\n`)

const closers: (() => Promise<void>)[] = []
const end = async () => {
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close()
}
let lost = 0
let doubled = 0
const count = (kind: 'lost' | 'doubled', what: readonly string[], of: string): void => {
  if (kind === 'lost') lost += what.length
  else doubled += what.length
  if (what.length > 0) say(`  ${kind.toUpperCase()}: ${what.length} ${of}, such as ${what.slice(0, 3).join(', ')}`)
}

try {
  const house = await install({ teardown: fn => void closers.push(fn) })
  await house.start()
  const admin = await firstAdministrator(house.baseUrl, 'plant', house.inviteToken)
  const login = newLogin()
  await connectErp(admin, { username: 'plant-erp', publicLine: login.publicLine })
  const address = {
    host: '127.0.0.1',
    port: house.sftpPort,
    hostKeyLine: house.hostKeyLine,
    username: 'plant-erp',
    privateKey: login.privateKey
  }
  const erp = await simulatedErp(address)
  await masterData(admin, erp, '2026-11-23 08:00:00')
  await makePeople(admin)

  const acknowledged: Acknowledged = { orders: [], good: new Map() }
  const stop = new AbortController()
  const tokenOf = async (username: string): Promise<string> => {
    const answer = await fetch(`${house.baseUrl}/api/v1/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ customer: 'plant', username, password: demoPassword })
    })
    if (!answer.ok) throw new Error(`sign-in: ${answer.status}`)
    return ((await answer.json()) as { accessToken: string }).accessToken
  }
  const people = ['zagen', 'frezen', 'lassen', 'montage']
  const running = [
    bring(erp, acknowledged, stop.signal),
    ...people.map(username => work(house.baseUrl, () => tokenOf(username), acknowledged, stop.signal)),
    ...people.map(username => work(house.baseUrl, () => tokenOf(username), acknowledged, stop.signal))
  ]
  // The ERP's two sides are two programs.
  const collector = await simulatedErp(address)
  running.push(collect(collector, stop.signal))
  const broken = Promise.all(running)
  broken.catch(() => undefined)

  for (let n = 1; n <= kills; n++) {
    // From the middle of the first requests to the middle of everything.
    await Promise.race([sleep(Math.random() * 2_500), broken])
    if (n % databaseEvery === 0) {
      await house.killDatabase()
      await sleep(Math.random() * 1_000)
    }
    const killed = performance.now()
    await house.kill()
    await house.start()
    if (process.env.DEBUG_CRASH) say(`  kill ${n}, back after ${Math.round(performance.now() - killed)} ms`)
    if (n % 10 === 0)
      say(`  ${n} kills, ${acknowledged.orders.length} orders, ${[...acknowledged.good.values()].reduce((a, b) => a + b, 0)} reports`)
  }
  stop.abort()
  await broken
  say('  the load has ended')

  const office = await signIn(house.baseUrl, 'plant', 'admin', demoPassword)
  // An upload that a kill cut off was never acknowledged and stays under its temporary name; everything else must come to an end.
  interface Delivery {
    readonly name: string
    readonly state: string
  }
  const inState = async (state: string) => (await office.get<{ items: Delivery[] }>(`/api/v1/deliveries?state=${state}&limit=500`)).items
  const unfinished = async () =>
    (await Promise.all(['arriving', 'incomplete', 'stored', 'processing', 'done_with_rejects', 'rejected', 'parked', 'held'].map(inState)))
      .flat()
      .filter(({ name, state }) => !(name.endsWith('.tmp') && ['arriving', 'incomplete'].includes(state)))
  await until('every file is worked to its end', 180, async () => (await unfinished()).length === 0 || undefined).catch(async () => {
    for (const delivery of (await unfinished()).slice(0, 10)) say(`  HANGS: ${JSON.stringify(delivery)}`)
    throw new Error('there are files that are not worked to their end')
  })
  await until('every message is acknowledged', 180, async () => {
    await collector.collect()
    return (await office.get<{ items: unknown[] }>('/api/v1/outbox?state=open&limit=1')).items.length === 0 || undefined
  })

  // What is there now, and what the ERP has in its books.
  interface Order {
    readonly id: string
    readonly number: string
  }
  const there = new Map<string, number>()
  for (let after: string | null | undefined; after !== null; ) {
    const page: { items: readonly Order[]; next: string | null } = await office.get(
      `/api/v1/work-orders?sort=number&limit=500${after ? `&after=${encodeURIComponent(after)}` : ''}`
    )
    for (const { number } of page.items) there.set(number, (there.get(number) ?? 0) + 1)
    after = page.next
  }
  count(
    'lost',
    acknowledged.orders.map(({ number }) => number).filter(number => !there.has(number)),
    'work orders'
  )
  count(
    'doubled',
    [...there].filter(([, times]) => times > 1).map(([number]) => number),
    'work orders'
  )

  const booked = new Map<string, number>()
  for (const { row } of collector.ledger.booked.values()) {
    if (!row['good.value']) continue
    const place = `${row.workOrder}/${row.operation}`
    booked.set(place, (booked.get(place) ?? 0) + Number(row['good.value']))
  }
  const places = new Set([...acknowledged.good.keys(), ...booked.keys()])
  const differ = (more: (said: number, has: number) => boolean) =>
    [...places].filter(place => more(acknowledged.good.get(place) ?? 0, booked.get(place) ?? 0))
  count(
    'lost',
    differ((said, has) => has < said),
    'operations of which the ERP has fewer pieces than were reported'
  )
  count(
    'doubled',
    differ((said, has) => has > said),
    'operations of which the ERP has more pieces than were reported'
  )
  count('doubled', collector.ledger.doubled, 'messages with other content under the same key')
  count('doubled', collector.ledger.outOfOrder, 'messages out of order')
  const reports = [...acknowledged.good.values()].reduce((a, b) => a + b, 0)
  if (reports < kills || acknowledged.orders.length < kills) count('lost', ['too little happened'], 'load')

  const verified = await house.command('verify-journal')
  if (verified.code !== 0) count('lost', [verified.text], 'seals of the journal')
  const journal = verified.code === 0 ? 'verifies' : 'DOES NOT VERIFY'
  say(
    `  ${acknowledged.orders.length} orders, ${reports} reports, ${collector.ledger.booked.size} messages at the ERP; the journal ${journal}`
  )
  erp.close()
  collector.close()
  await house.stop()
} finally {
  await end()
}
say(`crash: ${kills} kills, ${lost} lost, ${doubled} doubled`)
process.exitCode = lost + doubled === 0 ? 0 : 1
process.exit()
