import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { type Api, signIn, until } from '../demo/api.ts'
import { departments, makeOrders } from '../demo/factory.ts'
import { orderFile } from '../demo/files.ts'
import { dayFromNow, wallTime } from '../demo/time.ts'
import { openBrowser } from '../test/helpers/browser.ts'
import { openConsole } from '../test/helpers/console.ts'
import { openFactory } from '../test/helpers/factory.ts'
import { openOutside } from '../test/helpers/outside.ts'

/**
 * node docs/screenshots.ts [names]
 *
 * Makes the pictures of README and docs from the demo factory, on a database of its own: a Monday morning of work, at a clock that begins
 * at the same moment every time. docs/pictures/<name>.png, those named or all.
 */
interface Picture {
  readonly name: string
  /** Nobody: as who is not signed in. */
  readonly who?: string
  readonly path: string
  /** Visible when it is whole. */
  readonly ready: string
  readonly size?: keyof typeof sizes
  readonly scheme?: 'light' | 'dark'
  readonly before?: (page: Page) => Promise<void>
}

const sizes = {
  desktop: { width: 1440, height: 900 },
  tablet: { width: 1180, height: 820 },
  phone: { width: 390, height: 844 }
}

const pictures: readonly Picture[] = [
  { name: 'sign-in', path: '/', ready: 'input[autocomplete=username]', size: 'tablet', before: fillSignIn },
  { name: 'floor', who: 'zagen', path: '/floor', ready: 'text=WO-1', size: 'tablet' },
  { name: 'floor-report', who: 'zagen', path: '/floor', ready: 'text=WO-1', size: 'tablet', before: openJob },
  { name: 'floor-phone', who: 'zagen', path: '/floor', ready: '[data-scan]', size: 'phone' },
  { name: 'floor-dark', who: 'zagen', path: '/floor', ready: 'text=WO-1', size: 'tablet', scheme: 'dark', before: openJob },
  { name: 'overview', who: 'admin', path: '/overview', ready: '.recharts-bar-rectangle path' },
  { name: 'orders', who: 'admin', path: '/orders', ready: 'table tbody tr' },
  { name: 'order', who: 'admin', path: '/orders', ready: 'table tbody tr', before: openOrder },
  { name: 'stock', who: 'store', path: '/stock', ready: 'table tbody tr', before: openLedger },
  { name: 'hours', who: 'lead', path: '/hours?tab=team', ready: 'table tbody tr' },
  { name: 'deliveries', who: 'admin', path: '/connections', ready: 'text=Simulated ERP', before: openDeliveries },
  { name: 'mapping', who: 'admin', path: '/connections', ready: 'text=Simulated ERP', before: openMapping },
  { name: 'errors', who: 'admin', path: '/errors', ready: 'main li', before: openProblem },
  { name: 'people', who: 'admin', path: '/people/users', ready: 'table tbody tr' },
  { name: 'why', who: 'admin', path: '/people/why', ready: 'h1', before: askWhy }
]

async function fillSignIn(page: Page): Promise<void> {
  await page.locator('input[autocomplete=organization]').fill('demo')
  await page.locator('input[autocomplete=username]').fill('zagen')
}

async function openJob(page: Page): Promise<void> {
  await page.getByRole('region', { name: 'Running with me' }).getByRole('button').first().click()
  const zone = page.getByRole('region', { name: 'Job', exact: true })
  await zone.getByRole('button', { name: 'Scrap: one more' }).click()
  await zone.getByText('Kras of deuk').click()
}

async function openOrder(page: Page): Promise<void> {
  await page.getByRole('row').filter({ hasText: 'Started' }).first().getByRole('link').click()
  await page.getByRole('heading', { name: /^Work order/ }).waitFor()
}

async function openLedger(page: Page): Promise<void> {
  const row = page.getByRole('row').filter({ hasText: 'M-2001' }).filter({ hasText: 'PROD' })
  await row.getByRole('button').first().click()
  await page.getByRole('dialog').locator('table tbody tr').first().waitFor()
}

async function openConnection(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Simulated ERP' }).click()
  await page.getByRole('tab', { name: 'Overview' }).waitFor()
}

async function openDeliveries(page: Page): Promise<void> {
  await openConnection(page)
  await page.getByRole('tab', { name: 'Deliveries' }).click()
  await page.locator('table tbody tr').first().waitFor()
}

async function openProblem(page: Page): Promise<void> {
  await page.getByText('WO-10012').click()
  await page.getByRole('dialog').getByRole('button', { name: 'Edit the row' }).click()
}

async function openMapping(page: Page): Promise<void> {
  await openConnection(page)
  await page.getByRole('tab', { name: 'Mapping' }).click()
  const orders = makeOrders(20_001, 6, offset => dayFromNow(clock, offset), 3)
  const buffer = Buffer.from(orderFile(orders, wallTime(clock)))
  await page.locator('input[type=file]').setInputFiles({ name: 'WO_20001.csv', mimeType: 'text/csv', buffer })
  await page.getByRole('cell', { name: 'WO-20001', exact: true }).first().waitFor()
  await page.mouse.move(700, 500)
  await page.mouse.wheel(0, 490)
}

