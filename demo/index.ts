import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, systemClock } from '../core/clock.ts'
import type { DemoPlace } from '../core/commands/command.ts'
import { type SimulatedErp, simulatedErp } from './erp.ts'
import { makeOrders } from './factory.ts'
import { orderFile } from './files.ts'
import { connectErp, demoPassword, firstAdministrator, makeCodes, makePeople, masterData, people, processed } from './setup.ts'
import { newLogin } from './sftp.ts'
import { dayFromNow, wallTime } from './time.ts'

export { demo } from './script.ts'

interface Kept {
  readonly username: string
  readonly privateKey: string
  nextOrder: number
}

const collectMs = 3_000
const deliverMs = 60_000
const ordersAtFirst = 24
const ordersLater = 3

/**
 * The demo factory beside a running server: on the first start its people, articles and orders, then an ERP that collects and
 * acknowledges feedback every few seconds and brings some orders each minute. It speaks HTTP and SFTP only.
 */
export async function demoBeside(at: DemoPlace, clock: Clock = systemClock): Promise<{ stop(): Promise<void> }> {
  const day = (offset: number): string => dayFromNow(clock, offset)
  const file = join(at.dataDir, 'demo.json')
  const sftp = { host: at.sftp.host, port: at.sftp.port, hostKeyLine: at.sftp.hostKeyLine }
  let kept: Kept
  let erp: SimulatedErp
  if (at.inviteToken !== undefined) {
    at.say('  making the demo factory …')
    const login = newLogin()
    const username = 'demo-erp'
    const admin = await firstAdministrator(at.baseUrl, at.customer, at.inviteToken)
    await connectErp(admin, { username, publicLine: login.publicLine })
    erp = await simulatedErp({ ...sftp, username, privateKey: login.privateKey })
    const stamp = wallTime(clock)
    await masterData(admin, erp, stamp)
    await makePeople(admin)
    await makeCodes(admin)
    const orders = makeOrders(10_001, ordersAtFirst, day, 12)
    await erp.deliver('WO_10001.csv', orderFile(orders, stamp))
    const delivery = await processed(admin, 'WO_10001.csv')
    at.say(
      `  the ERP delivered ${ordersAtFirst} work orders over SFTP; ${delivery.counts.rejected} are wrong on purpose and wait in the error bin`
    )
    kept = { username, privateKey: login.privateKey, nextOrder: 10_001 + ordersAtFirst }
    writeFileSync(file, JSON.stringify(kept), { mode: 0o600 })
  } else if (existsSync(file)) {
    kept = JSON.parse(readFileSync(file, 'utf8')) as Kept
    erp = await simulatedErp({ ...sftp, username: kept.username, privateKey: kept.privateKey })
  } else {
    at.say(`  the demo was not finished at its first start: end Werkvloer, take ${at.dataDir} away and start again`)
    return { stop: async () => {} }
  }

  at.say(`\n  Sign in with customer "${at.customer}" and password "${demoPassword}" as`)
  for (const person of people) at.say(`    ${person.username.padEnd(9)} ${person.what}`)
  at.say('\n  The simulated ERP collects feedback every 3 s and brings 3 orders a minute. Ctrl-C stops.')

  let busy: Promise<void> = Promise.resolve()
  let stopped = false
  const timers = [
    every(collectMs, async () => {
      const booked = await erp.collect()
      if (booked > 0) at.say(`  ERP   booked and acknowledged ${booked} feedback records`)
    }),
    every(deliverMs, async () => {
      const orders = makeOrders(kept.nextOrder, ordersLater, day, 0)
      await erp.deliver(`WO_${kept.nextOrder}.csv`, orderFile(orders, wallTime(clock)))
      kept.nextOrder += ordersLater
      writeFileSync(file, JSON.stringify(kept), { mode: 0o600 })
      at.say(`  ERP   delivered ${ordersLater} work orders, up to WO-${kept.nextOrder - 1}`)
    })
  ]

  /** One after another, since the ERP has one connection; what fails is said and tried again at the next turn. */
  function every(milliseconds: number, work: () => Promise<void>): NodeJS.Timeout {
    return setInterval(() => {
      busy = busy.then(async () => {
        if (stopped) return
        try {
          await work()
        } catch (error) {
          if (!stopped) at.say(`  ERP   ${(error as Error).message}`)
        }
      })
    }, milliseconds)
  }

  return {
    async stop() {
      stopped = true
      for (const timer of timers) clearInterval(timer)
      await busy
      erp.close()
    }
  }
}
