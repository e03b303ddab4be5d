import t from 'tap'
import { silentLog } from '../../core/log.ts'
import { createShutdown } from '../../core/shutdown.ts'

t.test('the stop: closes last opened first and waits for each step', async t => {
  const shutdown = createShutdown(silentLog)
  const order: string[] = []
  for (const step of ['database', 'pools', 'web']) {
    shutdown.add(step, async () => {
      order.push(`${step} begins`)
      await new Promise(resolve => setImmediate(resolve))
      order.push(`${step} ends`)
    })
  }
  t.equal(shutdown.stopping, false)
  t.equal(await shutdown.stop('test'), 0)
  t.same(order, ['web begins', 'web ends', 'pools begins', 'pools ends', 'database begins', 'database ends'])
  t.equal(shutdown.stopping, true)
})

t.test('the stop: two signals of one Ctrl-C run it once and force nothing', async t => {
  const shutdown = createShutdown(silentLog)
  let runs = 0
  let release = () => {}
  shutdown.add('web', () => {
    runs++
    return new Promise<void>(resolve => {
      release = resolve
    })
  })
  const codes: number[] = []
  const ended = new Promise<void>(resolve => {
    shutdown.listen(code => {
      codes.push(code)
      if (codes.length === 2) resolve()
    })
  })
  process.emit('SIGINT')
  process.emit('SIGINT')
  await new Promise(resolve => setImmediate(resolve))
  t.same(codes, [], 'the second one did not cut the first short')
  release()
  await ended
  t.equal(runs, 1)
  t.same(codes, [0, 0])
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(signal)
})

t.test('the stop: a failing step does not keep the next from running, and shows in the exit code', async t => {
  const shutdown = createShutdown(silentLog)
  let closed = false
  shutdown.add('database', () => {
    closed = true
  })
  shutdown.add('web', () => {
    throw new Error('cannot close')
  })
  t.equal(await shutdown.stop('test'), 1)
  t.equal(closed, true)
})

t.test('the stop: ends at the deadline with 1 when a step hangs', async t => {
  const shutdown = createShutdown(silentLog, 0.05)
  shutdown.add('web', () => new Promise<void>(() => {}))
  t.equal(await shutdown.stop('test'), 1)
})
