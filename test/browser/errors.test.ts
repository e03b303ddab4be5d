import type { Locator } from 'playwright-core'
import t from 'tap'
import { until } from '../../demo/api.ts'
import { findings } from '../helpers/axe.ts'
import { openBrowser } from '../helpers/browser.ts'
import { openConsole, shot } from '../helpers/console.ts'
import { adminPassword, openTestHouse } from '../helpers/house.ts'
import { connect, newKeyPair, openSftpClient } from '../helpers/sftp.ts'

const articles = (rows: readonly (readonly [string, string])[]): string =>
  ['Article;Description;Unit', ...rows.map(([number, unit]) => `${number};Part ${number};${unit}`), ''].join('\r\n')
const orders = (rows: readonly (readonly [string, string, string])[]): string =>
  [
    'Order;Department;Article;Description;Quantity;Unit;Due;Status;Type;Operation;Sequence;OperationDepartment;OperationDescription',
    ...rows.map(([number, quantity, due]) => `${number};WELDING;A01;Frame;${quantity};PCE;${due};released;O;10;10;WELDING;Weld`),
    ''
  ].join('\r\n')

interface Entry {
  readonly id: string
  readonly state: string
  readonly attempts: number
}

/** The compiler knows nothing of the page, so what runs there is text. */
const focused = async (what: Locator): Promise<boolean> =>
  (await what.getAttribute('id')) === (await what.page().evaluate('document.activeElement.id'))

