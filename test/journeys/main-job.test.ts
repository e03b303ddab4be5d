import t from 'tap'
import { sftpHostKeyOf } from '../../core/db/control.ts'
import { signIn } from '../../demo/api.ts'
import { simulatedErp } from '../../demo/erp.ts'
import { makeOrders } from '../../demo/factory.ts'
import { orderFile } from '../../demo/files.ts'
import { connectErp, demoPassword, firstAdministrator, makePeople, masterData, processed } from '../../demo/setup.ts'
import { newLogin } from '../../demo/sftp.ts'
import { openTestHouse } from '../helpers/house.ts'

interface Job {
  readonly id: string
  readonly orderNumber: string
  readonly department: string
  readonly status: string
  readonly proposedQuantity: string
}
interface List<T> {
  readonly items: readonly T[]
}

const day = () => '2026-12-24'
const stamp = '2026-11-23 08:00:00'

t.test('journeys', async t => {
  const at = await openTestHouse(t, { sftp: true, worker: true })
  const admin = await firstAdministrator(at.baseUrl, at.tenant.code, at.tenant.inviteToken)
  const login = newLogin()
  await connectErp(admin, { username: 'journey-erp', publicLine: login.publicLine })
  const hostKey = await sftpHostKeyOf(at.house.control)
  const erp = await simulatedErp({
    host: '127.0.0.1',
    port: at.sftp?.port ?? 0,
    hostKeyLine: hostKey.publicLine,
    username: 'journey-erp',
    privateKey: login.privateKey
  })
  t.teardown(async () => erp.close())
  await masterData(admin, erp, stamp)
  await makePeople(admin)

  await t.test('journey A: an ERP file by SFTP becomes work on the floor; wrong rows wait in the error bin with a reason', async t => {
    const orders = makeOrders(1, 8, day, 4)
    await erp.deliver('WO_1.csv', orderFile(orders, stamp))
    const delivery = await processed(admin, 'WO_1.csv')
    t.equal(delivery.state, 'done_with_rejects')
    t.equal(delivery.counts.rejected, 2)
    const { items } = await admin.get<List<{ number: string }>>('/api/v1/work-orders?limit=50')
    t.strictSame(
      items.map(order => order.number).sort(),
      orders
        .filter(order => !order.fault)
        .map(order => order.number)
        .sort()
    )
    const bin = await admin.get<List<{ message: string }>>('/api/v1/rejects?limit=10')
    t.equal(bin.items.length, 2)
    t.ok(bin.items.every(item => item.message.length > 10))
    await erp.deliver(
      'WO_1b.csv',
      orderFile(
        orders.filter(order => !order.fault),
        stamp
      )
    )
    t.equal((await processed(admin, 'WO_1b.csv')).state, 'done', 'the same orders under another name change nothing')
  })

  await t.test(
    'journeys B and C: start, report, complete reach the ERP once, in order, with hours and material, and are acknowledged',
    async t => {
      const operator = await signIn(at.baseUrl, at.tenant.code, 'zagen', demoPassword)
      const { items } = await operator.get<List<Job>>('/api/v1/jobs?limit=50')
      const job = items[0]
      if (!job) throw new Error('no job on the list')
      t.ok(
        items.every(item => item.department === 'ZAGEN'),
        'only what the group covers'
      )
      await operator.post(`/api/v1/jobs/${job.id}/start`)
      await t.rejects(operator.post(`/api/v1/jobs/${job.id}/start`), { code: 'job_already_running' }, 'a second start is told, not doubled')
      await new Promise(resolve => setTimeout(resolve, 1_100))
      await operator.post(`/api/v1/jobs/${job.id}/consume`, { items: [{ line: '1', quantity: '1' }] })
      await operator.post(`/api/v1/jobs/${job.id}/complete`, { good: job.proposedQuantity })
      const mine = () => [...erp.ledger.booked.values()].filter(feedback => feedback.row.workOrder === job.orderNumber)
      for (let tries = 0; tries < 100 && !mine().some(f => f.kind === 'LABOUR'); tries++) {
        await erp.collect()
        await new Promise(resolve => setTimeout(resolve, 100))
      }
      const kinds = mine().map(feedback => feedback.kind)
      for (const kind of ['ORDERSTATUS', 'OPERATIONSTATUS', 'MATERIALCONSUMPTION', 'LABOUR']) t.ok(kinds.includes(kind), kind)
      t.strictSame(erp.ledger.outOfOrder, [])
      t.strictSame(erp.ledger.doubled, [])
      const labour = mine().find(feedback => feedback.kind === 'LABOUR')
      t.match(labour?.row.employee, /^10\d\d$/, 'the ERP gets its own number of the employee')
      let open: readonly unknown[] = []
      for (let tries = 0; tries < 100; tries++) {
        await erp.collect()
        open = (await admin.get<List<unknown>>('/api/v1/outbox?state=open&limit=10')).items
        if (open.length === 0) break
        await new Promise(resolve => setTimeout(resolve, 100))
      }
      t.strictSame(open, [], 'everything is acknowledged')
    }
  )

  await t.test('journey F: taking somebody out of a group counts on the next request', async t => {
    const operator = await signIn(at.baseUrl, at.tenant.code, 'montage', demoPassword)
    const before = (await operator.get<List<Job>>('/api/v1/jobs?limit=50')).items
    t.ok(before.length > 0)
    const user = (await admin.get<List<{ id: string; username: string }>>('/api/v1/users?limit=50')).items.find(
      u => u.username === 'montage'
    )
    await admin.patch(`/api/v1/users/${user?.id}`, { groupIds: [] })
    t.strictSame((await operator.get<List<Job>>('/api/v1/jobs?limit=50')).items, [])
    await t.rejects(operator.get(`/api/v1/jobs/${before[0]?.id}`), { code: 'not_found' })
    await admin.patch(`/api/v1/users/${user?.id}`, { roleIds: [] })
    await t.rejects(operator.get('/api/v1/jobs?limit=50'), { code: 'forbidden' })
  })

  await t.test('journal: all of it is written and verifies', async t => {
    const { verifyJournal } = await import('../../core/journal/verify.ts')
    const report = await verifyJournal(await at.house.tenants.system(at.tenant.id, 'test'))
    t.ok(report.ok, report.problems.join())
    t.ok(report.entries > 30)
  })

  await t.test('personal data: no name of an employee stands readable in the log', async t => {
    t.notMatch(at.logged.join(''), /Medewerker [A-L]/)
  })
})
