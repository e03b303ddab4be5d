import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import ssh2 from 'ssh2'
import t, { type Test } from 'tap'
import { api, signIn, until } from '../../demo/api.ts'
import { simulatedErp } from '../../demo/erp.ts'
import { makeOrders } from '../../demo/factory.ts'
import { orderFile } from '../../demo/files.ts'
import { connectErp, demoPassword, firstAdministrator, makePeople, masterData, processed } from '../../demo/setup.ts'
import { newLogin } from '../../demo/sftp.ts'
import type { Run } from '../helpers/process.ts'
import { holdUp, installation, portOf } from '../helpers/processes.ts'

const stamp = '2026-11-23 08:00:00'
const takeoverSeconds = 60

/** An upload that stands still in the middle, on a connection that nobody watches. */
function halfAnUpload(
  address: { port: number; privateKey: string },
  name: string,
  text: string
): Promise<{ goOn(): Promise<void>; end(): void }> {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client()
    client.on('error', reject)
    client.on('ready', () => {
      client.sftp((error, sftp) => {
        if (error) return reject(error)
        sftp.open(`inbox/${name}.tmp`, 'w', (failed, handle) => {
          if (failed) return reject(failed)
          const bytes = Buffer.from(text)
          const half = bytes.length >> 1
          sftp.write(handle, bytes, 0, half, 0, wrong => {
            if (wrong) return reject(wrong)
            resolve({
              goOn: () =>
                new Promise<void>(done => {
                  // Whether the server still takes it is its own affair; it must only not do so twice.
                  client.once('close', () => done())
                  sftp.write(handle, bytes, half, bytes.length - half, half, () => sftp.close(handle, () => done()))
                }),
              end: () => void client.end()
            })
          })
        })
      })
    })
    client.connect({ host: '127.0.0.1', port: address.port, username: 'plant-erp', privateKey: address.privateKey })
  })
}

