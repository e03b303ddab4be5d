import t from 'tap'
import { signIn, until } from '../../demo/api.ts'
import { makeOrders } from '../../demo/factory.ts'
import { orderFile } from '../../demo/files.ts'
import { openBrowser } from '../helpers/browser.ts'
import { openConsole, shot } from '../helpers/console.ts'
import { openFactory } from '../helpers/factory.ts'
import { connect, newKeyPair, openSftpClient } from '../helpers/sftp.ts'

interface Order {
  readonly id: string
  readonly number: string
}
interface Job {
  readonly id: string
  readonly orderNumber: string
  readonly number: string
}

t.test('office', async t => {
  const { at, person } = await openFactory(t)
  const who = person('admin')
  const admin = await signIn(at.baseUrl, who.customer, who.username, who.password)
  const sawyer = person('zagen')
  const operator = await signIn(at.baseUrl, sawyer.customer, sawyer.username, sawyer.password)
  const { items: jobs } = await operator.get<{ items: readonly Job[] }>('/api/v1/jobs?limit=20')
  const [job, second] = jobs
  if (!job || !second) throw new Error('the factory has too few jobs')
  // The ERP is somebody else in this test: it comes in by a key of its own.
  const { items: connections } = await admin.get<{ items: readonly { id: string }[] }>('/api/v1/connections')
  const key = newKeyPair()
  await admin.post(`/api/v1/connections/${connections[0]?.id}/access/sftp-keys`, {
    username: 'office-erp',
    publicKey: key.public,
    label: 'x'
  })
  const client = await connect(at.sftp?.port ?? 0, { username: 'office-erp', privateKey: key.private })
  t.teardown(() => client.end())
  const sftp = await openSftpClient(client)

  const console_ = await openConsole(t, await openBrowser(t), at.baseUrl, { language: 'nl', size: { width: 1440, height: 900 } })
  const { page } = console_
  const dialog = page.getByRole('dialog')
  const rows = page.getByRole('row')

  await t.test('office: the list of orders is filtered, sorted and goes on page by page while orders come in', async t => {
    await console_.signIn(who)
    await page.goto(`${at.baseUrl}/orders?sort=number`)
    await rows.nth(1).waitFor()
    const more = makeOrders(20_001, 130, () => '2027-01-15').filter(({ fault }) => fault === undefined)
    await sftp.put('inbox/WO_20001.csv', Buffer.from(orderFile(more, '2026-11-23 08:00:00')))
    const total = await until('the orders are in', 60, async () => {
      const { items } = await admin.get<{ items: readonly Order[] }>('/api/v1/work-orders?limit=500')
      return items.length > more.length ? items.length : undefined
    })
    await page.reload()
    await rows.nth(1).waitFor()
    // The next page comes when the end of this one is in sight.
    await until('every order is on the screen', 60, async () => {
      await page.mouse.wheel(0, 4_000)
      return (await rows.count()) === total + 1 || undefined
    })
    const numbers = (await page.getByRole('link', { name: /^WO-/ }).allTextContents()).map(text => text.trim())
    t.same(numbers, [...numbers].sort(), 'in the order of their numbers, none twice')
    t.equal(new Set(numbers).size, total)
    await page.getByRole('textbox', { name: /Zoek/ }).fill('WO-10005')
    await until('one is left', 20, async () => (await rows.count()) === 2 || undefined)
  })

  await t.test('office: an order shows its operations, material and reports, and a report is corrected with a reason', async t => {
    await operator.post(`/api/v1/jobs/${job.id}/report`, { good: '2', reason: 'proef' })
    const { items } = await admin.get<{ items: readonly Order[] }>(`/api/v1/work-orders?search=${job.orderNumber}`)
    await page.goto(`${at.baseUrl}/orders/${items[0]?.id}`)
    await page.getByRole('tab', { name: 'Materialen' }).click()
    await rows.nth(1).waitFor()
    await page.getByRole('tab', { name: 'Meldingen en correcties' }).click()
    await page.getByRole('button', { name: 'Corrigeren' }).first().click()
    await dialog.getByRole('textbox', { name: 'Goed' }).fill('1,5')
    await dialog.getByLabel(/Reden/).last().fill('Opnieuw geteld')
    await shot(page, 'office-correct')
    await dialog.getByRole('button', { name: 'Corrigeren' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await page.getByText('Opnieuw geteld').first().waitFor()
    await page.getByRole('cell', { name: '1,5', exact: true }).waitFor()
    await page.getByRole('cell', { name: '-2', exact: true }).waitFor()
    t.match(await admin.get(`/api/v1/jobs/${job.id}`), { good: '1.5' })
    // The ERP of the demo fetches it and answers.
    await page.getByText('Door ERP geaccepteerd').first().waitFor({ timeout: 60_000 })
  })

  await t.test('office: behind a figure of stock stands what made it, and an adjustment and a transfer are in it', async t => {
    await page.goto(`${at.baseUrl}/stock`)
    const first = page.getByTitle(/^Mutaties van /).first()
    await first.waitFor()
    await page.getByRole('button', { name: 'Corrigeren' }).first().click()
    await dialog.getByText('Minder').click()
    await dialog.getByRole('textbox', { name: /^Verschil/ }).fill('2,5')
    await dialog.getByLabel('Reden').fill('Beschadigd')
    await dialog.getByRole('button', { name: 'Corrigeren' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await first.click()
    await dialog.getByText('-2,5').first().waitFor()
    await dialog.getByText(/4\.997,5 \S+ = 5\.000 volgens het ERP en -2,5/).waitFor()
    await shot(page, 'office-ledger')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Verplaatsen' }).first().click()
    await dialog.getByRole('textbox', { name: /^Aantal/ }).fill('7')
    const to = dialog.getByLabel(/Naar/).last()
    const { items } = await admin.get<{ items: readonly { code: string }[] }>('/api/v1/locations?limit=50')
    const target = items.find(({ code }) => code !== 'PROD')?.code ?? ''
    await to.fill(target)
    // Enter sends.
    await page.keyboard.press('Enter')
    await dialog.waitFor({ state: 'hidden' })
    const levels = await admin.get<{ items: readonly { location: string; quantity: string }[] }>('/api/v1/stock?limit=200')
    t.ok(levels.items.some(({ location, quantity }) => location === target && quantity === '7'))
    await page.getByRole('cell', { name: '4.990,5', exact: false }).first().waitFor()
  })

  await t.test('office: hours show the clock of the customer’s zone, and a booking is corrected', async t => {
    await operator.post(`/api/v1/jobs/${job.id}/start`)
    await operator.post(`/api/v1/jobs/${second.id}/start`)
    await new Promise(resolve => setTimeout(resolve, 2_200))
    await operator.post(`/api/v1/jobs/${job.id}/pause`)
    await operator.post(`/api/v1/jobs/${second.id}/pause`)
    await page.goto(`${at.baseUrl}/hours?tab=team`)
    const day = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Amsterdam' }).format(new Date())
    const { items } = await admin.get<{ items: readonly { startedAt: string }[] }>(`/api/v1/hours?day=${day}`)
    const zone = new Intl.DateTimeFormat('nl-NL', { timeZone: 'Europe/Amsterdam', hour: '2-digit', minute: '2-digit' })
    await page
      .getByText(`${zone.format(new Date(items[0]?.startedAt ?? ''))}–`)
      .first()
      .waitFor()
    await page.getByRole('button', { name: 'Corrigeren' }).first().click()
    await dialog.getByRole('textbox', { name: /^Minuten/ }).fill('30')
    await dialog.getByLabel(/Reden/).last().fill('Vergeten te starten')
    t.equal(await dialog.getByRole('textbox', { name: /^Minuten/ }).inputValue(), '1', 'no more than the clock ran')
    await dialog.getByRole('button', { name: 'Corrigeren' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await page.getByText('Vergeten te starten').first().waitFor()
    await shot(page, 'office-hours')
  })

  await t.test('office: on a phone nothing scrolls sideways, and the browser had nothing to complain about', async t => {
    await page.setViewportSize({ width: 390, height: 844 })
    for (const path of ['/orders', '/stock', '/stock/picks', '/hours?tab=team', '/people/users', '/people/groups', '/people/roles']) {
      await page.goto(at.baseUrl + path)
      await page.getByRole('heading').first().waitFor()
      await page.waitForTimeout(400)
      t.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true, path)
    }
    t.strictSame(console_.problems(), [])
  })
})
