import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectErp, firstAdministrator } from '../demo/setup.ts'
import { connect, newLogin } from '../demo/sftp.ts'
import { install } from './crash/house.ts'
import { booksOf, complaintOf, type Delivery, each } from './damaged/books.ts'
import { chanceOf } from './damaged/chance.ts'
import { damage } from './damaged/damage.ts'
import { calls, files, orderCall, orderFile } from './damaged/deliveries.ts'
import { residentMb, riseOfSecondHalf, type Sample } from './damaged/memory.ts'
import { damagedXml } from './damaged/xml.ts'

/**
 * node proofs/damaged.ts [short] [seed=N] [only=N]
 *
 * Ten thousand damaged deliveries by both doors of the running product, with good ones in between. See docs/operations/proofs.md.
 */
const words = process.argv.slice(2)
const given = (name: string): number | undefined => {
  const word = words.find(one => one.startsWith(`${name}=`))
  return word === undefined ? undefined : Number(word.slice(name.length + 1))
}
const short = words.includes('short')
const only = given('only')
const total = short ? 300 : 10_000
const seed = given('seed') ?? Math.floor(Math.random() * 1_000_000)
const goodEvery = 10
const atOnce = short ? 50 : 250
/** What the collector's moods may account for; a leak of a few kilobytes per file is above it in ten thousand. */
const mostRiseMb = 60
const say = (line: string) => void process.stdout.write(`${line}\n`)

const closers: (() => Promise<void>)[] = []
const end = async () => {
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close()
}
let faults = 0
function count(what: readonly string[], of: string): void {
  faults += what.length
  if (what.length > 0) say(`  WRONG: ${what.length} ${of}, such as\n    ${what.slice(0, 5).join('\n    ')}`)
}

interface Sent {
  readonly n: number
  readonly door: 'file' | 'call'
  /** Name of the file, or route. */
  readonly name: string
  readonly good: boolean
  readonly body: Buffer
  readonly how: readonly string[]
}

/** The nth delivery of a seed, made without those before it. */
function make(n: number): Sent {
  const chance = chanceOf(seed, n)
  const door = n % 2 === 0 ? 'file' : 'call'
  const good = Math.floor(n / 2) % goodEvery === goodEvery - 1
  const kinds = door === 'file' ? files : calls
  const base = chance.pick(kinds)
  const name = door === 'file' ? `${good ? 'WO' : base.kind}_${n}.csv` : good ? 'work-orders' : base.kind
  if (good) return { n, door, name, good, how: [], body: door === 'file' ? orderFile(n) : orderCall(n) }
  return {
    n,
    door,
    name,
    good,
    ...damage(
      base.body,
      chance,
      kinds.map(({ body }) => body)
    )
  }
}
const nameOf = ({ n, door, name, how }: Sent): string => `${door} ${n} ${name} (${how.join(', ')})`

