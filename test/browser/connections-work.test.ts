import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import t from 'tap'
import { type Adapter, defineAdapter, eachInOrder, type ImportItem } from '../../adapters/contract/index.ts'
import { until } from '../../demo/api.ts'
import { parts } from '../../parts.ts'
import { findings } from '../helpers/axe.ts'
import { openBrowser } from '../helpers/browser.ts'
import { openConsole, shot } from '../helpers/console.ts'
import { adminPassword, openTestHouse } from '../helpers/house.ts'
import { connect, newKeyPair, openSftpClient } from '../helpers/sftp.ts'

type Answer = 'book' | 'refuse' | 'hang up'

/** An ERP behind a real socket: it hands over one work order and books, refuses, or hangs up in the middle. */
function farSide() {
  const booked: string[] = []
  const answers: Answer[] = []
  let asked = 0
  const server = createServer((request, response) => {
    if (request.method === 'GET') {
      asked++
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"number":"F-1"}')
      return
    }
    request.resume().on('end', () => {
      const answer = answers.shift() ?? 'book'
      if (answer === 'hang up') return response.destroy()
      if (answer === 'refuse') return response.writeHead(422).end('The period is closed.')
      booked.push(String(request.headers['x-key']))
      return response.writeHead(201).end(`DOC-${booked.length}`)
    })
  })
  return { server, booked, answers, asked: () => asked }
}

/** Fetches work orders and hands over the state of orders; a repeat would book twice, so an unknown outcome needs a person. */
const adapter: Adapter = defineAdapter({
  manifest: {
    api: 1,
    id: 'test.far',
    version: '1.0.0',
    displayName: 'Far side',
    vendor: { name: 'Test', support: 'support@example.test' },
    erp: { product: 'Test', versions: '*' },
    configVersion: 1,
    egress: ['/baseUrl'],
    config: {
      type: 'object',
      additionalProperties: false,
      required: ['baseUrl'],
      properties: { baseUrl: { type: 'string', title: 'Address', format: 'uri' } }
    },
    imports: { workOrder: { via: ['pull'], mode: ['delta'], schedule: { defaultSeconds: 60, minSeconds: 30 } } },
    exports: { orderStatus: { idempotency: 'none', confirms: 'sync', orderedBy: 'workOrder' } }
  },
  async *check(ctx) {
    yield { step: 'address', ok: true, detail: ctx.config.baseUrl }
  },
  import: {
    async *pull(_, ctx): AsyncIterable<ImportItem> {
      const { number } = (await (await ctx.http.request({ method: 'GET', url: `${ctx.config.baseUrl}/orders` })).json()) as {
        number: string
      }
      const operations = [{ number: '10', sequence: 10, department: 'WELD', description: 'Weld' }]
      yield {
        type: 'record',
        kind: 'workOrder',
        key: number,
        record: { number, department: 'WELD', quantity: { value: '10', unit: 'PCE' }, status: 'released', operations }
      } as ImportItem
      yield { type: 'checkpoint', state: { seen: 1 } }
    }
  },
  export: (batch, ctx) =>
    eachInOrder(batch, async item => {
      const answer = await ctx.http.request({
        method: 'POST',
        url: `${ctx.config.baseUrl}/states`,
        headers: { 'x-key': item.key },
        body: JSON.stringify(item.record)
      })
      const text = await answer.text()
      if (answer.status === 422) return { status: 'rejected', reject: { code: 'refused', message: text } }
      return { status: 'accepted', ref: { document: text } }
    })
})

const articles = (numbers: readonly string[]): Buffer =>
  Buffer.from(['Article;Description;Unit', ...numbers.map(number => `${number};Part;PCE`), ''].join('\r\n'))
const fits = (page: Page): Promise<unknown> => page.evaluate('document.documentElement.scrollWidth <= innerWidth')

