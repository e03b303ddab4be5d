import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Locator, Page } from 'playwright-core'
import { sftpHostKeyOf } from '../../core/db/control.ts'
import { type Api, signIn, until } from '../../demo/api.ts'
import { type SimulatedErp, simulatedErp } from '../../demo/erp.ts'
import { makeOrders } from '../../demo/factory.ts'
import { type Feedback, orderFile } from '../../demo/files.ts'
import { connectErp, demoPassword, firstAdministrator, makeCodes, makePeople, masterData, processed } from '../../demo/setup.ts'
import { newLogin } from '../../demo/sftp.ts'
import { type Console, type ConsoleOptions, openConsole } from './console.ts'
import { openTestHouse, type TestHouse } from './house.ts'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

export interface Job {
  readonly id: string
  readonly orderNumber: string
  readonly number: string
  readonly good: string
  readonly scrap: string
  readonly plannedQuantity: string
  readonly status: string
  readonly running: readonly unknown[]
}

export const nameOf = (job: Job): string => `${job.orderNumber} / ${job.number}`

export interface Plant {
  readonly at: TestHouse
  readonly erp: SimulatedErp
  readonly admin: Api
  api(username: string): Promise<Api>
  /** What the ERP has booked of an order, in the order of its arrival. */
  bookedOf(job: Job): readonly Feedback[]
}

/** The real house, people and orders as in the demo, and an ERP behind SFTP whose ledger the test reads. */
export async function openPlant(t: Teardown): Promise<Plant> {
  const at = await openTestHouse(t, { sftp: true, worker: true })
  const admin = await firstAdministrator(at.baseUrl, at.tenant.code, at.tenant.inviteToken)
  const login = newLogin()
  await connectErp(admin, { username: 'floor-erp', publicLine: login.publicLine })
  const { publicLine } = await sftpHostKeyOf(at.house.control)
  const sftp = { host: '127.0.0.1', port: at.sftp?.port ?? 0, hostKeyLine: publicLine }
  const erp = await simulatedErp({ ...sftp, username: 'floor-erp', privateKey: login.privateKey })
  const stamp = '2026-11-23 08:00:00'
  await masterData(admin, erp, stamp)
  await makePeople(admin)
  await makeCodes(admin)
  await erp.deliver(
    'WO_1.csv',
    orderFile(
      makeOrders(101, 10, () => '2026-12-24'),
      stamp
    )
  )
  await processed(admin, 'WO_1.csv')
  let ended = false
  const collecting = (async () => {
    while (!ended) {
      await erp.collect()
      await new Promise(resolve => setTimeout(resolve, 500))
    }
  })()
  t.teardown(async () => {
    ended = true
    await collecting.catch(() => undefined)
    erp.close()
  })
  return {
    at,
    erp,
    admin,
    api: username => signIn(at.baseUrl, at.tenant.code, username, demoPassword),
    bookedOf: job => [...erp.ledger.booked.values()].filter(one => one.row.workOrder === job.orderNumber)
  }
}

/** Somebody at the floor screen, in a browser of their own. */
export interface Worker extends Console {
  /** A text of the screen, in its language. */
  say(key: string): string
  readonly scan: Locator
  readonly zone: Locator
  readonly list: Locator
  readonly running: Locator
  readonly line: Locator
  open(job: Job): Promise<void>
  /** Waits until the server has heard of everything that was done here. */
  told(): Promise<void>
  /** Presses of a finger or a mouse since the last question. */
  taps(): Promise<number>
}

export async function atTheFloor(
  t: Teardown,
  browser: Browser,
  plant: Plant,
  username: string,
  options: ConsoleOptions = {}
): Promise<Worker> {
  const { baseUrl, tenant } = plant.at
  const console_ = await openConsole(t, browser, baseUrl, { language: 'en', ...options })
  const { page, context } = console_
  context.setDefaultTimeout(60_000)
  await page.addInitScript('globalThis.taps = 0; addEventListener("pointerdown", () => globalThis.taps++, true)')
  await console_.signIn({ customer: tenant.code, username, password: demoPassword })
  await page.goto(`${baseUrl}/floor`)
  const file = join(import.meta.dirname, `../../console/src/texts/${options.language ?? 'en'}.json`)
  const texts = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, string>>
  const say = (key: string) => texts[key] ?? key
  const region = (key: string) => page.getByRole('region', { name: say(key), exact: true })
  const scan = page.getByRole('textbox', { name: say('floor.scan') })
  const zone = region('floor.job')
  await scan.waitFor()
  return {
    ...console_,
    say,
    scan,
    zone,
    list: region('floor.list'),
    running: region('floor.running'),
    line: region('floor.statusLine'),
    async open(job) {
      await scan.fill(nameOf(job).replace(' / ', '-'))
      await scan.press('Enter')
      await zone.getByRole('heading', { name: nameOf(job) }).waitFor()
    },
    told: async () => {
      await until('nothing waits any more', 60, async () => (await kept(page)) === 0 || undefined)
    },
    taps: () => page.evaluate('{ const count = globalThis.taps; globalThis.taps = 0; count }')
  }
}

const kept = (page: Page): Promise<number> => page.evaluate('Object.keys(sessionStorage).length')

export const hasScanFocus = (page: Page): Promise<boolean> => page.evaluate("document.activeElement?.matches('[data-scan]') ?? false")
