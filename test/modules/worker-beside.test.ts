import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { systemClock } from '../../core/clock.ts'
import { silentLog } from '../../core/log.ts'
import { startWorker } from '../../core/tasks/worker.ts'
import { until } from '../../demo/api.ts'
import { ground } from '../helpers/tenant.ts'

t.test('work that waits for a far side gives its slot back, and its own customer has the next turn too', async t => {
  const at = await ground(t)
  const [slow, other] = [await at.tenant('slow'), await at.tenant('other')]
  const runs: string[] = []
  let letGo = (): void => {}
  const held = new Promise<void>(resolve => {
    letGo = resolve
  })
  let first = true
  const worker = startWorker({
    desk: at.desk,
    controlUrl: at.url,
    tenants: at.tenants,
    clock: systemClock,
    log: silentLog,
    work: [
      {
        name: 'export',
        kind: 'export',
        slots: 1,
        beside: { slowMs: 300, most: 1 },
        async run({ tenant }) {
          runs.push(tenant.code)
          if (tenant.code === 'slow' && first) {
            first = false
            await held
          }
          return { more: false }
        }
      }
    ]
  })
  t.teardown(async () => {
    letGo()
    await worker.stop()
  })
  const nudge = (id: string) => at.desk.announce(id, new Set(['export'] as const))

  nudge(slow.tenant.id)
  await until('the slow one runs', 10, async () => runs.length === 1 || undefined)
  nudge(other.tenant.id)
  nudge(slow.tenant.id)
  await until('both had their turn', 20, async () => runs.length >= 3 || undefined)
  t.same([...runs.slice(0, 3)].sort(), ['other', 'slow', 'slow'])

  letGo()
  await sleep(100)
  nudge(slow.tenant.id)
  await until('and again', 20, async () => runs.length >= 4 || undefined)
})

t.test('a mark that makes two works due goes when neither found anything', async t => {
  const at = await ground(t)
  const ctx = await at.tenant('two')
  const left = { files: 2, pulls: 5 }
  const worker = startWorker({
    desk: at.desk,
    controlUrl: at.url,
    tenants: at.tenants,
    // An hour later a mark is old enough to go.
    clock: { ...systemClock, now: () => new Date(Date.now() + 3_600_000) },
    log: silentLog,
    work: (['files', 'pulls'] as const).map(name => ({
      name,
      kind: 'import' as const,
      slots: 1,
      run: async () => ({ more: --left[name] > 0 })
    }))
  })
  t.teardown(() => worker.stop())
  await at.desk.mark(ctx.tenant.id, new Set(['import'] as const))
  await until('both found nothing', 60, async () => (left.files <= 0 && left.pulls <= 0) || undefined)
  t.ok(left.files < 0, 'who found nothing looked again while the other had work')
})

t.test('nothing begins any more once the stop has begun, also where a slow one gives its slot back', async t => {
  const at = await ground(t)
  const customers = [await at.tenant('one'), await at.tenant('next')]
  const runs: string[] = []
  let letGo = (): void => {}
  const held = new Promise<void>(resolve => {
    letGo = resolve
  })
  const worker = startWorker({
    desk: at.desk,
    controlUrl: at.url,
    tenants: at.tenants,
    clock: systemClock,
    log: silentLog,
    work: [
      {
        name: 'export',
        kind: 'export',
        slots: 1,
        beside: { slowMs: 500, most: 1 },
        async run({ tenant }) {
          runs.push(tenant.code)
          await held
          return { more: false }
        }
      }
    ]
  })
  for (const { tenant } of customers) at.desk.announce(tenant.id, new Set(['export'] as const))
  await until('the first runs', 10, async () => runs.length === 1 || undefined)
  const stopped = worker.stop()
  // Past the time after which the slot is given back.
  await sleep(1_200)
  letGo()
  await stopped
  t.same(runs, ['one'])
})
