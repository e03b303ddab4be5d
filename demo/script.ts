import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../core/clock.ts'
import type { Command } from '../core/commands/command.ts'
import { plainEnvironment } from '../core/config.ts'
import { print } from '../core/print.ts'
import { type Api, ApiRefusal, signIn, until } from './api.ts'
import { type SimulatedErp, simulatedErp } from './erp.ts'
import { departments, makeOrders } from './factory.ts'
import { orderFile } from './files.ts'
import { connectErp, demoPassword, firstAdministrator, makePeople, masterData, processed } from './setup.ts'
import { newLogin } from './sftp.ts'
import { dayFromNow, wallTime } from './time.ts'

const orderCount = 200
const ordersPerFile = 50
const everyFaulty = 10

export const demo: Command = {
  name: 'demo',
  summary: 'The main job as a script to watch: 200 orders in, worked, fed back, counted at the ERP.',
  usage: ['demo'],
  run: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'werkvloer-demo-'))
    const server = await startServer(folder)
    try {
      return await mainJob(server)
    } finally {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

interface RunningServer {
  readonly baseUrl: string
  readonly sftpPort: number
  readonly hostKeyLine: string
  readonly inviteToken: string
  stop(): Promise<void>
}

/** A server of its own, as a separate program: everything below speaks HTTP and SFTP to it. */
async function startServer(folder: string): Promise<RunningServer> {
  const [http, sftp] = await Promise.all([freePort(), freePort()])
  const main = join(import.meta.dirname, '../main.ts')
  const env = {
    ...plainEnvironment(),
    WERKVLOER_DATA: join(folder, 'data'),
    WERKVLOER_HTTP_PORT: String(http),
    WERKVLOER_SFTP_PORT: String(sftp),
    WERKVLOER_DEMO: 'off',
    WERKVLOER_LOG_LEVEL: 'warn'
  }
  const child = spawn(process.execPath, [main, 'serve'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const logged: string[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => logged.push(text))
  const baseUrl = `http://localhost:${http}`
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null) return
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGTERM')
    await ended
  }
  try {
    await until('the server is ready', 60, async () => {
      if (child.exitCode !== null) throw new Error(`the server ended with code ${child.exitCode}:\n${logged.join('')}`)
      const ready = await fetch(`${baseUrl}/health/ready`).catch(() => undefined)
      return ready?.ok ? true : undefined
    })
    return { baseUrl, sftpPort: sftp, ...customer(main, env), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Makes the customer beside the running server, with the command an operator of the service uses. */
function customer(main: string, env: Record<string, string>): { hostKeyLine: string; inviteToken: string } {
  const made = spawnSync(process.execPath, [main, 'tenant', 'create', 'demo', '--name', 'Demo factory'], { env, encoding: 'utf8' })
  const inviteToken = /welcome#(\S+)/.exec(made.stdout)?.[1]
  if (inviteToken === undefined) throw new Error(`making the customer failed: ${made.stdout}${made.stderr}`)
  const keys = spawnSync(process.execPath, [main, 'doctor'], { env, encoding: 'utf8' })
  const hostKeyLine = /ssh-ed25519 \S+/.exec(keys.stdout)?.[0]
  if (hostKeyLine === undefined) throw new Error(`the host key is not shown: ${keys.stdout}${keys.stderr}`)
  return { hostKeyLine, inviteToken }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>(resolve => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise(resolve => probe.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port is free')
  return address.port
}

interface Job {
  readonly id: string
  readonly orderNumber: string
  readonly number: string
  readonly status: string
  readonly proposedQuantity: string
}

interface Tally {
  acts: number
  completed: number
  good: number
  refused: number
}

async function mainJob(server: RunningServer): Promise<number> {
  const { baseUrl } = server
  print('The ERP connects over SFTP and sends its articles, places, people and stock.')
  const admin = await firstAdministrator(baseUrl, 'demo', server.inviteToken)
  const login = newLogin()
  await connectErp(admin, { username: 'demo-erp', publicLine: login.publicLine })
  const erp = await simulatedErp({
    host: '127.0.0.1',
    port: server.sftpPort,
    hostKeyLine: server.hostKeyLine,
    username: 'demo-erp',
    privateKey: login.privateKey
  })
  await masterData(admin, erp, wallTime(systemClock))
  await makePeople(admin)

  print(`It sends ${orderCount} work orders in ${orderCount / ordersPerFile} files, some rows wrong on purpose.`)
  let rejected = 0
  let wrong = 0
  for (let first = 1; first <= orderCount; first += ordersPerFile) {
    const name = `WO_${first}.csv`
    const orders = makeOrders(20_000 + first, ordersPerFile, day => dayFromNow(systemClock, day), everyFaulty)
    wrong += orders.filter(order => order.fault !== undefined).length
    await erp.deliver(name, orderFile(orders, wallTime(systemClock)))
    rejected += (await processed(admin, name)).counts.rejected
  }
  print(`${orderCount - rejected} orders are on the floor, ${rejected} rows wait in the error bin, each with its reason:`)
  const bin = await admin.get<{ items: readonly { message: string; count?: number }[] }>('/api/v1/rejects?limit=100')
  for (const sentence of new Set(bin.items.map(item => item.message))) print(`    ${sentence}`)

  print('People work them; the ERP collects feedback and acknowledges it meanwhile.')
  const tally: Tally = { acts: 0, completed: 0, good: 0, refused: 0 }
  let working = true
  const collecting = (async () => {
    while (working) {
      await erp.collect()
      await new Promise(resolve => setTimeout(resolve, 500))
    }
  })()
  const operators = await Promise.all(departments.map(department => signIn(baseUrl, 'demo', department.toLowerCase(), demoPassword)))
  await Promise.all(operators.map(operator => work(operator, tally)))
  working = false
  await collecting
  print(`They did ${tally.acts} acts: ${tally.completed} jobs completed with ${tally.good} good pieces, ${tally.refused} acts refused.`)
  await settle(admin, erp)
  const result = await count(admin, erp, tally)
  erp.close()
  for (const [what, figure] of result.table) print(`    ${what.padEnd(44)} ${String(figure).padStart(8)}`)
  print(
    `demo: ${orderCount} orders in, ${rejected} rejected with reasons, ${result.acknowledged} feedback records acknowledged, ${result.lost} lost, ${result.doubled} doubled`
  )
  return result.ok && rejected === wrong ? 0 : 1
}

/** One operator takes the jobs of the own department from the top of the list until none is left. */
async function work(operator: Api, tally: Tally): Promise<void> {
  for (let empty = 0; empty < 5; ) {
    const { items } = await operator.get<{ items: readonly Job[] }>('/api/v1/jobs?limit=50')
    const open = items.filter(job => job.status === 'released' || job.status === 'planned')
    if (open.length === 0) {
      empty++
      await new Promise(resolve => setTimeout(resolve, 200))
      continue
    }
    empty = 0
    for (const job of open) await workJob(operator, job, tally)
  }
}

async function workJob(operator: Api, job: Job, tally: Tally): Promise<void> {
  try {
    await operator.post(`/api/v1/jobs/${job.id}/start`)
    const running = await operator.get<Job>(`/api/v1/jobs/${job.id}`)
    const good = Number(running.proposedQuantity)
    const first = Math.floor(good / 2)
    if (first > 0) await operator.post(`/api/v1/jobs/${job.id}/report`, { good: String(first) })
    await operator.post(`/api/v1/jobs/${job.id}/complete`, {
      ...(good - first > 0 ? { good: String(good - first) } : {}),
      shortfall: 'lost'
    })
    tally.acts += first > 0 ? 3 : 2
    tally.completed++
    tally.good += good
  } catch (error) {
    if (!(error instanceof ApiRefusal)) throw error
    tally.refused++
    print(`    refused: ${error.message}`)
  }
}

interface Message {
  readonly key: string
  readonly kind: string
  readonly state: string
}

async function messages(admin: Api): Promise<readonly Message[]> {
  const all: Message[] = []
  for (let after = ''; ; ) {
    const page = await admin.get<{ items: readonly Message[]; next: string | null }>(
      `/api/v1/outbox?limit=500${after === '' ? '' : `&after=${after}`}`
    )
    all.push(...page.items)
    if (page.next === null) return all
    after = encodeURIComponent(page.next)
  }
}

/** Goes on collecting until every message is acknowledged. */
async function settle(admin: Api, erp: SimulatedErp): Promise<void> {
  await until('every feedback record is acknowledged', 120, async () => {
    await erp.collect()
    return (await messages(admin)).every(message => message.state === 'accepted') ? true : undefined
  })
}

/** Counts at the ERP's side, against what the floor did. */
async function count(admin: Api, erp: SimulatedErp, tally: Tally) {
  const sent = await messages(admin)
  const { booked, doubled, outOfOrder } = erp.ledger
  const lost = sent.filter(message => !booked.has(message.key)).length
  const surplus = [...booked.keys()].filter(key => !sent.some(message => message.key === key)).length
  const kinds = [...new Set([...booked.values()].map(feedback => feedback.kind))].sort()
  const finished = [...booked.values()].filter(f => f.kind === 'OPERATIONSTATUS' && f.row.status === 'finished').length
  const good = [...booked.values()].filter(f => f.kind === 'OPERATIONSTATUS').reduce((n, f) => n + Number(f.row['good.value'] || 0), 0)
  const table: [string, number][] = [
    ['feedback records made', sent.length],
    ...kinds.map((kind): [string, number] => [`  booked by the ERP as ${kind}`, [...booked.values()].filter(f => f.kind === kind).length]),
    ['jobs completed on the floor', tally.completed],
    ['jobs finished at the ERP', finished],
    ['good pieces on the floor', tally.good],
    ['good pieces at the ERP', good],
    ['out of order at the ERP', outOfOrder.length]
  ]
  const doubles = doubled.length + surplus
  return {
    table,
    acknowledged: sent.filter(message => message.state === 'accepted').length,
    lost,
    doubled: doubles,
    ok: lost === 0 && doubles === 0 && outOfOrder.length === 0 && finished === tally.completed && good === tally.good && tally.refused === 0
  }
}
