import t from 'tap'
import { until } from '../../demo/api.ts'
import { openBrowser } from '../helpers/browser.ts'
import { shot } from '../helpers/console.ts'
import { atTheFloor, hasScanFocus, type Job, nameOf, openPlant } from '../helpers/floor-screen.ts'

interface Report {
  readonly kind: string
  readonly jobId: string
  readonly good: string
  readonly scrap: string
}

t.test('floor: the day of an operator', async t => {
  const plant = await openPlant(t)
  const sawyer = await plant.api('zagen')
  const jobs = (await sawyer.get<{ items: readonly Job[] }>('/api/v1/jobs?limit=20')).items
  const job = (index: number): Job => {
    const found = jobs[index]
    if (!found) throw new Error('the plant has too few jobs')
    return found
  }
  const now = (one: Job) => sawyer.get<Job>(`/api/v1/jobs/${one.id}`)
  const reportsOf = async (one: Job) => {
    const { items } = await plant.admin.get<{ items: readonly { id: string; number: string }[] }>('/api/v1/work-orders?limit=50')
    const order = items.find(item => item.number === one.orderNumber)
    const { reports } = await plant.admin.get<{ reports: readonly Report[] }>(`/api/v1/work-orders/${order?.id}/history`)
    return reports.filter(report => report.jobId === one.id)
  }
  const me = await atTheFloor(t, await openBrowser(t), plant, 'zagen')
  const { page, zone, list, running, line } = me

  await t.test('journey B: one tap starts, four report, one stops; the ERP has each once and in order, and the screen says so', async t => {
    const one = job(0)
    await list.getByRole('button', { name: `Start ${nameOf(one)}` }).waitFor()
    await me.taps()
    await list.getByRole('button', { name: `Start ${nameOf(one)}` }).click()
    await running.getByText(nameOf(one)).waitFor()
    t.equal(await me.taps(), 1)
    await list.getByRole('button', { name: new RegExp(`^${nameOf(one)}`) }).click()
    await zone.getByRole('button', { name: 'Scrap: one more' }).click()
    await zone.getByText('Kras of deuk').click()
    await shot(page, 'journey-report')
    await zone.getByRole('button', { name: 'Report so far' }).click()
    await page.getByRole('button', { name: /^Undo/ }).waitFor()
    t.ok((await me.taps()) <= 4, 'good, scrap and its reason')
    // Hours count from one second.
    await page.waitForTimeout(1_200)
    await running.getByRole('button', { name: `Pause ${nameOf(one)}` }).click()
    await running.getByText('No clock runs').waitFor()
    t.equal(await me.taps(), 1)
    await until('the ERP has the hours', 60, async () => plant.bookedOf(one).some(f => f.kind === 'LABOUR') || undefined)
    t.match(await now(one), { scrap: '1', status: 'paused', running: [] })
    await line.getByText(/^Accepted by the ERP \d\d:\d\d$/).waitFor()
    await until('all is accepted', 60, async () => {
      const open = await plant.admin.get<{ items: readonly unknown[] }>('/api/v1/outbox?state=open&limit=10')
      return open.items.length === 0 || undefined
    })
    const told = plant.bookedOf(one).map(({ kind, row }) => [kind, row.status ?? '', row['good.value'] ?? '', row['scrap.value'] ?? ''])
    const good = String(Number(one.plannedQuantity) - 1)
    t.strictSame(told, [
      ['OPERATIONSTATUS', 'started', '', ''],
      ['ORDERSTATUS', 'started', '', ''],
      ['OPERATIONSTATUS', 'started', good, '1'],
      ['LABOUR', '', '', ''],
      ['OPERATIONSTATUS', 'paused', '', ''],
      ['ORDERSTATUS', 'paused', '', '']
    ])
    t.strictSame(plant.erp.ledger.outOfOrder, [])
    t.strictSame(plant.erp.ledger.doubled, [])
    t.ok(await hasScanFocus(page))
  })

  const undo = page.getByRole('button', { name: /^Undo/ })
  const reportedOnce = async (one: Job, good: string) => {
    await me.told()
    await undo.waitFor()
    t.match(await now(one), { good, scrap: '0' })
    t.match(await reportsOf(one), [{ kind: 'report', good }], 'one report')
    const atErp = () => plant.bookedOf(one).filter(({ row }) => row['good.value'] === good)
    await until('the ERP has the report', 60, async () => atErp().length > 0 || undefined)
    await line.getByText(/^Accepted by the ERP/).waitFor()
    t.equal(atErp().length, 1, 'one at the ERP')
  }

  await t.test('floor: a report that never reached the server waits in sight, closing the tab is asked, and it is booked once', async t => {
    const one = job(1)
    await me.open(one)
    await zone.getByRole('textbox', { name: /^Good/ }).fill('1')
    await page.route('**/api/v1/jobs/*/report', route => route.abort('internetdisconnected'))
    await zone.getByRole('button', { name: 'Report so far' }).click()
    await line.getByText('1 waits to be sent').waitFor()
    await zone.getByText(new RegExp(`^Report of 1 good on ${nameOf(one)}: waits to be sent since`)).waitFor()
    t.notOk(await undo.isVisible(), 'nothing says that it is done')
    t.match(await now(one), { good: '0' })
    const asked = page.waitForEvent('dialog')
    await page.close({ runBeforeUnload: true })
    const dialog = await asked
    t.equal(dialog.type(), 'beforeunload')
    await dialog.dismiss()
    await line.getByText('1 waits to be sent').waitFor()
    await page.unroute('**/api/v1/jobs/*/report')
    await reportedOnce(one, '1')
  })

  await t.test('floor: a report whose answer was lost is not doubled, also when the tab is read again before it is sent again', async t => {
    const one = job(2)
    await me.open(one)
    await zone.getByRole('textbox', { name: /^Good/ }).fill('1')
    let committed = 0
    await page.route('**/api/v1/jobs/*/report', async route => {
      if (committed === 0) committed = (await route.fetch()).status()
      await route.abort('internetdisconnected')
    })
    await zone.getByRole('button', { name: 'Report so far' }).click()
    await line.getByText('1 waits to be sent').waitFor()
    await until('the server has it', 30, async () => committed || undefined)
    t.equal(committed, 201)
    t.match(await now(one), { good: '1' }, 'the server has it, the person does not know')
    t.notOk(await undo.isVisible())
    page.once('dialog', dialog => void dialog.accept())
    await page.reload({ waitUntil: 'commit' })
    await line.getByText('1 waits to be sent').waitFor()
    t.notOk(await undo.isVisible())
    await page.unroute('**/api/v1/jobs/*/report')
    await reportedOnce(one, '1')
  })

  const lead = await atTheFloor(t, await openBrowser(t), plant, 'lead')

  await t.test('floor: two people start and report on one job at once, and both see the sum without asking', async t => {
    const one = job(3)
    for (const each of [me, lead]) await each.open(one)
    await Promise.all([me, lead].map(each => each.zone.getByRole('button', { name: 'Start', exact: true }).click()))
    for (const each of [me, lead]) await each.running.getByText(nameOf(one)).waitFor()
    await me.zone.getByRole('textbox', { name: /^Good/ }).fill('1')
    await lead.zone.getByRole('textbox', { name: /^Good/ }).fill('0')
    await lead.zone.getByRole('button', { name: 'Scrap: one more' }).click()
    await lead.zone.getByText('Kras of deuk').click()
    await Promise.all([me, lead].map(each => each.zone.getByRole('button', { name: 'Report so far' }).click()))
    const bar = new RegExp(`^1 of ${one.plannedQuantity} `)
    // Well below the minute after which a screen asks by itself.
    for (const each of [me, lead]) await each.zone.getByText(bar).waitFor({ timeout: 20_000 })
    for (const each of [me, lead]) await each.zone.getByText('1 PCE scrap').waitFor({ timeout: 20_000 })
    // What somebody else adds comes by itself: here nothing was done that reads the job again.
    await lead.zone.getByRole('textbox', { name: /^Good/ }).fill('0')
    await lead.zone.getByRole('button', { name: 'Scrap: one more' }).click()
    await lead.zone.getByText('Kras of deuk').click()
    await lead.zone.getByRole('button', { name: 'Report so far' }).click()
    await zone.getByText('2 PCE scrap').waitFor({ timeout: 20_000 })
    t.match(await now(one), { good: '1', scrap: '2', running: [{}, {}] })
  })

  /** The screen stays as it is: what it asks does not arrive. */
  const freeze = () =>
    page.route(/\/api\/v1\/(jobs|live)(\/[^/]*)?(\?.*)?$/, route =>
      route.request().method() === 'GET' ? route.abort('internetdisconnected') : route.continue()
    )
  const thaw = () => page.unroute(/\/api\/v1\/(jobs|live)(\/[^/]*)?(\?.*)?$/)

  await t.test(
    'floor: a report on a job that somebody completed meanwhile is refused with what to do, and its figures are not lost',
    async t => {
      const one = job(3)
      await zone.getByRole('textbox', { name: /^Good/ }).fill('1')
      await freeze()
      await lead.zone.getByRole('textbox', { name: /^Good/ }).fill('0')
      await lead.zone.getByRole('radio', { name: /Lost/ }).click()
      await lead.zone.getByRole('button', { name: 'Report and complete' }).click()
      await lead.zone.getByText('This job is completed.').waitFor()
      await zone.getByRole('button', { name: 'Report so far' }).click()
      const note = zone.getByRole('alert').filter({ hasText: `Not done: Report of 1 good on ${nameOf(one)}` })
      await note.getByText('This operation is completed. Reopen it first, with a reason.').waitFor()
      await thaw()
      await zone.getByText('This job is completed.').waitFor()
      await shot(page, 'journey-refused')
      t.equal((await now(one)).good, '1', 'nothing was added')
      await zone.getByRole('button', { name: `Reopen ${nameOf(one)}` }).click()
      const ask = page.getByRole('dialog')
      await ask.getByRole('textbox', { name: 'Why?' }).press('Enter')
      await ask.getByText('Say why').waitFor()
      await ask.getByRole('textbox', { name: 'Why?' }).fill('One more was found')
      await shot(page, 'journey-reopen')
      await ask.getByRole('textbox', { name: 'Why?' }).press('Enter')
      await note.getByRole('button', { name: 'Open again with my figures' }).click()
      t.equal(await zone.getByRole('textbox', { name: /^Good/ }).inputValue(), '1')
      await zone.getByRole('button', { name: 'Report so far' }).click()
      await undo.waitFor()
      t.match(await now(one), { good: '2', status: 'paused', running: [] })
      t.match((await reportsOf(one)).filter(report => report.kind === 'reopening').length, 1)
    }
  )

  await t.test('floor: figures that are typed when somebody completes the job stay in sight and can be booked after reopening', async t => {
    const one = job(3)
    await zone.getByRole('textbox', { name: /^Good/ }).fill('2')
    await lead.zone.getByRole('button', { name: 'Start', exact: true }).waitFor()
    await lead.zone.getByRole('textbox', { name: /^Good/ }).fill('0')
    await lead.zone.getByRole('radio', { name: /Lost/ }).click()
    await lead.zone.getByRole('button', { name: 'Report and complete' }).click()
    await zone.getByText('Not sent: 2 good').waitFor({ timeout: 20_000 })
    await shot(page, 'journey-unsent')
    await lead.page.getByRole('button', { name: /^Undo/ }).click()
    await zone.getByRole('button', { name: 'Report so far' }).waitFor({ timeout: 20_000 })
    t.equal(await zone.getByRole('textbox', { name: /^Good/ }).inputValue(), '2')
    await lead.line.getByText(`No clock runs on ${nameOf(one)}.`).waitFor()
    await shot(lead.page, 'journey-stopped')
    await lead.line.getByRole('button', { name: `Start again: ${nameOf(one)}` }).click()
    await lead.running.getByText(nameOf(one)).waitFor()
    await lead.told()
    t.match(await now(one), { status: 'started', running: [{}] })
  })

  await t.test('orders: a team lead reopens a completed operation with a reason', async t => {
    const one = job(4)
    await lead.open(one)
    await lead.zone.getByRole('button', { name: 'Complete' }).click()
    await lead.zone.getByText('This job is completed.').waitFor()
    await lead.told()
    await lead.page.goto(`${plant.at.baseUrl}/orders`)
    await lead.page.getByText(one.orderNumber, { exact: true }).click()
    await lead.page.getByRole('button', { name: `Reopen ${nameOf(one)}` }).click()
    await lead.page.getByRole('dialog').getByRole('textbox', { name: 'Why?' }).fill('Two of them bent')
    await lead.page.getByRole('dialog').getByRole('button', { name: 'Reopen' }).click()
    await lead.page.getByText(`${nameOf(one)} is reopened. No clock runs on it.`).waitFor()
    await lead.page.getByRole('button', { name: `Reopen ${nameOf(one)}` }).waitFor({ state: 'detached' })
    await shot(lead.page, 'journey-orders')
    t.match(await now(one), { status: 'paused' })
  })

  await t.test('journey F: who is taken out of a group or a role is refused in words, and the list empties', async t => {
    const users = await plant.admin.get<{ items: readonly { id: string; username: string; groupIds: readonly string[] }[] }>(
      '/api/v1/users?limit=50'
    )
    const user = users.items.find(one => one.username === 'zagen')
    const one = job(5)
    await me.open(one)
    await freeze()
    await plant.admin.patch(`/api/v1/users/${user?.id}`, { groupIds: [] })
    await zone.getByRole('button', { name: 'Start', exact: true }).click()
    await zone.getByText(`Not done: Start of ${nameOf(one)}`, { exact: false }).waitFor()
    await zone.getByText('This does not exist, or it lies outside your groups.').waitFor()
    await thaw()
    await list.getByText('Nothing to do in your groups').waitFor()
    await zone.getByText('This job is no longer in your list').waitFor()
    await shot(page, 'journey-gone')
    await plant.admin.patch(`/api/v1/users/${user?.id}`, { roleIds: [] })
    await list.getByText('You may not do this. Ask an administrator for the permission.').waitFor()
    await shot(page, 'journey-forbidden')
    t.same(me.problems(), [])
    t.same(lead.problems(), [])
  })
})
