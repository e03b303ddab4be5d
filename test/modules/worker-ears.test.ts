import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import t from 'tap'
import { systemClock } from '../../core/clock.ts'
import { silentLog } from '../../core/log.ts'
import { startWorker } from '../../core/tasks/worker.ts'
import { ground } from '../helpers/tenant.ts'

t.test('worker: a database that goes in the middle of the LISTEN ends no process, and is asked again', async t => {
  const at = await ground(t)
  const url = new URL(at.url)
  const cut: number[] = []
  // The way to the database, which breaks at the first two tries in the moment of the question.
  const way = createServer(near => {
    const far = connect(`${url.searchParams.get('host')}/.s.PGSQL.5432`)
    for (const socket of [near, far]) socket.on('error', () => undefined)
    near.on('data', bytes => {
      if (bytes.includes('listen werkvloer_due') && cut.push(bytes.length) <= 2) near.resetAndDestroy()
      else far.write(bytes)
    })
    near.on('close', () => far.destroy())
    far.pipe(near)
  })
  way.listen(0, '127.0.0.1')
  await once(way, 'listening')
  t.teardown(() => way.close())
  const through = new URL(at.url)
  through.search = ''
  through.hostname = '127.0.0.1'
  through.port = String((way.address() as AddressInfo).port)
  const worker = startWorker({
    desk: at.desk,
    controlUrl: through.toString(),
    tenants: at.tenants,
    work: [],
    clock: systemClock,
    log: silentLog
  })
  for (let tries = 0; tries < 200 && cut.length < 3; tries++) await new Promise(resolve => setTimeout(resolve, 50))
  await worker.stop()
  t.equal(cut.length, 3)
})
