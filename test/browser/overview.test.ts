import type { Page } from 'playwright-core'
import t from 'tap'
import { signIn, until } from '../../demo/api.ts'
import { openBrowser } from '../helpers/browser.ts'
import { openConsole, shot } from '../helpers/console.ts'
import { openFactory } from '../helpers/factory.ts'

interface Progress {
  readonly items: readonly {
    readonly department: string
    readonly waiting: number
    readonly started: number
    readonly paused: number
    readonly completed: number
    readonly late: number
  }[]
  readonly lateOrders: number
}
interface Scrap {
  readonly items: readonly { readonly name: string; readonly unit: string; readonly quantity: string; readonly reports: number }[]
}

t.test('overview', async t => {
  const { at, person } = await openFactory(t)
  const console_ = await openConsole(t, await openBrowser(t), at.baseUrl, { language: 'en' })
  const { page, problems } = console_
  const { customer, username, password } = person('admin')
  const admin = await signIn(at.baseUrl, customer, username, password)
  const sawyer = await signIn(at.baseUrl, customer, 'zagen', password)
  const [first, second] = (await sawyer.get<{ items: readonly { id: string; orderNumber: string }[] }>('/api/v1/jobs?limit=2')).items
  const [reason] = (await sawyer.get<{ items: readonly { code: string; name: string }[] }>('/api/v1/scrap-reasons')).items
  if (!first || !second || !reason) throw new Error('the factory has no work')

  const ofApi = async () => {
    const progress = await admin.get<Progress>('/api/v1/orders/progress')
    const scrap = await admin.get<Scrap>('/api/v1/scrap')
    const connections = await admin.get<{ items: readonly { openRejects: number }[] }>('/api/v1/connections')
    return {
      running: sum(progress.items.map(one => one.started)),
      late: progress.lateOrders,
      open: sum(connections.items.map(one => one.openRejects)),
      departments: progress.items.map(one => [one.department, one.completed, one.started, one.paused, one.waiting, one.late].map(String)),
      scrap: scrap.items.map(one => [one.name, `${one.quantity} ${one.unit}`, String(one.reports)])
    }
  }
  const tile = async (name: string): Promise<number> => Number(/\d+/.exec(await page.getByRole('link', { name }).innerText())?.[0])
  const onScreen = async () => ({
    running: await tile('Running now'),
    late: await tile('Late work orders'),
    open: await tile('Open in the error bin'),
    departments: await table(page, 'Jobs per department'),
    scrap: await table(page, 'Scrap by reason')
  })
  /** Both again and again, since the ERP of the factory may bring an order between the two looks. @returns what both say */
  const alike = (what: string) =>
    until(what, 30, async () => {
      const [api, screen] = [await ofApi(), await onScreen()]
      return JSON.stringify(api) === JSON.stringify(screen) ? screen : undefined
    })

  await t.test('overview: who has no employee begins here, an operator begins on the floor', async t => {
    await console_.signIn(person('zagen'))
    await page.getByRole('textbox', { name: 'Scan or type an order' }).waitFor()
    t.equal(new URL(page.url()).pathname, '/floor')
    await console_.context.clearCookies()
    await console_.signIn(person('admin'))
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    t.equal(new URL(page.url()).pathname, '/overview')
  })

  await t.test('overview: each figure is the one of the API, and no scrap is said in words', async t => {
    await page.getByText(/^No scrap in week \d+$/).waitFor()
    const said = await alike('the screen says what the API says')
    t.ok(said.departments.length >= 4 && said.open > 0, 'nothing compared with nothing is no pass')
    t.equal(said.running, 0)
    t.same(said.scrap, [])
  })

  await t.test('overview: a report made elsewhere moves figures and bars by itself', async t => {
    await sawyer.post(`/api/v1/jobs/${first.id}/start`, {})
    await sawyer.post(`/api/v1/jobs/${first.id}/report`, { scrap: '1.5', scrapReason: reason.code })
    await page.getByRole('table', { name: 'Scrap by reason' }).getByText('1.5').waitFor()
    const said = await alike('the screen says what the API says, after the report')
    t.equal(said.running, 1)
    t.match(said.scrap, [[reason.name, /^1\.5 /, '1']])
    await until('both plots are drawn', 30, async () => (await page.locator('main svg.recharts-surface').count()) >= 2 || undefined)
    await shot(page, 'overview')
    await sawyer.post(`/api/v1/jobs/${first.id}/report`, { scrap: '0.5', scrapReason: reason.code })
    await page.getByRole('table', { name: 'Scrap by reason' }).getByText(/^2 /).waitFor()
    t.match((await alike('the screen says what the API says, after the second report')).scrap, [[reason.name, /^2 /, '2']])
  })

  await t.test('overview: a late order is counted and found behind its figure', async t => {
    const { db } = await at.ctx()
    await db.pool.query('update workorders.work_order set due = $2 where number = $1', [second.orderNumber, '2020-01-01'])
    // A change past the product tells nobody, so the next act does.
    await sawyer.post(`/api/v1/jobs/${first.id}/pause`, {})
    await until('one order is late on the screen', 30, async () => (await tile('Late work orders')) === 1 || undefined)
    t.equal((await alike('the screen says what the API says of late work')).late, 1)
    await page.getByRole('link', { name: 'Late work orders' }).click()
    await page.getByRole('checkbox', { name: 'Only late' }).waitFor()
    t.ok(await page.getByRole('checkbox', { name: 'Only late' }).isChecked())
    await until('the list shows the late one only', 30, async () => (await page.locator('main tbody tr').count()) === 1 || undefined)
    await page.getByRole('link', { name: second.orderNumber }).waitFor()
    await page.goBack()
  })

  await t.test('overview: a department leads to the orders with work there', async t => {
    await page.getByRole('table', { name: 'Jobs per department' }).getByRole('link', { name: 'ZAGEN', exact: true }).click()
    await page.getByRole('link', { name: first.orderNumber }).waitFor()
    const { items } = await admin.get<{ items: readonly { number: string }[] }>('/api/v1/work-orders?department=ZAGEN&limit=50')
    t.ok(items.length > 0)
    await until('as many rows as the API has', 30, async () => (await page.locator('main tbody tr').count()) >= items.length || undefined)
    await page.goBack()
  })

  await t.test('overview: the week before is chosen, kept in the address, and left again', async t => {
    const after = page.getByRole('button', { name: 'Week after' })
    t.ok(await after.isDisabled(), 'there is no scrap of the future')
    await page.getByRole('group', { name: 'Week' }).getByRole('button', { name: 'Week before' }).click()
    await page.getByText(/^No scrap in week \d+$/).waitFor()
    t.match(new URL(page.url()).searchParams.get('week'), /^\d{4}-\d\d-\d\d$/)
    await page.reload()
    await page.getByText(/^No scrap in week \d+$/).waitFor()
    await after.click()
    await page.getByRole('table', { name: 'Scrap by reason' }).waitFor()
    t.equal(new URL(page.url()).searchParams.get('week'), null)
  })

  await t.test('overview: the floor tells who has no employee what to do', async t => {
    await page.goto(`${at.baseUrl}/floor`)
    await page.getByText('Your account has no employee').waitFor()
    await page.getByRole('link', { name: 'To the overview' }).waitFor()
    await page.getByRole('link', { name: 'Link an employee' }).click()
    await page.waitForURL('**/people/users')
    t.strictSame(problems(), [])
  })
})

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)

/** The cells of a table that may not be there. */
async function table(page: Page, name: string): Promise<string[][]> {
  const rows = await page.getByRole('table', { name }).locator('tbody tr').all()
  return Promise.all(rows.map(row => row.locator('th, td').allInnerTexts()))
}
