import { readFileSync } from 'node:fs'
import t from 'tap'
import { openBrowser } from '../helpers/browser.ts'
import { openConsole, shot } from '../helpers/console.ts'
import { adminPassword, openTestHouse } from '../helpers/house.ts'
import { connect, openSftpClient } from '../helpers/sftp.ts'

const row = (number: string, quantity: string) =>
  `${number};WELDING;FR-200;Frame 200 mm;${quantity};PCE;2026-03-20;released;O;10;10;WELDING;Weld;red`
const head =
  'WorkOrderNo;Department;Article;Description;Quantity;Unit;Due;Status;Type;Operation;Sequence;OperationDepartment;OperationDescription;Colour'
const file = {
  name: 'WO_first.csv',
  mimeType: 'text/csv',
  buffer: Buffer.from([head, row('WO1', '12.5'), row('WO2', 'abc'), row('WO3', '3'), ''].join('\r\n'))
}

t.test('connections', async t => {
  const at = await openTestHouse(t, { sftp: true, worker: true })
  await at.admin()
  const browser = await openBrowser(t)
  const { page, problems, signIn } = await openConsole(t, browser, at.baseUrl, { language: 'en', size: { width: 1440, height: 900 } })
  const button = (name: string | RegExp) => page.getByRole('button', { name, exact: typeof name === 'string' })
  const heading = (name: string) => page.getByRole('heading', { name, exact: true })
  const column = (field: string) => page.getByRole('combobox', { name: `Column for ${field}`, exact: true })
  let username = ''
  let password = ''

  await t.test('connections: an empty list teaches, and the wizard begins from it', async () => {
    await signIn({ customer: at.tenant.code, username: 'admin', password: adminPassword })
    await page.getByRole('navigation').getByRole('link', { name: 'Connections' }).click()
    await page.getByText('No ERP is connected yet').waitFor()
    await page.getByRole('link', { name: 'Connect your ERP' }).click()
    await button('CSV files over SFTP').click()
    await heading('Name and settings').waitFor()
  })

  await t.test('connections: settings are drawn from the adapter, and are on the server when the next step shows', async t => {
    await page.getByLabel('Name *', { exact: true }).fill('ERP production')
    await page.getByLabel('Column that groups the rows of a work order').fill('WorkOrderNo')
    await shot(page, 'connections-settings')
    await button('Save and go on').click()
    await heading('Access for the ERP').waitFor()
    await page.reload()
    await heading('Access for the ERP').waitFor()
    t.match(page.url(), /\/connections\/new\/[0-9a-f-]{36}\?step=access$/)
  })

  await t.test('connections: a password of the ERP is shown once, with a command that names host and port', async t => {
    await button('Make SFTP password').click()
    const dialog = page.getByRole('dialog')
    username = await dialog.getByLabel('SFTP user name').inputValue()
    await dialog.getByLabel('Where it is used').fill('ERP server')
    await dialog.getByRole('button', { name: 'Add' }).click()
    await page.getByText(`sftp -P ${at.sftp?.port} ${username}@localhost`).waitFor()
    password = (await page.getByRole('alert').locator('pre').textContent()) ?? ''
    t.ok(password.length > 15)
    await shot(page, 'connections-access')
    await page.reload()
    await page.getByRole('cell', { name: username }).waitFor()
    t.equal(await page.getByText(password).count(), 0, 'it is not shown again')
  })

  await t.test('connections: the check names its steps', async () => {
    await button('Next').click()
    await page.getByText('Everything is in place').waitFor()
    await page.getByText('Access over SFTP').waitFor()
  })

  await t.test('connections: a file shows its columns and wrong rows under a mapping that is not saved yet', async t => {
    await button('Next').click()
    await heading('Kinds and mapping').waitFor()
    await page.locator('input[type=file]').setInputFiles(file)
    // The column of the number is called otherwise: the whole file is refused.
    await page.getByText('The whole file would be refused').waitFor()
    await column('number').fill('WorkOrderNo')
    await page.getByText('Field quantity.value').waitFor()
    await page.getByRole('cell', { name: 'WO3', exact: true }).waitFor()
    await page.getByText('Colour (not read)').waitFor()
    await shot(page, 'connections-mapping')
    const [connection] = (await at.call<{ items: { mappingVersion: number }[] }>('GET', '/api/v1/connections', { token: await at.admin() }))
      .body.items
    t.equal(connection?.mappingVersion, 1, 'a preview stores nothing')
  })

  await t.test('connections: going on with an unsaved mapping asks first', async () => {
    await button('Next').click()
    await page.getByRole('dialog').getByText('The mapping is not saved').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    await button('Save mapping').click()
    await page.getByText('The mapping is saved as version 2.').first().waitFor()
  })

  await t.test('connections: a mapping that somebody else saved meanwhile is not overwritten', async t => {
    const token = await at.admin()
    const id = /new\/([0-9a-f-]+)/.exec(page.url())?.[1]
    const path = `/api/v1/connections/${id}/mapping`
    await column('description').fill('Elsewhere')
    const newest = await at.call<{ version: number; mapping: unknown }>('GET', path, { token })
    const saved = await at.call('PUT', path, {
      token,
      body: { version: newest.body.version, mapping: newest.body.mapping, codeTables: { units: { PCE: 'PCE' } } }
    })
    t.equal(saved.status, 200)
    // Told by the stream of changes, before anything is sent.
    await page.getByText('Somebody has saved version 3').first().waitFor()
    await button('Take the newest version').first().click()
    t.equal(await column('description').inputValue(), 'Description')
  })

  await t.test('connections: a dry run tells what would be new and what is refused, and writes nothing', async t => {
    await button('Next').click()
    await button('Start the dry run').click()
    const result = page.getByRole('region', { name: 'Result of the dry run' })
    await result.getByRole('cell', { name: 'WO1 Work orders' }).waitFor()
    await result.getByText('"abc" is no number').waitFor()
    t.match(await result.textContent(), /2new0changed0unchanged1refused/)
    await shot(page, 'connections-dry-run')
    const [download] = await Promise.all([page.waitForEvent('download'), button('Download as CSV').click()])
    const csv = readFileSync(await download.path(), 'utf8')
    t.match(csv, /New;Work orders;WO1;2;/)
    t.match(csv, /Refused;Work orders;WO2;3;quantity\.value;"""abc"" is no number/)
    const orders = await at.call<{ items: unknown[] }>('GET', '/api/v1/work-orders', { token: await at.admin() })
    t.same(orders.body.items, [])
  })

  await t.test('connections: switched on, a file of the ERP appears by itself with what became of it', async t => {
    await button('Next').click()
    await button('Switch on').click()
    await page.getByRole('tab', { name: 'Overview' }).waitFor()
    await page.getByRole('tab', { name: 'Deliveries' }).click()
    await page.getByText('Nothing has come in yet').waitFor()
    const client = await connect(at.sftp?.port ?? 0, { username, password })
    t.teardown(() => void client.end())
    const sftp = await openSftpClient(client)
    await sftp.put(`inbox/${file.name}.tmp`, file.buffer)
    await sftp.call('rename', `inbox/${file.name}.tmp`, `inbox/${file.name}`)
    await page.getByRole('table').getByText('Processed, with errors').waitFor()
    await page.getByRole('button', { name: file.name }).click()
    const drawer = page.getByRole('dialog')
    await drawer.getByText('"abc" is no number').waitFor()
    t.match(await drawer.getByRole('link', { name: '1 in the error bin' }).getAttribute('href'), /^\/errors\?delivery=/)
    await shot(page, 'connections-delivery')
    await page.keyboard.press('Escape')
    await page.getByRole('tab', { name: 'Overview' }).click()
    await page.getByRole('link', { name: '1', exact: true }).waitFor()
  })

  await t.test('connections: a pause has a reason that everybody sees, and ends again', async () => {
    await button('Pause').click()
    await page.getByLabel('Reason').fill('Year-end close')
    await page.keyboard.press('Enter')
    await page.getByText('Year-end close').waitFor()
    await button('Resume').click()
    await button('Pause').waitFor()
  })

  await t.test('connections: the content security policy was not in the way, no script failed', async t => {
    t.strictSame(problems(), [])
  })
})