t.test('connections at work', async t => {
  const far = farSide()
  await new Promise<void>(resolve => far.server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    far.server.closeAllConnections()
    await new Promise(resolve => far.server.close(resolve))
  })
  const { port } = far.server.address() as AddressInfo
  const at = await openTestHouse(t, {
    sftp: true,
    worker: true,
    parts: { adapters: [...parts.adapters, adapter] },
    settings: { WERKVLOER_ALLOW_PRIVATE_EGRESS: `127.0.0.1:${port}` }
  })
  const token = await at.admin()
  const api = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const answer = await at.call<T>(method, `/api/v1${path}`, { token, ...(body === undefined ? {} : { body }) })
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const made = (name: string, id: string, config: unknown) => api<{ id: string }>('POST', '/connections', { name, adapter: id, config })
  const fetching = await made('Far side', 'test.far', { baseUrl: `http://127.0.0.1:${port}` })
  const csv = await made('Files', 'werkvloer.csv', {})
  const web = await made('Web service', 'werkvloer.neutral-rest', {})
  await api('PUT', `/connections/${csv.id}/kinds`, { in: ['article'], out: [] })
  await api('PUT', `/connections/${web.id}/kinds`, { in: ['location'], out: [] })
  for (const { id } of [fetching, csv, web]) await api('POST', `/connections/${id}/activate`, {})

  const console_ = await openConsole(t, await openBrowser(t), at.baseUrl, { language: 'en', size: { width: 1440, height: 900 } })
  const { page } = console_
  const button = (name: string | RegExp) => page.getByRole('button', { name, exact: typeof name === 'string' })
  const dialog = page.getByRole('dialog')
  const to = (path: string): Promise<unknown> => page.goto(`${at.baseUrl}/connections/${path}`)

  await t.test('connections: how often the ERP is asked is set here, and the first fetch shows by itself', async () => {
    await console_.signIn({ customer: at.tenant.code, username: 'admin', password: adminPassword })
    await to(`${fetching.id}/kinds`)
    await page
      .getByLabel('Minutes between fetches of Work orders')
      .or(page.getByLabel(/Work orders/).last())
      .last()
      .fill('1')
    await button('Save').click()
    await until('the ERP was asked', 90, async () => far.asked() > 0 || undefined)
    await page
      .getByText(/second|minute|now/)
      .first()
      .waitFor()
    await until('the order is here', 30, async () => (await api<{ items: unknown[] }>('GET', '/work-orders')).items[0])
    await shot(page, 'connections-pull')
  })

  let job = ''
  await t.test('connections: what the ERP refuses shows why, and goes out again from here under its own key', async t => {
    job = (await api<{ items: { id: string }[] }>('GET', '/jobs')).items[0]?.id ?? ''
    far.answers.push('refuse')
    await to(`${fetching.id}/feedback`)
    await api('POST', `/jobs/${job}/report`, { good: '1' })
    await page.getByText('The period is closed.').first().waitFor()
    await page.getByRole('table').getByRole('button').first().click()
    await dialog.getByText('The period is closed.').first().waitFor()
    await dialog.getByRole('button', { name: 'Send again' }).click()
    await dialog.getByText('DOC-1').first().waitFor()
    t.equal(far.booked.length, 1)
    await page.keyboard.press('Escape')
  })

  await t.test('connections: an unknown outcome waits for a person, who looks in the ERP and decides', async t => {
    far.answers.push('hang up')
    await api('POST', `/jobs/${job}/complete`, { good: '9' })
    await page.getByRole('cell').getByText('Set aside').first().waitFor()
    await page.goto(`${at.baseUrl}/errors`)
    await page.getByText('Far side: one message of which the outcome is not known').waitFor()
    await shot(page, 'errors-undecided')
    t.same(await findings(page), [])
    await button(/^Decide on/).click()
    await dialog
      .getByRole('button', { name: /there|It is/ })
      .first()
      .click()
    const form = page.getByRole('dialog').last()
    await form.getByLabel(/Document/).fill('DOC-77')
    await form.getByLabel('Reason').fill('Seen in the ERP')
    await page.keyboard.press('Enter')
    await page.getByText('Far side: one message of which the outcome is not known').waitFor({ state: 'hidden' })
    await dialog.getByText('DOC-77').first().waitFor()
    t.equal(far.booked.length, 1, 'nothing was sent again')
    await page.keyboard.press('Escape')
  })

  const key = newKeyPair()
  await t.test('connections: a key is added by pasting it, and opens SFTP', async t => {
    await to(`${csv.id}/access`)
    await button('Add SFTP key').click()
    await dialog.getByLabel('SFTP user name').fill('files-erp')
    await dialog.getByRole('textbox', { name: 'Public key' }).fill('ssh-ed25519 nonsense')
    await dialog.getByLabel('Where it is used').fill('ERP server')
    await dialog.getByRole('button', { name: 'Add' }).click()
    await dialog.getByRole('alert').waitFor()
    await dialog.getByRole('textbox', { name: 'Public key' }).fill(key.public)
    await dialog.getByRole('button', { name: 'Add' }).click()
    await page.getByText(/sftp -P \d+ -i .* files-erp@/).waitFor()
    const client = await connect(at.sftp?.port ?? 0, { username: 'files-erp', privateKey: key.private })
    const sftp = await openSftpClient(client)
    await sftp.put('inbox/ART_1.csv', articles(Array.from({ length: 40 }, (_, n) => `A${n}`)))
    await until('the first list is in', 60, async () => (await api<{ items: unknown[] }>('GET', '/articles?limit=1')).items[0])
    await sftp.put('inbox/ART_2.csv', articles(['A0', 'A1']))
    client.end()
    t.pass()
  })

  await t.test('connections: a list that would close too much waits, and closes after one question', async t => {
    await to(`${csv.id}/deliveries`)
    await page
      .getByRole('row', { name: /ART_2\.csv/ })
      .getByText(/Waits|Held|decision/i)
      .waitFor()
    await button('ART_2.csv').click()
    await shot(page, 'connections-held')
    t.same(await findings(page), [])
    await dialog
      .getByRole('button', { name: /^Close|block/i })
      .last()
      .click()
    await page
      .getByRole('dialog', { name: 'Close everything that the list does not name?' })
      .getByRole('button', { name: 'Close what it does not name' })
      .click()
    await dialog
      .getByText(/Processed/)
      .first()
      .waitFor()
    const { items } = await api<{ items: { blocked: boolean }[] }>('GET', '/articles?limit=200')
    t.equal(items.filter(({ blocked }) => !blocked).length, 2)
    await page.keyboard.press('Escape')
  })

  await t.test('connections: a delivery is run again and its bytes are handed out as they came', async t => {
    await to(`${csv.id}/deliveries`)
    await button('ART_1.csv').click()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      dialog.getByRole('button', { name: 'Download the original' }).click()
    ])
    t.match(readFileSync(await download.path(), 'utf8'), /^Article;Description;Unit\r\nA0;Part;PCE/)
    await dialog.getByRole('button', { name: 'Run again' }).click()
    await page.keyboard.press('Escape')
    await page
      .getByText('Run again')
      .or(page.getByText(/replay/i))
      .first()
      .waitFor()
  })

  await t.test('connections: a revoked access is refused at once', async t => {
    await to(`${csv.id}/access`)
    await button(/^Revoke/).click()
    await dialog.getByRole('button', { name: 'Revoke' }).click()
    await page.getByText('Revoked').waitFor()
    await t.rejects(connect(at.sftp?.port ?? 0, { username: 'files-erp', privateKey: key.private }))
  })

  await t.test('connections: a token is shown once with a command, and takes a record in', async t => {
    await to(`${web.id}/access`)
    await button('Make token').click()
    await dialog.getByLabel('Where it is used').fill('ERP')
    await dialog.getByRole('button', { name: 'Add' }).click()
    const secret = (await page.getByRole('alert').locator('pre').textContent()) ?? ''
    t.match((await page.locator('pre').last().textContent()) ?? '', `/erp/v1/${web.id}/work-orders`)
    const answer = await at.call('POST', `/erp/v1/${web.id}/locations`, { token: secret, body: [{ code: 'R1', warehouse: 'H1' }] })
    t.ok(answer.status < 300, `${answer.status}`)
    await to(`${web.id}/deliveries`)
    await page.getByRole('table').getByRole('row').nth(1).waitFor()
  })

  await t.test('connections: on a phone and a tablet nothing scrolls sideways', async t => {
    for (const [width, height] of [
      [390, 844],
      [1180, 820]
    ] as const) {
      await page.setViewportSize({ width, height })
      for (const path of ['', `${csv.id}/overview`, `${csv.id}/mapping`, `${csv.id}/access`, `${fetching.id}/kinds`]) {
        await to(path)
        await page.getByRole('heading').first().waitFor()
        await page.waitForTimeout(300)
        t.equal(await fits(page), true, `${path} at ${width}`)
      }
    }
  })

  await t.test('connections: the browser had nothing to complain about at work', async t => {
    t.strictSame(console_.problems(), [])
  })
})