t.test('errors', async t => {
  const at = await openTestHouse(t, { sftp: true, worker: true })
  const token = await at.admin()
  const api = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const answer = await at.call<T>(method, `/api/v1${path}`, { token, ...(body === undefined ? {} : { body }) })
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const { id: connection } = await api<{ id: string }>('POST', '/connections', { name: 'ERP', adapter: 'werkvloer.csv', config: {} })
  const key = newKeyPair()
  await api('POST', `/connections/${connection}/access/sftp-keys`, { username: 'erp-one', publicKey: key.public, label: 'ERP' })
  const stored = await api<{ version: number; mapping: { imports: Record<string, Record<string, unknown>> } }>(
    'GET',
    `/connections/${connection}/mapping`
  )
  const { imports } = stored.mapping
  await api('PUT', `/connections/${connection}/mapping`, {
    version: stored.version,
    mapping: { ...stored.mapping, imports: { ...imports, article: { ...imports.article, unit: { from: 'Unit', code: 'units' } } } },
    codeTables: { units: { PCE: 'PCE' } }
  })
  await api('POST', `/connections/${connection}/activate`, {})
  const client = await connect(at.sftp?.port ?? 0, { username: 'erp-one', privateKey: key.private })
  t.teardown(() => client.end())
  const sftp = await openSftpClient(client)
  const bring = async (name: string, text: string): Promise<void> => {
    await sftp.put(`inbox/${name}.tmp`, Buffer.from(text))
    await sftp.call('rename', `inbox/${name}.tmp`, `inbox/${name}`)
  }

  const browser = await openBrowser(t)
  const console_ = await openConsole(t, browser, at.baseUrl, { language: 'en', size: { width: 1440, height: 900 } })
  const { page, problems } = console_
  const dialog = page.getByRole('dialog')
  const list = page.getByRole('main').getByRole('list')
  let clicks = 0
  const click = async (what: Locator): Promise<void> => {
    clicks++
    await what.click()
  }
  const close = async (): Promise<void> => {
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
  }

  await t.test('errors: an empty bin says what comes here', async () => {
    await console_.signIn({ customer: at.tenant.code, username: 'admin', password: adminPassword })
    await page.getByRole('navigation').getByRole('link', { name: 'Error bin' }).click()
    await page.getByText('Nothing to mend').waitFor()
  })

  await t.test('errors: rows of a file appear by themselves, those of one cause together, with field and value', async t => {
    const began = performance.now()
    await bring('ART_1.csv', articles([...Array.from({ length: 14 }, (_, n) => [`S${n}`, 'STX'] as const), ['A01', 'PCE'], ['D01', 'DZN']]))
    const row = list.getByRole('button', { name: /14 rows/ })
    await row.waitFor()
    t.comment(`shown ${Math.round(performance.now() - began)} ms after the file was begun; the goal is 5,000`)
    await row.getByText('“STX” has no translation in the table units.').waitFor()
    await row.getByText(/ART_1\.csv/).waitFor()
    await page
      .getByRole('navigation')
      .getByRole('link', { name: /15 open problems/ })
      .waitFor()
    await shot(page, 'errors-causes')
    t.same(await findings(page), [])
  })

  await t.test('errors: a missing code is mended for all rows in two clicks, after a dry run that writes nothing', async t => {
    clicks = 0
    await click(list.getByRole('button', { name: /14 rows/ }))
    const ours = dialog.getByRole('textbox', { name: /“STX” in the table units means/ })
    await ours.waitFor()
    await until('the field has the focus', 10, async () => (await focused(ours)) || undefined)
    await page.keyboard.type('PCE')
    await dialog.getByRole('button', { name: 'Dry run' }).click()
    await dialog.getByText('It would get through').waitFor()
    await dialog.getByText('14 new').waitFor()
    await shot(page, 'errors-translate')
    t.equal((await api<{ items: Entry[] }>('GET', '/rejects?state=open')).items.length, 15, 'a dry run changes nothing')
    await click(dialog.getByRole('button', { name: 'Save and process 14 rows again' }))
    await dialog.getByText('Resolved: it got through.').waitFor()
    t.ok(clicks <= 3, `${clicks} clicks`)
    await close()
    await page
      .getByRole('navigation')
      .getByRole('link', { name: /1 open problem/ })
      .waitFor()
    const { items } = await api<{ items: Entry[] }>('GET', '/rejects?state=resolved')
    t.equal(items.length, 14)
  })

  await t.test('errors: a wrong value is mended beside the original in three clicks', async t => {
    await bring(
      'WO_1.csv',
      orders([
        ['W1', 'abc', '2026-12-01'],
        ['W2', '5', '2026-12-01'],
        ['W3', '7', '2026-02-31']
      ])
    )
    clicks = 0
    await click(list.getByRole('button', { name: /Work order W1/ }))
    await dialog.getByText('Field quantity: “abc” is no number.').waitFor()
    await click(dialog.getByRole('button', { name: 'Edit the row' }))
    const quantity = dialog.getByRole('textbox', { name: /New value of .*Quantity$/ }).first()
    await until('the wrong field has the focus', 10, async () => (await focused(quantity)) || undefined)
    await page.keyboard.press('Control+A')
    await page.keyboard.type('many')
    await dialog.getByRole('button', { name: 'Dry run' }).click()
    await dialog.getByText('“many” is no number').waitFor()
    await quantity.fill('12.5')
    await shot(page, 'errors-edit')
    t.same(await findings(page), [])
    await click(dialog.getByRole('button', { name: 'Save and process again' }))
    await dialog.getByText('Resolved: it got through.').waitFor()
    t.ok(clicks <= 3, `${clicks} clicks`)
    const id = new URL(page.url()).searchParams.get('entry')
    t.match(await api('GET', `/rejects/${id}/row`), { original: { Quantity: 'abc' }, edited: { Quantity: '12.5' } })
    const { items } = await api<{ items: { number: string; quantity: string }[] }>('GET', '/work-orders')
    t.match(
      items.find(order => order.number === 'W1'),
      { quantity: '12.5' }
    )
    await close()
  })

  await t.test('errors: what fails again stays, with one attempt more and its new sentence', async t => {
    await list.getByRole('button', { name: /Work order W3/ }).click()
    await dialog.getByText('“2026-02-31” is no day in the agreed form').waitFor()
    await dialog.getByRole('button', { name: 'Process again' }).click()
    const id = new URL(page.url()).searchParams.get('entry')
    await until('it was tried again', 20, async () => (await api<Entry>('GET', `/rejects/${id}`)).attempts === 2 || undefined)
    await dialog.getByText('Attempts').locator('..').getByText('2').waitFor()
    t.match(await api('GET', `/rejects/${id}`), { state: 'open' })
  })

  await t.test('errors: a row is left aside with a reason, which stays to be read', async () => {
    await dialog.getByRole('button', { name: 'Leave aside' }).click()
    const form = page.getByRole('dialog').filter({ hasText: 'The row is not taken over' })
    await form.getByLabel('Reason').fill('Typed wrong in the ERP; it comes again tonight')
    await form.getByRole('button', { name: 'Leave aside' }).click()
    await page.getByText('Left aside.').waitFor()
    await close()
    await page.getByRole('combobox', { name: 'State' }).click()
    await page.getByRole('option', { name: 'Left aside' }).click()
    await list.getByRole('button', { name: /Work order W3/ }).click()
    await dialog.getByText('Typed wrong in the ERP; it comes again tonight').waitFor()
    await close()
    await page.getByRole('combobox', { name: 'State' }).click()
    await page.getByRole('option', { name: 'Open' }).click()
  })

  await t.test('errors: what the ERP refuses appears too, and goes out again under its own key', async t => {
    const { items: jobs } = await api<{ items: { id: string; orderNumber: string }[] }>('GET', '/jobs?limit=20')
    await api('POST', `/jobs/${jobs.find(job => job.orderNumber === 'W2')?.id}/report`, { good: '1' })
    interface Message {
      readonly number: string
      readonly key: string
      readonly state: string
    }
    const message = await until('the ERP has the file', 30, async () => {
      const { items } = await api<{ items: Message[] }>('GET', '/outbox?state=delivered')
      return items.at(0)
    })
    await bring('ACK_1.csv', `Key;Result;Document;Message\r\n${message.key};ERROR;;The period is closed.\r\n`)
    await list.getByRole('button', { name: /The period is closed/ }).click()
    await shot(page, 'errors-out')
    await dialog.getByRole('button', { name: 'Send again' }).click()
    const again = await until('it went out again', 30, async () => {
      const found = await api<{ message: Message }>('GET', `/outbox/${message.number}`)
      return found.message.state === 'delivered' ? found.message : undefined
    })
    t.equal(again.key, message.key)
    await dialog
      .getByText(/Resolved/)
      .first()
      .waitFor()
    await close()
  })

  await t.test('errors: on a phone nothing is cut off and nothing scrolls sideways', async t => {
    await page.setViewportSize({ width: 390, height: 844 })
    await list.getByRole('button', { name: /Article D01/ }).click()
    await dialog.getByRole('button', { name: 'Edit the row' }).click()
    await dialog
      .getByRole('textbox', { name: /New value of/ })
      .first()
      .waitFor()
    await shot(page, 'errors-phone')
    t.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true)
    t.same(await findings(page), [])
  })

  await t.test('errors: the browser had nothing to complain about', async t => {
    t.strictSame(problems(), [])
  })
})