t.test('processes at the doors', async t => {
  const at = await installation(t)
  const worker = at.serve('worker')
  const webs = [at.serve('web', 'web-1'), at.serve('web', 'web-2'), at.serve('web', 'web-3')] as const
  const sftps = [at.serve('sftp', 'sftp-1'), at.serve('sftp', 'sftp-2'), at.serve('sftp', 'sftp-3')] as const
  const urls = await Promise.all(webs.map(async web => `http://127.0.0.1:${await portOf(web, 'http')}`))
  const ports = await Promise.all(sftps.map(sftp => portOf(sftp, 'sftp')))
  await worker.says(/"serving"/)
  const [lastUrl = '', lastPort = 0] = [urls[2], ports[2]]

  const watcher = new pg.Client({ connectionString: at.tenantUrl, application_name: 'watcher' })
  await watcher.connect()
  t.teardown(() => watcher.end())
  const counted = async (text: string, value: string): Promise<number> =>
    Number((await watcher.query<{ n: string }>(text, [value])).rows[0]?.n)

  const admin = await firstAdministrator(lastUrl, 'plant', at.inviteToken)
  const login = newLogin()
  await connectErp(admin, { username: 'plant-erp', publicLine: login.publicLine })
  const erp = await simulatedErp({
    host: '127.0.0.1',
    port: lastPort,
    hostKeyLine: at.hostKeyLine,
    username: 'plant-erp',
    privateKey: login.privateKey
  })
  t.teardown(async () => erp.close())
  await masterData(admin, erp, stamp)
  await makePeople(admin)
  await erp.deliver(
    'WO_1.csv',
    orderFile(
      makeOrders(1, 20, () => '2026-12-24'),
      stamp
    )
  )
  t.equal((await processed(admin, 'WO_1.csv')).state, 'done')
  const { accessToken } = await api(lastUrl).post<{ accessToken: string }>('/api/v1/sign-in', {
    customer: 'plant',
    username: 'zagen',
    password: demoPassword
  })
  const operator = await signIn(lastUrl, 'plant', 'zagen', demoPassword)
  const { items: jobs } = await operator.get<{ items: readonly { id: string }[] }>('/api/v1/jobs?limit=10')

  /** One report; what has no answer within `seconds` has none. */
  const report = (baseUrl: string, job: string, key: string, seconds: number): Promise<number | undefined> =>
    fetch(`${baseUrl}/api/v1/jobs/${job}/report`, {
      method: 'POST',
      headers: { authorization: `Bearer ${accessToken}`, 'idempotency-key': key, 'content-type': 'application/json' },
      body: JSON.stringify({ good: '1', reason: 'counted' }),
      signal: AbortSignal.timeout(seconds * 1_000)
    }).then(
      answer => answer.status,
      () => undefined
    )

  async function reportIsMadeOnce(t: Test, n: 0 | 1, signal: 'SIGKILL' | 'SIGSTOP', woken: (web: Run) => Promise<void>): Promise<void> {
    const job = jobs[n]?.id ?? ''
    const key = randomUUID()
    const unanswered = report(urls[n] ?? '', job, key, 10)
    const held = await holdUp(watcher, 'workorders.report', 'web-%')
    t.equal(held.name, `web-${n + 1}`)
    webs[n].child.kill(signal)
    await held.letGo()
    t.equal(await unanswered, undefined, 'the person has no answer')
    const status = await until('another process makes the report', takeoverSeconds, async () => {
      const answer = await report(lastUrl, job, key, 20)
      return answer !== undefined && answer < 300 ? answer : undefined
    })
    t.ok(status < 300)
    await woken(webs[n])
    t.equal(await counted('select count(*)::text as n from workorders.report where job_id = $1', job), 1, 'there is one report')
    t.equal(await report(lastUrl, job, key, 20), status, 'and the same answer for whoever asks again')
  }

  await t.test('processes: a report in a web process that is killed is made once, by another under the same key', t =>
    reportIsMadeOnce(t, 0, 'SIGKILL', async web => void (await web.ended))
  )

  await t.test('processes: a report in a web process that froze is made once; woken up it commits nothing and serves on', t =>
    reportIsMadeOnce(t, 1, 'SIGSTOP', async web => {
      web.child.kill('SIGCONT')
      await until('it serves again', 30, async () =>
        (await fetch(`${urls[1]}/health/ready`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined))?.ok ? true : undefined
      )
      await sleep(1_000)
    })
  )

  async function fileIsImportedOnce(t: Test, n: 0 | 1, signal: 'SIGKILL' | 'SIGSTOP'): Promise<void> {
    const name = `WO_${n + 2}.csv`
    const orders = makeOrders(1_000 * (n + 1), 20, () => '2026-12-24')
    const text = orderFile(orders, stamp)
    const upload = await halfAnUpload({ port: ports[n] ?? 0, privateKey: login.privateKey }, name, text)
    sftps[n].child.kill(signal)
    await erp.deliver(name, text)
    await until('the file is worked to its end', takeoverSeconds, async () =>
      (await counted(`select count(*)::text as n from exchange.delivery where name = $1 and state = 'done'`, name)) === 1 ? true : undefined
    )
    if (signal === 'SIGSTOP') {
      sftps[n].child.kill('SIGCONT')
      await upload.goOn()
      await sleep(2_000)
    }
    upload.end()
    t.equal(await counted(`select count(*)::text as n from exchange.delivery where name = $1 and state = 'done'`, name), 1, 'imported once')
    const numbers = orders.filter(({ fault }) => fault === undefined).map(({ number }) => number)
    const { rows } = await watcher.query<{ n: string }>('select count(*)::text as n from workorders.work_order where number = any($1)', [
      numbers
    ])
    t.equal(Number(rows[0]?.n), numbers.length, 'each order of it is there once')
  }

  await t.test('processes: a file whose SFTP process is killed in the middle comes in through another, once', t =>
    fileIsImportedOnce(t, 0, 'SIGKILL')
  )
  await t.test('processes: a file whose SFTP process froze in the middle comes in through another, and not again when that one wakes', t =>
    fileIsImportedOnce(t, 1, 'SIGSTOP')
  )

  await t.test('processes: what was frozen stops in order', async t => {
    for (const started of [webs[1], sftps[1], webs[2], sftps[2], worker]) {
      // Also after a failure above, where it is still frozen and would hear nothing.
      started.child.kill('SIGCONT')
      started.child.kill('SIGTERM')
      t.strictSame(await started.ended, { code: 0, signal: null })
    }
  })
})
