import t from 'tap'
import { openBrowser } from '../helpers/browser.ts'
import { openConsole } from '../helpers/console.ts'
import { adminPassword, openTestHouse } from '../helpers/house.ts'

t.test('welcome', async t => {
  const at = await openTestHouse(t)
  const browser = await openBrowser(t)
  const { page, problems } = await openConsole(t, browser, at.baseUrl, { language: 'en' })
  const link = `${at.baseUrl}/welcome#${at.tenant.inviteToken}`
  const first = page.getByLabel('Password *', { exact: true })
  const again = page.getByLabel('The same again')
  const save = page.getByRole('button', { name: 'Save' })

  await t.test('welcome: the one-time link takes a password once, and tells in words what is wrong', async t => {
    await page.goto(link)
    await first.fill('password1')
    await again.fill('password1')
    await save.click()
    t.match(await page.getByRole('alert').textContent(), /easily guessed/)
    await first.fill(adminPassword)
    await again.fill(`${adminPassword}x`)
    await save.click()
    await page.getByText('The two passwords differ.').waitFor()
    await again.fill(adminPassword)
    await save.click()
    await page.getByRole('heading', { name: 'Your password is saved' }).waitFor()
    t.notMatch(page.url(), 'wv_invite', 'the token is gone from the address')
    await page.goto('about:blank')
    await page.goto(link)
    await first.fill(adminPassword)
    await again.fill(adminPassword)
    await save.click()
    t.match(await page.getByRole('alert').textContent(), /was used before/)
  })

  await t.test('welcome: with that password the administrator signs in, and a reload keeps the session', async t => {
    await page.goto(at.baseUrl)
    await page.getByLabel('Customer').fill(at.tenant.code)
    await page.getByLabel('User name').fill('admin')
    await page.getByLabel('Password *', { exact: true }).fill(`${adminPassword}?`)
    await page.getByRole('button', { name: 'Sign in' }).click()
    t.match(await page.getByRole('alert').textContent(), /is not right/)
    await page.getByLabel('Password *', { exact: true }).fill(adminPassword)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('navigation').waitFor()
    await page.reload()
    await page.getByRole('navigation').waitFor()
    t.equal(await page.evaluate('Object.keys(sessionStorage).length + document.cookie.length'), 0, 'no script sees the session')
  })

  await t.test('welcome: the content security policy was not in the way of anything, and leaves no hole', async t => {
    t.strictSame(problems(), [])
    const answer = await fetch(`${at.baseUrl}/welcome`)
    const policy = answer.headers.get('content-security-policy') ?? ''
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1] ?? 'none'
    t.notMatch(policy, /unsafe|\*|https?:/)
    const html = await answer.text()
    t.match(html, `nonce="${nonce}"`)
    t.notMatch(html, '%nonce%')
    t.not(/'nonce-([^']+)'/.exec((await fetch(at.baseUrl)).headers.get('content-security-policy') ?? '')?.[1], nonce, 'one for each page')
  })
})
