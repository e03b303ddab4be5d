import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type Customer, customer } from './resources/customers.ts'
import { slowErp } from './resources/erp.ts'
import { connectionsUsed, customerLocked, databaseOf } from './resources/faults-customer.ts'
import { databaseGone } from './resources/faults-database.ts'
import { databaseFull, filesFull, foldersOf } from './resources/faults-disk.ts'
import { bookedOnce, erpHangs } from './resources/faults-erp.ts'
import { isGood } from './resources/figures.ts'
import { install, smallVolume } from './resources/house.ts'
import { light } from './resources/load.ts'
import type { Scene, Survival } from './resources/scene.ts'

/**
 * node proofs/resources.ts [short] [names of faults]
 *
 * What the product stands on is taken away piece by piece while people of several customers work: the database, the disk, the ERPs, one
 * customer's tables and connections. See docs/operations/proofs.md.
 */
const words = process.argv.slice(2)
const short = words.includes('short')
const wanted = words.filter(word => word !== 'short')
const goal = 1.5
const say = (line: string) => void process.stdout.write(`${line}\n`)

const closers: (() => Promise<void>)[] = []
const teardown = (fn: () => Promise<void>) => void closers.push(fn)
const survivals: Survival[] = []

try {
  const erp = await slowErp()
  teardown(() => erp.close())
  const house = await install({ teardown }, { WERKVLOER_ALLOW_PRIVATE_EGRESS: `127.0.0.1:${erp.port}` })
  // More ERPs that hang than one worker sends to at once.
  const codes = { filing: ['north', 'east', 'south'], calling: ['west-1', 'west-2', 'west-3', 'west-4', 'west-5'] }
  const folders = foldersOf(house.folder)
  const files = smallVolume({ teardown }, folders.files, 24)
  const database = files && smallVolume({ teardown }, folders.database, 700)
  await house.start()
  const queue = [...codes.filing.map(code => ({ code, port: undefined })), ...codes.calling.map(code => ({ code, port: erp.port }))]
  const made = new Map<string, Customer>()
  const make = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift())
      made.set(next.code, await customer(house, next.code, await house.createCustomer(next.code), next.port))
  }
  await Promise.all([make(), make(), make()])
  const [filing, calling] = [codes.filing, codes.calling].map(list => list.flatMap(code => made.get(code) ?? []))
  if (!filing || !calling) throw new Error('there are no customers')
  const [first, ...more] = filing
  if (!first) throw new Error('there is no customer')
  const load = light(house.baseUrl, [...filing.map(of => ({ of, perSecond: 3 })), ...calling.map(of => ({ of, perSecond: 1 }))])
  const scene: Scene = { house, load, filing: [first, ...more], calling, erp, short, teardown, say }
  say(`  ${filing.length + calling.length} customers at work`)
  await sleep(2_000)

  const turns = short ? { pairs: 2, seconds: 4, without: 2 } : { pairs: 5, seconds: 12, without: 12 }
  const once = short ? { pairs: 2, seconds: 3, without: 2 } : turns
  // A lock is waited for five seconds.
  const locks = short ? { pairs: 2, seconds: 6, without: 2 } : turns
  const alone = await databaseOf(scene, first.code)
  const churn = () => switchLog(house.outsideUrl('postgres'))
  const faults: Record<string, () => Promise<Survival>> = {
    frozen: () => databaseGone(scene, 'frozen', short ? 4 : 30),
    silent: () => erpHangs(scene, 'silent', turns),
    killed: () => databaseGone(scene, 'killed', short ? 2 : 30),
    locked: () => customerLocked(scene, alone, locks),
    connections: () => connectionsUsed(scene, alone, once),
    trickles: () => erpHangs(scene, 'trickles', turns),
    files: async () => (files ? filesFull(scene, files) : noVolume('volume of files full')),
    disk: async () => (database ? databaseFull(scene, database, churn) : noVolume('disk of the database full'))
  }
  const unknown = wanted.filter(name => !faults[name])
  if (unknown.length > 0) throw new Error(`no fault is called ${unknown.join(', ')}; there are: ${Object.keys(faults).join(', ')}`)
  for (const [name, make] of Object.entries(faults)) if (wanted.length === 0 || wanted.includes(name)) survivals.push(await make())

  await load.stop()
  const kept = await acknowledgedKept([...filing, ...calling])
  const booked = await bookedOnce(scene)
  for (const end of [kept, booked]) for (const sentence of end.broken) survivals.push({ fault: end.fault, broken: [sentence] })
  const failed = load.samples.filter(({ status }) => !isGood(status) && status !== 503).length
  say(`  ${load.samples.length} requests, ${failed} without a clear answer`)
  for (const one of [...filing, ...calling]) one.close()
  await house.stop()
} finally {
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close()
}

const noVolume = (fault: string): Survival => ({ fault, broken: [], notRun: 'no volume can be mounted here' })

/** What was acknowledged is there, and nothing twice. */
async function acknowledgedKept(customers: readonly Customer[]): Promise<Survival> {
  const wrong: string[] = []
  let reports = 0
  for (const { code, admin, acknowledged } of customers) {
    for (const [job, times] of acknowledged) {
      reports += times
      const { good } = await admin.get<{ good: string }>(`/api/v1/jobs/${job}`)
      if (Number(good) !== times) wrong.push(`${code}: ${times} pieces were acknowledged for a job that has ${good}`)
    }
  }
  say(`  ${reports} reports were acknowledged; ${wrong.length} jobs have other sums`)
  return { fault: 'acknowledged reports', broken: reports > 0 ? wrong.slice(0, 3) : ['nothing was acknowledged'] }
}

/** A new segment of the database's log, with something in the old one. */
async function switchLog(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 })
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query('select pg_logical_emit_message(true, $1, repeat($2, 4000000))', ['proof', 'x'])
    await client.query('select pg_switch_wal()')
  } finally {
    await client.end()
  }
}

const tried = survivals.filter(({ notRun }) => notRun === undefined)
for (const { fault, broken, ratio } of tried) {
  for (const sentence of broken) say(`  NOT SURVIVED: ${fault}: ${sentence}`)
  if (ratio !== undefined && ratio > goal) say(`  NOT SURVIVED: ${fault}: others ${ratio.toFixed(2)}×`)
}
for (const { fault, notRun } of survivals) if (notRun !== undefined) say(`  not run: ${fault}: ${notRun}`)
const ratios = tried.flatMap(({ ratio }) => ratio ?? [])
const worst = Math.max(0, ...ratios)
const survived = tried.filter(({ broken, ratio }) => broken.length === 0 && !(ratio !== undefined && ratio > goal)).length
const notRun = survivals.length > tried.length ? `, ${survivals.length - tried.length} not run` : ''
say(`resources: ${tried.length} faults, ${survived} survived${notRun}, others at most ${worst.toFixed(2)}× (goal ${goal})`)
process.exitCode = survived === tried.length && tried.length > 0 ? 0 : 1
process.exit()
