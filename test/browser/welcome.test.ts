import { mkdirSync } from 'node:fs'
import t from 'tap'
import { openBrowser } from '../helpers/browser.ts'
import { adminPassword, openTestHouse } from '../helpers/house.ts'

t.test('welcome', async t => {
  const at = await openTestHouse(t)
  const browser = await openBrowser(t)
  const page = await browser.newPage({ viewport: { width: 1024, height: 768 } })
  const problems: string[] = []
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text())
  })
  page.on('pageerror', error => problems.push(error.message))

  await t.test('welcome: the first page says what this is and where the API is described', async t => {
    await page.goto(at.baseUrl)
    t.equal(await page.textContent('h1'), 'Werkvloer')
    t.equal(await page.getAttribute('a', 'href'), '/api/v1/openapi.json')
    await shot('home')
  })

  await t.test('welcome: the one-time link takes a password once, and tells in words what is wrong', async t => {
    const link = `${at.baseUrl}/welcome#${at.tenant.inviteToken}`
    await page.goto(link)
    await page.fill('#password', 'password1')
    await page.fill('#again', 'password1')
    await page.click('#send')
    await says(/.{20}/)
    t.match(await page.textContent('#status'), /guessed/)
    await shot('welcome')
    await page.fill('#password', adminPassword)
    await page.fill('#again', `${adminPassword}x`)
    await page.click('#send')
    t.equal(await page.textContent('#status'), 'The two passwords differ.')
    await page.fill('#again', adminPassword)
    await page.click('#send')
    await says(/^Saved\./)
    t.ok(await at.signIn(at.tenant, 'admin', adminPassword))
    t.notMatch(page.url(), 'wv_invite', 'the token is gone from the address')
    await page.goto('about:blank')
    await page.goto(link)
    await page.fill('#password', adminPassword)
    await page.fill('#again', adminPassword)
    await page.click('#send')
    await says(/.{20}/)
    t.match(await page.textContent('#status'), /was used before/)
  })

  await t.test('welcome: the content security policy was not in the way of anything', async t => {
    // A refused request is shown in the console by the browser itself; that is not ours.
    t.strictSame(
      problems.filter(text => !/status of (400|410)/.test(text)),
      []
    )
    const answer = await fetch(`${at.baseUrl}/welcome`)
    t.match(answer.headers.get('content-security-policy'), /script-src 'nonce-/)
    t.notMatch(answer.headers.get('content-security-policy'), 'unsafe-inline')
  })

  /** Waits for the status line; asked from outside, since the page's policy allows no evaluation. */
  async function says(wanted: RegExp): Promise<void> {
    for (let tries = 0; tries < 200 && !wanted.test((await page.textContent('#status')) ?? ''); tries++) {
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    t.match(await page.textContent('#status'), wanted)
  }

  async function shot(name: string): Promise<void> {
    const folder = process.env.WERKVLOER_TEST_SHOTS
    if (!folder) return
    mkdirSync(folder, { recursive: true })
    await page.screenshot({ path: `${folder}/${name}.png` })
  }
})
