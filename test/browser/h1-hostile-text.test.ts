import t from 'tap'
import { openBrowser } from '../helpers/browser.ts'
import { openConsole } from '../helpers/console.ts'
import { adminPassword, openTestHouse } from '../helpers/house.ts'
import { connect, newKeyPair, openSftpClient } from '../helpers/sftp.ts'

/** What runs when it is taken for more than text; each tells of itself in `hacked`. */
const hostile = (where: string): string => `<img src=x onerror=hacked.push(1)><svg onload=hacked.push(2)>${where}`
const cell = (text: string): string => `"${text.replaceAll('"', '""')}"`

t.test('hostile text', async t => {
  const at = await openTestHouse(t, { sftp: true, worker: true })
  const token = await at.admin()
  const api = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const answer = await at.call<T>(method, `/api/v1${path}`, { token, ...(body === undefined ? {} : { body }) })
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const { id } = await api<{ id: string }>('POST', '/connections', { name: hostile('connection'), adapter: 'werkvloer.csv', config: {} })
  const key = newKeyPair()
  await api('POST', `/connections/${id}/access/sftp-keys`, { username: 'erp-hostile', publicKey: key.public, label: hostile('label') })
  await api('POST', `/connections/${id}/activate`, {})
  await api('POST', '/users', { username: 'second', name: hostile('person'), roleIds: [], groupIds: [] })
  const client = await connect(at.sftp?.port ?? 0, { username: 'erp-hostile', privateKey: key.private })
  t.teardown(() => client.end())
  const sftp = await openSftpClient(client)
  const files = {
    'ART_1.csv': [
      'Article;Description;Unit',
      `A01;${cell(hostile('article'))};PCE`,
      `A02;javascript:hacked.push('unit');${cell(hostile('unit'))}`
    ],
    "WO_1 '(onerror=x).csv": [
      'Order;Department;Article;Description;Quantity;Unit;Due;Status;Type;Operation;Sequence;OperationDepartment;OperationDescription',
      `W1;WELD;A01;${cell(hostile('text'))};5;PCE;2026-12-01;released;O;10;10;WELD;${cell(hostile('operation'))}`,
      `W2;WELD;A01;x;${cell(hostile('quantity'))};PCE;2026-12-01;released;O;10;10;WELD;x`
    ]
  }
  for (const [name, lines] of Object.entries(files)) {
    await sftp.put(`inbox/${name}.tmp`, Buffer.from([...lines, ''].join('\r\n')))
    await sftp.call('rename', `inbox/${name}.tmp`, `inbox/${name}`)
  }
  for (let tries = 0; tries < 100; tries++) {
    const { items } = await api<{ items: { state: string }[] }>('GET', '/deliveries')
    if (items.length === 2 && items.every(({ state }) => state.startsWith('done') || state === 'rejected')) break
    await new Promise(resolve => setTimeout(resolve, 200))
  }

  const console_ = await openConsole(t, await openBrowser(t), at.baseUrl, { language: 'en', size: { width: 1440, height: 900 } })
  const { page } = console_
  await page.addInitScript('globalThis.hacked = []')
  const dialogs: string[] = []
  page.on('dialog', dialog => {
    dialogs.push(dialog.message())
    void dialog.dismiss()
  })
  await console_.signIn({ customer: at.tenant.code, username: 'admin', password: adminPassword })
  const { items: rejects } = await api<{ items: { id: string }[] }>('GET', '/rejects')
  t.ok(rejects.length >= 1, 'a row of each kind is in the bin')
  const [delivery] = (await api<{ items: { id: string }[] }>('GET', '/deliveries')).items

  const screens: readonly [string, string][] = [
    ['/floor', 'operation'],
    ['/orders', 'text'],
    ['/connections', 'connection'],
    [`/connections/${id}/deliveries?delivery=${delivery?.id}`, 'onerror=x'],
    [`/connections/${id}/access`, 'label'],
    ['/errors?view=rows', '<svg onload=hacked.push(2)…'],
    [`/errors?entry=${rejects[0]?.id}`, 'connection'],
    ['/people/users', 'person']
  ]
  for (const [path, text] of screens) {
    await t.test(`H1: ${path.split('?')[0]?.replace(id, '…')} shows what came from outside as text`, async t => {
      await page.goto(at.baseUrl + path)
      await page
        .getByText(text.includes('=') ? text : hostile(text))
        .first()
        .waitFor()
      await page.waitForTimeout(300)
      t.same(await page.evaluate('hacked'), [])
      t.equal(await page.locator('[onerror], [onload], img[src=x], a[href^="javascript:" i]').count(), 0)
    })
  }

  await t.test('H1: nothing asked, nothing ran', async t => {
    t.same(dialogs, [])
    // The same text as markup is refused by the policy even when a fault of ours would let it in.
    await page.evaluate(`document.querySelector('main').insertAdjacentHTML('beforeend', ${JSON.stringify(hostile('planted'))})`)
    await page.waitForTimeout(300)
    t.same(await page.evaluate('hacked'), [])
    t.ok(await page.locator('main img[src=x]').count(), 'it stood there')
  })

  await t.test('H6: after signing out, going back shows nothing of the one before', async t => {
    await page.goto(`${at.baseUrl}/people/users`)
    await page.getByText('person').first().waitFor()
    await page.getByRole('button', { name: /^admin/ }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
    await page.locator('input[autocomplete=current-password]').waitFor()
    await page.goBack()
    await page.locator('input[autocomplete=current-password]').waitFor()
    t.equal(await page.getByText('person', { exact: false }).count(), 0)
    t.equal(await page.evaluate('sessionStorage.length'), 0)
  })
})
