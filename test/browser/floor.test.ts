import type { Locator, Page } from 'playwright-core'
import t from 'tap'
import { signIn, until } from '../../demo/api.ts'
import { findings } from '../helpers/axe.ts'
import { openBrowser } from '../helpers/browser.ts'
import { openConsole, shot } from '../helpers/console.ts'
import { openFactory } from '../helpers/factory.ts'

interface Job {
  readonly id: string
  readonly orderNumber: string
  readonly number: string
  readonly good: string
  readonly scrap: string
  readonly plannedQuantity: string
  readonly status: string
  readonly running: readonly unknown[]
}

t.test('floor', async t => {
  const { at, person } = await openFactory(t)
  const browser = await openBrowser(t)
  const console_ = await openConsole(t, browser, at.baseUrl, { language: 'en' })
  const { page, problems } = console_
  console_.context.setDefaultTimeout(60_000)
  await console_.signIn(person('zagen'))
  const sawyer = person('zagen')
  const asSawyer = await signIn(at.baseUrl, sawyer.customer, sawyer.username, sawyer.password)
  const jobs = (await asSawyer.get<{ items: readonly Job[] }>('/api/v1/jobs?limit=20')).items
  const job = (index: number): Job => {
    const found = jobs[index]
    if (!found) throw new Error('the factory has too few jobs')
    return found
  }
  const now = (one: Job) => asSawyer.get<Job>(`/api/v1/jobs/${one.id}`)
  const name = (one: Job) => `${one.orderNumber} / ${one.number}`
  const scan = page.getByRole('textbox', { name: 'Scan or type an order' })
  const zone = page.getByRole('region', { name: 'Job', exact: true })
  const list = page.getByRole('region', { name: 'My list' })
  const running = page.getByRole('region', { name: 'Running with me' })
  const open = async (one: Job) => {
    await scan.fill(name(one).replace(' / ', '-'))
    await scan.press('Enter')
    await zone.getByRole('heading', { name: name(one) }).waitFor()
  }
  /** Waits until the server has heard of everything. */
  const told = () =>
    until('nothing waits any more', 60, async () => (await page.evaluate('Object.keys(sessionStorage).length')) === 0 || undefined)

  await t.test('floor: the scan box has the focus, an exact number opens the job and an unknown one says so', async t => {
    await page.goto(`${at.baseUrl}/floor`)
    await list.getByRole('button', { name: `Start ${name(job(0))}` }).waitFor()
    t.ok(await hasFocus(page), 'at once')
    await page.keyboard.type('NO-SUCH-ORDER')
    await page.keyboard.press('Enter')
    await page.getByText('Nothing found for NO-SUCH-ORDER').waitFor()
    await page.keyboard.type(name(job(0)).replace(' / ', '-'))
    await page.keyboard.press('Enter')
    await zone.getByRole('heading', { name: name(job(0)) }).waitFor()
    t.equal(await scan.inputValue(), '', 'ready for the next one')
    t.ok(await hasFocus(page))
  })

  await t.test('floor: one tap in the list starts a job, undo takes it back, space starts and pauses the open one', async t => {
    await list.getByRole('button', { name: `Start ${name(job(0))}` }).click()
    await running.getByText(name(job(0))).waitFor()
    t.ok(await hasFocus(page), 'the focus is back in the scan box')
    t.equal((await now(job(0))).running.length, 1)
    await page.getByRole('button', { name: /^Undo/ }).click()
    await running.getByText('No clock runs').waitFor()
    t.match(await now(job(0)), { status: 'paused', running: [] })
    await page.keyboard.press('Space')
    await running.getByText(name(job(0))).waitFor()
    await page.keyboard.press('Space')
    await running.getByText('No clock runs').waitFor()
    await told()
  })

  await t.test('floor: good, scrap and its reason are reported in four taps and one request', async t => {
    await open(job(1))
    const posts: string[] = []
    page.on('request', request => request.method() === 'POST' && posts.push(request.url()))
    let taps = 0
    const tap = async (what: Locator) => {
      taps++
      await what.click()
    }
    await tap(zone.getByRole('button', { name: 'Scrap: one more' }))
    await tap(zone.getByText('Kras of deuk'))
    await tap(zone.getByRole('button', { name: 'Report so far' }))
    await page.getByRole('button', { name: /^Undo/ }).waitFor()
    t.ok(taps <= 4)
    t.same(posts, [`${at.baseUrl}/api/v1/jobs/${job(1).id}/report`])
    const { good, scrap, plannedQuantity } = await now(job(1))
    t.same({ good, scrap }, { good: String(Number(plannedQuantity) - 1), scrap: '1' })
    await page.getByRole('button', { name: /^Undo/ }).click()
    await told()
    t.match(await now(job(1)), { good: '0', scrap: '0' })
    await page.getByText(/Accepted by the ERP \d\d:\d\d/).waitFor()
  })

  await t.test('floor: completing with fewer asks whether the rest comes or is lost', async t => {
    await open(job(2))
    await zone.getByRole('button', { name: 'Good: one less' }).click()
    await zone.getByRole('button', { name: 'Complete' }).click()
    await zone.getByText('Choose what happens with the rest.').waitFor()
    t.match(await now(job(2)), { status: 'released' }, 'nothing was sent')
    await zone.getByRole('radio', { name: /Lost/ }).click()
    await zone.getByRole('button', { name: 'Report and complete' }).click()
    await zone.getByText('This job is completed.').waitFor()
    await page.getByRole('button', { name: /^Undo/ }).click()
    await zone.getByText('Paused', { exact: true }).waitFor()
    t.match(await now(job(2)), { status: 'paused', good: '0' })
    await told()
  })

  await t.test('floor: without a network acts wait, a reload keeps them, and each is done once', async t => {
    await open(job(3))
    await page.route('**/api/v1/jobs/*/*', route => route.abort('internetdisconnected'))
    await zone.getByRole('button', { name: 'Start', exact: true }).click()
    await zone.getByRole('button', { name: 'Report so far' }).click()
    await page.getByText('2 wait to be sent').waitFor()
    t.match(await now(job(3)), { status: 'released', running: [], good: '0' })
    t.notOk(await page.getByRole('button', { name: /^Undo/ }).isVisible(), 'nothing shows as done')
    await page.getByRole('button', { name: /Demo zagen/ }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
    await page.getByText('2 acts are not sent yet').waitFor()
    await page.getByRole('button', { name: 'Cancel' }).click()
    let asked = false
    page.once('dialog', dialog => {
      asked = dialog.type() === 'beforeunload'
      void dialog.accept()
    })
    await page.reload({ waitUntil: 'commit' })
    t.ok(asked, 'leaving is asked')
    await page.getByText('2 wait to be sent').waitFor()
    await page.unroute('**/api/v1/jobs/*/*')
    await told()
    const after = await now(job(3))
    t.match(after, { status: 'started', running: [{}], good: after.plannedQuantity })
  })

  await t.test('floor: what is refused says why on the job, reads it again, and keeps the figures', async t => {
    await open(job(4))
    await zone.getByRole('button', { name: 'Good: one less' }).click()
    await page.route('**/api/v1/jobs/*/report', route => route.abort('internetdisconnected'))
    await zone.getByRole('button', { name: 'Report so far' }).click()
    await page.getByText('1 waits to be sent').waitFor()
    const lead = person('lead')
    const asLead = await signIn(at.baseUrl, lead.customer, lead.username, lead.password)
    await asLead.post(`/api/v1/jobs/${job(4).id}/complete`, { good: job(4).plannedQuantity })
    await page.unroute('**/api/v1/jobs/*/report')
    await zone.getByRole('alert').getByText('Not done').waitFor()
    await zone.getByText('This job is completed.').waitFor()
    t.equal((await now(job(4))).good, job(4).plannedQuantity, 'the report was not added')
    await zone.getByRole('button', { name: 'Dismiss' }).click()
    await told()
  })

  await t.test('floor: the screen has no serious finding of axe-core, also in dark and on a phone', async t => {
    await open(job(5))
    await zone.getByRole('button', { name: 'Scrap: one more' }).click()
    await shot(page, 'floor-light')
    t.same(await findings(page), [])
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.setViewportSize({ width: 390, height: 844 })
    await shot(page, 'floor-dark-phone')
    t.same(await findings(page), [])
    t.same(problems(), [])
  })

  await t.test('floor: an account without an employee is told so', async t => {
    await page.setViewportSize({ width: 1440, height: 900 })
    await console_.context.clearCookies()
    await console_.signIn(person('admin'))
    await page.goto(`${at.baseUrl}/floor`)
    await page.getByText('Your account has no employee').waitFor()
    await list.getByText(job(5).orderNumber).first().waitFor()
    t.equal(await page.getByRole('button', { name: /^Start / }).count(), 0)
  })
})

const hasFocus = (page: Page): Promise<boolean> => page.evaluate("document.activeElement?.matches('[data-scan]') ?? false")