async function askWhy(page: Page): Promise<void> {
  const choose = async (field: string, option: string | RegExp): Promise<void> => {
    await page.getByRole('combobox', { name: field }).click()
    await page.getByRole('option', { name: option }).first().click()
  }
  await choose('Who', 'Demo frezen')
  await choose('What', 'Start, pause and resume jobs.')
  await page.getByRole('combobox', { name: 'On which job' }).fill('WO-10001')
  await page.getByRole('option', { name: 'WO-10001 / 10' }).click()
  await page.getByRole('status').getByText('No, may not do this').waitFor()
}

/** Runs on from a fixed moment; `advance` lets the morning go by. A Monday, 7:00 in Amsterdam. */
function morning() {
  const began = performance.now()
  let ahead = Date.parse('2026-03-02T06:00:00Z')
  const now = (): Date => new Date(ahead + performance.now() - began)
  return {
    now,
    iso: () => now().toISOString(),
    advance: (minutes: number) => {
      ahead += minutes * 60_000
    }
  }
}

interface Job {
  readonly id: string
  readonly orderNumber: string
  readonly number: string
  readonly plannedQuantity: string
}

/**
 * Sawing comes first, the others follow with what was sawn; everybody has a job running in the end. The store counts and moves, assembly
 * had a meeting. The ERP books meanwhile.
 */
async function work(as: (username: string) => Promise<Api>): Promise<void> {
  const completed = new Set<string>()
  const next = async (operator: Api): Promise<Job | undefined> => {
    const { items } = await operator.get<{ items: readonly Job[] }>('/api/v1/jobs?limit=50')
    return items.find(job => {
      const before = `${job.orderNumber} ${Number(job.number) - 10}`
      return !completed.has(`${job.orderNumber} ${job.number}`) && (job.number === '10' || completed.has(before))
    })
  }
  const reasons = ['MAAT', 'KRAS', 'MAAT', 'LAS', 'MATERIAAL']
  let reports = 0
  for (let round = 0; round < 6; round++) {
    for (const [n, department] of departments.entries()) {
      if (n > 0 && round > 3) continue
      const operator = await as(department.toLowerCase())
      const job = await next(operator)
      if (!job) continue
      await operator.post(`/api/v1/jobs/${job.id}/start`)
      clock.advance(8 + 2 * n)
      const scrap = reports++ % 2
      await operator.post(`/api/v1/jobs/${job.id}/complete`, {
        good: String(Number(job.plannedQuantity) - scrap),
        ...(scrap > 0 ? { scrap: '1', scrapReason: reasons[(reports >> 1) % reasons.length] } : {}),
        shortfall: 'lost'
      })
      completed.add(`${job.orderNumber} ${job.number}`)
    }
  }
  const store = await as('store')
  await store.post('/api/v1/stock/adjust', { article: 'M-2001', location: 'PROD', quantity: '-3', reason: 'Counted: three are bent' })
  await store.post('/api/v1/stock/transfer', { article: 'M-2001', quantity: '250', from: 'PROD', to: 'A-01' })
  await (await as('montage')).post('/api/v1/hours/indirect/start', { activityCode: 'OVERLEG' })
  clock.advance(15)
  await (await as('montage')).post('/api/v1/hours/indirect/stop')
  for (const department of departments) {
    const operator = await as(department.toLowerCase())
    const job = await next(operator)
    if (job) await operator.post(`/api/v1/jobs/${job.id}/start`)
    if (job && department === 'ZAGEN') await operator.post(`/api/v1/jobs/${job.id}/report`, { good: '2' })
  }
  clock.advance(17)
}

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const clock = morning()
const wanted = process.argv.slice(2)
const folder = join(import.meta.dirname, 'pictures')

const outside = await openOutside({ durable: false })
try {
  mkdirSync(folder, { recursive: true })
  const { at, person } = await openFactory(outside, { clock, customer: 'demo' })
  const as = (username: string): Promise<Api> => signIn(at.baseUrl, at.tenant.code, username, person(username).password)
  await work(as)
  await until('the ERP has booked everything', 90, async () => {
    const { items } = await (await as('admin')).get<{ items: readonly unknown[] }>('/api/v1/outbox?state=open&limit=1')
    return items.length === 0 || undefined
  })

  const console_ = await openConsole(outside, await openBrowser(outside), at.baseUrl, { language: 'en' })
  const { page, context } = console_
  await context.clock.install({ time: clock.now() })
  let signedIn: string | undefined
  for (const { name, who, path, ready, size = 'desktop', scheme = 'light', before } of pictures) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    await page.setViewportSize(sizes[size])
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    if (who !== signedIn) {
      await context.clearCookies()
      if (who !== undefined) await console_.signIn(person(who))
      signedIn = who
    }
    await page.goto(at.baseUrl + path)
    await page.locator(ready).first().waitFor()
    await before?.(page)
    await page.waitForTimeout(700)
    const file = join(folder, `${name}.png`)
    await page.screenshot({ path: file, caret: 'hide' })
    say(`  ${name.padEnd(16)} ${Math.round(statSync(file).size / 1000)} kB`)
  }
  for (const problem of console_.problems()) say(`  the browser complained: ${problem}`)
} finally {
  await outside.end()
}
