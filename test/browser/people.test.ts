import type { Page } from 'playwright-core'
import t from 'tap'
import { openBrowser } from '../helpers/browser.ts'
import { openConsole, shot } from '../helpers/console.ts'
import { openFactory } from '../helpers/factory.ts'

const password = 'Een-lange-zin-voor-de-nieuwe'

t.test('people', async t => {
  const { at, person } = await openFactory(t)
  const office = await openConsole(t, await openBrowser(t), at.baseUrl, { language: 'en', size: { width: 1440, height: 900 } })
  const floor = await openConsole(t, await openBrowser(t), at.baseUrl, { language: 'en' })
  const { page } = office
  const dialog = page.getByRole('dialog')
  const to = (path: string): Promise<unknown> => page.goto(`${at.baseUrl}/people/${path}`)
  /** Chooses or takes away one entry of a list in the dialog that is open. */
  const choose = async (label: string, option: string): Promise<void> => {
    await dialog.getByRole('combobox', { name: label }).click({ force: true })
    await page.getByRole('option', { name: option }).click()
    await page.keyboard.press('Tab')
  }
  const jobs = (of: Page) => of.getByRole('region', { name: 'My list' }).getByRole('button', { name: /^Start / })

  await t.test('people: a new role takes its permissions from the catalogue', async () => {
    await office.signIn(person('admin'))
    await to('roles')
    await page.getByRole('button', { name: 'New role' }).click()
    await dialog.getByLabel('Name of the role').fill('Reporter')
    for (const what of ['See the list of jobs on the floor.', 'Start, pause and resume jobs.', 'Report quantities.'])
      await dialog.getByRole('checkbox', { name: what }).check()
    await shot(page, 'people-role')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('cell', { name: 'Reporter', exact: true }).waitFor()
  })

  await t.test('people: a new group shows the jobs that it covers now', async t => {
    await to('groups')
    await page.getByRole('button', { name: 'New group' }).click()
    await dialog.getByLabel('Name of the group').fill('Night welders')
    await dialog.getByRole('combobox', { name: 'Value' }).click()
    await page.getByRole('option', { name: 'LASSEN' }).click()
    await dialog.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Night welders').waitFor()
    const { body } = await at.call<{ items: { id: string; name: string }[] }>('GET', '/api/v1/groups', {
      token: await at.signIn(at.tenant, 'admin', person('admin').password)
    })
    const id = body.items.find(({ name }) => name === 'Night welders')?.id
    const covered = await at.call<{ count: number }>('GET', `/api/v1/groups/${id}/jobs`, {
      token: await at.signIn(at.tenant, 'admin', person('admin').password)
    })
    t.ok(covered.body.count > 0)
    await page.getByText(`Covers ${covered.body.count} jobs now`).first().waitFor()
  })

  let link = ''
  await t.test('people: a new user gets a link that is shown once, and chooses a password with it', async t => {
    await to('users')
    await page.getByRole('button', { name: 'New user' }).click()
    await dialog.getByLabel('User name').fill('nightly')
    await dialog.getByLabel('Employee number').fill('1012')
    await choose('Roles', 'Reporter')
    await choose('Operational groups', 'Night welders')
    await dialog.getByRole('button', { name: 'Save' }).click()
    link = (await dialog.locator('pre').textContent()) ?? ''
    t.match(link, /\/welcome#/)
    await dialog.getByRole('button', { name: 'Close' }).last().click()
    await page.getByText('Has a link, no password yet').waitFor()
    await floor.page.goto(link.replace(/^https?:\/\/[^/]+/, at.baseUrl))
    await floor.page.getByLabel('Password *', { exact: true }).fill(password)
    await floor.page.getByLabel('The same again').fill(password)
    await floor.page.getByRole('button', { name: 'Save' }).click()
    await floor.page.getByRole('heading', { name: 'Your password is saved' }).waitFor()
  })

  await t.test('people: that person sees the jobs of the group and no others', async t => {
    await floor.signIn({ customer: at.tenant.code, username: 'nightly', password })
    await floor.page.goto(`${at.baseUrl}/floor`)
    await jobs(floor.page).first().waitFor()
    const mine = await at.signIn(at.tenant, 'nightly', password)
    const { body } = await at.call<{ items: { department: string }[] }>('GET', '/api/v1/jobs?limit=100', { token: mine })
    t.ok(body.items.length > 0)
    t.same([...new Set(body.items.map(({ department }) => department))], ['LASSEN'])
  })

  const edit = async (): Promise<void> => {
    await to('users?search=nightly')
    await page.getByRole('button', { name: 'Change nightly' }).click()
  }

  await t.test('people: without the group the list of the other screen is empty, without signing in again', async () => {
    await edit()
    await dialog.getByText('Night welders').locator('..').getByRole('button', { includeHidden: true }).click()
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await jobs(floor.page).first().waitFor({ state: 'hidden' })
  })

  await t.test('people: why says that the role gives it and no group covers it', async () => {
    await to('why')
    await page.getByRole('combobox', { name: 'Who' }).fill('nightly')
    await page.getByRole('option', { name: 'nightly' }).click()
    await page.getByRole('combobox', { name: 'What' }).click()
    await page
      .getByRole('option', { name: /start.*pause/i })
      .first()
      .click()
    await page.getByText('Yes, may do this').waitFor()
    await page.getByRole('combobox', { name: /On which job/ }).fill('WO-1000')
    await page
      .getByRole('option', { name: /WO-1000/ })
      .first()
      .click()
    await page.getByText('No, may not do this').waitFor()
    await page.getByText('By role: Reporter.').waitFor()
    await page.getByText('None of the groups covers this job.').waitFor()
    await shot(page, 'people-why')
  })

  await t.test('people: without the role the very next request is refused; switched off, the other screen ends at the sign-in', async t => {
    const mine = await at.signIn(at.tenant, 'nightly', password)
    t.equal((await at.call('GET', '/api/v1/jobs', { token: mine })).status, 200)
    await to('roles')
    await page.getByRole('button', { name: 'Change Reporter' }).click()
    await dialog.getByRole('button', { name: 'Remove' }).click()
    await page.getByRole('dialog', { name: 'Remove role Reporter?' }).getByRole('button', { name: 'Remove' }).click()
    await page.getByRole('cell', { name: 'Reporter', exact: true }).waitFor({ state: 'hidden' })
    t.match(await at.call('GET', '/api/v1/jobs', { token: mine }), { status: 403, body: { code: 'forbidden' } })
    await edit()
    await dialog.getByRole('switch', { name: 'May sign in' }).click()
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await floor.page.locator('input[autocomplete=current-password]').waitFor({ timeout: 60_000 })
  })

  await t.test('people: an API key is shown once, opens what it may, and nothing after it was revoked', async t => {
    await to('keys')
    await page.getByRole('button', { name: 'New API key' }).first().click()
    await dialog.getByLabel('Name').first().fill('Dashboard')
    await dialog
      .getByRole('checkbox', { name: /see work orders/i })
      .first()
      .check()
    await dialog.getByRole('button', { name: 'Make key' }).click()
    const key = (await dialog.locator('pre').textContent()) ?? ''
    t.match(key, /^wv_api_/)
    await dialog.getByRole('button', { name: 'Close' }).last().click()
    t.equal((await at.call('GET', '/api/v1/work-orders', { token: key })).status, 200)
    t.equal((await at.call('GET', '/api/v1/users', { token: key })).status, 403)
    await page.getByRole('button', { name: 'Revoke Dashboard' }).click()
    await dialog.getByRole('button', { name: 'Revoke' }).click()
    await page.getByText('Revoked').waitFor()
    t.equal((await at.call('GET', '/api/v1/work-orders', { token: key })).status, 401)
  })

  await t.test('people: the browsers had nothing to complain about', async t => {
    t.strictSame([...office.problems(), ...floor.problems()], [])
  })
})