let memory = 'not measured'
try {
  say(`  seed ${seed}: node proofs/damaged.ts${short ? ' short' : ''} seed=${seed} plays it again; with only=N one delivery of it alone`)
  const house = await install({ teardown: fn => void closers.push(fn) })
  const second = await house.command('tenant', 'create', 'caller', '--name', 'Caller')
  await house.start()
  const process_ = house.running()
  const plant = await firstAdministrator(house.baseUrl, 'plant', house.inviteToken)
  const caller = await firstAdministrator(house.baseUrl, 'caller', /welcome#(\S+)/.exec(second.text)?.[1] ?? '')
  const login = newLogin()
  await connectErp(plant, { username: 'plant-erp', publicLine: login.publicLine })
  const address = {
    host: '127.0.0.1',
    port: house.sftpPort,
    hostKeyLine: house.hostKeyLine,
    username: 'plant-erp',
    privateKey: login.privateKey
  }
  const sftp = await connect(address)
  closers.push(async () => sftp.close())
  const { id } = await caller.post<{ id: string }>('/api/v1/connections', { name: 'ERP', adapter: 'werkvloer.neutral-rest', config: {} })
  const { token } = await caller.post<{ token: string }>(`/api/v1/connections/${id}/access/tokens`, { label: 'damaged' })
  await caller.post(`/api/v1/connections/${id}/activate`)
  const books = { file: booksOf(house.baseUrl, 'plant'), call: booksOf(house.baseUrl, 'caller') }

  const unanswered: string[] = []
  const refusedAtDoor: string[] = []
  /** By id for calls, by name for files. */
  const taken = new Map<string, Sent>()
  async function send(one: Sent): Promise<void> {
    try {
      if (one.door === 'file') {
        await sftp.deliver(one.name, one.body)
        taken.set(one.name, one)
        return
      }
      const answer = await fetch(`${house.baseUrl}/erp/v1/${id}/${one.name}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: one.body as never,
        signal: AbortSignal.timeout(60_000)
      })
      const body = (await answer.json()) as { delivery?: string; code?: string }
      if (answer.status >= 500) unanswered.push(`${nameOf(one)}: ${answer.status}`)
      else if (body.delivery === undefined) refusedAtDoor.push(`${nameOf(one)}: ${answer.status} ${body.code}`)
      else taken.set(body.delivery, one)
    } catch (error) {
      unanswered.push(`${nameOf(one)}: ${error}`)
    }
  }

  if (only !== undefined) {
    const one = make(only)
    const place = join(tmpdir(), `damaged-${seed}-${only}`)
    writeFileSync(place, one.body)
    say(`  ${nameOf(one)}: ${one.body.length} bytes, also in ${place}`)
    await send(one)
    await books[one.door].drained(120)
    const [delivery] = await books[one.door].deliveries()
    say(JSON.stringify(delivery ? await books[one.door].result(delivery.id) : [...unanswered, ...refusedAtDoor], null, 2))
  } else {
    const samples: Sample[] = [{ files: 0, mb: residentMb(process_.pid) }]
    const began = performance.now()
    for (let from = 0; from < total; from += atOnce) {
      const wave = Array.from({ length: Math.min(atOnce, total - from) }, (_, i) => make(from + i))
      await Promise.all([
        each(
          wave.filter(({ door }) => door === 'file'),
          send,
          4
        ),
        each(
          wave.filter(({ door }) => door === 'call'),
          send,
          4
        )
      ])
      await Promise.all([books.file.drained(300), books.call.drained(300)])
      if (house.running().ended) throw new Error(`the product ended: ${house.running().text().slice(-2_000)}`)
      samples.push({ files: from + wave.length, mb: residentMb(process_.pid) })
      if ((from / atOnce) % 4 === 3)
        say(
          `  ${from + wave.length} deliveries, ${Math.round(samples.at(-1)?.mb ?? 0)} MB, ${Math.round((performance.now() - began) / 1_000)} s`
        )
    }

    count(unanswered, 'deliveries that were answered with a 5xx or not at all')
    const all: [Delivery, 'file' | 'call'][] = []
    for (const door of ['file', 'call'] as const)
      all.push(...(await books[door].deliveries()).map((one): [Delivery, typeof door] => [one, door]))
    const states = new Map<string, number>()
    const reasons = new Map<string, number>()
    const bump = (map: Map<string, number>, name: string): void => void map.set(name, (map.get(name) ?? 0) + 1)
    const seen = new Set<Sent>()
    const complaints: string[] = []
    await each(all, async ([delivery, door]) => {
      const sent = taken.get(door === 'file' ? delivery.name : delivery.id)
      if (sent) seen.add(sent)
      bump(states, delivery.state)
      if (delivery.reason) bump(reasons, delivery.reason.code)
      const result = delivery.counts.rejected === 0 ? { delivery, rejects: [], moreRejects: false } : await books[door].result(delivery.id)
      for (const { code } of result.rejects) bump(reasons, code)
      const complaint = complaintOf(result)
      if (complaint) complaints.push(`${sent ? nameOf(sent) : delivery.name}: ${complaint}`)
    })
    count(complaints, 'deliveries whose account does not add up')
    count([...taken.values()].filter(one => !seen.has(one)).map(nameOf), 'deliveries that were taken and are not there')
    const good = { file: [] as number[], call: [] as number[] }
    for (let n = 0; n < total; n++) if (make(n).good) good[make(n).door].push(n)
    for (const door of ['file', 'call'] as const)
      count(await books[door].missing(good[door]), 'orders of good deliveries that are not there as they were sent')

    const log = process_
      .text()
      .split('\n')
      .filter(line => /"level":(?:50|60)\b|Uncaught|Unhandled|heap out of memory/.test(line))
    count(
      log.map(line => line.slice(0, 400)),
      'lines of the log that tell of an error'
    )
    if (house.running().pid !== process_.pid || house.running().ended) count(['the product'], 'processes that ended')
    const verified = await house.command('verify-journal')
    if (verified.code !== 0) count([verified.text], 'seals of the journal')

    const xml = await damagedXml(seed, total)
    count(xml.faults, 'documents on which the reader of XML failed')

    const told = (map: ReadonlyMap<string, number>): string =>
      [...map]
        .sort((a, b) => b[1] - a[1])
        .map(([name, times]) => `${times} ${name}`)
        .join(', ')
    const records = all.reduce((sum, [{ counts }]) => sum + counts.read, 0)
    const refused = all.reduce((sum, [{ counts }]) => sum + counts.rejected, 0)
    say(`  deliveries: ${told(states)}; at the door ${refusedAtDoor.length} refused`)
    say(`  records: ${records} read, ${refused} refused, each with a reason: ${told(reasons)}`)
    say(`  good: ${good.file.length + good.call.length} deliveries with ${2 * (good.file.length + good.call.length)} orders`)
    say(`  XML: ${xml.read} documents read, ${xml.refused} refused with a reason`)
    const rise = riseOfSecondHalf(samples)
    const quarters = [0, 0.25, 0.5, 0.75, 1].map(part => samples[Math.round(part * (samples.length - 1))]?.mb ?? 0)
    memory = `${quarters.map(mb => Math.round(mb)).join(', ')} MB at each quarter, ${rise.toFixed(0)} MB up over the second half`
    if (rise > mostRiseMb) count([memory], `rise of memory above ${mostRiseMb} MB`)
  }
  sftp.close()
  await house.stop()
} finally {
  await end()
}
if (only === undefined)
  say(`damaged: ${total} files, ${faults === 0 ? '0 crashes, memory flat' : `${faults} FAULTS`} (${memory}; seed ${seed})`)
process.exitCode = faults === 0 ? 0 : 1
process.exit()
