import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import t from 'tap'
import { type Api, signIn, until } from '../../demo/api.ts'
import { type SimulatedErp, simulatedErp } from '../../demo/erp.ts'
import { makeOrders } from '../../demo/factory.ts'
import { orderFile } from '../../demo/files.ts'
import { connectErp, demoPassword, firstAdministrator, makePeople, masterData, processed } from '../../demo/setup.ts'
import { newLogin } from '../../demo/sftp.ts'
import type { Run } from '../helpers/process.ts'
import { holdUp, installation, portOf } from '../helpers/processes.ts'

const stamp = '2026-11-23 08:00:00'
const day = () => '2026-12-24'
/** What another worker has for finding out and taking over. */
const takeoverSeconds = 60

interface Job {
  readonly id: string
  readonly status: string
  readonly proposedQuantity: string
}
interface Figures {
  /** Rows of the delivery that were applied, as it counts them itself. */
  readonly applied: string
  readonly orders: string
  readonly jobs: string
  readonly messages: string
  readonly files: string
}

t.test('processes', async t => {
  const at = await installation(t)
  const web = at.serve('web')
  const sftp = at.serve('sftp')
  const first = at.serve('worker', 'worker-1')
  const second = at.serve('worker', 'worker-2')
  const workers = new Map([
    ['worker-1', first],
    ['worker-2', second]
  ])
  const baseUrl = `http://127.0.0.1:${await portOf(web, 'http')}`
  const sftpPort = await portOf(sftp, 'sftp')
  for (const worker of workers.values()) await worker.says(/"serving"/)

  const watcher = new pg.Client({ connectionString: at.tenantUrl, application_name: 'watcher' })
  await watcher.connect()
  t.teardown(() => watcher.end())
  const one = async <T extends object>(text: string): Promise<T> => (await watcher.query<T>(text)).rows[0] ?? ({} as T)

  const heldUp = (table: string) => holdUp(watcher, table, 'worker-%')
  const figures = (file: string): Promise<Figures> =>
    one<Figures>(`select (select new_count::text from exchange.delivery where name = '${file}') as applied,
      (select count(*)::text from workorders.work_order) as orders, (select count(*)::text from workorders.job) as jobs,
      (select count(*)::text from exchange.outbox) as messages, (select count(*)::text from exchange.outbox_file where name not like 'ACK%') as files`)
  const worked = async (file: string, most: number): Promise<number> =>
    until(`${file} is worked on`, 60, async () => {
      const { position } = await one<{ position?: string }>(`select position::text from exchange.delivery where name = '${file}'`)
      return Number(position ?? 0) >= most ? Number(position) : undefined
    })

  const admin: Api = await firstAdministrator(baseUrl, 'plant', at.inviteToken)
  const login = newLogin()
  await connectErp(admin, { username: 'plant-erp', publicLine: login.publicLine })
  const erp: SimulatedErp = await simulatedErp({
    host: '127.0.0.1',
    port: sftpPort,
    hostKeyLine: at.hostKeyLine,
    username: 'plant-erp',
    privateKey: login.privateKey
  })
  t.teardown(async () => erp.close())
  await masterData(admin, erp, stamp)
  await makePeople(admin)
  const operator = await signIn(baseUrl, 'plant', 'zagen', demoPassword)
  let arrived = 0
  const collect = async (): Promise<void> => {
    arrived += await erp.collect()
  }
  async function startJobs(count: number): Promise<void> {
    const { items } = await operator.get<{ items: readonly Job[] }>('/api/v1/jobs?limit=500&status=released')
    const open = items.filter(job => job.status === 'released').slice(0, count)
    if (open.length < count) throw new Error(`only ${open.length} jobs are open`)
    for (const job of open) {
      await operator.post(`/api/v1/jobs/${job.id}/start`)
      await operator.post(`/api/v1/jobs/${job.id}/complete`, { good: job.proposedQuantity })
    }
  }
  async function allBooked(): Promise<void> {
    await until('every message is acknowledged', takeoverSeconds, async () => {
      await collect()
      const { open } = await one<{ open: string }>(`select count(*)::text as open from exchange.outbox where state <> 'accepted'`)
      return open === '0' ? true : undefined
    })
  }

  const orders = makeOrders(1, 300, day)
  const more = makeOrders(1_001, 3_500, day)
  const jobs = [...orders, ...more].reduce((n, order) => n + order.operations.length, 0)
  let survivor: Run = second
  let third: Run = second

  await t.test('processes: hundreds of orders come in by one, are worked through another, and reach the ERP once and in order', async t => {
    await erp.deliver('WO_1.csv', orderFile(orders, stamp))
    t.equal((await processed(admin, 'WO_1.csv')).state, 'done')
    await startJobs(20)
    await allBooked()
    t.strictSame([erp.ledger.doubled, erp.ledger.outOfOrder], [[], []])
  })

  await t.test('processes: work of a worker that was killed and of one that froze is taken over, each record exactly once', async t => {
    await erp.deliver('WO_2.csv', orderFile(more, stamp))
    await worked('WO_2.csv', 1_000)
    const importing = await heldUp('workorders.work_order')
    const victim = workers.get(importing.name)
    if (!victim) throw new Error(`${importing.name} is no worker`)
    victim.child.kill('SIGKILL')
    await victim.ended
    survivor = victim === first ? second : first
    await importing.letGo()
    const { position } = await one<{ position: string }>(`select position::text from exchange.delivery where name = 'WO_2.csv'`)
    t.ok(Number(position) >= 1_000 && Number(position) < 3_500, `killed in the middle, at ${position}`)

    // The other one sends feedback, alone now; it freezes in the middle of that.
    const acts = startJobs(40)
    await until('some is sent', 30, async () => {
      const { sent } = await one<{ sent: string }>(`select count(*)::text as sent from exchange.outbox where state = 'delivered'`)
      return Number(sent) > 0 ? true : undefined
    })
    const sending = await heldUp('exchange.outbox_file')
    t.equal(workers.get(sending.name), survivor, 'the one that lives sends')
    survivor.child.kill('SIGSTOP')
    await sending.letGo()
    const heard = survivor.text().length
    third = at.serve('worker', 'worker-3')
    await acts

    await until('the import is taken over', takeoverSeconds, async () => {
      const { state } = await one<{ state: string }>(`select state from exchange.delivery where name = 'WO_2.csv'`)
      return state === 'done' ? true : undefined
    })
    await allBooked()
    const before = await figures('WO_2.csv')
    t.strictSame(before, {
      applied: '3500',
      orders: '3800',
      jobs: String(jobs),
      messages: String(erp.ledger.booked.size),
      files: String(erp.ledger.booked.size)
    })
    t.equal(arrived, erp.ledger.booked.size, 'nothing arrived twice at the ERP')
    t.strictSame([erp.ledger.doubled, erp.ledger.outOfOrder], [[], []])

    survivor.child.kill('SIGCONT')
    await until('the woken one notices', 30, async () => (survivor.text().length > heard ? true : undefined))
    await sleep(1_000)
    await collect()
    t.strictSame(await figures('WO_2.csv'), before, 'the woken one commits nothing of what it had in hand')
    t.equal(arrived, erp.ledger.booked.size)
    t.equal(survivor.child.exitCode, null, 'and lives on')
  })

  await t.test('processes: feedback reaches the ERP while a long import runs, also where one worker does both', async t => {
    // Also after a failure above, where it is still frozen and would hear nothing.
    survivor.child.kill('SIGCONT')
    survivor.child.kill('SIGTERM')
    t.strictSame(await survivor.ended, { code: 0, signal: null })
    await erp.deliver('WO_3.csv', orderFile(makeOrders(10_001, 5_000, day), stamp))
    await worked('WO_3.csv', 1)
    const before = arrived
    await startJobs(1)
    await until('feedback arrives', takeoverSeconds, async () => {
      await collect()
      return arrived > before ? true : undefined
    })
    const { state } = await one<{ state: string }>(`select state from exchange.delivery where name = 'WO_3.csv'`)
    t.equal(state, 'processing', 'the import is still under way')
    t.equal((await processed(admin, 'WO_3.csv')).state, 'done')
    await allBooked()
    t.equal(arrived, erp.ledger.booked.size)
    t.strictSame([erp.ledger.doubled, erp.ledger.outOfOrder], [[], []])
  })

  await t.test('processes: each of them stops in order', async t => {
    for (const started of [third, sftp, web]) {
      started.child.kill('SIGTERM')
      t.strictSame(await started.ended, { code: 0, signal: null })
    }
  })
})
